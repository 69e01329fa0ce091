/// Plans what was appended between two snapshots: an incremental read.
package struct AppendScan: Sendable {
    package var metadata: TableMetadata
    /// Rows after this snapshot; it has to be an ancestor of `end`.
    package var startExclusive: Int64?
    package var end: Snapshot
    package var predicate: ScanPredicate

    /// The appends of the table's history after `startExclusive` up to `end`.
    package init(
        metadata: TableMetadata, startExclusive: Int64?, end: Snapshot,
        predicate: ScanPredicate = .always
    ) {
        self.metadata = metadata
        self.startExclusive = startExclusive
        self.end = end
        self.predicate = predicate
    }

    /// The files that appends added, whether or not they are there still; deletes are left aside, as in
    /// the reference implementation. Throws `.noSuchSnapshot` when the start is no ancestor of the end.
    package func plan(_ source: ManifestSource) throws(IcebergError) -> ScanPlan {
        var wanted: Set<Int64> = []
        var foundStart = startExclusive == nil
        for snapshot in metadata.ancestors(of: end.snapshotID) {
            if snapshot.snapshotID == startExclusive {
                foundStart = true
                break
            }
            if snapshot.operation == "append" { wanted.insert(snapshot.snapshotID) }
        }
        guard foundStart else {
            throw IcebergError(
                code: .noSuchSnapshot,
                message: "snapshot \(startExclusive ?? 0) is no ancestor of \(end.snapshotID)")
        }
        let scan = TableScan(metadata: metadata, snapshot: end, predicate: predicate)
        var plan = ScanPlan()
        var seen: Set<String> = []
        for id in wanted.sorted() {
            guard let snapshot = metadata.snapshot(id: id) else { continue }
            let manifests = try source.manifests(of: snapshot)
            plan.manifestCount += manifests.count
            for manifest in manifests
            where manifest.content == .data && manifest.addedSnapshotID == id {
                for entry in try source.entries(of: manifest, in: metadata)
                where entry.status == .added && entry.snapshotID == id {
                    guard seen.insert(entry.file.path).inserted else { continue }
                    if let task = try scan.task(alone: entry) {
                        plan.tasks.append(task)
                    } else {
                        plan.skippedFileCount += 1
                    }
                }
            }
        }
        return plan
    }
}

extension TableScan {
    /// The task of one file without its deletes; nil where no row of it can match.
    func task(alone entry: ManifestEntry) throws(IcebergError) -> FileScanTask? {
        guard let spec = metadata.spec(id: entry.file.specID) else {
            throw .corrupt(entry.file.path, nil, "the file's partition spec is missing")
        }
        let pruner = PartitionPruner(
            predicate: predicate, spec: spec,
            types: spec.resultTypes(in: metadata.schemasNewestFirst))
        let types = columnTypes
        guard pruner.mayMatch(entry.file.partition), mayMatch(entry.file, types, spec) else {
            return nil
        }
        return FileScanTask(
            file: entry.file, dataSequenceNumber: entry.dataSequenceNumber ?? 0,
            positionDeletes: [], equalityDeletes: [],
            allRowsMatch: allRowsMatch(entry.file, types, spec))
    }
}
