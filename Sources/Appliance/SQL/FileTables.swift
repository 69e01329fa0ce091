import Platform
import SQLEngine
import SQLPlanning
import Vectors

/// Makes tables of the files on a command line: each is named after its stem, or by `NAME=FILE`.
///
/// Two files of one stem are refused, since nobody asked for their union; two that were both given one
/// name are one table.
enum CommandLineTables {
    static let catalog = "files"
    static let schema = "default"

    private struct Source {
        var name: String
        var isGiven: Bool
        var paths: [String]
    }

    static func open(_ arguments: [String], budget: MemoryBudget) throws -> [any PlannedTable] {
        var sources: [Source] = []
        for argument in arguments {
            let (given, path) = split(argument)
            let stem = String(lastPathComponent(of: path).prefix { $0 != "." })
            let name = (given ?? stem).lowercased()
            guard !name.isEmpty else { throw ApplianceError(.usage, "this names no file: \(path)") }
            guard let index = sources.firstIndex(where: { $0.name == name }) else {
                sources.append(Source(name: name, isGiven: given != nil, paths: [path]))
                continue
            }
            guard given != nil, sources[index].isGiven else {
                let other = sources[index].paths[0]
                throw ApplianceError(
                    .usage, "two files would be the table \(name): \(other) and \(path)",
                    hint:
                        "name them apart: \(name)1=\(other) \(name)2=\(path); one name for both makes "
                        + "them one table: \(name)=\(other) \(name)=\(path)")
            }
            sources[index].paths.append(path)
        }
        return try sources.map { try table($0.name, $0.paths, budget) }
    }

    /// `NAME=FILE` taken apart; a file that has such a name is meant itself.
    private static func split(_ argument: String) -> (name: String?, path: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
            parts[0].utf8.allSatisfy({ byte in
                byte == 0x5F || (byte >= 0x30 && byte <= 0x39)
                    || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
            }), (try? LocalFileSystem().exists(argument)) != true
        else { return (nil, argument) }
        return (String(parts[0]), String(parts[1]))
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
