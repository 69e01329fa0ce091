import Authority
import SQLFunctions
import SQLPlanning
import Vectors

/// `information_schema` of a catalog. Source: `reference/trino-dialect.md`, section 7.
enum InformationSchema {
    static let tableNames = [
        "applicable_roles", "columns", "enabled_roles", "roles", "schemata", "table_privileges",
        "tables",
        "views",
    ]

    /// The table of that name; nil when there is none.
    static func table(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable? {
        let catalog = name.catalog
        switch name.table {
        case "schemata":
            return ListingTable(name, textColumns("catalog_name", "schema_name")) {
                (_) throws(QueryFault) in
                try catalogs.schemaNames(context, catalog).map { [.text(catalog), .text($0)] }
            }
        case "tables":
            let columns =
                textColumns("table_catalog", "table_schema", "table_name", "table_type") + [
                    TableColumn(name: "table_comment", type: .text, isHidden: true)
                ]
            return ListingTable(name, columns) { (wanted) throws(QueryFault) in
                var rows: [[LiteralValue]] = []
                for entry in try entries(catalogs, context, catalog, wanted) {
                    let isView =
                        entry.isView
                        && !MaterializedViewListing.isMaterialized(
                            catalogs, context,
                            TableName(catalog: catalog, schema: entry.schema, table: entry.name))
                    rows.append([
                        .text(catalog), .text(entry.schema), .text(entry.name),
                        .text(isView ? "VIEW" : "BASE TABLE"), .null,
                    ])
                }
                return rows
            }
        case "columns": return columns(name, catalogs, context)
        case "views":
            return ListingTable(
                name, textColumns("table_catalog", "table_schema", "table_name", "view_definition")
            ) { (wanted) throws(QueryFault) in
                var rows: [[LiteralValue]] = []
                for entry in try entries(catalogs, context, catalog, wanted) where entry.isView {
                    let view = TableName(catalog: catalog, schema: entry.schema, table: entry.name)
                    guard case .view(let definition)? = resolved(catalogs, context, view),
                        definition.materialization == nil
                    else { continue }
                    rows.append([
                        .text(catalog), .text(entry.schema), .text(entry.name),
                        .text(definition.sql),
                    ])
                }
                return rows
            }
        case "roles": return PrivilegeListing.roles(name, catalogs, context)
        case "enabled_roles":
            return ListingTable(name, textColumns("role_name")) { (_) throws(QueryFault) in
                context.principal.roles.map { [.text($0)] }
            }
        case "applicable_roles":
            return ListingTable(
                name, textColumns("grantee", "grantee_type", "role_name", "is_grantable")
            ) { (_) throws(QueryFault) in
                context.principal.roles.map {
                    [.text(context.principal.name), .text("USER"), .text($0), .text("NO")]
                }
            }
        case "table_privileges": return PrivilegeListing.table(name, catalogs, context)
        default: return nil
        }
    }

    private static func columns(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        let catalog = name.catalog
        let columns =
            textColumns("table_catalog", "table_schema", "table_name", "column_name") + [
                TableColumn(name: "ordinal_position", type: .bigint)
            ] + textColumns("column_default", "is_nullable", "data_type")
            + ["comment", "extra_info", "column_comment"].map {
                TableColumn(name: $0, type: .text, isHidden: true)
            }
        return ListingTable(name, columns) { (wanted) throws(QueryFault) in
            var rows: [[LiteralValue]] = []
            for entry in try entries(catalogs, context, catalog, wanted) {
                let table = TableName(catalog: catalog, schema: entry.schema, table: entry.name)
                let visible = Self.visibleColumns(catalogs, context, table)
                for (index, column) in visible.enumerated() {
                    rows.append([
                        .text(catalog), .text(entry.schema), .text(entry.name), .text(column.name),
                        .integer(Int64(index + 1)), .optional(ColumnDefault.text(column)),
                        .text(column.isNullable ? "YES" : "NO"),
                        .text("\(column.type)"), .optional(column.comment), .null,
                        .optional(column.comment),
                    ])
                }
            }
            return rows
        }
    }

    /// The visible columns of a relation; empty for one that cannot be resolved (dropped meanwhile,
    /// forbidden, damaged).
    static func visibleColumns(
        _ catalogs: EngineCatalogs, _ context: RequestContext, _ table: TableName
    ) -> [TableColumn] {
        switch resolved(catalogs, context, table) {
        case .table(let table, _)?: table.columns.filter { !$0.isHidden }
        case .view(let view)?: view.columns
        case nil: []
        }
    }

    static func resolved(
        _ catalogs: EngineCatalogs, _ context: RequestContext, _ name: TableName
    ) -> ResolvedRelation? {
        try? catalogs.resolve(context, name, version: .current, span: nil)
    }

    /// Relations that the conditions on schema and table allow.
    static func entries(
        _ catalogs: EngineCatalogs, _ context: RequestContext, _ catalog: String,
        _ wanted: ListingTable.Wanted, schemaColumn: String = "table_schema",
        tableColumn: String = "table_name"
    ) throws(QueryFault) -> [(schema: String, name: String, isView: Bool)] {
        var found: [(schema: String, name: String, isView: Bool)] = []
        for schema in try catalogs.schemaNames(context, catalog)
        where wanted.allows(schemaColumn, schema) {
            for relation in try catalogs.relations(context, catalog, schema)
            where wanted.allows(tableColumn, relation.name) {
                found.append((schema, relation.name, relation.isView))
            }
        }
        return found
    }
}
