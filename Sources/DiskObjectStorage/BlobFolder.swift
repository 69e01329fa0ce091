import ObjectStorage
import Platform
import Synchronization

/// Where blobs are: names, directories, and their syncs.
final class BlobFolder: Sendable {
    let files: any FileSystem
    /// The number of this start of the store; every name of a new blob begins with it.
    let boot: Int64
    private let root: String
    private let count = Atomic<UInt64>(0)
    private let madeDirectories = Mutex<Set<String>>([])
    private let sync: DirectorySync

    init(files: any FileSystem, root: String, boot: Int64) throws(ObjectStoreError) {
        self.files = files
        self.root = root
        self.boot = boot
        sync = DirectorySync(files: files)
        try storing("make the directory \(root)") {
            if try !files.exists(root + "/incoming") {
                try files.makeDirectory(root + "/incoming")
                try files.syncDirectory(root)
                try files.syncDirectory(parentDirectory(of: root))
            }
        }
    }

    /// A name that was never used: the boot and a count.
    func nextName() -> String {
        let number = count.wrappingAdd(1, ordering: .relaxed).oldValue
        return hex(UInt64(boot)) + "-" + hex(number)
    }

    func incomingPath(_ name: String) -> String { "\(root)/incoming/\(name)" }

    /// `<boot>/<thousands>/<name>`.
    func path(_ name: String) -> String {
        guard let place = Self.place(of: name) else { return "\(root)/none/\(name)" }
        return "\(root)/\(hex(place.boot))/\(hex(place.number / Limits.blobsPerDirectory))/\(name)"
    }

    /// Moves a synced blob to its final name and makes that durable.
    func publish(_ name: String) throws(PlatformError) {
        let target = path(name)
        let directory = parentDirectory(of: target)
        try makeDirectory(directory)
        try files.rename(incomingPath(name), to: target)
        try sync.sync(directory)
    }

    func remove(_ name: String) throws(PlatformError) { _ = try files.removeIfPresent(path(name)) }

    /// Every blob file of a boot, and what is left in `incoming` of it.
    func names(ofBoot boot: Int64) throws(PlatformError) -> (blobs: [String], incoming: [String]) {
        let mine = { (name: String) in Self.place(of: name)?.boot == UInt64(boot) }
        var blobs: [String] = []
        let top = "\(root)/\(hex(UInt64(boot)))"
        if try files.exists(top) {
            for directory in try files.list(top) {
                blobs += try files.list(top + "/" + directory).filter(mine)
            }
        }
        return (blobs, try files.list(root + "/incoming").filter(mine))
    }

    private func makeDirectory(_ directory: String) throws(PlatformError) {
        if madeDirectories.withLock({ $0.contains(directory) }) { return }
        try files.makeDirectory(directory)
        let parent = parentDirectory(of: directory)
        try files.syncDirectory(parent)
        try files.syncDirectory(root)
        madeDirectories.withLock { _ = $0.insert(directory) }
    }

    private static func place(of name: String) -> (boot: UInt64, number: UInt64)? {
        let halves = name.split(separator: "-")
        guard halves.count == 2, let boot = UInt64(halves[0], radix: 16),
            let number = UInt64(halves[1], radix: 16)
        else { return nil }
        return (boot, number)
    }

    private func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

/// Syncs directories; those who ask while one sync runs share the next.
final class DirectorySync: Sendable {
    private struct Turn {
        var asked: UInt64 = 0
        var done: UInt64 = 0
        var isRunning = false
    }

    private enum Step { case done, lead(UInt64) }

    private let files: any FileSystem
    private let turns = Monitor<[String: Turn]>([:])

    init(files: any FileSystem) { self.files = files }

    /// Returns after a sync of the directory that began after the call.
    func sync(_ directory: String) throws(PlatformError) {
        let mine = turns.withLock { turns -> UInt64 in
            turns[directory, default: Turn()].asked += 1
            return turns[directory]?.asked ?? 0
        }
        let step = turns.wait { turns -> Step? in
            guard let turn = turns[directory] else { return .done }
            if turn.done >= mine { return .done }
            if turn.isRunning { return nil }
            turns[directory]?.isRunning = true
            return .lead(turn.asked)
        }
        guard case .lead(let covered) = step else { return }
        var isSynced = false
        defer {
            turns.notify { turns in
                turns[directory]?.isRunning = false
                if isSynced { turns[directory]?.done = covered }
                if let turn = turns[directory], turn.done == turn.asked { turns[directory] = nil }
            }
        }
        try files.syncDirectory(directory)
        isSynced = true
    }
}
