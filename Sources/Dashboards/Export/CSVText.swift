/// A result as CSV (RFC 4180): a line of names, CRLF, quotes where a cell needs them. NULL is an empty
/// cell, an empty text is `""`, so that nothing is lost. A cell that a spreadsheet would run as a formula
/// (`=`, `+`, `-`, `@` before letters) is kept as it is where it is a number and gets a leading
/// apostrophe where it is a text.
package func csvText(_ data: ChartData) -> String {
    var text = data.columns.map { csvCell(.text($0.name)) }.joined(separator: ",") + "\r\n"
    for row in data.rows.indices {
        text +=
            data.columns.indices.map { csvCell(data.value(row, $0)) }.joined(separator: ",")
            + "\r\n"
    }
    return text
}

private func csvCell(_ value: ChartValue) -> String {
    if value.isNull { return "" }
    var text = value.text
    guard case .text = value else { return text }
    if text.isEmpty { return "\"\"" }
    if let first = text.utf8.first, [0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0D].contains(first),
        Double(text) == nil
    {
        text = "'" + text
    }
    guard
        text.utf8.contains(where: { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D })
    else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
}
