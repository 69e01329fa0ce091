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
    private let binding: FieldBinding

    /// Buffers are counted in the budget. Without the table's metadata, equality deletes are refused.
    package init(
        _ metadata: TableMetadata? = nil, store: any ObjectStore, budget: MemoryBudget
    ) {
        self.store = store
        memory = ScanMemory(budget: budget)
        binding = FieldBinding(metadata)
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
        let opened = try OpenedFile.open(
            task.file.path, format: task.file.format, in: store, budget: memory.budget
        ) { try ParquetFile.open(try store.open($0)) }
        let file = opened.file
        var columns = try fields.map { field in
            guard let type = IcebergTypes.sqlType(field.type) else {
                throw TableFileError(
                    code: .unsupported,
                    message: "column \(field.name) has a type that cannot be read")
            }
            return try binding.column(field, type, in: file.schema, of: task.file)
        }
        if withPositions { columns.append(.rowPosition) }
        var gone = try deletes.deletes(of: task)
        if !alsoDeleted.isEmpty {
            gone.positions = DeletedPositions((gone.positions?.sorted ?? []) + alsoDeleted)
        }
        let all = try DeletingColumns(columns, gone, in: file.schema, of: task.file, binding)
        let scan = try ParquetScan(
            file, columns: all.columns, outputs: all.outputs, rowFilters: all.filters,
            deleted: gone.positions, memory: memory)
        try walk(scan, file, body)
        withExtendedLifetime(opened) {}
    }

    private func walk(
        _ scan: ParquetScan, _ file: ParquetFile, _ body: (Chunk) throws -> Void
    ) throws {
        for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
            while let chunk = try scan.next() { try body(chunk) }
        }
    }
}
