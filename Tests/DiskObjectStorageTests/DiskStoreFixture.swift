import Authority
import DiskObjectStorage
import Foundation
import ObjectStorage
import Platform

/// Allows everything but what is named.
struct TestAuthorizer: Authorizer {
    var denied: Set<Action> = []

    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: !denied.contains(action), reason: "test")
    }
}

/// A store in a folder of its own that goes away with the test.
final class DiskStoreFixture {
    let folder: String
    let clock = SettableClock()
    let context = RequestContext(
        principal: Principal(id: "u1", name: "ann", kind: .user), requestID: "r1", door: .s3)
    private(set) var store: DiskObjectStore

    init(bucket: String? = "bucket", denied: Set<Action> = []) throws {
        folder = NSTemporaryDirectory() + "disk-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try Self.open(folder, clock, denied)
        if let bucket { try store.createBucket(context, bucket) }
    }

    deinit {
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// As after a restart of the process.
    func reopen() throws {
        store.close()
        store = try Self.open(folder, clock, [])
    }

    private static func open(
        _ folder: String, _ clock: SettableClock, _ denied: Set<Action>
    ) throws -> DiskObjectStore {
        try DiskObjectStore(
            directory: folder, authorizer: TestAuthorizer(denied: denied), clock: clock,
            entropy: SeededEntropy(seed: 1), minimumPartBytes: 100_000)
    }

    func at(_ key: String) -> ObjectLocation { ObjectLocation(bucket: "bucket", key: key) }

    @discardableResult
    func put(
        _ key: String, _ bytes: [UInt8], attributes: ObjectAttributes = ObjectAttributes(),
        checksums: Set<ChecksumAlgorithm> = [], expected: ExpectedContent = ExpectedContent(),
        precondition: WritePrecondition = .none
    ) throws -> ObjectRecord {
        let upload = try store.beginPut(
            context, at(key), attributes: attributes, checksums: checksums)
        try bytes.withUnsafeBytes { try upload.append($0) }
        return try upload.finish(precondition: precondition, expected: expected)
    }

    func get(_ key: String) throws -> [UInt8] { try store.open(context, at(key)).allBytes() }

    @discardableResult
    func putPart(
        _ upload: UploadRecord, _ number: Int, _ bytes: [UInt8],
        expected: ExpectedContent = ExpectedContent()
    ) throws -> PartRecord {
        let part = try store.beginPart(
            context, upload.location, uploadID: upload.id, number: number,
            checksums: Set(expected.checksums.keys))
        try bytes.withUnsafeBytes { try part.append($0) }
        return try part.finish(expected: expected)
    }

    func begin(
        _ key: String, algorithm: ChecksumAlgorithm? = nil, type: ChecksumType = .composite
    ) throws -> UploadRecord {
        try store.createUpload(
            context, at(key), attributes: ObjectAttributes(), checksumAlgorithm: algorithm,
            checksumType: type)
    }

    /// Every blob file, with those in `incoming`.
    var blobFiles: [String] {
        let root = folder + "/blobs"
        return (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? [])
            .map { root + "/" + $0 }
            .filter { path in
                var isDirectory: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
                return !isDirectory.boolValue
            }.sorted()
    }

    func flip(_ path: String, at offset: Int) throws {
        var content = try Data(contentsOf: URL(fileURLWithPath: path))
        content[offset] ^= 0x10
        try content.write(to: URL(fileURLWithPath: path))
    }
}

/// Bytes that differ from place to place.
func pattern(_ count: Int, seed: Int = 1) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ ($0 >> 9) &* 7 &+ seed) }
}
