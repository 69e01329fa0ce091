extension SnapshotProducer {
    /// What cherry-picking a snapshot does to a branch.
    package enum CherryPick: Sendable {
        /// The branch takes the snapshot as it is: it follows on where the branch stands.
        case forward([TableUpdate], [TableRequirement])
        /// A new snapshot appends the same files.
        case append(Product)
    }

    /// Puts an append that stands elsewhere (staged, or on another branch) onto a branch.
    ///
    /// Throws `.noSuchSnapshot`, `.invalidUpdate` for what is no append, and `.conflict` when the branch
    /// has it already or a file of it is gone. Source: Iceberg documentation, "cherrypick_snapshot".
    package func cherryPick(
        _ snapshotID: Int64, onto branch: String, of metadata: TableMetadata
    ) throws(IcebergError) -> CherryPick {
        guard let picked = metadata.snapshot(id: snapshotID) else {
            throw IcebergError(
                code: .noSuchSnapshot, message: "the table has no snapshot \(snapshotID)")
        }
        let head =
            metadata.references[branch]?.snapshotID
            ?? (branch == "main" ? metadata.currentSnapshotID : nil)
        let line = metadata.ancestors(of: head)
        guard !line.contains(where: { $0.isSame(as: picked) }) else {
            throw IcebergError(
                code: .conflict, message: "\(branch) has the changes of snapshot \(snapshotID)")
        }
        if picked.parentID == head {
            var reference =
                metadata.references[branch]
                ?? SnapshotReference(snapshotID: snapshotID, kind: .branch)
            reference.snapshotID = snapshotID
            return .forward(
                [.setSnapshotReference(branch, reference)],
                [
                    .assertTableUUID(metadata.tableUUID),
                    .assertReferenceSnapshotID(
                        reference: branch, snapshotID: metadata.references[branch]?.snapshotID),
                ])
        }
        guard picked.operation == "append" else {
            throw IcebergError(
                code: .invalidUpdate,
                message: "snapshot \(snapshotID) is no append, but: "
                    + (picked.operation ?? "unknown"),
                hint: "only appends can be put onto another history")
        }
        var files: [DataFile] = []
        for manifest in try source.manifests(of: picked)
        where manifest.content == .data && manifest.addedSnapshotID == snapshotID {
            for entry in try source.entries(of: manifest, in: metadata)
            where entry.status == .added && entry.snapshotID == snapshotID {
                var file = entry.file
                // The rows are new to the branch: they get ids with its snapshot.
                file.firstRowID = nil
                files.append(file)
            }
        }
        var lines = ["source-snapshot-id": String(snapshotID)]
        if let id = picked.summary["wap.id"] { lines["published-wap-id"] = id }
        return .append(
            try produce(
                .append, FileChanges(addedData: files), on: metadata, branch: branch,
                summary: lines))
    }
}

extension Snapshot {
    /// Whether it is a snapshot, or brought its changes.
    fileprivate func isSame(as other: Snapshot) -> Bool {
        if snapshotID == other.snapshotID { return true }
        if summary["source-snapshot-id"] == String(other.snapshotID) { return true }
        guard let id = other.summary["wap.id"] else { return false }
        return summary["published-wap-id"] == id
    }
}
