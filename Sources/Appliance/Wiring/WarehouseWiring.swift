import Authority
import DiskObjectStorage
import ObjectStorage
import SQLEngine
import SQLFunctions
import TableCatalog

/// `CREATE CATALOG name USING iceberg`: a further warehouse and its bucket.
struct WarehouseMaker: WarehouseDoor {
    let catalog: Catalog
    let objects: DiskObjectStore
    let authorizer: any Authorizer

    func createWarehouse(_ context: RequestContext, name: String, location: String?) throws {
        try authorizer.require(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .warehouse, path: [name]))
        let place = location ?? "s3://" + name.replacing("_", with: "-")
        guard place.hasPrefix("s3://"), let bucket = place.dropFirst(5).split(separator: "/").first
        else {
            throw QueryFault(
                .invalidArguments, "a warehouse lies at s3://bucket/prefix, not at \(place)")
        }
        let isThere = try objects.buckets(context).contains { $0.name == bucket }
        if isThere, location == nil {
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
    }
}
