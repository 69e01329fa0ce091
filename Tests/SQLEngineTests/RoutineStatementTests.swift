import Testing

/// CREATE FUNCTION and its like, ALTER SCHEMA RENAME, ANALYZE, optimize with WHERE, EXPLAIN ANALYZE.
struct RoutineStatementTests {
    @Test func `functions are kept in their schema`() throws {
        let bench = try EngineBench()
        let created = try bench.ok(
            "CREATE FUNCTION sales.double_it(x bigint) RETURNS bigint RETURN x * 2")
        #expect(created.updateType == "CREATE FUNCTION")
        #expect(try bench.rows("SELECT sales.double_it(21), double_it(4)") == ["42|8"])
        #expect(
            try bench.rows("SELECT silver.sales.double_it(x) FROM (VALUES 1, 2) t (x)") == [
                "2", "4",
            ])
        let again = "CREATE FUNCTION sales.double_it(x bigint) RETURNS bigint RETURN x + x"
        #expect(try bench.run(again).code == "ALREADY_EXISTS")
        try bench.ok(
            "CREATE OR REPLACE FUNCTION sales.double_it(x bigint) RETURNS bigint RETURN x * 20")
        #expect(try bench.rows("SELECT double_it(2)") == ["40"])
        // Another of the same name with other parameters.
        try bench.ok("CREATE FUNCTION double_it(x varchar) RETURNS varchar RETURN x || x")
        #expect(try bench.rows("SELECT double_it('ab'), double_it(2)") == ["abab|40"])
        let shown = try bench.rows("SHOW CREATE FUNCTION sales.double_it")
        #expect(shown.count == 2)
        #expect(shown.allSatisfy { $0.hasPrefix("CREATE FUNCTION") })
        #expect(try bench.run("DROP FUNCTION sales.double_it(date)").code == "FUNCTION_NOT_FOUND")
        try bench.ok("DROP FUNCTION IF EXISTS sales.double_it(date)")
        try bench.ok("DROP FUNCTION sales.double_it(bigint)")
        #expect(try bench.run("SELECT double_it(2)").code == "FUNCTION_NOT_FOUND")
        #expect(try bench.run("SELECT no_such(2)").code == "FUNCTION_NOT_FOUND")
        #expect(
            try bench.run("CREATE FUNCTION f(x bigint) RETURNS bigint RETURN y").code
                == "COLUMN_NOT_FOUND")
        try bench.ok("CREATE FUNCTION a(x bigint) RETURNS bigint RETURN x")
        try bench.ok("CREATE OR REPLACE FUNCTION a(x bigint) RETURNS bigint RETURN a(x) + a(x)")
        #expect(try bench.run("SELECT a(1)").code == "NOT_SUPPORTED")
    }

    @Test func `the functions of a schema are listed`() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE FUNCTION half(x double) RETURNS double COMMENT 'A half.' RETURN x / 2")
        try bench.ok("CREATE FUNCTION twice(a bigint, b integer) RETURNS bigint RETURN a * 2 + b")
        #expect(
            try bench.rows("SHOW FUNCTIONS FROM silver.sales") == [
                "half|double|double|scalar|true|A half.",
                "twice|bigint|bigint, integer|scalar|true|",
            ])
        #expect(try bench.rows("SHOW FUNCTIONS FROM sales LIKE 'tw%'").count == 1)
        #expect(try bench.rows("SHOW FUNCTIONS FROM system.builtin LIKE 'cardinality'").count > 0)
        #expect(try bench.run("SHOW FUNCTIONS FROM silver.none").code == "SCHEMA_NOT_FOUND")
    }

    @Test func `a schema is renamed with what is in it`() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a bigint)")
        try bench.ok("INSERT INTO t VALUES 1, 2")
        try bench.ok("CREATE VIEW v AS SELECT 7 AS b")
        let renamed = try bench.ok("ALTER SCHEMA sales RENAME TO trade")
        #expect(renamed.updateType == "RENAME SCHEMA")
        #expect(try bench.rows("SELECT sum(a) FROM trade.t") == ["3"])
        #expect(try bench.rows("SELECT b FROM trade.v") == ["7"])
        #expect(try bench.run("SELECT * FROM sales.t").code == "SCHEMA_NOT_FOUND")
        try bench.ok("CREATE SCHEMA other")
        #expect(try bench.run("ALTER SCHEMA trade RENAME TO other").code == "SCHEMA_ALREADY_EXISTS")
        #expect(try bench.run("ALTER SCHEMA none RENAME TO x").code == "SCHEMA_NOT_FOUND")
    }

    @Test func `ANALYZE counts different values`() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a bigint, b varchar, c array(bigint))")
        try bench.ok(
            "INSERT INTO t SELECT x, CAST(x % 5 AS varchar), ARRAY[x] FROM UNNEST(sequence(1, 100)) u (x)"
        )
        let done = try bench.ok("ANALYZE t")
        #expect(done.updateType == "ANALYZE")
        #expect(done.count == 100)
        let stats = try bench.rows("SHOW STATS FOR t")
        #expect(
            stats.contains {
                $0.hasPrefix("b|NULL|5.0|") || $0.contains("b|") && $0.contains("|5.0|")
            })
        #expect(
            try bench.run("ANALYZE t WITH (columns = ARRAY['nope'])").code
                == "INVALID_ANALYZE_PROPERTY")
        #expect(try bench.run("ANALYZE t WITH (rows = 1)").code == "INVALID_ANALYZE_PROPERTY")
        try bench.ok("ANALYZE t WITH (columns = ARRAY['a'])")
        #expect(try bench.run("ANALYZE nope").code == "TABLE_NOT_FOUND")
    }

    @Test func `optimize takes a condition over whole partitions`() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a bigint, k bigint) WITH (partitioning = ARRAY['k'])")
        for number in 1...3 { try bench.ok("INSERT INTO t VALUES (\(number), 1), (\(number), 2)") }
        #expect(try bench.rows("SELECT count(*) FROM \"t$files\"") == ["6"])
        let answer = try bench.rows("ALTER TABLE t EXECUTE optimize WHERE k = 1")
        #expect(answer.first == "rewritten_data_files_count|3")
        #expect(try bench.rows("SELECT count(*) FROM \"t$files\"") == ["4"])
        #expect(try bench.run("ALTER TABLE t EXECUTE optimize WHERE a = 1").code == "NOT_SUPPORTED")
        #expect(try bench.rows("SELECT count(*), sum(a) FROM t") == ["6|12"])
    }

    @Test func `EXPLAIN ANALYZE does what it explains`() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a bigint)")
        let text = try bench.rows("EXPLAIN ANALYZE INSERT INTO t VALUES 1, 2, 3")
        #expect(text[0].contains("INSERT: 3 rows") && text[0].contains("Pipeline 1"))
        #expect(try bench.rows("SELECT count(*) FROM t") == ["3"])
        #expect(
            try bench.rows("EXPLAIN ANALYZE DELETE FROM t WHERE a > 1")[0].contains(
                "DELETE: 2 rows"))
        #expect(try bench.rows("SELECT count(*) FROM t") == ["1"])
        #expect(try bench.run("EXPLAIN ANALYZE SHOW TABLES").code == "NOT_SUPPORTED")
    }
}
