import SQLFunctions
import Vectors

/// What is thought of a column of a plan's output.
struct ColumnEstimate {
    /// How many different values; nil: unknown.
    var distinct: Double?
    var nullFraction = 0.0
    /// Bounds as numbers, for types that have an order in numbers.
    var minimum: Double?
    var maximum: Double?
    var averageBytes = 8.0
}

/// Guesses which share of the rows a condition lets pass.
struct Selectivity {
    static let unknownCondition = 0.33
    static let unknownEquality = 0.05
    static let likePattern = 0.1

    let columns: [ColumnID: ColumnEstimate]
    let rows: Double

    func of(_ condition: BoundExpression) -> Double {
        min(1, max(0, raw(condition)))
    }

    /// The conjunction: bounds of one column together, the rest as if independent.
    func of(all conditions: [BoundExpression]) -> Double {
        var result = 1.0
        var ranges: [ColumnID: (low: Double?, high: Double?)] = [:]
        for condition in conditions {
            if let (id, op, value) = range(condition), columns[id]?.minimum != nil {
                var range = ranges[id] ?? (nil, nil)
                switch op {
                case .less, .lessOrEqual: range.high = min(range.high ?? .infinity, value)
                default: range.low = max(range.low ?? -.infinity, value)
                }
                ranges[id] = range
            } else {
                result *= of(condition)
            }
        }
        for (id, range) in ranges {
            guard let column = columns[id], let minimum = column.minimum,
                let maximum = column.maximum
            else { continue }
            result *= share(of: range, minimum, maximum) * (1 - column.nullFraction)
        }
        return result
    }

    private func share(
        of range: (low: Double?, high: Double?), _ minimum: Double, _ maximum: Double
    ) -> Double {
        let low = max(minimum, range.low ?? minimum)
        let high = min(maximum, range.high ?? maximum)
        if high < low { return 1e-6 }
        let width = maximum - minimum
        guard width > 0 else { return 1 }
        return max(1 / max(1, width), (high - low) / width)
    }

    /// `column op literal`, for orders.
    private func range(
        _ condition: BoundExpression
    ) -> (ColumnID, ComparisonOperator, Double)? {
        guard case .comparison(let op, let left, let right) = condition else { return nil }
        switch op {
        case .less, .lessOrEqual, .greater, .greaterOrEqual: break
        default: return nil
        }
        if let id = left.columnID, let value = right.position { return (id, op, value) }
        if let id = right.columnID, let value = left.position { return (id, op.flipped, value) }
        return nil
    }

    private func raw(_ condition: BoundExpression) -> Double {
        switch condition {
        case .literal(.boolean(let value), _): return value ? 1 : 0
        case .literal: return 0
        case .and(let terms): return of(all: terms)
        case .or(let terms):
            return 1 - terms.reduce(1.0) { $0 * (1 - of($1)) }
        case .not(let operand): return 1 - of(operand)
        case .isNull(let operand):
            return operand.columnID.flatMap { columns[$0]?.nullFraction } ?? 0.05
        case .inList(let operand, let list):
            let one = equality(operand)
            return min(1, one * Double(list.count))
        case .like(_, let pattern, _):
            if case .literal(.bytes(let bytes), _) = pattern, bytes.first != UInt8(ascii: "%") {
                return 0.05
            }
            return Self.likePattern
        case .comparison(let op, let left, let right):
            switch op {
            case .equal, .notDistinct:
                if left.literalValue == nil && right.literalValue == nil {
                    return min(equality(left), equality(right))
                }
                return outside(condition) ? 1e-6 : equality(left.literalValue == nil ? left : right)
            case .notEqual, .distinct:
                return 1 - equality(left.literalValue == nil ? left : right)
            default:
                if let (id, op, value) = range(condition), let column = columns[id],
                    let minimum = column.minimum, let maximum = column.maximum
                {
                    let isUpper = op == .less || op == .lessOrEqual
                    return share(
                        of: isUpper ? (nil, value) : (value, nil), minimum, maximum)
                        * (1 - column.nullFraction)
                }
                return Self.unknownCondition
            }
        default: return Self.unknownCondition
        }
    }

    /// Whether a literal lies outside of a column's bounds.
    private func outside(_ condition: BoundExpression) -> Bool {
        guard case .comparison(.equal, let left, let right) = condition else { return false }
        let id = left.columnID ?? right.columnID
        guard let id, let value = left.position ?? right.position, let column = columns[id],
            let minimum = column.minimum, let maximum = column.maximum
        else { return false }
        return value < minimum || value > maximum
    }

    private func equality(_ operand: BoundExpression) -> Double {
        if let id = operand.columnID, let distinct = columns[id]?.distinct {
            return 1 / max(1, distinct)
        }
        return Self.unknownEquality
    }
}

extension BoundExpression {
    /// The value of a literal on the number line of its type; nil for text and nested values.
    var position: Double? {
        guard case .literal(let value, let type) = self else { return nil }
        return value.position(as: type)
    }
}

extension LiteralValue {
    func position(as type: LogicalType) -> Double? {
        switch self {
        case .integer(let number):
            if case .decimal(_, let scale) = type { return Double(number) / powerOfTen(scale) }
            return Double(number)
        case .wide(let number):
            switch type {
            case .decimal(_, let scale): return Double(number) / powerOfTen(scale)
            case .timestamp, .timestampWithTimeZone:
                return Double(Int64(truncatingIfNeeded: number >> 64))
            default: return Double(number)
            }
        case .double(let bits):
            let value = Double(bitPattern: bits)
            return value.isFinite ? value : nil
        case .boolean(let value): return value ? 1 : 0
        default: return nil
        }
    }
}
