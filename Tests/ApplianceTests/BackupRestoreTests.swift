import Foundation
import Platform
import Synchronization
import Testing

@testable import Appliance

/// What a power cut would take: names made since their directory was synced, and bytes written since their
/// file was.
private final class PowerCut: Sendable {
    private struct State {
        var names: [String: Set<String>] = [:]
        var bytes: [String: Int] = [:]
    }
    private let state = Mutex(State())

    func made(_ path: String) {
        let (folder, name) = (parentDirectory(of: path), lastPathComponent(of: path))
        state.withLock { _ = $0.names[folder, default: []].insert(name) }
    }

    func wrote(_ count: Int, to path: String) {
        state.withLock { $0.bytes[path, default: 0] += count }
    }

    func synced(file path: String) { state.withLock { $0.bytes[path] = nil } }

    func synced(directory path: String) { state.withLock { $0.names[path] = nil } }

    /// A file keeps its bytes under its new name.
    func renamed(_ source: String, to target: String) {
        state.withLock { $0.bytes[target] = $0.bytes.removeValue(forKey: source) }
        made(target)
    }

    /// Everything that would be lost now but the name `except`.
    func lost(except: String) -> Set<String> {
        state.withLock { state in
            var lost: Set<String> = []
            for (folder, names) in state.names {
                for name in names { lost.insert("\(folder)/\(name)") }
            }
            lost.remove(except)
            for (path, count) in state.bytes { lost.insert("\(count) bytes of \(path)") }
            return lost
        }
    }
}

/// A file that notes what of it is not on the disk.
private final class WatchedFile: File {
    private let file: any File
    private let path: String
    private let cut: PowerCut

    init(_ file: any File, _ path: String, _ cut: PowerCut) {
        self.file = file
        self.path = path
        self.cut = cut
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(PlatformError) -> Int { try file.read(into: buffer, at: offset) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(PlatformError) {
        cut.wrote(bytes.count, to: path)
        try file.write(bytes, at: offset)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(PlatformError) {
        cut.wrote(bytes.count, to: path)
        try file.append(bytes)
    }

    func sync() throws(PlatformError) {
        try file.sync()
        cut.synced(file: path)
    }

    func syncContents() throws(PlatformError) {
        try file.syncContents()
        cut.synced(file: path)
    }

    func truncate(to sizeBytes: Int64) throws(PlatformError) { try file.truncate(to: sizeBytes) }

    func sizeBytes() throws(PlatformError) -> Int64 { try file.sizeBytes() }

    func close() throws(PlatformError) { try file.close() }
}

/// The system's files, watched for what a power cut would take when `FORMAT` comes to be.
private final class WatchedFileSystem: FileSystem {
    private let system = LocalFileSystem()
    private let cut = PowerCut()
    private let atFormat = Mutex<Set<String>?>(nil)

    /// What was not durable when a file called `FORMAT` came to be.
    var lostAtFormat: Set<String>? { atFormat.withLock { $0 } }

    func open(_ path: String, _ how: OpenMode, mode: UInt32) throws(PlatformError) -> any File {
        if try system.status(path) == nil { cut.made(path) }
        return WatchedFile(try system.open(path, how, mode: mode), path, cut)
    }

    func rename(_ source: String, to target: String) throws(PlatformError) {
        if lastPathComponent(of: target) == "FORMAT" {
            let lost = cut.lost(except: source)
            atFormat.withLock { $0 = lost }
        }
        try system.rename(source, to: target)
        cut.renamed(source, to: target)
    }

    func link(_ source: String, to target: String) throws(PlatformError) {
        try system.link(source, to: target)
        cut.made(target)
    }

    func remove(_ path: String) throws(PlatformError) { try system.remove(path) }

    func removeDirectory(_ path: String) throws(PlatformError) { try system.removeDirectory(path) }

    func status(_ path: String) throws(PlatformError) -> FileStatus? { try system.status(path) }

    func list(_ directory: String) throws(PlatformError) -> [String] { try system.list(directory) }

    func makeDirectory(_ path: String, mode: UInt32) throws(PlatformError) {
        var folder = path
        while try system.status(folder) == nil {
            cut.made(folder)
            folder = parentDirectory(of: folder)
        }
        try system.makeDirectory(path, mode: mode)
    }

    func syncDirectory(_ path: String) throws(PlatformError) {
        try system.syncDirectory(path)
        cut.synced(directory: path)
    }
}

private final class NoStreams: CommandStreams {
    func write(_ text: String) {}
    func complain(_ text: String) {}
    func readInput() throws -> [UInt8] { [] }
}

@Suite struct BackupRestoreTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        UUID().uuidString
    ).path

    /// Writes an archive of these entries, with a manifest that names the blobs among them.
    private func archive(_ names: [String], hasManifest: Bool = true) throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/copy.lhz"
        let writer = try BackupWriter(path: path) { _ in }
        if hasManifest {
            var manifest = BackupManifest(id: "0102", createdMicroseconds: 0)
            for name in names where name.hasPrefix("blobs/") {
                let blob = BackupManifest.Blob(
                    path: name, sizeBytes: Int64(name.utf8.count), digest: "",
                    modifiedMicroseconds: 0)
                manifest.blobs.append((blob, manifest.id))
            }
            try writer.add(text: manifest.headText, as: BackupManifest.headName)
            try writer.add(text: manifest.blobsText, as: BackupManifest.blobsName)
        }
        for name in names { try writer.add(text: name, as: name) }
        try writer.finish()
        return path
    }

    private func restore(
        _ path: String, into target: String, _ files: any FileSystem = LocalFileSystem()
    ) throws -> BackupRestore.Report {
        try BackupRestore(path: path, earlier: [], target: target, files: files).run {
            Progress(total: $0, isShown: false, NoStreams())
        }
    }

    @Test(arguments: ["restored", "new/deep/restored"])
    func everyNameIsDurableBeforeTheFormatIsThere(_ target: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let names = ["objects.sqlite", "blobs/aa/01/x", "blobs/aa/02/y", "tls/ca.pem", "FORMAT"]
        let path = try archive(names)
        let files = WatchedFileSystem()
        let report = try restore(path, into: "\(folder)/\(target)", files)
        #expect(files.lostAtFormat == [])
        #expect(report.fileCount == 5)
        #expect(report.blobCount == 2)
        for name in names {
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(target)/\(name)"))
        }
    }

    @Test(arguments: [
        (["FORMAT"], 2, ["master.key", "certificates"]),
        (["master.key", "FORMAT"], 1, ["certificates"]),
        (["master.key", "tls/ca.key", "FORMAT"], 0, []),
    ])
    func whatIsMadeAnewIsTold(_ names: [String], _ count: Int, _ words: [String]) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = try restore(archive(names), into: folder + "/restored")
        let notes = BackupCommands.notes(report)
        #expect(notes.count == count)
        for (note, word) in zip(notes, words) { #expect(note.contains(word)) }
    }

    @Test func aBackupInTheFormerFormatIsRecognised() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = try archive(["FORMAT", "catalog.sqlite"], hasManifest: false)
        do {
            _ = try restore(path, into: folder + "/restored")
            Issue.record("it was restored")
        } catch let error as ApplianceError {
            #expect(error.code == .directoryDamaged)
            #expect(error.message.contains("former format"))
            #expect(error.hint?.contains("lakehouse backup restore") ?? false)
        }
        #expect(!FileManager.default.fileExists(atPath: folder + "/restored"))
    }
}
