import Diagnostics
import Iceberg
import Platform
import Synchronization
import TableCatalog

/// A plan, or a part of one, that this server does not have.
struct PlanFault: Fault {
    enum Code: String, Sendable {
        case noSuchPlan = "iceberg_api.no_such_plan"
        case noSuchTask = "iceberg_api.no_such_plan_task"
    }

    let code: Code
    let message: String
    var hint: String? { "plan the scan again" }
    var type: String {
        switch code {
        case .noSuchPlan: "NoSuchPlanIdException"
        case .noSuchTask: "NoSuchPlanTaskException"
        }
    }
}

/// A scan that is being planned, or is.
final class PlannedScan: Sendable {
    /// What became of it.
    enum Outcome: Sendable {
        case planned([FileScanTask])
        case failed(any Error)
        case cancelled
    }

    let id: String
    /// The table, and who asked: nobody else is shown the plan.
    let owner: String
    /// Whether files whose rows all satisfy the filter need none.
    let isExact: Bool
    /// The columns whose statistics were asked for.
    let statisticsFields: Set<Int32>
    let metadata: TableMetadata
    let table: LoadedTable
    let startedMilliseconds: Int64
    let outcome = Latch<Outcome>()

    init(
        id: String, owner: String, filter: SentFilter, statisticsFields: Set<Int32>,
        table: LoadedTable, startedMilliseconds: Int64
    ) {
        self.id = id
        self.owner = owner
        isExact = filter.isExact
        self.statisticsFields = statisticsFields
        metadata = table.metadata
        self.table = table
        self.startedMilliseconds = startedMilliseconds
    }

    /// How many answers the tasks take.
    static func pageCount(_ tasks: [FileScanTask]) -> Int {
        max(1, (tasks.count + Limits.tasksPerAnswer - 1) / Limits.tasksPerAnswer)
    }
}

/// The plans of this server, by id; they die with it, and with time.
final class PlanRegistry: Sendable {
    let patience: Duration
    private let plans = Mutex<[String: PlannedScan]>([:])

    init(patience: Duration) { self.patience = patience }

    /// Plans on a thread of its own and waits for it as long as an answer may; the oldest plan goes when
    /// there are too many.
    func start(
        _ plan: PlannedScan, _ body: @escaping @Sendable () throws -> [FileScanTask]
    ) {
        plans.withLock { plans in
            let edge = plan.startedMilliseconds - Limits.planLifetimeMilliseconds
            if plans.count >= Limits.keptPlans {
                plans = plans.filter { $0.value.startedMilliseconds > edge }
            }
            if plans.count >= Limits.keptPlans,
                let oldest = plans.values.min(by: {
                    $0.startedMilliseconds < $1.startedMilliseconds
                })
            {
                plans[oldest.id] = nil
            }
            plans[plan.id] = plan
        }
        let work: @Sendable () -> Void = {
            // Cancelled before its turn: nothing to do.
            if plan.outcome.current != nil { return }
            do { plan.outcome.open(.planned(try body())) } catch {
                plan.outcome.open(.failed(error))
            }
        }
        do { _ = try Thread(name: "plan", work) } catch { work() }
        _ = plan.outcome.wait(until: SystemMonotonicClock().now() + patience)
    }

    /// A plan by its id. Throws for one that is unknown, somebody else's, or too old.
    func plan(_ id: String, owner: String, nowMilliseconds: Int64) throws(PlanFault) -> PlannedScan
    {
        let found = plans.withLock { $0[id] }
        guard let found, found.owner == owner,
            found.startedMilliseconds > nowMilliseconds - Limits.planLifetimeMilliseconds
        else { throw PlanFault(code: .noSuchPlan, message: "there is no plan \(id)") }
        return found
    }

    /// Gives a plan up; who asks for it again is told so.
    func cancel(_ plan: PlannedScan) {
        plan.outcome.open(.cancelled)
        guard case .cancelled? = plan.outcome.current else {
            // It was ready: it is let go of.
            plans.withLock { $0[plan.id] = nil }
            return
        }
    }
}
