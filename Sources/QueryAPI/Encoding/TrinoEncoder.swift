import Bytes
package import CivilTime
import JSON
package import SQLEngine
import SQLFunctions
package import Vectors

/// Writes result rows as Trino's JSON: `[1,"a"],[2,"b"]`, rows separated by commas, without the outer
/// brackets. Source: `reference/trino-protocol.md`, section 5.
package struct TrinoEncoder: ResultEncoder {
    let types: ClientTypes
    let zones: TimeZones
    package let pageBytes = 1 << 20

    /// `isParametric`: whether the reader knows precisions of times.
    package init(isParametric: Bool = true, zones: TimeZones) {
        self.init(types: ClientTypes(isParametric: isParametric), zones: zones)
    }

    init(types: ClientTypes, zones: TimeZones) {
        self.types = types
        self.zones = zones
    }

    package func encode(_ chunk: Chunk, _ columns: [QueryColumn], into bytes: inout [UInt8]) {
        let active = chunk.activeCount
        for index in 0..<active {
            let row = chunk.row(index)
            if !bytes.isEmpty { bytes.append(0x2C) }
            bytes.append(0x5B)
            for column in columns.indices {
                if column > 0 { bytes.append(0x2C) }
                append(chunk.columns[column], columns[column].type, row, to: &bytes)
            }
            bytes.append(0x5D)
        }
    }

    /// Appends one value as JSON.
    func append(_ vector: Vector, _ type: LogicalType, _ row: Int, to bytes: inout [UInt8]) {
        guard vector.isValid(row) else {
            bytes += [0x6E, 0x75, 0x6C, 0x6C]
            return
        }
        let place = vector.valueIndex(row)
        switch type {
        case .unknown: bytes += [0x6E, 0x75, 0x6C, 0x6C]
        case .boolean:
            appendText(vector.pointer(as: UInt8.self)[place] != 0 ? "true" : "false", to: &bytes)
        case .tinyint, .smallint, .integer:
            appendDecimalDigits(of: Int64(vector.pointer(as: Int32.self)[place]), to: &bytes)
        case .bigint: appendDecimalDigits(of: vector.pointer(as: Int64.self)[place], to: &bytes)
        case .real, .double:
            appendDouble(vector.pointer(as: Double.self)[place], isReal: type == .real, to: &bytes)
        case .array(let element):
            bytes.append(0x5B)
            let entry = vector.pointer(as: ListEntry.self)[place]
            if let child = vector.children?[0] {
                for index in 0..<Int(entry.count) {
                    if index > 0 { bytes.append(0x2C) }
                    append(child, element, Int(entry.offset) + index, to: &bytes)
                }
            }
            bytes.append(0x5D)
        case .map(let key, let value): appendMap(vector, key, value, place, to: &bytes)
        case .row(let fields):
            bytes.append(0x5B)
            for (index, field) in fields.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                if let children = vector.children {
                    append(children[index], field.type, place, to: &bytes)
                }
            }
            bytes.append(0x5D)
        case .varchar, .json:
            appendJSONString(
                utf8: StringView.bytes(at: vector.pointer(as: StringView.self) + place), to: &bytes)
        default:
            bytes.append(0x22)
            appendPlain(vector, type, place, to: &bytes)
            bytes.append(0x22)
        }
    }

    /// Appends the text of a value whose JSON form is a string without anything to escape, or of a map key.
    private func appendPlain(
        _ vector: Vector, _ type: LogicalType, _ place: Int, to bytes: inout [UInt8]
    ) {
        switch type {
        case .decimal(let precision, let scale):
            let unscaled =
                precision <= 18
                ? Int128(vector.pointer(as: Int64.self)[place])
                : vector.pointer(as: Int128.self)[place]
            appendDecimal(unscaled, scale: scale, to: &bytes)
        case .date: appendText(CivilFormat.date(vector.pointer(as: Int32.self)[place]), to: &bytes)
        case .time(let precision):
            let picoseconds = vector.pointer(as: Int64.self)[place]
            appendText(time(picoseconds, precision), to: &bytes)
        case .timeWithTimeZone(let precision):
            let packed = vector.pointer(as: Int128.self)[place]
            let offset = Int(packed & 0xFFFF) - 1024
            let day: Int64 = 86_400_000_000_000_000
            let local =
                (Int64(truncatingIfNeeded: packed >> 64) + Int64(offset) * 60_000_000_000_000) % day
            appendText(time(local < 0 ? local + day : local, precision), to: &bytes)
            appendText(offsetText(offset), to: &bytes)
        case .timestamp(let precision):
            if precision <= 6 {
                appendTimestamp(vector.pointer(as: Int64.self)[place], 0, precision, to: &bytes)
            } else {
                let packed = vector.pointer(as: Int128.self)[place]
                appendTimestamp(
                    Int64(truncatingIfNeeded: packed >> 64), Int32(truncatingIfNeeded: packed),
                    precision,
                    to: &bytes)
            }
        case .timestampWithTimeZone(let precision):
            appendZoned(vector.pointer(as: Int128.self)[place], precision, to: &bytes)
        case .intervalYearToMonth:
            let months = vector.pointer(as: Int32.self)[place]
            appendText(
                "\(months < 0 ? "-" : "")\(months.magnitude / 12)-\(months.magnitude % 12)",
                to: &bytes)
        case .intervalDayToSecond:
            appendInterval(vector.pointer(as: Int64.self)[place], to: &bytes)
        case .uuid:
            let ordered = UInt128(bitPattern: vector.pointer(as: Int128.self)[place]) ^ (1 << 127)
            var text = hexText(withUnsafeBytes(of: ordered.bigEndian) { Array($0) })
            for place in [20, 16, 12, 8] {
                text.insert("-", at: text.index(text.startIndex, offsetBy: place))
            }
            appendText(text, to: &bytes)
        case .varbinary:
            let view = StringView.bytes(at: vector.pointer(as: StringView.self) + place)
            appendText(base64Text(Array(view)), to: &bytes)
        case .char(let length):
            appendChar(
                StringView.bytes(at: vector.pointer(as: StringView.self) + place), length,
                to: &bytes)
        case .ipaddress:
            let view = StringView.bytes(at: vector.pointer(as: StringView.self) + place)
            appendText(addressText(Array(view)), to: &bytes)
        case .opaque(let type):
            let view = StringView.bytes(at: vector.pointer(as: StringView.self) + place)
            appendText(opaqueText(type, view), to: &bytes)
        default: break
        }
    }

    /// A map as a JSON object; keys are always texts.
    private func appendMap(
        _ vector: Vector, _ key: LogicalType, _ value: LogicalType, _ place: Int,
        to bytes: inout [UInt8]
    ) {
        bytes.append(0x7B)
        let entry = vector.pointer(as: ListEntry.self)[place]
        if let children = vector.children {
            for index in 0..<Int(entry.count) {
                if index > 0 { bytes.append(0x2C) }
                let row = Int(entry.offset) + index
                var text: [UInt8] = []
                append(children[0], key, row, to: &text)
                if text.first == 0x22 {
                    bytes += text
                } else {
                    appendJSONString(String(decoding: text, as: UTF8.self), to: &bytes)
                }
                bytes.append(0x3A)
                append(children[1], value, row, to: &bytes)
            }
        }
        bytes.append(0x7D)
    }

    // MARK: Texts

    private func appendText(_ text: String, to bytes: inout [UInt8]) { bytes += text.utf8 }

    private func appendDouble(_ value: Double, isReal: Bool, to bytes: inout [UInt8]) {
        if value.isFinite {
            appendText(javaDigits(value, isReal: isReal), to: &bytes)
        } else {
            appendText(
                value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"", to: &bytes)
        }
    }

    private func appendDecimal(_ unscaled: Int128, scale: Int, to bytes: inout [UInt8]) {
        if unscaled < 0 { bytes.append(0x2D) }
        var digits = String(unscaled.magnitude)
        if scale > 0 {
            if digits.utf8.count <= scale {
                digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
            }
            digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
        }
        appendText(digits, to: &bytes)
    }

    /// Precision as the client sees it: at most milliseconds when it does not know precisions.
    private func shown(_ precision: Int) -> Int { types.isParametric ? precision : 3 }

    private func time(_ picoseconds: Int64, _ precision: Int) -> String {
        let digits = shown(precision)
        let (micro, rest) = (picoseconds / 1_000_000, Int32(picoseconds % 1_000_000))
        guard digits < precision else {
            return CivilFormat.time(micro, picoseconds: rest, precision: digits)
        }
        let rounded =
            TimestampPrecision.round(micro, picoseconds: rest, to: digits)?.microseconds ?? micro
        return CivilFormat.time(rounded % 86_400_000_000, precision: digits)
    }

    private func appendTimestamp(
        _ micro: Int64, _ picoseconds: Int32, _ precision: Int, to bytes: inout [UInt8]
    ) {
        let digits = shown(precision)
        if digits < precision {
            let rounded = TimestampPrecision.round(micro, picoseconds: picoseconds, to: digits)
            appendText(
                CivilFormat.timestamp(
                    rounded?.microseconds ?? micro, picoseconds: rounded?.picoseconds ?? 0,
                    precision: digits), to: &bytes)
        } else {
            appendText(
                CivilFormat.timestamp(micro, picoseconds: picoseconds, precision: digits),
                to: &bytes)
        }
    }

    private func appendZoned(_ packed: Int128, _ precision: Int, to bytes: inout [UInt8]) {
        let utc = Int64(truncatingIfNeeded: packed >> 64)
        let picoseconds = Int32(truncatingIfNeeded: (packed >> 16) & 0xFFFF_FFFF)
        let key = TimeZoneKey(rawValue: UInt16(truncatingIfNeeded: packed)) ?? TimeZoneKey.utc
        let local = (try? zones.rules(for: key).localMicroseconds(ofUTC: utc)) ?? utc
        appendTimestamp(local, picoseconds, precision, to: &bytes)
        appendText(" " + key.name, to: &bytes)
    }

    private func offsetText(_ minutes: Int) -> String {
        let (hours, rest) = (minutes.magnitude / 60, minutes.magnitude % 60)
        return (minutes < 0 ? "-" : "+") + (hours < 10 ? "0" : "") + "\(hours):"
            + (rest < 10 ? "0" : "")
            + "\(rest)"
    }

    private func appendInterval(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let magnitude = milliseconds.magnitude
        let (seconds, fraction) = (magnitude / 1000 % 86_400, magnitude % 1000)
        func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let text =
            "\(milliseconds < 0 ? "-" : "")\(magnitude / 86_400_000) \(two(seconds / 3600)):"
            + "\(two(seconds / 60 % 60)):\(two(seconds % 60))."
            + (fraction < 10 ? "00" : fraction < 100 ? "0" : "") + "\(fraction)"
        appendText(text, to: &bytes)
    }

    /// A char(n), padded with blanks to its length in code points, escaped as JSON.
    private func appendChar(
        _ text: UnsafeBufferPointer<UInt8>, _ length: Int, to bytes: inout [UInt8]
    ) {
        var quoted: [UInt8] = []
        appendJSONString(utf8: text, to: &quoted)
        bytes += quoted.dropFirst().dropLast()
        let points = text.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        if points < length { bytes += [UInt8](repeating: 0x20, count: length - points) }
    }

    /// An IPv4 address mapped into IPv6 is shown as IPv4, others in groups with the longest run of
    /// zeros left out. Source: RFC 5952.
    private func addressText(_ bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return hexText(bytes) }
        if bytes[0..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return bytes[12...].map(String.init).joined(separator: ".")
        }
        let groups = stride(from: 0, to: 16, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
        var (best, bestCount) = (0, 0)
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index > bestCount { (best, bestCount) = (index, end - index) }
            index = max(end, index + 1)
        }
        let text = groups.map { String($0, radix: 16) }
        guard bestCount > 1 else { return text.joined(separator: ":") }
        return text[..<best].joined(separator: ":") + "::"
            + text[(best + bestCount)...].joined(separator: ":")
    }
}
