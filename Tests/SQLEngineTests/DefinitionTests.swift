import Authority
import Iceberg
import JSON
import SQLEngine
import TableCatalog
import Testing

struct DefinitionTests {
    @Test func tablesAreCreatedDescribedAndDropped() throws {
        let bench = try EngineBench()
        let created = try bench.ok(
            """
            CREATE TABLE orders (id bigint NOT NULL, amount decimal(12,2), note varchar(10) COMMENT 'free',
              at timestamp(3), tags array(varchar), kind tinyint)
            COMMENT 'all orders'
            WITH (partitioning = ARRAY['day(at)', 'bucket(id, 4)'], sorted_by = ARRAY['id DESC'],
              target_max_file_size = '64MB')
            """)
        #expect(created.updateType == "CREATE TABLE")
        #expect(created.count == nil)
        #expect(
            try bench.rows("DESCRIBE orders") == [
                "id|bigint||", "amount|decimal(12,2)||", "note|varchar||free",
                "at|timestamp(6)||", "tags|array(varchar)||", "kind|integer||",
            ])
        let shown = try bench.rows("SHOW CREATE TABLE orders")[0]
        #expect(shown.hasPrefix("CREATE TABLE silver.sales.orders (\n   id bigint NOT NULL,"))
        #expect(shown.contains("COMMENT 'all orders'"))
        #expect(shown.contains("partitioning = ARRAY['day(at)', 'bucket(id, 4)']"))
        #expect(shown.contains("sorted_by = ARRAY['id DESC NULLS LAST']"))
        #expect(shown.contains("target_max_file_size = '67108864B'"))
        #expect(try bench.run("CREATE TABLE orders (a int)").code == "TABLE_ALREADY_EXISTS")
        try bench.ok("CREATE TABLE IF NOT EXISTS orders (a int)")
        #expect(try bench.rows("SHOW TABLES LIKE 'ord%'") == ["orders"])
        try bench.ok("CREATE TABLE copy (LIKE orders INCLUDING PROPERTIES, extra boolean)")
        #expect(try bench.rows("SHOW COLUMNS FROM copy LIKE 'e%'") == ["extra|boolean||"])
        #expect(try bench.rows("SHOW CREATE TABLE copy")[0].contains("'bucket(id, 4)'"))
        try bench.ok("DROP TABLE orders")
        #expect(try bench.run("DROP TABLE orders").code == "TABLE_NOT_FOUND")
        try bench.ok("DROP TABLE IF EXISTS orders")
        #expect(try bench.run("SELECT * FROM orders").code == "TABLE_NOT_FOUND")
    }

    @Test(arguments: [
        ("CREATE TABLE t (a int) WITH (partitionning = ARRAY['a'])", "INVALID_TABLE_PROPERTY"),
        ("CREATE TABLE t (a int) WITH (partitioning = ARRAY['b'])", "INVALID_TABLE_PROPERTY"),
        ("CREATE TABLE t (a int) WITH (partitioning = ARRAY['day(a)'])", "INVALID_TABLE_PROPERTY"),
        ("CREATE TABLE t (a int) WITH (format_version = 9)", "INVALID_TABLE_PROPERTY"),
        ("CREATE TABLE t (a int) WITH (format = 'ORC')", "NOT_SUPPORTED"),
        ("CREATE TABLE t (a int) WITH (target_max_file_size = 'big')", "INVALID_TABLE_PROPERTY"),
        ("CREATE TABLE t (a int, A bigint)", "DUPLICATE_COLUMN_NAME"),
        ("CREATE TABLE t (a json)", "NOT_SUPPORTED"),
        ("CREATE TABLE t (a nothing)", "TYPE_MISMATCH"),
        ("CREATE TABLE nowhere.t (a int)", "SCHEMA_NOT_FOUND"),
        ("CREATE TABLE gold.x.t (a int)", "CATALOG_NOT_FOUND"),
        ("CREATE TABLE system.runtime.t (a int)", "NOT_SUPPORTED"),
        ("ALTER TABLE missing ADD COLUMN b int", "TABLE_NOT_FOUND"),
        ("GRANT SELECT ON t TO bob", "NOT_SUPPORTED"),
        ("REFRESH MATERIALIZED VIEW m", "TABLE_NOT_FOUND"),
        ("ANALYZE t", "TABLE_NOT_FOUND"),
    ])
    func refusalsHaveTheirCodes(_ sql: String, _ code: String) throws {
        #expect(try EngineBench().run(sql).code == code)
    }

    @Test func aMisspelledPropertyNamesTheNearest() throws {
        let answer = try EngineBench().run(
            "CREATE TABLE t (a int) WITH (partitionning = ARRAY['a'])")
        #expect(answer.hint == "did you mean partitioning?")
    }

    @Test func schemasComeAndGo() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE SCHEMA raw")
        #expect(try bench.run("CREATE SCHEMA raw").code == "SCHEMA_ALREADY_EXISTS")
        try bench.ok("CREATE SCHEMA IF NOT EXISTS silver.raw")
        #expect(
            try bench.rows("SHOW SCHEMAS FROM silver") == ["information_schema", "raw", "sales"])
        try bench.ok("CREATE TABLE raw.t (a int)")
        try bench.ok("CREATE VIEW raw.v AS SELECT 1 AS one")
        #expect(try bench.run("DROP SCHEMA raw").code == "SCHEMA_NOT_EMPTY")
        #expect(try bench.ok("DROP SCHEMA raw CASCADE").updateType == "DROP SCHEMA")
        #expect(try bench.run("DROP SCHEMA raw").code == "SCHEMA_NOT_FOUND")
        try bench.ok("DROP SCHEMA IF EXISTS raw")
        #expect(try bench.rows("SHOW CREATE SCHEMA sales") == ["CREATE SCHEMA silver.sales"])
    }

    @Test func columnsEvolveAndOldRowsFollow() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int NOT NULL, b real, r row(x int, y varchar))")
        try bench.ok("INSERT INTO t VALUES (1, 1.5, ROW(7, 'q'))")
        try bench.ok("ALTER TABLE t ADD COLUMN c varchar COMMENT 'new' AFTER a")
        try bench.ok("ALTER TABLE t ADD COLUMN r.z bigint")
        try bench.ok("ALTER TABLE t RENAME COLUMN b TO share")
        try bench.ok("ALTER TABLE t ALTER COLUMN a SET DATA TYPE bigint")
        try bench.ok("ALTER TABLE t ALTER COLUMN share SET DATA TYPE double")
        try bench.ok("ALTER TABLE t ALTER COLUMN a DROP NOT NULL")
        try bench.ok("COMMENT ON COLUMN t.share IS 'part'")
        #expect(
            try bench.rows("DESCRIBE t") == [
                "a|bigint||", "c|varchar||new", "share|double||part",
                "r|row(x integer, y varchar, z bigint)||",
            ])
        try bench.ok("INSERT INTO t VALUES (NULL, 'k', 2.5, ROW(8, 'r', 9))")
        #expect(
            try bench.rows("SELECT a, c, share, r.x, r.z FROM t ORDER BY share") == [
                "1|NULL|1.5|7|NULL", "NULL|k|2.5|8|9",
            ])
        try bench.ok("ALTER TABLE t DROP COLUMN r.y")
        try bench.ok("ALTER TABLE t DROP COLUMN IF EXISTS nothing")
        try bench.ok("ALTER TABLE t ADD COLUMN IF NOT EXISTS c int")
        #expect(try bench.run("ALTER TABLE t ADD COLUMN c int").code == "COLUMN_ALREADY_EXISTS")
        #expect(try bench.run("ALTER TABLE t DROP COLUMN nothing").code == "COLUMN_NOT_FOUND")
        #expect(
            try bench.run("ALTER TABLE t ALTER COLUMN a SET DATA TYPE varchar").code
                == "NOT_SUPPORTED")
        #expect(try bench.run("ALTER TABLE t ADD COLUMN d int NOT NULL").code == "NOT_SUPPORTED")
        try bench.ok("ALTER TABLE t RENAME TO u")
        #expect(try bench.rows("SELECT count(*) FROM u") == ["2"])
        #expect(try bench.run("SELECT 1 FROM t").code == "TABLE_NOT_FOUND")
    }

    @Test func partitioningChangesForNewRows() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int, region varchar)")
        try bench.ok("INSERT INTO t VALUES (1, 'EU'), (2, 'US')")
        try bench.ok("ALTER TABLE t SET PROPERTIES partitioning = ARRAY['region']")
        try bench.ok("INSERT INTO t VALUES (3, 'EU'), (4, 'US')")
        #expect(try bench.rows("SELECT count(*) FROM \"t$files\"") == ["3"])
        #expect(try bench.rows("SELECT a FROM t WHERE region = 'EU' ORDER BY a") == ["1", "3"])
        #expect(try bench.run("ALTER TABLE t DROP COLUMN region").code == "NOT_SUPPORTED")
        let location = "ALTER TABLE t SET PROPERTIES location = 's3://silver/x'"
        #expect(try bench.run(location).code == "NOT_SUPPORTED")
    }

    @Test func viewsKeepTheirTypesAndSecurity() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int, b varchar)")
        try bench.ok("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        let sql =
            "CREATE VIEW v COMMENT 'small' SECURITY INVOKER AS SELECT a + 1 AS next, 'ab' AS lit FROM t"
        #expect(try bench.ok(sql).updateType == "CREATE VIEW")
        #expect(try bench.run(sql).code == "TABLE_ALREADY_EXISTS")
        #expect(try bench.rows("DESCRIBE v") == ["next|integer||", "lit|varchar(2)||"])
        #expect(try bench.rows("SELECT next FROM v ORDER BY 1") == ["2", "3"])
        let shown = try bench.rows("SHOW CREATE VIEW v")[0]
        #expect(shown.hasPrefix("CREATE VIEW silver.sales.v COMMENT 'small' SECURITY INVOKER AS\n"))
        try bench.ok("CREATE OR REPLACE VIEW v AS SELECT b FROM t")
        #expect(try bench.rows("SELECT b FROM v ORDER BY 1") == ["x", "y"])
        #expect(try bench.rows("SHOW CREATE VIEW v")[0].contains("SECURITY DEFINER"))
        try bench.ok("COMMENT ON COLUMN v.b IS 'letter'")
        #expect(try bench.rows("DESCRIBE v") == ["b|varchar||letter"])
        try bench.ok("ALTER VIEW v RENAME TO w")
        #expect(try bench.run("DROP VIEW v").code == "TABLE_NOT_FOUND")
        #expect(try bench.run("DROP TABLE w").code == "TABLE_NOT_FOUND")
        try bench.ok("DROP VIEW w")
        #expect(try bench.run("CREATE VIEW x AS SELECT 1").code == "MISSING_COLUMN_NAME")
        #expect(try bench.run("CREATE VIEW x AS SELECT 1 a, 2 a").code == "DUPLICATE_COLUMN_NAME")
        #expect(try bench.run("CREATE VIEW x AS SELECT nope FROM t").code == "COLUMN_NOT_FOUND")
    }

    @Test func aViewNeverRunsWithRightsThatItsWriterDidNotHave() throws {
        let bench = try EngineBench()
        let ann = RequestContext(
            principal: Principal(id: "u1", name: "ann", kind: .user), requestID: "r", door: .catalog
        )
        let bob = RequestContext(
            principal: Principal(id: "u2", name: "bob", kind: .user), requestID: "r", door: .catalog
        )
        let at = CatalogReference(warehouse: "silver")
        let name = TableIdentifier(namespace: ["sales"], name: "v")
        try bench.ok("CREATE VIEW base AS SELECT 1 AS a")
        let made = try bench.catalog.loadView(
            bench.context, at, TableIdentifier(namespace: ["sales"], name: "base")
        ).metadata
        let version = try #require(made.currentVersion)
        let schema = try #require(made.currentSchema)
        let definer = Catalog.definerProperty
        #expect(throws: CatalogError.self) {
            try bench.catalog.createView(
                bob, at, name, schema: schema, version: version, properties: [definer: "u1"])
        }
        _ = try bench.catalog.createView(
            ann, at, name, schema: schema, version: version, properties: [definer: "u1"])
        #expect(throws: CatalogError.self) {
            try bench.catalog.commitView(
                ann, at, name, requirements: [], updates: [.setProperties([definer: "u2"])])
        }
        var changed = version
        changed.representations = [
            JSONObject([("type", "sql"), ("sql", "SELECT 2 AS a"), ("dialect", "trino")])
        ]
        let after = try bench.catalog.commitView(
            bob, at, name, requirements: [],
            updates: [
                .setProperties([definer: "u1"]), .addVersion(changed), .setCurrentVersion(-1),
            ])
        #expect(after.metadata.properties[definer] == nil)
    }

    @Test func deniedActionsAreRefused() throws {
        let bench = try EngineBench(denied: [.tableDrop, .tableAlter, .tableInsert])
        try bench.ok("CREATE TABLE t (a int)")
        for sql in [
            "DROP TABLE t", "ALTER TABLE t ADD COLUMN b int", "INSERT INTO t VALUES (1)",
            "ALTER TABLE t RENAME TO u", "COMMENT ON TABLE t IS 'x'",
        ] {
            #expect(try bench.run(sql).code == "PERMISSION_DENIED")
        }
    }
}
