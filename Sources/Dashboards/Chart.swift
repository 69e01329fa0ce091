/// What a document may say about a chart. A kind uses some of it, and refuses the rest.
package struct ChartOptions: Sendable, Hashable {
    /// The column of labels, or of the x axis; nil: the first.
    package var x: String?
    /// The columns of values; empty: the first numeric one.
    package var y: [String] = []
    /// The column whose values tell lines apart, or the rows of a heat map.
    package var series: String?
    /// The column with the value of before.
    package var compare: String?
    package var format = NumberFormat.number
    package var decimals: Int?
    package var unit = ""
    /// Values above it stand out; a line marks it.
    package var threshold: Double?
    /// Whether the value axis begins at zero; nil: where that costs little.
    package var startsAtZero: Bool?
    package var bins: Int?
    /// Rows or bars shown.
    package var limit: Int?
    /// Columns of a table that are shares.
    package var percentColumns: [String] = []
    /// Columns of a table whose cells have a bar.
    package var barColumns: [String] = []
    /// Whether a number is the last of a row of values, which are drawn small beside it.
    package var showsTrend = false
    /// Whether several series stand on each other, not side by side.
    package var isStacked = true
    /// Whether bars grow upwards.
    package var isVertical = false
    /// Whether a pivot table adds up its rows and columns.
    package var showsTotals = false
    /// The column that gives the points of a scatter chart their size.
    package var size: String?

    package init() {}

    func text(_ value: ChartValue) -> String {
        if case .decimal(let digits) = value, format == .number, decimals == nil {
            return groupedDigits(digits) + (unit.isEmpty ? "" : "\u{A0}" + unit)
        }
        guard let number = value.number else { return value.text }
        return numberText(number, format, decimals: decimals, unit: unit)
    }
}

/// What a chart kind makes of a result.
package enum ChartContent: Sendable {
    /// Elements of an SVG of the width asked for, and what it shows in a sentence.
    case drawing(height: Double, description: String, Markup)
    /// HTML that fits any width.
    case markup(Markup)
    /// Nothing can be shown, and why.
    case nothing(String)
}

/// A kind of chart: a pure function, and the options that it reads.
package struct ChartKind: Sendable {
    /// Names of the keys below `options`.
    package let options: [String]
    package let usualWidth: TileWidth
    /// Draws on a surface, as wide as that is.
    package let draw: @Sendable (ChartData, ChartOptions, ChartSurface) -> ChartContent
}

/// Every kind by the name that documents use. A `markdown` tile has a text and no result.
package let chartKinds: [String: ChartKind] = [
    "number": ChartKind(
        options: ["x", "y", "compare", "trend", "format", "decimals", "unit"],
        usualWidth: .quarter, draw: drawNumber),
    "bar": ChartKind(
        options: [
            "x", "y", "series", "stacked", "vertical", "format", "decimals", "unit", "threshold",
            "limit",
        ], usualWidth: .half, draw: drawBars),
    "line": ChartKind(
        options: ["x", "y", "series", "format", "decimals", "unit", "threshold", "zero"],
        usualWidth: .half, draw: drawLines),
    "area": ChartKind(
        options: ["x", "y", "series", "stacked", "format", "decimals", "unit", "threshold"],
        usualWidth: .half, draw: drawAreas),
    "pie": ChartKind(
        options: ["x", "y", "format", "decimals", "unit", "limit"], usualWidth: .third,
        draw: drawPie),
    "scatter": ChartKind(
        options: ["x", "y", "series", "size", "format", "decimals", "unit", "threshold"],
        usualWidth: .half, draw: drawScatter),
    "table": ChartKind(
        options: ["limit", "percent", "bars"], usualWidth: .half, draw: drawTable),
    "pivot": ChartKind(
        options: ["x", "series", "y", "totals", "format", "decimals", "unit"], usualWidth: .full,
        draw: drawPivot),
    "histogram": ChartKind(
        options: ["y", "bins", "format", "decimals", "unit"], usualWidth: .half,
        draw: drawHistogram),
    "heatmap": ChartKind(
        options: ["x", "series", "y", "format", "decimals", "unit"], usualWidth: .half,
        draw: drawHeatmap),
    "markdown": ChartKind(options: [], usualWidth: .half) { _, _, _ in .markup(Markup()) },
]

/// The width of letters in a label, on average, at the size that `charts.css` gives them.
let letterWidth = 6.6

/// A label cut to a number of letters, the rest shown as an ellipsis.
func shortened(_ text: String, to letters: Int) -> String {
    let line = String(text.prefix(400).map { $0.isNewline || $0 == "\t" ? " " : $0 })
    return line.count <= max(1, letters) ? line : line.prefix(max(1, letters - 1)) + "…"
}

/// The label of a value on a categorical axis.
func labelText(_ value: ChartValue) -> String { value.isNull ? "(none)" : value.text }

/// `3 rows`, `1 row`.
package func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(countText(count)) \(noun)\(count == 1 ? "" : "s")"
}
