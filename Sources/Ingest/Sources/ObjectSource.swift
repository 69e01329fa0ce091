import Iceberg
import ObjectStorage
import Parquet
import TextTables
import Vectors

/// How the rows of an object are written.
enum ObjectFormat: String, CaseIterable {
    case csv, tsv, jsonl, parquet

    /// By the key's suffix; nil for others.
    init?(key: String) {
        let lower = key.lowercased()
        if lower.hasSuffix(".csv") {
            self = .csv
        } else if lower.hasSuffix(".tsv") || lower.hasSuffix(".tab") {
            self = .tsv
        } else if lower.hasSuffix(".jsonl") || lower.hasSuffix(".ndjson")
            || lower.hasSuffix(".json")
        {
            self = .jsonl
        } else if lower.hasSuffix(".parquet") || lower.hasSuffix(".pq") {
            self = .parquet
        } else {
            return nil
        }
    }
}

/// Opens objects as sources of rows.
enum ObjectSource {
    static func open(
        _ reader: any ObjectReader, format: String?, budget: MemoryBudget
    ) throws -> any RowSource {
        let location = reader.description.location
        guard
            let format = format.flatMap({ ObjectFormat(rawValue: $0) })
                ?? ObjectFormat(key: location.key)
        else {
            throw IngestError(
                .unsupportedSource,
                "the object's format does not follow from its name: \(location)",
                hint: "name it .csv, .tsv, .jsonl or .parquet, or give source.format")
        }
        switch format {
        case .csv, .tsv, .jsonl: return try TextSource(reader, format, budget: budget)
        case .parquet: return try ParquetSource(reader)
        }
    }
}

/// A CSV or JSON-lines object. Its types are those of all its values.
private final class TextSource: RowSource {
    let columns: [SourceColumn]
    let name: String
    let isGuessed = true
    let version: String?
    private let bytes: ObjectByteSource
    private let dialect: CSVDialect?
    private let textColumns: [TextColumn]

    init(_ reader: any ObjectReader, _ format: ObjectFormat, budget: MemoryBudget) throws {
        bytes = ObjectByteSource(reader)
        name = "\(reader.description.location)"
        version = reader.description.version
        if format == .jsonl {
            let table = try JSONLinesTable(inferring: bytes, budget: budget)
            textColumns = table.columns
            dialect = nil
        } else {
            let given = format == .tsv ? CSVDialect(delimiter: 0x09) : nil
            let table = try CSVTable(inferring: bytes, dialect: given, budget: budget)
            textColumns = table.columns
            dialect = table.dialect
        }
        let names = CSVTable.columnNames(textColumns.map(\.name))
        // JSON is kept as text: Iceberg has no type for it.
        columns = zip(names, textColumns).map { name, column in
            SourceColumn(name: name, type: column.type == .json ? .text : column.type)
        }
    }

    func read(
        as types: [LogicalType], budget: MemoryBudget, _ body: (Chunk) throws -> Void
    ) throws {
        let wanted = zip(textColumns, types).map { column, type in
            TextColumn(
                name: column.name, type: column.type == .json && type == .text ? .json : type)
        }
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
