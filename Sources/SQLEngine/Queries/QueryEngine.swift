import Vectors
package import Authority
package import CivilTime
package import ObjectStorage
package import Platform
package import SQLExecution
package import SQLFunctions
package import SQLPlanning
import SQLSyntax
import Synchronization
package import TableCatalog
package import Telemetry

/// What an engine is made with.
package struct QueryEngineConfiguration: Sendable {
    /// Workers of a query; 0: one a core.
    package var threadCount = 0
    /// Bytes that all queries together may hold; 0: 60 % of the machine's memory.
    package var memoryLimitBytes = 0
    /// Where spill files and long results go.
    package var spillDirectory: String
    /// Queries that run at the same time; further ones wait.
    package var runningLimit = 32
    /// Queries that wait; one more is refused.
    package var queueLimit = 1000
    /// Ended queries that are remembered for listings.
    package var historyLimit = 200
    /// How long a transaction may be idle before it is rolled back, and how many may be open.
    package var transactionIdleLimit: Duration = .seconds(300)
    package var transactionLimit = 1000
    /// The shortest retention that maintenance by hand may ask for, unless the session says otherwise.
    package var minimumRetention = "7d"
    /// Knobs of verification runs.
    package var verification = ExecutionSettings.Verification()
    package var optimizerRules = OptimizerRules.all

    package init(spillDirectory: String) { self.spillDirectory = spillDirectory }
}

/// Takes statements and runs them. One a process.
///
/// Every query has a thread of its own with a large stack (binding recurses as deep as the statement
/// nests), and workers beside it. Safe for any thread.
package final class QueryEngine: Sendable {
    /// What `version()` answers: a number first, for JDBC.
    package static let version = SessionFunctions.version

    let configuration: QueryEngineConfiguration
    let catalogs: EngineCatalogs
    let authorizer: any Authorizer
    let zones: TimeZones
    let clock: any WallClock
    let monotonic: any MonotonicClock
    let entropy: any Entropy
    let registry = FunctionRegistry.standard
    let budget: MemoryBudget
    let threadCount: Int
    private let started: MonotonicInstant
    private let history: QueryHistory
    private let metrics: QueryMetrics
    let doors: EngineDoors
    let results = ResultCache()
    let transactions: TransactionKeeper
    private let listener = Mutex<(any QueryObserver)?>(nil)

    private struct Schedule {
        var running = 0
        var waiting = FIFO<Query>()
        var isClosed = false
    }
    private let schedule = Monitor(Schedule())

    /// `catalog` and `store` are nil for an engine that only reads the tables it is given.
    package init(
        _ configuration: QueryEngineConfiguration, catalog: Catalog?, store: (any ObjectStore)?,
        authorizer: any Authorizer, tables: [any PlannedTable] = [],
        models: (any ModelKeeper)? = nil, zones: TimeZones,
        clock: any WallClock = SystemWallClock(),
        monotonic: any MonotonicClock = SystemMonotonicClock(),
        entropy: any Entropy = SystemEntropy(), metrics: MetricsRegistry = MetricsRegistry()
    ) {
        self.configuration = configuration
        self.authorizer = authorizer
        self.zones = zones
        self.clock = clock
        self.monotonic = monotonic
        self.entropy = entropy
        threadCount =
            configuration.threadCount > 0 ? configuration.threadCount : Host.processorCount
        let limit =
            configuration.memoryLimitBytes > 0
            ? configuration.memoryLimitBytes : Int(Host.memoryBytes / 10 * 6)
        budget = MemoryBudget(limitBytes: limit)
        let history = QueryHistory(limit: configuration.historyLimit)
        self.history = history
        self.metrics = QueryMetrics(metrics)
        let doors = EngineDoors()
        self.doors = doors
        let transactions = TransactionKeeper(
            idleLimit: configuration.transactionIdleLimit,
            openLimit: configuration.transactionLimit, clock: monotonic)
        self.transactions = transactions
        started = monotonic.now()
        var reading: IcebergReading?
        if let catalog, let store {
            reading = IcebergReading(
                store: store, manifests: catalog.manifests, files: ParquetFileCache(),
                governance: catalog.governance)
        }
        catalogs = EngineCatalogs(
            catalog: catalog, reading: reading, given: tables,
            systemTables: SystemTables(
                doors: doors,
                queries: { context in
                    history.all.filter { QueryEngine.maySee($0, context, authorizer) }
                }, transactions: transactions), models: models)
    }

    /// Who hears of queries that ended.
    var observer: (any QueryObserver)? { listener.withLock { $0 } }

    /// Lets one observer hear of every query that ends from now on.
    package func observe(_ observer: any QueryObserver) { listener.withLock { $0 = observer } }

    package var uptimeMilliseconds: Int64 {
        Int64((monotonic.now() - started).fractionalSeconds * 1000)
    }

    // MARK: Queries

    /// Takes a statement; it runs at once or as soon as there is room. Throws QUERY_QUEUE_FULL when too
    /// many wait, and PERMISSION_DENIED for those who may not run SQL.
    package func submit(
        _ sql: String, session: QuerySession, context: RequestContext, encoder: any ResultEncoder
    ) throws(QueryFault) -> Query {
        let id = history.nextID(at: clock.now())
        let decision = authorizer.decide(
            context, .queryRun, Resource(tenant: context.tenant, kind: .query, path: [id]))
        guard decision.isAllowed else {
            authorizer.settleDenials()
            throw QueryFault(
                .permissionDenied, "Access Denied: \(context.principal.name) may not run queries",
                hint: decision.reason)
        }
        let query = Query(
            id: id, sql: sql, session: session, context: context,
            createdMicroseconds: clock.now().microseconds, encoder: encoder,
            spoolPath: "\(configuration.spillDirectory)/result-\(id)")
        enum Admission { case run, wait, refuse }
        let admission = schedule.withLock { schedule -> Admission in
            if schedule.isClosed { return .refuse }
            if schedule.running < configuration.runningLimit {
                schedule.running += 1
                return .run
            }
            guard schedule.waiting.count < configuration.queueLimit else { return .refuse }
            schedule.waiting.append(query)
            return .wait
        }
        guard admission != .refuse else {
            throw QueryFault(
                .queryQueueFull, "too many queries wait: \(configuration.queueLimit)",
                hint: "try again in a moment")
        }
        history.add(query)
        if admission == .run { startThread(query) }
        return query
    }

    /// A query that is run by another one's thread.
    func nested(
        _ sql: String, session: QuerySession, context: RequestContext, encoder: any ResultEncoder
    ) -> Query {
        let id = history.nextID(at: clock.now())
        let query = Query(
            id: id, sql: sql, session: session, context: context,
            createdMicroseconds: clock.now().microseconds, encoder: encoder,
            spoolPath: "\(configuration.spillDirectory)/result-\(id)")
        history.add(query)
        return query
    }

    private func startThread(_ query: Query) {
        do {
            _ = try Thread(name: "query", stackBytes: 16 << 20) { [self] in
                var next: Query? = query
                while let current = next {
                    QueryRunner(self, current).run()
                    metrics.ended(current)
                    next = schedule.notify { schedule in
                        if let waiting = schedule.waiting.popFirst() { return waiting }
                        schedule.running -= 1
                        return nil
                    }
                }
            }
        } catch {
            query.fail(
                QueryFault(.genericInsufficientResources, error.message, cause: error),
                at: clock.now().microseconds)
            schedule.notify { $0.running -= 1 }
        }
    }

    /// The queries that the caller may see, newest first.
    package func queries(_ context: RequestContext) -> [Query] {
        history.all.filter { QueryEngine.maySee($0, context, authorizer) }
    }

    /// Ends a query of the caller's own, or anybody's for those who may.
    package func kill(
        _ context: RequestContext, queryID: String, message: String? = nil
    ) throws(QueryFault) {
        guard let query = history.all.first(where: { $0.id == queryID }) else {
            throw QueryFault(.notFound, "Target query not found: \(queryID)")
        }
        let isOwn = query.context.principal.id == context.principal.id
        let resource = Resource(tenant: context.tenant, kind: .query, path: [queryID])
        guard isOwn || authorizer.decide(context, .queryKill, resource).isAllowed else {
            authorizer.settleDenials()
            throw QueryFault(.permissionDenied, "Access Denied: Cannot kill query \(queryID)")
        }
        query.update { $0.killMessage = message }
        query.cancel(isOwn && message == nil ? .clientCancelled : .killed)
    }

    private static func maySee(
        _ query: Query, _ context: RequestContext, _ authorizer: any Authorizer
    ) -> Bool {
        if query.context.principal.id == context.principal.id { return true }
        return context.principal.kind == .system || context.principal.roles.contains("admin")
    }

    /// Takes nothing new, and waits until `deadline` for what runs; then cancels it.
    package func drain(until deadline: MonotonicInstant) {
        schedule.notify { $0.isClosed = true }
        let isIdle = schedule.wait(until: deadline) { $0.running == 0 ? true : nil } ?? false
        defer { transactions.close() }
        guard !isIdle else { return }
        for query in history.all where !query.snapshot.state.isDone { query.cancel(.shutdown) }
        _ = schedule.wait(until: monotonic.now() + .seconds(2)) { $0.running == 0 ? true : nil }
    }
}

/// The queries that run and the latest that ended.
final class QueryHistory: Sendable {
    private struct State {
        var queries: [Query] = []
        var counter = 0
    }
    private let state = Mutex(State())
    private let limit: Int
    /// Tells the queries of this start from those of others.
    private let suffix: String

    init(limit: Int, entropy: any Entropy = SystemEntropy()) {
        self.limit = limit
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        suffix = String((0..<5).map { _ in letters[Int(entropy.below(UInt64(letters.count)))] })
    }

    /// `yyyyMMdd_HHmmss_NNNNN_xxxxx`, as Trino's.
    func nextID(at time: WallTime) -> String {
        let number = state.withLock { state in
            state.counter += 1
            return state.counter % 100_000
        }
        let digits = CivilFormat.iso8601Basic(utc: time.microseconds).filter(\.isNumber)
        let count = "00000\(number)".suffix(5)
        return "\(digits.prefix(8))_\(digits.dropFirst(8).prefix(6))_\(count)_\(suffix)"
    }

    func add(_ query: Query) {
        state.withLock { state in
            state.queries.append(query)
            var surplus = state.queries.count - limit
            guard surplus > 0 else { return }
            state.queries.removeAll { query in
                guard surplus > 0, query.snapshot.state.isDone else { return false }
                surplus -= 1
                return true
            }
        }
    }

    /// Newest first.
    var all: [Query] { state.withLock { $0.queries.reversed() } }
}

/// Numbers of queries for Prometheus.
struct QueryMetrics: Sendable {
    private let finished: Counter
    private let failed: Counter
    private let seconds: Histogram

    init(_ registry: MetricsRegistry) {
        finished = registry.counter(
            "lakehouse_query_finished_total", help: "Queries that ended with a result.")
        failed = registry.counter("lakehouse_query_failed_total", help: "Queries that failed.")
        seconds = registry.histogram("lakehouse_query_duration_seconds", help: "Time of queries.")
    }

    func ended(_ query: Query) {
        let snapshot = query.snapshot
        (snapshot.state == .failed ? failed : finished).increment()
        seconds.observe(Double(snapshot.statistics.elapsedMilliseconds) / 1000)
    }
}
