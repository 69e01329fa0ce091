import CivilTime
import SQLFunctions
import Vectors

let picosecondsPerDay: Int64 = 86_400_000_000_000_000

/// A timestamp of any precision, unpacked.
struct Timestamp {
    var microseconds: Int64
    var picoseconds: Int32

    init(microseconds: Int64, picoseconds: Int32 = 0) {
        self.microseconds = microseconds
        self.picoseconds = picoseconds
    }

    /// Reads a `timestamp(p)`.
    init(_ vector: Vector, _ index: Int, _ type: LogicalType) {
        if type.physical == .int64 {
            self.init(microseconds: vector.pointer(as: Int64.self)[index])
        } else {
            let packed = vector.pointer(as: Int128.self)[index]
            self.init(
                microseconds: Int64(truncatingIfNeeded: packed >> 64),
                picoseconds: Int32(truncatingIfNeeded: packed & 0xFFFF_FFFF))
        }
    }

    var packed: Int128 { Int128(microseconds) << 64 | Int128(picoseconds) }
}

/// A `timestamp with time zone`, unpacked: UTC microseconds << 64 | picoseconds << 16 | zone key.
struct ZonedTimestamp {
    var microseconds: Int64
    var picoseconds: Int32
    var zone: TimeZoneKey

    init(microseconds: Int64, picoseconds: Int32, zone: TimeZoneKey) {
        self.microseconds = microseconds
        self.picoseconds = picoseconds
        self.zone = zone
    }

    init(_ packed: Int128) {
        microseconds = Int64(truncatingIfNeeded: packed >> 64)
        picoseconds = Int32(truncatingIfNeeded: (packed >> 16) & 0xFFFF_FFFF)
        zone = TimeZoneKey(unchecked: UInt16(truncatingIfNeeded: packed))
    }

    var packed: Int128 {
        Int128(microseconds) << 64 | Int128(picoseconds) << 16 | Int128(zone.rawValue)
    }
}

/// A `time with time zone`, unpacked: UTC picoseconds << 64 | offset minutes + 1024.
struct TimeWithZone {
    var utcPicoseconds: Int64
    var offsetMinutes: Int

    init(utcPicoseconds: Int64, offsetMinutes: Int) {
        self.utcPicoseconds = utcPicoseconds
        self.offsetMinutes = offsetMinutes
    }

    init(_ packed: Int128) {
        utcPicoseconds = Int64(truncatingIfNeeded: packed >> 64)
        offsetMinutes = Int(truncatingIfNeeded: packed & 0xFFFF_FFFF) - 1024
    }

    var packed: Int128 { Int128(utcPicoseconds) << 64 | Int128(offsetMinutes + 1024) }
    var localPicoseconds: Int64 {
        floorRemainder(
            utcPicoseconds + Int64(offsetMinutes) * 60_000_000_000_000, picosecondsPerDay)
    }
}

/// Zone rules as one worker asks for them: the last zone is kept.
final class ZoneAccess {
    private let zones: TimeZones
    let sessionZone: TimeZoneKey
    private var last: (key: TimeZoneKey, rules: TimeZoneRules)?

    init(_ session: SessionValues) {
        zones = session.timeZones
        sessionZone = TimeZoneKey(name: session.zone) ?? .utc
    }

    /// The rules; those of UTC where the system has none for the zone.
    func rules(_ key: TimeZoneKey) -> TimeZoneRules {
        if let last, last.key == key { return last.rules }
        let found = (try? zones.rules(for: key)) ?? TimeZoneRules(offsetSeconds: 0)
        last = (key, found)
        return found
    }

    func local(ofUTC microseconds: Int64, zone: TimeZoneKey) -> Int64 {
        rules(zone).localMicroseconds(ofUTC: microseconds)
    }

    func utc(ofLocal microseconds: Int64, zone: TimeZoneKey) -> Int64 {
        rules(zone).utcMicroseconds(ofLocal: microseconds)
    }

    /// The session zone's offset in minutes at a moment.
    func offsetMinutes(atUTC microseconds: Int64) -> Int {
        rules(sessionZone).offset(atUTCSecond: floorDivide(microseconds, 1_000_000)) / 60
    }
}

extension Caster {
    /// To the types of dates, times and intervals.
    func toTime(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        switch self.target {
        case .date: toDate(input, index, output, target, frame)
        case .timestamp(let precision):
            guard let stamp = timestamp(input, index, precision, frame, output, target) else {
                return
            }
            if output.physical == .int64 {
                output.store(stamp.microseconds, target)
            } else {
                output.store(stamp.packed, target)
            }
        case .timestampWithTimeZone(let precision):
            toZoned(input, index, precision, output, target, frame)
        case .time(let precision):
            guard let picoseconds = timeOfDay(input, index) else {
                return failTime(input, index, output, target, frame)
            }
            output.store(roundTime(picoseconds, precision), target)
        case .timeWithTimeZone(let precision):
            toTimeWithZone(input, index, precision, output, target, frame)
        default:
            // Intervals are read from text only by literals.
            reject(frame, output, target)
        }
    }

    private func failTime(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        guard source.physical == .string else { return reject(frame, output, target) }
        frame.context.fail(
            QueryFault(
                .invalidCastArgument,
                "Value cannot be cast to \(self.target): \(input.pointer(as: StringView.self)[index].string)"
            ))
        output.setNull(target)
    }

    private func toDate(
        _ input: Vector, _ index: Int, _ output: ColumnBuffer, _ target: Int, _ frame: Frame
    ) {
        switch source {
        case .timestamp:
            output.store(Microseconds.day(of: Timestamp(input, index, source).microseconds), target)
        case .timestampWithTimeZone:
            let stamp = ZonedTimestamp(wideValue(input, index))
            output.store(
                Microseconds.day(of: zones.local(ofUTC: stamp.microseconds, zone: stamp.zone)),
                target)
        case .varchar, .char:
            let view = input.pointer(as: StringView.self)[index]
            guard let days = view.withBytes({ DateText.days($0) }) else {
                return failTime(input, index, output, target, frame)
            }
            output.store(days, target)
        default: reject(frame, output, target)
        }
    }

    /// The value as a local timestamp, rounded to the precision.
    private func timestamp(
        _ input: Vector, _ index: Int, _ precision: Int, _ frame: Frame, _ output: ColumnBuffer,
        _ target: Int
    ) -> Timestamp? {
        var stamp: Timestamp
        switch source {
        case .date:
            guard let start = Microseconds.timestamp(day: input.pointer(as: Int32.self)[index])
            else {
                outOfRange(frame, output, target, "date")
                return nil
            }
            stamp = Timestamp(microseconds: start)
        case .timestamp: stamp = Timestamp(input, index, source)
        case .timestampWithTimeZone:
            let zoned = ZonedTimestamp(wideValue(input, index))
            stamp = Timestamp(
                microseconds: zones.local(ofUTC: zoned.microseconds, zone: zoned.zone),
                picoseconds: zoned.picoseconds)
        case .time, .timeWithTimeZone:
            guard let picoseconds = timeOfDay(input, index) else { return nil }
            let today = Microseconds.day(of: frame.context.session.startMicroseconds)
            stamp = Timestamp(
                microseconds: (Microseconds.timestamp(day: today) ?? 0) + picoseconds / 1_000_000,
                picoseconds: Int32(picoseconds % 1_000_000))
        case .varchar, .char:
            let view = input.pointer(as: StringView.self)[index]
            guard let parsed = view.withBytes({ CivilParse.timestamp($0) }) else {
                failTime(input, index, output, target, frame)
                return nil
            }
            stamp = Timestamp(microseconds: parsed.microseconds, picoseconds: parsed.picoseconds)
        default:
            reject(frame, output, target)
            return nil
        }
        guard
            let rounded = TimestampPrecision.round(
                stamp.microseconds, picoseconds: stamp.picoseconds, to: precision)
        else {
            outOfRange(frame, output, target, "timestamp")
            return nil
        }
        stamp.microseconds = rounded.microseconds
        stamp.picoseconds = rounded.picoseconds
        return stamp
    }

    private func toZoned(
        _ input: Vector, _ index: Int, _ precision: Int, _ output: ColumnBuffer, _ target: Int,
        _ frame: Frame
    ) {
        var zone = zones.sessionZone
        var utc: Int64
        var picoseconds: Int32 = 0
        if case .timestampWithTimeZone = source {
            let zoned = ZonedTimestamp(wideValue(input, index))
            (utc, picoseconds, zone) = (zoned.microseconds, zoned.picoseconds, zoned.zone)
        } else if source.physical == .string {
            let view = input.pointer(as: StringView.self)[index]
            guard let parsed = view.withBytes({ CivilParse.timestamp($0) }) else {
                return failTime(input, index, output, target, frame)
            }
            zone = parsed.zone ?? zone
            guard zone.isOffered else { return failTime(input, index, output, target, frame) }
            utc = zones.utc(ofLocal: parsed.microseconds, zone: zone)
            picoseconds = parsed.picoseconds
            // A time that daylight saving skips was never on a clock.
            guard zones.local(ofUTC: utc, zone: zone) == parsed.microseconds else {
                return failTime(input, index, output, target, frame)
            }
        } else {
            guard let local = timestamp(input, index, 12, frame, output, target) else { return }
            utc = zones.utc(ofLocal: local.microseconds, zone: zone)
            picoseconds = local.picoseconds
        }
        guard let rounded = TimestampPrecision.round(utc, picoseconds: picoseconds, to: precision)
        else {
            return outOfRange(frame, output, target, "timestamp")
        }
        let result = ZonedTimestamp(
            microseconds: rounded.microseconds, picoseconds: rounded.picoseconds, zone: zone)
        output.store(result.packed, target)
    }

    /// Local picoseconds of the day; nil for text that is no time, and types that have none.
    private func timeOfDay(_ input: Vector, _ index: Int) -> Int64? {
        switch source {
        case .time: return input.pointer(as: Int64.self)[index]
        case .timeWithTimeZone: return TimeWithZone(wideValue(input, index)).localPicoseconds
        case .timestamp:
            let stamp = Timestamp(input, index, source)
            return Microseconds.timeOfDay(of: stamp.microseconds) * 1_000_000
                + Int64(stamp.picoseconds)
        case .timestampWithTimeZone:
            let zoned = ZonedTimestamp(wideValue(input, index))
            let local = zones.local(ofUTC: zoned.microseconds, zone: zoned.zone)
            return Microseconds.timeOfDay(of: local) * 1_000_000 + Int64(zoned.picoseconds)
        case .varchar, .char:
            let view = input.pointer(as: StringView.self)[index]
            return view.withBytes { CivilParse.time($0) }.map {
                $0.microsecondOfDay * 1_000_000 + Int64($0.picoseconds)
            }
        default: return nil
        }
    }

    private func toTimeWithZone(
        _ input: Vector, _ index: Int, _ precision: Int, _ output: ColumnBuffer, _ target: Int,
        _ frame: Frame
    ) {
        var offset = zones.offsetMinutes(atUTC: frame.context.session.startMicroseconds)
        switch source {
        case .timeWithTimeZone: offset = TimeWithZone(wideValue(input, index)).offsetMinutes
        case .timestampWithTimeZone:
            let zoned = ZonedTimestamp(wideValue(input, index))
            offset =
                zones.rules(zoned.zone).offset(
                    atUTCSecond: floorDivide(zoned.microseconds, 1_000_000)) / 60
        case .varchar, .char:
            let view = input.pointer(as: StringView.self)[index]
            guard let parsed = view.withBytes({ CivilParse.time($0) }) else {
                return failTime(input, index, output, target, frame)
            }
            offset = parsed.offsetMinutes ?? offset
            guard offset.magnitude <= 14 * 60 else {
                return failTime(input, index, output, target, frame)
            }
        default: break
        }
        guard let local = timeOfDay(input, index) else { return reject(frame, output, target) }
        let utc = floorRemainder(
            roundTime(local, precision) - Int64(offset) * 60_000_000_000_000, picosecondsPerDay)
        output.store(TimeWithZone(utcPicoseconds: utc, offsetMinutes: offset).packed, target)
    }

    /// Rounds half up to `precision` digits; a time that reaches midnight wraps.
    private func roundTime(_ picoseconds: Int64, _ precision: Int) -> Int64 {
        guard precision < 12 else { return picoseconds }
        let unit = Int64(powerOfTen(12 - precision))
        return (picoseconds + unit / 2) / unit * unit % picosecondsPerDay
    }
}
