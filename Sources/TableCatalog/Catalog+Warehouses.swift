package import Authority
import SQLite

/// A warehouse: a name for a place in the store that holds tables.
package struct Warehouse: Sendable, Hashable {
    package var name: String
    /// `s3://bucket` or `s3://bucket/prefix`, without a slash at the end.
    package var location: String
    package var properties: [String: String]
}

extension Catalog {
    /// Makes a warehouse with its `main`; one that exists is left as it is. The bucket has to exist.
    @discardableResult
    package func createWarehouse(
        _ context: RequestContext, name: String, location: String,
        properties: [String: String] = [:]
    ) throws -> Warehouse {
        try authorizer.require(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .warehouse, path: [name]))
        try Self.checkWarehouse(name: name)
        guard location.hasPrefix("s3://"), location.utf8.count > 5 else {
            throw CatalogError(
                code: .invalidRequest, message: "a warehouse lies at s3://…, not at \(location)")
        }
        var place = location
        while place.hasSuffix("/") { place.removeLast() }
        return try database.write { tx in
            if let known = try tx.first(
                "SELECT location, properties FROM warehouses WHERE tenant = ? AND name = ?",
                context.tenant, name, row: { ($0.string(0), $0.string(1)) })
            {
                return Warehouse(
                    name: name, location: known.0, properties: try decodeProperties(known.1))
            }
            try tx.run(
                """
                INSERT INTO warehouses (tenant, name, location, properties, created_us)
                VALUES (?, ?, ?, ?, ?)
                """, context.tenant, name, place, encodeProperties(properties), tx.nowMicroseconds)
            try tx.run(
                """
                INSERT INTO refs (tenant, warehouse, name, kind, created_us)
                VALUES (?, ?, 'main', 'branch', ?)
                """, context.tenant, name, tx.nowMicroseconds)
            try record(
                tx, context, CatalogReference(warehouse: name), kind: "catalog.warehouse.created",
                namespace: [], name: nil)
            return Warehouse(name: name, location: place, properties: properties)
        }
    }

    /// Throws for what cannot be the name of a warehouse.
    package static func checkWarehouse(name: String) throws(CatalogError) {
        try check(name: name)
        guard !name.contains("@"), !name.contains("/") else {
            throw CatalogError(
                code: .invalidName, message: "a warehouse name has neither @ nor /: \(name)")
        }
    }

    /// The warehouses that the caller may use, by name.
    package func listWarehouses(_ context: RequestContext) throws -> [Warehouse] {
        let all = try database.read { tx in
            try tx.query(
                "SELECT name, location, properties FROM warehouses WHERE tenant = ? ORDER BY name",
                context.tenant
            ) {
                Warehouse(
                    name: $0.string(0), location: $0.string(1),
                    properties: try decodeProperties($0.string(2)))
            }
        }
        return all.filter {
            authorizer.decide(
                context, .warehouseUse,
                Resource(tenant: context.tenant, kind: .warehouse, path: [$0.name])
            ).isAllowed
        }
    }

    /// One warehouse.
    package func warehouse(_ context: RequestContext, name: String) throws -> Warehouse {
        try authorizer.require(
            context, .warehouseUse,
            Resource(tenant: context.tenant, kind: .warehouse, path: [name]))
        return try database.read { tx in
            _ = try chain(tx, context, CatalogReference(warehouse: name))
            let row = try tx.first(
                "SELECT location, properties FROM warehouses WHERE tenant = ? AND name = ?",
                context.tenant, name, row: { ($0.string(0), $0.string(1)) })
            return Warehouse(
                name: name, location: row?.0 ?? "", properties: try decodeProperties(row?.1 ?? "{}")
            )
        }
    }
}
