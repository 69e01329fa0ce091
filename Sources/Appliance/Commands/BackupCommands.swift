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

/// `lakehouse backup …`.
enum BackupCommands {
    static let all = [create, restore]

    private static let create = Command(
        "backup create", arguments: "FILE",
        "copies everything into one file, also while a server runs",
        options: [
            CommandOption("with-keys", "includes master.key, which unseals the S3 secrets")
        ], example: "lakehouse backup create monday.lhz --with-keys",
        place: .appliance { appliance, parsed, streams in
            let path = try parsed.required(0, "FILE")
            let files = LocalFileSystem()
            let folder =
                appliance.directory.file("spill") + "/backup-" + appliance.entropy.hex(bytes: 6)
            try files.makeDirectory(folder, mode: 0o700)
            defer { try? files.removeTree(folder) }
            // Blobs stay while the hold lives. The catalog is copied before the object index: every file
            // that the catalog names is then in the index.
            let hold = appliance.objects.holdTrash()
            let databases: [(String, Database)] = [
                ("catalog.sqlite", appliance.catalog.outbox),
                ("objects.sqlite", appliance.objects.database),
                (MaintenanceLog.fileName, try appliance.catalog.maintenance.database),
                ("jobs.sqlite", appliance.jobs.records),
                ("quality.sqlite", appliance.checks.database),
                ("operations.sqlite", appliance.watchman.database),
                ("ingest.sqlite", appliance.registry.database),
                ("models.sqlite", appliance.models.database),
                ("connectors.sqlite", appliance.connectors.database),
                ("identity.sqlite", appliance.identity.database),
                ("ledger.sqlite", appliance.ledger.database),
            ]
            let writer = try BackupWriter(path: path)
            try writer.add(appliance.directory.file("FORMAT"), as: "FORMAT", mode: 0o644)
            for (name, database) in databases {
                try database.copy(to: "\(folder)/\(name)")
                try writer.add("\(folder)/\(name)", as: name, mode: 0o600)
            }
            if parsed.has("with-keys") {
                try writer.add(
                    appliance.directory.file("master.key"), as: "master.key", mode: 0o600)
            }
            var count = 0
            try addTree(files, appliance.directory.path, "blobs", writer, &count)
            // What people have declared in files.
            var declared = 0
            for folder in ["pipelines", "dashboards", "metrics"]
            where try files.exists(appliance.directory.file(folder)) {
                try addTree(files, appliance.directory.path, folder, writer, &declared)
            }
            try writer.finish()
            withExtendedLifetime(hold) {}
            streams.write(
                "\(path): \(databases.count) databases, \(count) blobs, \(declared) declared files\n"
            )
            return 0
        })

    private static func addTree(
        _ files: LocalFileSystem, _ root: String, _ folder: String, _ writer: BackupWriter,
        _ count: inout Int
    ) throws {
        for name in try files.list("\(root)/\(folder)").sorted() {
            let path = "\(folder)/\(name)"
            guard let status = try files.status("\(root)/\(path)") else { continue }
            switch status.kind {
            // What is being uploaded belongs to nobody yet.
            case .directory where name != "incoming" && name != "trash":
                try addTree(files, root, path, writer, &count)
            case .file:
                try writer.add("\(root)/\(path)", as: path, mode: 0o600)
                count += 1
            default: break
            }
        }
    }

    private static let restore = Command(
        "backup restore", arguments: "FILE", "unpacks a backup into a new data directory",
        example: "lakehouse backup restore monday.lhz --data ./restored",
        place: .here { parsed, streams in
            let path = try parsed.required(0, "FILE")
            let target = try CommandLine.configuration(parsed).text("data")
            let files = LocalFileSystem()
            if try files.exists(target), try !files.list(target).isEmpty {
                throw ApplianceError(
                    .usage, "the directory is not empty: \(target)",
                    hint: "restore into a new one with --data")
            }
            let reader = try BackupReader(path: path)
            if try !files.exists(target) { try files.makeDirectory(target, mode: 0o700) }
            var count = 0
            while let entry = try Tar.parse(try reader.read(Tar.blockBytes)) {
                let place = "\(target)/\(entry.name)"
                try makeParents(files, target, entry.name)
                let file = try files.open(place, .createNew, mode: entry.mode)
                var left = entry.sizeBytes
                while left > 0 {
                    let piece = try reader.read(Int(min(left, 1 << 20)))
                    try file.append(piece)
                    left -= Int64(piece.count)
                }
                try file.sync()
                try file.close()
                let rest = Int(entry.sizeBytes % Int64(Tar.blockBytes))
                if rest > 0 { _ = try reader.read(Tar.blockBytes - rest) }
                count += 1
            }
            streams.write("\(count) files into \(target)\n")
            if try !files.exists(target + "/master.key") {
                let mark = target + "/master.key" + IdentityRegistry.leftOutSuffix
                try files.replaceDurably(mark, with: [], mode: 0o600)
                streams.write(
                    "the backup holds no master.key: the next start makes a new one; S3 keys and the "
                        + "secrets of catalogs have to be given anew (lakehouse key create)\n")
            }
            return 0
        })

    private static func makeParents(
        _ files: LocalFileSystem, _ root: String, _ name: String
    ) throws {
        var path = root
        for part in name.split(separator: "/").dropLast() {
            path += "/\(part)"
            if try !files.exists(path) { try files.makeDirectory(path, mode: 0o700) }
        }
    }
}
