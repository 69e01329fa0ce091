/// Bars with parts: one bar a label, one part a series.
///
/// The parts are the values of `series`, or the columns of `y`. They stand on each other, or side by
/// side without `stacked`; `vertical` lets them grow upwards. Negative parts grow the other way. The
/// last of two rows for one part wins.
func drawGroupedBars(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    guard let label = options.x.map({ data.index(of: $0) }) ?? 0 else {
        return .nothing("There is no column \(options.x ?? "").")
    }
    guard let grid = BarGrid(data, options, label: label) else {
        return .nothing("There is no column of numbers.")
    }
    guard grid.cells.joined().contains(where: { $0 != nil }) else {
        return .nothing("All values are NULL.")
    }
    let drawing = GroupedBarDrawing(data: data, options: options, surface: surface, grid: grid)
    return options.isVertical ? drawing.vertical() : drawing.horizontal()
}

/// The values by label and series.
private struct BarGrid {
    struct Cell {
        var value: Double
        var text: String
        var row: Int
    }
    var labels: [String] = []
    var series: [String] = []
    /// By label, then by series.
    var cells: [[Cell?]] = []
    var hiddenCount = 0
    var valueName = ""

    init?(_ data: ChartData, _ options: ChartOptions, label: Int) {
        var labelPlaces: [String: Int] = [:]
        var seriesPlaces: [String: Int] = [:]
        let limit = min(options.limit ?? DashboardLimits.bars, DashboardLimits.bars)
        var columns: [Int] = []
        var seriesColumn: Int?
        if let name = options.series {
            guard let found = data.index(of: name),
                let y = options.y.first.map({ data.index(of: $0) })
                    ?? data.firstNumericColumn(except: [label, found])
            else { return nil }
            seriesColumn = found
            columns = [y]
        } else {
            columns = options.y.compactMap { data.index(of: $0) }
            if columns.isEmpty, let found = data.firstNumericColumn(except: [label]) {
                columns = [found]
            }
            guard !columns.isEmpty else { return nil }
            columns = Array(columns.prefix(DashboardLimits.series))
            series = columns.map { data.columns[$0].name }
        }
        valueName = columns.map { data.columns[$0].name }.joined(separator: ", ")
        for row in data.rows.indices {
            let name = labelText(data.value(row, label))
            if labelPlaces[name] == nil {
                guard labels.count < limit else {
                    hiddenCount += 1
                    continue
                }
                labelPlaces[name] = labels.count
                labels.append(name)
                cells.append([Cell?](repeating: nil, count: DashboardLimits.series))
            }
            guard let place = labelPlaces[name] else { continue }
            for (index, column) in columns.enumerated() {
                var part = index
                if let seriesColumn {
                    let name = labelText(data.value(row, seriesColumn))
                    if seriesPlaces[name] == nil, series.count < DashboardLimits.series {
                        seriesPlaces[name] = series.count
                        series.append(name)
                    }
                    guard let found = seriesPlaces[name] else {
                        hiddenCount += 1
                        continue
                    }
                    part = found
                }
                let value = data.value(row, column)
                guard let number = value.number else { continue }
                cells[place][part] = Cell(value: number, text: options.text(value), row: row)
            }
        }
    }

    /// The ends of the bar of a label: sums of its parts, or its smallest and largest part.
    func ends(_ label: Int, isStacked: Bool) -> (lower: Double, upper: Double) {
        let values = cells[label].compactMap { $0?.value }
        if isStacked {
            return (
                values.filter { $0 < 0 }.reduce(0, +), values.filter { $0 > 0 }.reduce(0, +)
            )
        }
        return (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
    }
}

/// Draws a grid of bars in one of two directions.
private struct GroupedBarDrawing {
    let data: ChartData
    let options: ChartOptions
    let surface: ChartSurface
    let grid: BarGrid

    private var isStacked: Bool { options.isStacked || grid.series.count == 1 }

    private func scale(from start: Double, to end: Double, tickCount: Int) -> LinearScale {
        let ends = grid.labels.indices.map { grid.ends($0, isStacked: isStacked) }
        return LinearScale(
            ends.map(\.lower) + ends.map(\.upper) + (options.threshold.map { [$0] } ?? []),
            includesZero: true, from: start, to: end, tickCount: tickCount)
    }

    func horizontal() -> ChartContent {
        let width = surface.width
        let longest = Double(grid.labels.map(\.count).max() ?? 0) * letterWidth
        let labelWidth = min(longest, width * 0.38).rounded(.up) + 10
        let right = width - 14
        let scale = scale(
            from: labelWidth, to: right, tickCount: max(2, Int((right - labelWidth) / 80)))
        let lanes = isStacked ? 1 : grid.series.count
        let rowHeight = max(26.0, Double(lanes) * 12 + 8)
        let top = 6.0
        let bottom = top + Double(grid.labels.count) * rowHeight
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
        for (index, label) in grid.labels.enumerated() {
            let rowTop = top + Double(index) * rowHeight
            body += """
                <text class="label" x="\(at: labelWidth - 8)" y="\(at: rowTop + rowHeight / 2 + 4)" \
                text-anchor="end">\(shortened(label, to: Int((labelWidth - 10) / letterWidth)))</text>
                """
            body += parts(index) { part, from, to in
                let lane = (rowHeight - 8) / Double(lanes)
                let y = rowTop + 4 + (isStacked ? 0 : Double(part) * lane)
                let (a, b) = (scale(from), scale(to))
                return """
                    x="\(at: min(a, b))" y="\(at: y)" width="\(at: max((b - a).magnitude, 0.5))" \
                    height="\(at: lane)"
                    """
            }
        }
        if let threshold = options.threshold {
            let x = scale(threshold)
            body += """
                <line class="threshold" x1="\(at: x)" y1="\(at: top)" x2="\(at: x)" \
                y2="\(at: bottom)"/>
                """
        }
        var height = bottom + 24
        if grid.series.count > 1 {
            body += legend(grid.series, from: labelWidth, to: right, y: &height)
        }
        return .drawing(height: height, description: description, body)
    }

    func vertical() -> ChartContent {
        let width = surface.width
        let top = 10.0
        let bottom = top + (width < 420 ? 180 : 220)
        let scale = scale(from: bottom, to: top, tickCount: 5)
        let texts = scale.ticks.map { scale.label($0, options.format) }
        let left = Double(texts.map(\.count).max() ?? 1) * letterWidth + 12
        let right = width - 8
        var body = Markup()
        for (tick, text) in zip(scale.ticks, texts) {
            body += """
                <line class="\(tick == 0 ? "axis" : "grid")" x1="\(at: left)" \
                y1="\(at: scale(tick))" x2="\(at: right)" y2="\(at: scale(tick))"/>\
                <text class="tick" x="\(at: left - 6)" y="\(at: scale(tick) + 4)" \
                text-anchor="end">\(text)</text>
                """
        }
        let each = (right - left) / Double(grid.labels.count)
        let barWidth = min(each * 0.76, 60)
        let lanes = isStacked ? 1 : grid.series.count
        let widest = Double(min(grid.labels.map(\.count).max() ?? 1, 14)) * letterWidth + 8
        let every = max(1, Int((widest / each).rounded(.up)))
        for (index, label) in grid.labels.enumerated() {
            let middle = left + (Double(index) + 0.5) * each
            body += parts(index) { part, from, to in
                let lane = barWidth / Double(lanes)
                let x = middle - barWidth / 2 + (isStacked ? 0 : Double(part) * lane)
                let (a, b) = (scale(from), scale(to))
                return """
                    x="\(at: x)" y="\(at: min(a, b))" width="\(at: max(lane - 1, 0.5))" \
                    height="\(at: max((b - a).magnitude, 0.5))"
                    """
            }
            if index % every == 0 {
                body += """
                    <text class="tick" x="\(at: middle)" y="\(at: bottom + 18)" \
                    text-anchor="middle">\(shortened(label, to: 14))</text>
                    """
            }
        }
        if let threshold = options.threshold {
            body += """
                <line class="threshold" x1="\(at: left)" y1="\(at: scale(threshold))" \
                x2="\(at: right)" y2="\(at: scale(threshold))"/>
                """
        }
        var height = bottom + 28
        if grid.series.count > 1 {
            body += legend(grid.series, from: left, to: right, y: &height)
        }
        return .drawing(height: height, description: description, body)
    }

    /// The parts of one bar; `place` gives the attributes of a rectangle between two values.
    private func parts(
        _ label: Int, _ place: (_ part: Int, _ from: Double, _ to: Double) -> Markup
    ) -> Markup {
        var body = Markup()
        var above = 0.0
        var below = 0.0
        for (part, cell) in grid.cells[label].enumerated() {
            guard let cell else { continue }
            var from = 0.0
            if isStacked, cell.value >= 0 { (from, above) = (above, above + cell.value) }
            if isStacked, cell.value < 0 { (from, below) = (below, below + cell.value) }
            let name = grid.series.count > 1 ? ", " + shortened(grid.series[part], to: 60) : ""
            let isOver =
                grid.series.count == 1 && (options.threshold.map { cell.value > $0 } ?? false)
            body += surface.mark(
                data, cell.row,
                """
                <rect class="\(isOver ? "part over" : "part") series-\(part)" \
                \(place(part, from, from + cell.value))><title>\
                \(shortened(grid.labels[label], to: 60))\(name): \(cell.text)</title></rect>
                """)
        }
        return body
    }

    private var description: String {
        var text =
            "Bars: \(grid.valueName), \(counted(grid.labels.count, "label")), "
            + "\(counted(grid.series.count, "part")) each."
        if grid.hiddenCount > 0 { text += " \(counted(grid.hiddenCount, "value")) not drawn." }
        return text
    }
}
