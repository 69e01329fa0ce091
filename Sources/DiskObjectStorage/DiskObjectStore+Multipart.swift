package import Authority
import Bytes
import Cryptography
package import ObjectStorage
import Platform
import SQLite

/// An upload in parts that runs.
package struct UploadRecord: Sendable, Hashable {
    package var id: String
    package var location: ObjectLocation
    package var startedMicroseconds: Int64
    package var owner: String
    package var checksumAlgorithm: ChecksumAlgorithm?
    package var checksumType: ChecksumType
    package var attributes: ObjectAttributes
}

/// A part as the client names it when it completes an upload.
package struct CompletedPart: Sendable, Hashable {
    package var number: Int
    package var etag: String
    /// Compared where given.
    package var checksums: [ChecksumAlgorithm: String]

    package init(number: Int, etag: String, checksums: [ChecksumAlgorithm: String] = [:]) {
        self.number = number
        self.etag = etag
        self.checksums = checksums
    }
}

extension DiskObjectStore {
    /// Begins an upload in parts; returns its id. With an algorithm, every part is summed with it.
    package func createUpload(
        _ context: RequestContext, _ location: ObjectLocation, attributes: ObjectAttributes,
        checksumAlgorithm: ChecksumAlgorithm?, checksumType: ChecksumType
    ) throws(ObjectStoreError) -> UploadRecord {
        try require(context, .objectWrite, location)
        try checkKey(location.key)
        try attributes.check()
        let id = entropy.hex(bytes: 24)
        return try storing("begin an upload to \(location)") {
            try database.writeGrouped { tx in
                let bucket = try Self.bucketRow(tx, context.tenant, location.bucket)
                try checkLock(bucket, attributes.lock, location)
                try tx.run(
                    """
                    INSERT INTO uploads (id, tenant, bucket, key, started_us, owner, checksum_algorithm,
                        checksum_type, attributes)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """, id, context.tenant, location.bucket, location.key, tx.nowMicroseconds,
                    owner(context), checksumAlgorithm?.rawValue, checksumType.rawValue,
                    attributes.text)
                return UploadRecord(
                    id: id, location: location, startedMicroseconds: tx.nowMicroseconds,
                    owner: owner(context), checksumAlgorithm: checksumAlgorithm,
                    checksumType: checksumType, attributes: attributes)
            }
        }
    }

    /// A running upload; `.noSuchUpload` when there is none of that id for that key.
    package func upload(
        _ context: RequestContext, _ location: ObjectLocation, id: String
    ) throws(ObjectStoreError) -> UploadRecord {
        try require(context, .objectWrite, location)
        return try storing("look at upload \(id)") {
            try database.read { tx in try Self.requireUpload(tx, context.tenant, location, id) }
        }
    }

    /// Begins a part; a part of the same number is replaced when this one is finished.
    package func beginPart(
        _ context: RequestContext, _ location: ObjectLocation, uploadID: String, number: Int,
        checksums: Set<ChecksumAlgorithm> = []
    ) throws(ObjectStoreError) -> PartUpload {
        guard number >= 1, number <= Limits.partCount else {
            throw ObjectStoreError(
                code: .invalidPart,
                message: "a part has a number from 1 to \(Limits.partCount): \(number)")
        }
        let upload = try upload(context, location, id: uploadID)
        var algorithms = checksums
        if let algorithm = upload.checksumAlgorithm {
            guard checksums.isEmpty || checksums.contains(algorithm) else {
                let sent = checksums.map(\.rawValue).sorted().joined(separator: ", ")
                throw ObjectStoreError(
                    code: .invalidSetting,
                    message: "the upload is summed with \(algorithm.rawValue), "
                        + "the part with \(sent)",
                    hint: "name the same checksum algorithm for every part")
            }
            algorithms.insert(algorithm)
        }
        return PartUpload(
            store: self, context: context, upload: upload, number: number, checksums: algorithms)
    }

    /// The parts of a running upload, from `after` on.
    package func parts(
        _ context: RequestContext, _ location: ObjectLocation, uploadID: String, after: Int,
        limit: Int
    ) throws(ObjectStoreError) -> [PartRecord] {
        try require(context, .objectWrite, location)
        return try storing("list the parts of upload \(uploadID)") {
            try database.read { tx in
                _ = try Self.requireUpload(tx, context.tenant, location, uploadID)
                return try Self.uploadedParts(tx, uploadID, after: after, limit: limit)
            }
        }
    }

    /// Running uploads of a bucket in the order of key and id, behind the given ones.
    package func uploads(
        _ context: RequestContext, bucket: String, prefix: String, afterKey: String,
        afterID: String,
        limit: Int
    ) throws(ObjectStoreError) -> [UploadRecord] {
        try require(
            context, .objectList,
            Resource(tenant: context.tenant, kind: .bucket, path: [bucket, prefix]))
        return try storing("list the uploads of \(bucket)") {
            let found = try database.read { tx in
                guard try Self.hasBucket(tx, context.tenant, bucket) else {
                    throw Self.noSuchBucket(bucket)
                }
                var sql = """
                    SELECT id, key, started_us, owner, checksum_algorithm, checksum_type, attributes
                    FROM uploads WHERE tenant = ? AND bucket = ? AND key >= ? AND (key, id) > (?, ?)
                    """
                var values: [any SQLiteBindable] = [
                    context.tenant, bucket, prefix, afterKey, afterID,
                ]
                if let end = KeyOrder.successor(ofPrefix: prefix) {
                    sql += " AND key < ?"
                    values.append(end)
                }
                values.append(limit)
                return try tx.query(sql + " ORDER BY key, id LIMIT ?", values: values) { row in
                    try Self.uploadRecord(row, bucket: bucket)
                }
            }
            return found.filter {
                authorizer.restriction(context, bucket: bucket, key: $0.location.key) == nil
            }
        }
    }

    /// Gives an upload up with all its parts.
    package func abortUpload(
        _ context: RequestContext, _ location: ObjectLocation, id: String
    ) throws(ObjectStoreError) {
        try require(context, .objectWrite, location)
        let unused = try storing("give up upload \(id)") {
            try database.writeGrouped { tx in
                _ = try Self.requireUpload(tx, context.tenant, location, id)
                return try removeUpload(tx, id)
            }
        }
        trash.discard(unused)
    }

    /// Makes an object of the parts named, by reference, and drops the others. Completing once more what
    /// was completed answers the same, if it names the same parts. `checksums` has the client's values for
    /// the whole object.
    package func completeUpload(
        _ context: RequestContext, _ location: ObjectLocation, id: String, parts: [CompletedPart],
        precondition: WritePrecondition = .none, unlessETag: String? = nil,
        checksums: [ChecksumAlgorithm: String] = [:],
        sizeBytes: Int64? = nil
    ) throws(ObjectStoreError) -> ObjectRecord {
        try require(context, .objectWrite, location)
        let version = folder.nextName()
        let (record, unused) = try storing("complete upload \(id) to \(location)") {
            try database.writeGrouped { tx -> (ObjectRecord, [String]) in
                if let done = try completedBefore(tx, context, location, id, of: parts) {
                    return (done, [])
                }
                let upload = try Self.requireUpload(tx, context.tenant, location, id)
                let bucket = try Self.bucketRow(tx, context.tenant, location.bucket)
                let present = try Self.uploadedParts(tx, id, after: 0, limit: Limits.partCount)
                let chosen = try choose(parts, among: present)
                try checkPrecondition(
                    tx, context, location, precondition, unlessETag: unlessETag)
                let whole = try sum(chosen, upload: upload, expected: checksums)
                let total = chosen.reduce(Int64(0)) { $0 + $1.sizeBytes }
                if let sizeBytes, sizeBytes != total {
                    throw ObjectStoreError(
                        code: .checksumMismatch,
                        message: "\(sizeBytes) bytes were announced, the parts have \(total)")
                }
                guard total <= Limits.objectBytes else {
                    throw ObjectStoreError(
                        code: .entityTooLarge,
                        message: "an object has at most \(Limits.objectBytes) bytes")
                }
                var record = ObjectRecord(
                    description: ObjectDescription(
                        location: location, sizeBytes: total, etag: compositeETag(chosen),
                        version: version, modifiedMicroseconds: tx.nowMicroseconds),
                    attributes: upload.attributes, checksums: whole, owner: upload.owner,
                    partCount: chosen.count)
                let unused = try concatenate(tx, context, id, chosen, bucket, as: &record)
                try emitCreated(tx, context, record, by: "CompleteMultipartUpload")
                return (record, unused)
            }
        }
        trash.discard(unused)
        return record
    }

    // MARK: Steps

    /// Moves the parts' blobs to a new content, and the record in place.
    private func concatenate(
        _ tx: WriteTransaction, _ context: RequestContext, _ id: String, _ chosen: [PartRecord],
        _ bucket: BucketRow, as record: inout ObjectRecord
    ) throws -> [String] {
        try tx.run("INSERT INTO contents (size, refs) VALUES (?, 1)", record.description.sizeBytes)
        let content = tx.lastInsertedRow
        for part in chosen {
            try tx.run(
                "UPDATE blobs SET content = ?, upload = NULL WHERE upload = ? AND number = ?",
                content, id,
                part.number)
        }
        var unused = try removeUpload(tx, id)
        unused += try replace(tx, context.tenant, bucket, with: &record, content: content)
        try tx.run(
            "INSERT INTO completed_uploads (id, version, at_us) VALUES (?, ?, ?)", id,
            record.description.version, tx.nowMicroseconds)
        return unused
    }

    /// The object that this upload became, if it is still the present one: a client that lost the answer
    /// asks again. Throws `.invalidPart` when it asks for another object than it became.
    private func completedBefore(
        _ tx: ReadTransaction, _ context: RequestContext, _ location: ObjectLocation, _ id: String,
        of wanted: [CompletedPart]
    ) throws -> ObjectRecord? {
        let version = try tx.text("SELECT version FROM completed_uploads WHERE id = ?", id)
        guard let version, let found = try Self.find(tx, context.tenant, location),
            found.record.description.version == version
        else { return nil }
        let parts = try tx.query(
            """
            SELECT number, size, etag, checksums, modified_us FROM blobs
            WHERE content = ? ORDER BY number
            """, found.content, row: Self.partRecord)
        let isSame =
            parts.count == wanted.count
            && zip(parts, wanted).allSatisfy { $0.number == $1.number && Self.has($0, $1) }
        guard isSame else {
            throw ObjectStoreError(
                code: .invalidPart,
                message: "the upload was completed of other parts than are named now: \(location)",
                hint: "begin another upload")
        }
        return found.record
    }

    /// Whether a part has the content that the client names.
    private static func has(_ part: PartRecord, _ wanted: CompletedPart) -> Bool {
        part.etag == wanted.etag
            && wanted.checksums.allSatisfy { part.checksums.values[$0.key] == $0.value }
    }

    private func choose(
        _ wanted: [CompletedPart], among present: [PartRecord]
    ) throws(ObjectStoreError) -> [PartRecord] {
        guard !wanted.isEmpty else {
            throw ObjectStoreError(code: .invalidPart, message: "an upload has at least one part")
        }
        let byNumber = Dictionary(present.map { ($0.number, $0) }) { first, _ in first }
        var chosen: [PartRecord] = []
        for part in wanted {
            if let last = chosen.last, part.number <= last.number {
                throw ObjectStoreError(
                    code: .invalidPartOrder,
                    message: "part \(part.number) comes after part \(last.number)")
            }
            guard let found = byNumber[part.number], Self.has(found, part) else {
                throw ObjectStoreError(
                    code: .invalidPart, message: "part \(part.number) was not uploaded so")
            }
            if let last = chosen.last, last.sizeBytes < minimumPartBytes {
                throw ObjectStoreError(
                    code: .entityTooSmall,
                    message: "part \(last.number) has \(last.sizeBytes) bytes, "
                        + "all but the last have at least \(minimumPartBytes)")
            }
            chosen.append(found)
        }
        return chosen
    }

    /// MD5 over the MD5s of the parts, and how many there are.
    private func compositeETag(_ parts: [PartRecord]) -> String {
        var digest = Digest(.md5)
        for part in parts { digest.update(hexBytes(part.etag) ?? []) }
        return hexText(digest.value()) + "-\(parts.count)"
    }

    private func sum(
        _ parts: [PartRecord], upload: UploadRecord, expected: [ChecksumAlgorithm: String]
    ) throws(ObjectStoreError) -> ObjectChecksums {
        guard let algorithm = upload.checksumAlgorithm else { return ObjectChecksums() }
        var value: [UInt8]?
        var calculator = ChecksumCalculator(algorithm)
        for part in parts {
            guard let own = part.checksums.values[algorithm].flatMap({ base64Bytes($0) }) else {
                throw ObjectStoreError(
                    code: .invalidPart, message: "part \(part.number) has no \(algorithm.rawValue)")
            }
            if upload.checksumType == .composite {
                own.withUnsafeBytes { calculator.update($0) }
            } else if let before = value {
                value = combinedChecksum(
                    algorithm, first: before, second: own, secondLength: part.sizeBytes)
            } else {
                value = own
            }
        }
        let text =
            upload.checksumType == .composite
            ? base64Text(calculator.value) + "-\(parts.count)" : base64Text(value ?? [])
        if let wanted = expected[algorithm], wanted != text {
            // Clients may leave out the number of parts.
            guard upload.checksumType == .composite, wanted + "-\(parts.count)" == text else {
                throw ObjectStoreError(
                    code: .checksumMismatch,
                    message: "the \(algorithm.rawValue) of the object is \(text)")
            }
        }
        return ObjectChecksums(type: upload.checksumType, values: [algorithm: text])
    }

    /// Removes an upload with the parts it still has; returns their blobs.
    func removeUpload(_ tx: WriteTransaction, _ id: String) throws -> [String] {
        let names = try tx.query("SELECT name FROM blobs WHERE upload = ?", id) { $0.string(0) }
        try tx.run("DELETE FROM blobs WHERE upload = ?", id)
        try tx.run("DELETE FROM uploads WHERE id = ?", id)
        try noteTrash(tx, names)
        return names
    }

    static func requireUpload(
        _ tx: ReadTransaction, _ tenant: String, _ location: ObjectLocation, _ id: String
    ) throws -> UploadRecord {
        let found = try tx.first(
            """
            SELECT id, key, started_us, owner, checksum_algorithm, checksum_type, attributes
            FROM uploads WHERE id = ? AND tenant = ? AND bucket = ? AND key = ?
            """, id, tenant, location.bucket, location.key
        ) { row in try uploadRecord(row, bucket: location.bucket) }
        if let found { return found }
        guard try hasBucket(tx, tenant, location.bucket) else {
            throw noSuchBucket(location.bucket)
        }
        throw ObjectStoreError(
            code: .noSuchUpload, message: "no such upload to \(location): \(id)",
            hint: "it was completed or given up")
    }

    private static func uploadedParts(
        _ tx: ReadTransaction, _ id: String, after: Int, limit: Int
    ) throws -> [PartRecord] {
        try tx.query(
            """
            SELECT number, size, etag, checksums, modified_us FROM blobs
            WHERE upload = ? AND number > ? ORDER BY number LIMIT ?
            """, id, after, limit, row: partRecord)
    }

    private static func uploadRecord(_ row: Row, bucket: String) throws -> UploadRecord {
        UploadRecord(
            id: row.string(0), location: ObjectLocation(bucket: bucket, key: row.string(1)),
            startedMicroseconds: row.int64(2), owner: row.string(3),
            checksumAlgorithm: row.stringOrNil(4).flatMap { ChecksumAlgorithm(rawValue: $0) },
            checksumType: ChecksumType(rawValue: row.string(5)) ?? .fullObject,
            attributes: try ObjectAttributes(text: row.string(6)))
    }
}
