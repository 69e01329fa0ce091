package import SQLFunctions
package import Vectors

/// Names one column within a plan; unique in the plan, never reused.
package struct ColumnID: Sendable, Hashable {
    package let number: Int32
    package init(_ number: Int32) { self.number = number }
}

/// A constant of any type, in the physical form that vectors use.
package indirect enum LiteralValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// All int32 and int64 layouts.
    case integer(Int64)
    /// All int128 layouts, in the packed form that `Vectors` describes.
    case wide(Int128)
    /// Reals and doubles, by bit pattern so that NaN equals itself.
    case double(bits: UInt64)
    /// Text and binary.
    case bytes([UInt8])
    case list([LiteralValue])
    case map([LiteralValue], [LiteralValue])
    case row([LiteralValue])
}

/// The operators of arithmetic, by their spelling in SQL.
package enum ArithmeticOperator: String, Sendable, Hashable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulus = "%"
}

/// The comparisons of two values of one type, by their spelling in SQL.
package enum ComparisonOperator: String, Sendable, Hashable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    /// NULL equals NULL, and nothing is unknown.
    case distinct = "IS DISTINCT FROM"
    case notDistinct = "IS NOT DISTINCT FROM"
}

/// An expression whose names and types are resolved. Every coercion is an explicit cast.
package indirect enum BoundExpression: Sendable {
    case literal(LiteralValue, LogicalType)
    case column(ColumnID, LogicalType)
    /// Numbers: both operands have the same type, except decimals, whose precisions and scales may
    /// differ (the executor aligns scales; `type` follows Trino's rules). Dates and times with
    /// intervals are scalar function calls.
    case arithmetic(ArithmeticOperator, BoundExpression, BoundExpression, type: LogicalType)
    case negate(BoundExpression)
    /// Operands have the same type (decimals: the same scale).
    case comparison(ComparisonOperator, BoundExpression, BoundExpression)
    /// At least two operands.
    case and([BoundExpression])
    case or([BoundExpression])
    case not(BoundExpression)
    case isNull(BoundExpression)
    /// Three-valued IN over expressions of the operand's type.
    case inList(BoundExpression, [BoundExpression])
    /// `pattern` and `escape` are usually literals; those are compiled once.
    case like(BoundExpression, pattern: BoundExpression, escape: BoundExpression?)
    /// `isSafe`: TRY_CAST, a failure gives NULL.
    case cast(BoundExpression, to: LogicalType, isSafe: Bool)
    /// Searched CASE; IF, NULLIF and simple CASE come as this. Branch values have `type`.
    case caseWhen([WhenBranch], otherwise: BoundExpression?, type: LogicalType)
    case coalesce([BoundExpression], type: LogicalType)
    /// TRY: a failure that data caused gives NULL.
    case tryEvaluate(BoundExpression)
    case call(ResolvedScalar, [BoundExpression])
    /// Only as an argument of a call. The body sees its parameters as columns, and outer columns.
    case lambda(parameters: [(ColumnID, LogicalType)], body: BoundExpression)
    case row([BoundExpression], type: LogicalType)
    case array([BoundExpression], type: LogicalType)
    case field(BoundExpression, index: Int, type: LogicalType)
}

/// `WHEN condition THEN value`.
package struct WhenBranch: Sendable {
    package var condition: BoundExpression
    package var value: BoundExpression

    package init(condition: BoundExpression, value: BoundExpression) {
        self.condition = condition
        self.value = value
    }
}

extension BoundExpression {
    /// The type of the expression's value.
    package var type: LogicalType {
        switch self {
        case .literal(_, let type), .column(_, let type), .arithmetic(_, _, _, let type),
            .cast(_, let type, _), .caseWhen(_, _, let type), .coalesce(_, let type),
            .row(_, let type), .array(_, let type), .field(_, _, let type):
            type
        case .negate(let operand), .tryEvaluate(let operand), .lambda(_, let operand): operand.type
        case .comparison, .and, .or, .not, .isNull, .inList, .like: .boolean
        case .call(let resolved, _): resolved.result
        }
    }
}
