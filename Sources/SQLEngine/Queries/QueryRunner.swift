import Authority
import CivilTime
import Platform
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import Synchronization
import Vectors

/// Runs one query on its thread, from text to the last page.
struct QueryRunner {
    let engine: QueryEngine
    let query: Query

    init(_ engine: QueryEngine, _ query: Query) {
        self.engine = engine
        self.query = query
    }

    func run() {
        let begin = engine.monotonic.now()
        query.update { state in
            state.state = .planning
            state.statistics.queuedMilliseconds = Int64(
                (engine.clock.now().microseconds - query.createdMicroseconds) / 1000)
        }
        let processorBegin = ProcessUsage.threadProcessorTime()
        var run = statementRun(in: nil)
        var fault: QueryFault?
        var entered: EngineTransaction?
        do throws(QueryFault) {
            try check()
            let statement = try StatementRun.parse(query.sql)
            if let id = query.session.transactionID, !statement.isTransactionControl {
                let transaction = try engine.transactions.enter(id, query)
                entered = transaction
                run = statementRun(in: transaction)
            }
            try execute(statement, run)
        } catch { fault = error }
        if let entered {
            entered.note(run.view.presentTables)
            engine.transactions.leave(entered.id, query, hasFailed: fault != nil)
        }
        let elapsed = Int64((engine.monotonic.now() - begin).fractionalSeconds * 1000)
        var processor = ProcessUsage.threadProcessorTime() - processorBegin
        for execution in run.executions { processor += .nanoseconds(execution.helperNanoseconds) }
        query.update { state in
            state.changes = run.changes
            state.reads = run.view.allReads
            state.statistics.elapsedMilliseconds = elapsed
            state.statistics.cpuMilliseconds = Int64(processor.fractionalSeconds * 1000)
            state.probe = nil
        }
        report(run, fault?.code.rawValue)
        if let fault {
            query.fail(fault, at: engine.clock.now().microseconds)
        } else {
            query.finish(at: engine.clock.now().microseconds)
        }
    }

    private func statementRun(in transaction: EngineTransaction?) -> StatementRun {
        StatementRun(
            engine: engine, query: query,
            catalogs: engine.catalogs.on(query.session.branches, transaction),
            session: sessionValues())
    }

    private func check() throws(QueryFault) {
        guard query.context.cancellation.isCancelled else { return }
        throw QueryFault(.userCanceled, "Query was canceled")
    }

    private func sessionValues() -> SessionValues {
        let session = query.session
        var values = SessionValues(
            startMicroseconds: query.createdMicroseconds,
            zone: session.properties["time_zone_id"] ?? session.zone ?? "UTC",
            user: query.context.principal.name, groups: query.context.principal.groups,
            catalog: session.catalog?.lowercased(), schema: session.schema?.lowercased(),
            queryID: query.id, randomSeed: engine.entropy.word())
        values.timeZones = engine.zones
        return values
    }

    private func execute(_ parsed: Statement, _ run: StatementRun) throws(QueryFault) {
        let statement: Statement
        (statement, run.parameters) = try resolved(parsed, run)
        try run.requireTransactional(statement)
        let bound = try run.bind(statement)
        try check()
        switch bound {
        case .query(let result):
            query.update {
                $0.columns = result.columns.map { QueryColumn(name: $0.label, type: $0.type) }
            }
            try stream(result, run)
        case .utility(let statement):
            run.beginWriting()
            publish(try UtilityStatements.execute(statement, in: run))
        default:
            run.beginWriting()
            publish(try DataStatements.execute(bound, in: run))
        }
    }

    /// EXECUTE and EXECUTE IMMEDIATE become the statement that they run, with its parameters.
    private func resolved(
        _ statement: Statement, _ run: StatementRun
    ) throws(QueryFault) -> (Statement, [Expression]) {
        switch statement.kind {
        case .executeImmediate(let text, let arguments):
            return (try prepared(text, statement, arguments), arguments)
        case .execute(let name, let arguments):
            guard
                let text = query.session.prepared[name.text]
                    ?? query.session.prepared[name.canonical]
            else {
                throw QueryFault(
                    .notFound, "Prepared statement not found: \(name.text)",
                    hint: "PREPARE it in this session first")
            }
            return (try prepared(text, statement, arguments), arguments)
        default: return (statement, [])
        }
    }

    /// The statement of a prepared text, which must have as many parameters as values are passed.
    private func prepared(
        _ text: String, _ statement: Statement, _ arguments: [Expression]
    ) throws(QueryFault) -> Statement {
        let parsed = try StatementRun.parse(text)
        // What was parsed has a count.
        guard let count = try? SQLParser.parameterCount(of: text), count != arguments.count else {
            return parsed
        }
        throw .analysis(
            .invalidParameterUsage,
            "Incorrect number of parameters: expected \(count) but found \(arguments.count)",
            statement.span)
    }

    /// Runs a plan whose rows go to the client.
    private func stream(_ result: BoundQuery, _ run: StatementRun) throws(QueryFault) {
        let columns = result.columns.map { PlanColumn(id: $0.id, type: $0.type, name: $0.label) }
        let key = run.resultKey
        if let key, let pages = engine.results.pages(key) {
            for page in pages { try query.offer(page) }
            return
        }
        let sink = PageSink(
            query, result.columns.map { QueryColumn(name: $0.label, type: $0.type) },
            keeps: key != nil)
        try run.run(result.plan, columns: columns, into: sink)
        try sink.flush()
        if let key, let pages = sink.kept { engine.results.keep(pages, for: key) }
    }

    private func publish(_ outcome: StatementOutcome) {
        switch outcome {
        case .rows(let columns, let rows):
            query.update { $0.columns = columns }
            offer(columns, rows)
        case .done(let updateType, let count):
            query.update { state in
                state.updateType = updateType
                state.updateCount = count
                state.columns = count == nil ? [] : [QueryColumn(name: "rows", type: .bigint)]
            }
            if let count {
                offer([QueryColumn(name: "rows", type: .bigint)], [[.integer(count)]])
            }
        }
    }

    /// Encodes literal rows as pages, through a table in memory.
    private func offer(_ columns: [QueryColumn], _ rows: [[LiteralValue]]) {
        guard !rows.isEmpty else { return }
        do throws(QueryFault) {
            let table = MemoryTable(
                name: TableName(catalog: "", schema: "", table: "result"),
                columns: columns.map { TableColumn(name: $0.name, type: $0.type) }, rows: rows)
            let plan = columns.enumerated().map { index, column in
                PlanColumn(id: ColumnID(Int32(index + 1)), type: column.type, name: column.name)
            }
            let sink = PageSink(query, columns)
            var settings = ExecutionSettings()
            settings.threadCount = 1
            let execution = QueryExecution(
                .scan(
                    ScanNode(table: table, columns: plan, tableColumns: Array(columns.indices))),
                columns: plan, settings: settings, session: sessionValues(),
                parentBudget: engine.budget)
            try execution.run(into: sink)
            try sink.flush()
        } catch {
            query.fail(error, at: engine.clock.now().microseconds)
        }
    }
}

/// Encodes chunks into pages.
final class PageSink: ResultSink {
    private let query: Query
    private let columns: [QueryColumn]
    private let pending = Mutex<(bytes: [UInt8], rows: Int)>(([], 0))
    private let keptPages: Mutex<[ResultPage]?>

    /// `keeps`: whether the pages of a small result are wanted again.
    init(_ query: Query, _ columns: [QueryColumn], keeps: Bool = false) {
        self.query = query
        self.columns = columns
        keptPages = Mutex(keeps ? [] : nil)
    }

    /// All pages; nil when they were not to be kept or are too many.
    var kept: [ResultPage]? { keptPages.withLock { $0 } }

    private func offer(_ page: ResultPage) throws(QueryFault) {
        keptPages.withLock { kept in
            kept?.append(page)
            let bytes = kept?.reduce(0) { $0 + $1.bytes.count } ?? 0
            if bytes > ResultCache.resultByteLimit { kept = nil }
        }
        try query.offer(page)
    }

    func take(_ chunk: Chunk) throws(QueryFault) {
        let page = pending.withLock { pending -> ResultPage? in
            query.encoder.encode(chunk, columns, into: &pending.bytes)
            pending.rows += chunk.activeCount
            guard pending.bytes.count >= query.encoder.pageBytes else { return nil }
            return PageSink.takeOut(&pending)
        }
        if let page { try offer(page) }
    }

    /// Hands out what is left. Call once, at the end.
    func flush() throws(QueryFault) {
        let page = pending.withLock { $0.rows > 0 ? PageSink.takeOut(&$0) : nil }
        if let page { try offer(page) }
    }

    private static func takeOut(_ pending: inout (bytes: [UInt8], rows: Int)) -> ResultPage {
        let page = ResultPage(bytes: pending.bytes, rowCount: pending.rows)
        pending = ([], 0)
        return page
    }
}
