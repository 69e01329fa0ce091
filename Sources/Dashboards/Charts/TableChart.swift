/// The rows as they are.
func drawTable(_ data: ChartData, _ options: ChartOptions, _ width: Double) -> ChartContent {
    guard !data.columns.isEmpty else { return .nothing("No columns.") }
    guard !data.rows.isEmpty else { return .nothing("No rows.") }
    return .markup(
        dataTable(
            data, limit: options.limit ?? DashboardLimits.alternativeRows,
            percentColumns: options.percentColumns))
}

/// A result as an HTML table in a box that scrolls sideways; at most `limit` rows.
package func dataTable(
    _ data: ChartData, limit: Int, percentColumns: [String] = [], label: String = "Result"
) -> Markup {
    let head = data.columns.map { column -> Markup in
        """
        <th scope="col"\(numeric(column))><span class="name">\(shortened(column.name, to: 200))\
        </span> <span class="type">\(column.type)</span></th>
        """
    }
    let percent = data.columns.map { percentColumns.contains($0.name) }
    var rows = Markup()
    for row in data.rows.indices.prefix(limit) {
        rows += "<tr>"
        for (index, column) in data.columns.enumerated() {
            let value = data.value(row, index)
            if value.isNull {
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

/// Cells hold at most 1,000 letters; queries give the rest to other doors.
private func cellText(_ value: ChartValue) -> String {
    let text = value.text
    guard text.utf8.count > 1000, text.count > 1000 else { return text }
    return text.prefix(1000) + "…"
}

private func numeric(_ column: ChartColumn) -> Markup {
    column.isNumeric ? " class=\"number\"" : ""
}
