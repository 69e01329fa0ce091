import Platform
import SQLite

/// One moment of several databases, copied file by file while everybody goes on writing.
///
///     reads begin (empty) ─▶ writers wait ─▶ each read takes its snapshot, logs are copied ─▶ writers go on
///                                                          then: the databases' files are copied
///
/// A read that is open keeps SQLite from folding anything newer into the file than its own snapshot, so
/// the file as it is copied with the log as it was then is that snapshot, whatever was written meanwhile.
/// Writers wait for the logs only, a few megabytes.
struct DatabaseMoment {
    /// A file to copy, up to the size that it had.
    struct Piece {
        let name: String
        let path: String
        let sizeBytes: Int64
    }

    /// In an order in which the writers may be taken together: whoever writes into one from within a
    /// transaction of another finds that other before it.
    let sources: [(name: String, database: Database)]
    /// Where the logs are copied to.
    let folder: String

    /// Calls `body` with what is to be copied and each database's snapshot; both hold until it returns.
    func hold<Result>(
        _ body: ([Piece], [String: ReadTransaction]) throws -> Result
    ) throws -> Result {
        try read(sources[...], []) { snapshots in
            let pieces = try stop(sources[...]) {
                try zip(sources, snapshots).flatMap { source, snapshot in
                    // A transaction's snapshot is the one of its first look.
                    _ = try snapshot.number("SELECT count(*) FROM sqlite_schema")
                    return try copyLog(source.name, source.database.path)
                }
            }
            let byName = Dictionary(
                zip(sources.map(\.name), snapshots), uniquingKeysWith: { first, _ in first })
            return try body(pieces, byName)
        }
    }

    private func read<Result>(
        _ rest: ArraySlice<(name: String, database: Database)>, _ open: [ReadTransaction],
        _ body: ([ReadTransaction]) throws -> Result
    ) throws -> Result {
        guard let first = rest.first else { return try body(open) }
        return try first.database.read { snapshot in
            try read(rest.dropFirst(), open + [snapshot], body)
        }
    }

    private func stop<Result>(
        _ rest: ArraySlice<(name: String, database: Database)>, _ body: () throws -> Result
    ) throws -> Result {
        guard let first = rest.first else { return try body() }
        return try first.database.write { _ in try stop(rest.dropFirst(), body) }
    }

    private func copyLog(_ name: String, _ path: String) throws -> [Piece] {
        let files = LocalFileSystem()
        guard let file = try files.status(path) else {
            throw ApplianceError(.directoryDamaged, "the database's file is gone: \(path)")
        }
        let main = Piece(name: name, path: path, sizeBytes: file.sizeBytes)
        guard let log = try files.status(path + "-wal"), log.sizeBytes > 0 else { return [main] }
        let source = try files.open(path + "-wal", .read)
        let copy = try files.open("\(folder)/\(name)-wal", .createNew, mode: 0o600)
        var offset: Int64 = 0
        while offset < log.sizeBytes {
            let bytes = try source.read(Int(min(1 << 20, log.sizeBytes - offset)), at: offset)
            if bytes.isEmpty { break }
            try copy.append(bytes)
            offset += Int64(bytes.count)
        }
        try copy.close()
        try source.close()
        return [
            main, Piece(name: name + "-wal", path: "\(folder)/\(name)-wal", sizeBytes: offset),
        ]
    }
}
