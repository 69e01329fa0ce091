import Authority
import SQLFunctions
import SQLPlanning
import Testing
import Vectors

@testable import SQLExecution

@Suite struct ExpressionTests {
    private func value(_ expression: BoundExpression) -> String {
        let session = SessionValues(startMicroseconds: 0)
        do throws(QueryFault) {
            return show(try ExpressionEvaluator(session: session).evaluate(expression))
        } catch { return error.code.rawValue }
    }

    private func literal(_ value: String) -> BoundExpression { .literal(text(value), .text) }

    private func decimal(_ value: Int128, _ precision: Int, _ scale: Int) -> BoundExpression {
        let type = LogicalType.decimal(precision: precision, scale: scale)
        let literal: LiteralValue = precision <= 18 ? .integer(Int64(value)) : .wide(value)
        return .literal(literal, type)
    }

    @Test(arguments: [
        ("7", LogicalType.bigint, "7"), (" 7", .bigint, "INVALID_CAST_ARGUMENT"),
        ("", .integer, "INVALID_CAST_ARGUMENT"), ("300", .tinyint, "INVALID_CAST_ARGUMENT"),
        (" 1.5e3 ", .double, "1500.0"), ("12.345", .decimal(precision: 5, scale: 2), "1235"),
        ("true", .boolean, "true"), ("abcdef", .varchar(length: 3), "abc"),
        ("2024-02-29", .date, "19782"), ("2023-02-29", .date, "INVALID_CAST_ARGUMENT"),
        ("1970-01-01 00:00:01.5", .timestamp(precision: 3), "1500000"),
        ("00000000-0000-0000-0000-000000000001", .uuid, "-170141183460469231731687303715884105727"),
    ])
    func castsFromText(_ source: String, _ type: LogicalType, _ expected: String) {
        #expect(value(.cast(literal(source), to: type, isSafe: false)) == expected)
        let safe = value(.cast(literal(source), to: type, isSafe: true))
        #expect(safe == (expected == "INVALID_CAST_ARGUMENT" ? "NULL" : expected))
    }

    @Test(arguments: [
        (1.0, "1.0"), (0.1, "0.1"), (1e10, "1.0E10"), (1.5e-5, "1.5E-5"),
        (123456.789, "123456.789"),
        (-0.0, "-0.0"), (.infinity, "Infinity"), (1e7, "1.0E7"), (9_999_999.5, "9999999.5"),
        (1e21, "1.0E21"), (0.001, "0.001"),
    ])
    func doublesAsText(_ number: Double, _ expected: String) {
        #expect(
            value(
                .cast(.literal(.double(bits: number.bitPattern), .double), to: .text, isSafe: false)
            )
                == expected)
    }

    @Test(arguments: [(2.5, "3"), (-2.5, "-3"), (0.49, "0"), (1e30, "INVALID_CAST_ARGUMENT")])
    func doublesRoundHalfAwayFromZero(_ number: Double, _ expected: String) {
        #expect(
            value(
                .cast(
                    .literal(.double(bits: number.bitPattern), .double), to: .bigint, isSafe: false)
            )
                == expected)
    }

    @Test(arguments: [
        (ArithmeticOperator.divide, Int64(7), Int64(-2), "-3"), (.modulus, -7, 2, "-1"),
        (.divide, 1, 0, "DIVISION_BY_ZERO"), (.modulus, 1, 0, "DIVISION_BY_ZERO"),
        (.add, .max, 1, "NUMERIC_VALUE_OUT_OF_RANGE"),
        (.multiply, .max, 2, "NUMERIC_VALUE_OUT_OF_RANGE"),
        (.divide, .min, -1, "NUMERIC_VALUE_OUT_OF_RANGE"),
        (.subtract, .min, 1, "NUMERIC_VALUE_OUT_OF_RANGE"),
    ])
    func integersOverflowAsFaults(
        _ operation: ArithmeticOperator, _ left: Int64, _ right: Int64, _ expected: String
    ) {
        #expect(
            value(.arithmetic(operation, number(left), number(right), type: .bigint)) == expected)
        #expect(
            value(.tryEvaluate(.arithmetic(operation, number(left), number(right), type: .bigint)))
                == (Int64(expected) == nil ? "NULL" : expected))
    }

    @Test func decimalsRoundHalfUpAndWiden() {
        // 1.00 / 3.00 with scale 2; 2.00 / 3.00; the product of two wide ones.
        let type = LogicalType.decimal(precision: 7, scale: 2)
        #expect(
            value(.arithmetic(.divide, decimal(100, 5, 2), decimal(300, 5, 2), type: type)) == "33")
        #expect(
            value(.arithmetic(.divide, decimal(200, 5, 2), decimal(300, 5, 2), type: type)) == "67")
        let big = decimal(10_000_000_000_000_000_000, 20, 0)
        let wide = LogicalType.decimal(precision: 38, scale: 0)
        #expect(value(.arithmetic(.multiply, big, big, type: wide)) == "NUMERIC_VALUE_OUT_OF_RANGE")
        #expect(
            value(.arithmetic(.add, big, decimal(5, 2, 1), type: .decimal(precision: 22, scale: 1)))
                == "100000000000000000005")
    }

    @Test(
        arguments: [
            ("abc", "a%", nil, "true"), ("abc", "%c", nil, "true"), ("abc", "%b%", nil, "true"),
            ("abc", "a_c", nil, "true"), ("abc", "_", nil, "false"), ("äöü", "_ö_", nil, "true"),
            ("a%c", "a!%c", "!", "true"), ("abc", "a!%c", "!", "false"), ("", "%", nil, "true"),
            ("special requests, packages", "%special%requests%", nil, "true"),
            ("specialrequest", "%special%requests%", nil, "false"), ("abab", "ab%ab", nil, "true"),
            ("aba", "ab%ba", nil, "false"), ("abc", "a!b", "!", "INVALID_FUNCTION_ARGUMENT"),
            (
                "a text that is longer than sixty-four bytes, so that wide loads are taken: needle.",
                "%needle_",
                nil, "true"
            ),
        ] as [(String, String, String?, String)])
    func likeMatches(_ string: String, _ pattern: String, _ escape: String?, _ expected: String) {
        #expect(
            value(
                .like(
                    literal(string), pattern: literal(pattern), escape: escape.map { literal($0) }))
                == expected)
    }

    @Test(arguments: [
        ("[1, null, 3]", LogicalType.array(.bigint), "[1,NULL,3]"),
        ("{\"a\": 1, \"b\": 2.6}", .map(key: .text, value: .bigint), "{a:1,b:3}"),
        (
            "{\"B\": \"x\"}",
            .row([RowField(name: "a", type: .bigint), RowField(name: "b", type: .text)]), "(NULL,x)"
        ),
        ("\"12\"", .bigint, "12"), ("1.25", .decimal(precision: 5, scale: 1), "13"),
        ("[1]", .bigint, "INVALID_CAST_ARGUMENT"), ("null", .bigint, "NULL"), ("\"a\"", .text, "a"),
    ])
    func castsFromJSON(_ source: String, _ type: LogicalType, _ expected: String) {
        #expect(value(.cast(.literal(text(source), .json), to: type, isSafe: false)) == expected)
    }

    @Test func castsToJSON() {
        let type = LogicalType.array(.row([RowField(name: "k", type: .text)]))
        let rows = LiteralValue.list([.row([text("a\"b")]), .null])
        #expect(
            value(.cast(.literal(rows, type), to: .json, isSafe: false))
                == "[{\"k\":\"a\\\"b\"},null]")
    }

    @Test func threeValuedLogic() {
        let unknown = BoundExpression.literal(.null, .boolean)
        let yes = BoundExpression.literal(.boolean(true), .boolean)
        let no = BoundExpression.literal(.boolean(false), .boolean)
        #expect(value(.and([yes, unknown])) == "NULL")
        #expect(value(.and([unknown, no])) == "false")
        #expect(value(.or([unknown, yes])) == "true")
        #expect(value(.or([no, unknown])) == "NULL")
        #expect(value(.not(unknown)) == "NULL")
        #expect(value(.inList(number(1), [number(2), .literal(.null, .bigint)])) == "NULL")
        #expect(value(.inList(number(2), [number(2), .literal(.null, .bigint)])) == "true")
        #expect(value(.comparison(.distinct, .literal(.null, .bigint), number(1))) == "true")
        #expect(value(.comparison(.notDistinct, unknown, unknown)) == "true")
    }

    /// A guard in front keeps what stands behind it from failing.
    @Test(arguments: Configuration.allCases)
    func guardsKeepBranchesFromFailing(_ configuration: Configuration) {
        let plans = Plans(configuration)
        let (plan, columns) = plans.table(
            [.bigint], (0..<500).map { [.integer(Int64($0 % 5))] })
        let quotient = BoundExpression.arithmetic(
            .divide, number(10), reference(columns[0]), type: .bigint)
        let isZero = BoundExpression.comparison(.equal, reference(columns[0]), number(0))
        let output = plans.column(.bigint)
        let guarded = LogicalPlan.project(
            plan,
            [
                Assignment(
                    column: output,
                    expression: .caseWhen(
                        [WhenBranch(condition: isZero, value: number(-1))], otherwise: quotient,
                        type: .bigint))
            ])
        #expect(Set(plans.sorted(guarded)) == ["-1", "10", "5", "3", "2"])
        let tried = LogicalPlan.project(
            plan, [Assignment(column: output, expression: .tryEvaluate(quotient))])
        #expect(plans.sorted(tried).filter { $0 == "NULL" }.count == 100)
        let filtered = LogicalPlan.filter(
            plan, predicate: .and([.not(isZero), .comparison(.greater, quotient, number(4))]))
        #expect(Set(plans.sorted(filtered)) == ["1", "2"])
        let bare = LogicalPlan.project(plan, [Assignment(column: output, expression: quotient)])
        #expect(plans.sorted(bare) == ["DIVISION_BY_ZERO"])
    }

    @Test func aCancelledQueryEnds() {
        let plans = Plans()
        let (plan, _) = plans.table(Sample.types, Sample(100).rows)
        let cancellation = Cancellation()
        cancellation.cancel(.clientCancelled)
        let execution = QueryExecution(
            plan, columns: plan.outputs, settings: plans.settings,
            session: SessionValues(startMicroseconds: 0), cancellation: cancellation)
        #expect(throws: QueryFault.self) { try execution.run(into: RowCollectorSink(Sample.types)) }
    }
}
