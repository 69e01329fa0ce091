import SQLFunctions
import SQLPlanning
import Vectors

/// Writes bound expressions in a remote dialect; nil for whatever might give another value there.
struct RemoteExpressions {
    let dialect: any RemoteDialect
    /// What columns are called, and which of them only pass through.
    let names: [ColumnID: String]
    let inexact: Set<ColumnID>

    /// A condition that rows must fulfil: where NULL and false are the same.
    func condition(_ expression: BoundExpression) -> String? { text(expression, isCondition: true) }

    /// A value.
    func value(_ expression: BoundExpression) -> String? { text(expression, isCondition: false) }

    private func text(_ expression: BoundExpression, isCondition: Bool) -> String? {
        switch expression {
        case .literal(let value, let type): return dialect.literal(value, type)
        case .column(let id, let type):
            guard !inexact.contains(id), dialect.compares(type) else { return nil }
            return names[id]
        case .comparison(let comparison, let left, let right):
            return self.comparison(comparison, left, right, isCondition: isCondition)
        case .and(let operands):
            return joined(operands, " AND ", isCondition: isCondition)
        case .or(let operands):
            // A comparison that keeps NaN out is false where ours is NULL: fine below AND alone.
            return joined(operands, " OR ", isCondition: isCondition)
        case .not(let operand):
            return value(operand).map { "(NOT \($0))" }
        case .isNull(let operand):
            return value(operand).map { "(\($0) IS NULL)" }
        case .inList(let operand, let elements):
            guard !dialect.hasNaN(operand.type), let left = value(operand) else { return nil }
            let list = elements.compactMap { value($0) }
            guard list.count == elements.count, !list.isEmpty else { return nil }
            let equated = dialect.equated(left, operand.type)
            return "(\(equated) IN (\(list.joined(separator: ", "))))"
        case .like(let operand, let pattern, let escape):
            guard case .varchar = operand.type, let left = value(operand),
                let pattern = constantText(pattern)
            else { return nil }
            guard let escape else { return dialect.like(left, pattern: pattern, escape: nil) }
            return constantText(escape).flatMap {
                dialect.like(left, pattern: pattern, escape: $0)
            }
        case .arithmetic(let sign, let left, let right, let type):
            return arithmetic(sign, left, right, type)
        case .negate(let operand):
            guard dialect.calculates(operand.type) else { return nil }
            return value(operand).map { "(- \($0))" }
        case .cast(let operand, let type, _):
            return value(operand).flatMap { dialect.cast($0, from: operand.type, to: type) }
        case .caseWhen(let branches, let otherwise, _):
            return choice(branches, otherwise)
        case .coalesce(let operands, _):
            let list = operands.compactMap { value($0) }
            return list.count == operands.count
                ? "coalesce(\(list.joined(separator: ", ")))" : nil
        case .call(let resolved, let arguments):
            let list = arguments.compactMap { argument in
                value(argument).map { (sql: $0, type: argument.type) }
            }
            guard list.count == arguments.count else { return nil }
            return dialect.call(resolved.function.name, list)
        case .tryEvaluate, .lambda, .row, .array, .field: return nil
        }
    }

    private func joined(
        _ operands: [BoundExpression], _ word: String, isCondition: Bool
    ) -> String? {
        let list = operands.compactMap { text($0, isCondition: isCondition) }
        guard list.count == operands.count else { return nil }
        return "(" + list.joined(separator: word) + ")"
    }

    private func comparison(
        _ comparison: ComparisonOperator, _ left: BoundExpression, _ right: BoundExpression,
        isCondition: Bool
    ) -> String? {
        guard dialect.compares(left.type), let first = value(left), let second = value(right)
        else { return nil }
        if dialect.hasNaN(left.type) {
            return withoutNaN(comparison, left, right, first, second, isCondition)
        }
        switch comparison {
        case .equal, .notEqual:
            return "(\(dialect.equated(first, left.type)) \(comparison.rawValue) \(second))"
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            let type = left.type
            return "(\(dialect.ordered(first, type)) \(comparison.rawValue) "
                + "\(dialect.ordered(second, type)))"
        case .distinct:
            return "(\(dialect.equated(first, left.type)) IS DISTINCT FROM \(second))"
        case .notDistinct:
            return "(\(dialect.equated(first, left.type)) IS NOT DISTINCT FROM \(second))"
        }
    }

    /// A column against a number: there NaN equals itself and is the greatest, here it is neither.
    private func withoutNaN(
        _ comparison: ComparisonOperator, _ left: BoundExpression, _ right: BoundExpression,
        _ first: String, _ second: String, _ isCondition: Bool
    ) -> String? {
        guard isCondition else { return nil }
        var (operand, sign) = (first, comparison)
        if left.literalNumber != nil, right.literalNumber == nil {
            operand = second
            sign = comparison.mirrored
        } else if right.literalNumber == nil {
            return nil
        }
        let plain = "(\(first) \(comparison.rawValue) \(second))"
        switch sign {
        case .equal, .less, .lessOrEqual, .notEqual: return plain
        case .greater, .greaterOrEqual:
            guard let none = dialect.literal(.double(bits: Double.nan.bitPattern), .double) else {
                return nil
            }
            return "(\(plain) AND \(operand) <> \(none))"
        case .distinct, .notDistinct: return nil
        }
    }

    private func arithmetic(
        _ sign: ArithmeticOperator, _ left: BoundExpression, _ right: BoundExpression,
        _ type: LogicalType
    ) -> String? {
        guard dialect.calculates(type), dialect.calculates(left.type),
            let first = value(left), let second = value(right)
        else { return nil }
        if case .decimal = type, sign == .divide || sign == .modulus { return nil }
        return "(\(first) \(sign.rawValue) \(second))"
    }

    private func choice(_ branches: [WhenBranch], _ otherwise: BoundExpression?) -> String? {
        var text = "(CASE"
        for branch in branches {
            guard let condition = value(branch.condition), let value = value(branch.value) else {
                return nil
            }
            text += " WHEN \(condition) THEN \(value)"
        }
        if let otherwise {
            guard let value = value(otherwise) else { return nil }
            text += " ELSE \(value)"
        }
        return text + " END)"
    }

    private func constantText(_ expression: BoundExpression) -> String? {
        guard case .literal(.bytes(let bytes), let type) = expression, case .varchar = type else {
            return nil
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension BoundExpression {
    /// A constant double that is a number.
    fileprivate var literalNumber: Double? {
        guard case .literal(.double(let bits), _) = self else { return nil }
        let value = Double(bitPattern: bits)
        return value.isNaN ? nil : value
    }
}

extension ComparisonOperator {
    /// The comparison with its sides exchanged.
    fileprivate var mirrored: ComparisonOperator {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        default: self
        }
    }
}
