import Authority
import Diagnostics
import Iceberg
import SQLite

/// A row of `pointers`: where a table's present metadata is.
struct Pointer: Sendable {
    var identifier: TableIdentifier
    var kind: EntryKind
    var uuid: String
    var location: String
    var metadataLocation: String
    /// Counts the metadata files, for their names.
    var version: Int64
    var owner: String
}

extension Catalog {
    func findPointer(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ chain: [String], _ identifier: TableIdentifier
    ) throws -> Pointer? {
        for reference in chain {
            let row = try tx.first(
                """
                SELECT path, name, kind, uuid, location, metadata_location, version, owner, is_dropped
                FROM pointers
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ? AND folded = ?
                """, context.tenant, at.warehouse, reference, identifier.namespace.folded,
                identifier.name.lowercased(),
                row: { row -> Pointer? in
                    if row.bool(8) { return nil }
                    return Pointer(
                        identifier: TableIdentifier(
                            namespace: row.string(0).levels, name: row.string(1)),
                        kind: EntryKind(rawValue: row.string(2)) ?? .table, uuid: row.string(3),
                        location: row.string(4), metadataLocation: row.string(5),
                        version: row.int64(6), owner: row.string(7))
                })
            if let row { return row }
        }
        return nil
    }

    func requirePointer(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ identifier: TableIdentifier, kind: EntryKind
    ) throws -> Pointer {
        let chain = try chain(tx, context, at)
        if let pointer = try findPointer(tx, context, at, chain, identifier), pointer.kind == kind {
            return pointer
        }
        // A missing namespace has a code of its own, which some clients mind.
        _ = try requireNamespace(tx, context, at, chain, identifier.namespace)
        let near = try tx.query(
            """
            SELECT name FROM pointers
            WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ? LIMIT 1000
            """, context.tenant, at.warehouse, at.reference, identifier.namespace.folded
        ) { $0.string(0) }
        throw CatalogError(
            code: kind == .table ? .noSuchTable : .noSuchView,
            message: "\(kind.rawValue) not found: \(identifier)",
            hint: nearestName(to: identifier.name, among: near).map { "did you mean \($0)?" })
    }

    func put(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ pointer: Pointer, isDropped: Bool = false
    ) throws {
        try preserve(tx, context, at, pointer.identifier)
        let inherited = try chain(tx, context, at).dropFirst()
        let base = try findPointer(tx, context, at, Array(inherited), pointer.identifier)
        try tx.run(
            """
            INSERT INTO pointers
                (tenant, warehouse, ref, namespace, folded, path, name, kind, uuid, location,
                 metadata_location, version, owner, is_dropped, created_us, updated_us,
                 base_location)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (tenant, warehouse, ref, namespace, folded) DO UPDATE SET
                path = excluded.path, name = excluded.name, kind = excluded.kind,
                uuid = excluded.uuid, location = excluded.location,
                metadata_location = excluded.metadata_location, version = excluded.version,
                owner = excluded.owner, is_dropped = excluded.is_dropped,
                updated_us = excluded.updated_us
            """, context.tenant, at.warehouse, at.reference,
            pointer.identifier.namespace.folded, pointer.identifier.name.lowercased(),
            pointer.identifier.namespace.joinedLevels, pointer.identifier.name,
            pointer.kind.rawValue, pointer.uuid, pointer.location, pointer.metadataLocation,
            pointer.version, pointer.owner, isDropped, tx.nowMicroseconds, tx.nowMicroseconds,
            base?.metadataLocation)
    }

    /// Takes the pointer away: the row, or a mark where a parent reference has the name too.
    func remove(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ pointer: Pointer
    ) throws {
        if try chain(tx, context, at).count > 1 {
            return try put(tx, context, at, pointer, isDropped: true)
        }
        try preserve(tx, context, at, pointer.identifier)
        try tx.run(
            """
            DELETE FROM pointers
            WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ? AND folded = ?
            """, context.tenant, at.warehouse, at.reference, pointer.identifier.namespace.folded,
            pointer.identifier.name.lowercased())
    }

    func listEntries(
        _ context: RequestContext, _ at: CatalogReference, _ namespace: [String], kind: EntryKind,
        limit: Int?, token: String?
    ) throws -> Page<TableIdentifier> {
        let isWhole = try requireListing(context, .tableList, resource(context, at, namespace))
        return try database.read { tx in
            let chain = try chain(tx, context, at)
            let levels = try requireNamespace(tx, context, at, chain, namespace).levels
            let rows = try mergedRows(
                tx, chain,
                """
                SELECT folded, name, is_dropped FROM pointers
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ? AND folded > ?
                  AND kind = ? ORDER BY folded LIMIT ?
                """,
                {
                    [
                        context.tenant, at.warehouse, $0, namespace.folded, token ?? "",
                        kind.rawValue,
                    ]
                }, limit: isWhole ? limit : nil)
            if isWhole {
                return page(rows, limit: limit) {
                    TableIdentifier(namespace: levels, name: $0.path)
                }
            }
            let found = rows.filter {
                mayFind(context, resource(context, at, levels, $0.path, kind: kind))
            }
            return page(found, limit: limit) {
                TableIdentifier(namespace: levels, name: $0.path)
            }
        }
    }
}
