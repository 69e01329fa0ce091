import Testing

@testable import ConsoleAPI
@testable import Ledger

struct RowChartsTests {
    private static let table = "table:silver/shop/raw"

    private func read(
        _ sequence: Int64, _ tile: String, _ snapshot: Int64?, of resource: String = table
    ) -> TracedRead {
        let entry = LedgerEntry(
            sequence: sequence, tenant: "main", atMicroseconds: sequence, principalID: "id-ana",
            principalName: "ana", requestID: "r", door: "console", action: "table.read",
            resource: resource, decision: "allowed", detail: "{}")
        return TracedRead(
            entry: entry, resource: resource, snapshotID: snapshot, queryID: "q\(sequence)",
            source: "dashboard d/\(tile)")
    }

    private func charts(_ reads: [TracedRead], _ holds: [Int64: Bool]) -> [String] {
        let found = TracedCharts(
            reads: reads.sorted { $0.entry.sequence > $1.entry.sequence }, isCut: false)
        return RowCharts(found, table: Self.table, holds: holds).charts.map {
            "\($0.read.source ?? "") \($0.kind.rawValue) \($0.read.queryID ?? "")"
        }
    }

    @Test func `a read counts when its state of the table holds the row`() {
        // The row comes with 2 and goes with 4; 1 and 5 are before and after; 9 was not looked at.
        let holds: [Int64: Bool] = [1: false, 2: true, 3: true, 4: false, 5: false]
        let reads = [
            read(1, "before", 1), read(2, "empty", nil), read(3, "held", 2), read(4, "held", 3),
            read(5, "held", 5), read(6, "after", 4), read(7, "old", 9),
            read(8, "made", 77, of: "table:silver/shop/made"),
        ]
        #expect(
            charts(reads, holds)
                == [
                    "dashboard d/made derived q8", "dashboard d/old table q7",
                    "dashboard d/held row q4",
                ])
    }

    @Test func `a read of the row is named before one of which nothing is known`() {
        #expect(
            charts([read(1, "a", 2), read(2, "a", 9)], [2: true]) == ["dashboard d/a row q1"])
    }

    @Test func `where no state shows the row nothing is said of it`() {
        #expect(charts([read(1, "a", 2)], [2: false]) == ["dashboard d/a table q1"])
    }
}
