import Foundation
import Testing

@testable import Dashboards

@Suite struct ChartTests {
    @Test(
        "Drawings are those that were looked at",
        arguments: [
            "bar", "line", "histogram", "heatmap", "number", "table", "area", "pie", "scatter",
            "pivot", "bar-stacked", "bar-vertical", "number-trend", "table-bars",
        ])
    func golden(name: String) throws {
        var options = ChartOptions()
        let data: ChartData
        let kind = String(name.prefix { $0 != "-" })
        switch name {
        case "area":
            data = Sample.days
            options.series = "region"
        case "bar-stacked", "bar-vertical":
            data = Sample.grid
            options.x = "weekday"
            options.series = "hour"
            options.isVertical = name == "bar-vertical"
            options.isStacked = name == "bar-stacked"
        case "pie": data = Sample.rates
        case "scatter":
            data = Sample.grid
            options.series = "weekday"
            options.size = "n"
        case "pivot":
            data = Sample.grid
            options.x = "weekday"
            options.series = "hour"
            options.showsTotals = true
        case "number-trend":
            data = Sample.rates
            options.showsTrend = true
        case "table-bars":
            data = Sample.rates
            options.barColumns = ["fraud_rate"]
        case "bar", "number", "table":
            data = Sample.rates
            options.format = .percent
            if kind == "bar" { options.threshold = 0.05 }
            if kind == "table" { options.percentColumns = ["fraud_rate"] }
        case "line":
            data = Sample.days
            options.series = "region"
        case "histogram": data = Sample.amounts
        default: data = Sample.grid
        }
        try expectGolden("\(name).html", content(kind, data, options))
    }

    @Test(
        "Every kind stands every input, and gives well-formed markup",
        arguments: chartKinds.keys.sorted())
    func hardInputs(kind: String) {
        for (name, data) in Sample.hard {
            for series in [nil, "region", "n"] {
                for isOdd in [false, true] {
                    var options = ChartOptions()
                    options.series = series
                    options.threshold = 0.5
                    options.showsTrend = isOdd
                    options.showsTotals = isOdd
                    options.isVertical = isOdd
                    options.barColumns = isOdd ? data.columns.map(\.name) : []
                    let markup = content(kind, data, options)
                    #expect(isWellFormed(markup), "\(kind) of \(name)")
                    #expect(!markup.contains("<script"), "\(kind) of \(name)")
                    #expect(
                        !markup.contains("nan") && !markup.contains("inf\""), "\(kind) of \(name)")
                    #expect(!markup.contains("style="), "inline styles are forbidden")
                }
            }
        }
    }

    @Test(
        "What cannot be drawn is said",
        arguments: [
            ("bar", "no rows", "No rows."), ("line", "no rows", "No rows."),
            ("bar", "all NULL", "All values are NULL."),
            ("line", "all NULL", "All values are NULL."),
            ("histogram", "all NULL", "All values are NULL."),
            ("bar", "texts only", "There is no column of numbers."),
            ("heatmap", "one row", "A heat map needs two columns of labels and one of numbers."),
        ])
    func nothing(kind: String, sample: String, said: String) throws {
        let data = try #require(Sample.hard.first { $0.name == sample }?.data)
        #expect(content(kind, data).hasPrefix("<p class=\"empty\">\(said)</p>"))
    }

    @Test("A chart carries its title, a description and its data as a table")
    func alternative() {
        let markup = content("bar", Sample.rates)
        #expect(markup.contains("role=\"img\""))
        #expect(markup.contains("<title id=\"t-wide-title\">A tile</title>"))
        #expect(
            markup.contains("<desc id=\"t-wide-desc\">Bars: fraud_rate by region, 5 rows.</desc>"))
        #expect(markup.contains("<summary>Data, 5 rows</summary>"))
        #expect(markup.contains("<td class=\"null number\">NULL</td>"))
    }

    @Test("Bars above the threshold stand out, the one at it does not")
    func threshold() {
        var options = ChartOptions()
        options.threshold = 0.0531
        let markup = content("bar", Sample.rates, options)
        // Each chart is drawn twice: wide and narrow.
        #expect(markup.components(separatedBy: "class=\"bar over\"").count - 1 == 2)
    }

    @Test("A single point of a line is a dot, a NULL is a gap")
    func gaps() {
        let one = ChartData(
            columns: [ChartColumn("d", "date"), ChartColumn("n", "bigint")],
            rows: [[.date(20_000), .integer(4)]])
        #expect(content("line", one).contains("r=\"3.5\""))
        let gap = ChartData(
            columns: one.columns,
            rows: [
                [.date(1), .integer(1)], [.date(2), .integer(2)], [.date(3), .null],
                [.date(4), .integer(3)], [.date(5), .integer(4)],
            ])
        let path = content("line", gap).components(separatedBy: " d=\"")[1]
            .components(separatedBy: "\"")[0]
        #expect(path.filter { $0 == "M" }.count == 2)
    }

    @Test("Points are drawn in the order of their dates")
    func order() {
        let columns = [ChartColumn("d", "date"), ChartColumn("n", "bigint")]
        let rows: [[ChartValue]] = [
            [.date(3), .integer(3)], [.date(1), .integer(1)], [.date(2), .integer(2)],
        ]
        #expect(
            content("line", ChartData(columns: columns, rows: rows)).contains("<path")
                && TileView.svgPaths(ChartData(columns: columns, rows: rows))
                    == TileView.svgPaths(
                        ChartData(columns: columns, rows: [rows[1], rows[2], rows[0]]))
        )
    }

    @Test("The big number tells how it moved")
    func change() {
        let data = ChartData(
            columns: [ChartColumn("now", "bigint"), ChartColumn("before", "bigint")],
            rows: [[.integer(150), .integer(100)]])
        var options = ChartOptions()
        options.compare = "before"
        let markup = content("number", data, options)
        #expect(markup.contains("150"))
        #expect(markup.contains("50.0\u{A0}%"))
        #expect(markup.contains("class=\"change up\""))
    }

    @Test("Faults of a statement are shown and escaped")
    func fault() {
        let markup = shown(
            tile("bar"), .fault(message: "no table <b>", hint: "did you mean b?"))
        #expect(markup.contains("no table &lt;b&gt;"))
        #expect(markup.contains("did you mean b?"))
    }
}

extension TileView {
    /// The path of the only line.
    static func svgPaths(_ data: ChartData) -> String {
        shown(tile("line"), .answer(QueryAnswer(data: data)))
            .components(separatedBy: " d=\"").dropFirst().map {
                $0.components(separatedBy: "\"")[0]
            }.joined(separator: "|")
    }
}
