import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

extension StatementRun {
    /// SHOW CREATE: one row with the statement that would make the thing again.
    func showCreate(
        _ kind: CreateKind, _ name: QualifiedName
    ) throws(QueryFault) -> StatementOutcome {
        switch kind {
        case .catalog: throw catalogs.unknownCatalog(context, "\(name)", span: name.span)
        case .table: row("Create Table", try createTableText(name))
        case .view: row("Create View", try createViewText(name))
        case .schema: row("Create Schema", try createSchemaText(name))
        case .materializedView:
            row("Create Materialized View", try createMaterializedViewText(name))
        }
    }

    private func row(_ label: String, _ text: String) -> StatementOutcome {
        .rows([QueryColumn(name: label, type: .text)], [[.text(text)]])
    }

    private func createTableText(_ name: QualifiedName) throws(QueryFault) -> String {
        let table = try tableName(name)
        let columns: [TableColumn]
        var metadata: TableMetadata?
        switch try catalogs.resolve(context, table, version: .current, span: name.span) {
        case .view:
            throw QueryFault(
                .notSupported, "Relation '\(table)' is a view, not a table",
                hint: "write SHOW CREATE VIEW", span: name.span)
        case .table(let found, _):
            columns = found.columns.filter { !$0.isHidden }
            metadata = (found as? IcebergTable)?.metadata
        }
        let lines = columns.map { column in
            var line = "   \(SQLFormatter.quoted(name: column.name)) \(column.type)"
            if let value = ColumnDefault.text(column) { line += " DEFAULT \(value)" }
            if !column.isNullable { line += " NOT NULL" }
            if let comment = column.comment {
                line += " COMMENT \(SQLFormatter.quoted(string: comment))"
            }
            return line
        }
        var text =
            "CREATE TABLE \(Self.quoted(table)) (\n" + lines.joined(separator: ",\n") + "\n)"
        guard let metadata else { return text + (try connectedProperties(table)) }
        if let comment = metadata.properties["comment"] {
            text += "\nCOMMENT \(SQLFormatter.quoted(string: comment))"
        }
        let properties = TableProperties.shown(metadata).map { "   \($0.name) = \($0.value)" }
        return text + "\nWITH (\n" + properties.joined(separator: ",\n") + "\n)"
    }

    private func createViewText(_ name: QualifiedName) throws(QueryFault) -> String {
        let view = try tableName(name)
        guard
            case .view(let definition) = try catalogs.resolve(
                context, view, version: .current, span: name.span)
        else {
            throw QueryFault(
                .notSupported, "Relation '\(view)' is a table, not a view",
                hint: "write SHOW CREATE TABLE", span: name.span)
        }
        guard definition.materialization == nil else {
            throw QueryFault(
                .notSupported, "Relation '\(view)' is a materialized view, not a view",
                hint: "write SHOW CREATE MATERIALIZED VIEW", span: name.span)
        }
        var text = "CREATE VIEW \(Self.quoted(view))"
        let loaded = try loadedView(
            view, try catalog(), catalogs.reference(view.catalog))
        if let comment = loaded?.metadata.properties[ViewStorage.commentProperty] {
            text += " COMMENT \(SQLFormatter.quoted(string: comment))"
        }
        text += " SECURITY \(definition.runsAsInvoker ? "INVOKER" : "DEFINER") AS\n"
        return text + definition.sql
    }

    private func createSchemaText(_ name: QualifiedName) throws(QueryFault) -> String {
        let (catalogName, schema) = try schemaName(name)
        let schemas = try catalogs.schemaNames(context, catalogName)
        guard schemas.contains(schema) else {
            throw QueryFault(
                .schemaNotFound, "Schema '\(catalogName).\(schema)' does not exist",
                hint: suggestion(schema, schemas), span: name.span)
        }
        var text =
            "CREATE SCHEMA \(SQLFormatter.quoted(name: catalogName))."
            + SQLFormatter.quoted(name: schema)
        guard let catalog = catalogs.catalog, catalogs.isWarehouse(context, catalogName) else {
            return text
        }
        let levels = schema.split(separator: ".").map(String.init)
        let namespace = try? catalog.namespace(
            context, catalogs.reference(catalogName), levels)
        if let location = namespace?.properties["location"] {
            text += "\nWITH (\n   location = \(SQLFormatter.quoted(string: location))\n)"
        }
        return text
    }

    /// A full name as SQL has to write it.
    static func quoted(_ name: TableName) -> String {
        [name.catalog, name.schema, name.table].map { SQLFormatter.quoted(name: $0) }
            .joined(separator: ".")
    }
}
