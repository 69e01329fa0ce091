package import Authority
import Bytes
package import ObjectStorage
import SQLite

extension DiskObjectStore {
    /// Begins an object that replaces the present one of that key when it is finished. The checksums
    /// named are computed, kept and compared with what `finish` expects.
    package func beginPut(
        _ context: RequestContext, _ location: ObjectLocation,
        attributes: ObjectAttributes = ObjectAttributes(), checksums: Set<ChecksumAlgorithm> = []
    ) throws(ObjectStoreError) -> ObjectUpload {
        try require(context, .objectWrite, location)
        try checkKey(location.key)
        try attributes.check()
        let state = try knownState(context, location.bucket)
        try checkLock(
            BucketRow(versioning: state.versioning, hasLock: state.hasLock), attributes.lock,
            location)
        return ObjectUpload(
            store: self, context: context, location: location, attributes: attributes,
            checksums: checksums)
    }

    /// Describes an object; `.noSuchKey` or `.noSuchBucket`.
    package func head(
        _ context: RequestContext, _ location: ObjectLocation, version: VersionID? = nil
    ) throws(ObjectStoreError) -> ObjectRecord {
        try require(context, .objectRead, location, version: version)
        return try storing("look at \(location)") {
            try database.read { tx in
                try Self.require(tx, context.tenant, location, version: version).record
            }
        }
    }

    /// Opens an object; the handle reads this content also when the key is replaced or deleted.
    package func open(
        _ context: RequestContext, _ location: ObjectLocation, version: VersionID? = nil
    ) throws(ObjectStoreError) -> StoredObjectReader {
        try require(context, .objectRead, location, version: version)
        let ticket = trash.takeTicket()
        defer { trash.giveBack(ticket) }
        let found = try storing("open \(location)") {
            try database.read { tx in
                let found = try Self.require(tx, context.tenant, location, version: version)
                return (found.record, try Self.layout(tx, content: found.content))
            }
        }
        return try StoredObjectReader(store: self, record: found.0, layout: found.1)
    }

    /// The parts of an object that was uploaded in parts, from `after` on.
    package func parts(
        _ context: RequestContext, _ location: ObjectLocation, version: VersionID? = nil,
        after: Int = 0, limit: Int = Limits.partCount
    ) throws(ObjectStoreError) -> [PartRecord] {
        try require(context, .objectRead, location, version: version)
        return try storing("list the parts of \(location)") {
            try database.read { tx in
                let found = try Self.require(tx, context.tenant, location, version: version)
                guard found.record.partCount > 0 else { return [] }
                return try tx.query(
                    """
                    SELECT number, size, etag, checksums, modified_us FROM blobs
                    WHERE content = ? AND number > ? ORDER BY number LIMIT ?
                    """, found.content, after, limit, row: Self.partRecord)
            }
        }
    }

    // MARK: Steps

    /// Throws `.noSuchBucket` early, before a body is received.
    func requireBucket(_ context: RequestContext, _ bucket: String) throws(ObjectStoreError) {
        _ = try knownState(context, bucket)
    }

    /// Makes a received content the present version of a key.
    func commit(
        _ context: RequestContext, _ location: ObjectLocation, _ content: PendingContent,
        sizeBytes: Int64, etag: String, checksums: ObjectChecksums, attributes: ObjectAttributes,
        precondition: WritePrecondition, unlessETag: String? = nil, by: String = "Put"
    ) throws(ObjectStoreError) -> ObjectRecord {
        let version = folder.nextName()
        let (record, unused) = try storing("write \(location)") {
            try database.writeGrouped { tx in
                let bucket = try Self.bucketRow(tx, context.tenant, location.bucket)
                try checkPrecondition(
                    tx, context, location, precondition, unlessETag: unlessETag)
                try checkLock(bucket, attributes.lock, location)
                var record = ObjectRecord(
                    description: ObjectDescription(
                        location: location, sizeBytes: sizeBytes, etag: etag, version: version,
                        modifiedMicroseconds: tx.nowMicroseconds),
                    attributes: attributes, checksums: checksums, owner: owner(context),
                    partCount: 0)
                let id = try insertContent(tx, content, etag: etag)
                let unused = try replace(tx, context.tenant, bucket, with: &record, content: id)
                try emitCreated(tx, context, record, by: by)
                return (record, unused)
            }
        }
        trash.discard(unused)
        return record
    }

    /// Removes the file of a content whose transaction failed.
    func forget(_ content: PendingContent) {
        guard case .blob(let blob) = content else { return }
        // What cannot be removed now goes with the next recovery.
        try? folder.remove(blob.name)
    }

    /// Throws `.preconditionFailed` unless the object that is there is as the writer wants it;
    /// `unlessETag` is the tag that it must not have (`If-None-Match` with one).
    func checkPrecondition(
        _ tx: ReadTransaction, _ context: RequestContext, _ location: ObjectLocation,
        _ precondition: WritePrecondition, unlessETag: String? = nil
    ) throws {
        if precondition == .none, unlessETag == nil { return }
        let present = try tx.text(
            "SELECT etag FROM objects WHERE tenant = ? AND bucket = ? AND key = ? AND rank = 0",
            context.tenant, location.bucket, location.key)
        try precondition.check(presentETag: present, at: location)
        if let unlessETag, present == unlessETag {
            throw ObjectStoreError(
                code: .preconditionFailed,
                message: "the object has the entity tag that it must not have: \(location)")
        }
    }

    /// Throws `.invalidBucketState` when a lock is asked for in a bucket without locks.
    func checkLock(
        _ bucket: BucketRow, _ lock: ObjectLock, _ location: ObjectLocation
    ) throws(ObjectStoreError) {
        if lock.isEmpty || bucket.hasLock { return }
        throw ObjectStoreError(
            code: .invalidSetting,
            message: "the bucket was not made for object lock: \(location.bucket)",
            hint: "make a bucket with object lock enabled")
    }

    static func partRecord(_ row: Row) -> PartRecord {
        PartRecord(
            number: row.int(0), sizeBytes: row.int64(1), etag: row.string(2),
            checksums: ObjectChecksums(text: row.string(3)), modifiedMicroseconds: row.int64(4))
    }
}
