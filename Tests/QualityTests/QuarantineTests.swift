import Authority
import SQLEngine
import SQLPlanning
import Synchronization
import TableCatalog
import Testing

@testable import Quality

/// Bad rows that leave their table while somebody else rewrites it, and whose policies they keep.
struct QuarantineTests {
    private func prepared(_ bench: ChecksBench, version: Int = 2) throws {
        try bench.sql(
            "CREATE TABLE t (id integer, note varchar) WITH (format_version = \(version))")
        for note in ["first", "second", "third"] {
            try bench.sql("INSERT INTO t VALUES (1, '\(note)')")
        }
        try bench.sql("INSERT INTO t VALUES (2, 'alone')")
        try bench.sql("CREATE CHECK one ON t USING uniqueness WITH (column = 'id')")
    }

    /// Moves the bad rows to quarantine; `before` is done before the first statement that begins so.
    private func move(
        _ bench: ChecksBench, to name: String? = nil, before start: String = "",
        _ meanwhile: String = ""
    ) throws -> AuditReport {
        var request = AuditRequest(
            table: TableName(catalog: "silver", schema: "team", table: "t"),
            reference: CatalogReference(warehouse: "silver"), runID: "run-1")
        request.quarantine = .move
        request.quarantineTable = name
        let context = ChecksBench.context("boss")
        let isDone = Mutex(start.isEmpty)
        return try bench.checks.audit(context, request) { sql, session in
            if sql.hasPrefix(start), !isDone.withLock({ $0 }) {
                isDone.withLock { $0 = true }
                try bench.sql(meanwhile)
            }
            return try bench.engine.run(sql, session: session, context: context)
        }
    }

    private func notes(_ bench: ChecksBench, _ table: String) throws -> [String] {
        try bench.sql("SELECT note FROM \(table) ORDER BY note").map { $0[0] }
    }

    @Test(arguments: [("MERGE INTO", 2), ("MERGE INTO", 3), ("INSERT INTO", 2), ("INSERT INTO", 3)])
    func `a compaction between the halves is told, and nothing is lost or doubled`(
        _ start: String, _ version: Int
    ) throws {
        let bench = try ChecksBench()
        try prepared(bench, version: version)
        do {
            _ = try move(bench, before: start, "ALTER TABLE t EXECUTE optimize")
            Issue.record("it was said to be moved")
        } catch let error as QualityError { #expect(error.code == .tableChanged) }
        #expect(try notes(bench, "t") == ["alone", "first", "second", "third"])
        #expect(try notes(bench, "t__quarantine") == [])
        // The same run, tried again.
        #expect(try move(bench).quarantinedRows == 2)
        #expect(try bench.sql("SELECT count(*) FROM t WHERE id = 1") == [["1"]])
        let rest = Set(try notes(bench, "t") + notes(bench, "t__quarantine"))
        #expect(rest == ["alone", "first", "second", "third"])
    }

    @Test func `a bad row that comes meanwhile stays until the next time`() throws {
        let bench = try ChecksBench()
        try prepared(bench)
        do {
            _ = try move(bench, before: "MERGE INTO", "INSERT INTO t VALUES (1, 'late')")
            Issue.record("the counts were said to agree")
        } catch let error as QualityError { #expect(error.code == .countsDiffer) }
        #expect(try notes(bench, "t") == ["alone", "first", "late"])
        #expect(try move(bench).quarantinedRows == 3)
        #expect(try notes(bench, "t") == ["alone", "first"])
        #expect(try notes(bench, "t__quarantine") == ["late", "second", "third"])
    }

    @Test func `a step that is done again changes nothing twice`() throws {
        let bench = try ChecksBench()
        try prepared(bench)
        for _ in 0..<2 {
            _ = try move(bench)
            #expect(try notes(bench, "t") == ["alone", "first"])
            #expect(try notes(bench, "t__quarantine") == ["second", "third"])
        }
    }

    @Test(arguments: ["t__quarantine", "bad_rows"])
    func `policies of the table hold for its bad rows, whatever their table is called`(
        _ name: String
    ) throws {
        let bench = try ChecksBench(governance: OneFilter(["silver", "team", "t"]))
        try prepared(bench)
        try bench.sql("INSERT INTO t VALUES (2, 'again')")
        // A table that is there already, of the former form.
        try bench.sql(
            """
            CREATE TABLE \(name) AS SELECT t.*, CAST(NULL AS varchar) AS "_run_id",
                CAST(NULL AS array(varchar)) AS "_reasons",
                CAST(NULL AS timestamp(6) with time zone) AS "_quarantined_at" FROM t WITH NO DATA
            """)
        #expect(try move(bench, to: name).quarantinedRows == 3)
        #expect(try bench.sql("SELECT count(*) FROM \(name)") == [["3"]])
        #expect(try bench.sql("SELECT count(*) FROM \(name)", as: "vic") == [["2"]])
        let loaded = try bench.catalog.loadTable(
            ChecksBench.context("vic"), CatalogReference(warehouse: "silver"),
            TableIdentifier(namespace: ["team"], name: name))
        #expect(!loaded.isUnrestricted)
    }
}
