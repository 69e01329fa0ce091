import CivilTime
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// Branches and tags of a whole catalog.
extension StatementRun {
    func reference(_ statement: ReferenceStatement) throws(QueryFault) -> StatementOutcome {
        switch statement {
        case .create(let kind, let name, let catalog, let from, let ifNotExists):
            let (store, warehouse) = try warehouse(catalog, name)
            try changing(name.text, exists: .alreadyExists) {
                _ = try store.createReference(
                    context, warehouse.at(name), from: from?.canonical ?? warehouse.branch,
                    kind: kind == .tag ? .tag : .branch, mayExist: ifNotExists)
            }
            return .done(updateType: "CREATE \(kind.rawValue)", count: nil)
        case .drop(let kind, let name, let catalog, let ifExists):
            let (store, warehouse) = try warehouse(catalog, name)
            try changing(name.text) {
                let at = warehouse.at(name)
                if let found = try store.references(context, warehouse: at.warehouse)
                    .first(where: { $0.at == at }), (found.kind == .tag) != (kind == .tag)
                {
                    throw QueryFault(
                        .invalidArguments, "'\(name.text)' is a \(found.kind.rawValue)",
                        hint: "write DROP \(found.kind.rawValue.uppercased())", span: name.span)
                }
                _ = try store.dropReference(context, at, mayBeMissing: ifExists)
            }
            return .done(updateType: "DROP \(kind.rawValue)", count: nil)
        case .merge(let name, let catalog, let into, let drops, let isDryRun):
            let (store, warehouse) = try warehouse(catalog, name)
            let report = try changing(name.text) {
                try store.merge(
                    context, warehouse.at(name), into: into?.canonical, deletes: drops,
                    isDryRun: isDryRun)
            }
            return changes(report.changes)
        case .list(let kind, let catalog):
            return try references(kind, catalog)
        case .changes(let name, let catalog):
            let (store, warehouse) = try warehouse(catalog, name)
            return changes(
                try changing(name.text) { try store.diff(context, warehouse.at(name)) })
        case .log(let name, let catalog):
            return try log(name, catalog)
        }
    }

    private struct Warehouse {
        var name: String
        /// The reference that the catalog's name came with.
        var branch: String

        func at(_ name: Identifier) -> CatalogReference {
            CatalogReference(warehouse: self.name, reference: name.canonical)
        }
    }

    private func warehouse(
        _ catalog: Identifier?, _ node: any SyntaxNode
    ) throws(QueryFault) -> (Catalog, Warehouse) {
        guard let name = catalog?.canonical ?? session.catalog else {
            throw QueryFault(
                .missingCatalogName, "Catalog must be specified when session catalog is not set",
                hint: "write IN CATALOG silver", span: node.span)
        }
        let (store, at) = try writable(name, catalog ?? node)
        return (store, Warehouse(name: at.warehouse, branch: at.reference))
    }

    private func writable(
        _ catalog: String, _ node: any SyntaxNode
    ) throws(QueryFault) -> (catalog: Catalog, at: CatalogReference) {
        try writable(catalog, schema: "", node)
    }

    private func changes(_ changes: [BranchChange]) -> StatementOutcome {
        let text = LogicalType.text
        let number = LogicalType.bigint
        func optional(_ value: Int64?) -> LiteralValue { value.map { .integer($0) } ?? .null }
        return .rows(
            [
                QueryColumn(name: "Schema", type: text), QueryColumn(name: "Name", type: text),
                QueryColumn(name: "Kind", type: text), QueryColumn(name: "Change", type: text),
                QueryColumn(name: "Outcome", type: text),
                QueryColumn(name: "Base Snapshot", type: number),
                QueryColumn(name: "Snapshot", type: number),
                QueryColumn(name: "Base Rows", type: number),
                QueryColumn(name: "Rows", type: number),
                QueryColumn(name: "Reason", type: text),
            ],
            changes.map { change in
                [
                    .text(change.namespace.joined(separator: ".")), .text(change.name),
                    .text(change.entry), .text(change.change.rawValue),
                    .text(change.outcome.rawValue), optional(change.baseSnapshotID),
                    optional(change.snapshotID), optional(change.baseRowCount),
                    optional(change.rowCount), .optional(change.reason),
                ]
            })
    }

    private func references(
        _ kind: ReferenceStatement.Kind, _ catalog: Identifier?
    ) throws(QueryFault) -> StatementOutcome {
        guard let name = catalog?.canonical ?? session.catalog else {
            throw QueryFault(
                .missingCatalogName, "Catalog must be specified when session catalog is not set",
                hint: "write SHOW BRANCHES FROM silver, or SHOW TAGS FROM CATALOG silver")
        }
        let store = try self.catalog()
        guard catalogs.isWarehouse(context, name) else {
            throw catalogs.unknownCatalog(context, name, span: catalog?.span)
        }
        let found = try changing(name) {
            try store.references(context, warehouse: catalogs.reference(name).warehouse)
        }
        let label = kind == .tag ? "Tag" : "Branch"
        return .rows(
            [
                QueryColumn(name: label, type: .text), QueryColumn(name: "From", type: .text),
                QueryColumn(name: "Created", type: .timestampWithTimeZone(precision: 3)),
                QueryColumn(name: "Created By", type: .text),
                QueryColumn(name: "Commit", type: .bigint),
            ],
            found.filter { ($0.kind == .tag) == (kind == .tag) }.map { reference in
                [
                    .text(reference.at.reference), .optional(reference.parent),
                    .wide(Int128(reference.createdMicroseconds) << 64),
                    .text(reference.createdBy), reference.commitID.map { .integer($0) } ?? .null,
                ]
            })
    }

    private func log(
        _ name: Identifier, _ catalog: Identifier?
    ) throws(QueryFault) -> StatementOutcome {
        let (store, warehouse) = try warehouse(catalog, name)
        let commits = try changing(name.text) {
            try store.log(context, warehouse.at(name), limit: 1000)
        }
        return .rows(
            [
                QueryColumn(name: "Commit", type: .bigint),
                QueryColumn(name: "Branch", type: .text),
                QueryColumn(name: "Time", type: .timestampWithTimeZone(precision: 3)),
                QueryColumn(name: "Principal", type: .text),
                QueryColumn(name: "Operation", type: .text),
                QueryColumn(name: "Subject", type: .text),
                QueryColumn(name: "Request", type: .text),
            ],
            commits.map { commit in
                [
                    .integer(commit.id), .text(commit.reference),
                    .wide(Int128(commit.atMicroseconds) << 64), .text(commit.principal),
                    .text(commit.operation), .text(commit.subject), .text(commit.requestID),
                ]
            })
    }
}
