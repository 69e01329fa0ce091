import Authority
import DiskObjectStorage
import Foundation
import ObjectStorage
import Platform
import Testing

/// The power goes at every step of the blobs' disk in turn, and of what was not synced any part is lost:
/// what was acknowledged is whole, the rest is absent or whole, and index and blobs agree.
@Suite struct PowerCutTests {
    private let context = RequestContext(
        principal: Principal(id: "u1", name: "ann", kind: .user), requestID: "r1", door: .s3)

    /// One life of a store over a folder for the index and a simulated disk for the blobs.
    private func open(_ folder: String, _ disk: SimulatedDisk) throws -> DiskObjectStore {
        try DiskObjectStore(
            directory: folder, authorizer: TestAuthorizer(), files: disk,
            entropy: SeededEntropy(seed: 1), minimumPartBytes: 1000)
    }

    private func put(_ store: DiskObjectStore, _ key: String, _ bytes: [UInt8]) throws {
        let upload = try store.beginPut(context, ObjectLocation(bucket: "box", key: key))
        try bytes.withUnsafeBytes { try upload.append($0) }
        _ = try upload.finish()
    }

    /// Writes, replaces, deletes and joins parts; notes what was acknowledged. Ends at the first failure.
    private func work(_ store: DiskObjectStore, _ known: inout [String: [UInt8]?]) {
        do {
            for (index, size) in [100, 70_000, 300_000].enumerated() {
                let key = "k\(index)"
                pending = (key, known[key] ?? nil, pattern(size, seed: index))
                try put(store, key, pattern(size, seed: index))
                known[key] = pattern(size, seed: index)
            }
            pending = ("k1", known["k1"] ?? nil, pattern(90_000, seed: 7))
            try put(store, "k1", pattern(90_000, seed: 7))
            known["k1"] = pattern(90_000, seed: 7)
            let location = ObjectLocation(bucket: "box", key: "m")
            let upload = try store.createUpload(
                context, location, attributes: ObjectAttributes(), checksumAlgorithm: nil,
                checksumType: .composite)
            var parts: [CompletedPart] = []
            for number in 1...2 {
                let part = try store.beginPart(
                    context, location, uploadID: upload.id, number: number)
                try pattern(80_000, seed: number).withUnsafeBytes { try part.append($0) }
                parts.append(CompletedPart(number: number, etag: try part.finish().etag))
            }
            let whole = pattern(80_000, seed: 1) + pattern(80_000, seed: 2)
            pending = ("m", nil, whole)
            _ = try store.completeUpload(context, location, id: upload.id, parts: parts)
            known["m"] = whole
            pending = ("k2", known["k2"] ?? nil, nil)
            try store.delete(context, ObjectLocation(bucket: "box", key: "k2"))
            known["k2"] = .some(nil)
            pending = nil
        } catch {}
    }

    /// What was under way: before or after are both right.
    private var pending: (key: String, before: [UInt8]?, after: [UInt8]?)? {
        get { Self.underWay.value }
        nonmutating set { Self.underWay.value = newValue }
    }

    private final class UnderWay: @unchecked Sendable {
        // Safe because the one test that uses it runs on one thread.
        var value: (key: String, before: [UInt8]?, after: [UInt8]?)?
    }

    private static let underWay = UnderWay()

    @Test func whatWasAcknowledgedSurvivesAnyPowerCut() throws {
        var steps = 1
        var point = 0
        while point < steps {
            let folder = NSTemporaryDirectory() + "power-" + UUID().uuidString
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let disk = SimulatedDisk()
            try disk.makeDirectory(folder)
            try disk.syncDirectory(folder)
            var store = try open(folder, disk)
            try store.createBucket(context, "box")
            let before = disk.stepCount
            if point > 0 { disk.cutPower(afterSteps: point) }
            var known: [String: [UInt8]?] = [:]
            pending = nil
            work(store, &known)
            if point == 0 {
                steps = disk.stepCount - before
                #expect(pending == nil && steps > 30)
            }
            store.close()
            disk.restart(seed: UInt64(point) &* 31 &+ 5)
            store = try open(folder, disk)
            _ = try store.recover()
            let report = try store.verify(context)
            #expect(report.problems == [], "after step \(point)")
            for (key, bytes) in known {
                let location = ObjectLocation(bucket: "box", key: key)
                let found = try? store.open(context, location).allBytes()
                let isRight =
                    found == bytes
                    || (pending?.key == key
                        && (found == pending?.before || found == pending?.after))
                #expect(isRight, "\(key) after step \(point)")
            }
            store.close()
            point += 1
        }
    }

    @Test func theScrubNamesTheObject() throws {
        let fixture = try DiskStoreFixture()
        try fixture.put("whole", pattern(200_000))
        try fixture.put("hurt", pattern(150_000, seed: 2))
        try fixture.put("small", pattern(10))
        let files = fixture.blobFiles
        try fixture.flip(files[1], at: 70_000)
        var scrub = Scrub()
        var found: [StorageProblem] = []
        while scrub.rounds == 0 {
            found += try scrub.step(fixture.store, fixture.context, limitBytes: 1)
        }
        #expect(found.flatMap(\.objects) == [fixture.at("hurt")])
        #expect(found.map(\.kind) == [.corrupted])
        #expect(throws: ObjectStoreError.self) { _ = try fixture.get("hurt") }
        #expect(try fixture.get("whole") == pattern(200_000))
        // The next round finds it again.
        while scrub.rounds == 1 {
            found += try scrub.step(fixture.store, fixture.context, limitBytes: 1 << 20)
        }
        #expect(found.count == 2)
    }
}
