import Bytes
import Diagnostics
package import Platform

/// The data directory: its lock, its format version, its paths.
///
///     DIR/FORMAT          the version of everything in it, a number and a newline
///     DIR/lock            held by the process that has it open; its pid inside
///     DIR/control.sock    where the command line talks to a running server
///     DIR/master.key      seals secrets; mode 0600
///     DIR/*.sqlite        catalog, models, objects, identity, jobs, ledger
///     DIR/blobs           object bytes
///     DIR/spill           temporary, emptied at start
///     DIR/tls             the local authority and the server's certificate
package final class DataDirectory: Sendable {
    /// What this binary writes. A newer one is refused; older ones are migrated forward.
    package static let formatVersion = 1

    package let path: String
    private let lock: FileLock
    private let files: any FileSystem
    /// Whether the directory was made by this start.
    package let isNew: Bool

    /// Lets another process open the directory. Everything in it was closed before.
    func unlock() { lock.release() }

    /// Opens and locks the directory, making it when it is absent.
    ///
    /// Throws `.directoryInUse` with the holder's pid, `.directoryNewer` for a format of a later
    /// version, and `.directoryDamaged` where databases are but no format.
    package init(path: String, files: any FileSystem = LocalFileSystem()) throws {
        self.files = files
        if try !files.exists(path) { try files.makeDirectory(path, mode: 0o700) }
        self.path = try LocalFileSystem().resolve(path)
        do { lock = try FileLock(path: self.path + "/lock") } catch {
            guard error.code == .locked else { throw error }
            let holder = FileLock.holder(path: self.path + "/lock").map { "process \($0)" }
            throw ApplianceError(
                .directoryInUse,
                "the data directory is in use by \(holder ?? "another process"): \(self.path)",
                hint: "stop it, or give another directory with --data")
        }
        let formatPath = self.path + "/FORMAT"
        if try files.exists(formatPath) {
            isNew = false
            try DataDirectory.check(try files.readAll(formatPath, limit: 64), at: formatPath)
        } else {
            // FORMAT is on the disk before the first database is made: a first start that was killed leaves
            // neither, or FORMAT, but never databases without it.
            try DataDirectory.requireNoDatabases(self.path)
            isNew = true
            try files.replaceDurably(
                formatPath, with: Array("\(DataDirectory.formatVersion)\n".utf8), mode: 0o644)
        }
        try? files.removeTree(self.path + "/spill")
        try files.makeDirectory(self.path + "/spill", mode: 0o700)
    }

    /// Throws `.directoryDamaged` where databases of a lakehouse lie whose FORMAT is gone: what made them,
    /// and whether they are whole, cannot be told.
    static func requireNoDatabases(_ path: String) throws(ApplianceError) {
        let names = ["catalog.sqlite", "objects.sqlite", "identity.sqlite"]
        guard
            let name = names.first(where: {
                (try? LocalFileSystem().exists("\(path)/\($0)")) == true
            })
        else { return }
        throw ApplianceError(
            .directoryDamaged, "\(path) holds \(name) of a lakehouse, but its file FORMAT is gone",
            hint: "restore a backup into a new directory, or, where only FORMAT was lost and this "
                + "version wrote the rest: echo \(formatVersion) > \(path)/FORMAT")
    }

    private static func check(_ bytes: [UInt8], at path: String) throws(ApplianceError) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let version = Int(text.prefix { $0 != "\n" }) else {
            throw ApplianceError(
                .directoryDamaged,
                "\(path) does not hold a format version: \(String(text.prefix(20)).debugDescription)",
                hint: "restore it from a backup; this version writes \(formatVersion)")
        }
        guard version <= formatVersion else {
            throw ApplianceError(
                .directoryNewer,
                "the data directory has format \(version), this binary knows up to \(formatVersion)",
                hint: "use a newer lakehouse binary")
        }
    }

    package func file(_ name: String) -> String { path + "/" + name }

    /// Where the command line finds a running server.
    package static func controlPath(of directory: String) -> String { directory + "/control.sock" }
}
