import CivilTime
import JSON
import Testing

@testable import Metrics

/// Cells of answers as people read them.
struct AskTextTests {
    @Test(arguments: [
        ("percent", "", "0.0074", "0.74 %"),
        ("points", "", "0.0074", "0.74 percentage points"),
        ("points", "", "-0.02", "-2.00 percentage points"),
        ("currency", "EUR", "12.5", "12.50 EUR"),
        ("", "", "7", "7"),
    ])
    func cellsHaveTheFormatOfTheirColumn(
        _ format: String, _ unit: String, _ value: String, _ wanted: String
    ) {
        let column = AskAnswer.Column(
            name: "x", type: "double", label: "x", format: format, unit: unit, decimals: 2)
        #expect(AskText.cell(.number(JSONNumber(text: value)), column) == wanted)
    }

    /// A rate that rises from 4 to 5 percent rises by a percentage point, not by a percent.
    @Test func theChangeOfARateIsInPoints() throws {
        let file = try QuestionFile("Tests/MetricsTests/Fixtures/fraud-questions.yml")
        for (question, isRate) in [
            ("fraud rate week over week", true), ("amount week over week", false),
        ] {
            guard case .read(let reading) = file.reader.read(question) else {
                Issue.record("not read: \(question)")
                continue
            }
            let statement = try FrameSQL(
                model: file.model, frame: reading.frame, zone: TimeZoneRules(offsetSeconds: 0),
                snapshots: [:], rowLimit: 10
            ).statement()
            let change = try #require(statement.columns.first { $0.name.hasSuffix("_change") })
            #expect(change.isPoints == isRate)
            #expect(statement.columns.filter(\.isPoints).count == (isRate ? 1 : 0))
        }
    }
}
