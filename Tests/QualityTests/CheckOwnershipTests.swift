import Authority
import JSON
import SQLEngine
import SQLFunctions
import SQLPlanning
import TableCatalog
import Testing

@testable import Quality

/// Whose a check is when tables change their names.
struct CheckOwnershipTests {
    private static let first = #"c1 {"column":"id"}"#
    private static let second = #"c1 {"column":"note"}"#

    @Test func `who makes a table at the old name of another gets no hold of its checks`() throws {
        let bench = try ChecksBench()
        try bench.sql("CREATE TABLE team.t (id integer, note varchar)")
        try bench.sql("CREATE CHECK c1 ON team.t USING not_null WITH (column = 'id')")
        try bench.sql("ALTER TABLE team.t RENAME TO prod.t")
        for action in [Action.tableAlter, .tableSelect] {
            bench.rights.deny("dan", action, "silver.prod.t")
        }
        try bench.sql("CREATE TABLE team.t (id integer, note varchar)", as: "dan")
        // It stays on the name too, as policies do; but it is another table's.
        #expect(try bench.declared("team.t") == [Self.first])
        #expect(bench.code("DROP CHECK c1 ON team.t", as: "dan") == "NOT_FOUND")
        #expect(bench.code("DROP CHECK IF EXISTS c1 ON team.t", as: "dan") == "NOT_FOUND")
        #expect(try bench.declared("prod.t") == [Self.first])
        let replace = "CREATE OR REPLACE CHECK c1 ON team.t USING not_null WITH (column = 'note')"
        try bench.sql(replace, as: "dan")
        #expect(try bench.declared("team.t") == [Self.second])
        #expect(try bench.declared("prod.t") == [Self.first])
        try bench.sql("DROP CHECK c1 ON team.t", as: "dan")
        #expect(try bench.declared("prod.t") == [Self.first])
        // Once the table is gone its check is only the name's.
        try bench.sql("DROP TABLE prod.t")
        try bench.sql("DROP CHECK c1 ON team.t", as: "dan")
        #expect(try bench.declared("team.t") == [])
    }

    @Test func `tables that swap their names keep their own checks`() throws {
        let bench = try ChecksBench()
        for (table, column) in [("t", "id"), ("t_new", "note")] {
            try bench.sql("CREATE TABLE \(table) (id integer, note varchar)")
            try bench.sql("CREATE CHECK c1 ON \(table) USING not_null WITH (column = '\(column)')")
        }
        try bench.sql("ALTER TABLE t RENAME TO t_old")
        try bench.sql("ALTER TABLE t_new RENAME TO t")
        #expect(try bench.declared("t") == [Self.second])
        #expect(try bench.declared("t_old") == [Self.first])
        try bench.sql("DROP CHECK c1 ON t")
        #expect(try bench.declared("t_old") == [Self.first])
        #expect(bench.code("DROP CHECK c1 ON t") == "NOT_FOUND")
        try bench.sql("DROP CHECK c1 ON t_old")
        #expect(try bench.declared("t") == [])
    }

    @Test func `who may alter but not read a table declares checks that follow it`() throws {
        let bench = try ChecksBench()
        try bench.sql("CREATE TABLE t (id integer, note varchar)")
        bench.rights.deny("dan", .tableSelect, "silver.team.t")
        let table = TableName(catalog: "silver", schema: "team", table: "t")
        func declare(_ column: String) throws {
            try bench.checks.create(
                ChecksBench.context("dan"), table: table, name: "c1", kind: "not_null",
                options: JSONObject([("column", .string(column))]), replaces: true,
                mayExist: false
            ) { _, _ in throw QueryFault(.permissionDenied, "Access Denied") }
        }
        try declare("id")
        try declare("note")
        #expect(bench.rights.refusals == [])
        try bench.sql("ALTER TABLE t RENAME TO prod.u")
        #expect(try bench.declared("prod.u") == [Self.second])
        bench.rights.deny("dan", .tableSelect, "silver.prod.u")
        let moved = TableName(catalog: "silver", schema: "prod", table: "u")
        #expect(try bench.checks.drop(ChecksBench.context("dan"), table: moved, name: "c1"))
        #expect(bench.rights.refusals == [])
    }

    @Test func `a catalog that fails is not taken for a table that is not there`() throws {
        let bench = try ChecksBench()
        try bench.sql("CREATE TABLE t (id integer)")
        bench.catalog.close()
        let table = TableName(catalog: "silver", schema: "team", table: "t")
        #expect(throws: (any Error).self) {
            try bench.checks.drop(ChecksBench.context("boss"), table: table, name: "c1")
        }
    }
}
