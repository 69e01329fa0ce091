import HTTPMessages
import Synchronization

/// An answer's stream on its way: asked on handler threads, one call at a time, closed once.
final class PulledStream: Sendable {
    enum Step: Sendable {
        case bytes([UInt8])
        /// Nothing yet; the loop hears when.
        case waiting
        case end
        case failed(String)
    }

    private struct State {
        var isRunning = false
        var isCancelled = false
        var isClosed = false
    }

    private let stream: any ResponseStream
    private let pool: HandlerPool
    private let state = Mutex(State())

    init(_ stream: any ResponseStream, pool: HandlerPool) {
        self.stream = stream
        self.pool = pool
    }

    /// Asks for the next piece, on the calling handler thread. After `.waiting` has been delivered comes
    /// `callWhenReady`: in the other order the loop could hear "ready" before "waiting", and sleep for ever.
    func pull() -> Step? {
        let goes = state.withLock { state in
            if state.isCancelled || state.isRunning { return false }
            state.isRunning = true
            return true
        }
        guard goes else { return nil }
        let step: Step
        do {
            if let bytes = try stream.next() {
                step = bytes.isEmpty ? .waiting : .bytes(bytes)
            } else {
                step = .end
            }
        } catch {
            step = .failed("\(error)")
        }
        let closes = state.withLock { state in
            state.isRunning = false
            return state.isCancelled && !state.isClosed
        }
        if closes {
            closeOnce()
            return nil
        }
        return step
    }

    /// Has the stream call when it has something.
    func callWhenReady(_ wake: @escaping @Sendable () -> Void) { stream.whenReady(wake) }

    /// Asks for the next piece on a thread of the pool.
    func schedule(wake: @escaping @Sendable () -> Void, deliver: @escaping @Sendable (Step) -> Void)
    {
        pool.resume { [self] in
            guard let step = pull() else { return }
            deliver(step)
            if case .waiting = step { callWhenReady(wake) }
        }
    }

    /// The answer is done with, sent or not.
    func finish() {
        let closes = state.withLock { state in
            state.isCancelled = true
            return !state.isRunning && !state.isClosed
        }
        // A closing may wait for a lock or a disk: not on the loop.
        if closes { pool.resume { [self] in closeOnce() } }
    }

    private func closeOnce() {
        let first = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if first { stream.close() }
    }
}
