/// Horizontal bars, one a row, in the order of the rows: long labels and phones fit that. With `series`
/// or several `y` the bars have parts, with `vertical` they grow upwards: `drawGroupedBars`.
///
/// The label is `x` (or the first column), the value `y` (or the first numeric other column). NULL
/// values keep their line without a bar. Bars above `threshold` stand out, and a line marks it.
func drawBars(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    guard !data.rows.isEmpty, !data.columns.isEmpty else { return .nothing("No rows.") }
    if options.series != nil || options.isVertical || options.y.count > 1 {
        return drawGroupedBars(data, options, surface)
    }
    let width = surface.width
    guard let label = options.x.map({ data.index(of: $0) }) ?? 0 else {
        return .nothing("There is no column \(options.x ?? "").")
    }
    guard
        let name = options.y.first.map({ data.index(of: $0) })
            ?? data.firstNumericColumn(except: data.columns.count > 1 ? [label] : [])
    else { return .nothing("There is no column of numbers.") }
    let shown = min(data.rows.count, options.limit ?? DashboardLimits.bars, DashboardLimits.bars)
    let values = (0..<shown).map { data.value($0, name).number }
    guard values.contains(where: { $0 != nil }) else { return .nothing("All values are NULL.") }

    let labels = (0..<shown).map { labelText(data.value($0, label)) }
    let texts = (0..<shown).map { options.text(data.value($0, name)) }
    let longest = Double(labels.map(\.count).max() ?? 0) * letterWidth
    let labelWidth = min(longest, width * 0.38).rounded(.up) + 10
    // The value stands behind its bar, at either side.
    let valueWidth = Double(min(texts.map(\.count).max() ?? 0, 16)) * letterWidth + 8
    let hasNegative = values.contains { ($0 ?? 0) < 0 }
    let plotLeft = labelWidth + (hasNegative ? valueWidth : 0)
    let plotRight = max(plotLeft + 20, width - valueWidth)
    let scale = LinearScale(
        values.compactMap { $0 } + (options.threshold.map { [$0] } ?? []), includesZero: true,
        from: plotLeft, to: plotRight, tickCount: max(2, Int((plotRight - plotLeft) / 80)))
    let rowHeight = 26.0
    let top = 6.0
    let bottom = top + Double(shown) * rowHeight
    var body = Markup()
    for tick in scale.ticks {
        let x = scale(tick)
        body += """
            <line class="\(tick == 0 ? "axis" : "grid")" x1="\(at: x)" y1="\(at: top)" \
            x2="\(at: x)" y2="\(at: bottom)"/>\
            <text class="tick" x="\(at: x)" y="\(at: bottom + 16)" text-anchor="middle">\
            \(scale.label(tick, options.format))</text>
            """
    }
    if let threshold = options.threshold {
        let x = scale(threshold)
        body += """
            <line class="threshold" x1="\(at: x)" y1="\(at: top - 4)" x2="\(at: x)" \
            y2="\(at: bottom)"><title>\(options.text(.number(threshold)))</title></line>
            """
    }
    for row in 0..<shown {
        body += surface.mark(
            data, row,
            bar(
                row, label: labels[row], value: values[row], text: texts[row],
                isOver: options.threshold.map { (values[row] ?? -.infinity) > $0 } ?? false, scale,
                top: top + Double(row) * rowHeight, rowHeight: rowHeight, labelWidth: labelWidth))
    }
    var description =
        "Bars: \(data.columns[name].name) by \(data.columns[label].name), \(counted(shown, "row"))."
    if data.rows.count > shown { description += " \(countText(data.rows.count - shown)) more." }
    return .drawing(height: bottom + 24, description: description, body)
}

private func bar(
    _ row: Int, label: String, value: Double?, text: String, isOver: Bool, _ scale: LinearScale,
    top: Double, rowHeight: Double, labelWidth: Double
) -> Markup {
    let middle = top + rowHeight / 2 + 4
    let letters = Int((labelWidth - 10) / letterWidth)
    var markup: Markup = """
        <g><title>\(shortened(label, to: DashboardLimits.labelCharacters)): \
        \(value == nil ? "NULL" : text)</title>\
        <text class="label" x="\(at: labelWidth - 8)" y="\(at: middle)" text-anchor="end">\
        \(shortened(label, to: letters))</text>
        """
    if let value {
        let zero = scale(0)
        let end = scale(value)
        let left = min(zero, end)
        let kind: Markup = isOver ? "bar over" : "bar"
        markup += """
            <rect class="\(kind)" x="\(at: left)" y="\(at: top + 4)" \
            width="\(at: max((end - zero).magnitude, 0.5))" height="\(at: rowHeight - 8)" rx="2"/>\
            <text class="value" x="\(at: value < 0 ? left - 5 : max(zero, end) + 5)" \
            y="\(at: middle)" text-anchor="\(value < 0 ? "end" : "start")">\
            \(shortened(text, to: 16))</text>
            """
    } else {
        markup += """
            <text class="value missing" x="\(at: scale(0) + 5)" y="\(at: middle)">NULL</text>
            """
    }
    return markup + "</g>"
}
