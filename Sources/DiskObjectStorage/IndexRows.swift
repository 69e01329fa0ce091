import ObjectStorage
import SQLite

/// A blob whose file is durable and that a transaction is about to make known.
struct PendingBlob {
    let name: String
    let sizeBytes: Int64
}

/// What an object is to consist of.
enum PendingContent {
    case inline(bytes: [UInt8], crc32c: UInt32)
    case blob(PendingBlob)
}

/// The rows of objects and contents, read and changed inside a caller's transaction.
extension DiskObjectStore {
    static let recordColumns = """
        key, version, etag, size, modified_us, owner, part_count, checksums, attributes, content,
        is_versioned
        """

    static func record(_ row: Row, bucket: String) throws -> ObjectRecord {
        ObjectRecord(
            description: ObjectDescription(
                location: ObjectLocation(bucket: bucket, key: row.string(0)),
                sizeBytes: row.int64(3),
                etag: row.string(2), version: row.string(1), modifiedMicroseconds: row.int64(4)),
            attributes: try ObjectAttributes(text: row.string(8)),
            checksums: ObjectChecksums(text: row.string(7)), owner: row.string(5),
            partCount: row.int(6), isVersioned: row.bool(10))
    }

    /// The present version of an object, and its content.
    static func find(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation
    ) throws -> (record: ObjectRecord, content: Int64)? {
        try tx.first(
            """
            SELECT \(recordColumns) FROM objects
            WHERE tenant = ? AND bucket = ? AND key = ? AND rank = 0
            """, tenant, location.bucket, location.key
        ) { row in (try record(row, bucket: location.bucket), row.int64(9)) }
    }

    /// As `find`, and tells an absent bucket from an absent key.
    static func require(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation
    ) throws -> (record: ObjectRecord, content: Int64) {
        if let found = try find(tx, tenant, location) { return found }
        let bucket = try bucketRow(tx, tenant, location.bucket)
        guard bucket.versioning != .unversioned,
            let marker = try newestBehind(tx, tenant, location), marker.isMarker
        else { throw noSuchKey(location) }
        throw ObjectStoreError(
            code: .noSuchKey, message: "the object was deleted: \(location)",
            cause: DeleteMarker(id: marker.id, modifiedMicroseconds: marker.modifiedMicroseconds))
    }

    /// As `require`, of a version that is named; `.noSuchVersion` and `.deleteMarker`.
    static func require(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation, version: VersionID?
    ) throws -> (record: ObjectRecord, content: Int64) {
        guard let version else { return try require(tx, tenant, location) }
        if let found = try recordOfVersion(tx, tenant, location, version) { return found }
        guard try hasBucket(tx, tenant, location.bucket) else {
            throw noSuchBucket(location.bucket)
        }
        throw ObjectStoreError(
            code: .noSuchVersion, message: "no version \(version.text) of \(location)")
    }

    /// Makes a content row with one reference, and its blob row.
    func insertContent(
        _ tx: WriteTransaction, _ content: PendingContent, etag: String
    ) throws -> Int64 {
        switch content {
        case .inline(let bytes, let sum):
            try tx.run(
                "INSERT INTO contents (size, refs, inline, crc32c) VALUES (?, 1, ?, ?)",
                bytes.count, bytes,
                sum)
            return tx.lastInsertedRow
        case .blob(let blob):
            try tx.run("INSERT INTO contents (size, refs) VALUES (?, 1)", blob.sizeBytes)
            let id = tx.lastInsertedRow
            try tx.run(
                """
                INSERT INTO blobs (name, size, content, number, etag, checksums, modified_us)
                VALUES (?, ?, ?, 1, ?, '', ?)
                """, blob.name, blob.sizeBytes, id, etag, tx.nowMicroseconds)
            return id
        }
    }

    /// Puts a record in the place of the present version, which the bucket may keep; returns the blobs
    /// that nobody needs any more. Completes the record with what follows from the bucket.
    func replace(
        _ tx: WriteTransaction, _ tenant: String, _ bucket: BucketRow,
        with record: inout ObjectRecord, content: Int64
    ) throws -> [String] {
        let location = record.description.location
        record.isVersioned = bucket.versioning == .enabled
        if bucket.hasLock, record.attributes.lock.mode == nil,
            let retention = try state(tx, tenant, location.bucket)?.lockDefault
        {
            let hold = record.attributes.lock.hasLegalHold
            record.attributes.lock = retention.lock(nowMicroseconds: tx.nowMicroseconds)
            record.attributes.lock.hasLegalHold = hold
        }
        let unused = try makeRoom(tx, tenant, bucket, at: location)
        try tx.run(
            """
            INSERT INTO objects (tenant, bucket, key, version, etag, size, modified_us, owner, content,
                part_count, checksums, attributes, is_versioned)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, tenant, location.bucket, location.key, record.description.version,
            record.description.etag, record.description.sizeBytes,
            record.description.modifiedMicroseconds, record.owner, content, record.partCount,
            record.checksums.text, record.attributes.text, record.isVersioned)
        return unused
    }

    /// Removes the present version, if there is one.
    func removeRow(
        _ tx: WriteTransaction, _ tenant: String, _ location: ObjectLocation
    ) throws -> (version: String, unused: [String])? {
        let old = try tx.first(
            "SELECT version, content FROM objects WHERE tenant = ? AND bucket = ? AND key = ? AND rank = 0",
            tenant, location.bucket, location.key
        ) { row in (version: row.string(0), content: row.int64(1)) }
        guard let old else { return nil }
        try tx.run(
            "DELETE FROM objects WHERE tenant = ? AND bucket = ? AND key = ? AND rank = 0", tenant,
            location.bucket, location.key)
        return (old.version, try release(tx, content: old.content))
    }

    /// Drops one reference to a content; returns its blobs when that was the last.
    func release(_ tx: WriteTransaction, content: Int64) throws -> [String] {
        try tx.run("UPDATE contents SET refs = refs - 1 WHERE id = ?", content)
        guard try tx.number("SELECT refs FROM contents WHERE id = ?", content) == 0 else {
            return []
        }
        let names = try tx.query("SELECT name FROM blobs WHERE content = ?", content) {
            $0.string(0)
        }
        try tx.run("DELETE FROM blobs WHERE content = ?", content)
        try tx.run("DELETE FROM contents WHERE id = ?", content)
        try noteTrash(tx, names)
        return names
    }

    /// Writes names into the trash table, so that a crash before their unlinking loses no space.
    func noteTrash(_ tx: WriteTransaction, _ names: [String]) throws {
        for name in names {
            try tx.run("INSERT INTO trash (name, at_us) VALUES (?, ?)", name, tx.nowMicroseconds)
        }
        for name in trash.takeUnlinked() { try tx.run("DELETE FROM trash WHERE name = ?", name) }
    }
}
