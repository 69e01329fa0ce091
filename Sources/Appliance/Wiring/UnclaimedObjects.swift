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
/// that is declared for it, ends the note. Whoever looks did not ask for the buckets: what they may not list
/// is left out, and is no denial in the trail.
struct UnclaimedObjects {
    let jobs: JobScheduler
    let objects: DiskObjectStore
    /// Decides as the product's authorizer does, without a trail.
    let quiet: any Authorizer

    /// For all buckets together; upper levels come first, each bucket in its turn.
    private static let listings = 32
    /// Keys and folders of one level that are looked at.
    private static let level = 500
    private static let found = 100

    /// Some of the files that wait.
    struct Found {
        var files: [ObjectClaims.Unclaimed] = []
        /// Whether there may be more: not all was looked at.
        var isCut = false
    }

    /// What the caller may list; nothing where it may not.
    func all(_ context: RequestContext) -> Found {
        let claims = jobs.objectClaims(tenant: context.tenant)
        var found = Found()
        var open = claims.landingBuckets.map { (bucket: $0, prefix: "") }
        var next = 0
        while next < min(open.count, Self.listings), found.files.count < Self.found {
            let (bucket, prefix) = open[next]
            next += 1
            guard
                (try? objects.mayList(context, bucket: bucket, prefix: prefix, by: quiet)) == true,
                let page = try? objects.list(
                    context, bucket: bucket, prefix: prefix, delimiter: "/", after: nil,
                    limit: Self.level)
            else { continue }
            found.files += page.objects.compactMap {
                claims.unclaimed(bucket, $0.description.location.key)
            }
            if page.next != nil { found.isCut = true }
            if prefix.utf8.count(where: { $0 == UInt8(ascii: "/") }) < 2 {
                open += page.commonPrefixes.map { (bucket, $0) }
            }
        }
        if next < open.count || found.files.count > Self.found { found.isCut = true }
        found.files = Array(found.files.prefix(Self.found))
        return found
    }
}
