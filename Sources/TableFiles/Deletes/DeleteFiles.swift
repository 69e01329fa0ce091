package import Iceberg
package import ObjectStorage
package import Parquet
package import Vectors

/// What delete files take out of one data file.
package struct FileDeletes: Sendable {
    /// By position; nil: none.
    package var positions: DeletedPositions?
    /// By equality, with the columns to compare, and the sequence number of the data file.
    package var equalities: [EqualityDeletes] = []
    package var sequenceNumber: Int64 = 0

    /// Nothing is taken out.
    package init() {}

    /// Whether nothing is taken out.
    package var isEmpty: Bool { positions == nil && equalities.isEmpty }
}

/// The columns of a scan with those that its equality deletes compare besides.
package struct DeletingColumns {
    /// The columns asked for, then others.
    package var columns: [ScanColumn]
    /// The columns asked for; nil: all.
    package var outputs: [Int]?
    package var filters: [EqualityDeleteFilter] = []

    /// Adds what `deletes` need of the file. Filters belong to one scan: make them anew for each.
    package init(
        _ wanted: [ScanColumn], _ deletes: FileDeletes, in schema: ParquetSchema,
        of data: DataFile?, _ binding: FieldBinding
    ) throws(TableFileError) {
        columns = wanted
        if deletes.equalities.isEmpty { return }
        outputs = Array(wanted.indices)
        for set in deletes.equalities {
            var places: [Int] = []
            for column in set.columns {
                places.append(columns.count)
                columns.append(
                    try binding.column(column.field, column.type, in: schema, of: data))
            }
            filters.append(
                EqualityDeleteFilter(set, columns: places, sequenceNumber: deletes.sequenceNumber))
        }
    }
}

/// Reads delete files, each once, for all data files of a scan. Belongs to one thread while it reads;
/// what it hands out may be shared.
///
/// Everything held is counted in the budget, until the reader and what it handed out are gone.
package final class DeleteFileReader {
    /// Delete files that can be looked up as one: all of them apply to the same data files, but for
    /// their sequence numbers.
    private struct Group: Hashable {
        var columns: [Int32]
        var specID: Int32
        var partition: [Literal?]
    }

    private struct Loaded {
        let deletes: EqualityDeletes
        var paths: Set<String> = []
    }

    private let metadata: TableMetadata?
    private let store: any ObjectStore
    private let memory: ScanMemory
    private let open: (ObjectLocation) throws -> ParquetFile
    /// By delete file: the positions of each data file that it names.
    private var positions: [String: [String: [Int64]]] = [:]
    private var groups: [Group: Loaded] = [:]
    private var reservedBytes = 0

    /// `open` opens a Parquet file, perhaps from a cache. Without `metadata`, equality deletes are
    /// refused.
    package init(
        _ metadata: TableMetadata?, store: any ObjectStore, budget: MemoryBudget,
        open: @escaping (ObjectLocation) throws -> ParquetFile
    ) {
        self.metadata = metadata
        self.store = store
        memory = ScanMemory(budget: budget)
        self.open = open
    }

    deinit { memory.budget.release(reservedBytes) }

    /// Everything that takes rows out of the task's file.
    package func deletes(of task: FileScanTask) throws -> FileDeletes {
        var result = FileDeletes()
        result.sequenceNumber = task.dataSequenceNumber
        let gone = try positions(of: task)
        if !gone.isEmpty { result.positions = DeletedPositions(gone) }
        result.equalities = try equalities(of: task)
        return result
    }

    /// The positions that the task's delete files name, in any order.
    package func positions(of task: FileScanTask) throws -> [Int64] {
        var found: [Int64] = []
        for delete in task.positionDeletes {
            if delete.format.uppercased() == "PUFFIN" {
                found += try vector(delete, of: task.file)
                continue
            }
            if positions[delete.path] == nil { positions[delete.path] = try readPositions(delete) }
            found += positions[delete.path]?[task.file.path] ?? []
        }
        return found
    }

    // MARK: Positions

    private func vector(_ delete: DataFile, of file: DataFile) throws -> [Int64] {
        guard let offset = delete.contentOffset, let size = delete.contentSizeBytes, offset >= 0,
            12...Int64(Limits.deletionVectorBytes) ~= size
        else {
            throw TableFileError(
                code: .corrupted,
                message:
                    "a deletion vector's place in its file is missing or absurd: \(delete.path)")
        }
        let reader = try store.open(try location(of: delete.path))
        guard offset <= reader.description.sizeBytes - size else {
            throw TableFileError(
                code: .corrupted, message: "a deletion vector's file is cut short: \(delete.path)")
        }
        let blob = try reader.bytes(offset..<(offset + size))
        do throws(TableFileError) {
            return try DeletionVector.positions(blob, rowCount: file.recordCount)
        } catch {
            throw TableFileError(code: error.code, message: "\(error.message): \(delete.path)")
        }
    }

    private func readPositions(_ delete: DataFile) throws -> [String: [Int64]] {
        let columns = [
            WantedField(
                name: "file_path", fieldID: Int(PositionDeleteWriter.pathFieldID), type: .text),
            WantedField(
                name: "pos", fieldID: Int(PositionDeleteWriter.positionFieldID), type: .bigint),
        ]
        var result: [String: [Int64]] = [:]
        // Files are sorted by path: rows of one data file follow one another.
        var path = ""
        var run: [Int64] = []
        try scan(delete, columns) { chunk in
            try reserve(chunk.activeCount * 8)
            for index in 0..<chunk.activeCount {
                let row = chunk.row(index)
                guard chunk.columns[0].isValid(row), chunk.columns[1].isValid(row) else {
                    throw TableFileError(
                        code: .corrupted,
                        message: "a position delete file has a NULL: \(delete.path)")
                }
                let isSame = chunk.columns[0].string(row).withBytes { $0.elementsEqual(path.utf8) }
                if !isSame {
                    if !run.isEmpty { result[path, default: []] += run }
                    run.removeAll(keepingCapacity: true)
                    path = chunk.columns[0].string(row).string
                }
                run.append(chunk.columns[1].value(row, as: Int64.self))
            }
        }
        if !run.isEmpty { result[path, default: []] += run }
        return result
    }

    // MARK: Equalities

    private func equalities(of task: FileScanTask) throws -> [EqualityDeletes] {
        var wanted: [Group] = []
        for (index, delete) in task.equalityDeletes.enumerated() {
            let isGlobal = metadata?.spec(id: delete.specID)?.isUnpartitioned ?? false
            let group = Group(
                columns: delete.equalityIDs.sorted(), specID: delete.specID,
                partition: isGlobal ? [] : delete.partition)
            guard index < task.equalitySequenceNumbers.count else {
                throw TableFileError(
                    code: .unsupported,
                    message: "a delete file has no sequence number: \(delete.path)")
            }
            try load(delete, task.equalitySequenceNumbers[index], into: group)
            if !wanted.contains(group) { wanted.append(group) }
        }
        return wanted.compactMap { groups[$0]?.deletes }
    }

    private func load(_ delete: DataFile, _ sequenceNumber: Int64, into group: Group) throws {
        var loaded: Loaded
        if let known = groups[group] {
            if known.paths.contains(delete.path) { return }
            loaded = known
        } else {
            loaded = Loaded(
                deletes: try EqualityDeletes(try columns(of: delete), budget: memory.budget))
        }
        let deletes = loaded.deletes
        try scan(
            delete, deletes.columns.map { IcebergTypes.wantedField($0.field, $0.type) }
        ) { try deletes.insert($0, sequenceNumber: sequenceNumber) }
        loaded.paths.insert(delete.path)
        groups[group] = loaded
    }

    /// The columns that a delete file compares, as the newest schema that has each of them knows it:
    /// the column may be renamed or dropped since.
    private func columns(of delete: DataFile) throws(TableFileError) -> [EqualityDeletes.Column] {
        guard let metadata else {
            throw TableFileError(
                code: .unsupported, message: "equality deletes are not read here: \(delete.path)")
        }
        guard !delete.equalityIDs.isEmpty else {
            throw TableFileError(
                code: .corrupted,
                message: "an equality delete file names no columns: \(delete.path)")
        }
        var columns: [EqualityDeletes.Column] = []
        for id in delete.equalityIDs.sorted() {
            let field = metadata.schemasNewestFirst.lazy
                .compactMap { $0.fields.first { $0.id == id } }.first
            guard let field, field.type.primitive != nil,
                let type = IcebergTypes.sqlType(field.type)
            else {
                throw TableFileError(
                    code: .unsupported,
                    message: "an equality delete file compares a part of a column, or a type that "
                        + "cannot be compared (field \(id)): \(delete.path)",
                    hint: "compact the table with the engine that wrote it")
            }
            columns.append(EqualityDeletes.Column(field: field, type: type))
        }
        return columns
    }

    // MARK: Files

    private func scan(
        _ delete: DataFile, _ wanted: [WantedField], _ body: (Chunk) throws -> Void
    ) throws {
        let opened = try OpenedFile.open(
            delete.path, format: delete.format, in: store, budget: memory.budget, parquet: open)
        let file = opened.file
        let scan = try ParquetScan(
            file, columns: wanted.map { ScanColumn.bind($0, in: file.schema) }, memory: memory)
        for group in 0..<file.rowGroupCount where try scan.begin(rowGroup: group) {
            while let chunk = try scan.next() { try body(chunk) }
        }
        withExtendedLifetime(opened) {}
    }

    private func location(of path: String) throws(TableFileError) -> ObjectLocation {
        guard let location = ObjectLocation(uri: path) else {
            throw TableFileError(
                code: .corrupted, message: "a delete file's location is not one of ours: \(path)")
        }
        return location
    }

    private func reserve(_ bytes: Int) throws(MemoryLimitFault) {
        try memory.budget.reserve(bytes)
        reservedBytes += bytes
    }
}
