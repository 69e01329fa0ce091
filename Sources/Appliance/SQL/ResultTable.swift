import JSON
import Platform
import SQLEngine
import Vectors

/// Prints result pages (Trino's JSON rows) as an aligned table, CSV or JSON lines.
struct ResultTable {
    private let format: SQLShell.Format
    private(set) var rowCount = 0
    private var rows: [[String]] = []
    private var headerIsOut = false
    /// Rows that an aligned table keeps in order to know its widths; later ones use the same widths.
    private static let alignedRows = 1000
    private var widths: [Int]?

    init(format: SQLShell.Format) { self.format = format }

    /// A result column as it is printed.
    struct Column {
        var name: String
        var isNumeric: Bool
    }

    mutating func add(
        _ page: ResultPage, _ columns: [QueryColumn], _ streams: any CommandStreams
    ) throws {
        let parsed = try JSONValue(parsing: [0x5B] + page.bytes + [0x5D])
        guard case .array(let lines) = parsed else { return }
        add(lines, columns.map(Column.init), streams)
    }

    /// Adds rows, each an array of values.
    mutating func add(
        _ lines: [JSONValue], _ columns: [Column], _ streams: any CommandStreams
    ) {
        var text = ""
        for line in lines {
            guard case .array(let values) = line else { continue }
            rowCount += 1
            switch format {
            case .csv:
                if !headerIsOut {
                    headerIsOut = true
                    text += columns.map { ResultTable.csv($0.name) }.joined(separator: ",") + "\n"
                }
                text +=
                    values.map { ResultTable.csv(ResultTable.cell($0, null: "")) }.joined(
                        separator: ",") + "\n"
            case .json:
                let object = JSONValue.object(Array(zip(columns.map(\.name), values)))
                text += object.encodedText() + "\n"
            case .markdown:
                text += markdownHeader(columns)
                text += ResultTable.markdown(values.map { ResultTable.cell($0, null: "") })
            case .table: rows.append(values.map { ResultTable.cell($0, null: "NULL") })
            }
        }
        if !text.isEmpty { streams.write(text) }
        if format == .table, rows.count >= ResultTable.alignedRows { printRows(columns, streams) }
    }

    /// Prints what is left; the header also when there was no row.
    mutating func end(_ columns: [QueryColumn], _ streams: any CommandStreams) {
        end(columns.map(Column.init), streams)
    }

    /// The same for columns of any source.
    mutating func end(_ columns: [Column], _ streams: any CommandStreams) {
        switch format {
        case .table: if !columns.isEmpty { printRows(columns, streams) }
        case .csv:
            if !headerIsOut, !columns.isEmpty {
                streams.write(
                    columns.map { ResultTable.csv($0.name) }.joined(separator: ",") + "\n")
            }
        case .markdown: if !columns.isEmpty { streams.write(markdownHeader(columns)) }
        case .json: break
        }
    }

    /// The first value of each row, as a listing has its names.
    static func firstCells(_ rows: JSONValue) -> [String] {
        guard case .array(let lines) = rows else { return [] }
        return lines.compactMap { line in
            guard case .array(let values) = line, let first = values.first else { return nil }
            return cell(first, null: "")
        }
    }

    /// Names and the line below them, once. Source: GitHub Flavored Markdown, "Tables".
    private mutating func markdownHeader(_ columns: [Column]) -> String {
        guard !headerIsOut else { return "" }
        headerIsOut = true
        let line = columns.map { $0.isNumeric ? "---:" : "---" }
        return ResultTable.markdown(columns.map(\.name)) + "|"
            + line.map { " \($0) |" }.joined() + "\n"
    }

    private static func markdown(_ cells: [String]) -> String {
        "|"
            + cells.map { cell in
                var text = ""
                for character in cell {
                    switch character {
                    case "|": text += "\\|"
                    case "\n", "\r\n", "\r": text += "<br>"
                    default: text.append(character)
                    }
                }
                return " \(text) |"
            }.joined() + "\n"
    }

    private mutating func printRows(_ columns: [Column], _ streams: any CommandStreams) {
        let names = columns.map(\.name)
        let widths =
            self.widths
            ?? names.indices.map { column in
                rows.reduce(ResultTable.width(names[column])) {
                    max($0, ResultTable.width($1[column]))
                }
            }
        self.widths = widths
        var text: [UInt8] = []
        text.reserveCapacity((rows.count + 2) * (widths.reduce(1) { $0 + $1 + 3 }))
        if !headerIsOut {
            headerIsOut = true
            ResultTable.line(names, widths, numeric: columns.map { _ in false }, into: &text)
            let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "-+-")
            text += Array((rule + "\n").utf8)
        }
        let numeric = columns.map(\.isNumeric)
        for row in rows { ResultTable.line(row, widths, numeric: numeric, into: &text) }
        rows.removeAll()
        streams.write(String(decoding: text, as: UTF8.self))
    }

    private static func line(
        _ cells: [String], _ widths: [Int], numeric: [Bool], into text: inout [UInt8]
    ) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { text += [0x20, 0x7C, 0x20] }
            let pad = max(0, widths[index] - width(cell))
            if numeric[index] { text.append(contentsOf: repeatElement(0x20, count: pad)) }
            text.append(contentsOf: cell.utf8)
            if !numeric[index] { text.append(contentsOf: repeatElement(0x20, count: pad)) }
        }
        while text.last == 0x20 { text.removeLast() }
        text.append(0x0A)
    }

    /// Characters of a cell, or of its longest line.
    private static func width(_ cell: String) -> Int {
        let bytes = cell.utf8
        if bytes.allSatisfy({ $0 < 0x80 && $0 != 0x0A && $0 != 0x0D }) { return bytes.count }
        return cell.split(whereSeparator: \.isNewline).reduce(0) { max($0, $1.count) }
    }

    private static func cell(_ value: JSONValue, null: String) -> String {
        switch value {
        case .null: null
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): number.text
        case .array, .object: value.encodedText()
        }
    }

    private static func csv(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\"") + "\""
    }

    /// What stands under a result: how many rows, and how long it took.
    static func note(rows: Int?, elapsed: Duration?, _ streams: any CommandStreams) {
        var notes: [String] = []
        if let rows { notes.append("\(rows) row\(rows == 1 ? "" : "s")") }
        if let elapsed {
            let tenths = Int(elapsed.fractionalSeconds * 10_000)
            notes.append(tenths < 100 ? "\(Double(tenths) / 10) ms" : "\(tenths / 10) ms")
        }
        if !notes.isEmpty { streams.write("(\(notes.joined(separator: ", ")))\n") }
    }
}

extension ResultTable.Column {
    fileprivate init(_ column: QueryColumn) {
        let isNumeric =
            switch column.type {
            case .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal: true
            default: false
            }
        self.init(name: column.name, isNumeric: isNumeric)
    }
}
