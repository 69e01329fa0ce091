import Dashboards
import Foundation
import HTTPMessages
import Testing

@testable import ConsoleAPI

/// `mart` is made of `staging`, which is made of `bookings` and of a table that the visitor may not see.
@Suite struct LineageTests {
    private static let key = "lakehouse.column-lineage"

    private static func table(
        _ name: String, _ lineage: [String], files: ConsoleTable.Files = .listed([], hasMore: false)
    ) -> ConsoleTable {
        ConsoleTable(
            warehouse: "gold", levels: ["shop"], name: name,
            columns: [ConsoleTable.Column(name: "amount", type: "bigint")],
            snapshots: lineage.enumerated().map { place, text in
                ConsoleTable.SnapshotRow(
                    id: Int64(place), atMilliseconds: 0, operation: "append",
                    summary: [key: text, "total-records": "\(1000 + place)"], isCurrent: place == 0)
            }, files: files)
    }

    private static let root = LineageTable(warehouse: "gold", schema: "shop", name: "mart")

    private static func graph() -> LineageGraph {
        let mart = table(
            "mart",
            [
                #"{"Amount": [["gold", "shop", "staging", "amount"]]}"#,
                #"{"amount": [["gold", "shop", "old", "x"]], "fee": [["gold", "shop", "staging", "fee"]]}"#,
            ])
        return LineageGraph(root, mart) { other in
            switch other.name {
            case "staging":
                table(
                    "staging",
                    [
                        #"{"amount": [["gold", "shop", "bookings", "cents"]], "#
                            + #""fee": [["gold", "shop", "secret", "fee"]]}"#
                    ], files: .withheld)
            case "bookings": table("bookings", ["no JSON", #"{"cents": [["too", "short"]]}"#])
            default: nil
            }
        }
    }

    @Test func columnsAreFollowedDownToWhereTheyEntered() {
        let graph = Self.graph()
        let names = { (column: String) in
            graph.origins(of: Self.root, column).map { "\($0.table.name).\($0.column)" }
        }
        // The newest statement that wrote a column counts, whatever the case of its name.
        #expect(names("amount") == ["bookings.cents"])
        #expect(names("fee") == ["secret.fee"])
        #expect(names("other") == [])
    }

    @Test func rowsOfATableThatIsSeenInPartAreNotTold() {
        let graph = Self.graph()
        #expect(graph.rows[Self.root] == "1,000")
        #expect(graph.rows[LineageTable(warehouse: "gold", schema: "shop", name: "staging")] == nil)
        let drawing = graph.drawing(of: Self.root).text
        #expect(drawing.contains("gold.shop · 1,000 rows") && drawing.contains(">secret</text>"))
        #expect(drawing.components(separatedBy: "class=\"flow\"").count == 4)
    }

    @Test func tablesThatFeedEachOtherEnd() {
        let mart = Self.table("mart", [#"{"amount": [["gold", "shop", "twin", "amount"]]}"#])
        let graph = LineageGraph(Self.root, mart) { _ in
            Self.table("twin", [#"{"amount": [["gold", "shop", "mart", "amount"]]}"#])
        }
        #expect(graph.origins(of: Self.root, "amount").isEmpty)
        #expect(graph.drawing(of: Self.root).text.contains(">twin</text>"))
    }

    @Test func aTableOfFilesSaysThatNothingIsKnown() throws {
        let answer = try Console().send(.get, "/catalog/silver/banking/transactions/lineage")
        #expect(answer.status == 200)
    }
}
