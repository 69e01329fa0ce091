import Foundation
import Synchronization
import SQLEngine
import TableCatalog
import Testing

struct DataStatementTests {
    @Test func insertsAreCountedAndRead() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a bigint, b varchar, c double)")
        let answer = try bench.ok("INSERT INTO t (b, a) VALUES ('x', 1), ('y', 2), (NULL, 3)")
        #expect(answer.updateType == "INSERT")
        #expect(answer.count == 3)
        #expect(answer.columns == ["rows"])
        #expect(answer.rows == ["3"])
        #expect(
            try bench.rows("SELECT a, b, c FROM t ORDER BY a") == [
                "1|x|NULL", "2|y|NULL", "3|NULL|NULL",
            ])
        try bench.ok("INSERT INTO t SELECT a + 10, b, 0.5e0 FROM t")
        #expect(try bench.rows("SELECT count(*), sum(a) FROM t") == ["6|42"])
        #expect(try bench.ok("INSERT INTO t SELECT * FROM t WHERE a < 0").count == 0)
        #expect(try bench.rows("SELECT count(*) FROM \"t$snapshots\"") == ["2"])
    }

    @Test func notNullIsEnforcedAndNothingStays() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a bigint NOT NULL, b varchar)")
        let answer = try bench.run("INSERT INTO t VALUES (1, 'x'), (NULL, 'y')")
        #expect(answer.code == "CONSTRAINT_VIOLATION")
        #expect(answer.message.contains("a"))
        #expect(try bench.objectCount(".parquet") == 0)
        #expect(try bench.run("INSERT INTO t (b) VALUES ('x')").code == "CONSTRAINT_VIOLATION")
        try bench.ok("INSERT INTO t VALUES (1, 'x')")
        #expect(
            try bench.run("UPDATE t SET a = NULL").code == "CONSTRAINT_VIOLATION")
        #expect(try bench.rows("SELECT a, b FROM t") == ["1|x"])
    }

    @Test func createTableAsIsAllOrNothing() throws {
        let bench = try EngineBench()
        let answer = try bench.ok(
            """
            CREATE TABLE t WITH (partitioning = ARRAY['k']) AS
            SELECT CAST(x AS tinyint) AS small, CAST('ab' AS char(3)) AS fixed, x % 2 AS k
            FROM (VALUES 1, 2, 3) AS v (x)
            """)
        #expect(answer.updateType == "CREATE TABLE")
        #expect(answer.count == 3)
        #expect(
            try bench.rows("DESCRIBE t") == ["small|integer||", "fixed|varchar||", "k|integer||"])
        #expect(try bench.rows("SELECT small, k FROM t ORDER BY small") == ["1|1", "2|0", "3|1"])
        #expect(try bench.rows("SELECT count(*) FROM \"t$files\"") == ["2"])
        #expect(try bench.run("CREATE TABLE t AS SELECT 1 a").code == "TABLE_ALREADY_EXISTS")
        #expect(try bench.ok("CREATE TABLE IF NOT EXISTS t AS SELECT 1 a").count == 0)
        #expect(try bench.run("CREATE TABLE u AS SELECT 1 / 0 AS a").code == "DIVISION_BY_ZERO")
        #expect(try bench.run("SELECT * FROM u").code == "TABLE_NOT_FOUND")
        #expect(try bench.ok("CREATE TABLE e AS SELECT 1 AS a WITH NO DATA").count == 0)
        #expect(try bench.rows("SELECT count(*) FROM e") == ["0"])
        #expect(try bench.ok("CREATE TABLE n (q) AS SELECT 1").count == 1)
        #expect(
            try bench.run("CREATE TABLE m (q, r) AS SELECT 1").code == "MISMATCHED_COLUMN_ALIASES")
    }

    @Test func replacingKeepsTheHistory() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int, b varchar) WITH (partitioning = ARRAY['b'])")
        try bench.ok("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        let first = try bench.rows("SELECT snapshot_id FROM \"t$snapshots\"")[0]
        let replaced = "CREATE OR REPLACE TABLE t AS SELECT b AS a, a * 10 AS c FROM t"
        #expect(try bench.ok(replaced).count == 2)
        #expect(try bench.rows("SELECT a, c FROM t ORDER BY c") == ["x|10", "y|20"])
        #expect(try bench.rows("SELECT count(*) FROM \"t$snapshots\"") == ["2"])
        #expect(
            try bench.rows("SELECT a, b FROM t FOR VERSION AS OF \(first) ORDER BY a") == [
                "1|x", "2|y",
            ])
        try bench.ok("CREATE OR REPLACE TABLE t (z bigint)")
        #expect(try bench.rows("SELECT count(*) FROM t") == ["0"])
        try bench.ok("INSERT INTO t VALUES 5")
        try bench.ok("CALL silver.system.rollback_to_snapshot('sales', 't', \(first))")
        #expect(try bench.rows("SELECT count(*) FROM t") == ["2"])
    }

    @Test func wholePartitionsGoWithoutReading() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int, day date) WITH (partitioning = ARRAY['day'])")
        try bench.ok(
            "INSERT INTO t VALUES (1, DATE '2024-01-01'), (2, DATE '2024-01-01'), (3, DATE '2024-01-02')"
        )
        let answer = try bench.ok("DELETE FROM t WHERE day = DATE '2024-01-01'")
        #expect(answer.updateType == "DELETE")
        #expect(answer.count == 2)
        #expect(try bench.objectCount("-deletes.parquet") == 0)
        #expect(try bench.rows("SELECT a FROM t") == ["3"])
        #expect(
            try bench.rows(
                "SELECT operation FROM \"t$snapshots\" ORDER BY committed_at DESC LIMIT 1")
                == ["delete"])
        #expect(try bench.ok("DELETE FROM t WHERE day > DATE '2030-01-01'").count == 0)
        #expect(try bench.ok("DELETE FROM t").count == 1)
        #expect(try bench.rows("SELECT count(*) FROM t") == ["0"])
    }

    @Test(arguments: [1, 2, 3])
    func rowsAreDeletedAndUpdated(_ version: Int) throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int, b varchar) WITH (format_version = \(version))")
        try bench.ok("INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z'), (4, NULL)")
        #expect(try bench.ok("DELETE FROM t WHERE a % 2 = 0").count == 2)
        #expect(try bench.rows("SELECT a FROM t ORDER BY a") == ["1", "3"])
        let updated = try bench.ok("UPDATE t SET b = b || '!', a = a + 10 WHERE b = 'z'")
        #expect(updated.updateType == "UPDATE")
        #expect(updated.count == 1)
        #expect(try bench.rows("SELECT a, b FROM t ORDER BY a") == ["1|x", "13|z!"])
        #expect(try bench.ok("DELETE FROM t WHERE a IN (SELECT max(a) FROM t)").count == 1)
        #expect(try bench.rows("SELECT a, b FROM t") == ["1|x"])
        #expect(try bench.ok("UPDATE t SET a = 5 WHERE a = 99").count == 0)
    }

    @Test func mergeDoesAllThree() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (id int, qty int)")
        try bench.ok("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)")
        let merge = """
            MERGE INTO t USING (VALUES (1, 5), (2, 0), (4, 40)) AS s (id, qty) ON t.id = s.id
            WHEN MATCHED AND s.qty = 0 THEN DELETE
            WHEN MATCHED THEN UPDATE SET qty = t.qty + s.qty
            WHEN NOT MATCHED THEN INSERT (id, qty) VALUES (s.id, s.qty)
            """
        let answer = try bench.ok(merge)
        #expect(answer.updateType == "MERGE")
        #expect(answer.count == 3)
        #expect(try bench.rows("SELECT id, qty FROM t ORDER BY id") == ["1|15", "3|30", "4|40"])
        let twice = """
            MERGE INTO t USING (VALUES (1, 5), (1, 6)) AS s (id, qty) ON t.id = s.id
            WHEN MATCHED THEN UPDATE SET qty = s.qty
            """
        #expect(try bench.run(twice).code == "MERGE_TARGET_ROW_MULTIPLE_MATCHES")
        #expect(try bench.rows("SELECT qty FROM t WHERE id = 1") == ["15"])
    }

    @Test func truncateAndOptimize() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int)")
        for value in 1...4 { try bench.ok("INSERT INTO t VALUES \(value)") }
        try bench.ok("DELETE FROM t WHERE a = 2 OR a + 0 = 99")
        #expect(
            try bench.rows("ALTER TABLE t EXECUTE optimize").contains(
                "added_data_files_count|1"))
        #expect(try bench.rows("SELECT a FROM t ORDER BY a") == ["1", "3", "4"])
        #expect(try bench.rows("SELECT count(*) FROM \"t$files\"") == ["1"])
        #expect(
            try bench.rows("ALTER TABLE t EXECUTE optimize").contains(
                "added_data_files_count|0"))
        #expect(try bench.ok("TRUNCATE TABLE t").updateType == "TRUNCATE TABLE")
        #expect(try bench.rows("SELECT count(*) FROM t") == ["0"])
    }

    @Test func snapshotsSayWhoMadeThem() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int)")
        bench.session.commitProperties = ["run-id": "r7"]
        try bench.ok("INSERT INTO t VALUES 1")
        #expect(
            try bench.rows(
                "SELECT summary['trino_user'], summary['run-id'], summary['added-records'] FROM \"t$snapshots\""
            )
                == ["system|r7|1"])
    }

    @Test func branchesAreWrittenApart() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int)")
        try bench.ok("INSERT INTO t VALUES 1")
        try bench.ok("CREATE BRANCH audit IN TABLE t")
        try bench.ok("INSERT INTO t@audit VALUES 2")
        #expect(try bench.rows("SELECT count(*) FROM t") == ["1"])
        #expect(try bench.rows("SELECT count(*) FROM t FOR VERSION AS OF 'audit'") == ["2"])
        #expect(try bench.rows("SHOW BRANCHES IN TABLE t") == ["audit", "main"])
        try bench.ok("ALTER BRANCH main IN TABLE t FAST FORWARD TO audit")
        #expect(try bench.rows("SELECT count(*) FROM t") == ["2"])
        try bench.ok("DROP BRANCH audit IN TABLE t")
    }
}

struct ConcurrentWriterTests {
    /// Runs a body on several threads at once, each with its number.
    private func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: count) { body($0) }
    }

    @Test func insertsAllGetIn() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int)")
        together(4) { number in
            for round in 0..<3 {
                _ = try? bench.run("INSERT INTO t VALUES \(number * 10 + round)")
            }
        }
        #expect(try bench.rows("SELECT count(*), count(DISTINCT a) FROM t") == ["12|12"])
    }

    @Test func noUpdateIsLost() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE t (a int)")
        try bench.ok("INSERT INTO t VALUES 0")
        let outcomes = Mutex<[String]>([])
        together(4) { _ in
            for _ in 0..<3 {
                let answer = try? bench.run("UPDATE t SET a = a + 1")
                outcomes.withLock { $0.append(answer?.code ?? "done") }
            }
        }
        let codes = outcomes.withLock { $0 }
        let done = codes.filter { $0 == "done" }.count
        #expect(done > 0)
        #expect(codes.allSatisfy { $0 == "done" || $0 == "TRANSACTION_CONFLICT" })
        #expect(try bench.rows("SELECT a FROM t") == ["\(done)"])
    }
}
