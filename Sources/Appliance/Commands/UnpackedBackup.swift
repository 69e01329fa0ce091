import Platform
import SQLEngine

/// Where `lakehouse open` unpacks a backup: everything that the backup has, so that it goes with the command,
/// however that ends.
///
///     PLACE/lakehouse-open-6f1c…/lock   held by the process for its life
///                               /lake   the data directory
///
/// The first signal ends what is being done, and then it is removed; a second one does not wait for that.
/// What a killed process left has a lock that nobody holds: the next one in the same place removes it.
final class UnpackedBackup: Sendable {
    private enum Phase {
        case unpacking
        case querying(QueryEngine)
        case serving(ApplianceServer)
    }

    private struct State {
        var phase = Phase.unpacking
        var signal: Signal?
        var isRemoving = false
    }

    private let folder: String
    private let lock: FileLock
    private let state = Monitor(State())
    private let files = LocalFileSystem()
    private static let prefix = "lakehouse-open-"

    /// The data directory to be.
    var lake: String { folder + "/lake" }

    /// Makes it in `place`, or in the system's place for such things, and watches signals: to be called from
    /// the first thread, before any other is started.
    init(in place: String?) throws {
        // Under another name until the lock is held: nobody takes it for a leftover.
        let name = "lakehouse-opening"
        let fresh: String
        if let place {
            fresh = "\(place)/\(name)-" + SystemEntropy().hex(bytes: 6)
            try files.makeDirectory(fresh, mode: 0o700)
        } else {
            fresh = try files.makeTemporaryDirectory(prefix: name)
        }
        lock = try FileLock(path: fresh + "/lock")
        folder = parentDirectory(of: fresh) + "/" + Self.prefix + SystemEntropy().hex(bytes: 6)
        try Signals.watch(Self.watched) { [weak self] in self?.take($0) }
        try files.rename(fresh, to: folder)
    }

    /// SIGHUP too, unless whoever started us has it ignored, as `nohup` does.
    private static var watched: [Signal] {
        let text = (try? LocalFileSystem().readAll("/proc/self/status", limit: 1 << 16)) ?? []
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("SigIgn:")
        }
        let digits = line?.dropFirst(7).filter { $0 != "\t" && $0 != " " } ?? ""
        let ignored = UInt64(digits, radix: 16) ?? 0
        let isIgnored = ignored >> UInt64(Signal.hangup.rawValue - 1) & 1 == 1
        return isIgnored ? [.terminate, .interrupt] : [.terminate, .interrupt, .hangup]
    }

    // MARK: Signals

    /// Throws once the end was asked for.
    func check() throws {
        if let signal = state.withLock({ $0.signal }) { throw Self.ended(signal) }
    }

    /// A signal cancels the engine's queries from now on.
    func query(_ engine: QueryEngine) throws { try enter(.querying(engine)) }

    /// A signal has the server drain and end from now on.
    func serve(_ server: ApplianceServer) throws { try enter(.serving(server)) }

    /// What a shell is told of a command that a signal ended; nil where none did, or the server drained.
    var exitCode: Int32? {
        state.withLock { state in
            if case .serving = state.phase { return nil }
            return state.signal.map { 128 + $0.rawValue }
        }
    }

    private func enter(_ phase: Phase) throws {
        try state.withLock { state in
            if let signal = state.signal { throw Self.ended(signal) }
            state.phase = phase
        }
    }

    private static func ended(_ signal: Signal) -> ApplianceError {
        ApplianceError(.failed, "ended by the signal \(signal)")
    }

    private func take(_ signal: Signal) {
        let (phase, isFirst, isRemoving) = state.withLock { state in
            defer { state.signal = state.signal ?? signal }
            return (state.phase, state.signal == nil, state.isRemoving)
        }
        if isRemoving { return }
        switch phase {
        case .serving(let server): server.end(signal)
        case .querying(let engine) where isFirst: engine.drain(until: SystemMonotonicClock().now())
        case .unpacking where isFirst: break
        case .querying, .unpacking:
            remove()
            Process.exit(128 + signal.rawValue)
        }
    }

    // MARK: Removing

    /// Removes it, once: whoever comes second waits for the process's end.
    func remove() {
        let isOurs = state.withLock { state in
            defer { state.isRemoving = true }
            return !state.isRemoving
        }
        guard isOurs else { return state.wait { _ in nil } }
        try? files.removeTree(folder)
    }

    /// Removes what processes left that were killed. They are told of where root stands in a place that
    /// everybody writes to: what lies there may be changed by others while it is removed.
    func removeLeftovers(_ streams: any CommandStreams) throws {
        let place = parentDirectory(of: folder)
        let mode = try files.status(place)?.mode ?? 0
        let isShared = Host.userID == 0 && mode & 0o002 != 0
        for name in try files.list(place) where name.hasPrefix(Self.prefix) {
            let path = "\(place)/\(name)"
            guard path != folder, try files.status(path)?.kind == .directory,
                let lock = try? files.status(path + "/lock"), lock.kind == .file,
                lock.sizeBytes > 0, FileLock.holder(path: path + "/lock") == nil
            else { continue }
            if isShared {
                streams.complain(
                    "note: an earlier lakehouse open was killed and left what it had unpacked: \(path)\n"
                )
                continue
            }
            // In our own folder nobody else can put anything into its place.
            let inside = "\(folder)/leftover-\(name)"
            guard (try? files.rename(path, to: inside)) != nil else { continue }
            try? files.removeTree(inside)
        }
    }
}
