import CivilTime
import Diagnostics
import ObjectStorage
import TextTables
import Vectors

/// The rows of a workbook's sheet. The first row with a cell has the names; a column's type is that of all its
/// cells, and text where they differ.
final class ExcelSource: RowSource {
    let columns: [SourceColumn]
    let name: String
    let isGuessed = true
    let version: String?
    /// Row by row, `columns.count` cells each.
    private var cells: [ExcelCell]

    /// Bytes of a workbook; more are refused.
    private static let byteLimit: Int64 = 512 << 20

    /// Reads a sheet by its name; nil: the first.
    init(_ reader: any ObjectReader, sheet: String?) throws {
        let size = reader.description.sizeBytes
        name = "\(reader.description.location)"
        version = reader.description.version
        guard size <= Self.byteLimit else {
            throw IngestError(
                .limitExceeded, "\(name) has more than \(Self.byteLimit >> 20) MiB",
                hint: "save it as CSV")
        }
        let bytes = try [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            if size > 0 {
                try reader.readNow([
                    RangeRead(offset: 0, destination: UnsafeMutableRawBufferPointer(buffer))
                ])
            }
            count = Int(size)
        }
        let workbook = try Workbook(bytes, name: name)
        let path = try Self.path(of: sheet, in: workbook, name)
        var header: [(column: Int, cell: ExcelCell)] = []
        var rows: [[(column: Int, cell: ExcelCell)]] = []
        try workbook.rows(of: path) { row throws(IngestError) in
            if header.isEmpty { header = row } else { rows.append(row) }
        }
        guard let first = header.first?.column else {
            throw IngestError(
                .unsupportedSource, "the sheet of \(name) is empty",
                hint: "a table needs a row of names")
        }
        let last = max(header.last?.column ?? first, rows.compactMap { $0.last?.column }.max() ?? 0)
        var names = [String](repeating: "", count: last - first + 1)
        for (column, cell) in header { names[column - first] = cell.text }
        let width = names.count
        let (total, overflow) = rows.count.multipliedReportingOverflow(by: width)
        guard !overflow, total <= Workbook.cellLimit * 4 else {
            throw IngestError(
                .limitExceeded, "the sheet of \(name) is too large", hint: "save it as CSV")
        }
        cells = [ExcelCell](repeating: .empty, count: total)
        for (index, row) in rows.enumerated() {
            // What stands left of the names belongs to no column.
            for (column, cell) in row where column >= first {
                cells[index * width + column - first] = cell
            }
        }
        let cells = cells
        columns = CSVTable.columnNames(names).enumerated().map { index, name in
            var type: LogicalType?
            for place in stride(from: index, to: cells.count, by: width) {
                guard let own = cells[place].type else { continue }
                type = type.map { Self.joined($0, own) } ?? own
                if type == .text { break }
            }
            return SourceColumn(name: name, type: type ?? .text)
        }
    }

    private static func path(
        of sheet: String?, in workbook: Workbook, _ name: String
    ) throws(IngestError) -> String {
        let names = workbook.sheets.map(\.name)
        guard let sheet else {
            guard let first = workbook.sheets.first else {
                throw IngestError(.unsupportedSource, "\(name) has no sheet")
            }
            return first.path
        }
        guard let found = workbook.sheets.first(where: { $0.name == sheet }) else {
            throw IngestError(
                .sourceUnavailable, "\(name) has no sheet \(sheet)",
                hint: nearestName(to: sheet, among: names).map { "did you mean \($0)?" }
                    ?? "its sheets: \(names.joined(separator: ", "))", option: "source.sheet")
        }
        return found.path
    }

    private static func joined(_ one: LogicalType, _ other: LogicalType) -> LogicalType {
        if one == other { return one }
        let timestamp = LogicalType.timestamp(precision: 6)
        switch (one, other) {
        case (.bigint, .double), (.double, .bigint): return .double
        case (.date, timestamp), (timestamp, .date): return timestamp
        default: return .text
        }
    }

    func read(
        as types: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void
    ) throws {
        let width = columns.count
        let buffers = types.map { ColumnBuffer(type: $0) }
        let heap = Arena(budget: budget)
        let chunk = Chunk(columnCount: width)
        let rowCount = width > 0 ? cells.count / width : 0
        var start = 0
        while start < rowCount {
            heap.reset()
            let count = min(Chunk.capacity, rowCount - start)
            for (index, buffer) in buffers.enumerated() {
                buffer.reset()
                for row in 0..<count {
                    let cell = cells[(start + row) * width + index]
                    guard cell != .empty else {
                        buffer.setNull(row)
                        continue
                    }
                    var text = cell.text
                    let fits = try text.withUTF8 {
                        try TextValue.store($0, into: buffer, row: row, heap: heap)
                    }
                    guard fits else {
                        throw IngestError(
                            .invalidValue,
                            "a cell of column \(columns[index].name) of \(name) is no "
                                + "\(types[index]): \(text.prefix(80))",
                            hint: "mend the cell, or load the file into another table")
                    }
                }
                chunk.columns[index] = buffer.vector
            }
            chunk.count = count
            chunk.selection = nil
            try body(chunk)
            start += count
        }
    }
}

extension ExcelCell {
    /// The type that holds the cell; nil for an empty one.
    fileprivate var type: LogicalType? {
        switch self {
        case .empty: nil
        case .text, .time: .text
        case .number(let digits): Int64(digits) == nil ? .double : .bigint
        case .boolean: .boolean
        case .date: .date
        case .timestamp: .timestamp(precision: 6)
        }
    }

    /// The cell as text.
    var text: String {
        switch self {
        case .empty: ""
        case .text(let text): text
        case .number(let digits): digits
        case .boolean(let flag): flag ? "true" : "false"
        case .date(let day): CivilFormat.date(day)
        case .timestamp(let microseconds):
            CivilFormat.timestamp(microseconds, precision: microseconds % 1_000_000 == 0 ? 0 : 3)
        case .time(let microseconds):
            String(CivilFormat.timestamp(microseconds, precision: 0).dropFirst(11))
        }
    }
}
