import CivilTime
import SQLFunctions
import Vectors

/// Appends a value as JSON text, as `CAST(x AS json)` gives it; false for types that have no such form.
func appendJSON(_ type: LogicalType, _ vector: Vector, _ row: Int, to text: inout [UInt8]) -> Bool {
    guard vector.isValid(row) else {
        text.append(contentsOf: "null".utf8)
        return true
    }
    let index = vector.valueIndex(row)
    switch type {
    case .unknown: text.append(contentsOf: "null".utf8)
    case .boolean, .tinyint, .smallint, .integer, .bigint, .decimal:
        text += scalarText(type, vector, index, ZoneAccess.none)
    case .real, .double:
        let number = vector.pointer(as: Double.self)[index]
        let isPlain = number.isFinite
        if !isPlain { text.append(UInt8(ascii: "\"")) }
        text += scalarText(type, vector, index, ZoneAccess.none)
        if !isPlain { text.append(UInt8(ascii: "\"")) }
    case .json: vector.pointer(as: StringView.self)[index].withBytes { text.append(contentsOf: $0) }
    case .varchar, .char, .date, .timestamp, .timestampWithTimeZone, .time, .timeWithTimeZone,
        .uuid,
        .ipaddress:
        appendQuoted(scalarText(type, vector, index, ZoneAccess.none), to: &text)
    case .array(let element):
        guard let children = vector.children else { return false }
        let entry = vector.pointer(as: ListEntry.self)[index]
        text.append(UInt8(ascii: "["))
        for offset in 0..<Int(entry.count) {
            if offset > 0 { text.append(UInt8(ascii: ",")) }
            guard appendJSON(element, children[0], Int(entry.offset) + offset, to: &text) else {
                return false
            }
        }
        text.append(UInt8(ascii: "]"))
    case .map(let key, let value):
        guard let children = vector.children else { return false }
        let entry = vector.pointer(as: ListEntry.self)[index]
        text.append(UInt8(ascii: "{"))
        // Keys are sorted, so that equal maps give equal text.
        let rows = (0..<Int(entry.count)).map { Int(entry.offset) + $0 }
        let named = rows.map { row in
            (scalarText(key, children[0], children[0].valueIndex(row), ZoneAccess.none), row)
        }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
        for (position, (name, row)) in named.enumerated() {
            if position > 0 { text.append(UInt8(ascii: ",")) }
            appendQuoted(name, to: &text)
            text.append(UInt8(ascii: ":"))
            guard appendJSON(value, children[1], row, to: &text) else { return false }
        }
        text.append(UInt8(ascii: "}"))
    case .row(let fields):
        guard let children = vector.children else { return false }
        text.append(UInt8(ascii: "{"))
        for (position, field) in fields.enumerated() {
            if position > 0 { text.append(UInt8(ascii: ",")) }
            appendQuoted(Array((field.name ?? "").utf8), to: &text)
            text.append(UInt8(ascii: ":"))
            guard appendJSON(field.type, children[position], index, to: &text) else { return false }
        }
        text.append(UInt8(ascii: "}"))
    case .varbinary, .intervalYearToMonth, .intervalDayToSecond, .opaque: return false
    }
    return true
}

extension ZoneAccess {
    /// Knows UTC and offsets only: JSON shows a zoned timestamp in its own zone where rules are known.
    static var none: ZoneAccess { ZoneAccess(.init(startMicroseconds: 0)) }
}

private func appendQuoted(_ bytes: [UInt8], to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for character in bytes {
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            text.append(UInt8(ascii: "\\"))
            text.append(character)
        case 0x0A: text.append(contentsOf: "\\n".utf8)
        case 0x0D: text.append(contentsOf: "\\r".utf8)
        case 0x09: text.append(contentsOf: "\\t".utf8)
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            text.append(contentsOf: "\\u00".utf8)
            text.append(digits[Int(character >> 4)])
            text.append(digits[Int(character & 15)])
        default: text.append(character)
        }
    }
    text.append(UInt8(ascii: "\""))
}

/// The text of a JSON scalar: outer nil for arrays and objects, inner nil for `null`.
func scalarOfJSON(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]?? {
    var low = 0
    var high = bytes.count
    while low < high, bytes[low] <= 0x20 { low += 1 }
    while high > low, bytes[high - 1] <= 0x20 { high -= 1 }
    guard low < high else { return nil }
    let first = bytes[low]
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return nil }
    if first != UInt8(ascii: "\"") {
        let text = Array(bytes[low..<high])
        return text == Array("null".utf8) ? .some(nil) : .some(text)
    }
    return unescaped(Array(bytes[(low + 1)..<max(low + 1, high - 1)]))
}

/// The text between the quotes of a JSON string.
private func unescaped(_ bytes: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    var index = 0
    var pendingHigh: UInt32?
    while index < bytes.count {
        guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else {
            result.append(bytes[index])
            index += 1
            continue
        }
        let character = bytes[index + 1]
        index += 2
        switch character {
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "u"):
            guard index + 4 <= bytes.count,
                let unit = UInt32(
                    String(decoding: bytes[index..<(index + 4)], as: UTF8.self), radix: 16)
            else { return nil }
            index += 4
            if let high = pendingHigh, unit >= 0xDC00, unit < 0xE000 {
                pendingHigh = nil
                let value = 0x10000 + (high - 0xD800) << 10 + (unit - 0xDC00)
                Unicode.Scalar(value).map { result.append(contentsOf: String(Character($0)).utf8) }
            } else if unit >= 0xD800, unit < 0xDC00 {
                pendingHigh = unit
            } else {
                Unicode.Scalar(unit).map { result.append(contentsOf: String(Character($0)).utf8) }
            }
        default: result.append(character)
        }
    }
    return result
}
