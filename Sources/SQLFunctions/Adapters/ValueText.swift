import CivilTime
import JSON
import Vectors

/// Values as CAST to varchar writes them, for functions that make text of any type.
struct ValueText {
    private var zones: ZoneReader

    init(_ call: KernelCall) { zones = ZoneReader(call) }

    /// The text of a value that is not NULL; nil for nested types.
    mutating func text(_ type: LogicalType, _ vector: Vector, _ row: Int) -> String? {
        let index = vector.valueIndex(row)
        switch type {
        case .unknown, .boolean:
            return vector.pointer(as: UInt8.self)[index] != 0 ? "true" : "false"
        case .tinyint, .smallint, .integer: return String(vector.pointer(as: Int32.self)[index])
        case .bigint: return String(vector.pointer(as: Int64.self)[index])
        case .double: return javaText(vector.pointer(as: Double.self)[index])
        case .real:
            let value = vector.pointer(as: Double.self)[index]
            return javaText(value, shortest: javaDigits(value, isReal: true))
        case .decimal(_, let scale):
            return decimalText(ValueOrder.wide(vector, index), scale: scale)
        case .varchar, .char, .json, .varbinary, .ipaddress:
            return vector.pointer(as: StringView.self)[index].string
        case .date: return CivilFormat.date(vector.pointer(as: Int32.self)[index])
        case .time(let precision):
            let moment = timeMoment(vector.pointer(as: Int64.self)[index])
            return CivilFormat.time(
                moment.microseconds, picoseconds: moment.picoseconds, precision: precision)
        case .timestamp(let precision):
            let moment =
                type.physical == .int64
                ? Moment(microseconds: vector.pointer(as: Int64.self)[index])
                : Packed.timestamp(ValueOrder.wide(vector, index))
            return CivilFormat.timestamp(
                moment.microseconds, picoseconds: moment.picoseconds, precision: precision)
        case .timestampWithTimeZone(let precision):
            let moment = zones.local(Packed.zoned(ValueOrder.wide(vector, index)))
            return CivilFormat.timestamp(
                moment.microseconds, picoseconds: moment.picoseconds, precision: precision)
                + " " + moment.zone.name
        case .timeWithTimeZone(let precision):
            let (utc, offset) = Packed.zonedTime(ValueOrder.wide(vector, index))
            let moment = timeMoment(
                floorRemainder(
                    utc + Int64(offset) * 60_000_000_000_000, Packed.picosecondsPerDay))
            return CivilFormat.time(
                moment.microseconds, picoseconds: moment.picoseconds, precision: precision)
                + (offset < 0 ? "-" : "+") + zeroPadded(Int(offset.magnitude) / 60, 2) + ":"
                + zeroPadded(Int(offset.magnitude) % 60, 2)
        case .intervalDayToSecond:
            return CivilInterval.milliseconds(vector.pointer(as: Int64.self)[index]).text
        case .intervalYearToMonth:
            return CivilInterval.months(Int64(vector.pointer(as: Int32.self)[index])).text
        case .uuid:
            let value = ValueOrder.wide(vector, index)
            let high = String(UInt64(truncatingIfNeeded: value >> 64) ^ 1 << 63, radix: 16)
            let low = String(UInt64(truncatingIfNeeded: value), radix: 16)
            let digits =
                String(repeating: "0", count: 16 - high.utf8.count) + high
                + String(repeating: "0", count: 16 - low.utf8.count) + low
            var text = ""
            for (position, digit) in digits.enumerated() {
                if [8, 12, 16, 20].contains(position) { text += "-" }
                text.append(digit)
            }
            return text
        case .array, .map, .row, .opaque: return nil
        }
    }
}

/// A decimal with `scale` digits behind the point.
func decimalText(_ value: Int128, scale: Int) -> String {
    var digits = String(value.magnitude)
    if digits.utf8.count <= scale {
        digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
    }
    let sign = value < 0 ? "-" : ""
    return scale == 0 ? sign + digits : sign + digits.dropLast(scale) + "." + digits.suffix(scale)
}

/// A double as Java writes it: `0.1`, `1.0E10`, `Infinity`; `shortest` gives the digits.
func javaText(_ value: Double, shortest: String? = nil) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
    let number = JSONNumber(text: shortest ?? javaDigits(value, isReal: false))
    guard let (isNegative, raw, exponent) = number.decimalParts else { return value.description }
    let digits = String(raw.drop { $0 == "0" })
    let sign = isNegative ? "-" : ""
    // Digits before the point.
    let point = digits.utf8.count + exponent
    if value.magnitude >= 1e-3 && value.magnitude < 1e7 {
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if exponent >= 0 { return sign + digits + String(repeating: "0", count: exponent) + ".0" }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }
    let fraction = digits.utf8.count > 1 ? String(digits.dropFirst()) : "0"
    return sign + digits.prefix(1) + "." + fraction + "E\(point - 1)"
}
