import Authority
import Platform
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog

/// The transactions that are open, by their ids; one an engine.
///
///     START TRANSACTION ─▶ open ─▶ statements (enter, leave) ─▶ COMMIT or ROLLBACK
///                           │            └ one fails: aborted, nothing but ROLLBACK is taken
///                           └ idle for too long, or the engine ends: rolled back
///
/// A transaction belongs to the principal who began it; to others its id is unknown. COMMIT waits for
/// statements that still run; ROLLBACK cancels them first. While any is open, one thread waits for the
/// next that becomes too old.
final class TransactionKeeper: Sendable {
    private struct Entry {
        var transaction: EngineTransaction
        /// Statements that run in it.
        var running: [Query] = []
        var lastUse: MonotonicInstant
        var isAborted = false
        /// COMMIT, ROLLBACK or the clock has it.
        var isEnding = false
    }
    private struct State {
        var open: [String: Entry] = [:]
        var hasWatcher = false
        var isClosed = false
    }
    private let state = Monitor(State())
    private let idleLimit: Duration
    private let openLimit: Int
    private let clock: any MonotonicClock

    init(idleLimit: Duration, openLimit: Int, clock: any MonotonicClock) {
        self.idleLimit = idleLimit
        self.openLimit = openLimit
        self.clock = clock
    }

    // MARK: The life of a transaction

    func begin(_ transaction: EngineTransaction) throws(QueryFault) {
        let now = clock.now()
        enum Admission { case taken, tooMany, closed }
        let admission = state.notify { state -> Admission in
            if state.isClosed { return .closed }
            guard state.open.count < openLimit else { return .tooMany }
            state.open[transaction.id] = Entry(transaction: transaction, lastUse: now)
            return .taken
        }
        switch admission {
        case .taken: watch()
        case .closed:
            try? transaction.rollBack()
            throw QueryFault(.genericInsufficientResources, "the server is stopping")
        case .tooMany:
            try? transaction.rollBack()
            throw QueryFault(
                .genericInsufficientResources, "too many transactions are open: \(openLimit)",
                hint: "COMMIT or ROLLBACK those that are done")
        }
    }

    /// A statement begins in the transaction. Call `leave` when it ends.
    func enter(_ id: String, _ query: Query) throws(QueryFault) -> EngineTransaction {
        try own(id, query.context) { entry throws(QueryFault) in
            guard !entry.isAborted else { throw Self.aborted }
            entry.running.append(query)
            return entry.transaction
        }
    }

    /// A statement of the transaction has ended; one that failed ends the whole transaction.
    func leave(_ id: String, _ query: Query, hasFailed: Bool) {
        let now = clock.now()
        state.notify { state in
            state.open[id]?.running.removeAll { $0.id == query.id }
            state.open[id]?.lastUse = now
            if hasFailed { state.open[id]?.isAborted = true }
        }
    }

    /// COMMIT. Whatever comes of it, the transaction is over.
    func commit(_ id: String, _ query: Query) throws(QueryFault) {
        try begin(ending: id, query.context)
        let entry = finish(id)
        guard let entry else { throw Self.unknown(id) }
        guard !entry.isAborted else {
            try? entry.transaction.rollBack()
            throw Self.aborted
        }
        do { try entry.transaction.commit(query.context) } catch {
            try? entry.transaction.rollBack()
            throw StatementRun.fault(error, about: "COMMIT")
        }
    }

    /// ROLLBACK; fine for one that is gone already.
    func rollBack(_ id: String, _ query: Query) throws(QueryFault) {
        do throws(QueryFault) { try begin(ending: id, query.context) } catch {
            if error.code == .unknownTransaction { return }
            throw error
        }
        for other in running(id) { other.cancel(.clientCancelled) }
        guard let entry = finish(id) else { return }
        do { try entry.transaction.rollBack() } catch {
            throw StatementRun.fault(error, about: "ROLLBACK")
        }
    }

    /// Takes nothing new and rolls back what is open: when the engine ends.
    func close() {
        let open = state.notify { state -> [Entry] in
            state.isClosed = true
            let open = state.open.values.filter { !$0.isEnding }
            for entry in open { state.open[entry.transaction.id] = nil }
            return open
        }
        for entry in open { try? entry.transaction.rollBack() }
    }

    /// What is open, with the seconds since its last statement.
    var all: [(transaction: EngineTransaction, idleSeconds: Int64)] {
        let now = clock.now()
        return state.withLock { state in
            state.open.values.map { entry in
                let idle = entry.running.isEmpty ? (now - entry.lastUse).fractionalSeconds : 0
                return (entry.transaction, Int64(idle))
            }
        }
    }

    /// How many are open.
    var count: Int { state.withLock { $0.open.count } }

    // MARK: Steps

    private func own<Result>(
        _ id: String, _ context: RequestContext,
        _ body: (inout Entry) throws(QueryFault) -> Result
    ) throws(QueryFault) -> Result {
        expire()
        let now = clock.now()
        return try state.notify { state throws(QueryFault) in
            guard var entry = state.open[id], !entry.isEnding,
                entry.transaction.context.principal.id == context.principal.id
            else { throw Self.unknown(id) }
            entry.lastUse = now
            let result = try body(&entry)
            state.open[id] = entry
            return result
        }
    }

    /// From now on no statement enters, and nobody else ends it.
    private func begin(ending id: String, _ context: RequestContext) throws(QueryFault) {
        try own(id, context) { entry throws(QueryFault) in entry.isEnding = true }
    }

    private func running(_ id: String) -> [Query] {
        state.withLock { $0.open[id]?.running ?? [] }
    }

    /// Waits for the statements that still run, and takes the transaction out.
    private func finish(_ id: String) -> Entry? {
        state.wait { state -> Entry?? in
            guard let entry = state.open[id] else { return .some(nil) }
            guard entry.running.isEmpty else { return nil }
            state.open[id] = nil
            return .some(entry)
        }
    }

    // MARK: Idle ones

    /// Rolls back what nobody used for long.
    private func expire() {
        let now = clock.now()
        let old = state.withLock { state -> [Entry] in
            let old = state.open.values.filter { entry in
                entry.running.isEmpty && !entry.isEnding && now - entry.lastUse >= idleLimit
            }
            for entry in old { state.open[entry.transaction.id] = nil }
            return old
        }
        for entry in old { try? entry.transaction.rollBack() }
    }

    /// Sees to it that somebody waits for idle transactions.
    private func watch() {
        let isNeeded = state.withLock { state in
            if state.hasWatcher { return false }
            state.hasWatcher = true
            return true
        }
        guard isNeeded else { return }
        let body: @Sendable () -> Void = { [weak self] in
            while let keeper = self, keeper.waitForIdle() { keeper.expire() }
        }
        do { _ = try Thread(name: "transactions", body) } catch {
            // Without the thread, the next statement of any transaction looks.
            state.withLock { $0.hasWatcher = false }
        }
    }

    /// Waits until a transaction may be too old; false when there is none any more.
    private func waitForIdle() -> Bool {
        let deadline = state.withLock { state -> MonotonicInstant? in
            state.open.values.filter { $0.running.isEmpty && !$0.isEnding }.map(\.lastUse).min()
        }
        let now = clock.now()
        let left = idleLimit - (now - (deadline ?? now))
        // Waiting is by the system's clock, ages are by ours.
        let until = SystemMonotonicClock().now() + max(left, .milliseconds(10))
        let isOver = state.wait(until: until) { state -> Bool? in
            guard state.open.isEmpty else { return nil }
            state.hasWatcher = false
            return true
        }
        return isOver == nil
    }

    // MARK: Faults

    private static func unknown(_ id: String) -> QueryFault {
        QueryFault(
            .unknownTransaction,
            "Unknown transaction ID: \(id). Possibly expired? Commands ignored until end of transaction block",
            hint: "ROLLBACK, and begin again")
    }

    private static var aborted: QueryFault {
        QueryFault(
            .transactionAlreadyAborted,
            "Current transaction is aborted, commands ignored until end of transaction block",
            hint: "ROLLBACK, and begin again")
    }
}
