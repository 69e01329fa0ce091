package import Authority
import Diagnostics
import JSON
import SQLite

/// A namespace with its properties.
package struct Namespace: Sendable, Hashable {
    package var levels: [String]
    package var properties: [String: String]
}

extension Catalog {
    /// Makes a namespace; its parent has to exist.
    @discardableResult
    package func createNamespace(
        _ context: RequestContext, _ at: CatalogReference, _ levels: [String],
        properties: [String: String] = [:]
    ) throws -> Namespace {
        try authorizer.require(context, .namespaceCreate, resource(context, at, levels))
        try Self.check(namespace: levels)
        try requirePlace(context, ofNamespace: properties)
        return try database.writeGrouped { tx in
            let chain = try chain(tx, context, at)
            if try findNamespace(tx, context, at, chain, levels) != nil {
                throw CatalogError(
                    code: .alreadyExists,
                    message: "namespace exists already: \(levels.joined(separator: "."))")
            }
            if levels.count > 1 {
                _ = try requireNamespace(tx, context, at, chain, Array(levels.dropLast()))
            }
            try put(tx, context, at, Namespace(levels: levels, properties: properties))
            try record(
                tx, context, at, kind: "catalog.namespace.created", namespace: levels, name: nil)
            return Namespace(levels: levels, properties: properties)
        }
    }

    /// Reads a namespace.
    package func namespace(
        _ context: RequestContext, _ at: CatalogReference, _ levels: [String]
    ) throws -> Namespace {
        try authorizer.require(context, .namespaceList, resource(context, at, levels))
        return try database.read { tx in
            try requireNamespace(tx, context, at, try chain(tx, context, at), levels)
        }
    }

    /// When the namespace itself was changed last, in milliseconds of the epoch; 0 where nobody knows.
    package func namespaceChangedMilliseconds(
        _ context: RequestContext, _ at: CatalogReference, _ levels: [String]
    ) throws -> Int64 {
        try authorizer.require(context, .namespaceList, resource(context, at, levels))
        let microseconds = try database.read { tx in
            try tx.number(
                """
                SELECT max(at_us) FROM commits
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND subject = ?
                  AND operation LIKE 'catalog.namespace.%'
                """, context.tenant, at.warehouse, at.reference, levels.joined(separator: "."))
        }
        return (microseconds ?? 0) / 1000
    }

    /// The namespaces right below `parent` (empty: the top), by name.
    package func listNamespaces(
        _ context: RequestContext, _ at: CatalogReference, parent: [String] = [],
        limit: Int? = nil, token: String? = nil
    ) throws -> Page<[String]> {
        let isWhole = try requireListing(context, .namespaceList, resource(context, at, parent))
        return try database.read { tx in
            let chain = try chain(tx, context, at)
            if !parent.isEmpty { _ = try requireNamespace(tx, context, at, chain, parent) }
            let prefix = parent.isEmpty ? "" : parent.folded + namespaceSeparator
            // U+0020 is the first character after the separator: the range holds all descendants.
            let upper = parent.isEmpty ? "\u{10FFFF}" : parent.folded + " "
            let start = token.map { max($0, prefix) } ?? prefix
            var found: [(folded: String, path: String)] = []
            for name in try mergedRows(
                tx, chain,
                """
                SELECT folded, path, is_dropped FROM namespaces
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND folded > ? AND folded < ?
                  AND depth = ? ORDER BY folded LIMIT ?
                """,
                { [context.tenant, at.warehouse, $0, start, upper, parent.count + 1] },
                limit: isWhole ? limit : nil)
            where isWhole || mayList(context, resource(context, at, name.path.levels)) {
                found.append(name)
            }
            return page(found, limit: limit) { $0.path.levels }
        }
    }

    /// Sets and removes properties; returns what changed and what was not there to remove.
    package func updateNamespace(
        _ context: RequestContext, _ at: CatalogReference, _ levels: [String],
        set: [String: String], remove: [String]
    ) throws -> (updated: [String], removed: [String], missing: [String]) {
        try authorizer.require(context, .namespaceAlter, resource(context, at, levels))
        if let both = remove.first(where: { set[$0] != nil }) {
            throw CatalogError(
                code: .contradictoryRequest,
                message: "a property is both set and removed: \(both)")
        }
        if set["location"] != nil {
            let before = try database.read { tx in
                try requireNamespace(tx, context, at, try chain(tx, context, at), levels)
            }
            try requirePlace(
                context, ofNamespace: set, before: before.properties["location"])
        }
        return try database.writeGrouped { tx in
            var namespace = try requireNamespace(
                tx, context, at, try chain(tx, context, at), levels)
            let removed = remove.filter { namespace.properties.removeValue(forKey: $0) != nil }
            for (name, value) in set { namespace.properties[name] = value }
            try put(tx, context, at, namespace)
            try record(
                tx, context, at, kind: "catalog.namespace.altered", namespace: levels, name: nil)
            return (set.keys.sorted(), removed, remove.filter { !removed.contains($0) })
        }
    }

    /// Drops an empty namespace.
    package func dropNamespace(
        _ context: RequestContext, _ at: CatalogReference, _ levels: [String]
    ) throws {
        try authorizer.require(context, .namespaceDrop, resource(context, at, levels))
        try database.writeGrouped { tx in
            let chain = try chain(tx, context, at)
            let namespace = try requireNamespace(tx, context, at, chain, levels)
            try Self.refuseIfProtected(namespace.properties, levels.joined(separator: "."))
            if let inside = try firstInside(tx, context, at, chain, levels) {
                throw CatalogError(
                    code: .namespaceNotEmpty,
                    message:
                        "namespace is not empty: \(levels.joined(separator: ".")) has \(inside)",
                    hint: "drop what is in it first")
            }
            try dropRow(tx, context, at, chain, namespace)
            try record(
                tx, context, at, kind: "catalog.namespace.dropped", namespace: levels, name: nil)
        }
    }

    // MARK: Rows

    /// Something that is in a namespace; nil when it is empty.
    func firstInside(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ chain: [String], _ levels: [String]
    ) throws -> String? {
        let prefix = levels.folded + namespaceSeparator
        let children = try mergedRows(
            tx, chain,
            """
            SELECT folded, path, is_dropped FROM namespaces
            WHERE tenant = ? AND warehouse = ? AND ref = ? AND folded > ? AND folded < ?
            ORDER BY folded LIMIT ?
            """, { [context.tenant, at.warehouse, $0, prefix, levels.folded + " "] }, limit: nil)
        let entries = try mergedRows(
            tx, chain,
            """
            SELECT folded, name, is_dropped FROM pointers
            WHERE tenant = ? AND warehouse = ? AND ref = ? AND namespace = ?
            ORDER BY folded LIMIT ?
            """, { [context.tenant, at.warehouse, $0, levels.folded] }, limit: nil)
        return children.first?.path.levels.last ?? entries.first?.path
    }

    /// Takes an empty namespace away: the row, or a mark where a parent reference has it too.
    func dropRow(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ chain: [String], _ namespace: Namespace
    ) throws {
        guard chain.count == 1 else {
            return try put(tx, context, at, namespace, isDropped: true)
        }
        try preserve(tx, context, at, namespace: namespace.levels)
        try tx.run(
            """
            DELETE FROM namespaces
            WHERE tenant = ? AND warehouse = ? AND ref = ? AND folded = ?
            """, context.tenant, at.warehouse, at.reference, namespace.levels.folded)
    }

    func requireNamespace(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ chain: [String], _ levels: [String]
    ) throws -> Namespace {
        if let namespace = try findNamespace(tx, context, at, chain, levels) { return namespace }
        let near = try tx.query(
            "SELECT path FROM namespaces WHERE tenant = ? AND warehouse = ? AND ref = ? LIMIT 1000",
            context.tenant, at.warehouse, at.reference
        ) { $0.string(0).levels.joined(separator: ".") }
        let name = levels.joined(separator: ".")
        throw CatalogError(
            code: .noSuchNamespace, message: "namespace not found: \(name)",
            hint: nearestName(to: name, among: near).map { "did you mean \($0)?" })
    }

    func findNamespace(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ chain: [String], _ levels: [String]
    ) throws -> Namespace? {
        for reference in chain {
            let row = try tx.first(
                """
                SELECT path, properties, is_dropped FROM namespaces
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND folded = ?
                """, context.tenant, at.warehouse, reference, levels.folded,
                row: { ($0.string(0), $0.string(1), $0.bool(2)) })
            guard let row else { continue }
            return row.2
                ? nil : Namespace(levels: row.0.levels, properties: try decodeProperties(row.1))
        }
        return nil
    }

    func put(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ namespace: Namespace, isDropped: Bool = false
    ) throws {
        try preserve(tx, context, at, namespace: namespace.levels)
        let inherited = try chain(tx, context, at).dropFirst()
        let base = try findNamespace(tx, context, at, Array(inherited), namespace.levels)
        try tx.run(
            """
            INSERT INTO namespaces
                (tenant, warehouse, ref, folded, path, depth, properties, owner, is_dropped, created_us,
                 base_properties)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (tenant, warehouse, ref, folded) DO UPDATE SET
                properties = excluded.properties, is_dropped = excluded.is_dropped
            """, context.tenant, at.warehouse, at.reference, namespace.levels.folded,
            namespace.levels.joinedLevels, namespace.levels.count,
            encodeProperties(namespace.properties), context.principal.name, isDropped,
            tx.nowMicroseconds, base.map { encodeProperties($0.properties) })
    }

    /// Rows of all references of the chain by their folded name; the nearest reference wins, and what
    /// it dropped is gone.
    func mergedRows(
        _ tx: ReadTransaction, _ chain: [String], _ sql: String,
        _ values: (String) -> [any SQLiteBindable], limit: Int?
    ) throws -> [(folded: String, path: String)] {
        // One more than asked for tells whether there is a next page. A longer chain hides rows, so
        // everything is read there.
        let count = chain.count == 1 ? limit.map { $0 + 1 } ?? -1 : -1
        var rows: [String: (path: String, isDropped: Bool)] = [:]
        for reference in chain {
            try tx.each(sql, values: values(reference) + [count]) { row in
                let folded = row.string(0)
                if rows[folded] == nil { rows[folded] = (row.string(1), row.bool(2)) }
                return true
            }
        }
        return rows.filter { !$0.value.isDropped }.map { ($0.key, $0.value.path) }
            .sorted { $0.folded.utf8.lexicographicallyPrecedes($1.folded.utf8) }
    }

    func page<Element>(
        _ rows: [(folded: String, path: String)], limit: Int?,
        _ element: ((folded: String, path: String)) -> Element
    ) -> Page<Element> {
        guard let limit, rows.count > limit, limit > 0 else {
            return Page(elements: rows.map(element), nextToken: nil)
        }
        return Page(
            elements: rows.prefix(limit).map(element), nextToken: rows[limit - 1].folded)
    }
}

extension String {
    /// The levels of a joined namespace.
    var levels: [String] {
        split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
    }
}
