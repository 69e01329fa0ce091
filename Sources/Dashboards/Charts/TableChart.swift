/// The rows as they are, with bars in the cells of `bars`.
func drawTable(
    _ data: ChartData, _ options: ChartOptions, _ surface: ChartSurface
) -> ChartContent {
    guard !data.columns.isEmpty else { return .nothing("No columns.") }
    guard !data.rows.isEmpty else { return .nothing("No rows.") }
    return .markup(
        dataTable(
            data, limit: options.limit ?? DashboardLimits.alternativeRows,
            percentColumns: options.percentColumns, barColumns: options.barColumns,
            surface: surface))
}

/// A result as an HTML table in a box that scrolls sideways; at most `limit` rows.
package func dataTable(
    _ data: ChartData, limit: Int, percentColumns: [String] = [], barColumns: [String] = [],
    surface: ChartSurface? = nil, label: String = "Result"
) -> Markup {
    let head = data.columns.map { column -> Markup in
        """
        <th scope="col"\(numeric(column))><span class="name">\(shortened(column.name, to: 200))\
        </span> <span class="type">\(column.type)</span></th>
        """
    }
    let percent = data.columns.map { percentColumns.contains($0.name) }
    let largest = data.columns.indices.map { index -> Double? in
        guard barColumns.contains(data.columns[index].name) else { return nil }
        return data.rows.indices.prefix(limit).compactMap { data.value($0, index).number }
            .map(\.magnitude).max()
    }
    let linked = surface?.linkColumn.flatMap { data.index(of: $0) }
    var rows = Markup()
    for row in data.rows.indices.prefix(limit) {
        rows += "<tr>"
        for (index, column) in data.columns.enumerated() {
            let value = data.value(row, index)
            if linked == index, let surface {
                let inner: Markup = value.isNull ? "NULL" : "\(cellText(value))"
                rows += "<td\(numeric(column))>\(surface.mark(data, row, inner))</td>"
            } else if let most = largest[index], let number = value.number {
                let text =
                    percent[index] ? numberText(number, .percent) : cellText(value)
                rows += """
                    <td class="number barred">\(cellBar(number, most))<span>\(text)</span></td>
                    """
            } else if value.isNull {
                rows += "<td class=\"null\(column.isNumeric ? " number" : "")\">NULL</td>"
            } else if percent[index], let number = value.number {
                rows += "<td class=\"number\">\(numberText(number, .percent))</td>"
            } else {
                rows += "<td\(numeric(column))>\(cellText(value))</td>"
            }
        }
        rows += "</tr>\n"
    }
    return """
        <div class="scroll" tabindex="0" role="region" aria-label="\(label)"><table class="data">
        <thead><tr>\(head)</tr></thead>
        <tbody>
        \(rows)</tbody></table></div>
        """
}

/// How large a value is beside the largest of its column, as a bar behind its text.
private func cellBar(_ value: Double, _ most: Double) -> Markup {
    let share = most > 0 ? min(value.magnitude / most, 1) * 100 : 0
    return """
        <svg class="cellbar\(value < 0 ? " below" : "")" viewBox="0 0 100 10" \
        preserveAspectRatio="none" aria-hidden="true"><rect width="\(at: share)" height="10"/></svg>
        """
}

/// Cells hold at most 1,000 letters; queries give the rest to other doors.
private func cellText(_ value: ChartValue) -> String {
    let text = value.text
    guard text.utf8.count > 1000, text.count > 1000 else { return text }
    return text.prefix(1000) + "…"
}

private func numeric(_ column: ChartColumn) -> Markup {
    column.isNumeric ? " class=\"number\"" : ""
}
