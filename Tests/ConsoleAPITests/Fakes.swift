import Authority
import ConsoleAPI
import Dashboards
import Diagnostics
import HTTPMessages
import Platform
import Synchronization

/// A name that breaks every page that forgets to escape.
let hostile = "<script>alert('x')</script>\"&"

/// Knows one session, and the rules as far as pages depend on them.
struct FakeAuthenticator: ConsoleAuthenticator {
    func authenticate(
        _ request: Request, csrfToken: String?
    ) throws(ConsoleRefusal) -> ConsoleVisitor? {
        guard let name = request.cookie("session") else { return nil }
        if request.method == .post, (csrfToken ?? request.fields["X-CSRF-Token"]) != "right" {
            throw ConsoleRefusal(secured(.text(403, "the form is stale\n")))
        }
        let principal = Principal(id: "u1", name: name, kind: .user)
        return ConsoleVisitor(
            context: RequestContext(principal: principal, requestID: "r1", door: .console),
            csrfToken: "right")
    }

    func secured(_ response: Response) -> Response {
        response.with("Content-Security-Policy", "default-src 'none'; script-src 'self'")
    }
}

struct FakeAuthorizer: Authorizer {
    var denied: Set<Action> = []
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: !denied.contains(action), reason: "the test says so")
    }
}

/// Answers every statement with two rows; those that begin with `fail`, `absent` and `deny` with faults, `empty` with
/// no rows.
final class FakeRunner: QueryRunner {
    private let seen = Mutex<[(user: String, request: QueryRequest)]>([])
    var requests: [(user: String, request: QueryRequest)] { seen.withLock { $0 } }

    func run(
        _ context: RequestContext, _ request: QueryRequest
    ) throws(QueryRunFault) -> QueryAnswer {
        seen.withLock { $0.append((context.principal.name, request)) }
        if request.sql.hasPrefix("fail") {
            throw QueryRunFault(
                code: .init(rawValue: "COLUMN_NOT_FOUND"), message: "column not found: custmer",
                hint: "did you mean customer?",
                span: SourceSpan(offset: 12, length: 7, line: 2, column: 3), queryID: "q9")
        }
        if request.sql.hasPrefix("absent") {
            throw QueryRunFault(
                code: .init(rawValue: "TABLE_NOT_FOUND"), message: "there is no table orders")
        }
        if request.sql.hasPrefix("empty") {
            return QueryAnswer(data: ChartData(columns: [ChartColumn("n", "bigint")], rows: []))
        }
        if request.sql.hasPrefix("deny") {
            throw QueryRunFault(code: .permissionDenied, message: "ada may not do that")
        }
        if request.sql.hasPrefix("insert") {
            return QueryAnswer(
                data: ChartData(columns: [], rows: []), queryID: "q2", elapsedMilliseconds: 5,
                updateType: "INSERT", updateCount: 3)
        }
        return QueryAnswer(
            data: ChartData(
                columns: [ChartColumn("name", "varchar"), ChartColumn("n", "bigint")],
                rows: [
                    [.text(hostile), .integer(9_007_199_254_740_993)], [.null, .integer(2)],
                ], isTruncated: true),
            queryID: "q1", elapsedMilliseconds: 12)
    }
}

struct FakeCatalog: CatalogBrowser {
    var files: ConsoleTable.Files = .listed(
        [
            ConsoleTable.FileRow(
                path: "s3://silver/t/data/part-0.parquet", content: "data", format: "PARQUET",
                partition: "region=\(hostile)", rowCount: 10, sizeBytes: 2048)
        ], hasMore: false)

    func warehouses(_ context: RequestContext) throws -> [ConsoleWarehouse] {
        [ConsoleWarehouse(name: "silver", location: "s3://silver/")]
    }
    func namespaces(
        _ context: RequestContext, warehouse: String
    ) throws -> ConsoleNames<[String]> {
        ConsoleNames([["banking"], [hostile, "in.ner"]])
    }
    func namespace(
        _ context: RequestContext, warehouse: String, levels: [String]
    ) throws -> ConsoleNamespace {
        ConsoleNamespace(
            levels: levels, properties: ["owner": hostile], namespaces: ConsoleNames([]),
            tables: ConsoleNames(["transactions", hostile]), views: ConsoleNames(["daily"]))
    }
    func table(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) throws -> ConsoleTable {
        guard name != "missing" else { throw ConsoleNotFound("table not found: missing") }
        return ConsoleTable(
            warehouse: warehouse, levels: levels, name: name,
            columns: [
                ConsoleTable.Column(name: hostile, type: "bigint", isRequired: true, doc: hostile),
                ConsoleTable.Column(name: "region", type: "varchar"),
            ], location: "s3://silver/t", partitioning: ["region"],
            snapshots: [
                ConsoleTable.SnapshotRow(
                    id: 42, atMilliseconds: 1_795_000_000_000, operation: "append",
                    summary: ["total-records": "1000", "added-records": "10"], isCurrent: true)
            ], files: files, properties: ["comment": hostile])
    }
    func freshness(
        _ context: RequestContext, warehouse: String, levels: [String], name: String
    ) -> TableFreshness? {
        TableFreshness(atMilliseconds: 1_795_000_000_000, rowCount: 1000)
    }
}

final class FakeQueries: QueryBrowser {
    private let stopped = Mutex<[String]>([])
    var cancelled: [String] { stopped.withLock { $0 } }

    private let summaries = [
        QuerySummary(
            id: "q1", sql: "select '\(hostile)'\n  from t", user: "ada", state: "RUNNING",
            createdMicroseconds: 1_795_000_000_000_000, elapsedMilliseconds: 12, rowCount: 0),
        QuerySummary(
            id: "q0", sql: "select custmer from t", user: "bob", state: "FAILED",
            createdMicroseconds: 1_794_990_000_000_000, elapsedMilliseconds: 3, rowCount: 0,
            error: "column not found: custmer"),
    ]
    func recent(_ context: RequestContext, mine: Bool, limit: Int) -> [QuerySummary] {
        summaries.filter { !mine || $0.user == context.principal.name }
    }
    func query(_ context: RequestContext, id: String) -> QueryDetails? {
        summaries.first { $0.id == id }.map {
            var details = QueryDetails(
                summary: $0, plan: "Scan[\(hostile)]", statistics: [.init("CPU time", "3 ms")])
            details.pipelines = [
                [
                    .init(
                        name: "Scan", detail: hostile, inputRows: 10, outputRows: 5,
                        milliseconds: 2.5, memoryBytes: 4096, spilledBytes: 1,
                        remarks: ["read \(hostile)"])
                ], [],
            ]
            return details
        }
    }
    func cancel(_ context: RequestContext, id: String) throws {
        stopped.withLock { $0.append(id) }
    }
}

final class FakePipelines: PipelineBrowser {
    private let begun = Mutex<[String]>([])
    var started: [String] { begun.withLock { $0 } }

    private let finished = PipelineRun(
        id: "r7", pipeline: "nightly", state: "succeeded", cause: "schedule",
        createdMicroseconds: 1_794_999_000_000_000, endedMicroseconds: 1_794_999_004_200_000)

    func pipelines(_ context: RequestContext) throws -> [PipelineSummary] {
        [
            PipelineSummary(
                name: "nightly", title: "Nightly \(hostile)",
                triggers: ["every day at 02:00 Europe/Berlin"],
                nextRunMicroseconds: 1_795_010_000_000_000, lastRun: finished,
                steps: [
                    .init(name: "load", kind: "ingest"),
                    .init(name: "mart", kind: "sql", needs: ["load"]),
                ])
        ]
    }
    func pipeline(_ context: RequestContext, name: String) throws -> PipelineSummary? {
        try pipelines(context).first { $0.name == name }
    }
    func runs(
        _ context: RequestContext, pipeline: String?, limit: Int
    ) throws -> [PipelineRun] { [finished] }
    func run(
        _ context: RequestContext, id: String
    ) throws -> (run: PipelineRun, attempts: [PipelineAttempt])? {
        guard id == "r7" else { return nil }
        return (
            finished,
            [
                PipelineAttempt(
                    step: "load", number: 2, state: "succeeded",
                    startedMicroseconds: 1_794_999_000_000_000,
                    endedMicroseconds: 1_794_999_001_000_000, log: "read 10 rows of \(hostile)")
            ]
        )
    }
    func start(_ context: RequestContext, pipeline: String) throws -> String {
        begun.withLock { $0.append(pipeline) }
        return "r8"
    }
    func waitingFiles(_ context: RequestContext) -> WaitingFiles {
        WaitingFiles(
            files: [
                WaitingFile(
                    bucket: "landing", key: "a b/\(hostile).csv",
                    expected: "WAREHOUSE/NAMESPACE/TABLE/FILE", remedy: "move \(hostile)")
            ], isCut: true)
    }
}

struct FakeAudit: AuditBrowser {
    var authorizer = FakeAuthorizer()
    func entries(
        _ context: RequestContext, _ question: AuditQuestion
    ) throws -> (entries: [AuditEntry], next: Int64?) {
        try authorizer.require(context, .ledgerView, Resource(kind: .ledger, path: []))
        guard question.principal.isEmpty || question.principal == "ada" else { return ([], nil) }
        return (
            [
                AuditEntry(
                    sequence: 9, atMicroseconds: 1_795_000_000_000_000, principal: "ada",
                    requestID: "r1", door: "sql", action: "table.select",
                    resource: "table:silver/\(hostile)", decision: "denied", detail: "{}")
            ], 9
        )
    }
}

struct FakeAppliance: ApplianceBrowser {
    func facts(_ context: RequestContext) -> ApplianceFacts {
        ApplianceFacts(
            version: "0.1.0", startedMicroseconds: 1_794_996_400_000_000,
            services: [
                .init(name: "S3", state: "ready", note: "http://localhost:9000"),
                .init(name: "SQL", state: "ready", note: "http://localhost:8080/v1/statement"),
                .init(name: "Pipelines", state: "starting"),
            ], objectCount: 1234, storedBytes: 56_000_000,
            connectHints: [
                .init(tool: "Trino CLI", command: "lakehouse connect trino"),
                .init(tool: "PyIceberg", command: "lakehouse connect pyiceberg"),
            ])
    }
}

/// States that tests set; waking whoever listens.
final class FakeWatch: TableWatch {
    private struct State {
        var version = 1
        var listeners: [Int: @Sendable () -> Void] = [:]
        var nextListener = 0
    }
    private let state = Mutex(State())

    private final class Subscription: WatchSubscription {
        private let end: @Sendable () -> Void
        init(_ end: @escaping @Sendable () -> Void) { self.end = end }
        func cancel() { end() }
    }

    func tags(_ context: RequestContext, warehouse: String) -> [String] { ["year-end"] }

    func moments(_ context: RequestContext, table: [String], limit: Int) -> [Int64] {
        [1_795_000_000_000_000, 1_795_000_360_000_000]
    }

    var listenerCount: Int { state.withLock { $0.listeners.count } }

    func state(_ context: RequestContext, table: [String]) -> String? {
        state.withLock { "\(table.joined(separator: "."))@\($0.version)" }
    }

    func subscribe(_ wake: @escaping @Sendable () -> Void) -> any WatchSubscription {
        let id = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = wake
            return state.nextListener
        }
        return Subscription { [weak self] in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
    }

    /// A commit; of a watched table, or of another.
    func commit(watched: Bool) {
        let listeners = state.withLock { state in
            if watched { state.version += 1 }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener() }
    }
}

struct FakeAssets: AssetSource {
    func bytes(_ name: String) -> [UInt8]? {
        ["console.css": Array("body{}".utf8), "sql.js": Array("run()".utf8)][name]
    }
}

/// Always 2026-11-18, some minutes after what the fakes tell of.
struct FixedClock: WallClock {
    func now() -> WallTime { WallTime(microseconds: 1_795_000_300_000_000) }
}

private final class FixedBody: RequestBody {
    private let rest: Mutex<[UInt8]?>
    let declaredLength: Int64?
    init(_ bytes: [UInt8]) {
        rest = Mutex(bytes.isEmpty ? nil : bytes)
        declaredLength = Int64(bytes.count)
    }
    func next() throws(HTTPBodyError) -> [UInt8]? {
        rest.withLock { bytes in
            defer { bytes = nil }
            return bytes
        }
    }
}

/// The console over fakes.
struct Console {
    let runner = FakeRunner()
    let queries = FakeQueries()
    let pipelines = FakePipelines()
    let watch = FakeWatch()
    var catalog = FakeCatalog()
    var storage = FakeStorage()
    var authorizer = FakeAuthorizer()
    var library: DashboardLibrary

    init() throws {
        library = try DashboardLibrary([
            DashboardDocument(
                name: "sales", title: "Sales \(hostile)", watch: [["gold", "shop", "orders"]],
                tiles: [
                    DashboardTile(id: "names", kind: "bar", title: "Names", sql: "select names"),
                    DashboardTile(id: "broken", kind: "line", title: "Broken", sql: "fail now"),
                ])
        ])
    }

    var router: Router {
        let library = library
        return Router(
            ConsolePages(
                ConsoleDoors(
                    authenticator: FakeAuthenticator(), authorizer: authorizer, runner: runner,
                    catalog: catalog, queries: queries, pipelines: pipelines,
                    audit: FakeAudit(authorizer: authorizer), appliance: FakeAppliance(),
                    watch: watch, assets: FakeAssets(), library: { library }, clock: FixedClock(),
                    storage: storage)
            ).routes)
    }

    func send(
        _ method: Method, _ target: String, user: String? = "ada",
        _ fields: [(String, String)] = [], body: String = ""
    ) -> Response {
        let halves = target.split(separator: "?", maxSplits: 1).map(String.init)
        var all = Fields(fields)
        if let user { all.append("Cookie", "session=\(user)") }
        return router.respond(
            to: Request(
                method: method, rawPath: halves[0], rawQuery: halves.count > 1 ? halves[1] : "",
                fields: all, body: FixedBody(Array(body.utf8)), requestID: "r1"))
    }
}

func text(_ response: Response) -> String {
    if case .bytes(let bytes) = response.body { return String(decoding: bytes, as: UTF8.self) }
    return ""
}
