import CivilTime
import Vectors

/// A point of time of any temporal type, taken apart.
///
/// `microseconds` are local (wall clock) except where a function asks for UTC; picoseconds are those
/// within the microsecond.
struct Moment {
    var microseconds: Int64
    var picoseconds: Int32 = 0
    var zone = TimeZoneKey.utc

    var day: Int32 { Microseconds.day(of: microseconds) }
    var timeOfDay: Int64 { Microseconds.timeOfDay(of: microseconds) }
}

/// Layouts of the temporal types as 128-bit words; see the story of Vectors.
enum Packed {
    @inline(__always) static func timestamp(_ value: Int128) -> Moment {
        Moment(
            microseconds: Int64(truncatingIfNeeded: value >> 64),
            picoseconds: Int32(truncatingIfNeeded: UInt64(truncatingIfNeeded: value) & 0xFFFF_FFFF))
    }

    @inline(__always) static func timestamp(_ moment: Moment) -> Int128 {
        Int128(moment.microseconds) << 64 | Int128(moment.picoseconds)
    }

    /// A timestamp with zone: the microseconds are UTC.
    @inline(__always) static func zoned(_ value: Int128) -> Moment {
        let low = UInt64(truncatingIfNeeded: value)
        return Moment(
            microseconds: Int64(truncatingIfNeeded: value >> 64),
            picoseconds: Int32(truncatingIfNeeded: low >> 16),
            zone: TimeZoneKey(unchecked: UInt16(truncatingIfNeeded: low)))
    }

    @inline(__always) static func zoned(_ moment: Moment) -> Int128 {
        Int128(moment.microseconds) << 64 | Int128(moment.picoseconds) << 16
            | Int128(moment.zone.rawValue)
    }

    /// A time with zone: UTC picoseconds and the offset in minutes.
    @inline(__always) static func zonedTime(_ value: Int128) -> (picoseconds: Int64, offset: Int) {
        (
            Int64(truncatingIfNeeded: value >> 64),
            Int(UInt64(truncatingIfNeeded: value) & 0xFFFF_FFFF) - 1024
        )
    }

    @inline(__always) static func zonedTime(picoseconds: Int64, offset: Int) -> Int128 {
        Int128(picoseconds) << 64 | Int128(offset + 1024)
    }

    static let picosecondsPerDay: Int64 = 86_400_000_000_000_000
}

/// Rules of zones for one call: remembers the last zone, since most columns have one.
struct ZoneReader {
    private let zones: TimeZones
    private let context: EvaluationContext
    private var key: TimeZoneKey?
    private var rules = TimeZoneRules(offsetSeconds: 0)

    init(_ call: KernelCall) {
        zones = call.context.session.timeZones
        context = call.context
    }

    /// The rules of a zone; a zone without rules fails the call and counts as UTC.
    mutating func rules(_ wanted: TimeZoneKey) -> TimeZoneRules {
        if wanted == key { return rules }
        do throws(CivilTimeError) { rules = try zones.rules(for: wanted) } catch {
            context.fail(
                QueryFault(.invalidFunctionArgument, error.message, hint: error.hint, cause: error))
            rules = TimeZoneRules(offsetSeconds: 0)
        }
        key = wanted
        return rules
    }

    /// Wall-clock time of a zoned moment.
    mutating func local(_ moment: Moment) -> Moment {
        var result = moment
        result.microseconds = rules(moment.zone).localMicroseconds(ofUTC: moment.microseconds)
        return result
    }

    /// UTC of a wall-clock time in the moment's zone.
    mutating func utc(_ moment: Moment) -> Moment {
        var result = moment
        result.microseconds = rules(moment.zone).utcMicroseconds(ofLocal: moment.microseconds)
        return result
    }

    /// The offset in minutes of a zoned moment.
    mutating func offsetMinutes(_ moment: Moment) -> Int {
        rules(moment.zone).offset(atUTCSecond: floorDivide(moment.microseconds, 1_000_000)) / 60
    }
}

extension EvaluationContext {
    /// The session's zone; UTC with a failure when it is none.
    var zone: TimeZoneKey {
        if let key = TimeZoneKey(name: session.zone) { return key }
        fail(invalid("'\(session.zone)' is not a valid time zone"))
        return .utc
    }
}

/// Reads a zone's name or offset from an argument.
func zoneKey(_ name: Text) throws -> TimeZoneKey {
    let text = name.string
    do throws(CivilTimeError) {
        let key = try TimeZoneKey.named(text)
        if key.isOffered { return key }
    } catch {
        throw QueryFault(
            .invalidFunctionArgument, "'\(text)' is not a valid time zone", hint: error.hint)
    }
    throw QueryFault(
        .invalidFunctionArgument, "'\(text)' is not a valid time zone",
        hint: "offsets go from -14:00 to +14:00")
}

extension TimeZoneKey {
    /// Whether Trino has such a zone: its offsets end at fourteen hours.
    package var isOffered: Bool { (fixedOffsetMinutes ?? 0).magnitude <= 14 * 60 }
}

extension LogicalType {
    /// Date, time and timestamps in either kind.
    var isMoment: Bool {
        switch self {
        case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone: true
        default: false
        }
    }

    var isTimestamp: Bool {
        switch self {
        case .timestamp, .timestampWithTimeZone: true
        default: false
        }
    }

    var isZonedTimestamp: Bool { if case .timestampWithTimeZone = self { true } else { false } }
}

extension KernelCall {
    /// Maps the wall-clock moment of argument `index` (a date, timestamp or timestamp with zone) to a
    /// moment of the result's type, which is of the same kind. `body` returns nil when out of range.
    func mapMoments(_ index: Int, _ body: (Int, Moment) throws -> Moment?) {
        let name = argumentTypes[index]
        func checked(_ row: Int, _ moment: Moment) throws -> Moment {
            guard let result = try body(row, moment) else {
                throw outOfRange("\(name) out of range")
            }
            return result
        }
        switch name {
        case .date:
            let input = input(index, as: Int32.self)
            rows { row -> Int32 in
                guard let start = Microseconds.timestamp(day: input[row]) else {
                    throw outOfRange("date out of range")
                }
                return try checked(row, Moment(microseconds: start)).day
            }
        case .timestamp where name.physical == .int64:
            let input = input(index, as: Int64.self)
            rows { row in try checked(row, Moment(microseconds: input[row])).microseconds }
        case .timestamp:
            let input = input(index, as: Int128.self)
            rows { row in Packed.timestamp(try checked(row, Packed.timestamp(input[row]))) }
        case .timestampWithTimeZone:
            let input = input(index, as: Int128.self)
            var zones = ZoneReader(self)
            rows { row in
                let local = zones.local(Packed.zoned(input[row]))
                return Packed.zoned(zones.utc(try checked(row, local)))
            }
        default: context.fail(invalid("\(name) is no date or timestamp"))
        }
    }

    /// Maps the wall-clock moment of a date, timestamp or time to any result.
    func readMoments<Result: KernelOutput>(
        _ index: Int, _ body: (Int, Moment) throws -> Result
    ) {
        let name = argumentTypes[index]
        switch name {
        case .date:
            let input = input(index, as: Int32.self)
            rows { row in
                try body(
                    row, Moment(microseconds: Microseconds.timestamp(day: input[row]) ?? .max))
            }
        case .timestamp where name.physical == .int64:
            let input = input(index, as: Int64.self)
            rows { row in try body(row, Moment(microseconds: input[row])) }
        case .timestamp:
            let input = input(index, as: Int128.self)
            rows { row in try body(row, Packed.timestamp(input[row])) }
        case .timestampWithTimeZone:
            let input = input(index, as: Int128.self)
            var zones = ZoneReader(self)
            rows { row in try body(row, zones.local(Packed.zoned(input[row]))) }
        case .time:
            let input = input(index, as: Int64.self)
            rows { row in try body(row, timeMoment(input[row])) }
        case .timeWithTimeZone:
            let input = input(index, as: Int128.self)
            rows { row in
                let (picoseconds, offset) = Packed.zonedTime(input[row])
                let local = floorRemainder(
                    picoseconds &+ Int64(offset) &* 60_000_000_000_000, Packed.picosecondsPerDay)
                return try body(row, timeMoment(local))
            }
        default: context.fail(invalid("\(name) is no date, time or timestamp"))
        }
    }
}

/// A time of day as a moment of 1970-01-01.
func timeMoment(_ picoseconds: Int64) -> Moment {
    Moment(
        microseconds: picoseconds / 1_000_000,
        picoseconds: Int32(truncatingIfNeeded: picoseconds % 1_000_000))
}
