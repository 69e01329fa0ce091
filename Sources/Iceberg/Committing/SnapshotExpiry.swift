/// How much of a table's history is to be kept.
package struct SnapshotRetention: Sendable, Hashable {
    package var nowMilliseconds: Int64
    /// Snapshots of before may go; nil: the table's `history.expire.max-snapshot-age-ms`, or five days.
    package var olderThanMilliseconds: Int64?
    /// Snapshots of each branch that stay at the least; nil: `history.expire.min-snapshots-to-keep`, or one.
    package var retainLast: Int?

    package init(
        nowMilliseconds: Int64, olderThanMilliseconds: Int64? = nil, retainLast: Int? = nil
    ) {
        self.nowMilliseconds = nowMilliseconds
        self.olderThanMilliseconds = olderThanMilliseconds
        self.retainLast = retainLast
    }
}

/// What a table forgets.
package struct SnapshotExpiry: Sendable, Hashable {
    /// In the order of the metadata.
    package var snapshotIDs: [Int64] = []
    /// Branches and tags that are older than their `max-ref-age-ms`, by name.
    package var references: [String] = []

    /// Nothing goes.
    package init() {}

    package var isEmpty: Bool { snapshotIDs.isEmpty && references.isEmpty }

    /// The metadata's updates.
    package var updates: [TableUpdate] {
        references.map { .removeSnapshotReference($0) }
            + (snapshotIDs.isEmpty ? [] : [.removeSnapshots(snapshotIDs)])
    }
}

extension TableMetadata {
    /// Which snapshots and references expire. Pure.
    ///
    /// - `main` stays; another branch or tag goes when its snapshot is older than its `max-ref-age-ms`.
    /// - A branch keeps its newest snapshots: as many as its `min-snapshots-to-keep`, and those that are
    ///   not older than its `max-snapshot-age-ms`. Its own values come before the caller's.
    /// - A tag keeps its snapshot.
    /// - What nothing refers to goes by age alone.
    ///
    /// Source: Iceberg specification, "Snapshot Retention Policy"; `RemoveSnapshots` of the reference
    /// implementation.
    package func expiry(_ retention: SnapshotRetention) -> SnapshotExpiry {
        let now = retention.nowMilliseconds
        func before(_ ageMilliseconds: Int64) -> Int64 {
            let (moment, overflow) = now.subtractingReportingOverflow(ageMilliseconds)
            return overflow ? .min : moment
        }
        let olderThan =
            retention.olderThanMilliseconds
            ?? before(number("history.expire.max-snapshot-age-ms") ?? Self.defaultSnapshotAge)
        let minimum = max(
            1,
            retention.retainLast
                ?? Int(clamping: number("history.expire.min-snapshots-to-keep") ?? 1))
        let referenceAge = number("history.expire.max-ref-age-ms") ?? .max

        var heads = references
        if heads["main"] == nil, let current = currentSnapshotID {
            heads["main"] = SnapshotReference(snapshotID: current, kind: .branch)
        }
        var expiry = SnapshotExpiry()
        var kept: Set<Int64> = []
        var referenced: Set<Int64> = []
        for (name, reference) in heads {
            guard let head = snapshot(id: reference.snapshotID) else { continue }
            let age = reference.maximumReferenceAgeMilliseconds ?? referenceAge
            if name != "main", head.timestampMilliseconds < before(age) {
                expiry.references.append(name)
                continue
            }
            guard reference.kind == .branch else {
                kept.insert(head.snapshotID)
                referenced.insert(head.snapshotID)
                continue
            }
            let limit = reference.maximumSnapshotAgeMilliseconds.map(before) ?? olderThan
            let count = max(1, reference.minimumSnapshotsToKeep ?? minimum)
            var isKeeping = true
            for (index, snapshot) in ancestors(of: head.snapshotID).enumerated() {
                referenced.insert(snapshot.snapshotID)
                // History has no holes: behind the first that goes everything goes.
                isKeeping =
                    isKeeping && (index < count || snapshot.timestampMilliseconds >= limit)
                if isKeeping { kept.insert(snapshot.snapshotID) }
            }
        }
        for snapshot in snapshots
        where !referenced.contains(snapshot.snapshotID)
            && snapshot.timestampMilliseconds >= olderThan
        {
            kept.insert(snapshot.snapshotID)
        }
        expiry.references.sort()
        expiry.snapshotIDs = snapshots.map(\.snapshotID).filter { !kept.contains($0) }
        return expiry
    }

    /// Five days. Source: Iceberg documentation, "Table behavior properties".
    private static let defaultSnapshotAge: Int64 = 5 * 24 * 3_600_000

    private func number(_ property: String) -> Int64? {
        properties[property].flatMap { Int64($0) }
    }

    /// The metadata with only those snapshots that are current or that a branch or tag stands at: what
    /// somebody reads who has loaded it.
    package var headsOnly: TableMetadata {
        var heads = Set(references.values.map(\.snapshotID))
        if let currentSnapshotID { heads.insert(currentSnapshotID) }
        var copy = self
        copy.snapshots = snapshots.filter { heads.contains($0.snapshotID) }
        return copy
    }

    /// Updates that remove schemas and partition specs that no snapshot and nothing new is written with.
    package func unusedDefinitions(
        _ source: ManifestSource
    ) throws(IcebergError) -> [TableUpdate] {
        var specs: Set<Int32> = [defaultSpecID]
        var schemaIDs: Set<Int32> = [currentSchemaID]
        for snapshot in snapshots {
            // A snapshot that names no schema may have been written with any.
            guard let schema = snapshot.schemaID else { return [] }
            schemaIDs.insert(schema)
            for manifest in try source.manifests(of: snapshot) { specs.insert(manifest.specID) }
        }
        let goneSpecs = partitionSpecs.map(\.specID).filter { !specs.contains($0) }
        let goneSchemas = schemas.map(\.schemaID).filter { !schemaIDs.contains($0) }
        return (goneSpecs.isEmpty ? [] : [.removePartitionSpecs(goneSpecs)])
            + (goneSchemas.isEmpty ? [] : [.removeSchemas(goneSchemas)])
    }
}
