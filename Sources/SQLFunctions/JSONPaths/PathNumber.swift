import CivilTime
import JSON

/// Numbers of path arithmetic: exact ones by the rules of decimals as far as 128 bits go, others as
/// doubles.
enum PathNumber {
    /// value = digits / 10^scale.
    case exact(Int128, scale: Int)
    case approximate(Double)

    /// nil for items that are no numbers.
    init?(_ item: PathItem) {
        guard case .number(let number) = item.value else { return nil }
        let isWhole = !number.text.utf8.contains { $0 == 0x2E || $0 | 0x20 == 0x65 }
        if isWhole || item.isDecimal, let exact = Self.exact(number.text) {
            self = exact
        } else if let double = number.double {
            self = .approximate(double)
        } else {
            return nil
        }
    }

    private static func exact(_ text: String) -> PathNumber? {
        let parts = text.split(separator: ".", maxSplits: 1)
        let scale = parts.count > 1 ? parts[1].utf8.count : 0
        guard scale <= 38, let value = Int128(parts.joined()) else { return nil }
        return .exact(value, scale: scale)
    }

    var double: Double {
        switch self {
        case .approximate(let value): return value
        case .exact(let value, let scale):
            return Double(decimalText(value, scale: scale)) ?? Double(value)
        }
    }

    /// nil for what JSON cannot write.
    var item: PathItem? {
        switch self {
        case .approximate(let value):
            // With its `.0`, so that it stays a double to who reads it next.
            value.isFinite ? PathItem(.number(JSONNumber(text: value.description))) : nil
        case .exact(let value, let scale):
            PathItem(.number(JSONNumber(text: decimalText(value, scale: scale))), isDecimal: true)
        }
    }

    func applying(
        _ operation: SQLJSONPath.Operation, _ other: PathNumber
    ) throws(PathFault) -> PathNumber {
        guard case .exact(let x, let xScale) = self, case .exact(let y, let yScale) = other else {
            let (x, y) = (double, other.double)
            switch operation {
            case .add: return .approximate(x + y)
            case .subtract: return .approximate(x - y)
            case .multiply: return .approximate(x * y)
            case .divide: return .approximate(x / y)
            case .modulus: return .approximate(x.truncatingRemainder(dividingBy: y))
            }
        }
        let overflow = PathFault(message: "arithmetic overflow")
        func scaled(_ value: Int128, by digits: Int) throws(PathFault) -> Int128 {
            var result = value
            for _ in 0..<digits {
                let (product, overflows) = result.multipliedReportingOverflow(by: 10)
                if overflows { throw overflow }
                result = product
            }
            return result
        }
        func checked(_ result: (partialValue: Int128, overflow: Bool)) throws(PathFault) -> Int128 {
            if result.overflow { throw overflow }
            return result.partialValue
        }
        let scale = max(xScale, yScale)
        switch operation {
        case .multiply:
            return .exact(try checked(x.multipliedReportingOverflow(by: y)), scale: xScale + yScale)
        case .add, .subtract:
            let left = try scaled(x, by: scale - xScale)
            let right = try scaled(y, by: scale - yScale)
            return .exact(
                try checked(
                    operation == .add
                        ? left.addingReportingOverflow(right)
                        : left.subtractingReportingOverflow(right)), scale: scale)
        case .modulus:
            guard y != 0 else { throw PathFault(message: "division by zero") }
            return .exact(
                try scaled(x, by: scale - xScale) % scaled(y, by: scale - yScale), scale: scale)
        case .divide:
            guard y != 0 else { throw PathFault(message: "division by zero") }
            // Whole numbers divide toward zero; decimals round half up at the larger scale.
            if scale == 0 {
                return .exact(try checked(x.dividedReportingOverflow(by: y)), scale: 0)
            }
            let numerator = try scaled(x, by: scale + yScale - xScale)
            let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: y)
            let rounds = remainder.magnitude >= y.magnitude - remainder.magnitude
            let away: Int128 = (numerator < 0) == (y < 0) ? 1 : -1
            return .exact(rounds ? quotient + away : quotient, scale: scale)
        }
    }

    var negated: PathNumber {
        switch self {
        case .approximate(let value): .approximate(-value)
        case .exact(let value, let scale): .exact(0 &- value, scale: scale)
        }
    }

    /// Rounded to a whole number; `up` is the ceiling.
    func rounded(up: Bool) -> PathNumber {
        switch self {
        case .approximate(let value): return .approximate(value.rounded(up ? .up : .down))
        case .exact(let value, let scale):
            var power: Int128 = 1
            for _ in 0..<scale { power = power &* 10 }
            let floor = value >= 0 ? value / power : -((-(value + 1)) / power) - 1
            let isWhole = floor &* power == value
            return .exact(up && !isWhole ? floor + 1 : floor, scale: 0)
        }
    }

    var magnitude: PathNumber { isNegative ? negated : self }

    private var isNegative: Bool {
        switch self {
        case .approximate(let value): value < 0
        case .exact(let value, _): value < 0
        }
    }

    /// Negative, zero or positive; nil where NaN takes part.
    func compared(to other: PathNumber) -> Int? {
        if case .exact(let x, let xScale) = self, case .exact(let y, let yScale) = other,
            xScale == yScale
        {
            return x < y ? -1 : x > y ? 1 : 0
        }
        if case .exact = self, case .exact = other,
            let difference = try? applying(.subtract, other), case .exact(let value, _) = difference
        {
            return value < 0 ? -1 : value > 0 ? 1 : 0
        }
        let (x, y) = (double, other.double)
        return x < y ? -1 : x > y ? 1 : x == y ? 0 : nil
    }

    /// The whole number it is, if it is one.
    var index: Int? {
        switch self {
        case .approximate(let value): Int(exactly: value.rounded(.towardZero))
        case .exact(let value, let scale):
            scale == 0 ? Int(exactly: value) : Int(exactly: double.rounded(.towardZero))
        }
    }
}
