import SQLSyntax
import Testing

/// Branches, tags and checks: what is read is written, and read again.
struct ReferenceStatementTests {
    @Test(arguments: [
        ("create branch etl", "CREATE BRANCH etl"),
        (
            "CREATE BRANCH IF NOT EXISTS etl IN silver FROM main",
            "CREATE BRANCH IF NOT EXISTS etl IN CATALOG silver FROM main"
        ),
        ("create tag v1 in catalog silver", "CREATE TAG v1 IN CATALOG silver"),
        ("create branch b in table t from main", "CREATE BRANCH b IN TABLE t FROM main"),
        ("drop branch if exists etl in silver", "DROP BRANCH IF EXISTS etl IN CATALOG silver"),
        ("drop branch b in table s.t", "DROP BRANCH b IN TABLE s.t"),
        ("drop tag v1", "DROP TAG v1"),
        (
            "merge branch etl in silver into main and drop dry run",
            "MERGE BRANCH etl IN CATALOG silver INTO main AND DROP DRY RUN"
        ),
        ("merge branch etl", "MERGE BRANCH etl"),
        ("show branches", "SHOW BRANCHES"),
        ("show branches from silver", "SHOW BRANCHES IN CATALOG silver"),
        ("show branches from table t", "SHOW BRANCHES FROM TABLE t"),
        ("show branches in s.t", "SHOW BRANCHES FROM TABLE s.t"),
        ("show tags in catalog silver", "SHOW TAGS IN CATALOG silver"),
        ("show branch changes etl in silver", "SHOW BRANCH CHANGES etl IN CATALOG silver"),
        ("show branch log etl", "SHOW BRANCH LOG etl"),
        (
            "create or replace check c on s.t using range with (column = 'a', min = 1)",
            "CREATE OR REPLACE CHECK c ON s.t USING range WITH (column = 'a', min = 1)"
        ),
        (
            "create check c on t using accepted_values with (column = 'a', values = array['x'], WHERE = 'b')",
            "CREATE CHECK c ON t USING accepted_values WITH (column = 'a', \"values\" = ARRAY['x'], "
                + "\"where\" = 'b')"
        ),
        (
            "create check if not exists c on t using not_null",
            "CREATE CHECK IF NOT EXISTS c ON t USING not_null"
        ),
        ("drop check if exists c on t", "DROP CHECK IF EXISTS c ON t"),
        ("show checks", "SHOW CHECKS"), ("show checks on t", "SHOW CHECKS ON t"),
        ("run checks on t", "RUN CHECKS ON t"),
        ("run checks (a, b) on t", "RUN CHECKS (a, b) ON t"),
    ])
    func roundTrip(_ text: String, _ written: String) throws {
        let statement = try SQLParser.statement(text)
        #expect(SQLFormatter.format(statement) == written)
        #expect(try SQLParser.statement(written) == statement)
    }

    @Test func plainNamesStayFree() throws {
        _ = try SQLParser.statement("select run, checks, tag, check from branch as merge")
    }
}
