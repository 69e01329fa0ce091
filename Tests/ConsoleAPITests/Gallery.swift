import ConsoleAPI
import Dashboards
import Foundation
import HTTPMessages

/// A dashboard with every kind of chart over made-up results, for looking at.
enum Gallery {
    static func library() throws -> DashboardLibrary { try DashboardLibrary([document()]) }

    static func page(_ console: Console) throws -> String {
        // The fake runner knows no such statements: the tiles are written from results of our own.
        let page = text(console.send(.get, "/dashboards/gallery"))
        let tiles = document().tiles.map { tile in
            TileView.section(
                tile,
                .answer(
                    QueryAnswer(
                        data: results[tile.id] ?? ChartData(columns: [], rows: []),
                        queryID: "q1", elapsedMilliseconds: 12)),
                DashboardView(document(), FilterState()), path: "/dashboards/gallery"
            ).text
        }
        guard let start = page.range(of: "<section"),
            let end = page.range(of: "</section>", options: .backwards)
        else { return page }
        return page[..<start.lowerBound] + tiles.joined() + page[end.upperBound...]
    }

    private static func document() -> DashboardDocument {
        func tile(
            _ id: String, _ kind: String, _ title: String, _ width: TileWidth, _ note: String = "",
            _ change: (inout ChartOptions) -> Void = { _ in }
        ) -> DashboardTile {
            var options = ChartOptions()
            change(&options)
            return DashboardTile(
                id: id, kind: kind, title: title, description: note, sql: "select 1",
                width: width, options: options)
        }
        return DashboardDocument(
            name: "gallery", title: "Fraud overview",
            description: "Card transactions of the last 60 days, and where fraud was reported.",
            filters: [
                DashboardFilter(
                    id: "region", label: "Region", kind: .multiple, column: "region",
                    values: ["Baltic", "Coastal"]),
                DashboardFilter(id: "day", label: "Days", kind: .dateRange, column: "day"),
                DashboardFilter(id: "memo", label: "Memo", kind: .text, column: "memo"),
            ],
            tiles: [
                tile("count", "number", "Transactions", .quarter) { $0.compare = "before" },
                tile("amount", "number", "Amount", .quarter) { $0.format = .compact },
                tile("rate", "number", "Fraud rate", .quarter) {
                    $0.format = .percent
                    $0.decimals = 2
                    $0.compare = "before"
                },
                tile("customers", "number", "Customers", .quarter) { $0.showsTrend = true },
                tile("regions", "bar", "Fraud rate by region", .half, "The last full ISO week.") {
                    $0.format = .percent
                    $0.decimals = 2
                    $0.threshold = 0.05
                },
                tile("days", "line", "Transactions by day", .half) { $0.startsAtZero = true },
                tile("lines", "line", "By region", .half) { $0.series = "region" },
                tile("areas", "area", "By region, stacked", .half) { $0.series = "region" },
                tile("parts", "bar", "Channels by region", .half) { $0.series = "channel" },
                tile("columns", "bar", "Channels by region", .half) {
                    $0.series = "channel"
                    $0.isVertical = true
                    $0.isStacked = false
                },
                tile("shares", "pie", "Channels", .half),
                tile("points", "scatter", "Amount by age", .half) {
                    $0.series = "channel"
                    $0.size = "n"
                },
                tile("pivot", "pivot", "Channels by region", .full) { $0.showsTotals = true },
                tile("hours", "heatmap", "When people pay", .half),
                tile("amounts", "histogram", "Amounts", .half) { $0.unit = "EUR" },
                tile("empty", "line", "Nothing yet", .half),
                tile("merchants", "table", "Top merchants", .full) {
                    $0.barColumns = ["amount"]
                },
            ])
    }

    private static let results: [String: ChartData] = {
        let regions = [
            ("Coastal", 0.0712), ("Highlands", 0.0531), ("Lakes", 0.0497), ("Baltic", 0.031),
            ("Capital", 0.035), ("River", 0.028), ("Forest", 0.022),
            ("A region with a name that is far too long", 0.012),
        ]
        var merchants: [[ChartValue]] = []
        for index in 1...10 {
            let amount = "\(99_999 - index * 4321).\(10 + index)"
            merchants.append([
                .text("Merchant \(index * 37)"),
                .text(["Travel", "Groceries", "Online"][index % 3]),
                .integer(Int64(4000 - index * 211)), .decimal(amount),
                index == 4 ? .null : .number(0.01 * Double(index)),
            ])
        }
        func wave(_ day: Int, _ seed: Int) -> Int64 {
            let weekly = day % 7 < 5 ? 350 : -200
            let noise = day * seed * 7919 % 180
            return Int64(1500 + weekly + noise)
        }
        var lines: [[ChartValue]] = []
        for day in 0..<60 {
            for (index, name) in ["Baltic", "Capital", "Coastal", "Forest"].enumerated() {
                let value = wave(day, index + 2) / Int64(index + 2)
                let isGap = day == 30 && index == 2
                lines.append([
                    .date(20_719 + Int32(day)), .text(name), isGap ? .null : .integer(value),
                ])
            }
        }
        var hours: [[ChartValue]] = []
        for hour in 0..<24 {
            for (index, day) in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].enumerated() {
                let value = max(0, 120 - (hour - 14) * (hour - 14)) + index * 9
                hours.append([.integer(Int64(hour)), .text(day), .integer(Int64(value))])
            }
        }
        var parts: [[ChartValue]] = []
        var points: [[ChartValue]] = []
        for (index, region) in ["Baltic", "Capital", "Coastal", "Forest"].enumerated() {
            for (other, channel) in ["card", "online", "transfer"].enumerated() {
                parts.append([
                    .text(region), .text(channel),
                    .decimal("\(900 + index * 137 % 400 + other * 311).\(10 + index)"),
                ])
            }
        }
        for index in 0..<120 {
            points.append([
                .number(Double(index * 37 % 97)), .number(Double(index * index % 113) / 3),
                .text(["card", "online"][index % 2]), .integer(Int64(index % 9)),
            ])
        }
        let partColumns = [
            ChartColumn("region", "varchar"), ChartColumn("channel", "varchar"),
            ChartColumn("amount", "decimal(12,2)"),
        ]
        return [
            "areas": ChartData(
                columns: [
                    ChartColumn("day", "date"), ChartColumn("region", "varchar"),
                    ChartColumn("n", "bigint"),
                ], rows: lines),
            "parts": ChartData(columns: partColumns, rows: parts),
            "columns": ChartData(columns: partColumns, rows: parts),
            "pivot": ChartData(columns: partColumns, rows: parts),
            "shares": ChartData(
                columns: [ChartColumn("channel", "varchar"), ChartColumn("n", "bigint")],
                rows: [
                    [.text("card"), .integer(612)], [.text("online"), .integer(301)],
                    [.text("transfer"), .integer(87)],
                ]),
            "points": ChartData(
                columns: [
                    ChartColumn("age", "double"), ChartColumn("amount", "double"),
                    ChartColumn("channel", "varchar"), ChartColumn("n", "bigint"),
                ], rows: points),
            "count": ChartData(
                columns: [ChartColumn("n", "bigint"), ChartColumn("before", "bigint")],
                rows: [[.integer(100_240), .integer(99_990)]]),
            "amount": ChartData(
                columns: [ChartColumn("a", "decimal(38,2)")], rows: [[.decimal("7312345.20")]]),
            "rate": ChartData(
                columns: [ChartColumn("r", "double"), ChartColumn("before", "double")],
                rows: [[.number(0.0304), .number(0.0341)]]),
            "customers": ChartData(
                columns: [ChartColumn("n", "bigint")],
                rows: [4700, 4810, 4790, 4925, 4950, 5000].map { [.integer($0)] }),
            "regions": ChartData(
                columns: [ChartColumn("region", "varchar"), ChartColumn("fraud_rate", "double")],
                rows: regions.map { [.text($0.0), .number($0.1)] }),
            "days": ChartData(
                columns: [ChartColumn("day", "date"), ChartColumn("transactions", "bigint")],
                rows: (0..<60).map { [.date(20_719 + Int32($0)), .integer(wave($0, 3))] }),
            "lines": ChartData(
                columns: [
                    ChartColumn("day", "date"), ChartColumn("region", "varchar"),
                    ChartColumn("n", "bigint"),
                ], rows: lines),
            "hours": ChartData(
                columns: [
                    ChartColumn("hour", "bigint"), ChartColumn("weekday", "varchar"),
                    ChartColumn("n", "bigint"),
                ], rows: hours),
            "amounts": ChartData(
                columns: [ChartColumn("amount", "decimal(12,2)")],
                rows: (0..<600).map { [.decimal("\(($0 * $0) % 53 + ($0 * 7) % 31).40")] }),
            "merchants": ChartData(
                columns: [
                    ChartColumn("merchant", "varchar"), ChartColumn("category", "varchar"),
                    ChartColumn("transactions", "bigint"), ChartColumn("amount", "decimal(38,2)"),
                    ChartColumn("fraud_rate", "double"),
                ], rows: merchants),
        ]
    }()
}
