import SQLFunctions
import Vectors

/// Appends a decimal as text with `scale` digits behind the point.
func appendDecimal(_ value: Int128, scale: Int, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    var digits: [UInt8] = []
    var rest = value.magnitude
    while rest > 0 || digits.count <= scale {
        let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
        digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: remainder))
        rest = quotient
    }
    for index in stride(from: digits.count - 1, through: 0, by: -1) {
        bytes.append(digits[index])
        if index == scale && scale > 0 { bytes.append(UInt8(ascii: ".")) }
    }
}

/// A double as Java and Trino write it: `0.1`, `1.0E10`, `NaN`, `Infinity`.
func doubleText(_ value: Double) -> String {
    javaText(javaDigits(value, isReal: false), value.magnitude, value)
}

/// A real with the digits that tell it from other floats.
func realText(_ value: Double) -> String {
    let float = Float(value)
    return javaText(javaDigits(value, isReal: true), Double(float.magnitude), value)
}

private func javaText(_ shortest: String, _ magnitude: Double, _ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
    // Take Swift's shortest digits apart, and put them together in Java's layout.
    var digits: [UInt8] = []
    var exponent = 0
    var pointAt: Int?
    var isExponent = false
    var exponentText = ""
    for character in shortest.utf8 {
        switch character {
        case UInt8(ascii: "-") where !isExponent: break
        case UInt8(ascii: "."): pointAt = digits.count
        case UInt8(ascii: "e"), UInt8(ascii: "E"): isExponent = true
        default:
            if isExponent {
                exponentText.unicodeScalars.append(Unicode.Scalar(character))
            } else {
                digits.append(character)
            }
        }
    }
    exponent = Int(exponentText) ?? 0
    var point = (pointAt ?? digits.count) + exponent
    while digits.count > 1, digits[0] == UInt8(ascii: "0") {
        digits.removeFirst()
        point -= 1
    }
    while digits.count > 1, digits[digits.count - 1] == UInt8(ascii: "0") { digits.removeLast() }
    let sign = value < 0 ? "-" : ""
    func text(_ slice: ArraySlice<UInt8>) -> String { String(decoding: slice, as: UTF8.self) }
    if magnitude >= 1e-3 && magnitude < 1e7 {
        if point <= 0 {
            return sign + "0." + String(repeating: "0", count: -point) + text(digits[...])
        }
        if point >= digits.count {
            return sign + text(digits[...]) + String(repeating: "0", count: point - digits.count)
                + ".0"
        }
        return sign + text(digits[..<point]) + "." + text(digits[point...])
    }
    let fraction = digits.count > 1 ? text(digits[1...]) : "0"
    return sign + text(digits[..<1]) + "." + fraction + "E\(point - 1)"
}

/// Reads an integer without blanks around it; nil for anything else or beyond 64 bits.
func parseInteger(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var index = 0
    var isNegative = false
    if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
        isNegative = first == UInt8(ascii: "-")
        index = 1
    }
    guard index < bytes.count else { return nil }
    var value: Int64 = 0
    while index < bytes.count {
        let digit = bytes[index] &- UInt8(ascii: "0")
        guard digit <= 9 else { return nil }
        let (scaled, first) = value.multipliedReportingOverflow(by: 10)
        let (next, second) =
            isNegative
            ? scaled.subtractingReportingOverflow(Int64(digit))
            : scaled.addingReportingOverflow(Int64(digit))
        if first || second { return nil }
        value = next
        index += 1
    }
    return value
}

/// Reads a decimal of any notation, rounded half up to `scale`; nil when it is none or too large.
func parseDecimal(_ bytes: UnsafeBufferPointer<UInt8>, precision: Int, scale: Int) -> Int128? {
    var index = 0
    var isNegative = false
    if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
        isNegative = first == UInt8(ascii: "-")
        index = 1
    }
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    while index < bytes.count {
        let character = bytes[index]
        if character &- UInt8(ascii: "0") <= 9 {
            digits.append(character &- UInt8(ascii: "0"))
        } else if character == UInt8(ascii: "."), point == nil {
            point = digits.count
        } else if character | 0x20 == UInt8(ascii: "e"), !digits.isEmpty {
            let rest = UnsafeBufferPointer(rebasing: bytes[(index + 1)...])
            guard let parsed = parseInteger(rest), parsed.magnitude < 10_000 else { return nil }
            exponent = Int(parsed)
            break
        } else {
            return nil
        }
        index += 1
    }
    guard !digits.isEmpty else { return nil }
    let wanted = (point ?? digits.count) + exponent + scale
    var value: Int128 = 0
    for position in 0..<max(wanted, 0) {
        let (scaled, first) = value.multipliedReportingOverflow(by: 10)
        let digit = position < digits.count ? digits[position] : 0
        let (next, second) = scaled.addingReportingOverflow(Int128(digit))
        if first || second { return nil }
        value = next
        // Leading zeros may be many, significant digits at most 38.
        if value == 0 && position >= digits.count { break }
    }
    if wanted >= 0, wanted < digits.count, digits[wanted] >= 5 { value += 1 }
    guard value < powerOfTen(precision) else { return nil }
    return isNegative ? -value : value
}

/// Reads a double: blanks around, Java's `Infinity` and `NaN`, a trailing type letter.
func parseDouble(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    var low = 0
    var high = bytes.count
    while low < high, bytes[low] <= 0x20 { low += 1 }
    while high > low, bytes[high - 1] <= 0x20 { high -= 1 }
    guard low < high else { return nil }
    let trimmed = UnsafeBufferPointer(rebasing: bytes[low..<high])
    var text = String(decoding: trimmed, as: UTF8.self)
    switch text {
    case "NaN": return .nan
    case "Infinity", "+Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: break
    }
    guard trimmed.allSatisfy({ isNumberCharacter($0) }) else { return nil }
    if let last = text.unicodeScalars.last, "dDfF".unicodeScalars.contains(last) {
        text.removeLast()
    }
    return Double(text)
}

private func isNumberCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "d"),
        UInt8(ascii: "D"), UInt8(ascii: "f"), UInt8(ascii: "F"):
        true
    default: false
    }
}
