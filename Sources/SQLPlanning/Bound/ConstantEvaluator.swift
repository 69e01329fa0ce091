package import SQLFunctions

/// Evaluates expressions that read no column; `SQLExecution` implements it. Without one the binder and
/// the optimizer fold only what they know themselves (dates, intervals, booleans, casts of literals).
package protocol ConstantEvaluator: Sendable {
    /// The value, in the physical form of the expression's type. Throws what evaluation throws.
    func evaluate(_ expression: BoundExpression) throws(QueryFault) -> LiteralValue
    /// The value where it is small and soon known, to stand in the plan instead of the expression;
    /// nil where the expression is better computed, or fails, when the query runs.
    func folded(_ expression: BoundExpression) -> LiteralValue?
}
