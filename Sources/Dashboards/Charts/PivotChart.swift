/// A table with the values of one column down the side and those of another across the top.
///
/// `x` names the rows, `series` the columns, `y` the cells; without options these are the first three
/// columns. Labels keep the order of the rows; numbers and dates are sorted. Several rows for one cell
/// are added up, exactly where the column is whole or decimal. `totals` adds the sums of rows and
/// columns: only for values that may be added.
func drawPivot(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    guard !data.rows.isEmpty else { return .nothing("No rows.") }
    guard let x = options.x.map({ data.index(of: $0) }) ?? 0,
        let series = options.series.map({ data.index(of: $0) }) ?? (x == 0 ? 1 : 0),
        data.columns.indices.contains(series),
        let y = options.y.first.map({ data.index(of: $0) })
            ?? data.firstNumericColumn(except: [x, series])
    else { return .nothing("A pivot table needs two columns of labels and one of numbers.") }
    var down = LabelOrder(data, x, limit: 1000)
    var across = LabelOrder(data, series, limit: DashboardLimits.pivotColumns)
    var cells: [Int: [Int: ExactSum]] = [:]
    var firstRows: [Int: Int] = [:]
    var hidden = 0
    for row in data.rows.indices {
        guard let line = down.place(labelText(data.value(row, x))),
            let column = across.place(labelText(data.value(row, series)))
        else {
            hidden += 1
            continue
        }
        if firstRows[line] == nil { firstRows[line] = row }
        cells[line, default: [:]][column, default: ExactSum()].add(data.value(row, y))
    }
    func text(_ sum: ExactSum?) -> Markup {
        guard let value = sum?.value, !value.isNull else {
            return "<td class=\"null number\"></td>"
        }
        return "<td class=\"number\">\(options.text(value))</td>"
    }
    var head = across.labels.map { "<th scope=\"col\" class=\"number\">\($0)</th>" as Markup }
    if options.showsTotals { head.append("<th scope=\"col\" class=\"number\">Total</th>") }
    var rows = Markup()
    var columnTotals = [ExactSum](repeating: ExactSum(), count: across.labels.count)
    for (line, label) in down.labels.enumerated() {
        let name: Markup = "\(shortened(label, to: 120))"
        let linked = firstRows[line].map { surface.mark(data, $0, name) } ?? name
        rows += "<tr><th scope=\"row\">\(linked)</th>"
        var total = ExactSum()
        for column in across.labels.indices {
            let sum = cells[line]?[column]
            rows += text(sum)
            if let value = sum?.value {
                total.add(value)
                columnTotals[column].add(value)
            }
        }
        if options.showsTotals { rows += text(total) }
        rows += "</tr>\n"
    }
    if options.showsTotals {
        var total = ExactSum()
        rows += "<tr class=\"total\"><th scope=\"row\">Total</th>"
        for sum in columnTotals {
            rows += text(sum)
            total.add(sum.value)
        }
        rows += text(total) + "</tr>\n"
    }
    let note: Markup =
        hidden > 0 ? "<p class=\"note\">\(counted(hidden, "row")) not shown.</p>" : ""
    return .markup(
        """
        <div class="scroll" tabindex="0" role="region" aria-label="Pivot table"><table class="data">
        <thead><tr><th scope="col">\(data.columns[x].name)</th>\(head)</tr></thead>
        <tbody>
        \(rows)</tbody></table></div>\(note)
        """)
}

/// A sum that keeps the digits of whole numbers and decimals, as long as they fit 38.
struct ExactSum {
    private var unscaled: Int128 = 0
    private var scale = 0
    private var number: Double?
    private var count = 0

    mutating func add(_ value: ChartValue) {
        guard let approximate = value.number else { return }
        count += 1
        if number == nil, let exact = Self.exact(value) {
            var (mine, other) = (unscaled, exact.unscaled)
            var overflows = false
            for _ in exact.scale..<max(scale, exact.scale) {
                let (product, over) = other.multipliedReportingOverflow(by: 10)
                (other, overflows) = (product, overflows || over)
            }
            for _ in scale..<max(scale, exact.scale) {
                let (product, over) = mine.multipliedReportingOverflow(by: 10)
                (mine, overflows) = (product, overflows || over)
            }
            let (sum, over) = mine.addingReportingOverflow(other)
            if !overflows, !over {
                unscaled = sum
                scale = max(scale, exact.scale)
                return
            }
        }
        number = (number ?? self.value.number ?? 0) + approximate
    }

    /// The sum so far; NULL when nothing was added.
    var value: ChartValue {
        if count == 0 { return .null }
        if let number { return .number(number) }
        let digits = String(unscaled.magnitude)
        let sign = unscaled < 0 ? "-" : ""
        if scale == 0 {
            return Int64(exactly: unscaled).map { .integer($0) } ?? .decimal(sign + digits)
        }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.utf8.count)) + digits
        return .decimal(sign + padded.dropLast(scale) + "." + padded.suffix(scale))
    }

    private static func exact(_ value: ChartValue) -> (unscaled: Int128, scale: Int)? {
        switch value {
        case .integer(let number): return (Int128(number), 0)
        case .decimal(let text):
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count <= 2, let digits = Int128(parts.joined()) else { return nil }
            return (digits, parts.count == 2 ? parts[1].utf8.count : 0)
        default: return nil
        }
    }
}
