package import Authority
import Iceberg
import ObjectStorage
import SQLite

/// Which files without a table are to go.
package struct OrphanRequest: Sendable {
    /// Only files that were last written before this.
    package var olderThanMicroseconds: Int64
    package var isDryRun = false
    /// Files of states that were present within this while stay, as for `ExpiryRequest`.
    package var graceMilliseconds: Int64

    package init(
        olderThanMicroseconds: Int64, isDryRun: Bool = false, graceMilliseconds: Int64
    ) {
        self.olderThanMicroseconds = olderThanMicroseconds
        self.isDryRun = isDryRun
        self.graceMilliseconds = graceMilliseconds
    }
}

/// What a removal of orphans found and did.
package struct OrphanReport: Sendable {
    package var processedManifests = 0
    package var activeFiles = 0
    package var scannedFiles = 0
    package var deletedFiles = 0
    package var deletedBytes: Int64 = 0
    /// Some of the files, for people to look at.
    package var examples: [String] = []
    /// Why old files stay that no snapshot needs.
    package var keptBecause: String?
}

extension Catalog {
    /// Deletes files below a table's place that nothing leads to: left by writers that died, by expiries
    /// that were cut off, by branches that were dropped.
    ///
    /// A file stays when it is new, when a writer is open that is as old, when a metadata file of any
    /// branch, tag, transaction, dropped table or running statement leads to it, when another table has
    /// it, and when it lies in another table's place. When it cannot be said what is in use because
    /// metadata cannot be read, nothing is deleted.
    package func removeOrphanFiles(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        _ request: OrphanRequest
    ) throws -> OrphanReport {
        try authorizer.require(
            context, .tableAlter, resource(context, at, identifier.namespace, identifier.name))
        // In this order: a writer that is gone by now has committed, and what it committed is found below.
        let cutoff = min(
            request.olderThanMicroseconds, pins.oldestWriterMicroseconds ?? .max)
        let table = try loadTable(context, at, identifier)
        var report = OrphanReport()
        let listed = try objects(of: table.metadata, &report)
        guard settle() else {
            report.keptBecause = "a commit or merge of before is still running"
            return report
        }
        if pins.isHeld(location: table.metadata.location) {
            report.keptBecause = "rows are being loaded into the table"
            return report
        }
        let reachable = try reachableFiles(context, at, identifier, request, table.metadata)
        report.processedManifests = reachable.manifestCount
        report.activeFiles = reachable.locations.count
        var orphans = listed.filter {
            $0.modifiedMicroseconds < cutoff && !reachable.contains($0.location)
        }
        if !orphans.isEmpty {
            let foreign = try foreignFiles.locations(in: self)
            orphans.removeAll { foreign.contains($0.location) }
        }
        for orphan in orphans {
            if let reason = request.isDryRun ? nil : failure(of: orphan.location) {
                report.keptBecause = reason
                continue
            }
            report.deletedFiles += 1
            report.deletedBytes += orphan.sizeBytes
            if report.examples.count < Limits.listedOrphans {
                report.examples.append("\(orphan.location)")
            }
        }
        return report
    }

    /// Everything that lies in the table's places but not in another's inside of them.
    private func objects(
        of metadata: TableMetadata, _ report: inout OrphanReport
    ) throws -> [ObjectDescription] {
        let places = Set(metadata.places.map(Self.folder))
        let others = try database.read { tx in
            try tx.query(
                """
                SELECT DISTINCT location FROM pointers WHERE is_dropped = 0
                UNION SELECT location FROM dropped
                """
            ) { Self.folder($0.string(0)) }
        }.filter { other in !places.contains(other) && places.contains { other.hasPrefix($0) } }
        var found: [ObjectLocation: ObjectDescription] = [:]
        for place in places.sorted() {
            guard let root = ObjectLocation(uri: place), !root.key.isEmpty else { continue }
            try eachObject(below: root) { object in
                report.scannedFiles += 1
                let text = "\(object.location)"
                if others.contains(where: { text.hasPrefix($0) }) { return }
                found[object.location] = object
            }
        }
        return found.values.sorted { $0.location.key < $1.location.key }
    }

    private func eachObject(
        below root: ObjectLocation, _ body: (ObjectDescription) -> Void
    ) throws {
        var after: String?
        while true {
            let page: [ObjectDescription]
            do throws(ObjectStoreError) {
                page = try manifests.store.list(
                    bucket: root.bucket, prefix: root.key, after: after, limit: Limits.purgeBatch)
            } catch {
                throw CatalogError(
                    code: .storageFailed, message: "cannot list \(root)", cause: error)
            }
            page.forEach(body)
            guard page.count == Limits.purgeBatch, let last = page.last else { return }
            after = last.location.key
        }
    }

    private func reachableFiles(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        _ request: OrphanRequest, _ loaded: TableMetadata
    ) throws -> ReachableFiles {
        var reachable = ReachableFiles()
        var wanted = Set(
            metadataInUse(overlapping: loaded.location, in: try allMetadataInUse())
                .map(\.metadataLocation))
        wanted.formUnion(try metadataInUse(atTableLocation: loaded.location))
        wanted.formUnion(pins.metadataLocations())
        let since = nowMilliseconds - request.graceMilliseconds
        for location in wanted.sorted() {
            let metadata = try metadata(at: location).metadata
            try reachable.add(metadata, at: location, from: manifests)
            guard request.graceMilliseconds > 0, metadata.tableUUID == loaded.tableUUID else {
                continue
            }
            for state in recentStates(of: metadata, since: since) {
                // A state of before whose manifests are gone is read by nobody any more.
                var more = reachable
                do throws(IcebergError) {
                    try more.add(state, at: nil, from: manifests)
                    reachable = more
                } catch { continue }
            }
        }
        // Views keep their one file below the namespace; clients look for the hint of old file catalogs.
        let views = try database.read { tx in
            try tx.query(
                """
                SELECT metadata_location FROM pointers WHERE kind != 'table' AND is_dropped = 0
                UNION SELECT metadata_location FROM dropped WHERE kind != 'table'
                """
            ) { $0.string(0) }
        }
        for view in views { reachable.add(view) }
        reachable.add("\(loaded.location)/metadata/version-hint.text")
        return reachable
    }

    /// How many objects lie in a table's places, and their bytes.
    package func footprint(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> TableFootprint {
        let table = try loadTable(context, at, identifier)
        var report = OrphanReport()
        let objects = try objects(of: table.metadata, &report)
        return TableFootprint(
            snapshots: table.metadata.snapshots.count, files: objects.count,
            bytes: objects.reduce(0) { $0 + $1.sizeBytes })
    }
}

/// What a table takes up.
package struct TableFootprint: Sendable, Hashable {
    package var snapshots: Int
    package var files: Int
    package var bytes: Int64

    package init(snapshots: Int, files: Int, bytes: Int64) {
        self.snapshots = snapshots
        self.files = files
        self.bytes = bytes
    }
}
