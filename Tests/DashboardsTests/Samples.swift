import Dashboards
import Foundation
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Results that charts must stand: the usual one, and those that break careless code.
enum Sample {
    static let rates = ChartData(
        columns: [ChartColumn("region", "varchar"), ChartColumn("fraud_rate", "double")],
        rows: [
            [.text("Coastal"), .number(0.0712)], [.text("Highlands"), .number(0.0531)],
            [.text("Lakes"), .number(0.0497)], [.text("Baltic"), .number(0.031)],
            [.text("Valley"), .null],
        ])

    static let days: ChartData = {
        var rows: [[ChartValue]] = []
        for day in 0..<20 {
            let date = ChartValue.date(20_750 + Int32(day))
            let north = Int64(1500 + day * 37 % 400)
            let south = Int64(900 + day * 53 % 300)
            rows.append([date, .text("North"), .integer(north)])
            rows.append([date, .text("South"), day == 9 ? .null : .integer(south)])
        }
        return ChartData(
            columns: [
                ChartColumn("day", "date"), ChartColumn("region", "varchar"),
                ChartColumn("transactions", "bigint"),
            ], rows: rows)
    }()

    static let grid: ChartData = {
        var rows: [[ChartValue]] = []
        for hour in 0..<6 {
            for (index, day) in ["Mon", "Tue", "Wed"].enumerated() {
                let count = Int64(hour * 10 + index * 7)
                rows.append([.integer(Int64(hour * 4)), .text(day), .integer(count)])
            }
        }
        return ChartData(
            columns: [
                ChartColumn("hour", "bigint"), ChartColumn("weekday", "varchar"),
                ChartColumn("n", "bigint"),
            ], rows: rows)
    }()

    static let amounts = ChartData(
        columns: [ChartColumn("amount", "decimal(12,2)")],
        rows: (0..<60).map { [.decimal("\($0 * $0 % 97).50")] })

    static let hostile = "<script>alert('x')</script>\"&\u{0}\u{1B}[31m"

    /// By name, for tests that go through all of them.
    static let hard: [(name: String, data: ChartData)] = [
        ("no columns", ChartData(columns: [], rows: [])),
        ("no rows", ChartData(columns: rates.columns, rows: [])),
        ("one row", ChartData(columns: rates.columns, rows: [[.text("A"), .number(3)]])),
        ("one zero", ChartData(columns: rates.columns, rows: [[.text("A"), .number(0)]])),
        (
            "all NULL",
            ChartData(columns: rates.columns, rows: [[.null, .null], [.null, .null]])
        ),
        (
            "short rows",
            ChartData(columns: rates.columns, rows: [[], [.text("A")], [.text("B"), .number(1)]])
        ),
        (
            "negative",
            ChartData(
                columns: rates.columns,
                rows: [[.text("A"), .number(-5)], [.text("B"), .number(5)]])
        ),
        (
            "not finite",
            ChartData(
                columns: rates.columns,
                rows: [
                    [.text("A"), .number(.nan)], [.text("B"), .number(.infinity)],
                    [.text("C"), .number(-.infinity)], [.text("D"), .number(1)],
                ])
        ),
        (
            "huge",
            ChartData(
                columns: rates.columns,
                rows: [
                    [.text("A"), .number(.greatestFiniteMagnitude)],
                    [.text("B"), .number(-.greatestFiniteMagnitude)],
                    [.text("C"), .integer(.min)], [.text("D"), .integer(.max)],
                ])
        ),
        (
            "tiny",
            ChartData(
                columns: rates.columns,
                rows: [[.text("A"), .number(.leastNonzeroMagnitude)], [.text("B"), .number(0)]])
        ),
        (
            "far dates",
            ChartData(
                columns: [ChartColumn("d", "date"), ChartColumn("n", "bigint")],
                rows: [
                    [.date(.min), .integer(1)], [.date(.max), .integer(2)],
                    [.timestamp(.min), .integer(2)], [.timestamp(.max), .integer(2)],
                ])
        ),
        (
            "hostile",
            ChartData(
                columns: [ChartColumn(hostile, hostile), ChartColumn("n", "bigint")],
                rows: [[.text(hostile), .integer(1)], [.text(hostile + "2"), .integer(2)]])
        ),
        (
            "long labels",
            ChartData(
                columns: rates.columns,
                rows: [
                    [.text(String(repeating: "Donaudampfschifffahrt ", count: 500)), .number(1)],
                    [.text("𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧‍👦 شعار"), .number(2)],
                ])
        ),
        (
            "many rows",
            ChartData(
                columns: rates.columns,
                rows: (0..<5000).map { [.text("row \($0)"), .number(Double($0))] },
                isTruncated: true)
        ),
        (
            "texts only",
            ChartData(
                columns: [ChartColumn("a", "varchar"), ChartColumn("b", "varchar")],
                rows: [[.text("x"), .text("y")]])
        ),
    ]
}

func tile(_ kind: String, _ options: ChartOptions = ChartOptions()) -> DashboardTile {
    DashboardTile(id: "t", kind: kind, title: "A tile", sql: "select 1", options: options)
}

func content(_ kind: String, _ data: ChartData, _ options: ChartOptions = ChartOptions()) -> String
{
    shown(tile(kind, options), .answer(QueryAnswer(data: data)))
}

/// The inside of a tile on a dashboard without filters.
func shown(_ tile: DashboardTile, _ result: TileView.Result) -> String {
    let document = DashboardDocument(name: "d", title: "D", tiles: [tile])
    return TileView.content(
        tile, result, DashboardView(document, FilterState()), path: "/dashboards/d"
    ).text
}

/// Whether a piece of markup is well-formed XML, which also rules out stray `<` and `&`.
func isWellFormed(_ markup: String) -> Bool {
    let parser = XMLParser(data: Data("<root>\(markup)</root>".utf8))
    return parser.parse()
}

/// Compares with a kept file; `LAKEHOUSE_GOLDEN=update` writes it anew.
func expectGolden(_ name: String, _ text: String, source: SourceLocation = #_sourceLocation) throws
{
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/\(name)")
    if ProcessInfo.processInfo.environment["LAKEHOUSE_GOLDEN"] == "update" {
        try Data(text.utf8).write(to: file)
        return
    }
    let kept = try String(contentsOf: file, encoding: .utf8)
    #expect(text == kept, "differs from Fixtures/\(name)", sourceLocation: source)
}
