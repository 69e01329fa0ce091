import Platform
import SQLEngine
import SQLPlanning
import Vectors

/// Makes tables of the files on a command line: each is named after its stem; files of one stem in
/// several folders are one table.
enum CommandLineTables {
    static let catalog = "files"
    static let schema = "default"

    static func open(_ paths: [String], budget: MemoryBudget) throws -> [any PlannedTable] {
        var byName: [(name: String, paths: [String])] = []
        for path in paths {
            let stem = lastPathComponent(of: path)
            let name = String(stem.prefix { $0 != "." }).lowercased()
            guard !name.isEmpty else { throw ApplianceError(.usage, "this names no file: \(path)") }
            if let index = byName.firstIndex(where: { $0.name == name }) {
                byName[index].paths.append(path)
            } else {
                byName.append((name, [path]))
            }
        }
        return try byName.map { try table($0.name, $0.paths, budget) }
    }

    private static func table(
        _ name: String, _ paths: [String], _ budget: MemoryBudget
    ) throws -> any PlannedTable {
        let full = TableName(catalog: catalog, schema: schema, table: name)
        let readers = try paths.map { try LocalFileReader(path: $0) }
        let first = paths[0].lowercased()
        if first.hasSuffix(".parquet") || first.hasSuffix(".pq") {
            return try ParquetFilesTable(name: full, files: readers)
        }
        if first.hasSuffix(".csv") || first.hasSuffix(".tsv") || first.hasSuffix(".txt") {
            return try TextFilesTable(name: full, files: readers, format: .csv, budget: budget)
        }
        if first.hasSuffix(".jsonl") || first.hasSuffix(".ndjson") || first.hasSuffix(".json") {
            return try TextFilesTable(
                name: full, files: readers, format: .jsonLines, budget: budget)
        }
        throw ApplianceError(
            .usage, "the kind of this file is not known: \(paths[0])",
            hint: "Parquet (.parquet), CSV (.csv, .tsv) and JSON lines (.jsonl) are")
    }
}
