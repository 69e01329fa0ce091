import CivilTime
import JSON
import Platform

/// What a backup says of itself: its first two entries.
///
///     BACKUP   {"version": 1, "id": "…", "created": "…", "archives": [{"id": "…", "file": "monday.lhz"}]}
///     BLOBS    a line for each blob of the moment: bytes, digest, time, the backup that has it, path
///
/// `archives` are the earlier backups that hold blobs of this one. A blob never changes, so it is told by
/// its path, size, digest and time: what a backup of another directory has is never taken for ours.
struct BackupManifest {
    /// An earlier backup that holds some of the blobs.
    struct Archive: Equatable {
        var id: String
        /// Its file's name, without the folder.
        var file: String
    }

    /// What tells one blob from every other.
    struct Blob: Hashable {
        var path: String
        var sizeBytes: Int64
        var digest: String
        var modifiedMicroseconds: Int64
    }

    static let headName = "BACKUP"
    static let blobsName = "BLOBS"
    /// What the archives began with that had neither a list of blobs nor sums.
    private static let formerHeadName = "FORMAT"
    private static let version: Int64 = 1
    private static let noDigest = "-"

    var id: String
    var createdMicroseconds: Int64
    var archives: [Archive] = []
    /// With the id of the backup that has the bytes.
    var blobs: [(blob: Blob, home: String)] = []

    var headText: String {
        let list = archives.map { archive in
            JSONValue.object([("id", .string(archive.id)), ("file", .string(archive.file))])
        }
        return String(
            decoding: JSONValue.object([
                ("version", .int(Self.version)), ("id", .string(id)),
                ("created", .string(CivilFormat.rfc3339(utc: createdMicroseconds))),
                ("archives", .array(list)),
            ]).encoded(), as: UTF8.self) + "\n"
    }

    var blobsText: String {
        var text = ""
        for (blob, home) in blobs {
            let digest = blob.digest.isEmpty ? Self.noDigest : blob.digest
            text +=
                "\(blob.sizeBytes) \(digest) \(blob.modifiedMicroseconds) \(home) \(blob.path)\n"
        }
        return text
    }

    /// How many bytes of blobs this backup itself has.
    var ownBytes: Int64 { blobs.reduce(0) { $0 + ($1.home == id ? $1.blob.sizeBytes : 0) } }

    init(id: String, createdMicroseconds: Int64) {
        self.id = id
        self.createdMicroseconds = createdMicroseconds
    }

    /// Reads the first two entries.
    init(_ reader: BackupReader) throws {
        let head = try reader.next()
        guard head?.name != Self.formerHeadName else {
            throw ApplianceError(
                .directoryDamaged,
                "this is a backup in the former format, of `lakehouse backup create`: \(reader.path)",
                hint:
                    "restore it with the binary that made it (lakehouse backup restore), start this "
                    + "one over that directory, and take a new backup")
        }
        guard let head, head.name == Self.headName,
            let cursor = try? JSONValue(parsing: Array(reader.text(head).utf8)).cursor,
            let version = try? cursor["version"].int64()
        else {
            throw ApplianceError(
                .directoryDamaged, "this is no backup of a lakehouse: \(reader.path)",
                hint: "lakehouse backup FILE makes one")
        }
        guard version == Self.version else {
            throw ApplianceError(
                .directoryNewer, "the backup has format \(version), this binary knows 1",
                hint: "use a newer lakehouse binary")
        }
        id = try cursor["id"].string()
        createdMicroseconds =
            CivilParse.rfc3339(try cursor["created"].string()) ?? 0
        archives = try cursor["archives"].elements().map { archive in
            Archive(id: try archive["id"].string(), file: try archive["file"].string())
        }
        guard let list = try reader.next(), list.name == Self.blobsName else {
            throw Tar.damaged(Self.blobsName)
        }
        for line in try reader.text(list).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 4)
            guard words.count == 5, let size = Int64(words[0]), let time = Int64(words[2]),
                Tar.isSafe(String(words[4]))
            else { throw Tar.damaged(Self.blobsName) }
            let blob = Blob(
                path: String(words[4]), sizeBytes: size,
                digest: words[1] == Self.noDigest ? "" : String(words[1]),
                modifiedMicroseconds: time)
            blobs.append((blob, String(words[3])))
        }
    }
}
