import SQLite
import DiskObjectStorage
import Foundation
import ObjectStorage
import Platform
import Testing

@Suite struct DurabilityTests {
    let fixture: DiskStoreFixture

    init() throws { fixture = try DiskStoreFixture() }

    func readCode(_ key: String) -> ObjectStoreError.Code? {
        do {
            _ = try fixture.get(key)
            return nil
        } catch {
            return (error as? ObjectStoreError)?.code
        }
    }

    @Test func whatWasAcknowledgedIsThereAfterARestart() throws {
        try fixture.put("small", pattern(100))
        try fixture.put("large", pattern(300_000))
        let upload = try fixture.begin("m")
        let part = try fixture.putPart(upload, 1, pattern(100_000))
        try fixture.reopen()
        #expect(try fixture.store.recover() == RecoveryReport())
        #expect(try fixture.get("small") == pattern(100))
        #expect(try fixture.get("large") == pattern(300_000))
        let record = try fixture.store.completeUpload(
            fixture.context, upload.location, id: upload.id,
            parts: [CompletedPart(number: 1, etag: part.etag)])
        #expect(record.description.sizeBytes == 100_000)
    }

    /// A kill between the steps of a write leaves these files; `recover` takes them away, once.
    @Test func recoveryRemovesWhatABrokenBootLeft() throws {
        try fixture.put("kept", pattern(200_000))
        let kept = fixture.blobFiles
        let directory = (kept[0] as NSString).deletingLastPathComponent
        let boot = (kept[0] as NSString).lastPathComponent.prefix(8)
        // Written and never renamed; renamed and never committed.
        let unfinished = fixture.folder + "/blobs/incoming/\(boot)-00000077"
        let stray = directory + "/\(boot)-00000078"
        for path in [unfinished, stray] {
            try Data(pattern(10)).write(to: URL(fileURLWithPath: path))
        }
        // A live writer is not disturbed.
        #expect(try fixture.store.recover() == RecoveryReport())
        #expect(fixture.blobFiles.count == 3)
        try fixture.reopen()
        #expect(
            try fixture.store.verify(fixture.context).problems.map(\.kind) == [.strayBlob])
        let report = try fixture.store.recover()
        #expect(report.strayBlobs == 1)
        #expect(report.unfinishedBlobs == 1)
        #expect(fixture.blobFiles == kept)
        #expect(try fixture.store.recover() == RecoveryReport())
        #expect(try fixture.get("kept") == pattern(200_000))
        #expect(try fixture.store.verify(fixture.context).problems == [])
    }

    /// Deleted in the index, but the process ended before the file was unlinked.
    @Test func trashIsEmptiedAfterARestart() throws {
        try fixture.put("k", pattern(200_000))
        let hold = fixture.store.holdTrash()
        try fixture.store.delete(fixture.context, fixture.at("k"))
        #expect(fixture.blobFiles.count == 1)
        try fixture.reopen()
        #expect(try fixture.store.recover().trashedBlobs == 1)
        #expect(fixture.blobFiles == [])
        #expect(try fixture.store.verify(fixture.context).problems == [])
        withExtendedLifetime(hold) {}
    }

    @Test func recoveryLeavesTrashOfThisBootToItsReaders() throws {
        try fixture.put("k", pattern(200_000))
        try fixture.reopen()
        let reader = try fixture.store.open(fixture.context, fixture.at("k"))
        try fixture.store.delete(fixture.context, fixture.at("k"))
        _ = try fixture.store.recover()
        #expect(try reader.allBytes() == pattern(200_000))
        withExtendedLifetime(reader) {}
    }

    @Test(
        "a flipped bit anywhere in a blob is damage, never other bytes",
        arguments: [
            0, 65_535, 65_536, 150_000, 199_999, 200_000, 200_015, 200_020, 200_035, 200_043,
        ])
    func flippedBits(offset: Int) throws {
        try fixture.put("k", pattern(200_000))
        try fixture.flip(fixture.blobFiles[0], at: offset)
        #expect(readCode("k") == .corrupted)
        let problems = try fixture.store.verify(fixture.context).problems
        #expect(problems.map(\.kind) == [.corrupted])
        #expect(problems.first?.objects == [fixture.at("k")])
    }

    @Test func pagesThatAreSoundAreStillRead() throws {
        try fixture.put("k", pattern(200_000))
        try fixture.flip(fixture.blobFiles[0], at: 70_000)
        let reader = try fixture.store.open(fixture.context, fixture.at("k"))
        #expect(try reader.bytes(0..<65_536) == Array(pattern(200_000)[0..<65_536]))
        #expect(throws: ObjectStoreError.self) { try reader.bytes(65_530..<65_540) }
        #expect(try reader.bytes(131_072..<200_000) == Array(pattern(200_000)[131_072...]))
    }

    @Test(arguments: [0, 1, 65_536, 199_999, 200_047])
    func aCutBlobIsDamage(count: Int) throws {
        try fixture.put("k", pattern(200_000))
        let path = fixture.blobFiles[0]
        let content = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(content.count == 200_048)
        try content.prefix(count).write(to: URL(fileURLWithPath: path))
        #expect(readCode("k") == .corrupted)
    }

    @Test func aMissingBlobIsToldByReadAndDoctor() throws {
        try fixture.put("k", pattern(200_000))
        try FileManager.default.removeItem(atPath: fixture.blobFiles[0])
        #expect(readCode("k") == .corrupted)
        for onlyFast in [true, false] {
            let problems = try fixture.store.verify(fixture.context, onlyFast: onlyFast).problems
            #expect(problems.map(\.kind) == [.missingBlob])
        }
    }

    @Test func damagedInlineBytesAreTold() throws {
        try fixture.put("k", pattern(1000))
        try fixture.store.database.write { tx in
            try tx.run("UPDATE contents SET inline = zeroblob(1000)")
        }
        #expect(readCode("k") == .corrupted)
        #expect(try fixture.store.verify(fixture.context).problems.map(\.kind) == [.corrupted])
    }

    @Test func aWrongReferenceCountIsTold() throws {
        try fixture.put("k", pattern(1000))
        try fixture.store.database.write { tx in try tx.run("UPDATE contents SET refs = 2") }
        #expect(
            try fixture.store.verify(fixture.context).problems.map(\.kind) == [.inconsistentIndex])
    }
}

/// The disk, which is full after so many bytes.
private final class SmallDisk: FileSystem, @unchecked Sendable {
    // Safe because of the lock.
    private let disk = LocalFileSystem()
    private let lock = NSLock()
    private var left: Int

    init(bytes: Int) { left = bytes }

    func take(_ count: Int) throws(PlatformError) {
        let isEnough = lock.withLock {
            left -= count
            return left >= 0
        }
        if !isEnough { throw PlatformError(code: .noSpace, message: "the simulated disk is full") }
    }

    func open(_ path: String, _ how: OpenMode, mode: UInt32) throws(PlatformError) -> any File {
        SmallFile(file: try disk.open(path, how, mode: mode), disk: self)
    }
    func rename(_ source: String, to target: String) throws(PlatformError) {
        try disk.rename(source, to: target)
    }
    func link(_ source: String, to target: String) throws(PlatformError) {
        try disk.link(source, to: target)
    }
    func remove(_ path: String) throws(PlatformError) { try disk.remove(path) }
    func removeDirectory(_ path: String) throws(PlatformError) { try disk.removeDirectory(path) }
    func status(_ path: String) throws(PlatformError) -> FileStatus? { try disk.status(path) }
    func list(_ directory: String) throws(PlatformError) -> [String] { try disk.list(directory) }
    func makeDirectory(_ path: String, mode: UInt32) throws(PlatformError) {
        try disk.makeDirectory(path, mode: mode)
    }
    func syncDirectory(_ path: String) throws(PlatformError) { try disk.syncDirectory(path) }
}

private final class SmallFile: File {
    private let file: any File
    private let disk: SmallDisk

    init(file: any File, disk: SmallDisk) {
        self.file = file
        self.disk = disk
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(PlatformError)
        -> Int
    {
        try file.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(PlatformError) {
        try disk.take(bytes.count)
        try file.write(bytes, at: offset)
    }
    func append(_ bytes: UnsafeRawBufferPointer) throws(PlatformError) {
        try disk.take(bytes.count)
        try file.append(bytes)
    }
    func sync() throws(PlatformError) { try file.sync() }
    func syncContents() throws(PlatformError) { try file.syncContents() }
    func truncate(to sizeBytes: Int64) throws(PlatformError) { try file.truncate(to: sizeBytes) }
    func sizeBytes() throws(PlatformError) -> Int64 { try file.sizeBytes() }
    func close() throws(PlatformError) { try file.close() }
}

@Suite struct FullDiskTests {
    @Test(arguments: [0, 262_144, 599_999, 600_010])
    func aFullDiskIsToldAndLeavesNothing(bytes: Int) throws {
        let fixture = try DiskStoreFixture()
        let folder = fixture.folder + "/small"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let store = try DiskObjectStore(
            directory: folder, authorizer: TestAuthorizer(), files: SmallDisk(bytes: bytes))
        try store.createBucket(fixture.context, "bucket")
        let bound = store.bound(to: fixture.context)
        let fault = #expect(throws: ObjectStoreError.self) {
            try bound.write(pattern(600_000), to: fixture.at("k"))
        }
        #expect(fault?.code == .storageFull)
        #expect(fixture.blobFiles == [])
        #expect(try bound.list(bucket: "bucket", prefix: "", after: nil, limit: 1).isEmpty)
        // Small objects still find room in the index.
        try bound.write([1], to: fixture.at("small"))
        #expect(try bound.open(fixture.at("small")).allBytes() == [1])
        store.close()
    }
}
