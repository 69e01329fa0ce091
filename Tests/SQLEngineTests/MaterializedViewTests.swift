import SQLEngine
import Testing

struct MaterializedViewTests {
    private func bench() throws -> EngineBench {
        let bench = try EngineBench()
        try bench.ok(
            """
            CREATE TABLE orders AS SELECT * FROM
                (VALUES (1, 'a', 10), (2, 'b', 20), (3, 'a', 30)) t (id, customer, price)
            """)
        return bench
    }

    private func freshness(_ bench: EngineBench, _ name: String) throws -> [String] {
        try bench.rows(
            """
            SELECT freshness FROM system.metadata.materialized_views
            WHERE catalog_name = 'silver' AND schema_name = 'sales' AND name = '\(name)'
            """)
    }

    @Test func itIsAViewUntilItsFirstRefreshAndAKeptResultFromThenOn() throws {
        let bench = try bench()
        try bench.ok(
            """
            CREATE MATERIALIZED VIEW totals AS
            SELECT customer, sum(price) AS total FROM orders GROUP BY customer
            """)
        let sql = "SELECT customer, total FROM totals ORDER BY customer"
        #expect(try bench.rows(sql) == ["a|40", "b|20"])
        #expect(try freshness(bench, "totals") == ["STALE"])
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW totals").count == 2)
        #expect(try freshness(bench, "totals") == ["FRESH"])
        #expect(try bench.rows(sql) == ["a|40", "b|20"])
        try bench.ok("INSERT INTO orders VALUES (4, 'c', 40)")
        #expect(try freshness(bench, "totals") == ["STALE"])
        // Without a grace period a kept result may be read however old it is.
        #expect(try bench.rows(sql) == ["a|40", "b|20"])
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW totals").count == 3)
        #expect(try bench.rows(sql) == ["a|40", "b|20", "c|40"])
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW totals").count == 0)
    }

    @Test func beyondTheGracePeriodTheDefinitionIsRead() throws {
        let bench = try bench()
        try bench.ok(
            """
            CREATE MATERIALIZED VIEW now_or_never GRACE PERIOD INTERVAL '0' SECOND AS
            SELECT count(*) AS n FROM orders
            """)
        try bench.ok(
            """
            CREATE MATERIALIZED VIEW later GRACE PERIOD INTERVAL '1' DAY AS
            SELECT count(*) AS n FROM orders
            """)
        try bench.ok(
            """
            CREATE MATERIALIZED VIEW strict GRACE PERIOD INTERVAL '0' SECOND WHEN STALE FAIL AS
            SELECT count(*) AS n FROM orders
            """)
        #expect(try bench.run("SELECT n FROM strict").code == "VIEW_IS_STALE")
        for name in ["now_or_never", "later", "strict"] {
            try bench.ok("REFRESH MATERIALIZED VIEW \(name)")
            #expect(try bench.rows("SELECT n FROM \(name)") == ["3"])
        }
        try bench.ok("DELETE FROM orders WHERE id = 1")
        #expect(try bench.rows("SELECT n FROM now_or_never") == ["2"])
        #expect(try bench.rows("SELECT n FROM later") == ["3"])
        #expect(try bench.run("SELECT n FROM strict").code == "VIEW_IS_STALE")
    }

    @Test func appendsToOneFilteredTableAreRefreshedAlone() throws {
        let bench = try bench()
        try bench.ok(
            """
            CREATE MATERIALIZED VIEW large AS
            SELECT id, price * 2 AS twice FROM orders WHERE price >= 20
            """)
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW large").count == 2)
        try bench.ok("INSERT INTO orders VALUES (4, 'c', 40), (5, 'c', 5)")
        try bench.ok("INSERT INTO orders VALUES (6, 'd', 60)")
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW large").count == 2)
        let sql = "SELECT id, twice FROM large ORDER BY id"
        #expect(try bench.rows(sql) == ["2|40", "3|60", "4|80", "6|120"])
        // Nothing that the filter lets through: fresh again, with no rows.
        try bench.ok("INSERT INTO orders VALUES (7, 'e', 1)")
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW large").count == 0)
        #expect(try freshness(bench, "large") == ["FRESH"])
        // A row that goes makes all of it new.
        try bench.ok("DELETE FROM orders WHERE id = 2")
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW large").count == 3)
        #expect(try bench.rows(sql) == ["3|60", "4|80", "6|120"])
        try bench.ok("INSERT INTO orders VALUES (8, 'f', 80)")
        bench.session.properties["silver.incremental_refresh_enabled"] = "false"
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW large").count == 4)
    }

    @Test func tableChangesThatAreNoCommitsOfRowsMakeItStaleToo() throws {
        let bench = try bench()
        try bench.ok("CREATE VIEW base AS SELECT id FROM orders")
        try bench.ok("CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM base")
        try bench.ok("REFRESH MATERIALIZED VIEW m")
        #expect(try freshness(bench, "m") == ["FRESH"])
        try bench.ok("CREATE OR REPLACE VIEW base AS SELECT id FROM orders WHERE id > 1")
        #expect(try freshness(bench, "m") == ["STALE"])
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW m").count == 1)
        #expect(try bench.rows("SELECT n FROM m") == ["2"])
        try bench.ok("DROP TABLE orders")
        try bench.ok("CREATE TABLE orders AS SELECT 5 AS id")
        #expect(try freshness(bench, "m") == ["STALE"])
    }

    @Test func sourcesWithoutStatesAreUnknown() throws {
        let bench = try bench()
        try bench.ok(
            "CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM system.metadata.catalogs")
        try bench.ok("REFRESH MATERIALIZED VIEW m")
        #expect(try freshness(bench, "m") == ["UNKNOWN"])
        #expect(try bench.rows("SELECT n FROM m") == ["2"])
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW m").count == 1)
    }

    @Test func typesAreTheDefinitionsOwn() throws {
        let bench = try bench()
        try bench.ok(
            """
            CREATE MATERIALIZED VIEW m AS
            SELECT CAST('ab' AS varchar(3)) AS v, CAST(7 AS tinyint) AS t,
                TIMESTAMP '2024-01-02 03:04:05.123' AS s, ARRAY[1, NULL] AS l
            """)
        let types = """
            SELECT typeof(v), typeof(t), typeof(s), typeof(l), v, cast(s as varchar),
                cast(l as json) = JSON '[1,null]' FROM m
            """
        let row = "varchar(3)|tinyint|timestamp(3)|array(integer)|ab|2024-01-02 03:04:05.123|true"
        #expect(try bench.rows(types) == [row])
        try bench.ok("REFRESH MATERIALIZED VIEW m")
        #expect(try freshness(bench, "m") == ["FRESH"])
        #expect(try bench.rows(types) == [row])
    }

    @Test func itIsShownAndListedAsTrinoDoes() throws {
        let bench = try bench()
        try bench.ok(
            """
            CREATE MATERIALIZED VIEW m GRACE PERIOD INTERVAL '10' MINUTE COMMENT 'sums'
            WITH (partitioning = ARRAY['customer']) AS
            SELECT customer, sum(price) AS total FROM orders GROUP BY customer
            """)
        #expect(
            try bench.rows("SHOW CREATE MATERIALIZED VIEW m") == [
                """
                CREATE MATERIALIZED VIEW silver.sales.m
                GRACE PERIOD INTERVAL '600' SECOND
                COMMENT 'sums'
                WITH (
                   format = 'PARQUET',
                   format_version = 2,
                   partitioning = ARRAY['customer'],
                   storage_schema = 'sales'
                ) AS
                SELECT customer, sum(price) AS total FROM orders GROUP BY customer
                """
            ])
        #expect(try bench.rows("SHOW TABLES") == ["m", "orders"])
        #expect(
            try bench.rows(
                """
                SELECT table_name, table_type FROM information_schema.tables
                WHERE table_schema = 'sales' ORDER BY 1
                """) == ["m|BASE TABLE", "orders|BASE TABLE"])
        #expect(
            try bench.rows(
                "SELECT count(*) FROM information_schema.views WHERE table_schema = 'sales'") == [
                    "0"
                ])
        #expect(
            try bench.rows(
                """
                SELECT name, storage_schema, storage_table LIKE 'st\\_%' ESCAPE '\\', comment,
                    last_fresh_time IS NULL, definition LIKE 'SELECT customer%'
                FROM system.metadata.materialized_views WHERE catalog_name = 'silver'
                """) == ["m|sales|true|sums|true|true"])
        #expect(try bench.run("SHOW CREATE VIEW m").code == "NOT_SUPPORTED")
        #expect(try bench.run("SHOW CREATE MATERIALIZED VIEW orders").code == "NOT_SUPPORTED")
    }

    @Test func itIsReplacedRenamedAlteredAndDroppedWithItsStorage() throws {
        let bench = try bench()
        let before = try bench.objects()
        try bench.ok("CREATE MATERIALIZED VIEW m AS SELECT id FROM orders")
        #expect(
            try bench.run("CREATE MATERIALIZED VIEW m AS SELECT 1 AS id").code
                == "TABLE_ALREADY_EXISTS")
        try bench.ok("CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT 1 AS id")
        try bench.ok("REFRESH MATERIALIZED VIEW m")
        try bench.ok("CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT customer FROM orders")
        #expect(try freshness(bench, "m") == ["STALE"])
        try bench.ok("REFRESH MATERIALIZED VIEW m")
        #expect(try bench.rows("SELECT max(customer) FROM m") == ["b"])
        try bench.ok("CREATE SCHEMA marts")
        try bench.ok("ALTER MATERIALIZED VIEW m RENAME TO marts.renamed")
        #expect(try bench.rows("SELECT max(customer) FROM marts.renamed") == ["b"])
        try bench.ok(
            "ALTER MATERIALIZED VIEW marts.renamed SET PROPERTIES compression_codec = 'SNAPPY'")
        #expect(
            try bench.rows("SHOW CREATE MATERIALIZED VIEW marts.renamed")[0].contains(
                "compression_codec = 'SNAPPY'"))
        #expect(try bench.run("DROP VIEW marts.renamed").code == "TABLE_NOT_FOUND")
        #expect(try bench.run("DROP MATERIALIZED VIEW orders").code == "TABLE_NOT_FOUND")
        #expect(try bench.run("DROP MATERIALIZED VIEW nothing").code == "TABLE_NOT_FOUND")
        try bench.ok("DROP MATERIALIZED VIEW IF EXISTS nothing")
        try bench.ok("DROP MATERIALIZED VIEW marts.renamed")
        #expect(try bench.run("SELECT 1 FROM marts.renamed").code == "TABLE_NOT_FOUND")
        #expect(
            try bench.objects().subtracting(before).filter { $0.hasSuffix(".parquet") }.isEmpty)
    }

    @Test func aFailedCreationLeavesNothing() throws {
        let bench = try bench()
        #expect(
            try bench.run("CREATE MATERIALIZED VIEW m WITH (formt = 'x') AS SELECT 1 AS a").code
                == "INVALID_MATERIALIZED_VIEW_PROPERTY")
        #expect(
            try bench.run(
                "CREATE MATERIALIZED VIEW m WITH (storage_schema = 'no') AS SELECT 1 AS a"
            ).code == "SCHEMA_NOT_FOUND")
        #expect(
            try bench.run(
                "CREATE MATERIALIZED VIEW m GRACE PERIOD INTERVAL '1' YEAR AS SELECT 1 AS a"
            ).code == "NOT_SUPPORTED")
        #expect(
            try bench.run("CREATE MATERIALIZED VIEW m AS SELECT 1").code == "MISSING_COLUMN_NAME")
        #expect(try bench.rows("SHOW TABLES") == ["orders"])
    }

    @Test func anOwnerWhoSeesAPartCannotStoreIt() throws {
        let bench = try EngineBench(rowFilter: "id > 1")
        try bench.ok("CREATE TABLE orders (id int)")
        try bench.ok("INSERT INTO orders VALUES 2, 3")
        try bench.ok("CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM orders")
        #expect(try bench.rows("SELECT n FROM m") == ["2"])
        #expect(try bench.run("REFRESH MATERIALIZED VIEW m").code == "NOT_SUPPORTED")
    }

    @Test func aTransactionRefreshesItToo() throws {
        let bench = try bench()
        try bench.ok("CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM orders")
        try bench.begin()
        try bench.ok("INSERT INTO orders VALUES (9, 'z', 1)")
        #expect(try bench.ok("REFRESH MATERIALIZED VIEW m").count == 1)
        #expect(try bench.rows("SELECT n FROM m") == ["4"])
        #expect(try bench.outside("SELECT n FROM m").rows == ["3"])
        #expect(try bench.end("COMMIT").code == nil)
        #expect(try freshness(bench, "m") == ["FRESH"])
        #expect(try bench.rows("SELECT n FROM m") == ["4"])
    }
}
