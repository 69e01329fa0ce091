import Authority
import Bytes
package import ObjectStorage
import SQLite

/// A part that is being received. One thread at a time; dropped unfinished, it leaves nothing.
package final class PartUpload {
    private let store: DiskObjectStore
    private let context: RequestContext
    private let upload: UploadRecord
    private let number: Int
    private var intake: Intake?

    init(
        store: DiskObjectStore, context: RequestContext, upload: UploadRecord, number: Int,
        checksums: Set<ChecksumAlgorithm>
    ) {
        self.store = store
        self.context = context
        self.upload = upload
        self.number = number
        intake = Intake(
            folder: store.folder, checksums: checksums, limitBytes: Limits.partBytes,
            isAlwaysBlob: true)
    }

    /// Appends bytes.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        if intake == nil { throw spentWriter() }
        try intake?.append(bytes)
    }

    /// Gives the part up.
    package func abandon() { intake = nil }

    /// Compares, makes the bytes durable and the part known.
    package func finish(
        expected: ExpectedContent = ExpectedContent()
    ) throws(ObjectStoreError) -> PartRecord {
        guard var taken = intake.take() else { throw spentWriter() }
        let received = try taken.finish(expected)
        guard case .blob(let blob) = received.content else { throw spentWriter() }
        do throws(ObjectStoreError) {
            return try store.commit(
                context, upload, number: number, blob, etag: hexText(received.md5),
                checksums: received.checksums)
        } catch {
            store.forget(received.content)
            throw error
        }
    }
}

extension DiskObjectStore {
    fileprivate func commit(
        _ context: RequestContext, _ upload: UploadRecord, number: Int, _ blob: PendingBlob,
        etag: String,
        checksums: ObjectChecksums
    ) throws(ObjectStoreError) -> PartRecord {
        let (record, unused) = try storing("write part \(number) of upload \(upload.id)") {
            try database.writeGrouped { tx in
                // The upload may have ended while the bytes came.
                _ = try Self.requireUpload(tx, context.tenant, upload.location, upload.id)
                let old = try tx.query(
                    "SELECT name FROM blobs WHERE upload = ? AND number = ?", upload.id, number
                ) { $0.string(0) }
                try tx.run("DELETE FROM blobs WHERE upload = ? AND number = ?", upload.id, number)
                try noteTrash(tx, old)
                try tx.run(
                    """
                    INSERT INTO blobs (name, size, upload, number, etag, checksums, modified_us)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """, blob.name, blob.sizeBytes, upload.id, number, etag, checksums.text,
                    tx.nowMicroseconds)
                let record = PartRecord(
                    number: number, sizeBytes: blob.sizeBytes, etag: etag, checksums: checksums,
                    modifiedMicroseconds: tx.nowMicroseconds)
                return (record, old)
            }
        }
        trash.discard(unused)
        return record
    }
}
