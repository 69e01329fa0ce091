import CivilTime
import Vectors

/// A date or time as `%t` of Java's formatter takes it apart. Source: java.util.Formatter, DateTime.
struct JavaTime {
    /// The letters that may stand after `%t`.
    static let fields = "HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc"

    private let type: LogicalType
    private let moment: Moment
    private let offsetMinutes: Int
    private let utcMicroseconds: Int64

    /// Nil for a type that has no date or time.
    init?(_ call: KernelCall, _ index: Int, _ row: Int) {
        type = call.argumentTypes[index]
        let vector = call.arguments[index]
        let place = vector.valueIndex(row)
        var offset = 0
        var utc: Int64 = 0
        switch type {
        case .date:
            guard
                let start = Microseconds.timestamp(day: vector.pointer(as: Int32.self)[place])
            else { return nil }
            moment = Moment(microseconds: start)
        case .time: moment = timeMoment(vector.pointer(as: Int64.self)[place])
        case .timestamp where type.physical == .int64:
            moment = Moment(microseconds: vector.pointer(as: Int64.self)[place])
        case .timestamp: moment = Packed.timestamp(ValueOrder.wide(vector, place))
        case .timestampWithTimeZone:
            var zones = ZoneReader(call)
            let zoned = Packed.zoned(ValueOrder.wide(vector, place))
            moment = zones.local(zoned)
            offset = zones.offsetMinutes(zoned)
            utc = zoned.microseconds
        default: return nil
        }
        offsetMinutes = offset
        utcMicroseconds = utc
    }

    private var hasDate: Bool { if case .time = type { false } else { true } }
    private var hasTime: Bool { type != .date }
    private var hasZone: Bool { type.isZonedTimestamp }

    /// The field's text; nil where the value does not have the field.
    func text(_ field: Character) -> String? {
        switch field {
        case "H", "I", "k", "l", "M", "S", "L", "N", "p", "R", "T", "r":
            return hasTime ? clock(field) : nil
        case "z", "Z", "s", "Q": return hasZone ? zoned(field) : nil
        case "c":
            guard let zone = text("Z"), let year = text("Y") else { return nil }
            return [text("a"), text("b"), text("d"), text("T")].compactMap { $0 }
                .joined(separator: " ") + " " + zone + " " + year
        default: return hasDate ? day(field) : nil
        }
    }

    private func day(_ field: Character) -> String {
        let date = CivilDate(days: moment.day)
        let weekday = CivilFormat.weekdayNames[Calendar.dayOfWeek(moment.day) - 1]
        let month = CivilFormat.monthNames[date.month - 1]
        // The year of its era.
        let year = date.year > 0 ? date.year : 1 - date.year
        switch field {
        case "B": return month
        case "b", "h": return String(month.prefix(3))
        case "A": return weekday
        case "a": return String(weekday.prefix(3))
        case "C": return zeroPadded(year / 100, 2)
        case "Y": return zeroPadded(year, 4)
        case "y": return zeroPadded(year % 100, 2)
        case "j": return zeroPadded(Calendar.dayOfYear(moment.day), 3)
        case "m": return zeroPadded(date.month, 2)
        case "d": return zeroPadded(date.day, 2)
        case "e": return String(date.day)
        case "D": return [day("m"), day("d"), day("y")].joined(separator: "/")
        default: return [day("Y"), day("m"), day("d")].joined(separator: "-")
        }
    }

    private func clock(_ field: Character) -> String {
        let time = moment.timeOfDay
        let hour = Int(time / Microseconds.perHour)
        let half = (hour + 11) % 12 + 1
        let micros = Int(time % Microseconds.perSecond)
        switch field {
        case "H": return zeroPadded(hour, 2)
        case "k": return String(hour)
        case "I": return zeroPadded(half, 2)
        case "l": return String(half)
        case "M": return zeroPadded(Int(time / Microseconds.perMinute % 60), 2)
        case "S": return zeroPadded(Int(time / Microseconds.perSecond % 60), 2)
        case "L": return zeroPadded(micros / 1_000, 3)
        case "N": return zeroPadded(micros * 1_000 + Int(moment.picoseconds) / 1_000, 9)
        case "p": return hour < 12 ? "am" : "pm"
        case "R": return [clock("H"), clock("M")].joined(separator: ":")
        case "r":
            return [clock("I"), clock("M"), clock("S")].joined(separator: ":") + " "
                + clock("p").uppercased()
        default: return [clock("H"), clock("M"), clock("S")].joined(separator: ":")
        }
    }

    private func zoned(_ field: Character) -> String {
        switch field {
        case "z":
            let size = Int(offsetMinutes.magnitude)
            return (offsetMinutes < 0 ? "-" : "+") + zeroPadded(size / 60 * 100 + size % 60, 4)
        case "Z": return moment.zone.name
        case "s": return String(floorDivide(utcMicroseconds, 1_000_000))
        default: return String(floorDivide(utcMicroseconds, 1_000))
        }
    }
}

/// `%a`: the number as Java's `Double.toHexString` writes it, with so many digits if given.
func javaHexadecimal(_ value: Double, digits: Int?) -> String {
    if value == 0 { return "0x0." + String(repeating: "0", count: max(digits ?? 1, 1)) + "p0" }
    let bits = value.bitPattern
    var lead: UInt64 = (bits >> 52) & 0x7FF == 0 ? 0 : 1
    var exponent = lead == 0 ? -1022 : Int((bits >> 52) & 0x7FF) - 1023
    var fraction = bits & 0xF_FFFF_FFFF_FFFF
    var wanted = 13
    if let digits {
        wanted = max(digits, 1)
        if lead == 0 {
            // With digits given, numbers below the normal ones are written as those are.
            let shift = fraction.leadingZeroBitCount - 11
            fraction = (fraction << UInt64(shift)) & 0xF_FFFF_FFFF_FFFF
            exponent -= shift
            lead = 1
        }
        if wanted < 13 {
            let dropped = UInt64(52 - wanted * 4)
            let half: UInt64 = 1 << (dropped - 1)
            let rest = fraction & ((1 << dropped) - 1)
            fraction >>= dropped
            if rest > half || rest == half && fraction & 1 == 1 { fraction += 1 }
            if fraction >> UInt64(wanted * 4) != 0 {
                fraction = 0
                exponent += 1
            }
            let text = String(fraction, radix: 16)
            let zeros = String(repeating: "0", count: wanted - text.utf8.count)
            return "0x\(lead).\(zeros)\(text)p\(exponent)"
        }
    }
    var text = String(fraction, radix: 16)
    text = String(repeating: "0", count: 13 - text.utf8.count) + text
    if digits == nil {
        while text.utf8.count > 1, text.hasSuffix("0") { text.removeLast() }
    } else {
        text += String(repeating: "0", count: wanted - 13)
    }
    return "0x\(lead).\(text)p\(exponent)"
}

/// `%h`: the `hashCode` of the value that Java would have.
enum JavaHash {
    /// Nil for types whose class in Java has no hash that follows from the value alone.
    static func of(
        _ type: LogicalType, _ vector: Vector, _ row: Int, _ texts: inout ValueText
    ) -> Int32? {
        let place = vector.valueIndex(row)
        switch type {
        case .boolean: return vector.pointer(as: UInt8.self)[place] != 0 ? 1231 : 1237
        case .tinyint, .smallint, .integer, .bigint:
            return long(Int64(texts.text(type, vector, row) ?? "") ?? 0)
        case .double:
            let value = vector.pointer(as: Double.self)[place]
            return long(
                value.isNaN ? 0x7FF8_0000_0000_0000 : Int64(bitPattern: value.bitPattern))
        case .real:
            let value = Float(vector.pointer(as: Double.self)[place])
            return value.isNaN ? 0x7FC0_0000 : Int32(bitPattern: value.bitPattern)
        case .date: return date(vector.pointer(as: Int32.self)[place])
        case .time: return long(vector.pointer(as: Int64.self)[place] / 1_000)
        case .timestamp:
            let moment =
                type.physical == .int64
                ? Moment(microseconds: vector.pointer(as: Int64.self)[place])
                : Packed.timestamp(ValueOrder.wide(vector, place))
            return date(moment.day)
                ^ long(moment.timeOfDay * 1_000 + Int64(moment.picoseconds) / 1_000)
        case .timestampWithTimeZone, .timeWithTimeZone, .decimal: return nil
        default:
            var hash: Int32 = 0
            for unit in (texts.text(type, vector, row) ?? "").utf16 {
                hash = hash &* 31 &+ Int32(unit)
            }
            return hash
        }
    }

    private static func long(_ value: Int64) -> Int32 {
        let bits = UInt64(bitPattern: value)
        return Int32(truncatingIfNeeded: bits ^ bits >> 32)
    }

    /// Source: java.time.LocalDate, `hashCode`.
    private static func date(_ days: Int32) -> Int32 {
        let date = CivilDate(days: days)
        let year = Int32(truncatingIfNeeded: date.year)
        let low = (year &<< 11) &+ Int32(date.month &<< 6) &+ Int32(date.day)
        return (year & Int32(bitPattern: 0xFFFF_F800)) ^ low
    }
}
