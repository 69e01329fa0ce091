import Authority
import Foundation
import Iceberg
import JSON
import ObjectStorage
import Platform
import SQLite
import TableCatalog
@testable import TableFiles
import Testing
import TextTables
import Vectors

@testable import Ingest

private struct AllowAll: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: true, reason: "test")
    }
}

/// A catalog over a store in memory, and an ingestor on top.
final class Bench {
    let directory: URL
    let store: MemoryObjectStore
    let catalog: Catalog
    let ingestor: Ingestor
    let context = RequestContext(principal: .system, requestID: "r1", door: .job)
    let budget = MemoryBudget(limitBytes: 256 << 20)
    private var runs = 0

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        store = MemoryObjectStore(buckets: ["warehouse", "landing"])
        let entropy = SeededEntropy(seed: 7)
        catalog = try Catalog(
            databasePath: directory.appendingPathComponent("catalog.sqlite").path, store: store,
            authorizer: AllowAll(), clock: SettableClock(), entropy: entropy)
        _ = try catalog.createWarehouse(context, name: "silver", location: "s3://warehouse/silver")
        ingestor = Ingestor(
            catalog: catalog, store: store, authorizer: AllowAll(), entropy: entropy, budget: budget
        )
    }

    deinit {
        catalog.close()
        try? FileManager.default.removeItem(at: directory)
    }

    var databasePath: String { directory.appendingPathComponent("source.db").path }

    func put(_ key: String, _ text: String) throws {
        try store.write(Array(text.utf8), to: ObjectLocation(bucket: "landing", key: key))
    }

    func source(_ script: String) throws {
        let connection = try Connection(path: databasePath, mode: .writer)
        try connection.script(script)
    }

    /// Runs a request given as YAML-like JSON; each call is a run of its own unless it has a name.
    @discardableResult
    func run(_ options: String, as name: String? = nil) throws -> IngestReport {
        runs += 1
        let request = try IngestRequest(JSONValue(parsing: options))
        return try ingestor.run(
            context, request, identity: IngestIdentity(runID: name ?? "run-\(runs)", stepID: "load")
        )
    }

    func table(_ name: String) throws -> TableMetadata {
        try catalog.loadTable(
            context, CatalogReference(warehouse: "silver"),
            TableIdentifier(namespace: ["bank"], name: name)
        ).metadata
    }

    /// The rows as texts, sorted.
    func rows(_ name: String) throws -> [String] { try unsorted(name).sorted() }

    /// The rows as texts, file by file.
    func unsorted(_ name: String) throws -> [String] {
        let metadata = try table(name)
        let reader = DataFileReader(store: store, budget: budget)
        var rows: [String] = []
        let scan = TableScan(metadata: metadata, snapshot: metadata.currentSnapshot)
        let fields = metadata.currentSchema.fields
        for task in try scan.plan(catalog.manifests).tasks {
            try reader.read(task, fields: fields) { chunk in
                for index in 0..<chunk.activeCount {
                    let row = chunk.row(index)
                    rows.append(
                        fields.indices.map { column in
                            guard let type = fields[column].type.primitive,
                                let value = IcebergTypes.literal(chunk.columns[column], row, type)
                            else { return "NULL" }
                            return Transform.identity.text(of: value)
                        }.joined(separator: "|"))
                }
            }
        }
        return rows
    }

    func columns(_ name: String) throws -> [String] {
        try table(name).currentSchema.fields.map { "\($0.name) \($0.type.primitive?.name ?? "?")" }
    }
}

extension IngestReport {
    fileprivate var counts: [Int] { [rowsInserted, rowsUpdated, rowsDeleted] }
}

private func code(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as IngestError {
        return error.code.rawValue
    } catch let error as TextTableError {
        return error.code.rawValue
    } catch {
        return "\(error)"
    }
}

@Suite struct AppendTests {
    private let landing =
        #"{"source": {"object": "s3://landing/silver/bank/moves/a.csv"}, "target": "from-key"}"#

    @Test func aLandedFileMakesTheTableWithItsTypes() throws {
        let bench = try Bench()
        try bench.put(
            "silver/bank/moves/a.csv",
            "id,amount,day,note\n1,2.50,2026-01-02,hi\n2,-3.1,2026-01-03,\n")
        let report = try bench.run(landing)
        #expect(report.createdTable)
        #expect(report.rowsInserted == 2)
        #expect(
            try bench.columns("moves") == [
                "id long", "amount decimal(18, 2)", "day date", "note string",
            ])
        #expect(try bench.rows("moves") == ["1|2.50|2026-01-02|hi", "2|-3.10|2026-01-03|NULL"])
    }

    @Test func aFirstLoadThatFailsLeavesNoTable() throws {
        let bench = try Bench()
        // The second file does not fit what the first one makes of the column.
        try bench.put("a.csv", "id,day\n1,2026-01-02\n")
        try bench.put("b.csv", "id,day\n2,\"never\nclosed")
        let options = """
            {"source": {"objects": "s3://landing/"}, "target": "silver.bank.moves"}
            """
        #expect(code { try bench.run(options) } != nil)
        #expect(throws: CatalogError.self) { try bench.table("moves") }
        #expect(
            try bench.store.list(bucket: "warehouse", prefix: "", after: nil, limit: 10).isEmpty)
        // Mended, it makes the table and its rows at once.
        try bench.put("b.csv", "id,day\n2,2026-01-03\n")
        #expect(try bench.run(options).createdTable)
        #expect(try bench.rows("moves").count == 2)
        #expect(try bench.table("moves").metadataLog.isEmpty)
    }

    @Test func aSourceWithoutRowsMakesAnEmptyTable() throws {
        let bench = try Bench()
        try bench.source("CREATE TABLE t (a INTEGER)")
        let options =
            #"{"source": {"sqlite": "\#(bench.databasePath)", "table": "t"}, "target": "silver.bank.t"}"#
        #expect(try bench.run(options).createdTable)
        #expect(try bench.rows("t") == [])
    }

    @Test func theSameVersionIsLoadedOnceAndAnotherVersionAgain() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id\n1\n")
        try bench.run(landing)
        let again = try bench.run(landing)
        #expect(again.wasDone)
        #expect(try bench.rows("moves") == ["1"])
        try bench.put("silver/bank/moves/a.csv", "id\n2\n")
        #expect(try !bench.run(landing).wasDone)
        #expect(try bench.rows("moves") == ["1", "2"])
    }

    @Test func aRetriedStepFindsItsOwnCommit() throws {
        let bench = try Bench()
        try bench.source("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
        let options =
            #"{"source": {"sqlite": "\#(bench.databasePath)", "table": "t"}, "target": "silver.bank.t"}"#
        let first = try bench.run(options, as: "one")
        let second = try bench.run(options, as: "one")
        #expect(second.wasDone)
        #expect(second.snapshotID == first.snapshotID)
        #expect(try bench.rows("t") == ["1"])
        let snapshot = try bench.table("t").currentSnapshot
        #expect(snapshot?.summary["lakehouse.run-id"] == "one")
        #expect(snapshot?.summary["lakehouse.step-id"] == "load")
    }

    @Test func newColumnsAreAddedAndMissingOnesAreNull() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id,note\n1,x\n")
        try bench.run(landing)
        try bench.put("silver/bank/moves/a.csv", "id,extra\n2,2.5\n")
        let report = try bench.run(landing)
        #expect(report.changedColumns == ["extra"])
        #expect(try bench.rows("moves") == ["1|x|NULL", "2|NULL|2.5"])
    }

    @Test func jsonLinesAndPartitionsByDay() throws {
        let bench = try Bench()
        try bench.put(
            "in/a.jsonl",
            """
            {"at": "2026-01-02T03:04:05", "n": 1}
            {"at": "2026-01-02T23:00:00", "n": 2}
            {"at": "2026-01-03T00:00:00", "n": 3}
            """)
        let report = try bench.run(
            """
            {"source": {"object": "s3://landing/in/a.jsonl"}, "target": "silver.bank.events",
             "partition": ["day(at)"]}
            """)
        #expect(report.filesAdded == 2)
        #expect(try bench.rows("events").count == 3)
        let metadata = try bench.table("events")
        #expect(metadata.defaultSpec.fields.map(\.name) == ["at_day"])
    }

    @Test func aTypeOfTheTableIsWidenedOnlyWhereIcebergAllows() throws {
        let bench = try Bench()
        try bench.source(
            """
            CREATE TABLE a (n DECIMAL(10,2)); INSERT INTO a VALUES (1.25);
            CREATE TABLE b (n DECIMAL(14,2)); INSERT INTO b VALUES (123456789012.5);
            CREATE TABLE c (n TEXT); INSERT INTO c VALUES ('x');
            """)
        func options(_ table: String) -> String {
            #"{"source": {"sqlite": "\#(bench.databasePath)", "table": "\#(table)"}, "target": "silver.bank.d"}"#
        }
        try bench.run(options("a"))
        try bench.run(options("b"))
        #expect(try bench.columns("d") == ["n decimal(14, 2)"])
        #expect(try bench.rows("d") == ["1.25", "123456789012.50"])
        #expect(code { try bench.run(options("c")) } == "ingest.incompatible_type")
    }

    @Test func aMalformedFileIsNamedWithItsLineAndLeavesNothing() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id,name\n1,a\n2\n")
        #expect(code { try bench.run(landing) } == "text.wrong_field_count")
        #expect(
            try bench.store.list(bucket: "warehouse", prefix: "", after: nil, limit: 10).isEmpty)
    }

    @Test func aValueThatNoTypeOfTheTableTakesIsAFault() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id\n1\n")
        try bench.run(landing)
        let before = try bench.store.list(bucket: "warehouse", prefix: "", after: nil, limit: 99)
            .count
        try bench.put("silver/bank/moves/a.csv", "id\nx\n")
        #expect(code { try bench.run(landing) } == "text.invalid_value")
        #expect(
            try bench.store.list(bucket: "warehouse", prefix: "", after: nil, limit: 99).count
                == before)
    }
}

@Suite struct ReplaceTests {
    @Test func theRowsBecomeTheWholeTable() throws {
        let bench = try Bench()
        try bench.source(
            "CREATE TABLE t (a INTEGER, b BOOLEAN, c TIMESTAMP); INSERT INTO t VALUES (1, 1, '2026-01-01 00:00:00.5'), (2, 0, NULL)"
        )
        let options =
            #"{"source": {"sqlite": "\#(bench.databasePath)", "table": "t"}, "target": "silver.bank.t", "mode": "replace"}"#
        try bench.run(options)
        #expect(try bench.columns("t") == ["a long", "b boolean", "c timestamp"])
        #expect(try bench.rows("t") == ["1|true|1767225600500000", "2|false|NULL"])
        try bench.source("DELETE FROM t WHERE a = 1; INSERT INTO t VALUES (3, NULL, NULL)")
        try bench.run(options)
        #expect(try bench.rows("t") == ["2|false|NULL", "3|NULL|NULL"])
        try bench.source("DELETE FROM t")
        try bench.run(options)
        #expect(try bench.rows("t") == [])
    }
}

@Suite struct MergeTests {
    private func options(_ bench: Bench, _ more: String = "") -> String {
        """
        {"source": {"sqlite": "\(bench.databasePath)", "table": "t"}, "target": "silver.bank.t",
         "mode": "merge", "key": ["id"], "incremental": "updated_at",
         "deletions": {"table": "gone", "incremental": "at"}, "partition": ["region"]\(more)}
        """
    }

    private let schema = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, region TEXT, amount DECIMAL(12,2), updated_at TIMESTAMP);
        CREATE TABLE gone (id INTEGER PRIMARY KEY, at TIMESTAMP);
        INSERT INTO t VALUES (1, 'N', 1.5, '2026-01-01 00:00:00'), (2, 'S', 2.5, '2026-01-01 00:00:00'),
            (3, 'N', 3.5, '2026-01-02 00:00:00'), (4, 'N', 4.5, '2026-01-02 00:00:00');
        """

    private let change = """
        UPDATE t SET amount = 9.99, updated_at = '2026-01-03 00:00:00' WHERE id = 1;
        UPDATE t SET region = 'S', updated_at = '2026-01-03 00:00:00' WHERE id = 3;
        DELETE FROM t WHERE id = 4; INSERT INTO gone VALUES (4, '2026-01-03 00:00:00');
        INSERT INTO t VALUES (5, 'W', 5.5, '2026-01-03 00:00:00');
        """

    private let after = [
        "1|N|9.99|1767398400000000", "2|S|2.50|1767225600000000", "3|S|3.50|1767398400000000",
        "5|W|5.50|1767398400000000",
    ]

    @Test(arguments: [
        "", #", "properties": {"write.merge.mode": "copy-on-write"}"#,
        #", "properties": {"format-version": "3"}"#, #", "properties": {"format-version": "1"}"#,
    ])
    func changesComeAsOneSnapshotAndARerunAddsNothing(_ more: String) throws {
        let bench = try Bench()
        try bench.source(schema)
        let first = try bench.run(options(bench, more))
        #expect(first.rowsInserted == 4)
        #expect(first.filesAdded == 2)
        #expect(try bench.run(options(bench, more)).snapshotID == nil)
        try bench.source(change)
        let second = try bench.run(options(bench, more))
        #expect(second.counts == [1, 2, 1])
        #expect(try bench.rows("t") == after)
        #expect(try bench.table("t").snapshots.count == 2)
        let third = try bench.run(options(bench, more))
        #expect(third.snapshotID == nil)
        #expect(try bench.table("t").snapshots.count == 2)
    }

    @Test func aKeyThatCameBackIsNotDeletedAgain() throws {
        let bench = try Bench()
        try bench.source(schema)
        try bench.run(options(bench))
        try bench.source(change)
        try bench.run(options(bench))
        try bench.source("INSERT INTO t VALUES (4, 'N', 4.0, '2026-01-04 00:00:00')")
        #expect(try bench.run(options(bench)).rowsInserted == 1)
        try bench.source("INSERT INTO t VALUES (6, 'N', 6.0, '2026-01-09 00:00:00')")
        let last = try bench.run(options(bench))
        #expect(last.counts == [1, 0, 0])
        #expect(try bench.rows("t").count == 6)
    }

    @Test func aRowCommittedLateWithTheWatermarksTimeIsNotLost() throws {
        let bench = try Bench()
        try bench.source(schema)
        try bench.run(options(bench))
        try bench.source("INSERT INTO t VALUES (9, 'N', 1, '2026-01-02 00:00:00')")
        let report = try bench.run(options(bench))
        #expect(report.counts == [1, 0, 0])
    }

    @Test func keysThatAreDoubledOrNullAreFaults() throws {
        let bench = try Bench()
        try bench.source(
            "CREATE TABLE t (id INTEGER, updated_at TIMESTAMP); INSERT INTO t VALUES (1, NULL), (1, NULL)"
        )
        let request = """
            {"source": {"sqlite": "\(bench.databasePath)", "table": "t"}, "target": "silver.bank.t",
             "mode": "merge", "key": "id"}
            """
        #expect(code { try bench.run(request) } == "ingest.key_not_unique")
        try bench.source("DELETE FROM t; INSERT INTO t VALUES (NULL, NULL)")
        #expect(code { try bench.run(request) } == "ingest.key_not_unique")
    }

    @Test func aHundredThousandRowsAndAChangeAreQuick() throws {
        let bench = try Bench()
        try bench.source(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, region TEXT, amount DECIMAL(12,2), memo TEXT,
                lat DOUBLE, booked_at TIMESTAMP, updated_at TIMESTAMP);
            CREATE TABLE gone (id INTEGER PRIMARY KEY, at TIMESTAMP);
            CREATE INDEX by_time ON t (updated_at);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            INSERT INTO t SELECT i, 'region-' || (i % 8), i / 100.0, 'a memo of some length ' || (i % 997),
                i / 7.0, datetime(1767225600 + i, 'unixepoch'), datetime(1767225600 + i, 'unixepoch') FROM n;
            """)
        let clock = ContinuousClock()
        let load = try clock.measure {
            let report = try bench.run(options(bench))
            #expect(report.rowsInserted == 100_000)
        }
        try bench.source(
            """
            UPDATE t SET amount = amount + 1, updated_at = '2026-06-01 00:00:00' WHERE id % 2500 = 0;
            INSERT INTO gone SELECT id, '2026-06-01 00:00:00' FROM t WHERE id % 10000 = 1;
            DELETE FROM t WHERE id % 10000 = 1;
            INSERT INTO t SELECT id + 200000, region, amount, memo, lat, booked_at, '2026-06-01 00:00:00'
                FROM t WHERE id <= 251 AND id > 1;
            """)
        let change = try clock.measure {
            let report = try bench.run(options(bench))
            #expect(
                report.counts == [250, 40, 10])
        }
        print("100,000 rows: \(load), a change of 300: \(change)")
    }
}

@Suite struct OptionTests {
    @Test(arguments: [
        (#"{"target": "silver.bank.t"}"#, "source"),
        (#"{"source": {"sqlite": "x", "table": "t"}, "target": "t"}"#, "target"),
        (#"{"source": {"sqlite": "x"}, "target": "a.b.c"}"#, "source.table"),
        (#"{"source": {"sqlite": "x", "table": "t"}, "target": "a.b.c", "mode": "merge"}"#, "key"),
        (#"{"source": {"sqlite": "x", "table": "t"}, "target": "a.b.c", "mod": "merge"}"#, "mod"),
        (#"{"source": {"sqlite": "x", "table": "t"}, "target": "a.b.c", "mode": "merg"}"#, "mode"),
        (#"{"source": {"object": "x/y"}, "target": "a.b.c"}"#, "source.object"),
        (#"{"source": {"object": "s3://b/k.csv"}, "target": "a.b.c", "key": ["a"]}"#, "key"),
    ])
    func aWrongOptionIsNamed(_ options: String, _ option: String) throws {
        let value = try JSONValue(parsing: options)
        do throws(IngestError) {
            _ = try IngestRequest(value)
            Issue.record("no fault")
        } catch {
            #expect(error.code == .invalidOptions)
            #expect(error.option == option)
        }
    }

    @Test func aValueOfTheRunIsNoProblemBeforeItIsThere() throws {
        let landing =
            #"{"source": {"object": "s3://${event.bucket}/${event.key}"}, "target": "from-key"}"#
        #expect(IngestRequest.problem(with: try JSONValue(parsing: landing))?.code == nil)
        let open =
            #"{"source": {"sqlite": "${s}", "table": "t"}, "target": "${t}", "mode": "${m}"}"#
        #expect(IngestRequest.problem(with: try JSONValue(parsing: open))?.code == nil)
        let wrong = #"{"source": {"sqlite": "${s}", "tabel": "t"}, "target": "a.b.c"}"#
        #expect(
            IngestRequest.problem(with: try JSONValue(parsing: wrong))?.option == "source.tabel")
    }
}
