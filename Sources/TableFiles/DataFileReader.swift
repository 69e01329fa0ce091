package import Iceberg
package import ObjectStorage
import Parquet
package import Vectors

/// Reads the rows of a table's data files without those that position deletes took out. For writers
/// that look rows up or rewrite files; belongs to one thread.
package final class DataFileReader {
    private let store: any ObjectStore
    private let memory: ScanMemory
    /// By delete file: the positions of each data file that it names.
    private var deletes: [String: [String: [Int64]]] = [:]

    /// Buffers are counted in the budget.
    package init(store: any ObjectStore, budget: MemoryBudget) {
        self.store = store
        memory = ScanMemory(budget: budget)
    }

    /// The positions that the task's delete files name, in any order.
    ///
    /// Throws `.unsupported` for equality deletes and deletion vectors.
    package func deletedPositions(of task: FileScanTask) throws -> [Int64] {
        guard task.equalityDeletes.isEmpty else {
            throw TableFileError(
                code: .unsupported,
                message:
                    "the table has equality deletes, which are not read here: \(task.file.path)",
                hint: "compact the table with the engine that wrote them")
        }
        var positions: [Int64] = []
        for delete in task.positionDeletes {
            if deletes[delete.path] == nil { deletes[delete.path] = try readDeletes(delete) }
            positions += deletes[delete.path]?[task.file.path] ?? []
        }
        return positions
    }

    /// Hands the file's live rows to `body`: a column for each field, then, if wanted, the row's
    /// position as a bigint. `alsoDeleted` are positions to leave out besides the table's own.
    package func read(
        _ task: FileScanTask, fields: [NestedField], withPositions: Bool = false,
        alsoDeleted: [Int64] = [], _ body: (Chunk) throws -> Void
    ) throws {
        guard task.file.format.uppercased() == "PARQUET" else {
            throw TableFileError(
                code: .unsupported,
                message:
                    "data files of format \(task.file.format) are not read here: \(task.file.path)",
                hint: "rewrite the table as Parquet")
        }
        let file = try open(task.file.path)
        var columns = try fields.map { field in
            guard let type = IcebergTypes.sqlType(field.type) else {
                throw TableFileError(
                    code: .unsupported,
                    message: "column \(field.name) has a type that cannot be read")
            }
            return ScanColumn.bind(IcebergTypes.wantedField(field, type), in: file.schema)
        }
        if withPositions { columns.append(.rowPosition) }
        let gone = try deletedPositions(of: task) + alsoDeleted
        let scan = try ParquetScan(
            file, columns: columns, deleted: gone.isEmpty ? nil : DeletedPositions(gone),
            memory: memory)
        try walk(scan, file, body)
    }

    private func walk(
        _ scan: ParquetScan, _ file: ParquetFile, _ body: (Chunk) throws -> Void
    ) throws {
        for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
            while let chunk = try scan.next() { try body(chunk) }
        }
    }

    private func readDeletes(_ delete: DataFile) throws -> [String: [Int64]] {
        guard delete.format.uppercased() == "PARQUET" else {
            throw TableFileError(
                code: .unsupported,
                message:
                    "delete files of format \(delete.format) are not read here: \(delete.path)",
                hint: "compact the table with the engine that wrote them")
        }
        let file = try open(delete.path)
        let columns = [
            ScanColumn.bind(
                WantedField(
                    name: "file_path", fieldID: Int(PositionDeleteWriter.pathFieldID), type: .text),
                in: file.schema),
            ScanColumn.bind(
                WantedField(
                    name: "pos", fieldID: Int(PositionDeleteWriter.positionFieldID), type: .bigint),
                in: file.schema),
        ]
        var result: [String: [Int64]] = [:]
        let scan = try ParquetScan(file, columns: columns, memory: memory)
        try walk(scan, file) { chunk in
            for index in 0..<chunk.activeCount {
                let row = chunk.row(index)
                result[chunk.columns[0].string(row).string, default: []].append(
                    chunk.columns[1].value(row, as: Int64.self))
            }
        }
        return result
    }

    private func open(_ path: String) throws -> ParquetFile {
        guard let location = ObjectLocation(uri: path) else {
            throw TableFileError(
                code: .unsupported, message: "a file's location is not one of ours: \(path)")
        }
        return try ParquetFile.open(try store.open(location))
    }
}
