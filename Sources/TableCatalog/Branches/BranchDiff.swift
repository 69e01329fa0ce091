package import Authority
import Iceberg
import SQLite

/// What a branch did to one table, view or namespace since it was made, and how it would be merged.
package struct BranchChange: Sendable, Hashable {
    /// What happened to the name on the branch.
    package enum Kind: String, Sendable { case created, changed, dropped }

    /// What a merge would do.
    package enum Outcome: String, Sendable {
        /// The parent still stands where the branch began: it takes the branch's state.
        case forward
        /// The parent changed too, and both go together.
        case combined
        /// The parent has it already.
        case same
        case conflict
    }

    package var namespace: [String]
    /// Empty for a namespace.
    package var name: String
    /// `table`, `view` or `namespace`.
    package var entry: String
    package var change: Kind
    /// The table's snapshots, when the branch was made and now; nil: none.
    package var baseSnapshotID: Int64?
    package var snapshotID: Int64?
    /// Rows of these snapshots; nil where a writer did not count them.
    package var baseRowCount: Int64?
    package var rowCount: Int64?
    package var outcome: Outcome
    /// Why there is a conflict.
    package var reason: String?

    /// The name with its namespace.
    package var subject: String {
        (namespace + (name.isEmpty ? [] : [name])).joined(separator: ".")
    }
}

extension Catalog {
    /// What a branch changed since it was made from its parent, by name; tags have changed nothing.
    package func diff(
        _ context: RequestContext, _ at: CatalogReference
    ) throws -> [BranchChange] {
        try authorizer.require(context, .warehouseUse, resource(context, at, []))
        let plan = try mergePlan(context, at, into: nil)
        return plan.changes.filter { change in
            authorizer.decide(context, .tableList, resource(context, at, change.namespace))
                .isAllowed
        }
    }
}

/// A row of a branch that differs from where the branch began.
struct BranchRow: Hashable {
    var identifier: TableIdentifier
    var kind: EntryKind
    /// nil: dropped.
    var location: String?
    /// nil: it was not there.
    var base: String?
}

/// The same of a namespace; states are its properties as text.
struct BranchNamespaceRow: Hashable {
    var levels: [String]
    var properties: String?
    var base: String?
}

extension Catalog {
    /// What the branch itself changed among tables and views.
    func changedRows(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> [BranchRow] {
        try tx.query(
            """
            SELECT path, name, kind, CASE WHEN is_dropped THEN NULL ELSE metadata_location END
                AS state, base_location
            FROM pointers WHERE tenant = ? AND warehouse = ? AND ref = ?
              AND state IS NOT base_location ORDER BY namespace, folded
            """, context.tenant, at.warehouse, at.reference
        ) { row in
            BranchRow(
                identifier: TableIdentifier(namespace: row.string(0).levels, name: row.string(1)),
                kind: EntryKind(rawValue: row.string(2)) ?? .table, location: row.stringOrNil(3),
                base: row.stringOrNil(4))
        }
    }

    /// What the branch itself changed among namespaces, outer ones first.
    func changedNamespaces(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference
    ) throws -> [BranchNamespaceRow] {
        try tx.query(
            """
            SELECT path, CASE WHEN is_dropped THEN NULL ELSE properties END AS state,
                base_properties
            FROM namespaces WHERE tenant = ? AND warehouse = ? AND ref = ?
              AND state IS NOT base_properties ORDER BY depth, folded
            """, context.tenant, at.warehouse, at.reference
        ) { row in
            BranchNamespaceRow(
                levels: row.string(0).levels, properties: row.stringOrNil(1),
                base: row.stringOrNil(2))
        }
    }
}
