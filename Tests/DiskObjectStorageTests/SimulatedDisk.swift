import Platform
import Synchronization

/// A disk in memory that keeps apart what was written from what was synced. At the given step the power
/// goes: from then on everything fails, and `restart` leaves of what was never synced a part by chance.
final class SimulatedDisk: FileSystem {
    struct Node {
        var bytes: [UInt8] = []
        /// What a sync has made certain.
        var durable: [UInt8] = []
    }

    struct State {
        var nodes: [UInt64: Node] = [:]
        var nextNode: UInt64 = 1
        /// Names as the running system sees them, and as they are on the platter.
        var names: [String: UInt64] = [:]
        var durableNames: [String: UInt64] = [:]
        var directories: Set<String> = []
        var durableDirectories: Set<String> = []
        var stepsLeft = Int.max
        var stepCount = 0
        var isOff = false
    }

    let state = Mutex(State())

    /// Cuts the power at the step after so many.
    func cutPower(afterSteps count: Int) { state.withLock { $0.stepsLeft = count } }

    var stepCount: Int { state.withLock { $0.stepCount } }

    /// Comes back with what was synced and, of the rest, whatever the seed leaves.
    func restart(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func chance() -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random
        }
        state.withLock { state in
            for directory in state.directories.sorted()
            where !state.durableDirectories.contains(directory) && chance() % 2 == 0 {
                state.durableDirectories.insert(directory)
            }
            state.directories = state.durableDirectories
            for name in Set(state.names.keys).union(state.durableNames.keys).sorted()
            where state.names[name] != state.durableNames[name] && chance() % 2 == 0 {
                state.durableNames[name] = state.names[name]
            }
            state.names = state.durableNames.filter { name, _ in
                state.directories.contains(parentDirectory(of: name))
            }
            state.durableNames = state.names
            for id in state.nodes.keys.sorted() {
                guard var node = state.nodes[id] else { continue }
                if node.bytes != node.durable {
                    // A prefix survives, and a page of it may never have come to the platter.
                    let count = Int(chance() % UInt64(node.bytes.count + 1))
                    var left = Array(node.bytes.prefix(max(count, 0)))
                    if !left.isEmpty, chance() % 2 == 0 {
                        left[Int(chance() % UInt64(left.count))] ^= 0xFF
                    }
                    node.bytes = left
                    node.durable = left
                }
                state.nodes[id] = node
            }
            state.stepsLeft = .max
            state.isOff = false
        }
    }

    /// Runs one step of the disk, unless the power is gone.
    fileprivate func step<Result>(
        _ body: (inout State) throws(PlatformError) -> Result
    ) throws(PlatformError) -> Result {
        let outcome = state.withLock { state -> Swift.Result<Result, PlatformError> in
            if state.stepsLeft <= 0 { state.isOff = true }
            guard !state.isOff else {
                return .failure(PlatformError(code: .io, message: "the power is off"))
            }
            state.stepsLeft -= 1
            state.stepCount += 1
            do throws(PlatformError) { return .success(try body(&state)) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    func open(_ path: String, _ how: OpenMode, mode: UInt32) throws(PlatformError) -> any File {
        let id = try step { state throws(PlatformError) -> UInt64 in
            guard state.directories.contains(parentDirectory(of: path)) else {
                throw PlatformError(code: .notFound, message: "no directory of \(path)")
            }
            if let id = state.names[path] {
                if how == .createNew {
                    throw PlatformError(code: .alreadyExists, message: path)
                }
                if how == .replace { state.nodes[id]?.bytes = [] }
                return id
            }
            guard how != .read, how != .update else {
                throw PlatformError(code: .notFound, message: path)
            }
            let id = state.nextNode
            state.nextNode += 1
            state.nodes[id] = Node()
            state.names[path] = id
            return id
        }
        return SimulatedFile(disk: self, id: id)
    }

    func rename(_ source: String, to target: String) throws(PlatformError) {
        try step { state throws(PlatformError) in
            guard let id = state.names[source] else {
                throw PlatformError(code: .notFound, message: source)
            }
            state.names[source] = nil
            state.names[target] = id
        }
    }

    func link(_ source: String, to target: String) throws(PlatformError) {
        try step { state in state.names[target] = state.names[source] }
    }

    func remove(_ path: String) throws(PlatformError) {
        try step { state throws(PlatformError) in
            guard state.names.removeValue(forKey: path) != nil else {
                throw PlatformError(code: .notFound, message: path)
            }
        }
    }

    func removeDirectory(_ path: String) throws(PlatformError) {
        try step { state in _ = state.directories.remove(path) }
    }

    func status(_ path: String) throws(PlatformError) -> FileStatus? {
        try step { state in
            let time = WallTime(microseconds: 0)
            if state.directories.contains(path) {
                return FileStatus(
                    kind: .directory, sizeBytes: 0, modified: time, mode: 0o755, inode: 0)
            }
            guard let id = state.names[path], let node = state.nodes[id] else { return nil }
            return FileStatus(
                kind: .file, sizeBytes: Int64(node.bytes.count), modified: time, mode: 0o644,
                inode: id)
        }
    }

    func list(_ directory: String) throws(PlatformError) -> [String] {
        try step { state in
            (Array(state.names.keys) + Array(state.directories))
                .filter { parentDirectory(of: $0) == directory && $0 != directory }
                .map { lastPathComponent(of: $0) }.sorted()
        }
    }

    func makeDirectory(_ path: String, mode: UInt32) throws(PlatformError) {
        try step { state in
            var place = path
            while !place.isEmpty, place != "/", place != "." {
                state.directories.insert(place)
                place = parentDirectory(of: place)
            }
        }
    }

    func syncDirectory(_ path: String) throws(PlatformError) {
        try step { state in
            state.durableDirectories.insert(path)
            for directory in state.directories where parentDirectory(of: directory) == path {
                state.durableDirectories.insert(directory)
            }
            for name in Set(state.names.keys).union(state.durableNames.keys)
            where parentDirectory(of: name) == path {
                state.durableNames[name] = state.names[name]
            }
        }
    }
}

private final class SimulatedFile: File {
    private let disk: SimulatedDisk
    private let id: UInt64

    init(disk: SimulatedDisk, id: UInt64) {
        self.disk = disk
        self.id = id
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(PlatformError) -> Int {
        let bytes = try disk.step { state in state.nodes[id]?.bytes ?? [] }
        guard offset < Int64(bytes.count) else { return 0 }
        let piece = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: piece)
        return piece.count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(PlatformError) {
        throw PlatformError(code: .invalidArgument, message: "blobs are only appended to")
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(PlatformError) {
        let copy = Array(bytes)
        try disk.step { state in state.nodes[id]?.bytes += copy }
    }

    func sync() throws(PlatformError) {
        try disk.step { state in
            if let bytes = state.nodes[id]?.bytes { state.nodes[id]?.durable = bytes }
        }
    }

    func syncContents() throws(PlatformError) { try sync() }

    func truncate(to sizeBytes: Int64) throws(PlatformError) {
        throw PlatformError(code: .invalidArgument, message: "blobs are only appended to")
    }

    func sizeBytes() throws(PlatformError) -> Int64 {
        try disk.step { state in Int64(state.nodes[id]?.bytes.count ?? 0) }
    }

    func close() throws(PlatformError) {}
}
