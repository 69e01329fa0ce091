import ObjectStorage
import TableFiles
import TextTables
import Vectors

extension ObjectSource {
    /// Opens an object whose values need not all be of their column's type.
    static func openLoose(
        _ reader: any ObjectReader, format: String?, sheet: String?, budget: MemoryBudget,
        log: @escaping (String) -> Void
    ) throws -> any RowSource {
        let known = try Self.format(of: reader, format)
        guard known == .csv || known == .tsv else {
            return try open(reader, format: format, sheet: sheet, budget: budget)
        }
        return try LooseTextSource(reader, isTabbed: known == .tsv, budget: budget, log: log)
    }
}

/// A CSV object whose columns have the type that nine tenths of their values in the first thousand rows
/// have. A value of another type becomes NULL and is told; a column with more than a tenth of them in
/// the whole file is a fault.
private final class LooseTextSource: RowSource {
    let columns: [SourceColumn]
    let name: String
    let isGuessed = true
    let version: String?
    private let bytes: any ByteSource
    private let dialect: CSVDialect
    /// The columns of the file, all of them as text.
    private let texts: [TextColumn]
    private let types: [LooseType]
    private let log: (String) -> Void
    let remarks: [String]

    /// Rows that types are guessed from.
    private static let sampleRows = 1000
    /// Values that did not fit and are told one by one.
    private static let toldValues = 10

    init(
        _ reader: any ObjectReader, isTabbed: Bool, budget: MemoryBudget,
        log: @escaping (String) -> Void
    ) throws {
        bytes = try ObjectSource.bytes(reader)
        name = "\(reader.description.location)"
        version = reader.description.version
        self.log = log
        let given = isTabbed ? CSVDialect(delimiter: 0x09) : nil
        let team = LoadTeam()
        let table = try CSVTable(inferring: bytes, dialect: given, budget: budget, run: team.run)
        dialect = table.dialect
        texts = table.columns.map { TextColumn(name: $0.name, type: .text) }
        var tallies = [LooseTally](repeating: LooseTally(), count: texts.count)
        let sample = try CSVTable(bytes, dialect: dialect, columns: texts, budget: budget)
        let chunk = Chunk(columnCount: texts.count)
        var seen = 0
        while seen < Self.sampleRows, try sample.next(into: chunk) {
            for row in 0..<min(chunk.count, Self.sampleRows - seen) {
                for index in texts.indices where chunk.columns[index].isValid(row) {
                    chunk.columns[index].value(row, as: StringView.self).withBytes {
                        if !$0.isEmpty { tallies[index].add($0) }
                    }
                }
            }
            seen += chunk.count
        }
        let digits = table.inference?.wholeDigits ?? []
        remarks = HeaderRemarks.of(table.inference)
        // Digits behind the point that only later rows have are no mistakes of theirs.
        let types = zip(tallies, table.columns).map { tally, column in
            guard case .decimal(_, let seen) = tally.type.type,
                case .decimal(_, let scale) = column.type, scale > seen
            else { return tally.type }
            return LooseType(exact: column.type)
        }
        columns = table.columns.indices.map {
            SourceColumn(
                name: table.columns[$0].name, type: types[$0].type,
                wholeDigits: $0 < digits.count ? digits[$0] : nil)
        }
        self.types = types
    }

    func read(
        as wanted: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void
    ) throws {
        let table = try CSVTable(bytes, dialect: dialect, columns: texts, budget: budget)
        let input = Chunk(columnCount: texts.count)
        let output = Chunk(columnCount: texts.count)
        let buffers = wanted.map { ColumnBuffer(type: $0) }
        let heap = Arena(budget: budget)
        var values = [Int](repeating: 0, count: texts.count)
        var misfits = values
        var firstRow = 0
        while try table.next(into: input) {
            heap.reset()
            for index in texts.indices where wanted[index] == .text {
                output.columns[index] = input.columns[index]
            }
            for index in texts.indices where wanted[index] != .text {
                let buffer = buffers[index]
                buffer.reset()
                let column = input.columns[index]
                for row in 0..<input.count {
                    guard column.isValid(row) else {
                        buffer.setNull(row)
                        continue
                    }
                    let view = column.value(row, as: StringView.self)
                    if view.count == 0 {
                        buffer.setNull(row)
                        continue
                    }
                    values[index] += 1
                    let fits = try view.withBytes { bytes in
                        try types[index].store(bytes, into: buffer, row: row, heap: heap)
                    }
                    if fits { continue }
                    buffer.setNull(row)
                    misfits[index] += 1
                    if misfits[index] <= Self.toldValues {
                        let text = view.withBytes { String(decoding: $0.prefix(80), as: UTF8.self) }
                        log(
                            "\(name), row \(firstRow + row + 1): \(columns[index].name) becomes "
                                + "NULL, it is no \(wanted[index]): \(text)")
                    }
                }
                output.columns[index] = buffer.vector
            }
            output.count = input.count
            output.selection = nil
            firstRow += input.count
            try body(output)
        }
        for index in texts.indices where misfits[index] * 10 > values[index] {
            throw IngestError(
                .invalidValue,
                "\(misfits[index]) of \(values[index]) values of column \(columns[index].name) of "
                    + "\(name) are no \(wanted[index])",
                hint: "mend the file, or load it into another table")
        }
    }
}
