package import Authority
import Iceberg
import JSON
import SQLite

/// A word about a table or one of its columns, such as `pii: email`.
package struct TableTag: Sendable, Hashable {
    /// The column, by its present name; nil: the table itself.
    package var column: String?
    package var tag: String
    package var value: String
    /// Who set it.
    package var setBy: String
}

extension Catalog {
    /// The tags of a table and its columns: the table's first, then by column and tag. Columns that are
    /// gone keep theirs for the time when they come back.
    package func tags(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> [TableTag] {
        let table = try loadTable(context, at, identifier)
        let rows = try database.read { tx in
            try tx.query(
                """
                SELECT field_id, tag, value, set_by FROM tags
                WHERE tenant = ? AND uuid = ? ORDER BY field_id, tag
                """, context.tenant, table.metadata.tableUUID
            ) { ($0.int64(0), $0.string(1), $0.string(2), $0.string(3)) }
        }
        return rows.compactMap { id, tag, value, setBy in
            if id == 0 { return TableTag(column: nil, tag: tag, value: value, setBy: setBy) }
            guard let id = Int32(exactly: id),
                let name = table.metadata.currentSchema.name(of: id)
            else { return nil }
            return TableTag(column: name, tag: tag, value: value, setBy: setBy)
        }
    }

    /// Sets and removes tags of a table, or of one of its columns. A tag is about the column itself: it
    /// stays through renames, and on every branch.
    package func setTags(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        column: String? = nil, set: [String: String], remove: [String] = []
    ) throws {
        try authorizer.require(
            context, .tableAlter, resource(context, at, identifier.namespace, identifier.name))
        for name in set.keys { try Self.check(name: name) }
        guard set.values.allSatisfy({ $0.utf8.count <= Limits.tagBytes }) else {
            throw CatalogError(
                code: .limitExceeded, message: "a tag's value has at most \(Limits.tagBytes) bytes")
        }
        let pointer = try database.read { tx in
            try requirePointer(tx, context, at, identifier, kind: .table)
        }
        var field: Int64 = 0
        if let column {
            let schema = try metadata(at: pointer.metadataLocation).metadata.currentSchema
            guard let found = schema.field(named: column) else {
                throw CatalogError(
                    code: .invalidRequest, message: "\(identifier) has no column \(column)")
            }
            field = Int64(found.id)
        }
        try database.writeGrouped { tx in
            for (tag, value) in set {
                try tx.run(
                    """
                    INSERT OR REPLACE INTO tags
                        (tenant, uuid, field_id, tag, value, set_by, at_us)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """, context.tenant, pointer.uuid, field, tag, value, context.principal.name,
                    tx.nowMicroseconds)
            }
            for tag in remove {
                try tx.run(
                    "DELETE FROM tags WHERE tenant = ? AND uuid = ? AND field_id = ? AND tag = ?",
                    context.tenant, pointer.uuid, field, tag)
            }
            try record(
                tx, context, at, kind: "catalog.table.tagged",
                namespace: pointer.identifier.namespace, name: pointer.identifier.name,
                details: [
                    ("column", column.map { .string($0) } ?? .null),
                    ("set", .array(set.keys.sorted().map { .string($0) })),
                    ("removed", .array(remove.map { .string($0) })),
                ])
        }
    }

    /// Who a table or view belongs to.
    package func owner(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> String {
        try authorizer.require(
            context, .tableSelect, resource(context, at, identifier.namespace, identifier.name))
        return try database.read { tx in try anyPointer(tx, context, at, identifier).owner }
    }

    /// Gives a table or view to somebody else. The name is a word for people: it gives no rights.
    package func setOwner(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        to owner: String
    ) throws {
        try authorizer.require(
            context, .tableAlter, resource(context, at, identifier.namespace, identifier.name))
        try Self.check(name: owner)
        try serialized([lockKey(context, at, identifier)]) {
            try database.writeGrouped { tx in
                var pointer = try anyPointer(tx, context, at, identifier)
                let former = pointer.owner
                pointer.owner = owner
                try put(tx, context, at, pointer)
                try record(
                    tx, context, at, kind: "catalog.\(pointer.kind.rawValue).owner_changed",
                    namespace: pointer.identifier.namespace, name: pointer.identifier.name,
                    details: [("from", .string(former)), ("to", .string(owner))])
            }
        }
    }

    private func anyPointer(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ identifier: TableIdentifier
    ) throws -> Pointer {
        if let found = try findPointer(tx, context, at, try chain(tx, context, at), identifier) {
            return found
        }
        return try requirePointer(tx, context, at, identifier, kind: .table)
    }
}
