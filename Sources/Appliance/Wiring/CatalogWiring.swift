import Authority
import Connectors
import ConsoleAPI
import Diagnostics
import Identity
import ObjectStorage
import Platform
import SQLEngine
import SQLFunctions
import SQLPlanning

extension Appliance {
    /// The catalogs that are no warehouses: built in, of the configuration, and those that SQL made.
    static func makeCatalogs(
        _ configuration: ApplianceConfiguration, directory: DataDirectory,
        identity: IdentityRegistry, store: any ObjectStore, clock: any WallClock
    ) throws -> CatalogRegistry {
        let sealer = SecretSealer(
            seal: { try identity.seal($0, label: $1) },
            open: { try identity.unseal($0, label: $1) })
        let authorizer = identity.authorizer
        let own = (try? LocalFileSystem().resolve(directory.path)) ?? directory.path
        return try CatalogRegistry(
            databasePath: directory.file("connectors.sqlite"), authorizer: authorizer,
            sealer: sealer, clock: clock,
            fixed: CatalogRegistry.builtIn + (try configuration.catalogDeclarations()),
            connectors: { database in
                [
                    TPCHConnector(), SQLiteConnector(closedFolders: [own]), PostgresConnector(),
                    FilesConnector(
                        database: database, store: store, authorizer: authorizer,
                        governance: identity),
                ]
            })
    }
}

extension ApplianceConfiguration {
    /// The catalogs that the configuration declares: `catalogs.<name>.connector` and its properties.
    /// `${ENV:NAME}` in a value is what the environment says.
    func catalogDeclarations() throws(ApplianceError) -> [CatalogDeclaration] {
        var found: [CatalogDeclaration] = []
        for (name, entries) in catalogs.sorted(by: { $0.key < $1.key }) {
            var properties: [String: String] = [:]
            for (key, entry) in entries {
                properties[key] = try resolved(entry.value, of: "catalogs.\(name).\(key)")
            }
            guard let connector = properties.removeValue(forKey: "connector") else {
                throw ApplianceError(
                    .invalidSetting, "catalogs.\(name) has no connector",
                    hint: "write catalogs.\(name).connector: postgresql, sqlite, tpch or files")
            }
            found.append(
                CatalogDeclaration(name: name, connector: connector, properties: properties))
        }
        return found
    }

    private func resolved(_ value: String, of key: String) throws(ApplianceError) -> String {
        guard value.hasPrefix("${ENV:"), value.hasSuffix("}") else { return value }
        let name = String(value.dropFirst(6).dropLast())
        guard let found = Environment.value(name) else {
            throw ApplianceError(
                .invalidSetting, "\(key) names an environment variable that is not set: \(name)",
                hint: "set \(name) before the server starts")
        }
        return found
    }
}

/// The console's browser over warehouses and connected catalogs alike.
struct WholeCatalogBrowser: CatalogBrowser {
    let warehouses: TableCatalogBrowser
    let connected: CatalogRegistry

    func warehouses(_ context: RequestContext) throws -> [ConsoleWarehouse] {
        var found = try warehouses.warehouses(context)
        for name in connected.names(context) where !found.contains(where: { $0.name == name }) {
            let declaration = try? connected.declaration(context, name)
            found.append(
                ConsoleWarehouse(
                    name: name, location: "connector \(declaration?.connector ?? "?")"))
        }
        return found
    }

    private func catalog(
        _ context: RequestContext, _ name: String
    ) throws -> (any ConnectedCatalog)? {
        let isWarehouse = try warehouses.warehouses(context).contains { $0.name == name }
        return isWarehouse ? nil : try connected.connected(context, name)
    }

    func namespaces(
        _ context: RequestContext, warehouse: String
    ) throws -> ConsoleNames<[String]> {
        guard let catalog = try catalog(context, warehouse) else {
            return try warehouses.namespaces(context, warehouse: warehouse)
        }
        return ConsoleNames(try catalog.schemas(context).map { [$0] })
    }

    func namespace(
        _ context: RequestContext, warehouse: String, levels: [String]
    ) throws -> ConsoleNamespace {
        guard let catalog = try catalog(context, warehouse) else {
            return try warehouses.namespace(context, warehouse: warehouse, levels: levels)
        }
        let schema = levels.joined(separator: ".")
        guard try catalog.schemas(context).contains(schema) else {
            throw ConsoleNotFound("there is no schema \(schema) in \(warehouse)")
        }
        let found = try catalog.relations(context, schema)
        return ConsoleNamespace(
            levels: [schema], properties: [:], namespaces: ConsoleNames([]),
            tables: ConsoleNames(found.filter { !$0.isView }.map(\.name)),
            views: ConsoleNames(found.filter(\.isView).map(\.name)))
    }

    func table(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) throws -> ConsoleTable {
        guard let catalog = try catalog(context, warehouse) else {
            return try warehouses.table(
                context, warehouse: warehouse, levels: levels, name: name)
        }
        let full = TableName(
            catalog: warehouse, schema: levels.joined(separator: "."), table: name)
        let isOpen = catalog.isOpen || connected.decision(context, full).isAllowed
        guard isOpen, let table = try catalog.table(context, full) else {
            throw ConsoleNotFound("there is no table \(full)")
        }
        return ConsoleTable(
            warehouse: warehouse, levels: levels, name: name,
            columns: table.columns.filter { !$0.isHidden }.map {
                ConsoleTable.Column(
                    name: $0.name, type: "\($0.type)", isRequired: !$0.isNullable,
                    doc: $0.comment ?? "")
            }, files: .failed("the connector \(catalog.connector) keeps the rows"))
    }

    func freshness(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) -> TableFreshness? {
        guard (try? catalog(context, warehouse)) != nil else {
            return warehouses.freshness(
                context, warehouse: warehouse, levels: levels, name: name)
        }
        return nil
    }
}
