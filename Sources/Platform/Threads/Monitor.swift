import Glibc

/// A value behind a lock, with a condition to wait for: what a semaphore, a latch or a queue needs.
///
/// `withLock` wakes every waiter when it changed something and says so by `notify`.
package final class Monitor<State>: @unchecked Sendable {
    // Safe because `state` is touched only between lock and unlock of `mutex`, and both live in
    // memory of their own that never moves.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init(_ state: State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Looks at or changes the value without waking anybody.
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the value, then wakes every waiter to look again.
    package func notify<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Changes the value, then wakes one waiter: for queues, where any waiter will do.
    package func notifyOne<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_signal(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Waits until `body` gives a value; it is asked at once and after every wake.
    package func wait<Result>(_ body: (inout State) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            pthread_cond_wait(condition, mutex)
        }
    }

    /// The same until a moment of the system's monotonic clock; nil when it passes first.
    package func wait<Result>(until deadline: MonotonicInstant, _ body: (inout State) -> Result?)
        -> Result?
    {
        var time = timespec(
            tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
            tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { return body(&state) }
        }
    }
}

/// Counts permits: `acquire` waits for one, `release` gives one back.
package final class Semaphore: Sendable {
    private let permits: Monitor<Int>
    package init(permits: Int) { self.permits = Monitor(permits) }

    /// Waits until a permit is free and takes it.
    package func acquire() {
        permits.wait { count -> Void? in
            guard count > 0 else { return nil }
            count -= 1
            return ()
        }
    }

    /// Takes a permit if there is one now.
    package func tryAcquire() -> Bool {
        permits.withLock { count in
            guard count > 0 else { return false }
            count -= 1
            return true
        }
    }

    package func release() { permits.notifyOne { $0 += 1 } }
}

/// Opens once, by a value, and lets everybody through: "started", "stopped", an answer from a thread.
package final class Latch<Value: Sendable>: Sendable {
    private let value: Monitor<Value?>
    package init() { value = Monitor(nil) }

    /// Opens it; the first value stays.
    package func open(_ newValue: Value) {
        value.notify { if $0 == nil { $0 = newValue } }
    }

    package func wait() -> Value { value.wait { $0 } }
    package func wait(until deadline: MonotonicInstant) -> Value? {
        value.wait(until: deadline) { $0 }
    }
    package var current: Value? { value.withLock { $0 } }
}
