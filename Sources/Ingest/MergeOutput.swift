import Iceberg
import TableFiles

/// The files that a merge makes: new rows, and what takes the old ones out.
final class MergeOutput {
    let data: PartitionedDataWriter
    private let deletes: PositionDeleteWriter?
    private let reader: DataFileReader
    private let metadata: TableMetadata
    private var removedPaths: Set<String> = []

    init(_ work: IngestWork, _ metadata: TableMetadata) throws {
        let ingestor = work.ingestor
        self.metadata = metadata
        data = try PartitionedDataWriter(
            store: ingestor.store, table: metadata, budget: ingestor.budget,
            entropy: ingestor.entropy)
        // Only version 2 has position delete files; copy on write serves every version.
        let copies = metadata.properties["write.merge.mode"] == "copy-on-write"
        deletes =
            metadata.formatVersion == 2 && !copies
            ? try PositionDeleteWriter(
                store: ingestor.store, table: metadata, budget: ingestor.budget,
                entropy: ingestor.entropy) : nil
        reader = DataFileReader(metadata, store: ingestor.store, budget: ingestor.budget)
    }

    /// Takes rows of a file out: the whole file if none is left, by position, or by writing the others anew.
    func remove(_ positions: [Int64], of task: FileScanTask) throws {
        let gone = Int64(Set(positions + (try reader.deletedPositions(of: task))).count)
        if gone >= task.file.recordCount {
            removedPaths.insert(task.file.path)
        } else if let deletes {
            deletes.delete(positions, in: task.file)
        } else {
            removedPaths.insert(task.file.path)
            try reader.read(
                task, fields: metadata.currentSchema.fields, alsoDeleted: positions
            ) { try data.append($0) }
        }
    }

    func finish() throws -> FileChanges {
        FileChanges(
            addedData: try data.finish(), addedDeletes: try deletes?.finish() ?? [],
            removedPaths: removedPaths)
    }

    func abandon() {
        data.abandon()
        deletes?.abandon()
    }
}
