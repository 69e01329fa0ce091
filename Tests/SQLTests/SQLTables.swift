import CivilTime
import Foundation
import ObjectStorage
import SQLEngine
import SQLExecution
import SQLPlanning
import Vectors

/// The tables of Tests/SQL/tables: rows in memory from the .tsv, or the same rows in Parquet.
enum SQLTables {
    static let catalog = "test"
    static let schema = "data"
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("SQL")

    static func inMemory() throws -> [any PlannedTable] {
        try files("tsv").map { file in
            try memoryTable(name(file), try String(contentsOf: file, encoding: .utf8))
        }
    }

    static func inParquet() throws -> [any PlannedTable] {
        let store = MemoryObjectStore(buckets: ["tables"])
        return try files("parquet").map { file in
            let place = ObjectLocation(bucket: "tables", key: file.lastPathComponent)
            _ = try store.write([UInt8](Data(contentsOf: file)), to: place)
            return try ParquetFilesTable(name: name(file), files: [store.open(place)])
        }
    }

    private static func files(_ kind: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder.appendingPathComponent("tables"), includingPropertiesForKeys: nil
        ).filter { $0.pathExtension == kind }.sorted { $0.path < $1.path }
    }

    private static func name(_ file: URL) -> TableName {
        TableName(
            catalog: catalog, schema: schema, table: file.deletingPathExtension().lastPathComponent)
    }

    private static func memoryTable(_ name: TableName, _ text: String) throws -> MemoryTable {
        var lines = text.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        let columns = try lines.removeFirst().map { head in
            let parts = head.split(separator: ":").map(String.init)
            return TableColumn(name: parts[0], type: try type(parts[1]))
        }
        let rows = try lines.map { line in
            try zip(line, columns).map { try literal($0, $1.type) }
        }
        return MemoryTable(name: name, columns: columns, rows: rows)
    }

    private static func type(_ text: String) throws -> LogicalType {
        switch text {
        case "boolean": return .boolean
        case "integer": return .integer
        case "bigint": return .bigint
        case "real": return .real
        case "double": return .double
        case "varchar": return .varchar(length: nil)
        case "date": return .date
        case "timestamp(6)": return .timestamp(precision: 6)
        case "decimal(10,2)": return .decimal(precision: 10, scale: 2)
        case "decimal(38,4)": return .decimal(precision: 38, scale: 4)
        default: throw SQLFileError("no such type in tables: \(text)")
        }
    }

    private static func literal(_ text: String, _ type: LogicalType) throws -> LiteralValue {
        if text == "NULL" { return .null }
        let value: LiteralValue?
        switch type {
        case .boolean: value = .boolean(text == "true")
        case .integer, .bigint: value = Int64(text).map { .integer($0) }
        case .real: value = Float(text).map { .double(bits: Double($0).bitPattern) }
        case .double: value = Double(text).map { .double(bits: $0.bitPattern) }
        case .varchar:
            let plain = text.replacingOccurrences(of: "\\t", with: "\t")
                .replacingOccurrences(of: "\\n", with: "\n").replacingOccurrences(
                    of: "\\\\", with: "\\")
            value = .bytes(Array(plain.utf8))
        case .date: value = CivilParse.date(text).map { .integer(Int64($0)) }
        case .timestamp: value = CivilParse.timestamp(text).map { .integer($0.microseconds) }
        case .decimal(let precision, _):
            let digits = Int128(text.filter { $0 != "." })
            value = digits.map { precision <= 18 ? .integer(Int64($0)) : .wide($0) }
        default: value = nil
        }
        guard let value else { throw SQLFileError("not a \(type): \(text)") }
        return value
    }
}
