import Authority
import Platform
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Synchronization
import Vectors

extension StatementRun {
    /// Parses a statement; one trailing semicolon is accepted.
    static func parse(_ sql: String) throws(QueryFault) -> Statement {
        do throws(SQLSyntaxError) { return try SQLParser.statement(sql) } catch {
            throw QueryFault(error)
        }
    }

    /// What all queries of the engine may still take.
    var budget: MemoryBudget { engine.budget }

    /// Computes constants for the statement: within its memory, until it is cancelled.
    var constants: ExpressionEvaluator {
        ExpressionEvaluator(
            session: session, cancellation: context.cancellation, parentBudget: engine.budget)
    }

    private var bindingContext: BindingContext {
        BindingContext(
            request: context, session: session, catalog: view, registry: engine.registry,
            parameters: parameters, evaluator: constants)
    }

    /// Binds without optimizing.
    func bindOnly(_ statement: Statement) throws(QueryFault) -> BoundStatement {
        try Binder(bindingContext).bind(statement)
    }

    /// How often names are looked up again until all tables are of one moment.
    private static let bindingTries = 8

    /// Binds and optimizes.
    func bind(_ statement: Statement) throws(QueryFault) -> BoundStatement {
        let begin = engine.monotonic.now()
        var allocator = ColumnAllocator()
        var bound = try Binder(bindingContext, allocator: allocator).bind(statement)
        // A commit of several tables is seen whole or not at all. Under steady commits the last try counts.
        var tries = 1
        while tries < Self.bindingTries, !view.isOfOneMoment(context) {
            view.forget()
            allocator = ColumnAllocator()
            bound = try Binder(bindingContext, allocator: allocator).bind(statement)
            tries += 1
        }
        if query.session.reusesResults, case .query(let result) = bound {
            isRepeatable = result.plan.isRepeatable
        }
        let optimizer = Optimizer(
            rules: VerificationMode(query.session).rules(engine.configuration.optimizerRules),
            allocator: allocator,
            registry: engine.registry,
            evaluator: constants)
        let optimized = try optimizer.optimize(bound).leaving(sourceComputing)
        let milliseconds = Int64((engine.monotonic.now() - begin).fractionalSeconds * 1000)
        query.update { state in
            state.state = .running
            state.statistics.planningMilliseconds += milliseconds
        }
        return optimized
    }

    /// A constant: arguments of CALL and SET SESSION, properties.
    func evaluate(_ expression: Expression) throws(QueryFault) -> (LiteralValue, LogicalType) {
        let bound = try Binder(bindingContext).constant(expression)
        return (try constants.evaluate(bound), bound.type)
    }

    /// The plan of a statement as EXPLAIN prints it.
    func explain(_ bound: BoundStatement) -> String {
        var printer = PlanPrinter()
        switch bound {
        case .query(let query): return printer.text(query.plan)
        case .createTableAs(_, let query): return "CreateTable\n" + printer.text(query.plan)
        case .insert(let insert): return "Insert into \(insert.name)\n" + printer.text(insert.plan)
        case .delete(let change): return "Delete from \(change.name)\n" + printer.text(change.plan)
        case .update(let change): return "Update \(change.name)\n" + printer.text(change.plan)
        case .merge(let change): return "Merge into \(change.name)\n" + printer.text(change.plan)
        case .utility(let statement): return SQLFormatter.format(statement) + "\n"
        }
    }

    /// Runs a plan and hands chunks with exactly these columns to `body`, one at a time.
    @discardableResult
    func execute(
        _ plan: LogicalPlan, columns: [ColumnID],
        into body: @escaping @Sendable (Chunk) throws(QueryFault) -> Void
    ) throws(QueryFault) -> QueryExecution {
        let types = Dictionary(plan.outputs.map { ($0.id, $0) }) { first, _ in first }
        var wanted: [PlanColumn] = []
        for id in columns {
            guard let column = types[id] else {
                throw QueryFault(
                    .genericInternalError, "the plan does not give column \(id.number)",
                    hint: "please report this statement")
            }
            wanted.append(column)
        }
        return try run(plan, columns: wanted, into: ClosureSink(body))
    }

    /// Runs a plan into a sink.
    @discardableResult
    func run(
        _ plan: LogicalPlan, columns: [PlanColumn], into sink: any ResultSink
    ) throws(QueryFault) -> QueryExecution {
        var settings = ExecutionSettings()
        settings.threadCount = engine.threadCount
        settings.memoryLimitBytes = engine.budget.limitBytes
        settings.spillDirectory = engine.configuration.spillDirectory
        settings.verification = engine.configuration.verification
        VerificationMode(query.session).apply(to: &settings)
        let execution = QueryExecution(
            plan, columns: columns, settings: settings, session: session,
            cancellation: context.cancellation, parentBudget: engine.budget, clock: engine.monotonic
        )
        executions.append(execution)
        var printer = PlanPrinter()
        let text = printer.text(plan)
        let clock = engine.monotonic
        let begin = clock.now()
        query.update { state in
            state.plan = text
            state.probe = {
                var numbers = StatementRun.numbers(of: execution)
                numbers.elapsedMilliseconds = Int64(
                    (clock.now() - begin).fractionalSeconds * 1000)
                return numbers
            }
            state.livePipelines = { QueryStep.pipelines(of: execution) }
        }
        defer {
            let numbers = StatementRun.numbers(of: execution)
            let pipelines = QueryStep.pipelines(of: execution)
            query.update { state in
                state.statistics.add(numbers)
                state.probe = nil
                state.livePipelines = nil
                let count = state.pipelines.reduce(0) { $0 + $1.count }
                if count < Query.keptSteps { state.pipelines += pipelines }
            }
        }
        try execution.run(into: sink)
        return execution
    }

    /// What an execution did so far.
    private static func numbers(of execution: QueryExecution) -> QueryStatistics {
        var numbers = QueryStatistics()
        let pipelines = execution.statistics
        for pipeline in pipelines {
            for step in pipeline {
                numbers.spilledBytes += Int64(step.spilledBytes)
                guard let report = step.scanReport else { continue }
                numbers.processedRows += Int64(report.rows)
                numbers.processedBytes += Int64(report.bytes)
            }
        }
        numbers.cpuMilliseconds = execution.processorNanoseconds / 1_000_000
        numbers.peakMemoryBytes = Int64(execution.peakMemoryBytes)
        let progress = execution.progress
        numbers.totalSplits = progress.total
        numbers.completedSplits = progress.finished
        numbers.runningSplits = progress.running
        return numbers
    }
}

/// A sink that is a closure.
private final class ClosureSink: ResultSink {
    private let body: @Sendable (Chunk) throws(QueryFault) -> Void

    init(_ body: @escaping @Sendable (Chunk) throws(QueryFault) -> Void) { self.body = body }

    func take(_ chunk: Chunk) throws(QueryFault) { try body(chunk) }
}
