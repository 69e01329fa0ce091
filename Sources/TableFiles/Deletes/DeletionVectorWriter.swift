package import Iceberg
package import ObjectStorage
import Parquet
package import Platform

/// Writes deletion vectors, one a data file, all of a commit into one Puffin file: how rows of tables of
/// version 3 are deleted.
///
///     let deletes = DeletionVectorWriter(store: store, table: metadata, entropy: entropy)
///     deletes.delete(positions, alreadyDeleted: older, in: task.file)
///     let files = try deletes.finish()      // `FileChanges.addedDeletes`, and …
///     changes.replacedVectors = deletes.dataPaths
///
/// A vector replaces everything that marked rows of its file before, so it has those too. Source:
/// Iceberg specification, "Deletion Vectors".
package final class DeletionVectorWriter {
    private let store: any ObjectStore
    private let path: String
    private var positions: [String: (file: DataFile, values: [Int64])] = [:]
    private var isWritten = false
    private var isFinished = false

    /// Throws `.unsupported` for tables whose format version has no deletion vectors.
    package init(
        store: any ObjectStore, table: TableMetadata, entropy: any Entropy
    ) throws(TableFileError) {
        guard table.formatVersion >= 3 else {
            throw TableFileError(
                code: .unsupported,
                message: "format version \(table.formatVersion) does not take deletion vectors")
        }
        self.store = store
        path = "\(dataLocation(of: table))/\(entropy.uuid())-deletes.puffin"
    }

    deinit { if !isFinished { abandon() } }

    /// The data files that have vectors now.
    package var dataPaths: Set<String> { Set(positions.keys) }

    /// Marks rows of a data file as deleted, besides those that are. Positions may come in any order.
    package func delete(_ rows: [Int64], alreadyDeleted: [Int64], in file: DataFile) {
        if rows.isEmpty { return }
        positions[file.path, default: (file, [])].values += rows + alreadyDeleted
    }

    /// Writes the file and returns the records of its vectors; it is durable but in no snapshot.
    package func finish() throws(TableFileError) -> [DataFile] {
        var puffin = PuffinWriter()
        var records: [DataFile] = []
        for path in positions.keys.sorted() {
            guard let (file, values) = positions[path] else { continue }
            let sorted = DeletedPositions(values).sorted
            let place = puffin.append(
                deletionVector: DeletionVector.blob(sorted), of: path, count: sorted.count)
            var record = DataFile(
                content: .positionDeletes, path: self.path, format: "PUFFIN", specID: file.specID,
                partition: file.partition, recordCount: Int64(sorted.count), sizeBytes: 0)
            record.referencedDataFile = path
            record.contentOffset = place.offset
            record.contentSizeBytes = place.length
            records.append(record)
        }
        isFinished = true
        if records.isEmpty { return [] }
        let bytes = puffin.finish()
        for index in records.indices { records[index].sizeBytes = Int64(bytes.count) }
        guard let location = ObjectLocation(uri: path) else {
            throw TableFileError(
                code: .unsupported, message: "the location is not in an object store: \(path)")
        }
        do throws(ObjectStoreError) { try store.write(bytes, to: location) } catch {
            throw TableFileError(
                code: .storageFailed, message: "cannot write \(path)", cause: error)
        }
        isWritten = true
        return records
    }

    /// Deletes what is written; also for a file whose commit failed.
    package func abandon() {
        isFinished = true
        guard isWritten, let location = ObjectLocation(uri: path) else { return }
        try? store.delete(location)
        isWritten = false
    }
}
