import Authority
import SQLite

// Copy on write, towards the children: before a reference changes a name, each branch or tag that was made
// from it and has no row of its own for the name gets one with what it saw until now. So a branch costs
// one row, and still nothing that happens on its parent shows in it.

extension Catalog {
    /// The references that were made from this one.
    func children(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> [String] {
        try tx.query(
            "SELECT name FROM refs WHERE tenant = ? AND warehouse = ? AND parent = ?",
            context.tenant, at.warehouse, at.reference
        ) { $0.string(0) }
    }

    /// Keeps a table or view, or its absence, for the children. Call it before the change.
    func preserve(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ identifier: TableIdentifier
    ) throws {
        let children = try children(tx, context, at)
        if children.isEmpty { return }
        let seen = try findPointer(tx, context, at, try chain(tx, context, at), identifier)
        for child in children {
            try tx.run(
                """
                INSERT INTO pointers
                    (tenant, warehouse, ref, namespace, folded, path, name, kind, uuid, location,
                     metadata_location, version, owner, is_dropped, created_us, updated_us,
                     base_location)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (tenant, warehouse, ref, namespace, folded) DO NOTHING
                """, context.tenant, at.warehouse, child, identifier.namespace.folded,
                identifier.name.lowercased(),
                (seen?.identifier.namespace ?? identifier.namespace).joinedLevels,
                seen?.identifier.name ?? identifier.name, (seen?.kind ?? .table).rawValue,
                seen?.uuid ?? "", seen?.location ?? "", seen?.metadataLocation ?? "",
                seen?.version ?? 0, seen?.owner ?? "", seen == nil, tx.nowMicroseconds,
                tx.nowMicroseconds, seen?.metadataLocation)
        }
    }

    /// Keeps a namespace, or its absence, for the children. Call it before the change.
    func preserve(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        namespace levels: [String]
    ) throws {
        let children = try children(tx, context, at)
        if children.isEmpty { return }
        let seen = try findNamespace(tx, context, at, try chain(tx, context, at), levels)
        let properties = seen.map { encodeProperties($0.properties) }
        for child in children {
            try tx.run(
                """
                INSERT INTO namespaces
                    (tenant, warehouse, ref, folded, path, depth, properties, owner, is_dropped,
                     created_us, base_properties)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (tenant, warehouse, ref, folded) DO NOTHING
                """, context.tenant, at.warehouse, child, levels.folded,
                (seen?.levels ?? levels).joinedLevels, levels.count, properties ?? "{}",
                context.principal.name, seen == nil, tx.nowMicroseconds, properties)
        }
    }

    /// Gives what was made from a branch all of its rows, so that it keeps seeing what it saw.
    func handDown(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws {
        let pointerState = "CASE WHEN p.is_dropped THEN NULL ELSE p.metadata_location END"
        let namespaceState = "CASE WHEN p.is_dropped THEN NULL ELSE p.properties END"
        for child in try children(tx, context, at) {
            try tx.run(
                """
                INSERT OR IGNORE INTO pointers
                    (tenant, warehouse, ref, namespace, folded, path, name, kind, uuid, location,
                     metadata_location, version, owner, is_dropped, created_us, updated_us,
                     base_location)
                SELECT tenant, warehouse, ?3, namespace, folded, path, name, kind, uuid, location,
                    metadata_location, version, owner, is_dropped, created_us, updated_us,
                    \(pointerState)
                FROM pointers AS p WHERE tenant = ?1 AND warehouse = ?2 AND ref = ?4
                """, context.tenant, at.warehouse, child, at.reference)
            try tx.run(
                """
                INSERT OR IGNORE INTO namespaces
                    (tenant, warehouse, ref, folded, path, depth, properties, owner, is_dropped,
                     created_us, base_properties)
                SELECT tenant, warehouse, ?3, folded, path, depth, properties, owner, is_dropped,
                    created_us, \(namespaceState)
                FROM namespaces AS p WHERE tenant = ?1 AND warehouse = ?2 AND ref = ?4
                """, context.tenant, at.warehouse, child, at.reference)
        }
    }

    /// Takes every row of a branch away that its parent has taken over or that nobody wants any more.
    /// What was made from the branch keeps seeing what it saw.
    func clear(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws {
        try handDown(tx, context, at)
        for table in ["pointers", "namespaces"] {
            try tx.run(
                "DELETE FROM \(table) WHERE tenant = ? AND warehouse = ? AND ref = ?",
                context.tenant, at.warehouse, at.reference)
        }
    }
}
