import Platform

/// The directory that a walkthrough was given: a lakehouse in `lake`, and its sources and receipt beside it.
enum DemoPlace {
    /// What walkthroughs leave in their directory.
    private static let left = [
        "lake", "core-banking.sqlite", "core-banking.sqlite-wal", "core-banking.sqlite-shm",
        "orders.csv", "returns.csv", "receipt.json", "walkthrough.json", "chaos.log", "verify.py",
        "verify-access.json",
        "verify.jsonl", "dbt",
    ]

    /// Makes the directory, or makes it empty of an earlier walkthrough; its path. Throws
    /// `.directoryTaken` where an earlier one is to stay, or runs, and in a lakehouse of somebody's own.
    static func prepare(_ path: String, isFresh: Bool) throws -> String {
        let files = LocalFileSystem()
        if try !files.exists(path) { try files.makeDirectory(path, mode: 0o700) }
        let directory = try files.resolve(path)
        if try files.exists(directory + "/FORMAT") {
            throw WalkthroughError(
                .directoryTaken, "this directory is a lakehouse itself: \(path)",
                hint: "a walkthrough makes one of its own: give another directory with --data")
        }
        let found = try left.filter { try files.exists("\(directory)/\($0)") }
        if found.isEmpty { return directory }
        guard isFresh else {
            throw WalkthroughError(
                .directoryTaken, "an earlier walkthrough has left its data in \(path)",
                hint: "--fresh removes it first; `lakehouse serve --data \(path)` serves it")
        }
        try removeAll(found, in: directory, files)
        return directory
    }

    private static func removeAll(
        _ names: [String], in directory: String, _ files: LocalFileSystem
    ) throws {
        // Held until the files are gone: nobody starts on them meanwhile.
        var lock: FileLock?
        if try files.exists(directory + "/lake") {
            do { lock = try FileLock(path: directory + "/lake/lock") } catch {
                throw WalkthroughError(
                    .directoryTaken, "the earlier walkthrough still runs in \(directory)",
                    hint: "stop it first", cause: error)
            }
        }
        defer { lock?.release() }
        for name in names {
            let path = "\(directory)/\(name)"
            if try files.status(path)?.kind == .directory {
                try files.removeTree(path)
            } else {
                _ = try files.removeIfPresent(path)
            }
        }
    }
}
