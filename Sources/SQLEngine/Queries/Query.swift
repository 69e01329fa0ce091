package import Authority
import Platform
package import SQLFunctions
package import Vectors

/// A column of a result as clients see it.
package struct QueryColumn: Sendable, Hashable {
    package var name: String
    package var type: LogicalType

    package init(name: String, type: LogicalType) {
        self.name = name
        self.type = type
    }
}

/// Rows in a door's format.
package struct ResultPage: Sendable {
    package var bytes: [UInt8]
    package var rowCount: Int

    package init(bytes: [UInt8], rowCount: Int) {
        self.bytes = bytes
        self.rowCount = rowCount
    }
}

/// How far a query is. The names are Trino's.
package enum QueryState: String, Sendable {
    case queued = "QUEUED"
    case planning = "PLANNING"
    case running = "RUNNING"
    case finishing = "FINISHING"
    case finished = "FINISHED"
    case failed = "FAILED"

    package var isDone: Bool { self == .finished || self == .failed }
}

/// Numbers of a query, current while it runs.
package struct QueryStatistics: Sendable {
    package var queuedMilliseconds: Int64 = 0
    package var planningMilliseconds: Int64 = 0
    package var elapsedMilliseconds: Int64 = 0
    package var cpuMilliseconds: Int64 = 0
    package var processedRows: Int64 = 0
    package var processedBytes: Int64 = 0
    package var outputRows: Int64 = 0
    package var writtenBytes: Int64 = 0
    package var peakMemoryBytes: Int64 = 0
    package var spilledBytes: Int64 = 0
    package var totalSplits = 0
    package var completedSplits = 0
    package var runningSplits = 0

    package init() {}

    /// Adds what an execution did; of elapsed time and peak the larger one counts.
    mutating func add(_ other: QueryStatistics) {
        elapsedMilliseconds = max(elapsedMilliseconds, other.elapsedMilliseconds)
        cpuMilliseconds += other.cpuMilliseconds
        processedRows += other.processedRows
        processedBytes += other.processedBytes
        writtenBytes += other.writtenBytes
        peakMemoryBytes = max(peakMemoryBytes, other.peakMemoryBytes)
        spilledBytes += other.spilledBytes
        totalSplits += other.totalSplits
        completedSplits += other.completedSplits
        runningSplits += other.runningSplits
    }
}

/// A statement that was taken, and everything that comes of it.
///
/// Safe for any thread. Pages are fetched in order; each once (a protocol that repeats pages keeps its
/// last one).
package final class Query: Sendable {
    package let id: String
    package let sql: String
    package let session: QuerySession
    package let context: RequestContext
    /// Microseconds since 1970 UTC.
    package let createdMicroseconds: Int64
    let encoder: any ResultEncoder

    struct State {
        var state = QueryState.queued
        var columns: [QueryColumn]?
        var spool: PageSpool
        var fault: QueryFault?
        var changes = SessionChanges()
        var updateType: String?
        var updateCount: Int64?
        /// What the statement read; nil where that is not only tables of warehouses.
        var reads: [TableRead]? = []
        var warnings: [String] = []
        var statistics = QueryStatistics()
        var endedMicroseconds: Int64?
        var plan: String?
        /// What somebody who killed the query gave as reason.
        var killMessage: String?
        /// Numbers of what runs at the moment, on top of `statistics`.
        var probe: (@Sendable () -> QueryStatistics)?
        /// What ran, by pipeline and operator, and what runs at the moment.
        var pipelines: [[QueryStep]] = []
        var livePipelines: (@Sendable () -> [[QueryStep]])?
    }
    let monitor: Monitor<State>

    init(
        id: String, sql: String, session: QuerySession, context: RequestContext,
        createdMicroseconds: Int64,
        encoder: any ResultEncoder, spoolPath: String
    ) {
        self.id = id
        self.sql = sql
        self.session = session
        self.context = context
        self.createdMicroseconds = createdMicroseconds
        self.encoder = encoder
        monitor = Monitor(State(spool: PageSpool(path: spoolPath)))
    }

    /// What a door shows of the query at one moment.
    package struct Snapshot: Sendable {
        package var state: QueryState
        /// Known once the statement is bound; empty for statements without a result.
        package var columns: [QueryColumn]?
        package var fault: QueryFault?
        package var changes: SessionChanges
        package var updateType: String?
        package var updateCount: Int64?
        package var warnings: [String]
        package var statistics: QueryStatistics
        package var endedMicroseconds: Int64?
        /// The text of the plan, once there is one.
        package var plan: String?
        /// Whether pages wait to be fetched.
        package var hasPages: Bool
    }

    package var snapshot: Snapshot { monitor.withLock { Query.snapshot(&$0) } }

    private static func snapshot(_ state: inout State) -> Snapshot {
        var statistics = state.statistics
        if let probe = state.probe { statistics.add(probe()) }
        return Snapshot(
            state: state.state, columns: state.columns, fault: state.fault, changes: state.changes,
            updateType: state.updateType, updateCount: state.updateCount, warnings: state.warnings,
            statistics: statistics, endedMicroseconds: state.endedMicroseconds, plan: state.plan,
            hasPages: !state.spool.isEmpty)
    }

    /// The next page, waiting up to `patience` for one; nil when there is none (yet, or any more: the
    /// snapshot's state tells). A failed query gives no further page.
    package func nextPage(patience: Duration) -> (page: ResultPage?, snapshot: Snapshot) {
        let deadline = SystemMonotonicClock().now() + patience
        let ready = monitor.wait(until: deadline) {
            (state: inout State) -> (ResultPage?, Snapshot)? in
            if state.fault != nil { return (nil, Query.snapshot(&state)) }
            if !state.spool.isEmpty {
                do {
                    let page = try state.spool.take()
                    return (page, Query.snapshot(&state))
                } catch {
                    state.fault = QueryFault(
                        .genericInternalError, "the result cannot be read back", cause: error)
                    state.state = .failed
                    return (nil, Query.snapshot(&state))
                }
            }
            return state.state.isDone ? (nil, Query.snapshot(&state)) : nil
        }
        return ready ?? (nil, snapshot)
    }

    /// Waits for the end, or until `patience` is over; whether the end was reached.
    package func waitForEnd(patience: Duration) -> Bool {
        let deadline = SystemMonotonicClock().now() + patience
        return monitor.wait(until: deadline) { $0.state.isDone ? true : nil } ?? false
    }

    /// Asks the query to stop; it is gone within 100 ms. Harmless when it is done.
    package func cancel(_ reason: Cancellation.Reason) {
        context.cancellation.cancel(reason)
        monitor.notify { _ in }
    }

    // MARK: For the engine

    /// Ends the query with its result, once what was to be shown has been offered.
    func finish(at microseconds: Int64) {
        update { state in
            guard state.fault == nil else { return }
            state.state = .finished
            state.endedMicroseconds = microseconds
        }
    }

    /// Ends the query with a fault; the first one stays. Pages that nobody fetched are dropped.
    func fail(_ fault: QueryFault, at microseconds: Int64) {
        update { state in
            var fault = fault
            if fault.code == .administrativelyKilled, let message = state.killMessage {
                fault = QueryFault(.administrativelyKilled, "Query killed. Message: \(message)")
            }
            if state.fault == nil { state.fault = fault }
            state.state = .failed
            state.endedMicroseconds = microseconds
            state.spool.discard()
        }
    }

    func update(_ change: (inout State) -> Void) { monitor.notify { change(&$0) } }

    /// Adds a page; throws when the spool's disk is full or its limit is reached.
    func offer(_ page: ResultPage) throws(QueryFault) {
        let failure = monitor.notify { state -> (any Error)? in
            do {
                try state.spool.append(page)
                state.statistics.outputRows += Int64(page.rowCount)
                return nil
            } catch { return error }
        }
        if let failure {
            throw QueryFault(
                .genericInsufficientResources, "the result cannot be kept",
                hint: "free some disk space",
                cause: failure)
        }
    }
}
