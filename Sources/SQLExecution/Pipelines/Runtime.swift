import Authority
import Platform
package import SQLFunctions
import Synchronization
package import Vectors

/// What all workers of one query share.
final class Runtime: Sendable {
    let settings: ExecutionSettings
    let session: SessionValues
    let budget: MemoryBudget
    let cancellation: Cancellation
    let deadline: MonotonicInstant?
    let clock: any MonotonicClock
    let spill: SpillSpace
    let progress = ProgressCounter()
    private let failure = Mutex<QueryFault?>(nil)
    private let hasFailed = Atomic<Bool>(false)
    private let team: Mutex<WorkerTeam?>
    /// Processor time of the workers but the first, which is the thread that runs the query.
    private let helperTime = Atomic<Int64>(0)
    private let callerTime = Atomic<Int64>(0)

    init(
        settings: ExecutionSettings, session: SessionValues, budget: MemoryBudget,
        cancellation: Cancellation, deadline: MonotonicInstant?, clock: any MonotonicClock,
        files: any FileSystem
    ) {
        self.settings = settings
        self.session = session
        self.budget = budget
        self.cancellation = cancellation
        self.deadline = deadline
        self.clock = clock
        spill = SpillSpace(directory: settings.spillDirectory, files: files, name: session.queryID)
        team = Mutex(nil)
    }

    /// Whether anything asks the workers to leave.
    var isStopped: Bool { hasFailed.load(ordering: .relaxed) || cancellation.isCancelled }

    var helperNanoseconds: Int64 { helperTime.load(ordering: .relaxed) }
    var processorNanoseconds: Int64 { helperNanoseconds &+ callerTime.load(ordering: .relaxed) }

    /// Keeps the first failure and makes the others leave.
    func fail(_ fault: QueryFault) {
        failure.withLock { if $0 == nil { $0 = fault } }
        hasFailed.store(true, ordering: .releasing)
    }

    /// Throws when the query was cancelled, ran out of time, or another worker failed.
    func check() throws(QueryFault) {
        // What left early because it was asked to does not know why: the reason is said below.
        if hasFailed.load(ordering: .acquiring), let fault = failure.withLock({ $0 }),
            fault.code != .userCanceled || cancellation.reason == nil
        {
            throw fault
        }
        if let reason = cancellation.reason {
            switch reason {
            case .clientCancelled: throw QueryFault(.userCanceled, "Query was canceled")
            case .deadline:
                throw QueryFault(
                    .exceededTimeLimit, "Query exceeded the maximum execution time limit")
            case .shutdown:
                throw QueryFault(
                    .abandonedQuery, "the server shuts down", hint: "run the query again")
            case .killed:
                throw QueryFault(.administrativelyKilled, "Query was killed by an administrator")
            case .failed: throw QueryFault(.genericInternalError, "the request has failed already")
            }
        }
        if let deadline, clock.now() > deadline {
            throw QueryFault(.exceededTimeLimit, "Query exceeded the maximum execution time limit")
        }
    }

    /// Whether sinks should spill what they can.
    var isUnderPressure: Bool {
        settings.verification.forcesSpill
            || budget.usedBytes
                > budget.limitBytes / Limits.pressureDenominator * Limits.pressureNumerator
    }

    /// Runs `body` on up to `limit` workers and throws the first failure.
    func runWorkers(limit: Int, _ body: @escaping @Sendable (Int) throws(QueryFault) -> Void)
        throws(QueryFault)
    {
        let count = max(1, min(limit, settings.threadCount))
        let guarded: @Sendable (Int) -> Void = { worker in
            let begin = ProcessUsage.threadProcessorTime()
            do throws(QueryFault) { try body(worker) } catch { self.fail(error) }
            let used = (ProcessUsage.threadProcessorTime() - begin).wholeNanoseconds
            if worker == 0 {
                self.callerTime.wrappingAdd(used, ordering: .relaxed)
            } else {
                self.helperTime.wrappingAdd(used, ordering: .relaxed)
            }
        }
        if count == 1 {
            guarded(0)
        } else {
            do throws(PlatformError) {
                try workers().run(limit: count, guarded)
            } catch {
                throw QueryFault(.genericInsufficientResources, error.message, cause: error)
            }
        }
        try check()
    }

    private func workers() throws(PlatformError) -> WorkerTeam {
        if let made = team.withLock({ $0 }) { return made }
        let made = try WorkerTeam(name: "query", workerCount: settings.threadCount)
        team.withLock { $0 = made }
        return made
    }
}

/// One worker of a region, as operators and sources see it.
package final class Worker {
    /// 0 is the thread that runs the query.
    package let index: Int
    /// Where kernels leave failures.
    package let context: EvaluationContext
    let runtime: Runtime
    let region: Region

    init(index: Int, runtime: Runtime, region: Region) {
        self.index = index
        self.runtime = runtime
        self.region = region
        context = EvaluationContext(session: runtime.session) { runtime.isStopped }
    }

    package var budget: MemoryBudget { runtime.budget }
    package var settings: ExecutionSettings { runtime.settings }
    /// Whether sources should leave at once: a failure elsewhere, a cancellation, a satisfied LIMIT.
    package var isStopped: Bool { region.isDone || runtime.isStopped }
}

/// One run of a source through a chain; a satisfied LIMIT ends it early.
final class Region: Sendable {
    private let done = Atomic<Bool>(false)
    var isDone: Bool { done.load(ordering: .relaxed) }
    func end() { done.store(true, ordering: .relaxed) }
}
