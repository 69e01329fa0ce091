import Authority
import SQLEngine
import SQLPlanning
import TableCatalog
import Testing

@testable import Quality

/// Who sees the rows that checks find.
struct ResultSightTests {
    private static let kinds = [
        ("custom_sql", "sql = 'SELECT * FROM prod.accounts'"),
        ("reconcile", "expression = 'sum(id)', sql = 'SELECT sum(id) FROM prod.accounts'"),
        ("relationships", "column = 'id', to = 'silver.prod.accounts', field = 'id'"),
        ("custom_sql", "condition = 'id IN (SELECT id FROM prod.accounts WHERE id > 1)'"),
        ("positive", "column = 'id', where = 'id NOT IN (SELECT id FROM prod.accounts)'"),
    ]

    private func bench(_ kind: (String, String)) throws -> ChecksBench {
        let bench = try ChecksBench()
        try bench.sql("CREATE TABLE t AS SELECT * FROM (VALUES -1) AS v (id)")
        try bench.sql("CREATE TABLE prod.accounts AS SELECT * FROM (VALUES 1, 7001) AS v (id)")
        try bench.sql("CREATE CHECK c ON t USING \(kind.0) WITH (\(kind.1))")
        try bench.sql("RUN CHECKS ON t")
        return bench
    }

    private func result(_ bench: ChecksBench, _ name: String) throws -> CheckOutcome {
        try #require(try bench.checks.results(ChecksBench.context(name)).first)
    }

    @Test(arguments: kinds)
    func `rows of a compared table are shown to those who see all of it`(
        _ kind: (String, String)
    ) throws {
        let bench = try bench(kind)
        let whole = try result(bench, "ana")
        #expect(whole.status == "failed" && !whole.message.hasPrefix("hidden"), "\(whole)")
        bench.rights.filter("vic", "silver.prod.accounts")
        bench.rights.deny("dan", .tableSelect, "silver.prod.accounts")
        for name in ["vic", "dan"] {
            let seen = try result(bench, name)
            #expect(seen.samples == "[]" && seen.message.hasPrefix("hidden"), "\(seen)")
            #expect(seen.failingRows == whole.failingRows && seen.status == "failed")
        }
        // Another table of the name says nothing of the one that was compared.
        try bench.sql("DROP TABLE prod.accounts")
        try bench.sql("CREATE TABLE prod.accounts AS SELECT 1 AS id")
        #expect(try result(bench, "ana").samples == "[]")
    }

    @Test func `rows of the table itself are not shown for another table of its name`() throws {
        let bench = try bench(("positive", "column = 'id'"))
        #expect(try result(bench, "dan").samples == #"[{"id":"-1"}]"#)
        bench.rights.deny("dan", .tableSelect, "silver.prod.t")
        try bench.sql("ALTER TABLE t RENAME TO prod.t")
        try bench.sql("CREATE TABLE t (id integer)", as: "dan")
        #expect(try result(bench, "dan").samples == "[]")
    }

    @Test func `what reads no table can be shown to all`() throws {
        let bench = try bench(("reconcile", "expression = 'count(*)', sql = 'SELECT 5'"))
        #expect(try result(bench, "dan").message.hasPrefix("count(*) is 1"))
    }
}
