package import Iceberg
package import ObjectStorage
import Parquet
package import Platform
package import Vectors

/// Writes position delete files: one a partition, sorted by path and position.
///
///     let deletes = PositionDeleteWriter(store: store, table: metadata, budget: budget, entropy: entropy)
///     try deletes.delete(positions, in: task.file)      // any number of times
///     let files = try deletes.finish()                  // `FileChanges.addedDeletes`
///
/// Source: Iceberg specification, "Position Delete Files".
package final class PositionDeleteWriter {
    /// Reserved field ids of the format.
    package static let pathFieldID: Int32 = 2_147_483_546
    package static let positionFieldID: Int32 = 2_147_483_545

    private struct Group: Hashable {
        var specID: Int32
        var partition: [Literal?]
    }

    private let store: any ObjectStore
    private let location: String
    private let options: WriterOptions
    private let budget: MemoryBudget
    private let entropy: any Entropy
    private var groups: [Group: [String: [Int64]]] = [:]
    private var finished: [DataFile] = []
    private var isFinished = false

    /// Throws `.unsupported` for tables whose format version has no position delete files: version 1
    /// has none yet, version 3 none any more.
    package init(
        store: any ObjectStore, table: TableMetadata, budget: MemoryBudget, entropy: any Entropy
    ) throws(TableFileError) {
        guard table.formatVersion == 2 else {
            throw TableFileError(
                code: .unsupported,
                message:
                    "format version \(table.formatVersion) does not take position delete files",
                hint: "rewrite the data files (copy on write)")
        }
        self.store = store
        self.budget = budget
        self.entropy = entropy
        location = dataLocation(of: table)
        var options = DataWriterOptions(properties: table.properties).parquet
        // Bounds on whole paths tell readers exactly which data files are meant.
        options.boundLength = 2048
        self.options = options
    }

    deinit { if !isFinished { abandon() } }

    /// How many positions were given.
    package private(set) var positionCount = 0

    /// Marks rows of a data file as deleted; positions count from 0 and may come in any order.
    package func delete(_ positions: [Int64], in file: DataFile) {
        if positions.isEmpty { return }
        positionCount += positions.count
        groups[Group(specID: file.specID, partition: file.partition), default: [:]][
            file.path, default: []] += positions
    }

    /// Writes the files and returns their records; they are durable but in no snapshot.
    package func finish() throws(TableFileError) -> [DataFile] {
        // By the first path, so that the same deletes give the files in the same order.
        let ordered = groups.sorted { ($0.value.keys.min() ?? "") < ($1.value.keys.min() ?? "") }
        for (group, positions) in ordered { finished.append(try write(group, positions)) }
        isFinished = true
        return finished
    }

    /// Deletes what is written; also for files whose commit failed.
    package func abandon() {
        isFinished = true
        for file in finished {
            if let location = ObjectLocation(uri: file.path) { try? store.delete(location) }
        }
        finished.removeAll()
    }

    private func write(
        _ group: Group, _ positions: [String: [Int64]]
    ) throws(TableFileError) -> DataFile {
        let path = "\(location)/\(entropy.uuid())-deletes.parquet"
        let fields = [
            WriterField(
                name: "file_path", fieldID: Int(Self.pathFieldID), type: .text, isNullable: false),
            WriterField(
                name: "pos", fieldID: Int(Self.positionFieldID), type: .bigint, isNullable: false),
        ]
        let file = try OpenDataFile(
            store: store, path: path, fields: fields, options: options, budget: budget)
        // Paths in the order of their bytes, as the specification sorts them.
        let paths = positions.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        do throws(TableFileError) {
            for path in paths { try append(positions[path] ?? [], of: path, to: file) }
        } catch {
            file.abandon()
            throw error
        }
        let written = try file.finish()
        var record = DataFile(
            content: .positionDeletes, path: path, specID: group.specID, partition: group.partition,
            recordCount: Int64(written.rowCount), sizeBytes: Int64(written.sizeBytes))
        record.describe(
            written,
            primitives: [Int(Self.pathFieldID): .string, Int(Self.positionFieldID): .long])
        if paths.count == 1 { record.referencedDataFile = paths[0] }
        return record
    }

    private func append(
        _ positions: [Int64], of path: String, to file: OpenDataFile
    ) throws(TableFileError) {
        let sorted = DeletedPositions(positions).sorted
        var text = Array(path.utf8)
        let failure = text.withUnsafeMutableBufferPointer { bytes -> TableFileError? in
            guard let start = bytes.baseAddress else { return nil }
            var view = StringView(UnsafePointer(start), count: bytes.count)
            return withUnsafeMutablePointer(to: &view) { view -> TableFileError? in
                let buffer = ColumnBuffer(type: .bigint)
                let chunk = Chunk(columnCount: 2)
                chunk.columns[0] = Vector(
                    physical: .string, form: .constant, values: UnsafeMutableRawPointer(view))
                var done = 0
                while done < sorted.count {
                    let count = min(Chunk.capacity, sorted.count - done)
                    for index in 0..<count { buffer.set(index, sorted[done + index]) }
                    chunk.columns[1] = buffer.vector
                    chunk.count = count
                    do throws(ParquetError) { try file.writer.append(chunk) } catch {
                        return .wrapping(error, file.path)
                    }
                    done += count
                }
                return nil
            }
        }
        if let failure { throw failure }
    }
}
