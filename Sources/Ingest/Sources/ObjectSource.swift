import Iceberg
import ObjectStorage
import Parquet
import TableFiles
import TextTables
import Vectors

/// Opens objects as sources of rows.
enum ObjectSource {
    /// `format` is for objects whose names do not tell; `sheet` names one of a workbook's (default: the first).
    static func open(
        _ reader: any ObjectReader, format: String?, sheet: String? = nil, budget: MemoryBudget
    ) throws -> any RowSource {
        let known = try Self.format(of: reader, format)
        switch known {
        case .csv, .tsv, .jsonl: return try TextSource(reader, known, budget: budget)
        case .parquet: return try ParquetSource(reader)
        case .xlsx: return try ExcelSource(reader, sheet: sheet)
        }
    }

    /// The format of an object, given or by its name.
    static func format(
        of reader: any ObjectReader, _ given: String?
    ) throws(IngestError) -> ObjectFormat {
        let location = reader.description.location
        let name = ObjectName(location.key)
        guard let format = given.flatMap({ ObjectFormat(rawValue: $0) }) ?? name.format else {
            throw IngestError(
                .unsupportedSource,
                "the object's format does not follow from its name: \(location)",
                hint: "name it .csv, .tsv, .jsonl, .parquet or .xlsx, the first three perhaps with "
                    + ".gz, .zst or .lz4 behind, or give source.format")
        }
        guard name.codec == nil || ![.parquet, .xlsx].contains(format) else {
            throw IngestError(
                .unsupportedSource, "only text files are read compressed: \(location)",
                hint: "Parquet and Excel files are compressed inside; put them as they are")
        }
        return format
    }

    /// The bytes of a text object, unpacked.
    static func bytes(_ reader: any ObjectReader) throws -> any ByteSource {
        let plain = ObjectByteSource(reader)
        guard let codec = ObjectName(reader.description.location.key).codec else { return plain }
        return try CompressedSource(plain, codec)
    }
}

/// A CSV or JSON-lines object. Its types are those of all its values.
private final class TextSource: RowSource {
    let columns: [SourceColumn]
    let name: String
    let isGuessed = true
    let version: String?
    private let bytes: any ByteSource
    private let dialect: CSVDialect?
    private let textColumns: [TextColumn]
    let remarks: [String]
    let team: LoadTeam?

    init(_ reader: any ObjectReader, _ format: ObjectFormat, budget: MemoryBudget) throws {
        let team = format == .jsonl ? nil : LoadTeam()
        defer { team?.rest() }
        self.team = team
        bytes = try ObjectSource.bytes(reader)
        name = "\(reader.description.location)"
        version = reader.description.version
        let digits: [Int]
        if format == .jsonl {
            let table = try JSONLinesTable(inferring: bytes, budget: budget)
            textColumns = table.columns
            dialect = nil
            remarks = []
            digits = []
        } else {
            let given = format == .tsv ? CSVDialect(delimiter: 0x09) : nil
            let table = try CSVTable(
                inferring: bytes, dialect: given, budget: budget, run: team?.run)
            textColumns = table.columns
            dialect = table.dialect
            remarks = HeaderRemarks.of(table.inference)
            digits = table.inference?.wholeDigits ?? []
        }
        let names = CSVTable.columnNames(textColumns.map(\.name))
        // JSON is kept as text: Iceberg has no type for it.
        columns = zip(names, textColumns).enumerated().map { index, pair in
            SourceColumn(
                name: pair.0, type: pair.1.type == .json ? .text : pair.1.type,
                wholeDigits: index < digits.count ? digits[index] : nil)
        }
    }

    /// The file's columns as the given types.
    private func columns(as types: [LogicalType]) -> [TextColumn] {
        zip(textColumns, types).map { column, type in
            TextColumn(
                name: column.name, type: column.type == .json && type == .text ? .json : type)
        }
    }

    /// Stretches of the file that are read at the same time, by thread: two, so that nobody waits long for
    /// the slowest.
    private static let stretchesByThread = 2

    func readTogether(
        as types: [LogicalType], budget: MemoryBudget, _ body: ([Chunk]) throws -> Void
    ) throws {
        guard let team, let dialect else {
            return try read(as: types, budget: budget) { try body([$0]) }
        }
        defer { team.rest() }
        let table = try CSVTable(
            bytes, dialect: dialect, columns: columns(as: types), budget: budget)
        try table.read(
            limit: team.threadCount * Self.stretchesByThread, run: team.run, body)
    }

    func read(
        as types: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void
    ) throws {
        let wanted = columns(as: types)
        let table: any TextTableReader
        if let dialect {
            table = try CSVTable(bytes, dialect: dialect, columns: wanted, budget: budget)
        } else {
            table = try JSONLinesTable(bytes, columns: wanted, budget: budget)
        }
        let chunk = Chunk(columnCount: wanted.count)
        while try table.next(into: chunk) { try body(chunk) }
    }
}

/// A Parquet object.
private final class ParquetSource: RowSource {
    let columns: [SourceColumn]
    let name: String
    let isGuessed = false
    let version: String?
    private let file: ParquetFile

    init(_ reader: any ObjectReader) throws {
        file = try ParquetFile.open(reader)
        name = "\(reader.description.location)"
        version = reader.description.version
        columns = file.schema.fields.map {
            SourceColumn(name: $0.name.lowercased(), type: $0.type)
        }
    }

    func read(
        as types: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void
    ) throws {
        let columns = zip(file.schema.fields, types).map { field, type in
            // A type of the same layout needs no conversion (smallint as integer, json as varchar).
            var wanted = WantedField(field)
            if field.type.children.isEmpty { wanted.type = type }
            return ScanColumn(source: .field(field, wanted), type: wanted.type)
        }
        let scan = try ParquetScan(file, columns: columns, memory: ScanMemory(budget: budget))
        for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
            while let chunk = try scan.next() { try body(chunk) }
        }
    }
}
