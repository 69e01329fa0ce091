/// What a writer read before it wrote, and what others may have done since.
package struct ConflictChecks: Sendable {
    /// How strict: `serializable` also minds rows that others added and the writer would have seen.
    package enum Isolation: String, Sendable { case serializable, snapshot }

    /// The snapshot that the writer read; nil: the table was empty.
    package var startingSnapshotID: Int64?
    /// Which rows the writer's decision was about.
    package var predicate: ScanPredicate
    package var isolation: Isolation
    /// Data files whose rows the writer deletes or rewrites.
    package var touchedPaths: Set<String>

    package init(
        startingSnapshotID: Int64?, predicate: ScanPredicate = .always,
        isolation: Isolation = .serializable, touchedPaths: Set<String> = []
    ) {
        self.startingSnapshotID = startingSnapshotID
        self.predicate = predicate
        self.isolation = isolation
        self.touchedPaths = touchedPaths
    }

    /// Throws `.conflict` when a commit since the starting snapshot changed what the writer relied on.
    ///
    /// - Serializable: no data file that may match the predicate was added.
    /// - Always: no touched file was removed, and no new delete file applies to one.
    package func check(
        against metadata: TableMetadata, branch: String, source: ManifestSource
    ) throws(IcebergError) {
        let head = metadata.references[branch]?.snapshotID
        if head == startingSnapshotID { return }
        let line = metadata.ancestors(of: head)
        var since: [Snapshot] = []
        var foundStart = startingSnapshotID == nil
        for snapshot in line {
            if snapshot.snapshotID == startingSnapshotID {
                foundStart = true
                break
            }
            since.append(snapshot)
        }
        guard foundStart else {
            throw conflict("the table was rolled back or its history expired meanwhile")
        }
        let ids = Set(since.filter { $0.operation != "replace" }.map(\.snapshotID))
        let allIDs = Set(since.map(\.snapshotID))
        guard let head, let current = metadata.snapshot(id: head) else { return }
        let plan = try TableScan(metadata: metadata, snapshot: current, predicate: predicate)
            .plan(source)
        if isolation == .serializable, !ids.isEmpty {
            let startSequence = startingSnapshotID.flatMap { metadata.snapshot(id: $0) }?
                .sequenceNumber
            for task in plan.tasks where task.dataSequenceNumber > startSequence ?? -1 {
                throw conflict(
                    "rows were added that this operation would have to see: \(task.file.path)")
            }
        }
        guard !touchedPaths.isEmpty, !allIDs.isEmpty else { return }
        let whole = try TableScan(metadata: metadata, snapshot: current).plan(source)
        var present: [String: FileScanTask] = [:]
        for task in whole.tasks where touchedPaths.contains(task.file.path) {
            present[task.file.path] = task
        }
        for path in touchedPaths.sorted() {
            guard let task = present[path] else { throw conflict("a file was replaced: \(path)") }
            guard let start = startingSnapshotID.flatMap({ metadata.snapshot(id: $0) }) else {
                continue
            }
            let before = try TableScan(metadata: metadata, snapshot: start).deletePaths(
                of: path, source)
            let after = Set((task.positionDeletes + task.equalityDeletes).map(\.path))
            guard after.subtracting(before).isEmpty else {
                throw conflict("rows of a file were deleted meanwhile: \(path)")
            }
        }
    }

    private func conflict(_ message: String) -> IcebergError {
        IcebergError(
            code: .conflict, message: "a concurrent commit is in the way: \(message)",
            hint: "repeat the operation on the table's present state")
    }
}

extension TableScan {
    /// The delete files that apply to one data file.
    fileprivate func deletePaths(
        of path: String, _ source: ManifestSource
    ) throws(IcebergError) -> Set<String> {
        let task = try plan(source).tasks.first { $0.file.path == path }
        return Set(((task?.positionDeletes ?? []) + (task?.equalityDeletes ?? [])).map(\.path))
    }
}
