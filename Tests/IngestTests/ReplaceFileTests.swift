import Iceberg
import JSON
import ObjectStorage
import Testing

@testable import Ingest

/// Without the column that tells when.
private func plain(_ rows: [String]) -> [String] {
    rows.map { $0.split(separator: "|").prefix { !$0.hasPrefix("s3://") }.joined(separator: "|") }
}

private func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as IngestError {
        return error.code.rawValue
    } catch {
        return "\(error)"
    }
}

@Suite struct ReplaceFileTests {
    private func options(_ file: String, _ more: String = "") -> String {
        """
        {"source": {"object": "s3://landing/silver/bank/moves/\(file)"}, "target": "from-key",
         "mode": "replace-file"\(more)}
        """
    }
    private let removing = #", "on_delete": "remove""#

    @Test func aFilesRowsReplaceThoseThatCameFromItAndNoOthers() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id,n\n1,10\n2,20\n")
        try bench.put("silver/bank/moves/b.csv", "id,n\n3,30\n")
        try bench.run(options("a.csv"))
        try bench.run(options("b.csv"))
        #expect(
            try bench.columns("moves") == [
                "id long", "n long", "_source_file string", "_source_etag string",
                "_ingested_at timestamp",
            ])
        try bench.put("silver/bank/moves/a.csv", "id,n\n2,21\n4,40\n5,50\n")
        let report = try bench.run(options("a.csv"))
        #expect([report.rowsInserted, report.rowsDeleted] == [3, 2])
        #expect(plain(try bench.rows("moves")) == ["2|21", "3|30", "4|40", "5|50"])
    }

    @Test func theSameContentIsNotLoadedAgain() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id\n1\n")
        try bench.run(options("a.csv"))
        let before = try bench.table("moves").currentSnapshotID
        try bench.put("silver/bank/moves/a.csv", "id\n1\n")
        let again = try bench.run(options("a.csv"))
        #expect(again.snapshotID == nil)
        #expect(try bench.table("moves").currentSnapshotID == before)
    }

    @Test func aFileThatIsGoneTakesItsRowsWithItOnlyWhenItMay() throws {
        let bench = try Bench()
        let location = ObjectLocation(bucket: "landing", key: "silver/bank/moves/a.csv")
        try bench.put("silver/bank/moves/a.csv", "id\n1\n2\n")
        try bench.put("silver/bank/moves/b.csv", "id\n3\n")
        try bench.run(options("a.csv"))
        try bench.run(options("b.csv"))
        try bench.store.delete(location)
        #expect(failure { try bench.run(options("a.csv")) } == "ingest.source_unavailable")
        #expect(plain(try bench.rows("moves")) == ["1", "2", "3"])
        let report = try bench.run(options("a.csv", removing))
        #expect(report.rowsDeleted == 2)
        #expect(plain(try bench.rows("moves")) == ["3"])
        #expect(try bench.run(options("a.csv", removing)).snapshotID == nil)
    }

    @Test func severalFilesHaveACommitEach() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id\n1\n")
        try bench.put("silver/bank/moves/b.csv", "id,note\n2,x\n")
        let all = """
            {"source": {"objects": "s3://landing/silver/bank/moves/"},
             "target": "silver.bank.moves", "mode": "replace-file"}
            """
        #expect(try bench.run(all).rowsInserted == 2)
        #expect(try bench.table("moves").snapshots.count == 2)
        #expect(try bench.run(all).snapshotID == nil)
        #expect(try bench.columns("moves").contains("note string"))
    }

    @Test func delimitersTimesAndHeadersAreUnderstood() throws {
        let cases: [(text: String, columns: [String], row: String)] = [
            (
                "Order ID;Day of sale;2nd\n1;21.11.2026;yes\n",
                [
                    "order_id long",
                    "day_of_sale date", "_2nd boolean",
                ], "1|2026-11-21|true"
            ),
            ("a|b\n1.5|2026/11/21 10:30:00\n", ["a decimal(18, 1)", "b timestamp"], "1.5|"),
            ("a\tb\n1e3\t21-11-2026\n", ["a double", "b date"], "1000.0|2026-11-21"),
            ("a,b\n13/11/2026,0\n12/11/2026,1\n", ["a date", "b long"], "2026-11-12|1"),
            ("a,b\n11/13/2026,x\n11/12/2026,y\n", ["a date", "b string"], "2026-11-12|y"),
        ]
        for item in cases {
            let bench = try Bench()
            try bench.put("silver/bank/moves/a.csv", item.text)
            try bench.run(options("a.csv"))
            #expect(Array(try bench.columns("moves").dropLast(3)) == item.columns)
            #expect(try bench.rows("moves").first?.hasPrefix(item.row) == true, "\(item.text)")
        }
    }

    @Test func aTenthOfTheValuesMayBeOtherwiseAndNoMore() throws {
        let bench = try Bench()
        let nine = (1...9).map { "\($0),2026-01-0\($0)" }.joined(separator: "\n")
        try bench.put("silver/bank/moves/a.csv", "id,day\n\(nine)\nten,2026-01-10\n")
        try bench.run(options("a.csv"))
        #expect(try bench.columns("moves").first == "id long")
        #expect(plain(try bench.rows("moves")).contains("NULL|2026-01-10"))
        // The table's type stands: a later file of texts does not become NULLs.
        try bench.put("silver/bank/moves/b.csv", "id,day\nx,2026-01-10\ny,2026-01-11\n")
        #expect(failure { try bench.run(options("b.csv")) } == "ingest.invalid_value")
        #expect(try bench.rows("moves").count == 10)
    }

    @Test func decimalsGrowWithLaterFilesWhereIcebergCanAndAreRefusedWhereNot() throws {
        let first = "amount\n12.50\n7.25\n"
        let cases: [(second: String, column: String, code: String?)] = [
            // Room for 16 digits before the point is there from the beginning.
            ("amount\n9999999999999999.99\n", "amount decimal(18, 2)", nil),
            ("amount\n12345678901234567.89\n", "amount decimal(19, 2)", nil),
            // Fewer digits behind the point, or none, need as much room before it.
            ("amount\n123456789012345678.5\n", "amount decimal(20, 2)", nil),
            ("amount\n1234567890123456789\n", "amount decimal(21, 2)", nil),
            ("amount\n1.125\n2.250\n", "amount decimal(18, 2)", "ingest.incompatible_type"),
        ]
        for mode in ["replace-file", "append"] {
            for item in cases {
                let bench = try Bench()
                func load(_ file: String) throws {
                    try bench.run(options(file).replacing("replace-file", with: mode))
                }
                try bench.put("silver/bank/moves/a.csv", first)
                try load("a.csv")
                #expect(try bench.columns("moves").first == "amount decimal(18, 2)")
                try bench.put("silver/bank/moves/b.csv", item.second)
                #expect(failure { try load("b.csv") } == item.code, "\(mode) \(item.second)")
                #expect(try bench.columns("moves").first == item.column, "\(mode) \(item.second)")
                let rows = try bench.rows("moves").count
                #expect(rows == (item.code == nil ? 3 : 2), "\(mode) \(item.second)")
            }
        }
    }

    @Test func digitsBehindThePointThatOnlyLateRowsHaveAreKept() throws {
        let bench = try Bench()
        let early = (1...1500).map { "\($0).5" }.joined(separator: "\n")
        try bench.put("silver/bank/moves/a.csv", "amount\n\(early)\n7.125\n")
        try bench.run(options("a.csv"))
        #expect(try bench.columns("moves").first == "amount decimal(18, 3)")
        #expect(try plain(bench.rows("moves")).filter { $0 == "NULL" }.isEmpty)
    }

    @Test func aHeaderWithTheSameNameTwiceIsAHeaderAndTheLogSaysSo() throws {
        for mode in ["replace-file", "append"] {
            let bench = try Bench()
            try bench.put("silver/bank/moves/a.csv", "id,amount,amount\n1,2.50,3.75\n2,4.50,5.25\n")
            var lines: [String] = []
            let text = options("a.csv").replacing("replace-file", with: mode)
            _ = try bench.ingestor.run(
                bench.context, try IngestRequest(JSONValue(parsing: text)),
                identity: IngestIdentity(runID: "r", stepID: "load")
            ) { lines.append($0) }
            #expect(
                try bench.columns("moves").prefix(3) == [
                    "id long", "amount decimal(18, 2)", "amount_2 decimal(18, 2)",
                ])
            #expect(try bench.rows("moves").count == 2)
            #expect(
                lines.contains {
                    $0.contains("has 'amount' 2 times: the columns are amount, amount_2")
                }, "\(lines)")
        }
    }

    @Test func requiredColumnsAreLookedAtBeforeAnythingIsWritten() throws {
        let bench = try Bench()
        try bench.put("silver/bank/moves/a.csv", "id,amount\n1,2.50\n")
        let cases: [(requires: String, code: String?)] = [
            (#"{"id": "bigint", "amount": "decimal"}"#, nil),
            (#"{"id": "decimal", "amount": "double"}"#, nil),
            (#"{"id": "date"}"#, "ingest.incompatible_type"),
            (#"{"price": "decimal"}"#, "ingest.incompatible_type"),
            (#"{"id": "number"}"#, "ingest.invalid_options"),
        ]
        for item in cases {
            let request =
                options("a.csv").replacing("replace-file", with: "validate").dropLast()
                + ", \"requires\": \(item.requires)}"
            #expect(failure { try bench.run(String(request)) } == item.code)
        }
        #expect(failure { _ = try bench.table("moves") } != nil)
    }

    @Test func optionsThatMeanNothingAreRefused() {
        for (text, option) in [
            (
                #"{"source": {"sqlite": "a.db", "table": "t"}, "target": "a.b.c", "mode": "replace-file"}"#,
                "source"
            ),
            (
                #"{"source": {"object": "s3://a/b.csv"}, "target": "a.b.c", "on_delete": "remove"}"#,
                "on_delete"
            ),
            (
                #"{"source": {"object": "s3://a/b.csv"}, "target": "a.b.c", "requires": {"a": "date"}}"#,
                "requires"
            ),
            (
                #"{"source": {"object": "s3://a/b.csv"}, "target": "a.b.c", "mode": "replace-file", "on_delete": "burn"}"#,
                "on_delete"
            ),
        ] {
            var found: String?
            do { _ = try IngestRequest(JSONValue(parsing: text)) } catch {
                found = (error as? IngestError)?.option
            }
            #expect(found == option)
        }
    }
}
