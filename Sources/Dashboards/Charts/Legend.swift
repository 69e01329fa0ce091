/// The names of series beside their colours, in as many lines as they need; moves `height` below them.
func legend(
    _ names: [String], from left: Double, to right: Double, y height: inout Double
) -> Markup {
    var body = Markup()
    var x = left
    height += 12
    for (index, full) in names.enumerated() {
        let name = shortened(full, to: 24)
        let width = Double(name.count) * letterWidth + 30
        if x + width > right, x > left {
            x = left
            height += 20
        }
        body += """
            <g class="series-\(index % DashboardLimits.series)"><rect class="key" x="\(at: x)" \
            y="\(at: height - 6)" width="12" height="4" rx="2"/><text class="label" \
            x="\(at: x + 17)" y="\(at: height)">\(name)</text></g>
            """
        x += width
    }
    height += 10
    return body
}

/// A row of values drawn small, without axes: the shape of what led to a number.
func sparkline(_ values: [Double?]) -> Markup {
    let known = values.compactMap { $0 }
    guard known.count > 1, let lowest = known.min(), let highest = known.max() else {
        return Markup()
    }
    let width = 120.0
    let height = 28.0
    var path = ""
    var isOpen = false
    for (index, value) in values.enumerated() {
        guard let value else {
            isOpen = false
            continue
        }
        let x = 2 + Double(index) / Double(values.count - 1) * (width - 4)
        let share = highest > lowest ? value / 2 - lowest / 2 : 0.5
        let span = highest > lowest ? highest / 2 - lowest / 2 : 1
        path +=
            (isOpen ? "L" : "M") + coordinate(x) + " "
            + coordinate(height - 3 - share / span * (height - 6))
        isOpen = true
    }
    return """
        <svg class="spark" viewBox="0 0 120 28" role="img" aria-label="Trend over \
        \(counted(values.count, "value"))"><path class="line series-0" d="\(path)"/></svg>
        """
}
