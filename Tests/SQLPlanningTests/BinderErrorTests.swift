import SQLFunctions
import SQLPlanning
import Testing

/// Faults of analysis: Trino's codes and sentences, with the place.
struct BinderErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var sql: String
        var code: QueryFault.Code
        var message: String
        var testDescription: String { sql }
    }

    static let cases: [Case] = [
        Case(
            sql: "select n_nam from nation", code: .columnNotFound,
            message: "line 1:8: Column 'n_nam' cannot be resolved"),
        Case(
            sql: "select x.n_name from nation n", code: .columnNotFound,
            message: "line 1:8: Column 'x.n_name' cannot be resolved"),
        Case(
            sql: "select n_name from nation a, nation b", code: .ambiguousName,
            message: "line 1:8: Column 'n_name' is ambiguous"),
        Case(
            sql: "select abs('a') from nation", code: .functionNotFound,
            message:
                "line 1:8: Unexpected parameters (varchar(1)) for function abs. Expected: abs(number)"
        ),
        Case(
            sql: "select nosuch(1)", code: .functionNotFound,
            message: "line 1:8: Function 'nosuch' not registered"),
        Case(
            sql: "select 1 + 'a'", code: .typeMismatch,
            message: "line 1:8: Cannot apply operator: integer + varchar(1)"),
        Case(
            sql: "select * from nation where 1", code: .typeMismatch,
            message: "line 1:28: WHERE clause must evaluate to a boolean: actual type integer"),
        Case(
            sql: "select n_name, count(*) from nation", code: .expressionNotAggregate,
            message:
                "line 1:8: 'n_name' must be an aggregate expression or appear in GROUP BY clause"),
        Case(
            sql: "select sum(sum(n_nationkey)) from nation", code: .nestedAggregation,
            message: "line 1:8: Cannot nest aggregations inside aggregation 'sum': [sum]"),
        Case(
            sql: "select n_name from nation where sum(n_nationkey) > 1", code: .expressionNotScalar,
            message:
                "line 1:33: WHERE clause cannot contain aggregations, window functions or grouping operations: [sum]"
        ),
        Case(
            sql: "select rank() from nation", code: .missingOver,
            message: "line 1:8: Window function rank requires an OVER clause"),
        Case(
            sql: "select 1 union select 1, 2", code: .typeMismatch,
            message: "line 1:1: UNION query has different number of fields: 1, 2"),
        Case(
            sql: "select * from nosuch", code: .tableNotFound,
            message: "line 1:15: Table 'silver.main.nosuch' does not exist"),
        Case(
            sql: "select n_name from nation order by 2", code: .invalidColumnReference,
            message: "line 1:36: ORDER BY position 2 is not in select list"),
        Case(
            sql: "select distinct n_name from nation order by n_nationkey",
            code: .expressionNotInDistinct,
            message:
                "line 1:45: For SELECT DISTINCT, ORDER BY expressions must appear in select list"),
        Case(
            sql: "select * from (values (1, 2)) t (a)", code: .mismatchedColumnAliases,
            message: "line 1:31: Column alias list has 1 entries but 't' has 2 columns available"),
        Case(
            sql: "select date 'x'", code: .invalidLiteral,
            message: "line 1:8: 'x' is not a valid DATE literal"),
        Case(
            sql: "select cast(1 as date)", code: .typeMismatch,
            message: "line 1:8: Cannot cast integer to date"),
        Case(
            sql: "select case when true then 1 else 'a' end", code: .typeMismatch,
            message:
                "line 1:8: All CASE results must be the same type or coercible to a common type. "
                + "Cannot find common type between integer and varchar(1), all types (without duplicates): "
                + "[integer, varchar(1)]"),
        Case(
            sql: "insert into nation (n_name) values (1)", code: .typeMismatch,
            message:
                "line 1:13: Insert query has mismatched column types: Table: [varchar], Query: [integer]"
        ),
    ]

    @Test("a fault has Trino's code, sentence and place", arguments: cases)
    func fault(_ item: Case) throws {
        do {
            _ = try Planning(catalog: tpch).statement(item.sql)
            Issue.record("no fault")
        } catch let fault as QueryFault {
            #expect(fault.code == item.code)
            #expect(fault.message == item.message)
        }
    }

    @Test("a misspelt column has a hint")
    func hint() throws {
        do {
            _ = try Planning(catalog: tpch).query("select n_nmae from nation")
            Issue.record("no fault")
        } catch let fault as QueryFault {
            #expect(fault.hint == "did you mean n_name?")
        }
    }
}
