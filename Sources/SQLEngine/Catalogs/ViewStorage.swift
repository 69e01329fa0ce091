import Authority
import Iceberg
import JSON
import SQLFunctions
import SQLPlanning
import TableCatalog

/// How SQL views are kept as Iceberg views: dialect `trino`, with owner and security as properties.
/// Source: Iceberg view specification.
enum ViewStorage {
    static let ownerProperty = "trino.run-as-owner"
    static let invokerValue = "INVOKER"

    static func definition(
        of loaded: LoadedView, _ name: TableName
    ) throws(QueryFault) -> ViewDefinition {
        let metadata = loaded.metadata
        guard let version = metadata.currentVersion, let sql = version.sql(dialect: "trino") else {
            throw QueryFault(
                .invalidView, "the view has no definition in our dialect: \(name)",
                hint: "create it again with CREATE OR REPLACE VIEW")
        }
        let schema = metadata.schemas.last { $0.schemaID == version.schemaID }
        let columns = (schema?.fields ?? []).compactMap { field in
            IcebergTypes.sqlType(field.type).map {
                TableColumn(name: field.name.lowercased(), type: $0, comment: field.doc)
            }
        }
        let owner = metadata.properties[ownerProperty] ?? ""
        let runsAsInvoker = owner.isEmpty || owner == invokerValue
        return ViewDefinition(
            name: name, sql: sql, columns: columns,
            catalog: version.defaultCatalog ?? name.catalog,
            schema: version.defaultNamespace.joined(separator: "."),
            owner: Principal(id: owner, name: owner, kind: .user), runsAsInvoker: runsAsInvoker)
    }
}
