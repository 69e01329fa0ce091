/// How a number is shown.
package enum NumberFormat: String, Sendable, CaseIterable {
    /// `1,234,567.8`
    case number
    /// `1.2M`
    case compact
    /// `0.0312` as `3.1 %`
    case percent
}

/// A number's text in a format; `decimals` nil takes what suits the size.
package func numberText(
    _ value: Double, _ format: NumberFormat = .number, decimals: Int? = nil, unit: String = ""
) -> String {
    let text: String
    switch format {
    case .number:
        text = grouped(value, decimals: decimals ?? suitedDecimals(value))
    case .compact: text = compact(value, decimals: decimals)
    case .percent: text = grouped(value * 100, decimals: decimals ?? 1) + "\u{A0}%"
    }
    return unit.isEmpty ? text : text + "\u{A0}" + unit
}

/// A decimal's own digits, with groups.
func groupedDigits(_ digits: String) -> String {
    let sign = digits.hasPrefix("-") ? "-" : ""
    let body = digits.dropFirst(sign.utf8.count)
    let whole = body.prefix { $0 != "." }
    guard !whole.isEmpty, whole.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return digits
    }
    return sign + groupedWhole(String(whole)) + body.dropFirst(whole.count)
}

/// The shortest digits that give the number back; whole numbers without a point.
func plainText(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
    return value.description
}

private func suitedDecimals(_ value: Double) -> Int {
    let size = value.magnitude
    if value == value.rounded() || size >= 1000 { return 0 }
    if size >= 10 { return 1 }
    if size >= 1 { return 2 }
    return size >= 0.01 ? 3 : 6
}

/// `1234.5` with one decimal as `1,234.5`. Very large numbers keep their exponent.
func grouped(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return plainText(value) }
    let decimals = min(max(decimals, 0), 9)
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e15 else {
        return value.magnitude < 9e15
            ? sign(value) + groupedWhole(String(UInt64(value.magnitude.rounded())))
            : value.description
    }
    let (whole, rest) = UInt64(scaled).quotientAndRemainder(dividingBy: UInt64(scale))
    var text = (scaled == 0 ? "" : sign(value)) + groupedWhole(String(whole))
    if decimals > 0 {
        let digits = String(rest)
        text += "." + String(repeating: "0", count: decimals - digits.utf8.count) + digits
    }
    return text
}

private func sign(_ value: Double) -> String { value < 0 ? "-" : "" }

private func groupedWhole(_ digits: String) -> String {
    guard digits.utf8.count > 3 else { return digits }
    var result = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.utf8.count - index) % 3 == 0 { result += "," }
        result.append(digit)
    }
    return result
}

/// `1.2M`: three digits that count, and a letter.
func compact(_ value: Double, decimals: Int? = nil) -> String {
    let units: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    let size = value.magnitude
    guard size.isFinite, size < 1e15 else { return plainText(value) }
    for (index, (factor, letter)) in units.enumerated() where size >= factor * 0.9995 {
        let scaled = value / factor
        // 999,950 is 1.0M, not 1000k.
        if (scaled.magnitude * 10).rounded() >= 10_000, index > 0 { continue }
        let places = decimals ?? (scaled.magnitude < 99.95 ? 1 : 0)
        let text = grouped(scaled, decimals: places)
        return (decimals == nil && text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + letter
    }
    let text = grouped(value, decimals: decimals ?? suitedDecimals(value))
    guard decimals == nil, text.contains(".") else { return text }
    var trimmed = Substring(text)
    while trimmed.hasSuffix("0") { trimmed = trimmed.dropLast() }
    return String(trimmed.hasSuffix(".") ? trimmed.dropLast() : trimmed)
}

/// A count of bytes: `1.5 MiB`.
package func byteText(_ count: Int64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var value = Double(count)
    var unit = 0
    while value.magnitude >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    let text = unit == 0 ? String(count) : grouped(value, decimals: value.magnitude < 10 ? 1 : 0)
    return text + "\u{A0}" + units[unit]
}

/// A whole number with groups.
package func countText(_ count: some BinaryInteger) -> String { groupedDigits(String(count)) }

/// A time span: `12 ms`, `3.4 s`, `2 min 5 s`.
package func durationText(milliseconds: Int64) -> String {
    let milliseconds = max(0, milliseconds)
    if milliseconds < 1000 { return "\(milliseconds)\u{A0}ms" }
    if milliseconds < 60_000 {
        return grouped(Double(milliseconds) / 1000, decimals: 1) + "\u{A0}s"
    }
    let seconds = milliseconds / 1000
    if seconds < 3600 { return "\(seconds / 60)\u{A0}min \(seconds % 60)\u{A0}s" }
    return "\(seconds / 3600)\u{A0}h \(seconds / 60 % 60)\u{A0}min"
}
