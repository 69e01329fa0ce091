import Platform
import SQLEngine
import Synchronization
import TableCatalog
import Testing

/// A clock that stands still until it is told to go on.
final class SteppedClock: MonotonicClock {
    private let moment = Mutex(MonotonicInstant(nanoseconds: 1))
    func now() -> MonotonicInstant { moment.withLock { $0 } }
    func step(_ duration: Duration) { moment.withLock { $0 = $0 + duration } }
}

struct TransactionTests {
    @Test func aTransactionSeesItsOwnWritesAndOthersSeeThemAtCommit() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a (x int)")
        try bench.ok("CREATE TABLE b (x int)")
        try bench.begin()
        #expect(try bench.ok("INSERT INTO a VALUES 1, 2").count == 2)
        #expect(try bench.ok("INSERT INTO b SELECT x * 10 FROM a").count == 2)
        #expect(try bench.ok("UPDATE b SET x = x + 1 WHERE x = 10").count == 1)
        #expect(try bench.ok("DELETE FROM a WHERE x = 2").count == 1)
        #expect(try bench.rows("SELECT x FROM b ORDER BY x") == ["11", "20"])
        #expect(try bench.outside("SELECT count(*) FROM a").rows == ["0"])
        #expect(try bench.outside("SELECT count(*) FROM b").rows == ["0"])
        #expect(try bench.end("COMMIT").code == nil)
        #expect(try bench.rows("SELECT x FROM a") == ["1"])
        #expect(try bench.rows("SELECT x FROM b ORDER BY x") == ["11", "20"])
    }

    @Test func openTransactionsAreListed() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a (x int)")
        let count = "SELECT count(*) FROM system.runtime.transactions"
        #expect(try bench.rows(count) == ["0"])
        try bench.begin()
        #expect(
            try bench.rows(
                """
                SELECT isolation_level || ' ' || CAST(read_only AS varchar) || ' '
                    || CAST(cardinality(catalogs) > 0 AND create_time <= now() AS varchar)
                FROM system.runtime.transactions
                """) == ["REPEATABLE READ false true"])
        #expect(try bench.end("ROLLBACK").code == nil)
        #expect(try bench.rows(count) == ["0"])
    }

    @Test func readsAreOfOneState() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a AS SELECT 1 AS x")
        try bench.ok("CREATE TABLE gone AS SELECT 1 AS x")
        try bench.begin("START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try bench.outside("INSERT INTO a VALUES 2")
        try bench.outside("DROP TABLE gone")
        try bench.outside("CREATE TABLE later (x int)")
        #expect(try bench.rows("SELECT x FROM a") == ["1"])
        #expect(try bench.rows("SELECT x FROM gone") == ["1"])
        #expect(try bench.rows("SHOW TABLES") == ["a", "gone"])
        #expect(
            try bench.rows(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'sales'"
                    + " ORDER BY 1") == ["a", "gone"])
        #expect(try bench.end("COMMIT").code == nil)
        #expect(try bench.rows("SELECT x FROM a ORDER BY x") == ["1", "2"])
        #expect(try bench.rows("SHOW TABLES") == ["a", "later"])
    }

    @Test func rollbackLeavesNothing() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a AS SELECT 1 AS x")
        try bench.ok("CREATE VIEW v AS SELECT x FROM a")
        let before = try bench.objects()
        try bench.begin()
        try bench.ok("INSERT INTO a VALUES 2, 3")
        try bench.ok("DELETE FROM a WHERE x = 2")
        try bench.ok("CREATE TABLE b AS SELECT x FROM a")
        try bench.ok("CREATE SCHEMA other")
        try bench.ok("CREATE TABLE other.c (y varchar)")
        try bench.ok("INSERT INTO other.c VALUES 'one'")
        try bench.ok("CREATE OR REPLACE VIEW v AS SELECT x + 1 AS x FROM a")
        try bench.ok("ALTER TABLE a RENAME TO renamed")
        try bench.ok("INSERT INTO renamed VALUES 4")
        #expect(try bench.rows("SELECT y FROM other.c") == ["one"])
        #expect(try bench.end("ROLLBACK").code == nil)
        #expect(try bench.objects() == before)
        #expect(try bench.rows("SELECT x FROM a") == ["1"])
        #expect(try bench.rows("SELECT x FROM v") == ["1"])
        #expect(try bench.rows("SHOW TABLES") == ["a", "v"])
        #expect(try bench.run("SELECT 1 FROM other.c").code == "SCHEMA_NOT_FOUND")
    }

    @Test func aDroppedTableGoesWithItsFilesAndARenamedOneKeepsThem() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE old AS SELECT 1 AS x")
        try bench.ok(
            "ALTER TABLE old SET PROPERTIES "
                + "extra_properties = MAP(ARRAY['undrop-days'], ARRAY['0'])")
        let ofOld = try bench.objects().filter { $0.contains("/old-") }
        #expect(!ofOld.isEmpty)
        try bench.ok("CREATE TABLE moved AS SELECT 7 AS x")
        try bench.begin()
        try bench.ok("CREATE SCHEMA mart")
        try bench.ok("CREATE TABLE mart.t AS SELECT 1 AS a")
        try bench.ok("CREATE VIEW mart.v AS SELECT a FROM mart.t")
        try bench.ok("DROP TABLE old")
        try bench.ok("ALTER TABLE moved RENAME TO mart.moved")
        #expect(try bench.objects().isSuperset(of: ofOld))
        #expect(try bench.outside("SELECT x FROM old").rows == ["1"])
        #expect(try bench.end("COMMIT").code == nil)
        #expect(try bench.objects().isDisjoint(with: ofOld))
        #expect(try bench.rows("SELECT x FROM mart.moved") == ["7"])
        #expect(try bench.rows("SELECT a FROM mart.v") == ["1"])
        #expect(try bench.rows("SHOW TABLES") == [])
    }

    @Test func conflictsNameEveryTableAndKeepNothing() throws {
        let bench = try EngineBench()
        for name in ["a", "b", "c"] { try bench.ok("CREATE TABLE \(name) AS SELECT 1 AS x") }
        let before = try bench.objects()
        try bench.begin()
        try bench.ok("UPDATE a SET x = 2")
        try bench.ok("DELETE FROM b")
        try bench.ok("INSERT INTO c VALUES 5")
        try bench.outside("INSERT INTO a VALUES 9")
        try bench.outside("INSERT INTO b VALUES 9")
        let added = try bench.objects().subtracting(before)
        let answer = try bench.end("COMMIT")
        #expect(answer.code == "TRANSACTION_CONFLICT")
        #expect(answer.message.contains("silver.sales.a"))
        #expect(answer.message.contains("silver.sales.b"))
        #expect(!answer.message.contains("silver.sales.c"))
        #expect(try bench.rows("SELECT x FROM a ORDER BY x") == ["1", "9"])
        #expect(try bench.rows("SELECT x FROM b ORDER BY x") == ["1", "9"])
        #expect(try bench.rows("SELECT x FROM c") == ["1"])
        #expect(try bench.objects().subtracting(before).count < added.count)
    }

    @Test func appendsOfSeveralGoTogether() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a (x int)")
        try bench.begin()
        try bench.ok("INSERT INTO a VALUES 1")
        try bench.outside("INSERT INTO a VALUES 2")
        try bench.ok("INSERT INTO a VALUES 3")
        #expect(try bench.rows("SELECT x FROM a ORDER BY x") == ["1", "3"])
        #expect(try bench.end("COMMIT").code == nil)
        #expect(try bench.rows("SELECT x FROM a ORDER BY x") == ["1", "2", "3"])
    }

    @Test func aSerializableTransactionReliesOnWhatItRead() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE source AS SELECT 1 AS x")
        try bench.ok("CREATE TABLE target (x int)")
        for (level, code) in [
            ("REPEATABLE READ", nil), ("SERIALIZABLE", "TRANSACTION_CONFLICT"),
        ] {
            try bench.begin("START TRANSACTION ISOLATION LEVEL \(level)")
            try bench.ok("INSERT INTO target SELECT max(x) FROM source")
            try bench.outside("INSERT INTO source VALUES 2")
            let answer = try bench.end("COMMIT")
            #expect(answer.code == code)
            if code != nil { #expect(answer.message.contains("silver.sales.source")) }
        }
        #expect(try bench.rows("SELECT x FROM target") == ["1"])
    }

    @Test func aFailureEndsTheTransaction() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a (x int)")
        try bench.begin()
        try bench.ok("INSERT INTO a VALUES 1")
        #expect(try bench.run("SELECT 1 / (x - 1) FROM a").code == "DIVISION_BY_ZERO")
        #expect(try bench.run("SELECT 1").code == "TRANSACTION_ALREADY_ABORTED")
        #expect(try bench.end("COMMIT").code == "TRANSACTION_ALREADY_ABORTED")
        #expect(try bench.rows("SELECT count(*) FROM a") == ["0"])
        #expect(try bench.objectCount(".parquet") == 0)
    }

    @Test func readOnlyTransactionsDoNotWrite() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a (x int)")
        for sql in [
            "INSERT INTO a VALUES 1", "DROP TABLE a", "CREATE SCHEMA s",
            "CREATE VIEW v AS SELECT 1 AS x",
        ] {
            try bench.begin("START TRANSACTION READ ONLY")
            #expect(try bench.run(sql).code == "READ_ONLY_VIOLATION", "\(sql)")
            try bench.end("ROLLBACK")
        }
    }

    @Test func whatCannotBeTakenBackIsRefused() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a (x int)")
        for sql in [
            "ANALYZE a", "ALTER TABLE a EXECUTE optimize", "CREATE BRANCH b IN CATALOG silver",
            "CREATE FUNCTION f(x int) RETURNS int RETURN x",
        ] {
            try bench.begin()
            #expect(try bench.run(sql).code == "NOT_SUPPORTED", "\(sql)")
            try bench.end("ROLLBACK")
        }
    }

    @Test func idsAreOfOnePrincipalAndOneTransaction() throws {
        let bench = try EngineBench()
        #expect(try bench.run("COMMIT").code == "NOT_IN_TRANSACTION")
        bench.session.transactionID = "no-such-transaction"
        #expect(try bench.run("SELECT 1").code == "UNKNOWN_TRANSACTION")
        #expect(try bench.run("COMMIT").code == "UNKNOWN_TRANSACTION")
        #expect(try bench.end("ROLLBACK").code == nil)
        bench.session.keepsTransactions = false
        #expect(try bench.run("START TRANSACTION").code == "NOT_SUPPORTED")
        bench.session.keepsTransactions = true
        try bench.begin()
        #expect(try bench.run("START TRANSACTION").code == "NOT_SUPPORTED")
        #expect(try bench.rows("SELECT 1") == ["1"])
        try bench.end("ROLLBACK")
    }

    @Test func idleTransactionsAreRolledBack() throws {
        let clock = SteppedClock()
        let bench = try EngineBench(monotonic: clock)
        try bench.ok("CREATE TABLE a (x int)")
        let before = try bench.objects()
        try bench.begin()
        try bench.ok("INSERT INTO a VALUES 1")
        clock.step(.seconds(299))
        #expect(try bench.rows("SELECT x FROM a") == ["1"])
        clock.step(.seconds(301))
        #expect(try bench.run("SELECT x FROM a").code == "UNKNOWN_TRANSACTION")
        #expect(try bench.objects() == before)
        #expect(try bench.end("COMMIT").code == "UNKNOWN_TRANSACTION")
        #expect(try bench.rows("SELECT count(*) FROM a") == ["0"])
    }

    @Test func aRestartRollsBackWhatWasOpen() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a (x int)")
        let before = try bench.objects()
        try bench.begin()
        try bench.ok("INSERT INTO a VALUES 1")
        try bench.ok("CREATE TABLE b AS SELECT 1 AS x")
        #expect(try bench.objects() != before)
        // What a start of the process does first; this one was not asked to end its transactions.
        try bench.catalog.recover()
        #expect(try bench.objects() == before)
        bench.session.transactionID = nil
        #expect(try bench.rows("SHOW TABLES") == ["a"])
    }

    @Test func otherBranchesAreHeldFromTheirFirstUse() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a AS SELECT 1 AS x")
        try bench.ok("CREATE BRANCH etl IN CATALOG silver")
        try bench.begin()
        try bench.ok("INSERT INTO \"silver@etl\".sales.a VALUES 2")
        try bench.ok("INSERT INTO a VALUES 3")
        #expect(
            try bench.outside("SELECT count(*) FROM \"silver@etl\".sales.a").rows == ["1"])
        #expect(
            try bench.outside("SHOW BRANCHES FROM silver").rows.map { $0.prefix { $0 != "|" } }
                == ["main", "etl"])
        #expect(try bench.end("COMMIT").code == nil)
        #expect(
            try bench.rows("SELECT x FROM \"silver@etl\".sales.a ORDER BY x") == ["1", "2"])
        #expect(try bench.rows("SELECT x FROM a ORDER BY x") == ["1", "3"])
    }

    @Test func aTransactionRepeatsAMergeOfItsOwnRows() throws {
        let bench = try EngineBench()
        try bench.ok("CREATE TABLE a AS SELECT * FROM (VALUES (1, 'one'), (2, 'two')) t (k, v)")
        try bench.begin()
        try bench.ok("INSERT INTO a VALUES (3, 'three')")
        let merge = """
            MERGE INTO a USING (VALUES (3, 'drei'), (4, 'vier')) s (k, v) ON a.k = s.k
            WHEN MATCHED THEN UPDATE SET v = s.v
            WHEN NOT MATCHED THEN INSERT VALUES (s.k, s.v)
            """
        #expect(try bench.ok(merge).count == 2)
        #expect(try bench.ok("TRUNCATE TABLE a").updateType == "TRUNCATE TABLE")
        #expect(try bench.ok("INSERT INTO a VALUES (5, 'fünf')").count == 1)
        #expect(try bench.end("COMMIT").code == nil)
        #expect(try bench.rows("SELECT * FROM a") == ["5|fünf"])
    }
}
