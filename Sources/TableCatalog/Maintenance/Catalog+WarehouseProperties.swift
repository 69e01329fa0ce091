package import Authority
import Iceberg
import SQLite

extension Catalog {
    /// Sets and removes properties of a warehouse.
    package func updateWarehouse(
        _ context: RequestContext, name: String, set: [String: String], remove: [String]
    ) throws {
        try authorizer.require(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .warehouse, path: [name]))
        let at = CatalogReference(warehouse: name)
        try database.write { tx in
            _ = try chain(tx, context, at)
            let text = try tx.text(
                "SELECT properties FROM warehouses WHERE tenant = ? AND name = ?", context.tenant,
                name)
            var properties = try decodeProperties(text ?? "{}")
            for key in remove { properties[key] = nil }
            for (key, value) in set { properties[key] = value }
            try tx.run(
                "UPDATE warehouses SET properties = ? WHERE tenant = ? AND name = ?",
                encodeProperties(properties), context.tenant, name)
            try record(
                tx, context, at, kind: "catalog.warehouse.altered", namespace: [], name: nil)
        }
    }

    /// The policy that holds for a namespace, with what its warehouse and the namespaces around it say.
    package func maintenancePolicy(
        _ context: RequestContext, _ at: CatalogReference, namespace levels: [String]
    ) throws -> MaintenancePolicy {
        var policy = try maintenancePolicy(context, warehouse: at.warehouse)
        for depth in levels.indices {
            let found = try namespace(context, at, Array(levels[...depth]))
            try policy.apply(found.properties)
        }
        return policy
    }

    /// Sets and removes properties of a table.
    package func setProperties(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        set: [String: String], remove: [String]
    ) throws {
        var updates: [TableUpdate] = []
        if !set.isEmpty { updates.append(.setProperties(set)) }
        if !remove.isEmpty { updates.append(.removeProperties(remove)) }
        if updates.isEmpty { return }
        _ = try commit(
            context, at, TableCommit(identifier: identifier, requirements: [], updates: updates))
    }
}
