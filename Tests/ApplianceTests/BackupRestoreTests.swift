import Foundation
import Platform
import Synchronization
import Testing

@testable import Appliance

/// The system's files, and which names a power cut would take: those made since their directory was synced.
private final class WatchedFileSystem: FileSystem {
    private struct State {
        var unsynced: [String: Set<String>] = [:]
        /// What was not durable when a file called `FORMAT` came to be.
        var lostAtFormat: Set<String>?
    }
    private let system = LocalFileSystem()
    private let state = Mutex(State())

    var lostAtFormat: Set<String>? { state.withLock { $0.lostAtFormat } }

    private func made(_ path: String) {
        let (folder, name) = (parentDirectory(of: path), lastPathComponent(of: path))
        state.withLock { _ = $0.unsynced[folder, default: []].insert(name) }
    }

    func open(_ path: String, _ how: OpenMode, mode: UInt32) throws(PlatformError) -> any File {
        if try system.status(path) == nil { made(path) }
        return try system.open(path, how, mode: mode)
    }

    func rename(_ source: String, to target: String) throws(PlatformError) {
        if lastPathComponent(of: target) == "FORMAT" {
            state.withLock { state in
                var lost: Set<String> = []
                for (folder, names) in state.unsynced {
                    for name in names { lost.insert("\(folder)/\(name)") }
                }
                state.lostAtFormat = lost.subtracting([source])
            }
        }
        try system.rename(source, to: target)
        made(target)
    }

    func link(_ source: String, to target: String) throws(PlatformError) {
        try system.link(source, to: target)
        made(target)
    }

    func remove(_ path: String) throws(PlatformError) { try system.remove(path) }

    func removeDirectory(_ path: String) throws(PlatformError) { try system.removeDirectory(path) }

    func status(_ path: String) throws(PlatformError) -> FileStatus? { try system.status(path) }

    func list(_ directory: String) throws(PlatformError) -> [String] { try system.list(directory) }

    func makeDirectory(_ path: String, mode: UInt32) throws(PlatformError) {
        var folder = path
        while try system.status(folder) == nil {
            made(folder)
            folder = parentDirectory(of: folder)
        }
        try system.makeDirectory(path, mode: mode)
    }

    func syncDirectory(_ path: String) throws(PlatformError) {
        try system.syncDirectory(path)
        state.withLock { $0.unsynced[path] = nil }
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
