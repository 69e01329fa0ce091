package import Authority
package import CivilTime
import Diagnostics
import JSON
package import Platform
package import SQLite
import Supervision
import Synchronization
package import Telemetry

/// What jobs are set up with.
package struct JobOptions: Sendable {
    /// Steps that run at the same time.
    package var workers = 4
    /// Finished runs that a pipeline keeps, and for how long.
    package var keptRuns = 500
    package var keptDays = 90

    package init() {}
}

/// Pipelines, their runs, and the thread and workers that bring them forward. One a process.
package final class JobScheduler: Service {
    package let name = "jobs"
    let database: Database
    let authorizer: any Authorizer
    /// Decides what a listing shows, without a trail: nothing is refused by it.
    let listing: any Authorizer
    let clock: any WallClock
    let monotonic: any MonotonicClock
    let entropy: any Entropy
    let zones: TimeZones
    let handlers: [String: any JobHandler]
    let sources: [any EventSource]
    private let options: JobOptions
    let log: Logger
    let principals: @Sendable (PipelineActor) throws -> Principal?
    let branchIsThere: RunBranch.Lookup
    private let metrics: JobMetrics?
    /// Names this process in leases.
    private let lease: String

    struct Running {
        let cancellation: Cancellation
        let deadline: Int64?
        let log: AttemptLog
    }

    private struct State {
        var isWoken = true
        var isDraining = false
        var isStopped = false
        var hasStarted = false
        var finishedSinceCleanup = 0
        var documents: [PipelineKey: PipelineDocument] = [:]
        var running: [String: Running] = [:]
    }
    private let state = Monitor(State())
    private let threads = Mutex<(scheduler: Thread?, workers: ThreadPool?)>((nil, nil))
    private let subscriptions = Subscriptions()
    let unclaimedNotes = Mutex(UnclaimedNotes())

    /// Opens or creates `jobs.sqlite`. `principals` gives who runs act as, with its present groups and
    /// roles; nil when it is gone, and it throws when it is shut out. `branchIsThere` tells whether a run's
    /// branch still is.
    package init(
        databasePath: String, handlers: [String: any JobHandler], sources: [any EventSource] = [],
        authorizer: any Authorizer, clock: any WallClock,
        monotonic: any MonotonicClock = SystemMonotonicClock(), entropy: any Entropy,
        zones: TimeZones,
        options: JobOptions = JobOptions(), metrics: MetricsRegistry? = nil, log: Logger = Logger(),
        principals: @escaping @Sendable (PipelineActor) throws -> Principal? = PipelineActor
            .asStored, branchIsThere: @escaping RunBranch.Lookup = { _, _ in true },
        listing: (any Authorizer)? = nil
    ) throws {
        self.listing = listing ?? authorizer
        self.branchIsThere = branchIsThere
        database = try Database(
            path: databasePath, migrations: jobMigrations,
            nowMicroseconds: { clock.now().microseconds })
        self.handlers = handlers
        self.sources = sources
        self.authorizer = authorizer
        self.clock = clock
        self.monotonic = monotonic
        self.entropy = entropy
        self.zones = zones
        self.options = options
        self.log = log
        self.principals = principals
        self.metrics = metrics.map { JobMetrics($0) }
        lease = entropy.uuid()
        try loadDocuments()
    }

    /// Whether steps run in this process: false where a command has the directory open without a server.
    package var isRunning: Bool { state.withLock { $0.hasStarted && !$0.isStopped } }

    /// The database, for backups and checks.
    package var records: Database { database }

    /// Raised after every change of runs, steps and logs: take `current`, look, then wait past it.
    package var changes: OutboxSignal { database.signal }
    /// How many attempts were told to end because of their time; tests wait for it.
    let overdue = Monitor(0)

    // MARK: Service

    package func start() throws {
        try database.write { tx in
            let recovered = try transitions(tx).recover(lease: lease, newID: { entropy.uuid() })
            if recovered > 0 {
                log.notice(
                    "jobs.recovered", "Steps that the last process left are begun again.",
                    ["steps": .int(Int64(recovered))])
            }
        }
        try catchUp()
        try cleanUp()
        let pool = try ThreadPool(
            name: "job", threadCount: max(1, options.workers),
            queueLimit: max(1, options.workers) * 2)
        for source in sources {
            subscriptions.add(try source.subscribe { [weak self] in self?.wake() })
        }
        let thread = try Thread(name: "jobs") { [self] in loop(pool) }
        threads.withLock { $0 = (thread, pool) }
        state.notify { $0.hasStarted = true }
    }

    /// Begins nothing new and waits for what runs; what is not done in time is interrupted and goes on
    /// with the next start.
    package func drain(until deadline: MonotonicInstant) {
        state.notify { $0.isDraining = true }
        _ = state.wait(until: deadline) { $0.running.isEmpty ? () : nil }
        interrupt()
    }

    package func stop() {
        state.notify { state in
            state.isDraining = true
            state.isStopped = true
        }
        interrupt()
        subscriptions.clear()
        let (thread, pool) = threads.withLock { threads in
            defer { threads = (nil, nil) }
            return threads
        }
        thread?.join()
        pool?.stop()
        database.close()
    }

    private func interrupt() {
        for running in state.withLock({ Array($0.running.values) }) {
            running.cancellation.cancel(.shutdown)
        }
    }

    /// Makes the scheduler look at once: after a change of the clock, for instance.
    package func wake() { state.notify { $0.isWoken = true } }

    // MARK: Documents

    func document(_ key: PipelineKey) -> PipelineDocument? { state.withLock { $0.documents[key] } }

    var documents: [PipelineKey: PipelineDocument] { state.withLock { $0.documents } }

    func remember(_ key: PipelineKey, _ document: PipelineDocument?) {
        state.notify { state in
            state.documents[key] = document
            state.isWoken = true
        }
    }

    func running(_ attempt: String) -> Running? { state.withLock { $0.running[attempt] } }

    func allRunning() -> [String: Running] { state.withLock { $0.running } }

    /// Reads the declarations again at the start. One that this version cannot read is kept with its
    /// fault, and does not run.
    private func loadDocuments() throws {
        let rows = try database.read { tx in
            try tx.query("SELECT tenant, name, text, source, files, enabled FROM pipelines") {
                row in
                (
                    PipelineKey(tenant: row.string(0), name: row.string(1)), row.string(2),
                    row.string(3), row.string(4), row.bool(5)
                )
            }
        }
        var faults: [(PipelineKey, String)] = []
        for (key, text, source, files, isEnabled) in rows {
            do {
                var document = try PipelineParser(handlers: nil, files: try decodeMap(files)).parse(
                    text, source: source)
                document.isEnabled = isEnabled
                state.withLock { $0.documents[key] = document }
            } catch {
                faults.append((key, "\(error)"))
                log.error(
                    "jobs.unreadable_pipeline", "A pipeline's declaration cannot be read.",
                    ["pipeline": .string(key.name), "cause": LogValue(error)])
            }
        }
        if faults.isEmpty { return }
        try database.write { tx in
            for (key, fault) in faults {
                try tx.run(
                    "UPDATE pipelines SET fault = ? WHERE tenant = ? AND name = ?", fault,
                    key.tenant,
                    key.name)
            }
        }
    }

    func transitions(_ tx: WriteTransaction) -> RunTransitions {
        RunTransitions(tx: tx, documents: documents)
    }

    // MARK: The scheduler's thread

    private func loop(_ pool: ThreadPool) {
        var failures = 0
        while true {
            let isStopped = state.withLock { state in
                state.isWoken = false
                return state.isStopped
            }
            if isStopped { return }
            var (wait, tookIdle) = (Duration.seconds(JobLimits.sleepSeconds), false)
            do {
                wait = try turn(pool, &tookIdle)
                failures = 0
            } catch {
                // A full disk or a locked file may pass; the work is not lost.
                failures = min(failures + 1, 6)
                wait = .seconds(1 << failures)
                log.error(
                    "jobs.turn_failed", "The scheduler could not go on, and tries again.",
                    ["cause": LogValue(error)])
            }
            // Events that no pipeline waits for are taken in together.
            let pause = SystemMonotonicClock().now() + JobLimits.eventPause
            if tookIdle { _ = state.wait(until: pause) { $0.isStopped ? () : nil } }
            let deadline = SystemMonotonicClock().now() + wait
            _ = state.wait(until: deadline) { state -> Void? in
                state.isWoken || state.isStopped ? () : nil
            }
        }
    }

    /// Does what is due; returns how long there is nothing to do.
    private func turn(_ pool: ThreadPool, _ tookIdle: inout Bool) throws -> Duration {
        tookIdle = try takeEvents()
        try fireDue()
        try stopLate()
        let isDraining = state.withLock { $0.isDraining }
        if !isDraining { try dispatch(pool) }
        if state.withLock({ $0.finishedSinceCleanup >= 100 }) { try cleanUp() }
        return try untilNext()
    }

    private func fireDue() throws {
        let now = clock.now().seconds
        let due = try database.read { tx in
            try tx.query(
                "SELECT tenant, name, next_due_s FROM pipelines WHERE enabled = 1 AND next_due_s <= ?",
                now
            ) { (PipelineKey(tenant: $0.string(0), name: $0.string(1)), $0.int64(2)) }
        }
        for (key, second) in due {
            guard let document = document(key), let schedule = document.schedule else { continue }
            let next = schedule.next(
                after: max(second, now), rules: try zones.rules(for: schedule.zone))
            try database.write { tx in
                try tx.run(
                    "UPDATE pipelines SET next_due_s = ? WHERE tenant = ? AND name = ?", next,
                    key.tenant,
                    key.name)
                _ = try transitions(tx).addRun(
                    document, tenant: key.tenant, id: entropy.uuid(),
                    RunTrigger(
                        kind: .schedule, key: "schedule:\(key.tenant):\(key.name):\(second)",
                        requestedBy: schedule.text,
                        values: ["run.scheduled_at": CivilFormat.rfc3339(utc: second * 1_000_000)]))
            }
        }
    }

    /// Times that passed while no process ran are run once, or dropped if the pipeline says so.
    private func catchUp() throws {
        let now = clock.now().seconds
        let missed = try database.read { tx in
            try tx.query("SELECT tenant, name FROM pipelines WHERE next_due_s <= ?", now) {
                PipelineKey(tenant: $0.string(0), name: $0.string(1))
            }
        }
        for key in missed {
            guard let document = document(key), !document.catchesUp,
                let next = try nextDue(document, after: now)
            else { continue }
            try database.write { tx in
                try tx.run(
                    "UPDATE pipelines SET next_due_s = ? WHERE tenant = ? AND name = ?", next,
                    key.tenant,
                    key.name)
            }
        }
    }

    func nextDue(_ document: PipelineDocument, after second: Int64) throws -> Int64? {
        guard let schedule = document.schedule else { return nil }
        return schedule.next(after: second, rules: try zones.rules(for: schedule.zone))
    }

    /// Tells attempts that are over their time.
    private func stopLate() throws {
        let now = clock.now().microseconds
        for running in state.withLock({ Array($0.running.values) }) {
            if let deadline = running.deadline, deadline <= now, !running.cancellation.isCancelled {
                running.cancellation.cancel(.deadline)
                overdue.notify { $0 += 1 }
            }
        }
    }

    private func dispatch(_ pool: ThreadPool) throws {
        let free = options.workers - state.withLock { $0.running.count }
        let now = clock.now().microseconds
        let hasWork = try database.read { tx in
            try tx.exists(
                """
                SELECT 1 FROM steps WHERE state = 'queued' AND due_us <= ?
                UNION ALL SELECT 1 FROM runs WHERE state = 'queued' LIMIT 1
                """, now)
        }
        guard hasWork else { return }
        let claims = try database.write { tx in
            let transitions = transitions(tx)
            try transitions.startRuns()
            return try transitions.claim(max(0, free), lease: lease)
        }
        for claim in claims {
            let running = Running(
                cancellation: Cancellation(),
                deadline: claim.timeoutMicroseconds.map { clock.now().microseconds &+ $0 },
                log: AttemptLog(
                    database: database, runID: claim.run, stepID: claim.step,
                    attempt: claim.attempt,
                    clock: clock))
            state.withLock { $0.running[claim.key] = running }
            if !pool.submit({ [self] in work(claim, running) }) {
                finish(claim, running, .interrupted, seconds: 0)
            }
        }
    }

    /// How long there is nothing to do, if nobody wakes.
    private func untilNext() throws -> Duration {
        let now = clock.now().microseconds
        let isFull = state.withLock { $0.isDraining || $0.running.count >= options.workers }
        let (due, retry) = try database.read { tx in
            (
                try tx.number("SELECT min(next_due_s) FROM pipelines WHERE enabled = 1"),
                try isFull ? nil : tx.number("SELECT min(due_us) FROM steps WHERE state = 'queued'")
            )
        }
        let timeout = state.withLock { state in
            state.running.values.filter { !$0.cancellation.isCancelled }.compactMap(\.deadline)
                .min()
        }
        let moments = [
            due.map { $0.multipliedReportingOverflow(by: 1_000_000).partialValue }, retry, timeout,
        ].compactMap { $0 }
        let wait = (moments.min() ?? .max).subtractingReportingOverflow(now).partialValue
        return .microseconds(min(max(wait, 1000), Int64(JobLimits.sleepSeconds) * 1_000_000))
    }

    // MARK: The workers

    private func work(_ claim: Claim, _ running: Running) {
        let began = monotonic.now()
        let outcome = attempt(claim, running, began)
        finish(claim, running, outcome, seconds: (monotonic.now() - began).fractionalSeconds)
    }

    private func attempt(_ claim: Claim, _ running: Running, _ began: MonotonicInstant)
        -> AttemptOutcome
    {
        guard let handler = handlers[claim.kind] else {
            return .failed("no handler for steps of kind \(claim.kind)", isPermanent: true)
        }
        do {
            let step = try stepRun(claim, running, began)
            let result = try handler.run(step)
            return .succeeded(result)
        } catch {
            switch running.cancellation.reason {
            case .shutdown: return .interrupted
            case .deadline:
                running.log.append("the step ran out of its time")
                return .failed("the step ran longer than it may", isPermanent: false)
            case .killed, .clientCancelled: return .cancelled
            case .failed, nil: break
            }
            let message = Self.describe(error)
            running.log.append("failed: \(message)")
            let own = (error as? JobError)?.code
            let isPermanent =
                handler.isPermanent(error) || own == .invalidParameter || own == .principalRefused
            return .failed(message, isPermanent: isPermanent)
        }
    }

    private func stepRun(
        _ claim: Claim, _ running: Running, _ began: MonotonicInstant
    ) throws -> StepRun {
        let owner = try actor(of: claim)
        if claim.kind == "sql" { try Self.checkForSQL(claim) }
        let options = try Substitution.apply(try JSONValue(parsing: claim.options), claim.values)
        let deadline = claim.timeoutMicroseconds.map { began + .microseconds($0) }
        let context = RequestContext(
            principal: owner, requestID: "\(claim.run)/\(claim.step)/\(claim.attempt)", door: .job,
            tenant: claim.pipeline.tenant,
            deadlineNanoseconds: deadline.map { UInt64(max(0, $0.nanoseconds)) },
            cancellation: running.cancellation)
        return StepRun(
            context: context, pipeline: claim.pipeline.name, runID: claim.run, stepID: claim.step,
            attempt: claim.attempt, options: options, branch: RunBranch(values: claim.values),
            progress: PartProgress(database: database, run: claim.run, step: claim.step),
            writeLine: { running.log.append($0) })
    }

    /// Who may start a run need not be its owner, so values must not become SQL of their own.
    private static func checkForSQL(_ claim: Claim) throws {
        for name in Substitution.references(in: try JSONValue(parsing: claim.options)) {
            guard let value = claim.values[name] else { continue }
            let isPlain = value.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.numericType != nil
                    || "_-.:/@+ ,".unicodeScalars.contains($0)
            }
            guard isPlain, !value.contains("--"), !value.contains("/*") else {
                throw JobError(
                    .invalidParameter,
                    "the value of \(name) cannot stand in SQL: \(value.prefix(60))",
                    hint: "letters, digits and _ - . : / @ + , are allowed")
            }
        }
    }

    static func describe(_ error: any Error) -> String {
        guard let fault = error as? any Fault else { return "\(error)" }
        return fault.hint.map { "\(fault.message) (\($0))" } ?? fault.message
    }

    private func finish(
        _ claim: Claim, _ running: Running, _ outcome: AttemptOutcome, seconds: Double
    ) {
        var failures = 0
        while true {
            do {
                try database.write { tx in
                    try running.log.flush(tx, isLast: true)
                    try transitions(tx).finish(claim, outcome, newID: { entropy.uuid() })
                }
                break
            } catch {
                // Without this the step would stay as running until the next start.
                failures += 1
                log.error(
                    "jobs.finish_failed", "The end of a step could not be written.",
                    [
                        "run": .string(claim.run), "step": .string(claim.step),
                        "cause": LogValue(error),
                    ])
                if failures >= 5 || state.withLock({ $0.isStopped }) { break }
                Thread.sleep(for: .milliseconds(100 << failures))
            }
        }
        metrics?.finished(claim.kind, outcome, seconds)
        state.notify { state in
            state.running[claim.key] = nil
            state.finishedSinceCleanup += 1
            state.isWoken = true
        }
    }

    // MARK: History

    /// Removes old runs, and events that nobody needs any more.
    private func cleanUp() throws {
        state.withLock { $0.finishedSinceCleanup = 0 }
        let oldest = clock.now().microseconds - Int64(options.keptDays) * 86_400_000_000
        try database.write { tx in
            let old = try tx.query(
                """
                SELECT id FROM (
                    SELECT id, created_us, state,
                        row_number() OVER (PARTITION BY tenant, pipeline ORDER BY number DESC) AS place
                    FROM runs)
                WHERE state NOT IN ('queued', 'running') AND (place > ? OR created_us < ?) LIMIT 5000
                """, options.keptRuns, oldest
            ) { $0.string(0) }
            for id in old {
                for table in ["logs", "attempts", "steps", "progress"] {
                    try tx.run("DELETE FROM \(table) WHERE run_id = ?", id)
                }
                try tx.run("DELETE FROM runs WHERE id = ?", id)
            }
            // Consumers with a cursor keep their events; others only listen to the signal.
            try tx.run(
                """
                DELETE FROM outbox WHERE seq <= min(
                    (SELECT coalesce(max(seq), 0) FROM outbox) - 10000,
                    coalesce((SELECT min(seq) FROM outbox_cursors), 9223372036854775807))
                """)
        }
    }
}

extension Claim {
    /// Names the attempt among those that run.
    var key: String { "\(run)/\(step)/\(attempt)" }
}

/// Keeps what event sources answered to `subscribe`.
private final class Subscriptions: @unchecked Sendable {
    // Safe because the objects are only kept and dropped, under the lock.
    private let lock = Mutex<Void>(())
    private var kept: [AnyObject] = []

    func add(_ subscription: AnyObject) { lock.withLock { _ in kept.append(subscription) } }
    func clear() { lock.withLock { _ in kept = [] } }
}
