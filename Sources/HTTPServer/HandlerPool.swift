import Diagnostics
import Platform

/// The threads that run handlers: a fixed number that work, with a bounded queue.
///
/// A thread that waits for a client's bytes is parked: it does not count, and another takes its place, so
/// that stalled uploads delay nobody. Threads are started when there is work for them.
final class HandlerPool: Sendable {
    typealias Work = @Sendable () -> Void

    private struct State {
        var waiting = FIFO<Work>()
        /// The next steps of what was accepted: pieces of answers, closings. Not refused.
        var accepted = FIFO<Work>()
        var threads = 0
        var idle = 0
        var parked = 0
        var isStopped = false

        var active: Int { threads - parked }

        mutating func pop() -> Work? { accepted.popFirst() ?? waiting.popFirst() }
    }

    private let state = Monitor(State())
    private let threadCount: Int
    private let queueLimit: Int
    private let parkedLimit: Int
    private let name: String
    /// Told how many requests wait, by each that joins them; the pool's monitor is not held.
    private let onQueued: (@Sendable (Int) -> Void)?

    init(
        name: String, threadCount: Int, queueLimit: Int, parkedLimit: Int,
        onQueued: (@Sendable (Int) -> Void)? = nil
    ) {
        self.onQueued = onQueued
        self.name = name
        self.threadCount = max(1, threadCount)
        self.queueLimit = queueLimit
        self.parkedLimit = parkedLimit
    }

    /// Queues a request; false when the queue is full, or when it has a body to wait for and too many wait.
    func submit(mayWaitForBody: Bool, _ work: @escaping Work) -> Bool {
        let (depth, starts) = state.notifyOne { state -> (Int?, Bool) in
            if state.isStopped || state.waiting.count >= queueLimit { return (nil, false) }
            if mayWaitForBody, state.parked >= parkedLimit { return (nil, false) }
            state.waiting.append(work)
            return (state.waiting.count, needsThread(&state))
        }
        if starts { startThread() }
        if let depth, let onQueued { onQueued(depth) }
        return depth != nil
    }

    /// Queues the next step of accepted work. After `stop` it runs here and now, since it is only a closing.
    func resume(_ work: @escaping Work) {
        let (taken, starts) = state.notifyOne { state -> (Bool, Bool) in
            if state.isStopped { return (false, false) }
            state.accepted.append(work)
            return (true, needsThread(&state))
        }
        if starts { startThread() }
        if !taken { work() }
    }

    /// The calling thread begins to wait for a client.
    func park() {
        let starts = state.withLock { state -> Bool in
            state.parked += 1
            return state.waiting.count + state.accepted.count > 0 && needsThread(&state)
        }
        if starts { startThread() }
    }

    /// It has waited long enough.
    func unpark() { state.withLock { $0.parked -= 1 } }

    /// Requests that wait for a thread, and threads that wait for a client.
    var load: (queued: Int, active: Int, parked: Int) {
        state.withLock { ($0.waiting.count + $0.accepted.count, $0.active - $0.idle, $0.parked) }
    }

    /// Takes nothing more and gives the threads until the deadline to end; true when they did.
    @discardableResult
    func stop(until deadline: MonotonicInstant) -> Bool {
        state.notify { $0.isStopped = true }
        return state.wait(until: deadline) { $0.threads == 0 ? () : nil } != nil
    }

    /// Counts the new thread at once, so that nobody starts it twice.
    private func needsThread(_ state: inout State) -> Bool {
        let queued = state.waiting.count + state.accepted.count
        guard state.idle < queued, state.active < threadCount else { return false }
        state.threads += 1
        return true
    }

    private func startThread() {
        do {
            _ = try Thread(name: name) { [self] in serve() }
        } catch {
            // Out of threads: those that run take the work when they are done.
            state.notify { $0.threads -= 1 }
        }
    }

    private func serve() {
        while true {
            state.withLock { $0.idle += 1 }
            let work: Work? = state.wait { state -> Work?? in
                // More threads than wanted once parked ones have come back.
                if state.active <= threadCount, let work = state.pop() {
                    state.idle -= 1
                    return .some(work)
                }
                guard state.isStopped || state.active > threadCount else { return nil }
                state.idle -= 1
                state.threads -= 1
                return .some(nil)
            }
            guard let work else {
                // The one who waits in `stop`, or an idle thread if work was left.
                state.notify { _ in }
                return
            }
            work()
        }
    }
}
