import Authority
import ObjectStorage
import SQLite

/// What a writer must know of a bucket, read inside its transaction.
struct BucketRow {
    let versioning: Versioning
    let hasLock: Bool
}

/// A version of a key, wherever its row is.
struct FoundVersion {
    /// The table: `objects` holds the present ones.
    var isPresent: Bool
    var seq: Int64
    var version: String
    var isVersioned: Bool
    var isMarker: Bool
    /// nil for a marker.
    var content: Int64?
    var attributes: String
    var modifiedMicroseconds: Int64
    /// Empty for a marker, whose size is 0.
    var etag: String
    var sizeBytes: Int64

    var id: VersionID { isVersioned ? .named(version) : .null }
}

/// The rows behind the present version, read and changed inside a caller's transaction.
extension DiskObjectStore {
    /// The bucket's row; throws `.noSuchBucket`.
    static func bucketRow(
        _ tx: ReadTransaction, _ tenant: String, _ name: String
    ) throws -> BucketRow {
        let found = try tx.first(
            "SELECT versioning, has_lock FROM buckets WHERE tenant = ? AND name = ?", tenant, name
        ) { row in
            BucketRow(
                versioning: Versioning(rawValue: row.string(0)) ?? .unversioned,
                hasLock: row.bool(1))
        }
        guard let found else { throw noSuchBucket(name) }
        return found
    }

    private static let foundColumns = """
        seq, version, is_versioned, is_delete_marker, content, attributes, modified_us, etag, size
        """

    /// A version by its name, wherever it is.
    static func findVersion(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation, _ id: VersionID
    ) throws -> FoundVersion? {
        let (condition, values) = match(id, tenant, location)
        let present = try tx.first(
            """
            SELECT 0, version, is_versioned, 0, content, attributes, modified_us, etag, size
            FROM objects WHERE tenant = ? AND bucket = ? AND key = ? AND rank = 0 AND \(condition)
            """, values: values
        ) { Self.foundVersion($0, isPresent: true) }
        if let present { return present }
        return try tx.first(
            """
            SELECT \(foundColumns)
            FROM versions WHERE tenant = ? AND bucket = ? AND key = ? AND \(condition)
            """, values: values
        ) { Self.foundVersion($0, isPresent: false) }
    }

    /// The newest of what is behind the present version.
    static func newestBehind(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation
    ) throws -> FoundVersion? {
        try tx.first(
            """
            SELECT \(foundColumns)
            FROM versions WHERE tenant = ? AND bucket = ? AND key = ? ORDER BY seq LIMIT 1
            """, values: [tenant, location.bucket, location.key]
        ) { Self.foundVersion($0, isPresent: false) }
    }

    /// A version with its record; nil when there is none, a marker throws `.deleteMarker`.
    static func recordOfVersion(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation, _ id: VersionID
    ) throws -> (record: ObjectRecord, content: Int64)? {
        guard let found = try findVersion(tx, tenant, location, id) else { return nil }
        guard let content = found.content else {
            throw ObjectStoreError(
                code: .deleteMarker, message: "the version is a delete marker: \(location)",
                cause: DeleteMarker(
                    id: found.id, modifiedMicroseconds: found.modifiedMicroseconds))
        }
        let (condition, values) = match(id, tenant, location)
        let table = found.isPresent ? "objects" : "versions"
        return try tx.first(
            """
            SELECT \(recordColumns) FROM \(table)
            WHERE tenant = ? AND bucket = ? AND key = ? AND \(condition)
            """, values: values
        ) { row in (try record(row, bucket: location.bucket), content) }
    }

    /// Moves the present version, if there is one, behind; the latest marker stops being the latest.
    func archivePresent(
        _ tx: WriteTransaction, _ tenant: String, _ location: ObjectLocation
    ) throws {
        let key: [any SQLiteBindable] = [tenant, location.bucket, location.key]
        try tx.run(
            """
            UPDATE versions SET since_us = ?
            WHERE tenant = ? AND bucket = ? AND key = ? AND since_us IS NULL
            """, values: [tx.nowMicroseconds] + key)
        let moved = try tx.run(
            """
            INSERT INTO versions (tenant, bucket, key, seq, version, is_versioned, is_delete_marker,
                etag, size, modified_us, since_us, owner, content, part_count, checksums, attributes)
            SELECT o.tenant, o.bucket, o.key,
                (SELECT coalesce(min(v.seq), 0) - 1 FROM versions v
                 WHERE v.tenant = o.tenant AND v.bucket = o.bucket AND v.key = o.key),
                o.version, o.is_versioned, 0, o.etag, o.size, o.modified_us, ?, o.owner, o.content,
                o.part_count, o.checksums, o.attributes
            FROM objects o WHERE o.tenant = ? AND o.bucket = ? AND o.key = ? AND o.rank = 0
            """, values: [tx.nowMicroseconds] + key)
        if moved > 0 {
            try tx.run(
                "DELETE FROM objects WHERE tenant = ? AND bucket = ? AND key = ? AND rank = 0",
                values: key)
        }
    }

    /// Makes room for a new present version by the bucket's versioning; returns the blobs that nobody
    /// needs any more.
    func makeRoom(
        _ tx: WriteTransaction, _ tenant: String, _ bucket: BucketRow, at location: ObjectLocation
    ) throws -> [String] {
        switch bucket.versioning {
        case .unversioned: return try removeRow(tx, tenant, location)?.unused ?? []
        case .enabled:
            try archivePresent(tx, tenant, location)
            return []
        case .suspended:
            var unused: [String] = []
            if let null = try Self.findVersion(tx, tenant, location, .null) {
                unused = try drop(tx, tenant, location, null)
            }
            try archivePresent(tx, tenant, location)
            return unused
        }
    }

    /// Writes a delete marker as the latest version.
    func insertMarker(
        _ tx: WriteTransaction, _ context: RequestContext, _ location: ObjectLocation,
        version: String, isVersioned: Bool
    ) throws {
        try tx.run(
            """
            INSERT INTO versions (tenant, bucket, key, seq, version, is_versioned, is_delete_marker,
                etag, size, modified_us, since_us, owner, content, part_count, checksums, attributes)
            VALUES (?1, ?2, ?3,
                (SELECT coalesce(min(seq), 0) - 1 FROM versions
                 WHERE tenant = ?1 AND bucket = ?2 AND key = ?3),
                ?4, ?5, 1, '', 0, ?6, NULL, ?7, NULL, 0, '', '{}')
            """, context.tenant, location.bucket, location.key, version, isVersioned,
            tx.nowMicroseconds, owner(context))
    }

    /// Removes one version's row; returns the blobs that nobody needs any more. Promotes nothing.
    func drop(
        _ tx: WriteTransaction, _ tenant: String, _ location: ObjectLocation, _ found: FoundVersion
    ) throws -> [String] {
        if found.isPresent { return try removeRow(tx, tenant, location)?.unused ?? [] }
        try tx.run(
            "DELETE FROM versions WHERE tenant = ? AND bucket = ? AND key = ? AND seq = ?", tenant,
            location.bucket, location.key, found.seq)
        return try found.content.map { try release(tx, content: $0) } ?? []
    }

    /// After the latest version went: the newest of the others becomes the present one.
    func promoteNewest(
        _ tx: WriteTransaction, _ tenant: String, _ location: ObjectLocation
    ) throws {
        guard let newest = try Self.newestBehind(tx, tenant, location) else { return }
        let key: [any SQLiteBindable] = [tenant, location.bucket, location.key, newest.seq]
        guard !newest.isMarker else {
            try tx.run(
                """
                UPDATE versions SET since_us = NULL
                WHERE tenant = ? AND bucket = ? AND key = ? AND seq = ?
                """, values: key)
            return
        }
        try tx.run(
            """
            INSERT INTO objects (tenant, bucket, key, version, is_versioned, etag, size, modified_us,
                owner, content, part_count, checksums, attributes)
            SELECT tenant, bucket, key, version, is_versioned, etag, size, modified_us, owner, content,
                part_count, checksums, attributes
            FROM versions WHERE tenant = ? AND bucket = ? AND key = ? AND seq = ?
            """, values: key)
        try tx.run(
            "DELETE FROM versions WHERE tenant = ? AND bucket = ? AND key = ? AND seq = ?",
            values: key)
    }

    private static func match(
        _ id: VersionID, _ tenant: String, _ location: ObjectLocation
    ) -> (condition: String, values: [any SQLiteBindable]) {
        let key: [any SQLiteBindable] = [tenant, location.bucket, location.key]
        switch id {
        case .null: return ("is_versioned = 0", key)
        case .named(let version): return ("is_versioned = 1 AND version = ?", key + [version])
        }
    }

    private static func foundVersion(_ row: Row, isPresent: Bool) -> FoundVersion {
        FoundVersion(
            isPresent: isPresent, seq: row.int64(0), version: row.string(1),
            isVersioned: row.bool(2), isMarker: row.bool(3), content: row.int64OrNil(4),
            attributes: row.string(5), modifiedMicroseconds: row.int64(6), etag: row.string(7),
            sizeBytes: row.int64(8))
    }
}

extension ReadTransaction {
    /// What `row` makes of the first row of a query whose values were collected in an array.
    func first<Element>(
        _ sql: String, values: [any SQLiteBindable], row: (Row) throws -> Element
    ) throws -> Element? {
        var element: Element?
        try each(sql, values: values) { current in
            element = try row(current)
            return false
        }
        return element
    }
}
