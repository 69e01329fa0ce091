import SQLEngine
import Testing

struct SessionStatementTests {
    @Test func sessionsChangeInTheAnswer() throws {
        let bench = try EngineBench()
        let use = try bench.ok("USE silver.sales")
        #expect(use.changes.catalog == "silver")
        #expect(use.changes.schema == "sales")
        #expect(use.updateType == "USE")
        #expect(try bench.run("USE silver.sale").code == "SCHEMA_NOT_FOUND")
        #expect(try bench.run("USE silber.sales").hint == "did you mean silver?")
        #expect(
            try bench.ok("SET SESSION query_max_run_time = '5m'").changes.setProperties
                == ["query_max_run_time": "5m"])
        #expect(
            try bench.ok("SET SESSION silver.compression_codec = 'SNAPPY'").changes.setProperties
                == ["silver.compression_codec": "SNAPPY"])
        #expect(
            try bench.ok("RESET SESSION query_max_run_time").changes.resetProperties
                == ["query_max_run_time"])
        let unknown = try bench.run("SET SESSION query_max_runtime = '5m'")
        #expect(unknown.code == "INVALID_SESSION_PROPERTY")
        #expect(unknown.hint == "did you mean query_max_run_time?")
        #expect(
            try bench.run("SET SESSION task_concurrency = 'x'").code == "INVALID_SESSION_PROPERTY")
        #expect(
            try bench.ok("SET TIME ZONE '+02:00'").changes.setProperties["time_zone_id"] == "+02:00"
        )
        #expect(try bench.run("SET TIME ZONE 'Europe/Vienn'").code == "INVALID_ARGUMENTS")
    }

    @Test func `another user is taken on where the caller may`() throws {
        let bench = try EngineBench()
        let set = "SET SESSION AUTHORIZATION 'ana'"
        #expect(try bench.run(set).code == "NOT_SUPPORTED")
        bench.session.mayActAs = { $0 == "ana" }
        let taken = try bench.ok(set)
        #expect(taken.updateType == "SET SESSION AUTHORIZATION")
        #expect(taken.changes.authorizationUser == "ana")
        #expect(try bench.ok("SET SESSION AUTHORIZATION ana").changes.authorizationUser == "ana")
        let denied = try bench.run("SET SESSION AUTHORIZATION bo")
        #expect(denied.code == "PERMISSION_DENIED")
        #expect(denied.message.contains("cannot impersonate user bo"))
        let reset = try bench.ok("RESET SESSION AUTHORIZATION")
        #expect(reset.updateType == "RESET SESSION AUTHORIZATION")
        #expect(reset.changes.resetsAuthorization)
        bench.session.transactionID = try bench.ok("START TRANSACTION").changes.startedTransactionID
        #expect(bench.session.transactionID != nil)
        #expect(try bench.run(set).code == "NOT_SUPPORTED")
    }

    @Test func `queries and tasks say how they ended`() throws {
        let bench = try EngineBench()
        _ = try bench.run("SELECT no_such_column")
        #expect(
            try bench.rows(
                "SELECT error_type, error_code FROM system.runtime.queries "
                    + "WHERE query = 'SELECT no_such_column'")
                == ["USER_ERROR|COLUMN_NOT_FOUND"])
        #expect(
            try bench.rows(
                "SELECT count(*) = count(DISTINCT t.task_id), count_if(t.state = 'FAILED') "
                    + "FROM system.runtime.tasks t JOIN system.runtime.queries q "
                    + "ON t.query_id = q.query_id") == ["true|1"])
    }

    @Test func statementsArePreparedAndDescribed() throws {
        let bench = try EngineBench()
        let text = try #require(
            try bench.ok("PREPARE q FROM SELECT ? + 1 AS next, 'ab' AS b").changes.addedPrepared[
                "q"])
        bench.session.prepared["q"] = text
        #expect(try bench.rows("EXECUTE q USING 41") == ["42|ab"])
        #expect(try bench.rows("DESCRIBE INPUT q") == ["0|unknown"])
        #expect(
            try bench.rows("DESCRIBE OUTPUT q") == [
                "next||||integer|4|true", "b||||varchar(2)|0|true",
            ])
        #expect(try bench.ok("DEALLOCATE PREPARE q").changes.deallocatedPrepared == ["q"])
        #expect(try bench.run("DESCRIBE INPUT other").code == "NOT_FOUND")
    }

    @Test func listingsHaveTrinosShapes() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int, b varchar)")
        try bench.ok("INSERT INTO t VALUES (1, 'x'), (5, NULL)")
        #expect(try bench.ok("SHOW CATALOGS").rows == ["silver", "system"])
        #expect(try bench.rows("SHOW CATALOGS LIKE 's_l%'") == ["silver"])
        #expect(try bench.rows("SHOW TABLES LIKE 'x\\_y' ESCAPE '\\'") == [])
        #expect(try bench.run("SHOW TABLES FROM nowhere").code == "SCHEMA_NOT_FOUND")
        #expect(
            try bench.ok("SHOW STATS FOR t").columns == [
                "column_name", "data_size", "distinct_values_count", "nulls_fraction", "row_count",
                "low_value", "high_value",
            ])
        let stats = try bench.rows("SHOW STATS FOR t")
        #expect(stats[0] == "a|NULL|NULL|0.0|NULL|1|5")
        #expect(stats[2] == "NULL|NULL|NULL|NULL|2.0|NULL|NULL")
        #expect(
            try bench.ok("SHOW SESSION LIKE 'spill_enabled'").columns
                == ["Name", "Value", "Default", "Type", "Description"])
        #expect(
            try bench.ok("SHOW FUNCTIONS LIKE 'count'").columns == [
                "Function", "Return Type", "Argument Types", "Function Type", "Deterministic",
                "Description",
            ])
        #expect(try bench.rows("EXPLAIN (TYPE VALIDATE) SELECT a FROM t") == ["true"])
        #expect(try bench.ok("EXPLAIN SELECT a FROM t").columns == ["Query Plan"])
        #expect(
            try bench.rows("EXPLAIN (TYPE IO, FORMAT JSON) INSERT INTO t SELECT * FROM t")[0]
                .contains("\"outputTable\""))
        #expect(
            try bench.rows("EXPLAIN ANALYZE SELECT a FROM t WHERE a > 1")[0].contains("Pipeline 1"))
        #expect(
            try bench.run("CALL system.runtime.kill_query(query_id => 'x', message => 'm')").code
                == "NOT_FOUND")
        #expect(try bench.run("CALL system.nothing()").code == "PROCEDURE_NOT_FOUND")
    }
}
