package import Authority
import Iceberg
import Platform
import SQLite

/// A table or view that was dropped and can be had back.
package struct DroppedEntry: Sendable {
    /// Names it among those of the same name.
    package var id: Int64
    package var identifier: TableIdentifier
    package var kind: EntryKind
    package var uuid: String
    package var metadataLocation: String
    /// Whether its files go when it expires.
    package var purges: Bool
    package var droppedMicroseconds: Int64
    package var expiresMicroseconds: Int64
    package var droppedBy: String
    var location: String
    var version: Int64
    var owner: String

    var pointer: Pointer {
        Pointer(
            identifier: identifier, kind: kind, uuid: uuid, location: location,
            metadataLocation: metadataLocation, version: version, owner: owner)
    }

    func isNamed(_ other: TableIdentifier) -> Bool {
        identifier.namespace.folded == other.namespace.folded
            && identifier.name.lowercased() == other.name.lowercased()
    }
}

extension Catalog {
    /// What was dropped on a reference and can be had back, newest last; below `namespace`, if one is
    /// given. Only what the caller could list is told.
    package func listDropped(
        _ context: RequestContext, _ at: CatalogReference, below namespace: [String] = []
    ) throws -> [DroppedEntry] {
        try authorizer.require(context, .warehouseUse, resource(context, at, []))
        let now = clock.now().microseconds
        let rows = try database.read { tx in
            _ = try chain(tx, context, at)
            return try droppedRows(tx, context, at)
        }
        return rows.filter { row in
            row.expiresMicroseconds > now
                && row.identifier.namespace.folded.hasPrefix(namespace.folded)
                && row.identifier.namespace.prefix(namespace.count).map { $0.lowercased() }
                    == namespace.map { $0.lowercased() }
                && authorizer.decide(
                    context, .tableList, resource(context, at, row.identifier.namespace)
                ).isAllowed
        }
    }

    /// Brings back what was dropped last under a name, or the one with `id`; under another name, if
    /// `newName` says one. Throws `.noSuchTable` when nothing can be had back, `.alreadyExists` when the
    /// name is taken.
    @discardableResult
    package func undrop(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        id: Int64? = nil, as newName: TableIdentifier? = nil
    ) throws -> TableIdentifier {
        let target = newName ?? identifier
        try authorizer.require(
            context, .tableCreate, resource(context, at, target.namespace, target.name))
        // Bringing back what one may not drop would undo somebody else's decision.
        try authorizer.require(
            context, .tableDrop, resource(context, at, identifier.namespace, identifier.name))
        try Self.check(name: target.name)
        let now = clock.now().microseconds
        return try serialized([lockKey(context, at, target)]) {
            try database.writeGrouped { tx in
                let chain = try chain(tx, context, at)
                let found = try droppedRows(tx, context, at).last {
                    $0.isNamed(identifier) && $0.expiresMicroseconds > now && id ?? $0.id == $0.id
                }
                guard let found else {
                    throw CatalogError(
                        code: .noSuchTable,
                        message: "nothing to be had back was dropped as \(identifier)",
                        hint: "what can be had back is listed with `lakehouse table dropped`")
                }
                let levels = try requireNamespace(tx, context, at, chain, target.namespace).levels
                try requireFree(tx, context, at, chain, target)
                // It may have been registered meanwhile.
                if found.kind == .table { try requireOnly(tx, context, at, target, found.uuid) }
                var pointer = found.pointer
                pointer.identifier = TableIdentifier(namespace: levels, name: target.name)
                try put(tx, context, at, pointer)
                try tx.run("DELETE FROM dropped WHERE id = ?", found.id)
                try record(
                    tx, context, at, kind: "catalog.\(found.kind.rawValue).undropped",
                    namespace: levels, name: target.name)
                return pointer.identifier
            }
        }
    }

    // MARK: Rows

    func keep(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ pointer: Pointer, purges: Bool, days: Int64
    ) throws {
        try tx.run(
            """
            INSERT INTO dropped
                (tenant, warehouse, ref, path, name, kind, uuid, location, metadata_location,
                 version, owner, purges, dropped_us, expires_us, dropped_by)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, context.tenant, at.warehouse, at.reference,
            pointer.identifier.namespace.joinedLevels, pointer.identifier.name,
            pointer.kind.rawValue, pointer.uuid, pointer.location, pointer.metadataLocation,
            pointer.version, pointer.owner, purges, tx.nowMicroseconds,
            tx.nowMicroseconds + days * 86_400_000_000, context.principal.name)
    }

    /// Oldest first.
    func droppedRows(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> [DroppedEntry] {
        try tx.query(
            """
            SELECT id, path, name, kind, uuid, metadata_location, purges, dropped_us, expires_us,
                   dropped_by, location, version, owner
            FROM dropped WHERE tenant = ? AND warehouse = ? AND ref = ? ORDER BY id
            """, context.tenant, at.warehouse, at.reference
        ) {
            DroppedEntry(
                id: $0.int64(0),
                identifier: TableIdentifier(namespace: $0.string(1).levels, name: $0.string(2)),
                kind: EntryKind(rawValue: $0.string(3)) ?? .table, uuid: $0.string(4),
                metadataLocation: $0.string(5), purges: $0.bool(6),
                droppedMicroseconds: $0.int64(7),
                expiresMicroseconds: $0.int64(8), droppedBy: $0.string(9), location: $0.string(10),
                version: $0.int64(11), owner: $0.string(12))
        }
    }

    /// Forgets what can be had back no longer; the files of purged tables go.
    func expireDropped() throws {
        let now = clock.now().microseconds
        let hasExpired = try database.read { tx in
            try tx.exists("SELECT 1 FROM dropped WHERE expires_us <= ?", now)
        }
        guard hasExpired else { return }
        try database.writeGrouped { tx in
            try tx.run(
                """
                INSERT INTO purges (tenant, location, requested_us)
                SELECT tenant, location, ? FROM dropped WHERE expires_us <= ? AND purges = 1
                """, tx.nowMicroseconds, now)
            try tx.run("DELETE FROM dropped WHERE expires_us <= ?", now)
        }
    }
}
