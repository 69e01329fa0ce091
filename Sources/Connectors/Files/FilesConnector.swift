package import Authority
package import ObjectStorage
package import SQLEngine
package import SQLFunctions
package import SQLite
import Vectors

/// `USING files`: tables over files that others keep in buckets. Source: Trino documentation, "Hive
/// connector", as far as external tables go.
package struct FilesConnector: Connector {
    private let shared: FilesCatalog.Shared

    /// `database` keeps the definitions; `store` reads with the appliance's own rights.
    package init(
        database: Database, store: any ObjectStore, authorizer: any Authorizer,
        governance: (any TableGovernance)?
    ) {
        shared = FilesCatalog.Shared(
            database: database, store: store, authorizer: authorizer, governance: governance,
            budget: MemoryBudget(limitBytes: 256 << 20))
    }

    package var name: String { "files" }

    package var properties: [ConnectorProperty] { [] }

    package func open(
        _ declaration: CatalogDeclaration
    ) throws(QueryFault) -> any ConnectedCatalog {
        FilesCatalog(name: declaration.name, shared)
    }
}

extension CatalogRegistry {
    /// The catalogs that every appliance has.
    package static let builtIn = [
        CatalogDeclaration(name: "files", connector: "files", properties: [:]),
        CatalogDeclaration(name: "tpch", connector: TPCHConnector.connectorName, properties: [:]),
    ]
}
