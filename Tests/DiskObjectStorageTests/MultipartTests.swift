import Bytes
import Cryptography
import DiskObjectStorage
import ObjectStorage
import Testing

@Suite struct MultipartTests {
    let fixture: DiskStoreFixture

    init() throws { fixture = try DiskStoreFixture() }

    func complete(
        _ upload: UploadRecord, _ parts: [PartRecord], precondition: WritePrecondition = .none,
        checksums: [ChecksumAlgorithm: String] = [:]
    ) throws -> ObjectRecord {
        try fixture.store.completeUpload(
            fixture.context, upload.location, id: upload.id,
            parts: parts.map { CompletedPart(number: $0.number, etag: $0.etag) },
            precondition: precondition,
            checksums: checksums)
    }

    func code(_ body: () throws -> Void) -> ObjectStoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ObjectStoreError)?.code
        }
    }

    @Test func partsBecomeOneObject() throws {
        let upload = try fixture.begin("m")
        let contents = [pattern(150_000), pattern(100_000, seed: 2), pattern(7, seed: 3)]
        // Out of order, one of them twice.
        let third = try fixture.putPart(upload, 30, contents[2])
        try fixture.putPart(upload, 2, [1, 2, 3])
        let second = try fixture.putPart(upload, 2, contents[1])
        let first = try fixture.putPart(upload, 1, contents[0])
        try fixture.putPart(upload, 9, pattern(100_000))
        #expect(fixture.blobFiles.count == 4)
        let record = try complete(upload, [first, second, third])
        #expect(record.description.sizeBytes == 250_007)
        let md5s = contents.flatMap { Digest.md5($0) }
        #expect(record.description.etag == hexText(Digest.md5(md5s)) + "-3")
        #expect(try fixture.get("m") == contents.flatMap { $0 })
        #expect(fixture.blobFiles.count == 3)
        let parts = try fixture.store.parts(fixture.context, fixture.at("m"))
        #expect(parts.map(\.number) == [1, 2, 30])
        // A range over all the borders.
        let reader = try fixture.store.open(fixture.context, fixture.at("m"))
        #expect(
            try reader.bytes(149_990..<250_003) == Array(contents.flatMap { $0 }[149_990..<250_003])
        )
        #expect(try complete(upload, [first, second, third]) == record)
        #expect(try fixture.store.verify(fixture.context).problems == [])
    }

    @Test func whatWasCompletedIsConfirmedOfTheSamePartsOnly() throws {
        let upload = try fixture.begin("m")
        let first = try fixture.putPart(upload, 1, pattern(100_000))
        let second = try fixture.putPart(upload, 2, pattern(7))
        let third = try fixture.putPart(upload, 3, pattern(7))
        let record = try complete(upload, [first, second])
        #expect(try complete(upload, [first, second]) == record)
        var other = second
        other.etag = String(repeating: "0", count: 32)
        for parts in [
            [first, second, third], [first], [second], [first, third], [second, first],
            [first, other], [],
        ] {
            #expect(code { _ = try complete(upload, parts) } == .invalidPart)
        }
        #expect(try fixture.store.head(fixture.context, fixture.at("m")) == record)
        // Written anew meanwhile: there is no such upload any more.
        try fixture.put("m", [1])
        #expect(code { _ = try complete(upload, [first, second]) } == .noSuchUpload)
    }

    @Test(
        "the checksum of the whole follows from the parts",
        arguments: [ChecksumAlgorithm.crc32, .crc32c, .crc64NVME])
    func fullObjectChecksums(algorithm: ChecksumAlgorithm) throws {
        let contents = [pattern(123_457), pattern(100_001, seed: 2), pattern(1), []]
        let upload = try fixture.begin("m", algorithm: algorithm, type: .fullObject)
        var parts: [PartRecord] = []
        for (index, content) in contents.prefix(3).enumerated() {
            parts.append(try fixture.putPart(upload, index + 1, content))
        }
        var calculator = ChecksumCalculator(algorithm)
        contents.flatMap { $0 }.withUnsafeBytes { calculator.update($0) }
        let whole = base64Text(calculator.value)
        // The third part is last, so that it may be small.
        #expect(
            code { _ = try complete(upload, parts, checksums: [algorithm: "AAAA"]) }
                == .checksumMismatch)
        let record = try complete(upload, parts, checksums: [algorithm: whole])
        #expect(record.checksums == ObjectChecksums(type: .fullObject, values: [algorithm: whole]))
    }

    @Test func compositeChecksumsAreOverThoseOfTheParts() throws {
        let upload = try fixture.begin("m", algorithm: .sha256)
        let contents = [pattern(100_000), pattern(5)]
        let parts = try contents.enumerated().map {
            try fixture.putPart(upload, $0.offset + 1, $0.element)
        }
        let record = try complete(upload, parts)
        let sums = contents.flatMap { Digest.sha256($0) }
        #expect(record.checksums.values[.sha256] == base64Text(Digest.sha256(sums)) + "-2")
        #expect(record.checksums.type == .composite)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let upload = try fixture.begin("m")
        let first = try fixture.putPart(upload, 1, pattern(100_000))
        let small = try fixture.putPart(upload, 2, pattern(10))
        let third = try fixture.putPart(upload, 3, pattern(100_000))
        #expect(code { _ = try complete(upload, []) } == .invalidPart)
        #expect(code { _ = try complete(upload, [third, first]) } == .invalidPartOrder)
        #expect(code { _ = try complete(upload, [first, first]) } == .invalidPartOrder)
        #expect(code { _ = try complete(upload, [first, small, third]) } == .entityTooSmall)
        var wrong = first
        wrong.etag = third.etag + "0"
        #expect(code { _ = try complete(upload, [wrong]) } == .invalidPart)
        try fixture.put("m", [1])
        #expect(
            code { _ = try complete(upload, [first], precondition: .absent) } == .preconditionFailed
        )
        #expect(code { try fixture.putPart(upload, 0, []) } == .invalidPart)
        #expect(code { try fixture.putPart(upload, 10_001, []) } == .invalidPart)
        // All that was refused left the upload as it was.
        #expect(try complete(upload, [first, third]).description.sizeBytes == 200_000)
        #expect(code { try fixture.putPart(upload, 1, []) } == .noSuchUpload)
    }

    @Test func givingUpLeavesNothing() throws {
        let upload = try fixture.begin("m")
        try fixture.putPart(upload, 1, pattern(100_000))
        let late = try fixture.store.beginPart(
            fixture.context, upload.location, uploadID: upload.id, number: 2)
        try pattern(300_000).withUnsafeBytes { try late.append($0) }
        try fixture.store.abortUpload(fixture.context, upload.location, id: upload.id)
        #expect(code { _ = try late.finish() } == .noSuchUpload)
        #expect(fixture.blobFiles == [])
        #expect(
            code { try fixture.store.abortUpload(fixture.context, upload.location, id: upload.id) }
                == .noSuchUpload)
    }

    @Test func uploadsAreListedByKeyAndID() throws {
        let made = try ["b", "a", "b", "c"].map { try fixture.begin($0) }
        let listed = try fixture.store.uploads(
            fixture.context, bucket: "bucket", prefix: "", afterKey: "", afterID: "", limit: 10)
        #expect(listed.map(\.location.key) == ["a", "b", "b", "c"])
        #expect(Set(listed.map(\.id)) == Set(made.map(\.id)))
        let rest = try fixture.store.uploads(
            fixture.context, bucket: "bucket", prefix: "b", afterKey: "b", afterID: listed[1].id,
            limit: 10)
        #expect(rest.map(\.id) == [listed[2].id])
    }
}
