/// How the values of one column are spread: columns of equal width over round borders.
///
/// Reads `y` (or the first numeric column) of every row; `bins` is how many columns are aimed at.
/// NULL and NaN are left out and counted in the description.
func drawHistogram(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    let width = surface.width
    guard !data.rows.isEmpty else { return .nothing("No rows.") }
    guard let column = options.y.first.map({ data.index(of: $0) }) ?? data.firstNumericColumn()
    else { return .nothing("There is no column of numbers.") }
    let values = data.rows.indices.compactMap { data.value($0, column).number }
    guard let lowest = values.min(), let highest = values.max() else {
        return .nothing("All values are NULL.")
    }
    let aim = min(options.bins ?? 20, max(2, Int(width / 14)))
    let edges = LinearScale(values, includesZero: false, from: 0, to: 1, tickCount: aim)
    let step = edges.step
    let binCount = min(max(Int(((edges.upper - edges.lower) / step).rounded()), 1), 200)
    var counts = [Int](repeating: 0, count: binCount)
    for value in values {
        // The last bin includes its upper border.
        let bin = Int(min(max((value - edges.lower) / step, 0), Double(binCount - 1)))
        counts[bin] += 1
    }

    let top = 10.0
    let plotHeight = 180.0
    let bottom = top + plotHeight
    let y = LinearScale(
        counts.map(Double.init), includesZero: true, from: bottom, to: top, tickCount: 4)
    // Counts are whole: no ticks between them.
    let ticks = y.ticks.filter { $0 == $0.rounded() }
    let left = Double(ticks.map { y.label($0, .number).count }.max() ?? 1) * letterWidth + 12
    let right = width - 14
    var body = Markup()
    for tick in ticks {
        body += """
            <line class="\(tick == 0 ? "axis" : "grid")" x1="\(at: left)" y1="\(at: y(tick))" \
            x2="\(at: right)" y2="\(at: y(tick))"/>\
            <text class="tick" x="\(at: left - 6)" y="\(at: y(tick) + 4)" text-anchor="end">\
            \(y.label(tick, .number))</text>
            """
    }
    let each = (right - left) / Double(binCount)
    for (bin, count) in counts.enumerated() {
        let from = edges.lower + Double(bin) * step
        let x = left + Double(bin) * each
        let range =
            options.text(.number(from)) + " to " + options.text(.number(from + step))
        body += """
            <rect class="bar" x="\(at: x + 0.5)" y="\(at: y(Double(count)))" \
            width="\(at: max(each - 1, 0.5))" height="\(at: bottom - y(Double(count)))">\
            <title>\(range): \(countText(count))</title></rect>
            """
    }
    let labelEvery = max(1, Int((64 / each).rounded(.up)))
    for edge in stride(from: 0, through: binCount, by: labelEvery) {
        let x = left + Double(edge) * each
        let anchor: Markup = x > right - 20 ? "end" : "middle"
        body += """
            <text class="tick" x="\(at: x)" y="\(at: bottom + 18)" text-anchor="\(anchor)">\
            \(edges.label(edges.lower + Double(edge) * step, options.format))</text>
            """
    }
    var description =
        "Histogram: \(counted(values.count, "value")) of \(data.columns[column].name) "
        + "from \(options.text(.number(lowest))) to \(options.text(.number(highest)))."
    if values.count < data.rows.count {
        description += " \(countText(data.rows.count - values.count)) NULL."
    }
    return .drawing(height: bottom + 28, description: description, body)
}
