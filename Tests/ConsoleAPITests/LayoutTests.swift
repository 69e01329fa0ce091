import Testing

@testable import ConsoleAPI

@Suite struct LayoutTests {
    @Test(
        "Rows that deletes hide are not counted",
        arguments: [
            (["total-records": "10"], 10, true),
            (["total-records": "10", "total-position-deletes": "3"], 7, true),
            (["total-records": "10", "total-equality-deletes": "1"], 10, false),
        ] as [([String: String], Int64, Bool)])
    func rowCounts(summary: [String: String], count: Int64, isExact: Bool) {
        let found = RowCount(summary)
        #expect(found?.count == count && found?.isExact == isExact)
    }

    @Test("Without the number there is none, and nonsense is no number")
    func noRowCount() {
        #expect(RowCount([:]) == nil)
        #expect(RowCount(["total-records": "1", "total-position-deletes": "2"]) == nil)
    }

    @Test("A list of statements leaves out what tools say in front")
    func statementLines() {
        #expect(statementLine("/* {\"app\": \"dbt\"} */\n  select 1") == "select 1")
        #expect(statementLine("/* all of it */") == "/* all of it */")
        #expect(statementLine("/* open select 1") == "/* open select 1")
    }

    @Test("What pages ask for themselves is not what people ask")
    func sources() {
        func isOfPage(_ source: String) -> Bool {
            QuerySummary(
                id: "q", sql: "select 1", user: "ada", state: "FINISHED", createdMicroseconds: 0,
                elapsedMilliseconds: 0, rowCount: 0, source: source
            ).isOfPage
        }
        #expect(["trace", "table page", "dashboard sales"].allSatisfy(isOfPage))
        #expect(!["", "SQL page", "trino-python-client", "pipeline"].contains(where: isOfPage))
    }
}
