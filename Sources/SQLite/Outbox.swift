let outboxSchema = """
    CREATE TABLE IF NOT EXISTS outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS outbox_cursors (
        consumer TEXT PRIMARY KEY,
        seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """

/// A change that was committed with the event that tells of it.
package struct OutboxEvent: Sendable, Hashable {
    /// Ascends in the order of commits; gaps are possible, repeats are not.
    package var seq: Int64
    package var tenant: String
    package var atMicroseconds: Int64
    package var kind: String
    /// JSON text.
    package var payload: String
}

extension Database {
    /// Makes a consumer known, so that events are kept for it; one that is known keeps its cursor.
    /// A new one begins behind the last event, or at the oldest that is still there.
    package func registerConsumer(_ consumer: String, fromOldest: Bool) throws {
        let isKnown = try read { tx in
            try tx.exists("SELECT 1 FROM outbox_cursors WHERE consumer = ?", consumer)
        }
        if isKnown { return }
        try write { tx in
            let last = try tx.number("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'") ?? 0
            try tx.run(
                "INSERT OR IGNORE INTO outbox_cursors (consumer, seq) VALUES (?, ?)", consumer,
                fromOldest ? 0 : last)
        }
    }

    /// Forgets a consumer, so that events are no longer kept for it.
    package func removeConsumer(_ consumer: String) throws {
        try write { tx in try tx.run("DELETE FROM outbox_cursors WHERE consumer = ?", consumer) }
    }

    /// Events behind the consumer's cursor, oldest first.
    package func pendingEvents(for consumer: String, limit: Int) throws -> [OutboxEvent] {
        try read { tx in
            let seq =
                try tx.number("SELECT seq FROM outbox_cursors WHERE consumer = ?", consumer) ?? 0
            return try tx.events(after: seq, limit: limit)
        }
    }

    /// Events behind a place, oldest first; for consumers that keep their cursor elsewhere.
    package func events(after seq: Int64, limit: Int) throws -> [OutboxEvent] {
        try read { tx in try tx.events(after: seq, limit: limit) }
    }

    /// The sequence number of the last event ever written; 0 when there was none.
    package func lastEventSeq() throws -> Int64 {
        try read { tx in
            try tx.number("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'") ?? 0
        }
    }

    /// Moves a consumer's cursor forward; it never goes back.
    package func advanceCursor(of consumer: String, to seq: Int64) throws {
        try writeGrouped { tx in try tx.advanceCursor(of: consumer, to: seq) }
    }

    /// Removes the events that every known consumer has passed; returns how many. With no consumer
    /// known nothing is removed.
    @discardableResult
    package func trimOutbox(limit: Int = 10_000) throws -> Int {
        let passed = try read { tx in try tx.number("SELECT min(seq) FROM outbox_cursors") }
        guard let passed else { return 0 }
        let oldest = try read { tx in try tx.number("SELECT min(seq) FROM outbox") }
        guard let oldest, oldest <= passed else { return 0 }
        let end = min(passed, oldest.addingReportingOverflow(Int64(limit)).partialValue)
        return try writeGrouped { tx in try tx.run("DELETE FROM outbox WHERE seq <= ?", end) }
    }
}

extension ReadTransaction {
    /// Events behind a place, oldest first.
    package func events(after seq: Int64, limit: Int) throws -> [OutboxEvent] {
        try query(
            "SELECT seq, tenant, at_us, kind, payload FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?",
            seq, limit
        ) { row in
            OutboxEvent(
                seq: row.int64(0), tenant: row.string(1), atMicroseconds: row.int64(2),
                kind: row.string(3), payload: row.string(4))
        }
    }
}

/// Tells consumers in this process that events were committed. It carries nothing: who wakes looks at
/// its cursor, so a missed or doubled wake-up loses nothing.
package final class OutboxSignal: @unchecked Sendable {
    // Safe because everything is touched under the condition's lock.
    private let condition = Condition()
    private var generation: UInt64 = 0
    private var listeners: [UInt64: @Sendable () -> Void] = [:]
    private var nextListener: UInt64 = 0

    package init() {}

    /// Counts the commits with events; take it before looking at the outbox, then wait past it.
    package var current: UInt64 { condition.withLock { generation } }

    /// Wakes everybody.
    package func raise() {
        let woken = condition.withLock {
            generation += 1
            condition.wakeAll()
            return Array(listeners.values)
        }
        for listener in woken { listener() }
    }

    /// Waits until more than `seen` commits had events; false when the time passed first.
    @discardableResult
    package func wait(past seen: UInt64, timeoutNanoseconds: UInt64) -> Bool {
        let end = monotonicNanoseconds().addingReportingOverflow(timeoutNanoseconds)
        return condition.withLock {
            while generation <= seen {
                if end.overflow {
                    condition.wait()
                } else if !condition.wait(until: end.partialValue) {
                    return generation > seen
                }
            }
            return true
        }
    }

    /// Calls `listener` after each commit with events, on the committing thread: it must only wake
    /// somebody. Returns what ends it.
    package func subscribe(_ listener: @escaping @Sendable () -> Void) -> OutboxSubscription {
        condition.withLock {
            nextListener += 1
            listeners[nextListener] = listener
            return OutboxSubscription(signal: self, id: nextListener)
        }
    }

    fileprivate func remove(_ id: UInt64) {
        condition.withLock { _ = listeners.removeValue(forKey: id) }
    }
}

/// Keeps a listener of an `OutboxSignal` until it is cancelled or dropped.
package final class OutboxSubscription: Sendable {
    private let signal: OutboxSignal
    private let id: UInt64

    init(signal: OutboxSignal, id: UInt64) {
        self.signal = signal
        self.id = id
    }

    deinit { cancel() }

    /// Ends the calls.
    package func cancel() { signal.remove(id) }
}
