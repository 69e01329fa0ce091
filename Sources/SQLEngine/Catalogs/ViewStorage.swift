import Authority
import Iceberg
import JSON
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import TableFiles
import Vectors

/// How SQL views are kept as Iceberg views: dialect `trino`, with owner and security as properties.
///
/// Types that Iceberg's schema cannot say (`varchar(3)`, `json`) are in the version's summary beside it,
/// so that foreign engines find a plain schema and we find the exact one.
/// Source: Iceberg view specification.
enum ViewStorage {
    static let ownerProperty = "trino.run-as-owner"
    static let ownerIDProperty = Catalog.definerProperty
    static let invokerValue = "INVOKER"
    static let commentProperty = "comment"
    /// In the version's summary: a JSON array with each column's SQL type.
    static let typesKey = "sql-column-types"

    static func definition(
        of loaded: LoadedView, _ name: TableName
    ) throws(QueryFault) -> ViewDefinition {
        let metadata = loaded.metadata
        guard let version = metadata.currentVersion, let sql = version.sql(dialect: "trino") else {
            throw QueryFault(
                .invalidView, "the view has no definition in our dialect: \(name)",
                hint: "create it again with CREATE OR REPLACE VIEW")
        }
        let owner = metadata.properties[ownerProperty] ?? ""
        // Only the id, which the catalog guards, gives rights; the name is for people.
        let id = metadata.properties[ownerIDProperty]
        let principal =
            id == Principal.system.id
            ? Principal.system : Principal(id: id ?? owner, name: owner, kind: .user)
        var definition = ViewDefinition(
            name: name, sql: sql, columns: columns(of: metadata, version),
            catalog: catalog(of: version, name),
            schema: version.defaultNamespace.joined(separator: "."),
            owner: principal, runsAsInvoker: id == nil || owner == invokerValue,
            comment: metadata.properties[commentProperty])
        definition.materialization = MaterializedViewStorage.materialization(of: metadata, name)
        return definition
    }

    /// The catalog that the view's plain names are in. A view of a branch reads that branch, also when it
    /// was made elsewhere, and one that was merged reads where it is now.
    private static func catalog(of version: ViewVersion, _ name: TableName) -> String {
        guard let stored = version.defaultCatalog else { return name.catalog }
        let isOwn =
            CatalogReference(parsing: stored).warehouse
            == CatalogReference(parsing: name.catalog).warehouse
        return isOwn ? name.catalog : stored
    }

    /// The columns with their exact types, where the version says them.
    private static func columns(
        of metadata: ViewMetadata, _ version: ViewVersion
    ) -> [TableColumn] {
        let fields = metadata.schemas.last { $0.schemaID == version.schemaID }?.fields ?? []
        var exact: [LogicalType] = []
        if let text = version.summary[typesKey],
            let types = try? JSONValue(parsing: text).cursor.strings()
        {
            exact = types.compactMap { LogicalType(parsing: $0) }
        }
        let isExact = exact.count == fields.count
        return fields.enumerated().compactMap { index, field in
            let type = isExact ? exact[index] : IcebergTypes.sqlType(field.type)
            return type.map {
                TableColumn(name: field.name.lowercased(), type: $0, comment: field.doc)
            }
        }
    }

    /// The schema and the version of a definition.
    static func version(
        sql: String, columns: [TableColumn], catalog: String?, schema: String?,
        nowMilliseconds: Int64, summary: [String: String]
    ) -> (schema: Schema, version: ViewVersion) {
        var nextID: Int32 = 0
        var fields: [NestedField] = []
        for column in columns {
            nextID += 1
            let id = nextID
            let type =
                (try? IcebergTypes.icebergType(column.type, &nextID)) ?? .primitive(.string)
            fields.append(
                NestedField(
                    id: id, name: column.name, isRequired: false, type: type, doc: column.comment))
        }
        var summary = summary
        summary[typesKey] =
            JSONValue.array(columns.map { .string($0.type.description) }).encodedText()
        let version = ViewVersion(
            versionID: 1, schemaID: -1, timestampMilliseconds: nowMilliseconds, summary: summary,
            representations: [
                JSONObject([
                    ("type", "sql"), ("sql", .string(sql)), ("dialect", "trino"),
                ])
            ],
            defaultCatalog: catalog,
            defaultNamespace: schema.map { $0.split(separator: ".").map(String.init) } ?? [])
        return (Schema(fields: fields), version)
    }
}
