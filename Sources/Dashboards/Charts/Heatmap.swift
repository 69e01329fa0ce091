/// A grid of cells that are darker where the value is larger.
///
/// `x` names the columns of the grid, `series` its rows, `y` the value; without options these are
/// the first three columns. Labels keep the order in which rows bring them; numbers, dates and the names of
/// weekdays and months are sorted. The last of two rows for one cell wins. Seven shades, from `shade-0` to `shade-6`; an empty cell stays empty.
func drawHeatmap(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    let width = surface.width
    guard !data.rows.isEmpty else { return .nothing("No rows.") }
    guard let x = options.x.map({ data.index(of: $0) }) ?? 0,
        let series = options.series.map({ data.index(of: $0) }) ?? (x == 0 ? 1 : 0),
        data.columns.indices.contains(series),
        let y = options.y.first.map({ data.index(of: $0) })
            ?? data.firstNumericColumn(except: [x, series])
    else { return .nothing("A heat map needs two columns of labels and one of numbers.") }
    var across = LabelOrder(data, x)
    var down = LabelOrder(data, series)
    var cells: [Int: [Int: Int]] = [:]
    for row in data.rows.indices where data.value(row, y).number != nil {
        guard let column = across.place(labelText(data.value(row, x))),
            let line = down.place(labelText(data.value(row, series)))
        else { continue }
        cells[line, default: [:]][column] = row
    }
    let values = cells.values.flatMap { $0.values }.compactMap { data.value($0, y).number }
    guard let lowest = values.min(), let highest = values.max() else {
        return .nothing("All values are NULL.")
    }

    let longest = Double(down.labels.map(\.count).max() ?? 0) * letterWidth
    let left = min(longest, width * 0.3).rounded() + 10
    let top = 6.0
    let each = (width - left - 4) / Double(across.labels.count)
    let cellHeight = min(max(each, 16), 28)
    var body = Markup()
    for (line, name) in down.labels.enumerated() {
        let rowTop = top + Double(line) * cellHeight
        body += """
            <text class="label" x="\(at: left - 6)" y="\(at: rowTop + cellHeight / 2 + 4)" \
            text-anchor="end">\(shortened(name, to: Int((left - 10) / letterWidth)))</text>
            """
        for column in across.labels.indices {
            guard let row = cells[line]?[column], let value = data.value(row, y).number else {
                continue
            }
            let share = highest > lowest ? (value - lowest) / (highest - lowest) : 1
            body += surface.mark(
                data, row,
                """
                <rect class="cell shade-\(Int(min(max(share * 6.999, 0), 6)))" \
                x="\(at: left + Double(column) * each + 0.5)" y="\(at: rowTop + 0.5)" \
                width="\(at: max(each - 1, 0.5))" height="\(at: cellHeight - 1)"><title>\
                \(shortened(across.labels[column], to: 60)), \(shortened(name, to: 60)): \
                \(options.text(data.value(row, y)))</title></rect>
                """)
        }
    }
    let bottom = top + Double(down.labels.count) * cellHeight
    let widest = Double(min(across.labels.map(\.count).max() ?? 1, 12)) * letterWidth + 8
    let every = max(1, Int((widest / each).rounded(.up)))
    for (column, name) in across.labels.enumerated() where column % every == 0 {
        body += """
            <text class="tick" x="\(at: left + (Double(column) + 0.5) * each)" \
            y="\(at: bottom + 16)" text-anchor="middle">\(shortened(name, to: 12))</text>
            """
    }
    return .drawing(
        height: bottom + 24,
        description: "Heat map: \(data.columns[y].name) by \(data.columns[x].name) and "
            + "\(data.columns[series].name), from \(options.text(.number(lowest))) to "
            + "\(options.text(.number(highest))).", body)
}

/// Labels in the order in which they first come; numbers, dates, weekdays and months in their own.
struct LabelOrder {
    private(set) var labels: [String] = []
    private var places: [String: Int] = [:]

    private let limit: Int

    init(_ data: ChartData, _ column: Int, limit: Int = DashboardLimits.heatmapSide) {
        self.limit = limit
        let values = Set(data.rows.indices.lazy.map { data.value($0, column) })
        var keys = values.compactMap { value in
            (value.number ?? value.seconds).map { (key: $0, label: labelText(value)) }
        }
        if keys.isEmpty {
            let texts = values.map(labelText)
            keys = CalendarNames.places(texts).map { zip($0, texts).map { ($0, $1) } } ?? []
        }
        guard keys.count == values.count else { return }
        for (_, label) in keys.sorted(by: { ($0.key, $0.label) < ($1.key, $1.label) }) {
            _ = place(label)
        }
    }

    /// The place of a label; nil when there are too many already.
    mutating func place(_ label: String) -> Int? {
        if let known = places[label] { return known }
        guard labels.count < limit else { return nil }
        places[label] = labels.count
        labels.append(label)
        return labels.count - 1
    }
}
