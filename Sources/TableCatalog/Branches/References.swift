package import Authority
import Diagnostics
import JSON
import SQLite

/// A branch or tag of a warehouse.
package struct ReferenceRecord: Sendable, Hashable {
    /// The warehouse and the reference's own name.
    package var at: CatalogReference
    package var kind: ReferenceKind
    /// What it was made from; nil for `main`.
    package var parent: String?
    package var createdBy: String
    package var createdMicroseconds: Int64
    /// The commit it stands at; nil before the first.
    package var commitID: Int64?
}

/// One change of a reference.
package struct CommitRecord: Sendable, Hashable {
    package var id: Int64
    package var parent: Int64?
    /// The reference that it was made on.
    package var reference: String
    package var atMicroseconds: Int64
    package var principal: String
    package var requestID: String
    /// The event's kind, such as `catalog.table.committed`.
    package var operation: String
    /// The table, view, namespace or branch that changed.
    package var subject: String
}

extension Catalog {
    /// Makes a branch or tag of a warehouse: one row, however many tables there are.
    ///
    /// Throws `.alreadyExists`, unless the same reference `mayExist`.
    @discardableResult
    package func createReference(
        _ context: RequestContext, _ at: CatalogReference, from origin: String = "main",
        kind: ReferenceKind = .branch, mayExist: Bool = false
    ) throws -> ReferenceRecord {
        try createReferences(context, [at], from: origin, kind: kind, mayExist: mayExist)[0]
    }

    /// Makes several at once, all or none: a branch over more than one warehouse.
    @discardableResult
    package func createReferences(
        _ context: RequestContext, _ wanted: [CatalogReference], from origin: String = "main",
        kind: ReferenceKind = .branch, mayExist: Bool = false
    ) throws -> [ReferenceRecord] {
        for at in wanted {
            try authorizer.require(context, .warehouseBranch, resource(context, at, []))
            try Self.check(reference: at.reference)
        }
        return try database.write { tx in
            try wanted.map { at in
                if let known = try findReference(tx, context, at) {
                    if mayExist, known.kind == kind { return known }
                    throw CatalogError(
                        code: .alreadyExists,
                        message: "\(known.kind.rawValue) exists already: \(at)"
                    )
                }
                let from = CatalogReference(
                    warehouse: at.warehouse, reference: origin.lowercased())
                let depth = try chain(tx, context, from).count
                guard depth < Limits.branchDepth else {
                    throw CatalogError(
                        code: .limitExceeded,
                        message: "branches of branches go \(Limits.branchDepth) deep at the most",
                        hint: "merge \(origin) first, or make the branch from main")
                }
                try tx.run(
                    """
                    INSERT INTO refs
                        (tenant, warehouse, name, kind, parent, commit_id, created_us, created_by)
                    SELECT tenant, warehouse, ?, ?, name, commit_id, ?, ? FROM refs
                    WHERE tenant = ? AND warehouse = ? AND name = ?
                    """, at.reference, kind.rawValue, tx.nowMicroseconds, context.principal.name,
                    context.tenant, at.warehouse, from.reference)
                try emit(
                    tx, context, at, "catalog.\(kind.rawValue).created",
                    [("from", .string(from.reference))])
                return try requireReference(tx, context, at)
            }
        }
    }

    /// The branches and tags of a warehouse, by name.
    package func references(
        _ context: RequestContext, warehouse: String
    ) throws -> [ReferenceRecord] {
        let at = CatalogReference(warehouse: warehouse)
        try authorizer.require(context, .warehouseUse, resource(context, at, []))
        return try database.read { tx in
            _ = try chain(tx, context, at)
            return try tx.query(
                """
                SELECT name, kind, parent, created_by, created_us, commit_id FROM refs
                WHERE tenant = ? AND warehouse = ? AND kind != 'transaction'
                ORDER BY name != 'main', name
                """, context.tenant, warehouse
            ) { Self.record($0, warehouse) }
        }
    }

    /// One branch or tag; `.noSuchReference` when there is none of the name.
    package func reference(
        _ context: RequestContext, _ at: CatalogReference
    ) throws -> ReferenceRecord {
        try authorizer.require(context, .warehouseUse, resource(context, at, []))
        return try database.read { tx in
            _ = try chain(tx, context, at)
            return try requireReference(tx, context, at)
        }
    }

    /// Deletes a branch or tag with what only it has. Branches made from it keep what they see.
    /// Returns whether there was one, where `mayBeMissing`.
    @discardableResult
    package func dropReference(
        _ context: RequestContext, _ at: CatalogReference, mayBeMissing: Bool = false
    ) throws -> Bool {
        try authorizer.require(context, .warehouseBranch, resource(context, at, []))
        guard at.reference != "main" else {
            throw CatalogError(
                code: .invalidRequest, message: "main cannot be deleted: \(at.warehouse)")
        }
        let isGone = try database.write { tx -> Bool in
            _ = try chain(tx, context, CatalogReference(warehouse: at.warehouse))
            guard let known = try findReference(tx, context, at) else {
                if mayBeMissing { return false }
                throw try noSuchReference(tx, context, at)
            }
            let hasChanges =
                try !changedRows(tx, context, at).isEmpty
                || !changedNamespaces(tx, context, at).isEmpty
            // A branch made from one with changes of its own has them too, but would not merge them.
            if hasChanges,
                let child = try tx.text(
                    """
                    SELECT name FROM refs WHERE tenant = ? AND warehouse = ? AND parent = ?
                      AND kind = 'branch' ORDER BY name
                    """, context.tenant, at.warehouse, at.reference)
            {
                throw CatalogError(
                    code: .invalidRequest,
                    message: "\(at) has changes that the branch \(child) was made from",
                    hint: "merge \(at.reference), or delete \(child) first")
            }
            // Tables that came to be on the branch have their files to themselves.
            try tx.run(
                """
                INSERT INTO purges (tenant, location, requested_us)
                SELECT tenant, location, ? FROM pointers
                WHERE tenant = ? AND warehouse = ? AND ref = ? AND is_dropped = 0
                  AND base_location IS NULL AND kind = 'table'
                """, tx.nowMicroseconds, context.tenant, at.warehouse, at.reference)
            try remove(tx, context, known)
            try emit(tx, context, at, "catalog.\(known.kind.rawValue).deleted", [])
            return true
        }
        if isGone { try runPurges() }
        return isGone
    }

    /// The commits that led to where a reference stands, newest first.
    package func log(
        _ context: RequestContext, _ at: CatalogReference, limit: Int = 100
    ) throws -> [CommitRecord] {
        try authorizer.require(context, .warehouseUse, resource(context, at, []))
        return try database.read { tx in
            _ = try chain(tx, context, at)
            return try tx.query(
                """
                WITH RECURSIVE line (id, depth) AS (
                    SELECT commit_id, 1 FROM refs WHERE tenant = ? AND warehouse = ? AND name = ?
                    UNION ALL
                    SELECT c.parent, depth + 1 FROM line JOIN commits c ON c.id = line.id
                    WHERE c.parent IS NOT NULL AND depth < ?)
                SELECT c.id, c.parent, c.ref, c.at_us, c.principal, c.request_id, c.operation,
                    c.subject
                FROM line JOIN commits c ON c.id = line.id ORDER BY line.depth
                """, context.tenant, at.warehouse, at.reference,
                min(max(limit, 1), Limits.listedCommits)
            ) { row in
                CommitRecord(
                    id: row.int64(0), parent: row.int64OrNil(1), reference: row.string(2),
                    atMicroseconds: row.int64(3), principal: row.string(4),
                    requestID: row.string(5), operation: row.string(6), subject: row.string(7))
            }
        }
    }

    /// The metadata files that stand for a table's states on every branch and tag, and those that later
    /// merges compare with. Maintenance keeps them, and all files that their snapshots need.
    package func metadataInUse(atTableLocation location: String) throws -> [String] {
        try database.read { tx in
            try tx.query(
                """
                SELECT metadata_location FROM pointers WHERE location = ?1 AND is_dropped = 0
                UNION
                SELECT base_location FROM pointers
                WHERE location = ?1 AND base_location IS NOT NULL
                """, location
            ) { $0.string(0) }
        }
    }

    // MARK: Rows

    /// Takes a reference's rows and itself away; its children belong to its parent then.
    func remove(
        _ tx: WriteTransaction, _ context: RequestContext, _ reference: ReferenceRecord
    ) throws {
        let at = reference.at
        try clear(tx, context, at)
        try tx.run(
            "UPDATE refs SET parent = ? WHERE tenant = ? AND warehouse = ? AND parent = ?",
            reference.parent, context.tenant, at.warehouse, at.reference)
        try tx.run(
            "DELETE FROM refs WHERE tenant = ? AND warehouse = ? AND name = ?", context.tenant,
            at.warehouse, at.reference)
    }

    func requireReference(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> ReferenceRecord {
        guard let found = try findReference(tx, context, at) else {
            throw try noSuchReference(tx, context, at)
        }
        return found
    }

    func findReference(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> ReferenceRecord? {
        try tx.first(
            """
            SELECT name, kind, parent, created_by, created_us, commit_id FROM refs
            WHERE tenant = ? AND warehouse = ? AND name = ?
            """, context.tenant, at.warehouse, at.reference,
            row: { Self.record($0, at.warehouse) })
    }

    func noSuchReference(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> CatalogError {
        let names = try tx.query(
            """
            SELECT name FROM refs
            WHERE tenant = ? AND warehouse = ? AND kind != 'transaction'
            """, context.tenant, at.warehouse
        ) { $0.string(0) }
        return CatalogError(
            code: .noSuchReference, message: "branch or tag not found: \(at)",
            hint: nearestName(to: at.reference, among: names).map { "did you mean \($0)?" })
    }

    private static func record(_ row: Row, _ warehouse: String) -> ReferenceRecord {
        ReferenceRecord(
            at: CatalogReference(warehouse: warehouse, reference: row.string(0)),
            kind: ReferenceKind(rawValue: row.string(1)) ?? .branch, parent: row.stringOrNil(2),
            createdBy: row.string(3), createdMicroseconds: row.int64(4),
            commitID: row.int64OrNil(5))
    }

    /// An event about a reference as a whole.
    func emit(
        _ tx: WriteTransaction, _ context: RequestContext, _ at: CatalogReference, _ kind: String,
        _ details: [(String, JSONValue)]
    ) throws {
        let payload: [(String, JSONValue)] = [
            ("warehouse", .string(at.warehouse)), ("ref", .string(at.reference)),
            ("namespace", .array([])), ("principal", .string(context.principal.name)),
            ("principalId", .string(context.principal.id)),
            ("requestId", .string(context.requestID)), ("door", .string(context.door.rawValue)),
        ]
        try tx.emit(
            tenant: context.tenant, kind: kind,
            payload: JSONValue.object(payload + details).encodedText())
    }

    /// A reference's name: it stands in URLs and behind `@`, and SQL reads it without regard to case.
    static func check(reference name: String) throws(CatalogError) {
        let isPlain = name.utf8.allSatisfy {
            ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F || $0 == 0x2D
                || $0 == 0x2E
        }
        guard isPlain, !name.isEmpty, name.utf8.count <= Limits.referenceBytes else {
            throw CatalogError(
                code: .invalidName,
                message:
                    "a branch or tag has 1 to \(Limits.referenceBytes) small letters, digits, - _ and .: \(name)"
            )
        }
    }
}
