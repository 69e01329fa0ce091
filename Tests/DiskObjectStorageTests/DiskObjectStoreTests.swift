import SQLite
import Authority
import DiskObjectStorage
import Foundation
import ObjectStorage
import TestSupport
import Testing

@Suite struct DiskObjectStoreTests {
    let fixture: DiskStoreFixture

    init() throws { fixture = try DiskStoreFixture() }

    func code(_ body: () throws -> Void) -> ObjectStoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ObjectStoreError)?.code
        }
    }

    @Test func conforms() {
        let bound = fixture.store.bound(to: fixture.context)
        #expect(ObjectStoreConformance.failures(of: bound, bucket: "bucket") == [])
        #expect(try! fixture.store.verify(fixture.context).problems == [])
    }

    @Test func theEntityTagIsTheMD5() throws {
        let record = try fixture.put("k", Array("hello".utf8))
        #expect(record.description.etag == "5d41402abc4b2a76b9719d911017c592")
    }

    @Test func attributesAndChecksumsComeBack() throws {
        let attributes = ObjectAttributes(
            headers: ["content-type": "text/plain"], userMetadata: ["name": "é \"x\""])
        try fixture.put(
            "k", Array("hello".utf8), attributes: attributes, checksums: [.crc32, .sha256])
        try fixture.reopen()
        let record = try fixture.store.head(fixture.context, fixture.at("k"))
        #expect(record.attributes == attributes)
        #expect(record.checksums.values[.crc32] == "NhCmhg==")
        #expect(record.checksums.values[.sha256] == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")
        #expect(record.owner == "u1 ann")
    }

    @Test(
        "bytes that are not what was announced are refused and leave nothing",
        arguments: [
            ExpectedContent(md5: [UInt8](repeating: 0, count: 16)), ExpectedContent(sizeBytes: 3),
            ExpectedContent(checksums: [.crc32c: [0, 0, 0, 0]]),
        ])
    func mismatches(expected: ExpectedContent) throws {
        for size in [10, 200_000] {
            #expect(
                code {
                    try fixture.put(
                        "k", pattern(size), checksums: Set(expected.checksums.keys),
                        expected: expected)
                } == .checksumMismatch)
        }
        #expect(code { _ = try fixture.get("k") } == .noSuchKey)
        #expect(fixture.blobFiles == [])
    }

    @Test func aDroppedUploadLeavesNothing() throws {
        do {
            let upload = try fixture.store.beginPut(fixture.context, fixture.at("k"))
            try pattern(1_000_000).withUnsafeBytes { try upload.append($0) }
            #expect(fixture.blobFiles.count == 1)
        }
        #expect(fixture.blobFiles == [])
    }

    @Test func replacedAndDeletedBytesLeaveTheDisk() throws {
        try fixture.put("k", pattern(200_000))
        try fixture.put("k", pattern(300_000))
        #expect(fixture.blobFiles.count == 1)
        let reader = try fixture.store.open(fixture.context, fixture.at("k"))
        try fixture.store.delete(fixture.context, fixture.at("k"))
        #expect(fixture.blobFiles.count == 1)
        #expect(try reader.allBytes() == pattern(300_000))
        withExtendedLifetime(reader) {}
    }

    @Test func aHoldKeepsFilesAndItsEndLetsThemGo() throws {
        try fixture.put("k", pattern(200_000))
        var hold: TrashHold? = fixture.store.holdTrash()
        try fixture.store.delete(fixture.context, fixture.at("k"))
        #expect(fixture.blobFiles.count == 1)
        withExtendedLifetime(hold) {}
        hold = nil
        #expect(fixture.blobFiles == [])
    }

    @Test func aCopySharesTheBytes() throws {
        try fixture.put("a", pattern(200_000))
        let copy = try fixture.store.copy(
            fixture.context, from: fixture.at("a"), to: fixture.at("b"))
        #expect(fixture.blobFiles.count == 1)
        try fixture.store.delete(fixture.context, fixture.at("a"))
        #expect(try fixture.get("b") == pattern(200_000))
        let renamed = try fixture.store.copy(
            fixture.context, from: fixture.at("b"), to: fixture.at("b"),
            attributes: ObjectAttributes(userMetadata: ["x": "y"]))
        #expect(renamed.description.etag == copy.description.etag)
        #expect(try fixture.get("b") == pattern(200_000))
        #expect(try fixture.store.verify(fixture.context).problems == [])
        try fixture.store.delete(fixture.context, fixture.at("b"))
        #expect(fixture.blobFiles == [])
    }

    @Test func userMetadataHasALimit() throws {
        let attributes = ObjectAttributes(userMetadata: ["k": String(repeating: "x", count: 2048)])
        #expect(code { try fixture.put("k", [], attributes: attributes) } == .metadataTooLarge)
    }

    @Test(
        "bucket names are those that clients can use",
        arguments: [
            ("abc", true), ("a.b-c9", true), ("ab", false), ("Abc", false), ("-abc", false),
            ("abc-", false),
            ("a..b", false), ("1.2.3.4", false), ("a_b", false), ("", false),
            (String(repeating: "a", count: 64), false), (String(repeating: "a", count: 63), true),
            ("a.-b", false), ("a-.b", false), ("a.b-", false), ("999.999.999.999", false),
            ("1.2.3", true), ("1.2.3.4.5", true), ("1.2.3.x", true),
            ("xn--a", false), ("sthree-a", false), ("sthree", true), ("a-s3alias", false),
            ("a--ol-s3", false), ("a--x-s3", false), ("a--table-s3", false), ("a.mrap", false),
            ("a-s3", true), ("my-xn--a", true),
        ])
    func bucketNames(name: String, isFine: Bool) {
        #expect((code { try fixture.store.createBucket(fixture.context, name) } == nil) == isFine)
    }

    @Test func bucketsHaveTheirRules() throws {
        #expect(
            code { try fixture.store.createBucket(fixture.context, "bucket") }
                == .bucketAlreadyExists)
        try fixture.put("k", [1])
        #expect(
            code { try fixture.store.deleteBucket(fixture.context, "bucket") } == .bucketNotEmpty)
        try fixture.store.delete(fixture.context, fixture.at("k"))
        let upload = try fixture.begin("u")
        try fixture.putPart(upload, 1, pattern(10))
        try fixture.store.deleteBucket(fixture.context, "bucket")
        #expect(fixture.blobFiles == [])
        #expect(code { try fixture.store.deleteBucket(fixture.context, "bucket") } == .noSuchBucket)
    }

    @Test func changesAreInTheOutbox() throws {
        try fixture.put("k", pattern(3))
        try fixture.store.delete(fixture.context, fixture.at("k"))
        try fixture.store.delete(fixture.context, fixture.at("k"))
        let events = try fixture.store.database.events(after: 0, limit: 10)
        #expect(events.map(\.kind) == ["bucket.created", "object.created", "object.removed"])
        #expect(events[1].payload.contains("\"key\":\"k\""))
        #expect(events[1].payload.contains("\"principalName\":\"ann\""))
    }

    @Test func deletingManyDecidesEachAlone() throws {
        try fixture.put("a", [1])
        try fixture.put("b", pattern(100_000))
        let outcomes = try fixture.store.delete(
            fixture.context, bucket: "bucket", keys: ["a", "b", "none"])
        #expect(outcomes.map(\.key) == ["a", "b", "none"])
        #expect(outcomes.allSatisfy { $0.fault == nil })
        #expect(fixture.blobFiles == [])
    }

    @Test(arguments: [
        Action.objectRead, .objectWrite, .objectDelete, .objectList, .bucketCreate, .bucketDelete,
    ])
    func everyVerbAsks(denied: Action) throws {
        let fixture = try DiskStoreFixture(bucket: nil, denied: [denied])
        let store = fixture.store
        let verbs: [(Action, () throws -> Void)] = [
            (.objectRead, { _ = try store.head(fixture.context, fixture.at("k")) }),
            (.objectRead, { _ = try store.open(fixture.context, fixture.at("k")) }),
            (.objectRead, { _ = try store.parts(fixture.context, fixture.at("k")) }),
            (
                .objectRead,
                { _ = try store.copy(fixture.context, from: fixture.at("k"), to: fixture.at("l")) }
            ),
            (.objectWrite, { _ = try store.beginPut(fixture.context, fixture.at("k")) }),
            (
                .objectWrite,
                { _ = try store.copy(fixture.context, from: fixture.at("k"), to: fixture.at("l")) }
            ),
            (.objectWrite, { _ = try fixture.begin("k") }),
            (.objectWrite, { try store.abortUpload(fixture.context, fixture.at("k"), id: "x") }),
            (.objectDelete, { try store.delete(fixture.context, fixture.at("k")) }),
            (.objectList, { _ = try store.bucket(fixture.context, "bucket") }),
            (
                .objectList,
                {
                    _ = try store.list(
                        fixture.context, bucket: "bucket", prefix: "", delimiter: nil, after: nil,
                        limit: 1)
                }
            ),
            (.bucketCreate, { try store.createBucket(fixture.context, "other") }),
            (.bucketDelete, { try store.deleteBucket(fixture.context, "bucket") }),
        ]
        for (action, verb) in verbs where action == denied {
            #expect(code(verb) == .accessDenied)
        }
    }

    @Test func concurrentWritersAllArrive() throws {
        let store = fixture.store
        let context = fixture.context
        DispatchQueue.concurrentPerform(iterations: 40) { index in
            let bytes = pattern(index % 2 == 0 ? 1000 : 100_000, seed: index)
            _ = try? store.bound(to: context).write(
                bytes, to: ObjectLocation(bucket: "bucket", key: "k\(index)"))
        }
        for index in 0..<40 {
            #expect(
                try fixture.get("k\(index)")
                    == pattern(index % 2 == 0 ? 1000 : 100_000, seed: index))
        }
        #expect(try store.verify(context).problems == [])
    }

    @Test func oneOfManyConditionalWritersWins() throws {
        let store = fixture.store
        let context = fixture.context
        let wins = NSLock()
        nonisolated(unsafe) var count = 0  // Safe because of the lock.
        DispatchQueue.concurrentPerform(iterations: 16) { index in
            let place = ObjectLocation(bucket: "bucket", key: "one")
            if (try? store.bound(to: context).write(
                [UInt8(index)], to: place, precondition: .absent)) != nil
            {
                wins.withLock { count += 1 }
            }
        }
        #expect(count == 1)
    }
}

@Suite struct ListingTests {
    let fixture: DiskStoreFixture

    init() throws {
        fixture = try DiskStoreFixture()
        for key in ["a", "b/1", "b/2", "b/c/3", "b0", "d/", "d/x", "é/1"] {
            try fixture.put(key, [])
        }
    }

    func list(
        prefix: String = "", delimiter: String? = nil, after: String? = nil, limit: Int = 100
    ) throws -> ObjectListing {
        try fixture.store.list(
            fixture.context, bucket: "bucket", prefix: prefix, delimiter: delimiter, after: after,
            limit: limit)
    }

    @Test func foldsWhatGoesOnBehindADelimiter() throws {
        let all = try list(delimiter: "/")
        #expect(all.objects.map(\.description.location.key) == ["a", "b0"])
        #expect(all.commonPrefixes == ["b/", "d/", "é/"])
        #expect(all.next == nil)
        let inside = try list(prefix: "b/", delimiter: "/")
        #expect(inside.objects.map(\.description.location.key) == ["b/1", "b/2"])
        #expect(inside.commonPrefixes == ["b/c/"])
    }

    @Test(arguments: 1...9)
    func pagesOfEverySizeGiveTheSame(limit: Int) throws {
        for delimiter in [nil, "/"] as [String?] {
            let whole = try list(delimiter: delimiter)
            var keys: [String] = []
            var prefixes: [String] = []
            var after: String?
            var pages = 0
            repeat {
                let page = try list(delimiter: delimiter, after: after, limit: limit)
                #expect(page.objects.count + page.commonPrefixes.count <= limit)
                keys += page.objects.map(\.description.location.key)
                prefixes += page.commonPrefixes
                after = page.next
                pages += 1
            } while after != nil && pages < 20
            #expect(keys == whole.objects.map(\.description.location.key))
            #expect(prefixes == whole.commonPrefixes)
        }
    }

    @Test func aPageOfNothingIsEmpty() throws {
        #expect(try list(limit: 0) == ObjectListing())
    }
}
