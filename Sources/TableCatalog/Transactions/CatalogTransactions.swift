package import Authority
import Iceberg
import ObjectStorage
import SQLite

// A transaction works on references of its own, one a warehouse, that nothing lists. They cost a row each,
// keep the state in which they began (see `Branches/Preservation.swift`), and show the transaction its own
// writes. COMMIT merges all of them in one transaction of the database; ROLLBACK takes them away with every
// file that only they have. What a crash leaves open, `recover` rolls back.

/// Where a transaction reads and writes instead of a reference.
package struct TransactionReference: Sendable, Hashable {
    /// What the transaction's statements name.
    package var origin: CatalogReference
    /// The transaction's own reference, made from it.
    package var at: CatalogReference
}

extension Catalog {
    /// Opens private references for a transaction, all at one moment. Tags never change, and unknown
    /// references have no state: these are left out.
    package func beginTransaction(
        _ context: RequestContext, id: String, _ origins: [CatalogReference]
    ) throws -> [TransactionReference] {
        for origin in origins {
            try authorizer.require(context, .warehouseUse, resource(context, origin, []))
        }
        return try database.write { tx in
            var opened: [TransactionReference] = []
            for origin in origins {
                guard let found = try findReference(tx, context, origin), found.kind == .branch,
                    try chain(tx, context, origin).count < Limits.branchDepth
                else { continue }
                // No name that people may give begins so.
                let at = CatalogReference(
                    warehouse: origin.warehouse, reference: "~\(id).\(origin.reference)")
                try tx.run(
                    """
                    INSERT INTO refs
                        (tenant, warehouse, name, kind, parent, commit_id, created_us, created_by)
                    SELECT tenant, warehouse, ?, ?, name, commit_id, ?, ? FROM refs
                    WHERE tenant = ? AND warehouse = ? AND name = ?
                    """, at.reference, ReferenceKind.transaction.rawValue, tx.nowMicroseconds,
                    context.principal.name, context.tenant, origin.warehouse, origin.reference)
                opened.append(TransactionReference(origin: origin, at: at))
            }
            return opened
        }
    }

    /// Makes everything that a transaction did visible at once, or nothing of it.
    ///
    /// `relied` are tables by origin that must be as the transaction found them: what a serializable one
    /// has read. Throws `.mergeConflict`, which names each table; the transaction is then still open, to
    /// be rolled back.
    @discardableResult
    package func commitTransaction(
        _ context: RequestContext, _ references: [TransactionReference],
        relied: [CatalogReference: Set<TableIdentifier>] = [:]
    ) throws -> [MergeReport] {
        let leftovers = try references.map { try overwrittenFiles(context, $0.at) }
        let reports = try merge(
            context,
            references.map {
                Merging(
                    source: $0.at, target: $0.origin.reference, relied: relied[$0.origin] ?? [])
            }, deletes: true)
        // Appends that were made again on a newer state left their first snapshots behind.
        for (report, files) in zip(reports, leftovers) {
            for change in report.changes where change.outcome == .combined {
                manifests.discard(files[change.subject] ?? [])
            }
        }
        try purgeSoon()
        return reports
    }

    /// Takes a transaction's references away, with the files that only they have.
    package func rollBackTransaction(
        _ context: RequestContext, _ references: [TransactionReference]
    ) throws {
        for reference in references { try rollBack(context, reference.at) }
        try purgeSoon()
    }

    /// Rolls back what was open when the process ended.
    func rollBackAbandonedTransactions() throws {
        let abandoned = try database.read { tx in
            try tx.query("SELECT tenant, warehouse, name FROM refs WHERE kind = 'transaction'") {
                ($0.string(0), CatalogReference(warehouse: $0.string(1), reference: $0.string(2)))
            }
        }
        if abandoned.isEmpty { return }
        for (tenant, at) in abandoned {
            let context = RequestContext(
                principal: .system, requestID: "recovery", door: .job, tenant: tenant)
            try rollBack(context, at)
        }
        // Files that cannot be deleted now are deleted with the next purge.
        try? purgeSoon()
    }

    /// Tables that stand elsewhere on the target than where the branch began.
    func overtaken(
        _ tx: ReadTransaction, _ context: RequestContext, _ source: CatalogReference,
        _ targetChain: [String], _ relied: Set<TableIdentifier>
    ) throws -> [TableIdentifier] {
        let target = CatalogReference(
            warehouse: source.warehouse, reference: targetChain.first ?? "main")
        return try relied.sorted { $0.description < $1.description }.filter { identifier in
            // A change of the target leaves a row with what was there; without one nothing changed.
            let began = try tx.first(
                """
                SELECT base_location FROM pointers
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ? AND folded = ?
                """, context.tenant, source.warehouse, source.reference,
                identifier.namespace.folded, identifier.name.lowercased(),
                row: { $0.stringOrNil(0) })
            guard let began else { return false }
            let present = try findPointer(tx, context, target, targetChain, identifier)
            return present?.metadataLocation != began
        }
    }

    // MARK: Files

    /// A row that a transaction wrote, dropped ones too.
    private struct WrittenRow {
        var identifier: TableIdentifier
        var kind: EntryKind
        var location: String
        var metadataLocation: String
        var base: String?
        /// Whether a pointer of another reference has the place too.
        var isShared: Bool
    }

    private func writtenRows(
        _ context: RequestContext, _ at: CatalogReference
    ) throws -> [WrittenRow] {
        try database.read { tx in
            try tx.query(
                """
                SELECT path, name, kind, location, metadata_location, base_location,
                    EXISTS (SELECT 1 FROM pointers AS other
                        WHERE other.location = own.location AND other.ref != own.ref
                          AND other.is_dropped = 0)
                FROM pointers AS own
                WHERE tenant = ? AND warehouse = ? AND ref = ?
                  AND metadata_location IS NOT base_location AND location != ''
                """, context.tenant, at.warehouse, at.reference
            ) { row in
                WrittenRow(
                    identifier: TableIdentifier(
                        namespace: row.string(0).levels, name: row.string(1)),
                    kind: EntryKind(rawValue: row.string(2)) ?? .table, location: row.string(3),
                    metadataLocation: row.string(4), base: row.stringOrNil(5),
                    isShared: row.bool(6))
            }
        }
    }

    private func rollBack(_ context: RequestContext, _ at: CatalogReference) throws {
        let rows = try writtenRows(context, at)
        for row in rows {
            switch row.kind {
            case .table where row.isShared: manifests.discard(ownFiles(row, at, withData: true))
            case .view where row.isShared: manifests.discard(try ownVersions(row))
            case .table, .view: continue
            }
        }
        try database.write { tx in
            guard let reference = try findReference(tx, context, at) else { return }
            // What came to be in the transaction has its place to itself.
            for row in rows where !row.isShared {
                try tx.run(
                    "INSERT INTO purges (tenant, location, requested_us) VALUES (?, ?, ?)",
                    context.tenant, row.location, tx.nowMicroseconds)
            }
            try remove(tx, context, reference)
        }
    }

    /// By table: the metadata, manifests and lists of its snapshots in the transaction.
    private func overwrittenFiles(
        _ context: RequestContext, _ at: CatalogReference
    ) throws -> [String: [String]] {
        var files: [String: [String]] = [:]
        for row in try writtenRows(context, at) where row.kind == .table && row.base != nil {
            files[row.identifier.description] = ownFiles(row, at, withData: false)
        }
        return files
    }

    /// The files that a transaction added to a table which others have too. States that cannot be read
    /// any more give none: the files are orphans then, for maintenance to find.
    private func ownFiles(
        _ row: WrittenRow, _ at: CatalogReference, withData: Bool
    ) -> [String] {
        guard let theirs = try? metadata(at: row.metadataLocation).metadata,
            let others = try? othersStates(row, at), !others.isEmpty
        else { return [] }
        var known: Set<Int64> = []
        var kept = Set(others)
        for location in others {
            // Whoever has a state that we cannot look into may need any file.
            guard let state = try? metadata(at: location).metadata,
                state.tableUUID == theirs.tableUUID
            else { return [] }
            known.formUnion(state.snapshots.map(\.snapshotID))
            kept.formUnion(state.metadataLog.map(\.metadataFile))
        }
        var files: [String] = []
        for snapshot in theirs.snapshots where !known.contains(snapshot.snapshotID) {
            let id = snapshot.snapshotID
            for manifest in (try? manifests.manifests(of: snapshot)) ?? []
            where manifest.addedSnapshotID == id {
                let entries = (try? manifests.entries(of: manifest, in: theirs)) ?? []
                if withData {
                    files += entries.filter {
                        $0.status == .added && ($0.snapshotID ?? id) == id
                    }.map(\.file.path)
                }
                files.append(manifest.path)
            }
            if let list = snapshot.manifestList { files.append(list) }
        }
        files += theirs.metadataLog.map(\.metadataFile) + [row.metadataLocation]
        // Nothing outside of the table's own places, whatever its metadata names.
        let places = [theirs.location, theirs.properties["write.data.path"] ?? theirs.location]
        return files.filter { file in
            !kept.contains(file) && places.contains { file.hasPrefix($0 + "/") }
        }
    }

    /// The states of the table that other references have, and those that any was made from.
    private func othersStates(_ row: WrittenRow, _ at: CatalogReference) throws -> [String] {
        try database.read { tx in
            try tx.query(
                """
                SELECT metadata_location FROM pointers
                WHERE location = ?1 AND is_dropped = 0 AND ref != ?2
                UNION
                SELECT base_location FROM pointers
                WHERE location = ?1 AND base_location IS NOT NULL
                """, row.location, at.reference
            ) { $0.string(0) }
        }
    }

    /// The versions that a transaction wrote of a view that others have too.
    private func ownVersions(_ row: WrittenRow) throws -> [String] {
        guard let base = row.base, let root = ObjectLocation(uri: "\(row.location)/metadata/")
        else { return [] }
        let newest = Self.version(of: row.metadataLocation)
        let oldest = Self.version(of: base)
        let found =
            (try? manifests.store.list(
                bucket: root.bucket, prefix: root.key, after: nil, limit: Limits.purgeBatch)) ?? []
        let used = try database.read { tx in
            Set(
                try tx.query(
                    "SELECT metadata_location FROM pointers WHERE location = ? AND is_dropped = 0",
                    row.location
                ) { $0.string(0) })
        }
        return found.map { "s3://\($0.location.bucket)/\($0.location.key)" }.filter { path in
            let version = Self.version(of: path)
            return version > oldest && version <= newest
                && (path == row.metadataLocation || !used.contains(path))
        }
    }
}
