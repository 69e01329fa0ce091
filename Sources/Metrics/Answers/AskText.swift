package import JSON

/// Values of an answer as people read them.
package enum AskText {
    /// A cell in the format of its column: shares as percentages, their differences as percentage points,
    /// money with its unit.
    package static func cell(_ value: JSONValue, _ column: AskAnswer.Column) -> String {
        switch value {
        case .null: return "–"
        case .bool(let flag): return flag ? "true" : "false"
        case .string(let text):
            guard !column.format.isEmpty, let number = Double(text) else { return text }
            return self.number(number, text, column)
        case .number(let number):
            guard !column.format.isEmpty, let double = number.double else { return number.text }
            return self.number(double, number.text, column)
        case .array, .object: return value.encodedText()
        }
    }

    /// A count of bytes in the unit that leaves up to four digits.
    package static func bytes(_ count: Int64) -> String {
        if count < 10_000 { return "\(count) bytes" }
        return count < 10_000_000 ? "\(count / 1_000) kB" : "\(count / 1_000_000) MB"
    }

    private static func number(
        _ value: Double, _ text: String, _ column: AskAnswer.Column
    ) -> String {
        switch column.format {
        case "percent": return fixed(value * 100, column.decimals ?? 2) + " %"
        case "points": return fixed(value * 100, column.decimals ?? 2) + " percentage points"
        default:
            let digits = column.decimals.map { fixed(value, $0) } ?? text
            return column.unit.isEmpty ? digits : "\(digits) \(column.unit)"
        }
    }

    /// A number with a fixed count of decimals.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        let factor = (0..<decimals).reduce(1.0) { product, _ in product * 10 }
        let scaled = (value * factor).rounded()
        guard scaled.isFinite, scaled.magnitude < 9e18 else { return "\(value)" }
        return ExactNumber.text(Int64(scaled), decimals: decimals)
    }
}

extension ExactNumber {
    /// Digits with a point before the last `decimals` of them.
    static func text(_ unscaled: Int64, decimals: Int) -> String {
        guard decimals > 0 else { return String(unscaled) }
        var digits = String(unscaled.magnitude)
        if digits.utf8.count <= decimals {
            digits = String(repeating: "0", count: decimals + 1 - digits.utf8.count) + digits
        }
        return (unscaled < 0 ? "-" : "") + digits.dropLast(decimals) + "."
            + digits.suffix(decimals)
    }
}
