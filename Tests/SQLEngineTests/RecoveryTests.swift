import Iceberg
import SQLEngine
import TableCatalog
import Testing

/// What statements can be taken back, what they take in, and what they do not read.
struct RecoveryTests {
    private let at = CatalogReference(warehouse: "silver")

    private func identifier(_ name: String) -> TableIdentifier {
        TableIdentifier(namespace: ["sales"], name: name)
    }

    @Test func aDroppedTableComesBackWithItsRows() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t AS SELECT 1 a")
        try bench.ok("DROP TABLE t")
        #expect(try bench.run("SELECT * FROM t").code == "TABLE_NOT_FOUND")
        try bench.catalog.runPurges()
        try bench.catalog.undrop(bench.context, at, identifier("t"))
        #expect(try bench.rows("SELECT * FROM t") == ["1"])
        // The same within a transaction.
        try bench.begin()
        try bench.ok("DROP TABLE t")
        try bench.end("COMMIT")
        try bench.catalog.undrop(bench.context, at, identifier("t"))
        #expect(try bench.rows("SELECT * FROM t") == ["1"])
    }

    @Test func aSchemaGoesWholeOrNotAtAll() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE SCHEMA raw")
        try bench.ok("CREATE TABLE raw.a AS SELECT 1 x")
        try bench.ok("CREATE TABLE raw.b AS SELECT 2 x")
        try bench.ok("CREATE VIEW raw.v AS SELECT x FROM silver.raw.a")
        try bench.ok(
            "ALTER TABLE raw.b SET PROPERTIES "
                + "extra_properties = MAP(ARRAY['drop-protection'], ARRAY['true'])")
        #expect(try bench.run("DROP SCHEMA raw CASCADE").code == "NOT_SUPPORTED")
        #expect(try bench.rows("SELECT v.x + b.x FROM raw.v, raw.b") == ["3"])
        try bench.ok(
            "ALTER TABLE raw.b SET PROPERTIES "
                + "extra_properties = MAP(ARRAY['drop-protection'], ARRAY['false'])")
        try bench.ok("DROP SCHEMA raw CASCADE")
        #expect(try bench.run("SELECT * FROM raw.a").code == "SCHEMA_NOT_FOUND")
    }

    @Test func tablesAreRegisteredAndLetGo() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t AS SELECT 1 a")
        try bench.ok("INSERT INTO t VALUES 2")
        let place = try bench.catalog.loadTable(bench.context, at, identifier("t")).metadata
            .location
        func register(_ more: String = "") throws -> String? {
            try bench.run(
                "CALL silver.system.register_table(schema_name => 'sales', table_name => 'r', "
                    + "table_location => '\(place)'\(more))"
            ).code
        }
        #expect(try register() == "TABLE_ALREADY_EXISTS")
        try bench.ok("CALL system.unregister_table('sales', 't')")
        #expect(try bench.run("SELECT * FROM t").code == "TABLE_NOT_FOUND")
        #expect(try register(", metadata_file_name => 'a/b'") == "INVALID_ARGUMENTS")
        #expect(try register(", metadata_file_name => 'none.metadata.json'") == "NOT_FOUND")
        #expect(try register() == nil)
        #expect(try bench.rows("SELECT a FROM r ORDER BY 1") == ["1", "2"])
        #expect(
            try bench.run("CALL system.register_table('sales', 'x', 's3://silver/none')").code
                == "NOT_FOUND")
        #expect(
            try bench.run("CALL system.register_table('none', 'x', '\(place)')").code
                == "SCHEMA_NOT_FOUND")
    }

    @Test func filesOfAnotherTableAreNotReadInItsPlace() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE secret AS SELECT 1 a")
        try bench.ok("CREATE TABLE mine AS SELECT 2 a")
        let (catalog, context) = (bench.catalog, bench.context)
        let secret = try catalog.loadTable(context, at, identifier("secret")).metadata
        let plan = try TableScan(metadata: secret, snapshot: secret.currentSnapshot).plan(
            catalog.manifests)
        let foreign = try #require(plan.tasks.first?.file)
        _ = try catalog.commitFiles(
            context, at, identifier("mine"), .append, FileChanges(addedData: [foreign]))
        let answer = try bench.run("SELECT * FROM mine")
        #expect(answer.code == "PERMISSION_DENIED")
        #expect(answer.message.contains(foreign.path))
        #expect(try bench.run("UPDATE mine SET a = 3").code == "PERMISSION_DENIED")
        // Nor are they written anew as the table's own, what is the table's own is.
        try bench.ok("INSERT INTO mine VALUES 4")
        try bench.ok("ALTER TABLE mine EXECUTE optimize")
        #expect(try bench.run("SELECT * FROM mine").code == "PERMISSION_DENIED")
        // Who has a right to the folder lets the readers of the table in.
        try bench.ok(
            "ALTER TABLE mine SET PROPERTIES extra_properties = "
                + "MAP(ARRAY['lakehouse.read-places'], ARRAY['\(secret.location)'])")
        #expect(try bench.rows("SELECT * FROM mine ORDER BY 1") == ["1", "2", "4"])
        try bench.ok("TRUNCATE TABLE mine")
        #expect(try bench.rows("SELECT * FROM secret") == ["1"])
    }

    @Test(arguments: [1, 2, 3])
    func changesBetweenSnapshotsAreRows(version: Int) throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int, b varchar) WITH (format_version = \(version))")
        for statement in [
            "INSERT INTO t VALUES (0, 'before')",
            "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')",
            "DELETE FROM t WHERE a = 2", "ALTER TABLE t EXECUTE optimize",
            "DELETE FROM t WHERE a = 0",
        ] { try bench.ok(statement) }
        let ids = try bench.rows("SELECT snapshot_id FROM \"t$snapshots\" ORDER BY committed_at")
        let last = try #require(ids.last)
        func call(_ start: String, _ end: String, _ columns: String = "*") -> String {
            """
            SELECT \(columns) FROM TABLE(system.table_changes(schema_name => 'sales',
              table_name => 't', start_snapshot_id => \(start), end_snapshot_id => \(end)))
            """
        }
        let changes = try bench.rows(
            call(ids[0], last, "_change_type, a, b, _change_version_id, _change_ordinal")
                + " ORDER BY _change_ordinal, a, _change_type")
        // What format version 1 rewrites comes and goes; the others say only which rows went.
        let net = try bench.rows(
            "SELECT a, b, sum(IF(_change_type = 'insert', 1, -1)) FROM ("
                + call(ids[0], last) + ") GROUP BY 1, 2 HAVING "
                + "sum(IF(_change_type = 'insert', 1, -1)) <> 0 ORDER BY 1")
        #expect(net == ["0|before|-1", "1|x|1", "3|z|1"])
        if version > 1 {
            #expect(
                changes.map { $0.split(separator: "|").prefix(3).joined(separator: "|") } == [
                    "insert|1|x", "insert|2|y", "insert|3|z", "delete|2|y", "delete|0|before",
                ])
        }
        #expect(changes[0].hasSuffix("|\(ids[1])|0"))
        #expect(
            try bench.rows(call(ids[0], ids[1], "a") + " WHERE _change_type = 'insert' AND a > 1")
                .count == 2)
        #expect(
            try bench.rows(call(ids[0], last, "count(DISTINCT _change_timestamp)")) != ["0"])
        // Not backwards, not from nowhere, not without a table.
        #expect(try bench.run(call(last, ids[0])).code == "INVALID_FUNCTION_ARGUMENT")
        #expect(try bench.run(call("5", last)).code == "INVALID_FUNCTION_ARGUMENT")
        #expect(try bench.run(call("null", last)).code == "INVALID_FUNCTION_ARGUMENT")
        #expect(
            try bench.run("SELECT * FROM TABLE(system.table_changes('sales', 't', 1))").code
                == "MISSING_ARGUMENT")
        #expect(
            try bench.run("SELECT * FROM TABLE(system.table_changes('sales', 'none', 1, 2))").code
                == "TABLE_NOT_FOUND")
    }
}
