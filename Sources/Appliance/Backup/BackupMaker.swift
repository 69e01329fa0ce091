import Connectors
import DiskObjectStorage
import Identity
import Ingest
import Jobs
import Ledger
import Models
import Operations
import Platform
import Quality
import SQLite
import TableCatalog

/// Makes a backup of an open directory, also while it is being written to.
///
/// What is in it is one moment: every database as it was then, and every blob that the object index named
/// then. Deleted blobs stay on the disk until the backup is through (`holdTrash`).
struct BackupMaker {
    private let appliance: Appliance
    private let path: String
    /// An earlier backup whose blobs are not copied again.
    private let earlier: String?
    private let withKeys: Bool
    private let files = LocalFileSystem()

    /// What became of it.
    struct Report {
        var databaseCount = 0
        var blobCount = 0
        var copiedBlobCount = 0
        var copiedBytes: Int64 = 0
        var declaredCount = 0
        var archiveBytes: Int64 = 0
    }

    /// What people have declared in files.
    private static let declaredFolders = ["pipelines", "dashboards", "metrics"]

    init(_ appliance: Appliance, path: String, earlier: String?, withKeys: Bool) {
        self.appliance = appliance
        self.path = path
        self.earlier = earlier
        self.withKeys = withKeys
    }

    func run(progress makeProgress: (Int64) -> Progress) throws -> Report {
        let before = try earlier.map { path in
            (file: path, manifest: try BackupManifest(BackupReader(path: path)))
        }
        let hold = appliance.objects.holdTrash()
        defer { withExtendedLifetime(hold) {} }
        let folder =
            appliance.directory.file("spill") + "/backup-" + appliance.entropy.hex(bytes: 6)
        try files.makeDirectory(folder, mode: 0o700)
        defer { try? files.removeTree(folder) }
        var writer: BackupWriter?
        var finished = false
        defer { if !finished { writer?.giveUp() } }
        var manifest = BackupManifest(
            id: appliance.entropy.hex(bytes: 8),
            createdMicroseconds: appliance.clock.now().microseconds)
        var report = Report()
        let moment = DatabaseMoment(
            sources: try appliance.databases.map { ($0.file, try $0.open()) }, folder: folder)
        let progress = try moment.hold { pieces, snapshots in
            guard let index = snapshots["objects.sqlite"] else {
                throw ApplianceError(.failed, "the object index is not among the databases")
            }
            try list(index, into: &manifest, before: before)
            let total = pieces.reduce(manifest.ownBytes) { $0 + $1.sizeBytes }
            let progress = makeProgress(total)
            let archive = try BackupWriter(path: path) { progress.advance(by: $0) }
            writer = archive
            try archive.add(text: manifest.headText, as: BackupManifest.headName)
            try archive.add(text: manifest.blobsText, as: BackupManifest.blobsName)
            for piece in pieces {
                try archive.add(piece.path, as: piece.name, sizeBytes: piece.sizeBytes)
            }
            report.databaseCount = snapshots.count
            return progress
        }
        defer { progress.end() }
        guard let writer else { throw ApplianceError(.failed, "the backup was not begun") }
        report.blobCount = manifest.blobs.count
        for (blob, home) in manifest.blobs where home == manifest.id {
            try writer.add(appliance.directory.file(blob.path), as: blob.path)
            report.copiedBlobCount += 1
            report.copiedBytes += blob.sizeBytes
        }
        try addRest(writer, &report.declaredCount)
        try writer.finish()
        finished = true
        report.archiveBytes = try files.status(path)?.sizeBytes ?? 0
        return report
    }

    /// The blobs of the moment, each with the backup that has it.
    private func list(
        _ index: ReadTransaction, into manifest: inout BackupManifest,
        before: (file: String, manifest: BackupManifest)?
    ) throws {
        var homes: [BackupManifest.Blob: String] = [:]
        for (blob, home) in before?.manifest.blobs ?? [] { homes[blob] = home }
        var used: Set<String> = []
        let own = manifest.id
        let prefix = appliance.directory.path + "/"
        for row in try appliance.objects.blobs(in: index) where row.path.hasPrefix(prefix) {
            let blob = BackupManifest.Blob(
                path: String(row.path.dropFirst(prefix.count)), sizeBytes: row.sizeBytes,
                digest: row.digest, modifiedMicroseconds: row.modifiedMicroseconds)
            let home = homes[blob] ?? own
            used.insert(home)
            manifest.blobs.append((blob, home))
        }
        guard let before else { return }
        let archives =
            before.manifest.archives + [
                BackupManifest.Archive(
                    id: before.manifest.id, file: lastPathComponent(of: before.file))
            ]
        manifest.archives = archives.filter { used.contains($0.id) }
    }

    /// FORMAT is the last: what was unpacked in part is no lakehouse.
    private func addRest(_ writer: BackupWriter, _ declared: inout Int) throws {
        if withKeys {
            try writer.add(appliance.directory.file("master.key"), as: "master.key")
            var ignored = 0
            try addTree("tls", writer, &ignored)
        }
        for folder in Self.declaredFolders { try addTree(folder, writer, &declared) }
        try writer.add(appliance.directory.file("FORMAT"), as: "FORMAT")
    }

    private func addTree(_ folder: String, _ writer: BackupWriter, _ count: inout Int) throws {
        let place = appliance.directory.file(folder)
        guard try files.status(place)?.kind == .directory else { return }
        for name in try files.list(place).sorted() {
            let path = "\(folder)/\(name)"
            switch try files.status(appliance.directory.file(path))?.kind {
            case .directory: try addTree(path, writer, &count)
            case .file:
                try writer.add(appliance.directory.file(path), as: path)
                count += 1
            default: break
            }
        }
    }
}
