import Testing
import TextTables

@testable import Ingest

/// CSV files of several stretches, which threads read side by side.
@Suite struct LargeTextTests {
    /// About 3 MB, with line feeds in quotes.
    private static func text(rows: Int = 60_000, odd: [Int: String] = [:]) -> String {
        var text = "id,amount,note\r\n"
        for row in 0..<rows {
            text +=
                odd[row]
                ?? "\(row),\(row % 900).\(10 + row % 90),\"note\n\(row) \(row % 7 == 0 ? "\"\"x\"\"" : "")long enough\"\r\n"
        }
        return text
    }

    private static let request =
        #"{"source": {"object": "s3://landing/large.csv"}, "target": "silver.bank.large", "mode": "append"}"#

    @Test("rows arrive all, and in the order of the file")
    func order() throws {
        let bench = try Bench()
        try bench.put("large.csv", Self.text())
        #expect(try bench.run(Self.request).rowsInserted == 60_000)
        #expect(
            try bench.columns("large") == ["id long", "amount decimal(18, 2)", "note string"])
        let rows = try bench.unsorted("large")
        #expect(rows.count == 60_000)
        for row in stride(from: 0, to: rows.count, by: 611) {
            let quoted = row % 7 == 0 ? "\"x\"" : ""
            #expect(
                rows[row]
                    == "\(row)|\(row % 900).\(10 + row % 90)|note\n\(row) \(quoted)long enough")
        }
    }

    @Test("the first mistake is told with its line, and nothing is loaded")
    func mistakes() throws {
        let bench = try Bench()
        try bench.put(
            "large.csv", Self.text(odd: [50_000: "50000,1,\"a\"b\r\n", 30_000: "30000,1\r\n"]))
        let error = #expect(throws: TextTableError.self) { try bench.run(Self.request) }
        #expect(error?.code == .wrongFieldCount)
        // Each row but the odd ones has two lines, and the header one.
        #expect(error?.message.contains("line 60002 of ") == true)
        #expect(throws: (any Error).self) { try bench.table("large") }
    }

    @Test("a value that does not fit a table that is there is told with its line")
    func misfits() throws {
        let bench = try Bench()
        try bench.put("large.csv", "id,amount,note\n1,2.50,x\n")
        try bench.run(Self.request)
        try bench.put(
            "large.csv", Self.text(odd: [40_000: "40000,much,x\r\n", 59_000: "more,1,x\r\n"]))
        let error = #expect(throws: (any Error).self) { try bench.run(Self.request) }
        #expect("\(String(describing: error))".contains("line 80002, column amount"))
        #expect(try bench.unsorted("large").count == 1)
    }
}
