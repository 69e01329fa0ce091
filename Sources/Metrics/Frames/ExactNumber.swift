/// A decimal number as somebody typed it, without rounding.
package struct ExactNumber: Sendable, Hashable, Comparable {
    /// The digits without a point, and how many of them are behind it.
    package private(set) var unscaled: Int64
    package private(set) var scale: Int

    /// A whole number.
    package init(_ value: Int64) {
        unscaled = value
        scale = 0
    }

    /// Reads `1`, `-2.50`, `.5`; nil for anything else and for more than 18 digits.
    package init?(_ text: some StringProtocol) {
        var digits = ""
        var scale = 0
        var hasPoint = false
        for (index, letter) in text.enumerated() {
            switch letter {
            case "-" where index == 0: digits.append(letter)
            case "." where !hasPoint: hasPoint = true
            case "0"..."9" where letter.isASCII:
                digits.append(letter)
                if hasPoint { scale += 1 }
            default: return nil
            }
        }
        guard digits.utf8.count <= 18, let value = Int64(digits) else { return nil }
        unscaled = value
        self.scale = scale
        reduce()
    }

    /// The number times a power of ten; nil when it becomes too long.
    package func shifted(by power: Int) -> ExactNumber? {
        var result = self
        result.scale -= power
        while result.scale < 0 {
            let (value, overflow) = result.unscaled.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            result.unscaled = value
            result.scale += 1
        }
        guard result.scale <= 18 else { return nil }
        result.reduce()
        return result
    }

    private mutating func reduce() {
        while scale > 0, unscaled % 10 == 0 {
            unscaled /= 10
            scale -= 1
        }
    }

    /// The digits: `0.05`.
    package var text: String {
        guard scale > 0 else { return String(unscaled) }
        var digits = String(unscaled.magnitude)
        if digits.utf8.count <= scale {
            digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
        }
        return (unscaled < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
    }

    package static func < (left: ExactNumber, right: ExactNumber) -> Bool {
        let scale = max(left.scale, right.scale)
        func widened(_ number: ExactNumber) -> Int128 {
            (number.scale..<scale).reduce(Int128(number.unscaled)) { value, _ in value * 10 }
        }
        return widened(left) < widened(right)
    }
}
