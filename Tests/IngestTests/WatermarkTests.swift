import Iceberg
import JSON
import ObjectStorage
import Testing

@testable import Ingest

/// Patterns with one star, enough for tests: what reads them is the appliance's.
private let starPattern: Ingestor.KeyPattern = { pattern in
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return nil }
    return { $0.hasPrefix(parts[0]) && $0.hasSuffix(parts[1]) }
}

@Suite struct WatermarkTests {
    private let target = IngestTarget(warehouse: "silver", namespace: ["bank"], table: "t")

    private func options(_ bench: Bench, _ more: String = "") -> String {
        """
        {"source": {"sqlite": "\(bench.databasePath)", "table": "t"}, "target": "silver.bank.t",
         "mode": "merge", "key": "id"\(more)}
        """
    }
    private let incremental = #", "incremental": "stamp""#

    @Test func aWatermarkIsShownAndTakenBack() throws {
        let bench = try Bench()
        #expect(try bench.ingestor.watermark(bench.context, target) == nil)
        #expect(try !bench.ingestor.resetWatermark(bench.context, target))
        try bench.source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, stamp INTEGER);"
                + "INSERT INTO t VALUES (1, 10, 100), (2, 20, 200)")
        let first = try bench.run(options(bench, incremental))
        var mark = try bench.ingestor.watermark(bench.context, target)
        #expect(mark?.rows == "200" && mark?.deletions == nil && mark?.isReset == false)
        #expect(mark?.snapshotID == first.snapshotID)

        // A change whose stamp is from before the watermark is not seen.
        try bench.source("UPDATE t SET n = 11, stamp = 150 WHERE id = 1")
        #expect(try bench.run(options(bench, incremental)).snapshotID == nil)
        #expect(try bench.ingestor.resetWatermark(bench.context, target))
        mark = try bench.ingestor.watermark(bench.context, target)
        #expect(mark?.rows == nil && mark?.isReset == true)
        #expect(try !bench.ingestor.resetWatermark(bench.context, target))
        let after = try bench.run(options(bench, incremental))
        #expect([after.rowsInserted, after.rowsUpdated, after.rowsDeleted] == [0, 1, 0])
        mark = try bench.ingestor.watermark(bench.context, target)
        #expect(mark?.rows == "200" && mark?.isReset == false)
        #expect(try bench.rows("t") == ["1|11|150", "2|20|200"])
    }

    @Test func aResetThatFindsNothingLeavesTheOldMark() throws {
        let bench = try Bench()
        try bench.source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, stamp TEXT); INSERT INTO t VALUES (1, 'b')")
        try bench.run(options(bench, incremental))
        #expect(try bench.ingestor.resetWatermark(bench.context, target))
        let report = try bench.run(options(bench, incremental))
        #expect(report.snapshotID == nil && report.rowsRead == 1)
        #expect(try bench.ingestor.watermark(bench.context, target)?.rows == "b")
        #expect(try bench.table("t").properties[IngestSummary.reset] == nil)
    }

    @Test func aMergeRemovesWhatTheSourceHasNoMore() throws {
        let bench = try Bench()
        try bench.source(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, stamp INTEGER);"
                + "INSERT INTO t VALUES (1, 10, 100), (2, 20, 200), (3, 30, 300)")
        let request = options(bench, incremental + #", "delete_missing": true"#)
        try bench.run(request)
        try bench.source(
            "DELETE FROM t WHERE id IN (1, 2); UPDATE t SET n = 31, stamp = 301;"
                + "INSERT INTO t VALUES (4, 40, 50)")
        let report = try bench.run(request)
        #expect([report.rowsInserted, report.rowsUpdated, report.rowsDeleted] == [1, 1, 2])
        #expect(try bench.rows("t") == ["3|31|301", "4|40|50"])
        #expect(try bench.run(request).snapshotID == nil)
        try bench.source("DELETE FROM t")
        #expect(try bench.run(request).rowsDeleted == 2)
        #expect(try bench.rows("t") == [])
    }

    @Test func aPatternOfFilesIsOneTableAndFilesThatAreGoneGo() throws {
        let bench = try Bench()
        let ingestor = Ingestor(
            catalog: bench.catalog, store: bench.store, authorizer: bench.ingestor.authorizer,
            entropy: bench.ingestor.entropy, budget: bench.budget, keyPattern: starPattern)
        func load(_ more: String) throws -> IngestReport {
            try ingestor.run(
                bench.context,
                IngestRequest(
                    JSONValue(
                        parsing: """
                            {"source": {"objects": "s3://landing/days/*.csv"},
                             "target": "silver.bank.t", "mode": "replace-file"\(more)}
                            """)), identity: IngestIdentity(runID: "\(more)\(runs())", stepID: "s"))
        }
        var count = 0
        func runs() -> Int {
            count += 1
            return count
        }
        for (name, text) in [("a.csv", "n\n1\n"), ("b.csv", "n\n2\n3\n"), ("c.txt", "n\n9\n")] {
            try bench.put("days/\(name)", text)
        }
        #expect(try load("").rowsInserted == 3)
        // What came from elsewhere is not the pattern's.
        try bench.put("other/d.csv", "n\n4\n")
        try bench.run(
            #"{"source": {"object": "s3://landing/other/d.csv"}, "target": "silver.bank.t", "mode": "replace-file"}"#
        )
        try bench.store.delete(ObjectLocation(bucket: "landing", key: "days/b.csv"))
        try bench.store.delete(ObjectLocation(bucket: "landing", key: "other/d.csv"))
        #expect(try load("").rowsDeleted == 0)
        let removing = #", "delete_missing": true"#
        let report = try load(removing)
        #expect([report.rowsInserted, report.rowsDeleted] == [0, 2])
        #expect(try bench.rows("t").map { String($0.prefix(1)) } == ["1", "4"])
        #expect(try load(removing).snapshotID == nil)
        // A source without any file is more likely a mistake than an order to remove everything.
        try bench.store.delete(ObjectLocation(bucket: "landing", key: "days/a.csv"))
        #expect(throws: IngestError.self) { try load(removing) }
        #expect(try bench.rows("t").count == 2)
    }

    @Test(arguments: [
        (
            #"{"source": {"object": "s3://b/k.csv"}, "target": "a.b.c", "mode": "merge", "key": "id"}"#,
            "source"
        ),
        (
            #"{"source": {"objects": "s3://b/k/"}, "target": "a.b.c", "delete_missing": true}"#,
            "delete_missing"
        ),
        (
            #"{"source": {"object": "s3://b/k.csv"}, "target": "a.b.c", "mode": "replace-file", "delete_missing": true}"#,
            "delete_missing"
        ),
        (
            #"{"source": {"sqlite": "x", "table": "t"}, "target": "a.b.c", "mode": "merge", "key": "id", "delete_missing": "perhaps"}"#,
            "delete_missing"
        ),
        (
            #"{"source": {"sqlite": "x", "table": "t"}, "target": "a.b.c", "mode": "merge", "key": "id", "delete_missing": true, "deletions": {"table": "d"}}"#,
            "delete_missing"
        ),
    ])
    func whatDoesNotGoTogetherIsNamed(_ text: String, _ option: String) throws {
        let options = try JSONValue(parsing: text)
        #expect(IngestRequest.problem(with: options)?.option == option)
    }
}
