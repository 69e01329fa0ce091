import Authority
import ConsoleAPI
import DiskObjectStorage
import Jobs
import ObjectStorage

/// Files that wait in a landing bucket for a pipeline that never comes, because they stand too shallow.
///
///     landing/orders.csv              told
///     landing/bronze/orders.csv       told
///     landing/bronze/shop/orders.csv  told
///     landing/bronze/shop/orders/…    taken, and not looked at
///
/// Found by listing the three upper levels, so that nothing is kept: a file that is moved, or a pipeline
/// that is declared for it, ends the note.
struct UnclaimedObjects {
    let jobs: JobScheduler
    let objects: DiskObjectStore

    private static let listings = 200
    private static let found = 100

    /// What the caller may list; nothing where it may not.
    func all(_ context: RequestContext) -> [ObjectClaims.Unclaimed] {
        let claims = jobs.objectClaims(tenant: context.tenant)
        var found: [ObjectClaims.Unclaimed] = []
        for bucket in claims.landingBuckets {
            var open = [""]
            var listed = 0
            while let prefix = open.popLast(), listed < Self.listings, found.count < Self.found {
                listed += 1
                guard
                    let page = try? objects.list(
                        context, bucket: bucket, prefix: prefix, delimiter: "/", after: nil,
                        limit: 1000)
                else { break }
                found += page.objects.compactMap {
                    claims.unclaimed(bucket, $0.description.location.key)
                }
                if prefix.utf8.count(where: { $0 == UInt8(ascii: "/") }) < 2 {
                    open += page.commonPrefixes.reversed()
                }
            }
        }
        return Array(found.prefix(Self.found))
    }
}
