import Authority
import DiskObjectStorage
import Foundation
import ObjectStorage
import Platform
import SQLite
import Testing

@Suite struct VersionTests {
    let fixture: DiskStoreFixture

    init() throws {
        fixture = try DiskStoreFixture()
        try fixture.store.setVersioning(fixture.context, bucket: "bucket", isEnabled: true)
    }

    private var store: DiskObjectStore { fixture.store }

    private func read(_ key: String, _ version: VersionID? = nil) throws -> [UInt8] {
        try store.open(fixture.context, fixture.at(key), version: version).allBytes()
    }

    private func delete(
        _ key: String, _ version: VersionID? = nil, bypasses: Bool = false
    ) throws -> Deletion {
        try store.delete(
            fixture.context, fixture.at(key), version: version, bypassesGovernance: bypasses)
    }

    /// Versions as `key=id*` with a star at the latest and a minus before markers.
    private func listed(_ names: [VersionID: String] = [:]) throws -> [String] {
        try store.listVersions(
            fixture.context, bucket: "bucket", prefix: "", delimiter: nil, afterKey: nil,
            afterVersion: nil, limit: 1000
        ).versions.map { version in
            (version.isMarker ? "-" : "") + version.description.location.key + "="
                + (names[version.id] ?? (version.id == .null ? "null" : "?"))
                + (version.isLatest ? "*" : "")
        }
    }

    private func code(_ body: () throws -> Void) -> ObjectStoreError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ObjectStoreError)?.code
        }
    }

    @Test func everyWriteIsKeptUnderItsOwnName() throws {
        let first = try fixture.put("k", [1]).versionID
        let second = try fixture.put("k", pattern(100_000)).versionID
        #expect(first != second)
        #expect(try read("k") == pattern(100_000))
        #expect(try read("k", first) == [1])
        #expect(try read("k", second) == pattern(100_000))
        #expect(try listed([first: "1", second: "2"]) == ["k=2*", "k=1"])
        #expect(code { _ = try read("k", .named("00000001-0000ffff")) } == .noSuchVersion)
        #expect(try store.verify(fixture.context).problems == [])
    }

    @Test func aMarkerHidesAndItsRemovalBringsBack() throws {
        let first = try fixture.put("k", [1]).versionID
        let gone = try delete("k")
        #expect(gone.found && gone.isMarker)
        let marker = try #require(gone.id)
        #expect(code { _ = try read("k") } == .noSuchKey)
        #expect(code { _ = try read("k", marker) } == .deleteMarker)
        #expect(try read("k", first) == [1])
        #expect(try listed([first: "1", marker: "m"]) == ["-k=m*", "k=1"])
        // Once more: another marker before the first.
        let again = try #require(try delete("k").id)
        #expect(try listed([first: "1", marker: "m", again: "n"]) == ["-k=n*", "-k=m", "k=1"])
        #expect(try delete("k", again).isMarker)
        #expect(try listed([first: "1", marker: "m"]) == ["-k=m*", "k=1"])
        #expect(try delete("k", marker).isMarker)
        #expect(try read("k") == [1])
        #expect(try listed([first: "1"]) == ["k=1*"])
        #expect(try store.verify(fixture.context).problems == [])
    }

    @Test func removingTheLatestBringsTheOneBefore() throws {
        let first = try fixture.put("k", pattern(80_000)).versionID
        let second = try fixture.put("k", pattern(90_000)).versionID
        #expect(fixture.blobFiles.count == 2)
        #expect(try delete("k", second).found)
        #expect(try read("k") == pattern(80_000))
        #expect(fixture.blobFiles.count == 1)
        #expect(try delete("k", first).found)
        #expect(fixture.blobFiles == [])
        #expect(try listed() == [])
        #expect(try delete("k", first).found == false)
    }

    @Test func suspendedWritesReplaceTheNullVersionOnly() throws {
        let named = try fixture.put("k", [1]).versionID
        try store.setVersioning(fixture.context, bucket: "bucket", isEnabled: false)
        #expect(try fixture.put("k", [2]).versionID == .null)
        #expect(try fixture.put("k", [3]).versionID == .null)
        #expect(try listed([named: "1"]) == ["k=null*", "k=1"])
        #expect(try read("k", .null) == [3])
        let gone = try delete("k")
        #expect(gone.id == .null && gone.isMarker)
        #expect(try listed([named: "1"]) == ["-k=null*", "k=1"])
        try store.setVersioning(fixture.context, bucket: "bucket", isEnabled: true)
        let last = try fixture.put("k", [4]).versionID
        #expect(try listed([named: "1", last: "4"]) == ["k=4*", "-k=null", "k=1"])
        #expect(try store.verify(fixture.context).problems == [])
    }

    @Test func whatWasThereBeforeBecomesNull() throws {
        let plain = try DiskStoreFixture()
        try plain.put("k", [1])
        try plain.store.setVersioning(plain.context, bucket: "bucket", isEnabled: true)
        try plain.put("k", [2])
        let old = try plain.store.open(plain.context, plain.at("k"), version: .null)
        #expect(try old.allBytes() == [1])
    }

    @Test func listingsGoOnInTheMiddleOfAKey() throws {
        for key in ["a/1", "a/2", "b"] {
            for byte in 0..<3 { try fixture.put(key, [UInt8(byte)]) }
        }
        var seen: [String] = []
        var after: (key: String?, id: VersionID?) = (nil, nil)
        while true {
            let page = try store.listVersions(
                fixture.context, bucket: "bucket", prefix: "", delimiter: nil, afterKey: after.key,
                afterVersion: after.id, limit: 2)
            seen += page.versions.map { "\($0.description.location.key) \($0.id.text)" }
            guard let next = page.next else { break }
            after = (next.key, next.id)
        }
        #expect(seen.count == 9)
        #expect(Set(seen).count == 9)
        let folded = try store.listVersions(
            fixture.context, bucket: "bucket", prefix: "", delimiter: "/", afterKey: nil,
            afterVersion: nil, limit: 10)
        #expect(folded.commonPrefixes == ["a/"])
        #expect(folded.versions.count == 3)
    }

    @Test func copiesAndPartsMakeVersionsToo() throws {
        let first = try fixture.put("k", [1]).versionID
        try fixture.put("k", [2])
        let copy = try store.copy(
            fixture.context, from: fixture.at("k"), to: fixture.at("k"), version: first)
        #expect(copy.versionID != first)
        #expect(try read("k") == [1])
        let upload = try fixture.begin("k")
        let part = try fixture.putPart(upload, 1, pattern(1000))
        let whole = try store.completeUpload(
            fixture.context, upload.location, id: upload.id,
            parts: [CompletedPart(number: 1, etag: part.etag)])
        #expect(try read("k", whole.versionID) == pattern(1000))
        #expect(try listed().count == 4)
        #expect(try store.verify(fixture.context).problems == [])
    }

    @Test func aBucketWithVersionsIsNotEmpty() throws {
        let id = try fixture.put("k", [1]).versionID
        let marker = try #require(try delete("k").id)
        #expect(code { try store.deleteBucket(fixture.context, "bucket") } == .bucketNotEmpty)
        _ = try delete("k", id)
        #expect(code { try store.deleteBucket(fixture.context, "bucket") } == .bucketNotEmpty)
        _ = try delete("k", marker)
        #expect(code { try store.deleteBucket(fixture.context, "bucket") } == nil)
    }

    @Test func locksKeepVersions() throws {
        try store.createBucket(fixture.context, "vault", hasLock: true)
        func at(_ key: String) -> ObjectLocation { ObjectLocation(bucket: "vault", key: key) }
        func put(_ key: String, _ lock: ObjectLock) throws -> VersionID {
            var attributes = ObjectAttributes()
            attributes.lock = lock
            let upload = try store.beginPut(fixture.context, at(key), attributes: attributes)
            return try upload.finish().versionID
        }
        func remove(_ key: String, _ id: VersionID, bypasses: Bool = false) -> ObjectStoreError
            .Code?
        {
            code {
                _ = try store.delete(
                    fixture.context, at(key), version: id, bypassesGovernance: bypasses)
            }
        }
        let later = fixture.clock.now().microseconds + 1_000_000
        let held = try put("held", ObjectLock(hasLegalHold: true))
        let soft = try put("soft", ObjectLock(mode: .governance, untilMicroseconds: later))
        let hard = try put("hard", ObjectLock(mode: .compliance, untilMicroseconds: later))
        // A marker may always be put before them.
        _ = try store.delete(fixture.context, at("hard"))
        #expect(remove("held", held, bypasses: true) == .locked)
        #expect(remove("soft", soft) == .locked)
        #expect(remove("hard", hard, bypasses: true) == .locked)
        #expect(
            code {
                try store.setRetention(
                    fixture.context, at("hard"), version: hard, mode: nil, untilMicroseconds: nil,
                    bypassesGovernance: true)
            } == .locked)
        try store.setLegalHold(fixture.context, at("held"), version: held, false)
        #expect(remove("held", held) == nil)
        #expect(remove("soft", soft, bypasses: true) == nil)
        fixture.clock.advance(by: .seconds(2))
        #expect(remove("hard", hard) == nil)
        #expect(
            code { try store.setVersioning(fixture.context, bucket: "vault", isEnabled: false) }
                == .invalidBucketState)
        #expect(code { try fixture.put("k", [1], attributes: locked()) } == .invalidSetting)
    }

    private func locked() -> ObjectAttributes {
        var attributes = ObjectAttributes()
        attributes.lock.hasLegalHold = true
        return attributes
    }

    @Test func newVersionsTakeTheBucketsRetention() throws {
        try store.createBucket(fixture.context, "vault", hasLock: true)
        try store.set(
            fixture.context, bucket: "vault", .lockDefault,
            LockDefault(mode: .compliance, count: 2, isYears: false).text)
        let location = ObjectLocation(bucket: "vault", key: "k")
        let record = try store.beginPut(fixture.context, location).finish()
        let until = fixture.clock.now().microseconds + 2 * 86_400_000_000
        #expect(record.attributes.lock.untilMicroseconds == until)
        #expect(
            try store.head(fixture.context, location).attributes.lock.mode == .compliance)
    }

    /// A directory of the first schema opens, with what was in it, and takes versions.
    @Test func theFirstSchemaIsBroughtForward() throws {
        let folder = NSTemporaryDirectory() + "old-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let old = try Database(
            path: folder + "/objects.sqlite",
            migrations: Array(DiskObjectStore.migrations.prefix(1)), nowMicroseconds: { 1 })
        try old.write { tx in
            try tx.run(
                "INSERT INTO buckets (tenant, name, created_us, owner) VALUES ('main', 'b', 1, 'u u')"
            )
            try tx.run(
                "INSERT INTO contents (id, size, refs, inline, crc32c) VALUES (1, 0, 1, x'', 0)")
            try tx.run(
                """
                INSERT INTO objects (tenant, bucket, key, version, etag, size, modified_us, owner,
                    content, part_count, checksums, attributes)
                VALUES ('main', 'b', 'k', '00000001-00000000', 'e', 0, 1, 'u u', 1, 0, '', '{}')
                """)
        }
        old.close()
        let store = try DiskObjectStore(directory: folder, authorizer: TestAuthorizer())
        defer { store.close() }
        let location = ObjectLocation(bucket: "b", key: "k")
        #expect(try store.head(fixture.context, location).versionID == .null)
        try store.setVersioning(fixture.context, bucket: "b", isEnabled: true)
        _ = try store.beginPut(fixture.context, location).finish()
        #expect(try store.open(fixture.context, location, version: .null).allBytes() == [])
        #expect(try store.verify(fixture.context).problems == [])
    }
}
