package import Authority
import Bytes
package import ObjectStorage
import SQLite

extension DiskObjectStore {
    /// Copies by reference: the target shares the content. `attributes` nil keeps those of the source,
    /// `tags` nil its tags; a lock is never taken over. With an algorithm the copy has that checksum of the
    /// whole, and no other: the source is read for it, unless it has it.
    /// `check` sees the source inside the transaction and may refuse it by throwing.
    package func copy(
        _ context: RequestContext, from source: ObjectLocation, to target: ObjectLocation,
        version: VersionID? = nil, attributes: ObjectAttributes? = nil,
        tags: [String: String]? = nil, lock: ObjectLock = ObjectLock(),
        checksum: ChecksumAlgorithm? = nil,
        precondition: WritePrecondition = .none, unlessETag: String? = nil,
        check: (ObjectRecord) throws(ObjectStoreError) -> Void = { (_) throws(ObjectStoreError) in }
    ) throws(ObjectStoreError) -> ObjectRecord {
        try require(context, .objectRead, source, version: version)
        try require(context, .objectWrite, target)
        try checkKey(target.key)
        try attributes?.check()
        let name = folder.nextName()
        let summed = try checksum.map { (algorithm) throws(ObjectStoreError) in
            try sum(context, source, version, algorithm)
        }
        let (record, unused) = try storing("copy \(source) to \(target)") {
            try database.writeGrouped { tx in
                let found = try Self.require(tx, context.tenant, source, version: version)
                try check(found.record)
                if let summed, summed.version != found.record.description.version {
                    throw ObjectStoreError(
                        code: .unavailable, message: "the source was replaced while it was read",
                        hint: "copy again")
                }
                let bucket = try Self.bucketRow(tx, context.tenant, target.bucket)
                try checkPrecondition(
                    tx, context, target, precondition, unlessETag: unlessETag)
                // The reference is taken before the old row goes, which may be the same content.
                try tx.run("UPDATE contents SET refs = refs + 1 WHERE id = ?", found.content)
                var record = found.record
                record.description.location = target
                record.description.version = name
                record.description.modifiedMicroseconds = tx.nowMicroseconds
                record.owner = owner(context)
                if var new = attributes {
                    new.tags = record.attributes.tags
                    record.attributes = new
                }
                if let tags { record.attributes.tags = tags }
                record.attributes.lock = lock
                if let summed { record.checksums = summed.checksums }
                try record.attributes.check()
                try checkLock(bucket, lock, target)
                let unused = try replace(
                    tx, context.tenant, bucket, with: &record, content: found.content)
                try emitCreated(tx, context, record, by: "Copy")
                return (record, unused)
            }
        }
        trash.discard(unused)
        return record
    }

    /// The checksum over the whole of an object, with the version that it is of.
    private func sum(
        _ context: RequestContext, _ source: ObjectLocation, _ version: VersionID?,
        _ algorithm: ChecksumAlgorithm
    ) throws(ObjectStoreError) -> (version: String, checksums: ObjectChecksums) {
        let reader = try open(context, source, version: version)
        let record = reader.record
        if record.checksums.type == .fullObject, let known = record.checksums.values[algorithm] {
            return (record.description.version, ObjectChecksums(values: [algorithm: known]))
        }
        var calculator = ChecksumCalculator(algorithm)
        var at: Int64 = 0
        while at < record.description.sizeBytes {
            let end = min(at + Int64(Limits.summedBytes), record.description.sizeBytes)
            try reader.bytes(at..<end).withUnsafeBytes { calculator.update($0) }
            at = end
        }
        return (
            record.description.version,
            ObjectChecksums(values: [algorithm: base64Text(calculator.value)])
        )
    }
}
