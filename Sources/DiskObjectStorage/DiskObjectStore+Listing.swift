package import Authority
package import ObjectStorage
import SQLite

/// An object in a listing.
package struct ListedObject: Sendable, Hashable {
    package var description: ObjectDescription
    package var checksums: ObjectChecksums
    package var owner: String
}

/// One page of a listing.
package struct ObjectListing: Sendable, Hashable {
    package var objects: [ListedObject] = []
    package var commonPrefixes: [String] = []
    /// The last key or common prefix of the page, to be given as `after`; nil at the end.
    package var next: String?

    package init() {}
}

extension DiskObjectStore {
    /// Lists keys in the order of their bytes, behind `after`; keys that go on behind a `delimiter` are
    /// folded into common prefixes, each of which costs one seek, however many keys it holds.
    package func list(
        _ context: RequestContext, bucket: String, prefix: String, delimiter: String?,
        after: String?,
        limit: Int
    ) throws(ObjectStoreError) -> ObjectListing {
        let resource = Resource(tenant: context.tenant, kind: .bucket, path: [bucket, prefix])
        try require(context, .objectList, resource)
        return try storing("list bucket \(bucket)") {
            try database.read(cancellation: context.cancellation) { tx in
                guard try Self.hasBucket(tx, context.tenant, bucket) else {
                    throw Self.noSuchBucket(bucket)
                }
                var walk = ListingWalk(
                    tenant: context.tenant, bucket: bucket, prefix: prefix,
                    delimiter: delimiter ?? "",
                    limit: limit)
                return try walk.run(tx, after: after)
            }
        }.withoutRestricted { authorizer.restriction(context, bucket: bucket, key: $0) }
    }
}

/// A walk over an index range that seeks past each common prefix.
private struct ListingWalk {
    let tenant: String
    let bucket: String
    let prefix: String
    let delimiter: String
    let limit: Int
    private var page = ObjectListing()
    private var last: String?

    init(tenant: String, bucket: String, prefix: String, delimiter: String, limit: Int) {
        self.tenant = tenant
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.limit = limit
    }

    private enum Seek { case from(String), behind(String), done }

    mutating func run(_ tx: ReadTransaction, after: String?) throws -> ObjectListing {
        if limit <= 0 { return page }
        var seek = start(after)
        while true {
            switch seek {
            case .done: return page
            case .from(let key): seek = try scan(tx, "key >= ?", key)
            case .behind(let key): seek = try scan(tx, "key > ?", key)
            }
        }
    }

    private func start(_ after: String?) -> Seek {
        guard let after, !KeyOrder.isBefore(after, prefix) else { return .from(prefix) }
        // A page that ended with a common prefix goes on behind all that it holds.
        if KeyOrder.hasPrefix(after, prefix),
            let folded = KeyOrder.commonPrefix(of: after, prefix: prefix, delimiter: delimiter),
            KeyOrder.areEqual(folded, after)
        {
            return KeyOrder.successor(ofPrefix: folded).map { .from($0) } ?? .done
        }
        return .behind(after)
    }

    /// Scans until the page is full, a common prefix is to be skipped, or the range ends.
    private mutating func scan(_ tx: ReadTransaction, _ bound: String, _ key: String) throws -> Seek
    {
        var sql = """
            SELECT key, version, etag, size, modified_us, owner, checksums FROM objects
            WHERE tenant = ? AND bucket = ? AND \(bound) AND rank = 0
            """
        var values: [any SQLiteBindable] = [tenant, bucket, key]
        if let end = KeyOrder.successor(ofPrefix: prefix) {
            sql += " AND key < ?"
            values.append(end)
        }
        sql += " ORDER BY key"
        var next = Seek.done
        try tx.each(sql, values: values) { row in
            if page.objects.count + page.commonPrefixes.count >= limit {
                page.next = last
                return false
            }
            let found = row.string(0)
            if let folded = KeyOrder.commonPrefix(of: found, prefix: prefix, delimiter: delimiter) {
                page.commonPrefixes.append(folded)
                last = folded
                next = KeyOrder.successor(ofPrefix: folded).map { .from($0) } ?? .done
                return false
            }
            page.objects.append(
                ListedObject(
                    description: ObjectDescription(
                        location: ObjectLocation(bucket: bucket, key: found),
                        sizeBytes: row.int64(3),
                        etag: row.string(2), version: row.string(1),
                        modifiedMicroseconds: row.int64(4)),
                    checksums: ObjectChecksums(text: row.string(6)), owner: row.string(5)))
            last = found
            return true
        }
        return next
    }
}
