import Authority
import DiskObjectStorage
import Identity
import ObjectStorage
import SQLEngine
import SQLFunctions
import TableCatalog

/// `CREATE CATALOG name USING iceberg`: a further warehouse, its bucket and its roles.
struct WarehouseMaker: WarehouseDoor {
    let catalog: Catalog
    let objects: DiskObjectStore
    let identity: IdentityRegistry

    func createWarehouse(_ context: RequestContext, name: String, location: String?) throws {
        try identity.authorizer.require(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .warehouse, path: [name]))
        // Before there is a bucket that nobody asked for.
        try Catalog.checkWarehouse(name: name)
        let place = location ?? "s3://" + name.replacing("_", with: "-")
        guard place.hasPrefix("s3://"), let bucket = place.dropFirst(5).split(separator: "/").first
        else {
            throw QueryFault(
                .invalidArguments, "a warehouse lies at s3://bucket/prefix, not at \(place)")
        }
        let known = try catalog.listWarehouses(Appliance.systemContext).first { $0.name == name }
        if let known {
            guard Self.trimmed(place) == known.location else {
                throw QueryFault(
                    .alreadyExists, "Catalog '\(name)' already exists, at \(known.location)",
                    hint: "choose another name; a warehouse does not move")
            }
        }
        let isThere = try objects.buckets(context).contains { $0.name == bucket }
        if isThere, location == nil, known == nil {
            throw QueryFault(
                .invalidArguments, "the bucket \(bucket) is there already",
                hint:
                    "write WITH (location = 's3://\(bucket)/\(name)') to lay the warehouse into it")
        }
        if !isThere {
            do throws(ObjectStoreError) { try objects.createBucket(context, String(bucket)) } catch
            {
                guard error.code == .invalidBucketName else { throw error }
                throw QueryFault(
                    .invalidArguments, error.message,
                    hint: error.hint ?? "name a bucket: WITH (location = 's3://bucket')",
                    cause: error)
            }
        }
        try catalog.createWarehouse(context, name: name, location: place)
        try identity.ensureCatalogRoles(Appliance.systemContext, warehouses: [name])
    }

    private static func trimmed(_ place: String) -> String {
        var place = place
        while place.hasSuffix("/") { place.removeLast() }
        return place
    }
}
