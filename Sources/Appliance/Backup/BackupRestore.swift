import Identity
import Platform

/// Unpacks a backup, with the earlier ones that it builds on, into a new directory.
///
/// `FORMAT` makes a directory of it that can be opened, and comes last: before it every file is durable,
/// and so is every name, in each directory that was made or filled.
struct BackupRestore {
    private let path: String
    /// Where earlier backups are, when not beside this one under the names that they had.
    private let earlier: [String]
    private let target: String
    private let files: any FileSystem
    private let check: () throws -> Void

    /// What became of it.
    struct Report {
        var fileCount = 0
        var blobCount = 0
        var archiveCount = 1
        /// Whether `master.key` was in it.
        var hasKeys = false
        /// Whether certificates and the authority that signs them were in it.
        var hasCertificates = false
    }

    /// `files` is where the directory comes to be; archives are read from the system's. `check` is asked
    /// before each piece of a file, and may throw.
    init(
        path: String, earlier: [String], target: String,
        files: any FileSystem = LocalFileSystem(), check: @escaping () throws -> Void = {}
    ) {
        self.path = path
        self.earlier = earlier
        self.target = target
        self.files = files
        self.check = check
    }

    func run(progress makeProgress: (Int64) -> Progress) throws -> Report {
        if try files.exists(target), try !files.list(target).isEmpty {
            throw ApplianceError(
                .usage, "the directory is not empty: \(target)",
                hint: "restore into a new one with --data")
        }
        let reader = try BackupReader(path: path)
        let manifest = try BackupManifest(reader)
        let others = try findArchives(manifest)
        let isOurs = try !files.exists(target)
        var changed = try foldersAbove()
        if isOurs { try files.makeDirectory(target, mode: 0o700) }
        do {
            let progress = makeProgress(others.reduce(reader.sizeBytes) { $0 + $1.sizeBytes })
            defer { progress.end() }
            return try unpack(manifest, reader, others, &changed, progress)
        } catch {
            // It was empty, so everything in it is ours.
            for name in (try? files.list(target)) ?? [] {
                let place = "\(target)/\(name)"
                if (try? files.status(place))??.kind == .directory {
                    try? files.removeTree(place)
                } else {
                    _ = try? files.removeIfPresent(place)
                }
            }
            if isOurs { try? files.removeDirectory(target) }
            throw error
        }
    }

    private func unpack(
        _ manifest: BackupManifest, _ reader: BackupReader, _ others: [BackupReader],
        _ changed: inout Set<String>, _ progress: Progress
    ) throws -> Report {
        var report = Report()
        report.archiveCount = 1 + others.count
        var format: [UInt8] = []
        var missing: [String: Set<String>] = [:]
        for (blob, home) in manifest.blobs { missing[home, default: []].insert(blob.path) }
        while let entry = try reader.next() {
            if entry.name == "FORMAT" {
                try reader.pieces(entry) { format += $0 }
                continue
            }
            try write(entry, reader, &changed)
            progress.move(to: reader.offset)
            report.fileCount += 1
            if entry.name == "master.key" { report.hasKeys = true }
            if entry.name.hasPrefix("tls/") { report.hasCertificates = true }
            if missing[manifest.id]?.remove(entry.name) != nil { report.blobCount += 1 }
        }
        var done = reader.offset
        for (archive, other) in zip(manifest.archives, others) {
            while let entry = try other.next() {
                if missing[archive.id]?.remove(entry.name) != nil {
                    try write(entry, other, &changed)
                    report.blobCount += 1
                    report.fileCount += 1
                } else {
                    try other.pieces(entry) { _ in try check() }
                }
                progress.move(to: done + other.offset)
            }
            done += other.offset
        }
        if let lost = missing.values.compactMap(\.first).first {
            throw ApplianceError(
                .directoryDamaged, "no backup has \(lost), which this one names",
                hint: "take another backup")
        }
        guard !format.isEmpty else { throw Tar.damaged("FORMAT") }
        if !report.hasKeys {
            try files.replaceDurably(
                target + "/master.key" + IdentityRegistry.leftOutSuffix, with: [], mode: 0o600)
        }
        for folder in changed.sorted() { try files.syncDirectory(folder) }
        try files.replaceDurably(target + "/FORMAT", with: format, mode: 0o644)
        report.fileCount += 1
        return report
    }

    /// The earlier backups that have blobs of this one, open behind their first entries.
    private func findArchives(_ manifest: BackupManifest) throws -> [BackupReader] {
        if manifest.archives.isEmpty { return [] }
        var given: [String: String] = [:]
        for path in earlier { given[try BackupManifest(BackupReader(path: path)).id] = path }
        return try manifest.archives.map { archive in
            let beside = parentDirectory(of: path) + "/" + archive.file
            let place = given[archive.id] ?? beside
            guard try files.exists(place) else {
                throw ApplianceError(
                    .notFound, "the backup builds on \(archive.file), which is not at \(place)",
                    hint: "put it there, or say where it is: --from FILE")
            }
            let reader = try BackupReader(path: place)
            guard try BackupManifest(reader).id == archive.id else {
                throw ApplianceError(
                    .notFound, "\(place) is another backup than the one that this one builds on",
                    hint: "say where it is: --from FILE")
            }
            return reader
        }
    }

    /// The directories that get a name when the target is made: its parent, and where that is not there
    /// either, those above.
    private func foldersAbove() throws -> Set<String> {
        var folders: Set<String> = []
        var folder = target
        while try !files.exists(folder) {
            let parent = parentDirectory(of: folder)
            guard folders.insert(parent).inserted else { break }
            folder = parent
        }
        return folders
    }

    /// Writes a file, and notes the directories that have a new name.
    private func write(
        _ entry: Tar.Header, _ reader: BackupReader, _ changed: inout Set<String>
    ) throws {
        var folder = target
        for part in entry.name.split(separator: "/").dropLast() {
            let parent = folder
            folder += "/\(part)"
            if try !files.exists(folder) {
                try files.makeDirectory(folder, mode: 0o700)
                changed.insert(parent)
            }
        }
        changed.insert(folder)
        let file = try files.open("\(target)/\(entry.name)", .createNew, mode: 0o600)
        try check()
        try reader.pieces(entry) { piece in
            try check()
            try file.append(piece)
        }
        try file.sync()
        try file.close()
    }
}
