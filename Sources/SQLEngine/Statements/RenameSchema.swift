import Authority
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

extension StatementRun {
    /// ALTER SCHEMA … RENAME TO: makes the new schema, moves everything into it and drops the old one.
    ///
    /// The files of tables stay where they are. What was moved goes back when something cannot be moved, so
    /// that the statement does all or nothing unless the process ends in between; a second try then goes
    /// on, since tables that were moved are in the new schema and the rest in the old one.
    func renameSchema(
        _ name: QualifiedName, to target: Identifier
    ) throws(QueryFault) -> StatementOutcome {
        let (catalogName, schema) = try schemaName(name)
        let (catalog, at) = try writable(catalogName, schema: schema, name)
        let levels = schema.split(separator: ".").map(String.init)
        let renamed = Array(levels.dropLast()) + [target.canonical]
        let outcome = StatementOutcome.done(updateType: "RENAME SCHEMA", count: nil)
        guard renamed != levels else { return outcome }
        let properties: [String: String]
        do {
            properties = try catalog.namespace(context, at, levels).properties
            guard try catalog.listNamespaces(context, at, parent: levels).elements.isEmpty else {
                throw QueryFault(
                    .notSupported, "Schema '\(schema)' has schemas in it and cannot be renamed",
                    span: name.span)
            }
            try catalog.createNamespace(context, at, renamed, properties: properties)
        } catch { throw Self.fault(error, about: schema, exists: .schemaAlreadyExists) }
        var moved: [(TableIdentifier, isView: Bool)] = []
        do {
            for table in try catalog.listTables(context, at, levels).elements {
                try catalog.renameTable(
                    context, at, from: table,
                    to: TableIdentifier(namespace: renamed, name: table.name))
                moved.append((table, false))
            }
            for view in try catalog.listViews(context, at, levels).elements {
                try catalog.renameView(
                    context, at, from: view,
                    to: TableIdentifier(namespace: renamed, name: view.name))
                moved.append((view, true))
            }
            try catalog.dropNamespace(context, at, levels)
        } catch {
            for (old, isView) in moved.reversed() {
                let new = TableIdentifier(namespace: renamed, name: old.name)
                // What cannot go back is still found in the new schema.
                if isView {
                    try? catalog.renameView(context, at, from: new, to: old)
                } else {
                    try? catalog.renameTable(context, at, from: new, to: old)
                }
            }
            try? catalog.dropNamespace(context, at, renamed)
            throw Self.fault(error, about: schema)
        }
        return outcome
    }
}
