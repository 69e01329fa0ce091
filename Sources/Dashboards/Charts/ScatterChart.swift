/// Points by two values.
///
/// `x` and `y` are columns of numbers (or x of dates); `series` colours the points, `size` gives their
/// area. Rows where one of them is NULL are left out and counted in the description.
func drawScatter(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    guard !data.rows.isEmpty, !data.columns.isEmpty else { return .nothing("No rows.") }
    let xColumn =
        options.x.map { data.index(of: $0) }
        ?? data.columns.indices.first { column in
            data.rows.indices.contains { place(data.value($0, column)) != nil }
        }
    guard let x = xColumn,
        let y = options.y.first.map({ data.index(of: $0) })
            ?? data.firstNumericColumn(except: [x])
    else { return .nothing("A scatter chart needs two columns of numbers.") }
    let series = options.series.flatMap { data.index(of: $0) }
    let size = options.size.flatMap { data.index(of: $0) }
    var order = SeriesOrder()
    var points: [(row: Int, x: Double, y: Double, series: Int, size: Double)] = []
    for row in data.rows.indices.prefix(DashboardLimits.points) {
        guard let across = place(data.value(row, x)), let up = data.value(row, y).number else {
            continue
        }
        let kind = series.map { order.place(labelText(data.value(row, $0))) } ?? 0
        let area = size.map { max(data.value(row, $0).number ?? 0, 0) } ?? 0
        points.append((row, across, up, kind, area))
    }
    guard !points.isEmpty else { return .nothing("All values are NULL.") }
    let largest = points.map(\.size).max() ?? 0
    let isTime = points.allSatisfy { data.value($0.row, x).seconds != nil }

    let width = surface.width
    let top = 12.0
    let bottom = top + (width < 420 ? 200 : 260)
    let upward = LinearScale(
        points.map(\.y) + (options.threshold.map { [$0] } ?? []), includesZero: false,
        from: bottom, to: top, tickCount: 5)
    let texts = upward.ticks.map { upward.label($0, options.format) }
    let left = Double(texts.map(\.count).max() ?? 1) * letterWidth + 12
    let right = width - 14
    let across = LinearScale(
        points.map(\.x), includesZero: false, from: left + 6, to: right - 6,
        tickCount: max(2, Int((right - left) / 70)))
    var body = Markup()
    for (tick, text) in zip(upward.ticks, texts) {
        body += """
            <line class="\(tick == 0 ? "axis" : "grid")" x1="\(at: left)" y1="\(at: upward(tick))" \
            x2="\(at: right)" y2="\(at: upward(tick))"/><text class="tick" x="\(at: left - 6)" \
            y="\(at: upward(tick) + 4)" text-anchor="end">\(text)</text>
            """
    }
    let ticks: [(Double, String)] =
        isTime
        ? TimeTicks(
            from: across.lower, to: across.upper, count: max(2, Int((right - left) / 76))
        ).ticks.map { (across($0.seconds), $0.label) }
        : across.ticks.map { (across($0), across.label($0, .number)) }
    for (at, text) in ticks {
        body += """
            <text class="tick" x="\(at: at)" y="\(at: bottom + 18)" text-anchor="middle">\
            \(text)</text>
            """
    }
    if let threshold = options.threshold {
        body += """
            <line class="threshold" x1="\(at: left)" y1="\(at: upward(threshold))" \
            x2="\(at: right)" y2="\(at: upward(threshold))"/>
            """
    }
    for point in points {
        let radius = largest > 0 ? 3 + 9 * (point.size / largest).squareRoot() : 3.5
        let name = series.map { shortened(labelText(data.value(point.row, $0)), to: 60) + ", " }
        body += surface.mark(
            data, point.row,
            """
            <circle class="point series-\(point.series)" cx="\(at: across(point.x))" \
            cy="\(at: upward(point.y))" r="\(at: radius)"><title>\(name ?? "")\
            \(labelText(data.value(point.row, x))): \(options.text(data.value(point.row, y)))\
            </title></circle>
            """)
    }
    var height = bottom + 28
    if order.names.count > 1 { body += legend(order.names, from: left, to: right, y: &height) }
    var description =
        "Points: \(data.columns[y].name) by \(data.columns[x].name), "
        + "\(counted(points.count, "point"))."
    let leftOut = data.rows.count - points.count
    if leftOut > 0 { description += " \(counted(leftOut, "row")) not drawn." }
    return .drawing(height: height, description: description, body)
}

private func place(_ value: ChartValue) -> Double? { value.number ?? value.seconds }

/// Series in the order in which they come; those beyond the colours share the last one.
private struct SeriesOrder {
    private(set) var names: [String] = []

    mutating func place(_ name: String) -> Int {
        if let known = names.firstIndex(of: name) { return known }
        guard names.count < DashboardLimits.series - 1 else {
            if names.count < DashboardLimits.series { names.append("other") }
            return DashboardLimits.series - 1
        }
        names.append(name)
        return names.count - 1
    }
}
