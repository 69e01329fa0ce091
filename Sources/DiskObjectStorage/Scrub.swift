package import Authority
package import ObjectStorage
import SQLite

/// A slow walk over everything that is stored, a piece at a time; begins anew when it came to the end.
/// One thread at a time.
package struct Scrub: Sendable {
    /// Contents first, then blobs.
    private var lastContent: Int64 = 0
    private var lastBlob: Int64 = 0
    private var isAtBlobs = false
    /// How often it came to the end.
    package private(set) var rounds = 0

    package init() {}

    /// Reads up to about `limitBytes` more and returns what is damaged, with the names of the objects.
    package mutating func step(
        _ store: DiskObjectStore, _ context: RequestContext, limitBytes: Int64
    ) throws(ObjectStoreError) -> [StorageProblem] {
        try store.require(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .system, path: ["storage"]))
        var problems: [StorageProblem] = []
        var left = limitBytes
        while left > 0, !context.cancellation.isCancelled {
            if !isAtBlobs {
                let page = try store.checkInline(after: lastContent, limit: Limits.upkeepBatch)
                problems += page.problems
                left -= page.checkedBytes
                if let last = page.last { lastContent = last } else { isAtBlobs = true }
            } else {
                let page = try store.checkBlobs(after: lastBlob, limit: 8)
                problems += page.problems
                left -= page.checkedBytes
                guard let last = page.last else {
                    (lastContent, lastBlob, isAtBlobs) = (0, 0, false)
                    rounds += 1
                    return problems
                }
                lastBlob = last
            }
        }
        return problems
    }
}

/// What one piece of the walk looked at.
struct ScrubPage {
    /// The last row; nil at the end.
    var last: Int64?
    var count = 0
    var checkedBytes: Int64 = 0
    var problems: [StorageProblem] = []
}
