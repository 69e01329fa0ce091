package import Authority
package import ObjectStorage
import SQLite

/// A version or a delete marker in a listing.
package struct ListedVersion: Sendable, Hashable {
    package var description: ObjectDescription
    package var checksums: ObjectChecksums
    package var owner: String
    package var id: VersionID
    package var isLatest: Bool
    package var isMarker: Bool
}

/// One page of a listing of versions.
package struct VersionListing: Sendable, Hashable {
    package var versions: [ListedVersion] = []
    package var commonPrefixes: [String] = []
    /// Where the page ended: a key and, unless it was a common prefix, one of its versions. nil at the end.
    package var next: (key: String, id: VersionID?)? {
        nextKey.map { ($0, nextID) }
    }
    var nextKey: String?
    var nextID: VersionID?

    package init() {}
}

extension DiskObjectStore {
    /// Lists every version of every key, the keys in the order of their bytes, the newest first; behind
    /// `afterKey`, or behind one of its versions.
    package func listVersions(
        _ context: RequestContext, bucket: String, prefix: String, delimiter: String?,
        afterKey: String?, afterVersion: VersionID?, limit: Int
    ) throws(ObjectStoreError) -> VersionListing {
        let resource = Resource(tenant: context.tenant, kind: .bucket, path: [bucket, prefix])
        try require(context, .objectList, resource)
        var page = try storing("list the versions of bucket \(bucket)") {
            try database.read(cancellation: context.cancellation) { tx in
                guard try Self.hasBucket(tx, context.tenant, bucket) else {
                    throw Self.noSuchBucket(bucket)
                }
                var walk = VersionWalk(
                    tenant: context.tenant, bucket: bucket, prefix: prefix,
                    delimiter: delimiter ?? "", limit: limit)
                return try walk.run(tx, afterKey: afterKey, afterVersion: afterVersion)
            }
        }
        page.versions.removeAll {
            authorizer.restriction(context, bucket: bucket, key: $0.description.location.key) != nil
        }
        page.commonPrefixes.removeAll { prefix in
            guard let closed = authorizer.restriction(context, bucket: bucket, key: prefix) else {
                return false
            }
            return prefix != closed.path && prefix != closed.path + "/"
        }
        return page
    }
}

/// A walk over both tables in step, which seeks past each common prefix.
private struct VersionWalk {
    let tenant: String
    let bucket: String
    let prefix: String
    let delimiter: String
    let limit: Int
    private var page = VersionListing()

    init(tenant: String, bucket: String, prefix: String, delimiter: String, limit: Int) {
        self.tenant = tenant
        self.bucket = bucket
        self.prefix = prefix
        self.delimiter = delimiter
        self.limit = limit
    }

    /// A place between rows: everything with a key above, and of the key itself what is older than `seq`.
    private struct Place {
        var key: String
        /// The present version counts as `Int64.min`; nil: the whole key is still to come.
        var behind: Int64?
        /// The whole key is done.
        var isPast = false
    }

    mutating func run(
        _ tx: ReadTransaction, afterKey: String?, afterVersion: VersionID?
    ) throws -> VersionListing {
        if limit <= 0 { return page }
        var place = try start(tx, afterKey, afterVersion)
        while let now = place { place = try scan(tx, from: now) }
        return page
    }

    private func start(
        _ tx: ReadTransaction, _ afterKey: String?, _ afterVersion: VersionID?
    ) throws -> Place? {
        guard let afterKey, !afterKey.isEmpty, !KeyOrder.isBefore(afterKey, prefix) else {
            return Place(key: prefix)
        }
        if KeyOrder.hasPrefix(afterKey, prefix), afterVersion == nil,
            let folded = KeyOrder.commonPrefix(of: afterKey, prefix: prefix, delimiter: delimiter),
            KeyOrder.areEqual(folded, afterKey)
        {
            return KeyOrder.successor(ofPrefix: folded).map { Place(key: $0) }
        }
        guard let afterVersion else { return Place(key: afterKey, isPast: true) }
        let found = try DiskObjectStore.findVersion(
            tx, tenant, ObjectLocation(bucket: bucket, key: afterKey), afterVersion)
        guard let found else { return Place(key: afterKey, isPast: true) }
        return Place(key: afterKey, behind: found.isPresent ? .min : found.seq)
    }

    private mutating func scan(_ tx: ReadTransaction, from place: Place) throws -> Place? {
        var values: [any SQLiteBindable] = [tenant, bucket, place.key]
        var upper = ""
        if let end = KeyOrder.successor(ofPrefix: prefix) {
            values.append(end)
            upper = " AND key < ?\(values.count)"
        }
        let present = place.isPast || place.behind != nil ? "key > ?3" : "key >= ?3"
        var older = present
        if !place.isPast, let behind = place.behind {
            values.append(behind)
            older = "(key, seq) > (?3, ?\(values.count))"
        }
        let sql = """
            SELECT key, \(Int64.min) AS seq, version, is_versioned, 0, 1, etag, size, modified_us, owner,
                checksums
            FROM objects WHERE tenant = ?1 AND bucket = ?2 AND \(present)\(upper) AND rank = 0
            UNION ALL
            SELECT key, seq, version, is_versioned, is_delete_marker, since_us IS NULL, etag, size,
                modified_us, owner, checksums
            FROM versions WHERE tenant = ?1 AND bucket = ?2 AND \(older)\(upper)
            ORDER BY 1, 2
            """
        var next: Place?
        try tx.each(sql, values: values) { row in
            if page.versions.count + page.commonPrefixes.count >= limit {
                markEnd()
                return false
            }
            let found = row.string(0)
            if let folded = KeyOrder.commonPrefix(of: found, prefix: prefix, delimiter: delimiter) {
                page.commonPrefixes.append(folded)
                next = KeyOrder.successor(ofPrefix: folded).map { Place(key: $0) }
                last = (folded, nil)
                return false
            }
            let version = listed(row, key: found)
            page.versions.append(version)
            last = (found, version.id)
            return true
        }
        return next
    }

    private var last: (key: String, id: VersionID?)?

    private mutating func markEnd() {
        page.nextKey = last?.key
        page.nextID = last?.id
    }

    private func listed(_ row: Row, key: String) -> ListedVersion {
        ListedVersion(
            description: ObjectDescription(
                location: ObjectLocation(bucket: bucket, key: key), sizeBytes: row.int64(7),
                etag: row.string(6), version: row.string(2), modifiedMicroseconds: row.int64(8)),
            checksums: ObjectChecksums(text: row.string(10)), owner: row.string(9),
            id: row.bool(3) ? .named(row.string(2)) : .null, isLatest: row.bool(5),
            isMarker: row.bool(4))
    }
}
