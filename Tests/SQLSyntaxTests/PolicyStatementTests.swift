import Diagnostics
import SQLSyntax
import Testing

/// Statements about policies: what is written comes back, and what is wrong is said where it is.
struct PolicyStatementTests {
    @Test(arguments: [
        "CREATE ROW FILTER west ON a.b.t FOR GROUP 'viewers' AS (region = 'West')",
        "CREATE OR REPLACE ROW FILTER f ON t FOR ALL EXCEPT ROLE 'admin', USER 'ana' AS (TRUE)",
        "CREATE MASK m ON a.b.t.pan FOR GROUP 'x', GROUP 'y' EXCEPT GROUP 'z' AS ('*')",
        "CREATE OR REPLACE MASK m ON TAG 'PII' FOR ALL AS (value)",
        "DROP ROW FILTER IF EXISTS f", "DROP MASK m", "ALTER TABLE t SET TAGS ()",
        "ALTER TABLE a.b.t ALTER COLUMN c SET TAGS ('PII', 'GEO')", "SHOW ROW FILTERS",
        "SHOW MASKS ON a.b.t", "SHOW TAGS", "SHOW EFFECTIVE ACCESS ON a.b.t FOR USER 'ana'",
    ])
    func `a statement comes back as it was written`(_ text: String) throws {
        let statement = try SQLParser.statement(text)
        #expect(SQLFormatter.format(statement) == text)
        guard case .policy = statement.kind else {
            Issue.record("not a policy: \(text)")
            return
        }
    }

    @Test func `the kind of a subject holds for those behind it`() throws {
        let statement = try SQLParser.statement(
            "CREATE MASK m ON t.a FOR GROUP x, y, ROLE z AS ('*')")
        guard case .policy(.createMask(_, _, let reach, _, _)) = statement.kind else { return }
        #expect(reach.subjects.map(\.kind) == ["GROUP", "GROUP", "ROLE"])
        #expect(reach.subjects.map(\.name) == ["x", "y", "z"])
    }

    @Test(arguments: [
        ("CREATE MASK m ON pan FOR ALL AS ('*')", 18),
        ("CREATE ROW FILTER f ON t FOR viewers AS (TRUE)", 30),
        ("CREATE ROW FILTER f ON t FOR ALL AS TRUE", 37),
        ("ALTER TABLE t SET TAGS (1)", 25),
    ])
    func `what is wrong is said where it is`(_ text: String, _ column: Int) {
        let error = #expect(throws: SQLSyntaxError.self) { try SQLParser.statement(text) }
        #expect(error?.span.column == column)
    }

    @Test func `other statements keep their words`() throws {
        for text in ["CREATE TABLE mask (a integer)", "SELECT mask FROM tags", "DROP TABLE mask"] {
            if case .policy = try SQLParser.statement(text).kind { Issue.record("\(text)") }
        }
    }
}
