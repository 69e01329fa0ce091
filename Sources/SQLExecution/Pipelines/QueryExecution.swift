package import Authority
package import Platform
package import SQLFunctions
package import SQLPlanning
import Synchronization
package import Vectors

/// Takes the chunks of a result.
package protocol ResultSink: AnyObject, Sendable {
    /// Takes one chunk, which is valid until the call returns. Called by one worker at a time, in order
    /// where the query has one; it may block until there is room. Throws to end the query.
    func take(_ chunk: Chunk) throws(QueryFault)
}

/// One run of a plan.
///
/// `run` blocks the calling thread, which is one of the query's workers; the others are its own.
package final class QueryExecution: Sendable {
    private let runtime: Runtime
    private let plan: LogicalPlan
    /// The columns of the result's chunks.
    package let columns: [PlanColumn]
    private let planned = Mutex<[Pipeline]>([])

    /// `columns`: which columns the result has, in order; they must be outputs of the plan.
    package init(
        _ plan: LogicalPlan, columns: [PlanColumn], settings: ExecutionSettings,
        session: SessionValues,
        cancellation: Cancellation = Cancellation(), deadline: MonotonicInstant? = nil,
        parentBudget: MemoryBudget? = nil, clock: any MonotonicClock = SystemMonotonicClock(),
        files: any FileSystem = LocalFileSystem()
    ) {
        self.plan = plan
        self.columns = columns
        runtime = Runtime(
            settings: settings, session: session,
            budget: MemoryBudget(limitBytes: settings.memoryLimitBytes, parent: parentBudget),
            cancellation: cancellation, deadline: deadline, clock: clock, files: files)
    }

    /// Runs the plan and hands all chunks to `sink`.
    package func run(into sink: any ResultSink) throws(QueryFault) {
        let planner = PhysicalPlanner(runtime)
        try planner.plan(plan, into: ResultStage(sink), columns: columns)
        let pipelines = planner.pipelines
        planned.withLock { $0 = pipelines }
        runtime.progress.expect(pipelines.reduce(0) { $0 + $1.branches.count })
        for pipeline in pipelines { try pipeline.run(runtime) }
    }

    /// What every operator did so far, by pipeline, in the order in which they run.
    package var statistics: [[OperatorStatistics]] {
        planned.withLock { $0 }.map { pipeline in
            pipeline.branches.flatMap { branch in
                [branch.source.statistics] + branch.operators.map(\.statistics)
            } + [pipeline.sink.statistics]
        }
    }

    /// Processor time of all workers, and that of those on threads of their own.
    package var processorNanoseconds: Int64 { runtime.processorNanoseconds }
    package var helperNanoseconds: Int64 { runtime.helperNanoseconds }
    package var peakMemoryBytes: Int { runtime.budget.peakBytes }
    /// How far it is; may be asked at any time.
    package var progress: QueryProgress { runtime.progress.now }
    package var usedMemoryBytes: Int { runtime.budget.usedBytes }
}

/// The last sink: hands chunks to whoever wants the result.
private final class ResultStage: Sink {
    let statistics = OperatorStatistics("Result")
    private let target: any ResultSink
    private let turn = Mutex<Void>(())

    init(_ target: any ResultSink) { self.target = target }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { ResultLocal(self) }

    func take(_ chunk: Chunk) throws(QueryFault) {
        // Typed errors do not pass through the lock's closure.
        let failure = turn.withLock { _ -> QueryFault? in
            do throws(QueryFault) {
                try target.take(chunk)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    func finish(_ runtime: Runtime) throws(QueryFault) {}
}

private final class ResultLocal: Operator {
    private let stage: ResultStage
    init(_ stage: ResultStage) { self.stage = stage }
    override func push(_ chunk: Chunk) throws(QueryFault) { try stage.take(chunk) }
    override func finish() throws(QueryFault) {}
}
