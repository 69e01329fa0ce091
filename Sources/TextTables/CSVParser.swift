import Vectors

/// What a CSV file's rows become.
struct CSVLayout: Sendable {
    let name: String
    let dialect: CSVDialect
    let columns: [TextColumn]
    /// By column: whether its values are wanted; the others are skipped over.
    let isWanted: [Bool]
    private let nullTexts: [[UInt8]]

    init(name: String, _ dialect: CSVDialect, _ columns: [TextColumn], wanted: Set<Int>?) {
        self.name = name
        self.dialect = dialect
        self.columns = columns
        isWanted = columns.indices.map { wanted?.contains($0) ?? true }
        nullTexts = dialect.nullTexts.map { Array($0.utf8) }
    }

    /// Rows of a chunk: fewer of very wide tables, so that a chunk's memory has a bound.
    var chunkRows: Int { CSVLayout.chunkRows(columns.count) }

    static func chunkRows(_ columnCount: Int) -> Int {
        min(Chunk.capacity, max(64, (1 << 19) / max(columnCount, 1)))
    }

    var hasNullTexts: Bool { !nullTexts.isEmpty }

    /// Whether the bytes stand for NULL, without being empty.
    func isNull(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let bytes = UnsafeBufferPointer(start: start, count: count)
        return nullTexts.contains { $0.count == count && $0.elementsEqual(bytes) }
    }
}

/// Turns the rows of a stretch into columns, one column after the other. Texts are not copied: the views
/// point into the stretch. Belongs to one thread at a time.
final class CSVParser {
    let scanner: CSVScanner
    private let layout: CSVLayout
    /// For types whose values are read in general; nothing of it is kept.
    private let heap: Arena

    init(_ layout: CSVLayout, budget: MemoryBudget) {
        self.layout = layout
        scanner = CSVScanner(name: layout.name, layout.dialect, rowLimit: layout.chunkRows)
        heap = Arena(budget: budget)
    }

    /// Memory for one chunk's columns; those that are not wanted have a row.
    func makeBuffers() -> [ColumnBuffer] {
        zip(layout.columns, layout.isWanted).map { column, isWanted in
            ColumnBuffer(type: column.type, capacity: isWanted ? layout.chunkRows : 1)
        }
    }

    /// Fills the chunk with the next rows of the stretch that the scanner is on; false at its end.
    func next(into chunk: Chunk, _ buffers: [ColumnBuffer]) throws -> Bool {
        scanner.forget()
        scanner.scan(width: layout.columns.count)
        var rows = scanner.rowCount
        var misfit: Int?
        for index in layout.columns.indices where layout.isWanted[index] {
            buffers[index].reset()
            guard let row = try convert(index, rows, buffers[index]) else { continue }
            // The first one of the file is told: in an earlier row, or in an earlier column of the same.
            (rows, misfit) = (row, index)
        }
        if let misfit { throw fault(rows, misfit) }
        if let fault = scanner.fault { throw fault }
        for index in layout.columns.indices { chunk.columns[index] = buffers[index].vector }
        chunk.count = rows
        chunk.selection = nil
        return rows > 0
    }

    private func fault(_ row: Int, _ index: Int) -> TextTableError {
        let column = layout.columns[index]
        let place = "line \(scanner.line(ofRow: row)), column \(column.name) of \(layout.name)"
        if case .varchar = column.type {
            return TextTableError(
                .invalidUTF8, "\(place) is not UTF-8",
                hint: "convert the file, for example with iconv -f LATIN1 -t UTF-8")
        }
        let text = scanner.text(row * layout.columns.count + index)
        return TextTableError(
            .invalidValue, "\(place) is not a \(column.type): \(text.prefix(80))",
            hint: "give the column another type, or mend the file")
    }

    // MARK: Columns

    /// Converts a column's first rows; the first row whose value is none of the column's type.
    private func convert(
        _ index: Int, _ rows: Int, _ buffer: ColumnBuffer
    ) throws(MemoryLimitFault) -> Int? {
        let vector = buffer.vector
        switch layout.columns[index].type {
        case .bigint:
            let values = vector.pointer(as: Int64.self)
            return each(index, rows, buffer) { row, start, count in
                guard let value = FastText.bigint(start, count) else { return false }
                values[row] = value
                return true
            }
        case .integer:
            let values = vector.pointer(as: Int32.self)
            return each(index, rows, buffer) { row, start, count in
                guard let value = FastText.bigint(start, count), let narrow = Int32(exactly: value)
                else { return false }
                values[row] = narrow
                return true
            }
        case .decimal(let precision, let scale) where precision <= 18:
            let values = vector.pointer(as: Int64.self)
            let limit = FastText.powerOfTen(precision)
            return each(index, rows, buffer) { row, start, count in
                guard let value = FastText.decimal(start, count, scale: scale),
                    value.magnitude < limit
                else { return false }
                values[row] = value
                return true
            }
        case .date:
            let values = vector.pointer(as: Int32.self)
            return each(index, rows, buffer) { row, start, count in
                guard let value = FastText.date(start, count) else { return false }
                values[row] = value
                return true
            }
        case .varchar:
            let isText = layout.columns[index].type == .text
            let values = vector.pointer(as: StringView.self)
            return each(index, rows, buffer, keepsQuoted: isText) { row, start, count in
                values[row] = FastText.view(start, count)
                return FastText.isUTF8(start, count)
            }
        case .json, .varbinary:
            let values = vector.pointer(as: StringView.self)
            return each(index, rows, buffer) { row, start, count in
                values[row] = FastText.view(start, count)
                return true
            }
        default:
            var refused: MemoryLimitFault?
            let row = each(index, rows, buffer) { row, start, count in
                do throws(MemoryLimitFault) {
                    return try TextValue.store(
                        UnsafeBufferPointer(start: start, count: count), into: buffer, row: row,
                        heap: heap)
                } catch {
                    refused = error
                    return false
                }
            }
            if let refused { throw refused }
            return row
        }
    }

    /// Calls `body` with each value's bytes, which have 64 bytes of slack, and makes the rest NULL.
    @inline(__always)
    private func each(
        _ index: Int, _ rows: Int, _ buffer: ColumnBuffer, keepsQuoted: Bool = false,
        _ body: (Int, UnsafePointer<UInt8>, Int) -> Bool
    ) -> Int? {
        let width = layout.columns.count
        let base = UnsafePointer(scanner.base)
        let hasNullTexts = layout.hasNullTexts
        var field = UnsafePointer(scanner.fields) + index
        for row in 0..<rows {
            let (start, count) = (base + field.pointee.start, field.pointee.count)
            let isEmpty = count == 0 && !(keepsQuoted && field.pointee.isQuoted)
            field += width
            if isEmpty || (hasNullTexts && layout.isNull(start, count)) {
                buffer.setNull(row)
            } else if !body(row, start, count) {
                return row
            }
        }
        return nil
    }
}
