package import Authority
import Iceberg
import SQLite

// A namespace with all that is in it goes in one transaction: either everything may go, or nothing does.
extension Catalog {
    /// Drops a namespace with its tables, views and namespaces. Throws for one that the caller may not drop,
    /// or that is protected, before anything is changed; what becomes of the tables' files says `files`.
    package func dropNamespace(
        _ context: RequestContext, _ at: CatalogReference, _ levels: [String],
        withTables files: DroppedFiles
    ) throws {
        var attempt = 1
        while true {
            let found = try database.read { try contents($0, context, at, levels) }
            try requireDrops(context, at, found)
            let keys = found.entries.map { lockKey(context, at, $0.identifier) }
            let isDone = try serialized(keys) { try dropAll(context, at, levels, found, files) }
            if isDone { break }
            guard attempt < Limits.mergeAttempts else {
                throw CatalogError(
                    code: .commitConflict,
                    message: "\(levels.joined(separator: ".")) changed while it was being dropped",
                    hint: "try again when nobody writes to it")
            }
            attempt += 1
        }
        try purgeSoon()
    }

    /// What is in a namespace.
    private struct Contents {
        /// With the namespace itself; those inside come before what they are in.
        var namespaces: [Namespace] = []
        var entries: [Pointer] = []
    }

    private func contents(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ levels: [String]
    ) throws -> Contents {
        let chain = try chain(tx, context, at)
        let top = try requireNamespace(tx, context, at, chain, levels)
        let below = try mergedRows(
            tx, chain,
            """
            SELECT folded, path, is_dropped FROM namespaces
            WHERE tenant = ? AND warehouse = ? AND ref = ? AND folded > ? AND folded < ?
            ORDER BY folded LIMIT ?
            """,
            {
                [
                    context.tenant, at.warehouse, $0, levels.folded + namespaceSeparator,
                    levels.folded + " ",
                ]
            }, limit: nil)
        var found = Contents()
        for row in below {
            if let inner = try findNamespace(tx, context, at, chain, row.path.levels) {
                found.namespaces.append(inner)
            }
        }
        found.namespaces.append(top)
        found.namespaces.sort { $0.levels.count > $1.levels.count }
        for namespace in found.namespaces {
            let rows = try mergedRows(
                tx, chain,
                """
                SELECT folded, name, is_dropped FROM pointers
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ?
                ORDER BY folded LIMIT ?
                """, { [context.tenant, at.warehouse, $0, namespace.levels.folded] }, limit: nil)
            for row in rows {
                let identifier = TableIdentifier(namespace: namespace.levels, name: row.path)
                if let entry = try findPointer(tx, context, at, chain, identifier) {
                    found.entries.append(entry)
                }
            }
        }
        return found
    }

    private func requireDrops(
        _ context: RequestContext, _ at: CatalogReference, _ found: Contents
    ) throws {
        for namespace in found.namespaces {
            try authorizer.require(
                context, .namespaceDrop, resource(context, at, namespace.levels))
        }
        for entry in found.entries {
            let own = resource(
                context, at, entry.identifier.namespace, entry.identifier.name, kind: entry.kind)
            if mayFind(context, own) || listing.decide(context, .tableDrop, own).isAllowed {
                try authorizer.require(context, .tableDrop, own)
                continue
            }
            // The caller is not told the name of what they may not see.
            let place = resource(context, at, entry.identifier.namespace)
            throw AccessDenied(
                principal: context.principal.name, action: .namespaceDrop, resource: place,
                reason: "it has tables or views that you may not drop")
        }
    }

    /// Drops what was found, unless something else is there now: then nothing is dropped, and it is false.
    private func dropAll(
        _ context: RequestContext, _ at: CatalogReference, _ levels: [String], _ found: Contents,
        _ files: DroppedFiles
    ) throws -> Bool {
        for namespace in found.namespaces {
            try Self.refuseIfProtected(
                namespace.properties, namespace.levels.joined(separator: "."))
        }
        let properties = found.entries.map { self.properties(of: $0) }
        for (entry, properties) in zip(found.entries, properties) {
            try Self.refuseIfProtected(properties, "\(entry.identifier)")
        }
        return try database.writeGrouped { tx in
            let now = try contents(tx, context, at, levels)
            guard now.namespaces == found.namespaces,
                now.entries.map(\.identifier) == found.entries.map(\.identifier),
                now.entries.map(\.metadataLocation) == found.entries.map(\.metadataLocation)
            else { return false }
            for (entry, properties) in zip(found.entries, properties) {
                try drop(tx, context, at, entry, properties, files)
            }
            let chain = try chain(tx, context, at)
            for namespace in found.namespaces {
                try dropRow(tx, context, at, chain, namespace)
                try record(
                    tx, context, at, kind: "catalog.namespace.dropped",
                    namespace: namespace.levels, name: nil)
            }
            return true
        }
    }
}
