package import Authority
package import Iceberg
import JSON
import ObjectStorage
import Platform
import SQLite

/// How snapshots are to be expired.
package struct ExpiryRequest: Sendable {
    /// Snapshots older than this may go; nil: as the table's properties say.
    package var olderThanMilliseconds: Int64?
    package var retainLast: Int?
    /// Also takes out schemas and partition specs that nothing is written with any more.
    package var cleansDefinitions = false
    package var isDryRun = false
    /// Snapshots that were a branch's newest within this while stay: a client of another process that has
    /// loaded the table may be reading them, or write on top of them.
    package var graceMilliseconds: Int64
    /// The pin of the statement that asks, which does not read what it expires.
    package var ownPin: TablePin?

    package init(
        olderThanMilliseconds: Int64?, retainLast: Int? = nil, cleansDefinitions: Bool = false,
        isDryRun: Bool = false, graceMilliseconds: Int64
    ) {
        self.olderThanMilliseconds = olderThanMilliseconds
        self.retainLast = retainLast
        self.cleansDefinitions = cleansDefinitions
        self.isDryRun = isDryRun
        self.graceMilliseconds = graceMilliseconds
    }
}

/// What an expiry did, or would do.
package struct ExpiryReport: Sendable {
    package var expired = SnapshotExpiry()
    /// Files that were deleted, by what they were.
    package var deleted: [ExpiredFiles.Kind: Int] = [:]
    package var deletedBytes: Int64 = 0
    /// Why files stay that no snapshot needs any more; removing orphans takes them later. Other files may
    /// have been deleted.
    package var keptBecause: String?

    package func count(_ kind: ExpiredFiles.Kind) -> Int { deleted[kind] ?? 0 }
    package var deletedCount: Int { deleted.values.reduce(0, +) }
}

extension Catalog {
    /// Forgets old snapshots of a table on one reference, and deletes the files that only they needed.
    ///
    /// First the metadata is committed, then readers and writers of before are waited for, then it is
    /// worked out anew which files nothing leads to: no branch, tag, transaction or dropped table of the
    /// catalog, no statement that runs, no other table. Only those are deleted. A stop anywhere leaves
    /// files that are too many, which `removeOrphanFiles` takes.
    package func expireSnapshots(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        _ request: ExpiryRequest
    ) throws -> ExpiryReport {
        try authorizer.require(
            context, .tableAlter, resource(context, at, identifier.namespace, identifier.name))
        let retention = SnapshotRetention(
            nowMilliseconds: nowMilliseconds,
            olderThanMilliseconds: request.olderThanMilliseconds, retainLast: request.retainLast)
        var report = ExpiryReport()
        let (old, new) = try rewriteMetadata(
            context, at, identifier, isDryRun: request.isDryRun
        ) { metadata in
            report.expired = metadata.expiry(retention)
            // Writers compare with the snapshot that they began at when they commit.
            var begun = pins.snapshotIDs(location: metadata.location)
            if request.graceMilliseconds > 0 {
                for state in recentStates(
                    of: metadata, since: nowMilliseconds - request.graceMilliseconds)
                { begun.formUnion(state.snapshots.map(\.snapshotID)) }
            }
            report.expired.snapshotIDs.removeAll(where: begun.contains)
            var updates = report.expired.updates
            if request.cleansDefinitions {
                let rest = try metadata.applying(updates, nowMilliseconds: nowMilliseconds)
                updates += try rest.unusedDefinitions(manifests)
            }
            return updates
        }
        guard !report.expired.snapshotIDs.isEmpty else { return report }
        try deleteExpired(context, at, request, old, new, &report)
        return report
    }

    /// A table's state with the file that says it.
    struct State {
        var identifier: TableIdentifier
        var metadata: TableMetadata
        var metadataLocation: String
    }

    private func deleteExpired(
        _ context: RequestContext, _ at: CatalogReference, _ request: ExpiryRequest,
        _ old: State, _ new: State, _ report: inout ExpiryReport
    ) throws {
        guard settle() else {
            report.keptBecause = "a commit or merge of before is still running"
            return
        }
        if pins.isHeld(location: old.metadata.location) {
            report.keptBecause = "rows are being loaded into the table"
            return
        }
        var retained = [new.metadata]
        for location in try retainedLocations(context, at, request, old, new) {
            retained.append(try metadata(at: location).metadata)
        }
        if request.graceMilliseconds > 0 {
            retained += recentStates(
                of: new.metadata, since: nowMilliseconds - request.graceMilliseconds)
        }
        var files: ExpiredFiles
        do throws(IcebergError) {
            files = try ExpiredFiles.find(
                Set(report.expired.snapshotIDs), of: old.metadata, keeping: retained, manifests)
        } catch {
            throw CatalogError(
                code: .corruptTable,
                message: "the snapshots are gone, and no file was deleted, since what stays cannot "
                    + "be read: \(error.message)", hint: error.hint, cause: error)
        }
        guard !files.isEmpty else { return }
        let places = old.metadata.places.map(Self.folder)
        let foreign = try foreignFiles.locations(in: self)
        files.keepOnly { location in
            let text = "\(location)"
            return !foreign.contains(location) && places.contains { text.hasPrefix($0) }
        }
        delete(files, request.isDryRun, &report)
    }

    /// The other metadata files whose snapshots all have to stay readable.
    private func retainedLocations(
        _ context: RequestContext, _ at: CatalogReference, _ request: ExpiryRequest,
        _ old: State, _ new: State
    ) throws -> Set<String> {
        let all = try allMetadataInUse()
        var retained = Set(
            metadataInUse(overlapping: old.metadata.location, in: all).map(\.metadataLocation))
        retained.formUnion(try metadataInUse(atTableLocation: old.metadata.location))
        if request.isDryRun {
            // After the real change only children that have no row of their own would stand on it.
            if try !isInherited(context, at, old.identifier) {
                retained.remove(old.metadataLocation)
            }
        }
        retained.formUnion(pins.metadataLocations(except: request.ownPin))
        return retained
    }

    /// Whether another reference sees the table through this one's row, or has it on its own at the same
    /// state.
    private func isInherited(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> Bool {
        try database.read { tx in
            let chain = try chain(tx, context, at)
            let own = try findPointer(tx, context, at, chain, identifier)
            let others = try tx.query(
                """
                SELECT metadata_location, base_location FROM pointers
                WHERE location = ? AND is_dropped = 0 AND NOT (tenant = ? AND warehouse = ?
                    AND ref = ? AND namespace = ? AND folded = ?)
                """, own?.location ?? "", context.tenant, at.warehouse, at.reference,
                identifier.namespace.folded, identifier.name.lowercased()
            ) { [$0.string(0), $0.stringOrNil(1) ?? ""] }
            if others.joined().contains(own?.metadataLocation ?? "-") { return true }
            return try children(tx, context, at).contains { child in
                try !tx.exists(
                    """
                    SELECT 1 FROM pointers WHERE tenant = ? AND warehouse = ? AND ref = ?
                      AND namespace = ? AND folded = ?
                    """, context.tenant, at.warehouse, child, identifier.namespace.folded,
                    identifier.name.lowercased())
            }
        }
    }

    private func delete(
        _ files: ExpiredFiles, _ isDryRun: Bool, _ report: inout ExpiryReport
    ) {
        for (kind, location) in files.inOrder {
            // A former run that was cut off may have deleted it already.
            guard let found = try? manifests.store.describe(location) else { continue }
            if let reason = isDryRun ? nil : failure(of: location) {
                report.keptBecause = reason
                continue
            }
            report.deleted[kind, default: 0] += 1
            report.deletedBytes += found.sizeBytes
        }
    }

    /// Deletes a file; why it could not be deleted, such as a legal hold, or nil.
    func failure(of location: ObjectLocation) -> String? {
        do throws(ObjectStoreError) {
            try manifests.store.delete(location)
            return nil
        } catch { return "\(location) cannot be deleted: \(error.message)" }
    }

    /// Waits for the sections that have begun.
    func settle() -> Bool {
        pins.settle(until: SystemMonotonicClock().now() + Limits.settling)
    }

    /// Changes a table's metadata without touching rows: `build` makes the updates of the present state,
    /// with the table's turn taken, and again when a merge was faster.
    func rewriteMetadata(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        isDryRun: Bool, _ build: (TableMetadata) throws -> [TableUpdate]
    ) throws -> (old: State, new: State) {
        var attempt = 1
        while true {
            do {
                return try serialized([lockKey(context, at, identifier)]) {
                    try rewriteOnce(context, at, identifier, isDryRun: isDryRun, build)
                }
            } catch let error as IcebergError
                where error.code == .requirementFailed && attempt < Limits.mergeAttempts
            {
                attempt += 1
            }
        }
    }

    private func rewriteOnce(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        isDryRun: Bool, _ build: (TableMetadata) throws -> [TableUpdate]
    ) throws -> (old: State, new: State) {
        let pointer = try database.read { tx in
            try requirePointer(tx, context, at, identifier, kind: .table)
        }
        let base = try metadata(at: pointer.metadataLocation).metadata
        let old = State(
            identifier: pointer.identifier, metadata: base,
            metadataLocation: pointer.metadataLocation)
        let updates = try build(base)
        if updates.isEmpty { return (old, old) }
        let next = try base.applying(updates, nowMilliseconds: nowMilliseconds)
            .recordingPrevious(base, metadataFile: pointer.metadataLocation)
        var prepared = prepare(
            next, pointer.identifier, kind: .table, version: pointer.version + 1, context)
        prepared.pointer.owner = pointer.owner
        prepared.expectedLocation = pointer.metadataLocation
        let new = State(
            identifier: pointer.identifier, metadata: next,
            metadataLocation: prepared.pointer.metadataLocation)
        if isDryRun { return (old, new) }
        try publish(context, at, [prepared]) { tx in
            try record(
                tx, context, at, kind: "catalog.table.committed",
                namespace: pointer.identifier.namespace, name: pointer.identifier.name,
                details: [
                    ("uuid", .string(pointer.uuid)),
                    ("metadataLocation", .string(prepared.pointer.metadataLocation)),
                    ("operation", .string("maintenance")),
                ])
        }
        return (old, new)
    }
}
