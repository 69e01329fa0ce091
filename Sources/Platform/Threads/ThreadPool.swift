import Synchronization

/// A fixed number of threads with a bounded queue, for work that blocks: SQLite, fsync, handlers.
package final class ThreadPool: Sendable {
    private struct Queue {
        var waiting = FIFO<@Sendable () -> Void>()
        var urgent = FIFO<@Sendable () -> Void>()
        var idle = 0
        var stopped = false
    }

    private let queue = Monitor(Queue())
    private let limit: Int
    private let threads: [Thread]
    private let depth = Atomic<Int>(0)

    /// Starts the threads. `queueLimit` is how much work may wait beyond what is running.
    package init(name: String, threadCount: Int, queueLimit: Int) throws(PlatformError) {
        limit = queueLimit
        let queue = queue
        var started: [Thread] = []
        for index in 0..<threadCount {
            started.append(try Thread(name: "\(name)-\(index)") { Self.work(on: queue) })
        }
        threads = started
    }

    private static func work(on queue: Monitor<Queue>) {
        while true {
            let next: (@Sendable () -> Void)? = queue.wait { state in
                if let work = state.urgent.popFirst() ?? state.waiting.popFirst() {
                    return .some(work)
                }
                return state.stopped ? .some(nil) : nil
            }
            guard let next else { return }
            next()
        }
    }

    /// Queues the work, or refuses (false) when the queue is full or the pool is stopped.
    package func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        queue.notifyOne { state in
            guard !state.stopped, state.waiting.count < limit else { return false }
            state.waiting.append(work)
            return true
        }
    }

    /// Queues the continuation of work that was already accepted: goes first and is never refused but
    /// after `stop`. The caller bounds it by what it accepted.
    package func resume(_ work: @escaping @Sendable () -> Void) -> Bool {
        queue.notifyOne { state in
            guard !state.stopped else { return false }
            state.urgent.append(work)
            return true
        }
    }

    /// How much work waits.
    package var queueDepth: Int { queue.withLock { $0.waiting.count + $0.urgent.count } }

    /// Takes nothing more, finishes what waits, and joins the threads.
    package func stop() {
        queue.notify { $0.stopped = true }
        for thread in threads { thread.join() }
    }

    /// Takes nothing more and leaves the threads to end by themselves.
    package func abandon() { queue.notify { $0.stopped = true } }
}

/// A first-in, first-out queue over an array; each step is O(1) on average.
package struct FIFO<Element> {
    private var elements: [Element?] = []
    private var head = 0

    package init() {}
    package var count: Int { elements.count - head }
    package var isEmpty: Bool { count == 0 }
    package var first: Element? { head < elements.count ? elements[head] : nil }
    /// The one after the first.
    package var second: Element? { head + 1 < elements.count ? elements[head + 1] : nil }

    package mutating func append(_ element: Element) { elements.append(element) }

    /// Takes the oldest element; nil when the queue is empty.
    package mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: elements.capacity < 1024)
            head = 0
        } else if head > 64, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
