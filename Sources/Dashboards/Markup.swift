/// HTML or SVG that is safe to send: literals are ours, interpolated texts are escaped.
///
///     let row: Markup = "<td title=\"\(name)\">\(name)</td>"
package struct Markup: Sendable, Hashable, ExpressibleByStringInterpolation {
    /// The markup as it goes out.
    package private(set) var text: String

    package init() { text = "" }
    package init(stringLiteral value: String) { text = value }
    package init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    /// Takes a text as markup. Only for what this process has made itself.
    package init(trusted text: String) { self.text = text }

    /// A text of anybody's as markup.
    package init(escaping text: String) { self.text = Self.escaped(text) }

    package var isEmpty: Bool { text.isEmpty }

    package static func + (left: Markup, right: Markup) -> Markup {
        Markup(trusted: left.text + right.text)
    }
    package static func += (left: inout Markup, right: Markup) { left.text += right.text }

    /// Collects literals as they are and values escaped.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }
        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ value: String) {
            text += Markup.escaped(value)
        }
        package mutating func appendInterpolation(_ value: Substring) {
            text += Markup.escaped(String(value))
        }
        package mutating func appendInterpolation(_ value: some BinaryInteger) {
            text += String(value)
        }
        package mutating func appendInterpolation(_ value: Markup) { text += value.text }
        package mutating func appendInterpolation(_ value: Markup?) { text += value?.text ?? "" }
        package mutating func appendInterpolation(_ values: [Markup]) {
            for value in values { text += value.text }
        }
        /// A coordinate: at most one decimal.
        package mutating func appendInterpolation(at value: Double) { text += coordinate(value) }
    }

    /// The five characters that mean something, and control characters, which no page may hold.
    static func escaped(_ text: String) -> String {
        var isPlain = true
        for byte in text.utf8
        where byte < 0x20 || byte == 0x26 || byte == 0x3C || byte == 0x3E || byte == 0x22
            || byte == 0x27 || byte == 0x7F
        {
            isPlain = false
            break
        }
        if isPlain { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t", "\r": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Sequence<Markup> {
    /// One after the other, with a literal between.
    package func joined(separator: Markup = "") -> Markup {
        var result = Markup()
        var isFirst = true
        for part in self {
            if !isFirst { result += separator }
            result += part
            isFirst = false
        }
        return result
    }
}

/// A coordinate as text: one decimal at most, so that drawings are small and the same everywhere.
func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let tenths = (min(max(value, -1e6), 1e6) * 10).rounded()
    let whole = Int(tenths)
    let (units, rest) = whole.magnitude.quotientAndRemainder(dividingBy: 10)
    return (whole < 0 ? "-" : "") + String(units) + (rest == 0 ? "" : ".\(rest)")
}
