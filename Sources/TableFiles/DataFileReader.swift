package import Iceberg
package import ObjectStorage
import Parquet
package import Vectors

/// Reads the rows of a table's data files without those that position deletes took out. For writers
/// that look rows up or rewrite files; belongs to one thread.
package final class DataFileReader {
    private let store: any ObjectStore
    private let memory: ScanMemory
    private let deletes: DeleteFileReader

    /// Buffers are counted in the budget. Without the table's metadata, equality deletes are refused.
    package init(
        _ metadata: TableMetadata? = nil, store: any ObjectStore, budget: MemoryBudget
    ) {
        self.store = store
        memory = ScanMemory(budget: budget)
        deletes = DeleteFileReader(metadata, store: store, budget: budget) {
            try ParquetFile.open(try store.open($0))
        }
    }

    /// The positions that the task's delete files name, in any order.
    package func deletedPositions(of task: FileScanTask) throws -> [Int64] {
        try deletes.positions(of: task)
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
        var gone = try deletes.deletes(of: task)
        if !alsoDeleted.isEmpty {
            gone.positions = DeletedPositions((gone.positions?.sorted ?? []) + alsoDeleted)
        }
        let all = DeletingColumns(columns, gone, in: file.schema)
        let scan = try ParquetScan(
            file, columns: all.columns, outputs: all.outputs, rowFilters: all.filters,
            deleted: gone.positions, memory: memory)
        try walk(scan, file, body)
    }

    private func walk(
        _ scan: ParquetScan, _ file: ParquetFile, _ body: (Chunk) throws -> Void
    ) throws {
        for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
            while let chunk = try scan.next() { try body(chunk) }
        }
    }

    private func open(_ path: String) throws -> ParquetFile {
        guard let location = ObjectLocation(uri: path) else {
            throw TableFileError(
                code: .unsupported, message: "a file's location is not one of ours: \(path)")
        }
        return try ParquetFile.open(try store.open(location))
    }
}
