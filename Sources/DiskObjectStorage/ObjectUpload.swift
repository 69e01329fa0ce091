import Authority
import Bytes
import Cryptography
package import ObjectStorage

/// What a client says of the bytes it sends; compared when they ended.
package struct ExpectedContent: Sendable {
    package var md5: [UInt8]?
    package var checksums: [ChecksumAlgorithm: [UInt8]]
    package var sizeBytes: Int64?

    package init(
        md5: [UInt8]? = nil, checksums: [ChecksumAlgorithm: [UInt8]] = [:], sizeBytes: Int64? = nil
    ) {
        self.md5 = md5
        self.checksums = checksums
        self.sizeBytes = sizeBytes
    }
}

/// Takes bytes in: counts, digests, and keeps them in memory up to the inline limit, in a blob beyond it.
struct Intake: ~Copyable {
    private let folder: BlobFolder
    private var isAlwaysBlob: Bool
    private let limitBytes: Int64
    private var head: [UInt8] = []
    private var blob: BlobWriter?
    private var md5 = Digest(.md5)
    private var calculators: [ChecksumCalculator]
    private(set) var sizeBytes: Int64 = 0

    init(
        folder: BlobFolder, checksums: Set<ChecksumAlgorithm>, limitBytes: Int64, isAlwaysBlob: Bool
    ) {
        self.folder = folder
        self.isAlwaysBlob = isAlwaysBlob
        self.limitBytes = limitBytes
        calculators = checksums.map { ChecksumCalculator($0) }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        sizeBytes += Int64(bytes.count)
        guard sizeBytes <= limitBytes else {
            throw ObjectStoreError(
                code: .entityTooLarge, message: "more than \(limitBytes) bytes in one upload")
        }
        md5.update(bytes)
        for index in calculators.indices { calculators[index].update(bytes) }
        if let blob { return try blob.append(bytes) }
        if !isAlwaysBlob && head.count + bytes.count <= Limits.inlineBytes {
            head.append(contentsOf: bytes)
            return
        }
        let writer = try openBlob()
        try writer.append(bytes)
    }

    /// Compares with what was expected and makes the bytes ready for the index: durable, if in a blob.
    mutating func finish(
        _ expected: ExpectedContent
    ) throws(ObjectStoreError) -> (
        content: PendingContent, md5: [UInt8], checksums: ObjectChecksums
    ) {
        let digest = md5.value()
        if let size = expected.sizeBytes, size != sizeBytes {
            throw ObjectStoreError(
                code: .checksumMismatch, message: "\(size) bytes were announced, \(sizeBytes) came")
        }
        if let wanted = expected.md5, wanted != digest {
            throw ObjectStoreError(
                code: .checksumMismatch,
                message: "the MD5 of the bytes received is \(hexText(digest))")
        }
        var checksums = ObjectChecksums()
        for calculator in calculators {
            let value = calculator.value
            if let wanted = expected.checksums[calculator.algorithm], wanted != value {
                throw ObjectStoreError(
                    code: .checksumMismatch,
                    message: "the \(calculator.algorithm.rawValue) of the bytes received is "
                        + base64Text(value))
            }
            checksums.values[calculator.algorithm] = base64Text(value)
        }
        if blob == nil && !isAlwaysBlob {
            return (.inline(bytes: head, crc32c: crc32c(head)), digest, checksums)
        }
        let writer = try openBlob()
        try writer.finish()
        return (
            .blob(PendingBlob(name: writer.name, sizeBytes: writer.sizeBytes)), digest, checksums
        )
    }

    private mutating func openBlob() throws(ObjectStoreError) -> BlobWriter {
        if let blob { return blob }
        let writer = try BlobWriter(folder: folder)
        blob = writer
        let kept = head
        head = []
        var failure: ObjectStoreError?
        kept.withUnsafeBytes { raw in
            do throws(ObjectStoreError) { try writer.append(raw) } catch { failure = error }
        }
        if let failure { throw failure }
        return writer
    }
}

/// An object that is being received; nothing is visible before `finish`. One thread at a time.
package final class ObjectUpload: ObjectWriter {
    private let store: DiskObjectStore
    private let context: RequestContext
    private let location: ObjectLocation
    private let attributes: ObjectAttributes
    private var intake: Intake?

    init(
        store: DiskObjectStore, context: RequestContext, location: ObjectLocation,
        attributes: ObjectAttributes, checksums: Set<ChecksumAlgorithm>
    ) {
        self.store = store
        self.context = context
        self.location = location
        self.attributes = attributes
        intake = Intake(
            folder: store.folder, checksums: checksums, limitBytes: Limits.partBytes,
            isAlwaysBlob: false)
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(ObjectStoreError) {
        if intake == nil { throw spentWriter() }
        try intake?.append(bytes)
    }

    /// Compares, makes the bytes durable and the object visible; a failure leaves what was there.
    /// `by` is how it came, in the words of S3's events: `Put` or `Post`.
    package func finish(
        precondition: WritePrecondition = .none, unlessETag: String? = nil,
        expected: ExpectedContent = ExpectedContent(), by: String = "Put"
    ) throws(ObjectStoreError) -> ObjectRecord {
        guard var taken = intake.take() else { throw spentWriter() }
        let received = try taken.finish(expected)
        let size = taken.sizeBytes
        do throws(ObjectStoreError) {
            return try store.commit(
                context, location, received.content, sizeBytes: size, etag: hexText(received.md5),
                checksums: received.checksums, attributes: attributes, precondition: precondition,
                unlessETag: unlessETag, by: by)
        } catch {
            store.forget(received.content)
            throw error
        }
    }

    package func commit(
        precondition: WritePrecondition
    ) throws(ObjectStoreError) -> ObjectDescription {
        try finish(precondition: precondition).description
    }

    package func abandon() { intake = nil }
}
