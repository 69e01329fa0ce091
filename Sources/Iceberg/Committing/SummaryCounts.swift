/// Counts for a snapshot's summary. Source: Iceberg specification, appendix F.
struct SummaryCounts {
    private var addedDataFiles: Int64 = 0
    private var removedDataFiles: Int64 = 0
    private var addedRecords: Int64 = 0
    private var removedRecords: Int64 = 0
    private var addedSize: Int64 = 0
    private var removedSize: Int64 = 0
    private var addedDeleteFiles: Int64 = 0
    private var removedDeleteFiles: Int64 = 0
    private var addedVectors: Int64 = 0
    private var removedVectors: Int64 = 0
    private var addedPositionDeletes: Int64 = 0
    private var removedPositionDeletes: Int64 = 0
    private var addedEqualityDeletes: Int64 = 0
    private var removedEqualityDeletes: Int64 = 0
    private var partitions: Set<[Literal?]> = []

    mutating func add(_ file: DataFile) {
        partitions.insert(file.partition)
        addedSize &+= file.sizeBytes
        switch file.content {
        case .data:
            addedDataFiles += 1
            addedRecords &+= file.recordCount
        case .positionDeletes:
            addedDeleteFiles += 1
            if file.isDeletionVector { addedVectors += 1 }
            addedPositionDeletes &+= file.recordCount
        case .equalityDeletes:
            addedDeleteFiles += 1
            addedEqualityDeletes &+= file.recordCount
        }
    }

    mutating func remove(_ file: DataFile) {
        partitions.insert(file.partition)
        removedSize &+= file.sizeBytes
        switch file.content {
        case .data:
            removedDataFiles += 1
            removedRecords &+= file.recordCount
        case .positionDeletes:
            removedDeleteFiles += 1
            if file.isDeletionVector { removedVectors += 1 }
            removedPositionDeletes &+= file.recordCount
        case .equalityDeletes:
            removedDeleteFiles += 1
            removedEqualityDeletes &+= file.recordCount
        }
    }

    /// The summary's lines: what changed, where not zero, and the totals, where the parent knew them.
    func lines(after parent: Snapshot?) -> [(String, String)] {
        let changes: [(String, Int64)] = [
            ("added-data-files", addedDataFiles), ("deleted-data-files", removedDataFiles),
            ("added-records", addedRecords), ("deleted-records", removedRecords),
            ("added-files-size", addedSize), ("removed-files-size", removedSize),
            ("added-delete-files", addedDeleteFiles), ("removed-delete-files", removedDeleteFiles),
            ("added-dvs", addedVectors), ("removed-dvs", removedVectors),
            ("added-position-deletes", addedPositionDeletes),
            ("removed-position-deletes", removedPositionDeletes),
            ("added-equality-deletes", addedEqualityDeletes),
            ("removed-equality-deletes", removedEqualityDeletes),
            ("changed-partition-count", Int64(partitions.count)),
        ]
        var lines = changes.filter { $0.1 > 0 }.map { ($0.0, String($0.1)) }
        let totals: [(String, Int64, Int64)] = [
            ("total-data-files", addedDataFiles, removedDataFiles),
            ("total-records", addedRecords, removedRecords),
            ("total-files-size", addedSize, removedSize),
            ("total-delete-files", addedDeleteFiles, removedDeleteFiles),
            ("total-position-deletes", addedPositionDeletes, removedPositionDeletes),
            ("total-equality-deletes", addedEqualityDeletes, removedEqualityDeletes),
        ]
        for (name, added, removed) in totals {
            let before = parent == nil ? 0 : parent?.summary[name].flatMap { Int64($0) }
            guard let before else { continue }
            let total = before &+ added &- removed
            if total >= 0 { lines.append((name, String(total))) }
        }
        return lines
    }
}
