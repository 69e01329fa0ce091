import SQLFunctions
import SQLPlanning
import Testing
import Vectors

@testable import SQLExecution

@Suite struct FilterTests {
    /// A conjunct that is the same for all rows keeps the rows that the one before it chose.
    @Test(arguments: [
        (ComparisonOperator.notEqual, 1.5, 2.5, ["2", "3"]), (.equal, 1.5, 2.5, []),
        (.less, 1.5, 2.5, ["2", "3"]), (.greater, 1.5, 2.5, []),
        (.notEqual, Double.nan, 2.5, ["2", "3"]), (.greaterOrEqual, Double.nan, 2.5, []),
    ])
    func aConstantConjunctKeepsTheSelection(
        _ operation: ComparisonOperator, _ left: Double, _ right: Double, _ expected: [String]
    ) {
        let plans = Plans()
        let (plan, columns) = plans.table(
            [.bigint], [[.integer(1)], [.integer(2)], [.integer(3)], [.null]])
        let constant = BoundExpression.comparison(
            operation, .literal(.double(bits: left.bitPattern), .double),
            .literal(.double(bits: right.bitPattern), .double))
        let filtered = LogicalPlan.filter(
            plan,
            predicate: .and([.comparison(.greater, reference(columns[0]), number(1)), constant]))
        #expect(plans.sorted(filtered) == expected)
    }

    @Test func aNullConjunctKeepsNothing() {
        let plans = Plans()
        let (plan, columns) = plans.table([.bigint], [[.integer(1)], [.integer(2)]])
        let constant = BoundExpression.comparison(
            .notEqual, .literal(.null, .double), .literal(.double(bits: 0), .double))
        let filtered = LogicalPlan.filter(
            plan,
            predicate: .and([.comparison(.greater, reference(columns[0]), number(1)), constant]))
        #expect(plans.sorted(filtered) == [])
    }
}
