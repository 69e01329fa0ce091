/// One large value, and how it moved against another.
///
/// Reads the first row: the value from `y` (or the first numeric column), what it was before from
/// `compare`. With `trend` the rows are a series in order: the last one is the value, the one before it
/// what it moved against, and all of them are drawn small. A NULL or missing value is a dash.
func drawNumber(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    guard !data.columns.isEmpty, !data.rows.isEmpty else { return .nothing("No rows.") }
    let column = options.y.first.map { data.index(of: $0) } ?? data.firstNumericColumn() ?? 0
    guard let column else {
        return .nothing("There is no column \(options.y.first ?? "").")
    }
    let shown = options.showsTrend ? data.rows.count - 1 : 0
    let value = data.value(shown, column)
    let text = value.isNull ? "–" : options.text(value)
    // Long texts get smaller letters instead of leaving the tile.
    let size = text.count <= 8 ? "large" : text.count <= 14 ? "medium" : "small"
    var markup: Markup = "<p class=\"big \(size)\">\(shortened(text, to: 60))</p>"
    if let name = options.compare, let other = data.index(of: name),
        let before = data.value(shown, other).number, let now = value.number
    {
        markup += change(from: before, to: now, options)
    } else if options.showsTrend, shown > 0, options.compare == nil,
        let before = data.value(shown - 1, column).number, let now = value.number
    {
        markup += change(from: before, to: now, options)
    }
    if options.showsTrend {
        markup += sparkline(data.rows.indices.map { data.value($0, column).number })
    }
    return .markup(markup)
}

private func change(from before: Double, to now: Double, _ options: ChartOptions) -> Markup {
    let difference = now - before
    if difference == 0 { return "<p class=\"change\">unchanged</p>" }
    let (arrow, word): (Markup, Markup) = difference > 0 ? ("▲", "up") : ("▼", "down")
    // The change of a share is told in points, of anything else in percent.
    let size: String
    if options.format == .percent {
        size = numberText(difference.magnitude * 100, .number, decimals: 1, unit: "points")
    } else if before != 0, (difference / before).magnitude < 100 {
        size = numberText((difference / before).magnitude, .percent)
    } else {
        size = numberText(difference.magnitude, options.format, decimals: options.decimals)
    }
    return """
        <p class="change \(word)"><span aria-hidden="true">\(arrow)</span> \
        <span class="unseen">\(word)</span> \(size)</p>
        """
}
