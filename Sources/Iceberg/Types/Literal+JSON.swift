import Bytes
import CivilTime
package import JSON

/// Values as JSON holds them. Source: Iceberg specification, appendix D, "JSON single-value
/// serialization", and the REST specification's `PrimitiveTypeValue`.
extension Literal {
    /// Reads a value of a type; nil for JSON that is none, also for a number that does not fit.
    package init?(json: JSONValue, type: PrimitiveType) {
        switch (type, json) {
        case (.boolean, .bool(let flag)): self = .boolean(flag)
        case (.int, .number(let number)):
            guard let value = number.int64, let narrow = Int32(exactly: value) else { return nil }
            self = .int(narrow)
        case (.long, .number(let number)):
            guard let value = number.int64 else { return nil }
            self = .long(value)
        case (.float, .number(let number)):
            guard let value = number.double else { return nil }
            self = .float(Float(value))
        case (.double, .number(let number)):
            guard let value = number.double else { return nil }
            self = .double(value)
        case (.decimal(_, let scale), .number(let number)):
            guard let value = Self.decimal(number, scale: scale) else { return nil }
            self = value
        // Clients that keep dates and times as numbers send their distance from 1970.
        case (.date, .number(let number)):
            guard let value = number.int64, let days = Int32(exactly: value) else { return nil }
            self = .date(days)
        case (.time, .number(let number)), (.timestamp, .number(let number)),
            (.timestamptz, .number(let number)), (.timestampNanos, .number(let number)),
            (.timestamptzNanos, .number(let number)):
            guard let value = number.int64 else { return nil }
            self = Self.instant(value, type)
        case (_, .string(let text)):
            guard let value = Literal(text: text, type: type) else { return nil }
            self = value
        default: return nil
        }
    }

    private init?(text: String, type: PrimitiveType) {
        switch type {
        case .string: self = .string(text)
        case .decimal(_, let scale):
            guard let number = Self.number(text),
                let value = Self.decimal(number, scale: scale)
            else { return nil }
            self = value
        case .date:
            guard let days = CivilParse.date(text) else { return nil }
            self = .date(days)
        case .time:
            guard let time = CivilParse.time(text), time.offsetMinutes == nil,
                time.picoseconds == 0
            else { return nil }
            self = .time(time.microsecondOfDay)
        case .timestamp, .timestampNanos:
            guard let parsed = CivilParse.timestamp(text), parsed.zone == nil else { return nil }
            self.init(parsed.microseconds, parsed.picoseconds, type)
        case .timestamptz, .timestamptzNanos:
            guard let parsed = CivilParse.timestamp(text),
                let offset = parsed.zone?.fixedOffsetMinutes
            else { return nil }
            let (utc, overflow) = parsed.microseconds.subtractingReportingOverflow(
                Int64(offset) * Microseconds.perMinute)
            if overflow { return nil }
            self.init(utc, parsed.picoseconds, type)
        case .uuid:
            guard text.utf8.count == 36,
                let bytes = hexBytes(text.filter { $0 != "-" }), bytes.count == 16
            else { return nil }
            self = .uuid(bytes)
        case .fixed(let size):
            guard let bytes = hexBytes(text), bytes.count == size else { return nil }
            self = .fixed(bytes)
        case .binary:
            guard let bytes = hexBytes(text) else { return nil }
            self = .binary(bytes)
        default: return nil
        }
    }

    /// Microseconds and what is below them as a timestamp of a type; nil where the type is coarser.
    private init?(_ microseconds: Int64, _ picoseconds: Int32, _ type: PrimitiveType) {
        guard type == .timestampNanos || type == .timestamptzNanos else {
            guard picoseconds == 0 else { return nil }
            self = Self.instant(microseconds, type)
            return
        }
        let (scaled, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        let (nanos, more) = scaled.addingReportingOverflow(Int64(picoseconds / 1000))
        guard !overflow, !more, picoseconds % 1000 == 0 else { return nil }
        self = Self.instant(nanos, type)
    }

    private static func instant(_ value: Int64, _ type: PrimitiveType) -> Literal {
        switch type {
        case .time: .time(value)
        case .timestamptz: .timestamptz(value)
        case .timestampNanos: .timestampNanos(value)
        case .timestamptzNanos: .timestamptzNanos(value)
        default: .timestamp(value)
        }
    }

    private static func number(_ text: String) -> JSONNumber? {
        guard let value = try? JSONValue(parsing: text), case .number(let number) = value else {
            return nil
        }
        return number
    }

    /// The number at a scale; nil where digits would be lost.
    private static func decimal(_ number: JSONNumber, scale: Int) -> Literal? {
        guard let (isNegative, digits, exponent) = number.decimalParts else { return nil }
        var unscaled: Int128 = 0
        for digit in digits.utf8 {
            let (scaled, overflow) = unscaled.multipliedReportingOverflow(by: 10)
            let (sum, more) = scaled.addingReportingOverflow(Int128(digit) - 48)
            if overflow || more { return nil }
            unscaled = sum
        }
        var shift = exponent + scale
        guard abs(shift) <= 4096 else {
            return unscaled == 0 ? .decimal(unscaled: 0, scale: scale) : nil
        }
        while shift > 0 {
            let (scaled, overflow) = unscaled.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            unscaled = scaled
            shift -= 1
        }
        while shift < 0 {
            guard unscaled % 10 == 0 else { return nil }
            unscaled /= 10
            shift += 1
        }
        return .decimal(unscaled: isNegative ? -unscaled : unscaled, scale: scale)
    }

    /// The value as JSON.
    package var json: JSONValue {
        switch self {
        case .boolean(let value): .bool(value)
        case .int(let value): .int(Int64(value))
        case .long(let value): .int(value)
        case .float(let value):
            value.isFinite ? .number(JSONNumber(text: "\(value)")) : .string(Self.name(value))
        case .double(let value): value.isFinite ? .double(value) : .string(Self.name(value))
        case .date(let days): .string(CivilFormat.date(days))
        case .time(let value): .string(CivilFormat.time(value, precision: 6))
        case .timestamp(let value): .string(Self.text(value, 0, 6))
        case .timestamptz(let value): .string(Self.text(value, 0, 6) + "+00:00")
        case .timestampNanos(let value): .string(Self.text(nanos: value))
        case .timestamptzNanos(let value): .string(Self.text(nanos: value) + "+00:00")
        case .string(let text): .string(text)
        case .uuid(let bytes): .string(Self.uuidText(bytes))
        case .fixed(let bytes), .binary(let bytes): .string(hexText(bytes).uppercased())
        case .decimal(let unscaled, let scale): .string(Self.text(unscaled, scale))
        }
    }

    private static func name<Number: BinaryFloatingPoint>(_ value: Number) -> String {
        value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }

    private static func text(_ microseconds: Int64, _ picoseconds: Int32, _ precision: Int)
        -> String
    {
        let text = CivilFormat.timestamp(
            microseconds, picoseconds: picoseconds, precision: precision)
        return String(text.map { $0 == " " ? "T" : $0 })
    }

    private static func text(nanos: Int64) -> String {
        let microseconds = floorDivide(nanos, 1000)
        return text(microseconds, Int32(nanos - microseconds * 1000) * 1000, 9)
    }

    private static func text(_ unscaled: Int128, _ scale: Int) -> String {
        let sign = unscaled < 0 ? "-" : ""
        let digits = String(unscaled.magnitude)
        guard scale > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
    }

    private static func uuidText(_ bytes: [UInt8]) -> String {
        let digits = Array(hexText(bytes))
        guard digits.count == 32 else { return hexText(bytes) }
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }
}
