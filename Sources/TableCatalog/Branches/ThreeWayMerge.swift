import Iceberg

/// Why the changes of two branches to one table do not go together.
struct MergeObstacle: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// Brings what a branch did to a table onto a state that others changed meanwhile.
///
/// Columns, partitioning, sort order, properties and the table's own references are taken from the side
/// that changed them; where both did, that is an obstacle. Snapshots of the branch that only append are
/// appended again: they rely on nothing that was there, so that they fit on any state. Whatever else a
/// branch did to rows (overwrite, delete, rewrite) relied on what it saw, and is an obstacle unless the
/// rows of the other side stand where the branch began.
struct ThreeWayMerge {
    let base: TableMetadata
    let ours: TableMetadata
    let theirs: TableMetadata
    /// How messages call the two sides.
    let ourName: String
    let theirName: String

    /// What is to be done, found without writing anything.
    struct Plan {
        var updates: [TableUpdate] = []
        /// Snapshots to append again, oldest first.
        var appends: [Snapshot] = []
    }

    func plan() throws(MergeObstacle) -> Plan {
        guard ours.tableUUID == theirs.tableUUID, base.tableUUID == theirs.tableUUID else {
            throw MergeObstacle("the table was dropped and made again")
        }
        guard ours.location == theirs.location || theirs.location == base.location else {
            throw MergeObstacle("\(theirName) moved the table to another place")
        }
        var plan = Plan()
        if theirs.formatVersion > ours.formatVersion {
            plan.updates.append(.upgradeFormatVersion(theirs.formatVersion))
        }
        try structure(&plan)
        try properties(&plan)
        try snapshots(&plan)
        try references(&plan)
        return plan
    }

    private func structure(_ plan: inout Plan) throws(MergeObstacle) {
        let columns = \TableMetadata.currentSchema.fields
        if theirs[keyPath: columns] != base[keyPath: columns] {
            if ours[keyPath: columns] == base[keyPath: columns] {
                plan.updates += [
                    .addSchema(theirs.currentSchema, lastColumnID: theirs.lastColumnID),
                    .setCurrentSchema(-1),
                ]
            } else if ours[keyPath: columns] != theirs[keyPath: columns] {
                throw both("columns")
            }
        }
        let partitioning = \TableMetadata.defaultSpec.fields
        if theirs[keyPath: partitioning] != base[keyPath: partitioning] {
            guard ours.partitionSpecs == base.partitionSpecs else { throw both("partitioning") }
            plan.updates += [
                .addSpec(theirs.defaultSpec, hasFieldIDs: true), .setDefaultSpec(-1),
            ]
        }
        let order = \TableMetadata.defaultSortOrder.fields
        if theirs[keyPath: order] != base[keyPath: order] {
            if ours[keyPath: order] == base[keyPath: order] {
                plan.updates += [.addSortOrder(theirs.defaultSortOrder), .setDefaultSortOrder(-1)]
            } else if ours[keyPath: order] != theirs[keyPath: order] {
                throw both("sort order")
            }
        }
    }

    private func properties(_ plan: inout Plan) throws(MergeObstacle) {
        var set: [String: String] = [:]
        var removed: [String] = []
        for name in Set(base.properties.keys).union(theirs.properties.keys).sorted() {
            let wanted = theirs.properties[name]
            let present = ours.properties[name]
            if wanted == base.properties[name] || wanted == present { continue }
            guard present == base.properties[name] else { throw both("property \(name)") }
            if let wanted { set[name] = wanted } else { removed.append(name) }
        }
        if !set.isEmpty { plan.updates.append(.setProperties(set)) }
        if !removed.isEmpty { plan.updates.append(.removeProperties(removed)) }
    }

    private func snapshots(_ plan: inout Plan) throws(MergeObstacle) {
        let (from, to) = (base.headID, theirs.headID)
        if from == to { return }
        let line = theirs.ancestors(of: to)
        let new = line.prefix { $0.snapshotID != from }
        guard from == nil || new.count < line.count else {
            throw MergeObstacle("\(theirName) was rolled back behind the state it began with")
        }
        if ours.headID == from {
            plan.updates += new.reversed().filter { ours.snapshot(id: $0.snapshotID) == nil }
                .map { .addSnapshot($0) }
            if let to {
                plan.updates.append(
                    .setSnapshotReference(
                        "main",
                        theirs.references["main"]
                            ?? SnapshotReference(snapshotID: to, kind: .branch)))
            }
            return
        }
        guard let other = new.first(where: { $0.operation != "append" }) else {
            plan.appends = new.reversed()
            return
        }
        throw MergeObstacle(
            "\(theirName) has a snapshot that is no append (\(other.operation ?? "unknown"), "
                + "\(other.snapshotID)), and the rows changed on \(ourName) too")
    }

    /// Branches and tags of the table itself.
    private func references(_ plan: inout Plan) throws(MergeObstacle) {
        let added = Set(
            plan.updates.compactMap { update -> Int64? in
                if case .addSnapshot(let snapshot) = update { snapshot.snapshotID } else { nil }
            })
        for name in Set(base.references.keys).union(theirs.references.keys).sorted()
        where name != "main" {
            let wanted = theirs.references[name]
            let present = ours.references[name]
            if wanted == base.references[name] || wanted == present { continue }
            guard present == base.references[name] else { throw both("reference \(name)") }
            guard let wanted else {
                plan.updates.append(.removeSnapshotReference(name))
                continue
            }
            let id = wanted.snapshotID
            guard ours.snapshot(id: id) != nil || added.contains(id) else {
                throw MergeObstacle(
                    "the table's own reference \(name) needs a snapshot that only \(theirName) has")
            }
            plan.updates.append(.setSnapshotReference(name, wanted))
        }
    }

    private func both(_ what: String) -> MergeObstacle {
        MergeObstacle("\(what) changed on \(theirName) and on \(ourName)")
    }
}

extension ThreeWayMerge {
    /// Does what was planned: the merged metadata, and the files that were written for it.
    func apply(
        _ plan: Plan, _ producer: SnapshotProducer
    ) throws -> (metadata: TableMetadata, writtenPaths: [String]) {
        var merged = ours
        if !plan.updates.isEmpty {
            do {
                merged = try ours.applying(plan.updates, nowMilliseconds: producer.nowMilliseconds)
            } catch { throw MergeObstacle("they do not go together: \(error.message)") }
        }
        var written: [String] = []
        do {
            for snapshot in plan.appends {
                var summary = Self.carried(snapshot.summary)
                summary["lakehouse.merged-from"] = theirName
                summary["lakehouse.source-snapshot"] = String(snapshot.snapshotID)
                let product = try producer.produce(
                    .append, FileChanges(addedData: try addedFiles(snapshot, producer.source)),
                    on: merged, summary: summary)
                written += product.writtenPaths
                merged = try merged.applying(
                    product.updates, nowMilliseconds: producer.nowMilliseconds)
            }
        } catch {
            producer.source.discard(written)
            throw error
        }
        return (merged, written)
    }

    /// The data files that a snapshot added.
    private func addedFiles(
        _ snapshot: Snapshot, _ source: ManifestSource
    ) throws -> [DataFile] {
        var files: [DataFile] = []
        for manifest in try source.manifests(of: snapshot)
        where manifest.addedSnapshotID == snapshot.snapshotID {
            for entry in try source.entries(of: manifest, in: theirs)
            where entry.status == .added
                && entry.snapshotID ?? manifest.addedSnapshotID == snapshot.snapshotID
            {
                guard entry.file.content == .data else {
                    throw MergeObstacle("an append of \(theirName) came with delete files")
                }
                guard ours.spec(id: entry.file.specID) == theirs.spec(id: entry.file.specID)
                else { throw both("partitioning") }
                var file = entry.file
                file.firstRowID = nil
                files.append(file)
            }
        }
        return files
    }

    /// What writers noted in a summary (run ids, watermarks), without the counts.
    private static func carried(_ summary: [String: String]) -> [String: String] {
        let counted = ["added-", "total-", "removed-", "deleted-", "manifests-", "entries-"]
        return summary.filter { name, _ in
            name != "changed-partition-count" && !counted.contains { name.hasPrefix($0) }
        }
    }
}

extension TableMetadata {
    /// The snapshot of the table's own `main`.
    var headID: Int64? { references["main"]?.snapshotID ?? currentSnapshotID }

    /// Rows of the head, as its summary counts them.
    var headRowCount: Int64? {
        guard let head = headID.flatMap(snapshot(id:)) else { return 0 }
        guard let total = head.summary["total-records"].flatMap({ Int64($0) }) else { return nil }
        let deleted = head.summary["total-position-deletes"].flatMap { Int64($0) } ?? 0
        return max(0, total - deleted)
    }
}
