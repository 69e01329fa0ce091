import Authority
import Iceberg
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// `system.metadata.materialized_views`, and how SHOW CREATE writes them.
enum MaterializedViewListing {
    static func table(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        let columns =
            textColumns(
                "catalog_name", "schema_name", "name", "storage_catalog", "storage_schema",
                "storage_table", "freshness")
            + [TableColumn(name: "last_fresh_time", type: .timestampWithTimeZone(precision: 9))]
            + textColumns("comment", "definition")
        return ListingTable(name, columns) { (wanted) throws(QueryFault) in
            var rows: [[LiteralValue]] = []
            for catalog in catalogs.catalogNames(context)
            where wanted.allows("catalog_name", catalog) {
                for entry in try InformationSchema.entries(
                    catalogs, context, catalog, wanted, schemaColumn: "schema_name",
                    tableColumn: "name")
                where entry.isView {
                    let name = TableName(
                        catalog: catalog, schema: entry.schema, table: entry.name)
                    guard
                        case .view(let view)? = InformationSchema.resolved(
                            catalogs, context, name),
                        let materialization = view.materialization
                    else { continue }
                    rows.append(row(view, materialization, catalogs, context))
                }
            }
            return rows
        }
    }

    private static func row(
        _ view: ViewDefinition, _ materialization: Materialization, _ catalogs: EngineCatalogs,
        _ context: RequestContext
    ) -> [LiteralValue] {
        let views = MaterializedViews(
            catalogs: catalogs,
            session: SessionValues(startMicroseconds: 0, user: context.principal.name))
        var freshness = Freshness.stale
        var since: Int64?
        if let storage = try? views.storage(of: view, context),
            let refresh = RefreshState(storage.snapshot)
        {
            if let present = try? views.present(view, context, viewer: nil) {
                (freshness, since) = views.freshness(refresh, present)
            } else {
                since = refresh.refreshedMilliseconds
            }
        }
        let storage = materialization.storage
        return [
            .text(view.name.catalog), .text(view.name.schema), .text(view.name.table),
            .text(storage.catalog), .text(storage.schema), .text(storage.table),
            .text(freshness.rawValue),
            since.map { .wide(Int128($0 * 1000) << 64) } ?? .null, .optional(view.comment),
            .text(view.sql),
        ]
    }

    /// Whether the view of that name is materialized: such are tables to `information_schema`.
    static func isMaterialized(
        _ catalogs: EngineCatalogs, _ context: RequestContext, _ name: TableName
    ) -> Bool {
        guard case .view(let view)? = InformationSchema.resolved(catalogs, context, name) else {
            return false
        }
        return view.materialization != nil
    }
}

extension StatementRun {
    /// The statement that would make the materialized view again.
    func createMaterializedViewText(_ name: QualifiedName) throws(QueryFault) -> String {
        let written = try tableName(name)
        guard
            case .view(let view) = try catalogs.resolve(
                context, written, version: .current, span: name.span),
            let materialization = view.materialization
        else {
            throw QueryFault(
                .notSupported, "Relation '\(written)' is not a materialized view",
                hint: "write SHOW CREATE VIEW or SHOW CREATE TABLE", span: name.span)
        }
        var text = "CREATE MATERIALIZED VIEW \(Self.quoted(written))"
        if let grace = materialization.graceMilliseconds {
            let rest = "00\(grace % 1000)".suffix(3)
            let seconds = "\(grace / 1000)" + (grace % 1000 == 0 ? "" : ".\(rest)")
            text += "\nGRACE PERIOD INTERVAL '\(seconds)' SECOND"
        }
        if materialization.failsWhenStale { text += "\nWHEN STALE FAIL" }
        if let comment = view.comment {
            text += "\nCOMMENT \(SQLFormatter.quoted(string: comment))"
        }
        var properties: [(name: String, value: String)] = []
        if let storage = try materializedViews.storage(of: view, context) {
            var metadata = storage.metadata
            metadata.properties[MaterializedViewStorage.viewProperty] = nil
            metadata.properties[Catalog.undropProperty] = nil
            properties = TableProperties.shown(metadata).filter { $0.name != "location" }
        }
        properties.append(
            ("storage_schema", SQLFormatter.quoted(string: materialization.storage.schema)))
        let lines = properties.map { "   \($0.name) = \($0.value)" }
        return text + "\nWITH (\n" + lines.joined(separator: ",\n") + "\n) AS\n" + view.sql
    }
}
