import Authority
import CivilTime
import ConsoleAPI
import Dashboards
import Diagnostics
import HTTPMessages
import Identity
import IdentityAPI
import JSON
import Platform
import QueryAPI
import SQLEngine
import SQLFunctions
import Supervision
import Synchronization
import Vectors

/// The sessions and browser rules of the console's pages.
struct RegistryConsoleAuthenticator: ConsoleAuthenticator {
    let authenticator: RequestAuthenticator

    func authenticate(
        _ request: Request, csrfToken: String?
    ) throws(ConsoleRefusal) -> ConsoleVisitor? {
        do {
            guard
                let found = try authenticator.authenticate(
                    request, door: .console, csrfToken: csrfToken)
            else { return nil }
            return ConsoleVisitor(context: found.context, csrfToken: found.session?.csrfToken)
        } catch let refusal as BrowserRefusal {
            throw ConsoleRefusal(refusal.response)
        } catch {
            var response = Response(
                status: 401, contentType: "text/plain; charset=utf-8",
                bytes: Array("the credential is not valid\n".utf8))
            response.fields["WWW-Authenticate"] = RequestAuthenticator.challenge(
                error as? IdentityError)
            throw ConsoleRefusal(response)
        }
    }

    func secured(_ response: Response) -> Response { authenticator.rules.secured(response) }
}

/// SQL for pages and dashboards, over the engine.
struct EngineQueryRunner: QueryRunner {
    let engine: QueryEngine
    let zones: TimeZones

    func run(
        _ context: RequestContext, _ request: QueryRequest
    ) throws(QueryRunFault) -> QueryAnswer {
        if !request.mayChange { try request.requireReading() }
        var session = QuerySession(
            catalog: request.catalog ?? "lakehouse", schema: request.schema)
        session.readAsOfMicroseconds = request.asOf
        session.branches = request.references
        session.reusesResults = request.reusesResults
        session.source = request.source
        let query: Query
        do throws(QueryFault) {
            query = try engine.submit(
                request.sql, session: session, context: context, encoder: TrinoEncoder(zones: zones)
            )
        } catch { throw fault(error, nil) }
        var rows: [[ChartValue]] = []
        var isTruncated = false
        while true {
            let (page, snapshot) = query.nextPage(patience: .seconds(1))
            if let page, !isTruncated {
                add(page, snapshot.columns ?? [], request.rowLimit, &rows, &isTruncated)
                if isTruncated, snapshot.updateType == nil { query.cancel(.clientCancelled) }
            }
            guard snapshot.state.isDone, !snapshot.hasPages else { continue }
            if let failure = snapshot.fault, !(isTruncated && failure.code == .userCanceled) {
                throw fault(failure, query.id)
            }
            return QueryAnswer(
                data: ChartData(
                    columns: (snapshot.columns ?? []).map {
                        ChartColumn($0.name, "\($0.type)")
                    }, rows: rows, isTruncated: isTruncated), queryID: query.id,
                elapsedMilliseconds: snapshot.statistics.elapsedMilliseconds,
                updateType: snapshot.updateType, updateCount: snapshot.updateCount,
                warnings: snapshot.warnings)
        }
    }

    private func fault(_ fault: QueryFault, _ id: String?) -> QueryRunFault {
        QueryRunFault(
            code: QueryRunFault.Code(rawValue: fault.code.rawValue), message: fault.message,
            hint: fault.hint, span: fault.span, queryID: id)
    }

    private func add(
        _ page: ResultPage, _ columns: [QueryColumn], _ limit: Int, _ rows: inout [[ChartValue]],
        _ isTruncated: inout Bool
    ) {
        guard let parsed = try? JSONValue(parsing: [0x5B] + page.bytes + [0x5D]),
            case .array(let lines) = parsed
        else { return }
        for line in lines {
            guard case .array(let values) = line else { continue }
            guard rows.count < limit else {
                isTruncated = true
                return
            }
            rows.append(zip(values, columns).map { value($0, $1.type) })
        }
    }

    private func value(_ value: JSONValue, _ type: LogicalType) -> ChartValue {
        switch value {
        case .null: return .null
        case .bool(let flag): return .boolean(flag)
        case .number(let number):
            if let whole = number.int64, type != .double, type != .real { return .integer(whole) }
            return .number(number.double ?? .nan)
        case .string(let text):
            switch type {
            case .decimal: return .decimal(text)
            case .date: return CivilParse.date(text).map { .date($0) } ?? .text(text)
            case .timestamp:
                return CivilParse.timestamp(text).map { .timestamp($0.microseconds) } ?? .text(text)
            case .double, .real: return .number(Double(text.replacingInfinity) ?? .nan)
            default: return .text(text)
            }
        case .array, .object: return .text(value.encodedText())
        }
    }
}

extension String {
    /// Trino's `Infinity` as Swift reads it.
    fileprivate var replacingInfinity: String {
        switch self {
        case "Infinity": "inf"
        case "-Infinity": "-inf"
        default: self
        }
    }
}

/// The engine's queries for their pages.
struct EngineQueryBrowser: QueryBrowser {
    let engine: QueryEngine

    func recent(_ context: RequestContext, mine: Bool, limit: Int) -> [QuerySummary] {
        engine.queries(context)
            .filter { !mine || $0.context.principal.id == context.principal.id }
            .prefix(limit).map(summary)
    }

    func query(_ context: RequestContext, id: String) -> QueryDetails? {
        guard let query = engine.queries(context).first(where: { $0.id == id }) else { return nil }
        let snapshot = query.snapshot
        let numbers = snapshot.statistics
        var details = QueryDetails(
            summary: summary(query), plan: snapshot.plan,
            statistics: [
                .init("planning", durationText(milliseconds: numbers.planningMilliseconds)),
                .init("elapsed", durationText(milliseconds: numbers.elapsedMilliseconds)),
                .init("processor time", durationText(milliseconds: numbers.cpuMilliseconds)),
                .init("rows read", countText(numbers.processedRows)),
                .init("bytes read", byteText(numbers.processedBytes)),
                .init("rows out", countText(numbers.outputRows)),
                .init("peak memory", byteText(Int64(numbers.peakMemoryBytes))),
                .init("spilled", byteText(Int64(numbers.spilledBytes))),
            ], errorCode: snapshot.fault?.code.rawValue, errorHint: snapshot.fault?.hint,
            warnings: snapshot.warnings)
        details.pipelines = query.pipelines.map { pipeline in
            pipeline.map { step in
                var remarks = step.remarks
                if let bytes = step.readBytes {
                    remarks.insert("read \(byteText(Int64(bytes)))", at: 0)
                }
                return .init(
                    name: step.name, detail: step.detail, inputRows: step.inputRows,
                    outputRows: step.outputRows, milliseconds: step.milliseconds,
                    memoryBytes: step.peakMemoryBytes, spilledBytes: step.spilledBytes,
                    remarks: remarks)
            }
        }
        return details
    }

    func cancel(_ context: RequestContext, id: String) throws {
        try engine.kill(context, queryID: id)
    }

    private func summary(_ query: Query) -> QuerySummary {
        let snapshot = query.snapshot
        return QuerySummary(
            id: query.id, sql: query.shownSQL, user: query.context.principal.name,
            state: snapshot.state.rawValue, createdMicroseconds: query.createdMicroseconds,
            elapsedMilliseconds: snapshot.statistics.elapsedMilliseconds,
            rowCount: snapshot.statistics.outputRows, error: snapshot.fault?.message,
            source: query.session.source ?? "")
    }
}

/// What the home page says of the appliance.
struct ApplianceFactsBrowser: ApplianceBrowser {
    let health: HealthRegistry
    let startedMicroseconds: Int64
    let authorizer: any Authorizer
    /// The data directory.
    let directory: String
    let respawn = RespawnNote.ours

    func facts(_ context: RequestContext) -> ApplianceFacts {
        let mayReadWalkthrough = authorizer.decide(
            context, .systemAdminister,
            Resource(tenant: context.tenant, kind: .system, path: [])
        ).isAllowed
        return ApplianceFacts(
            version: CommandLine.version, startedMicroseconds: startedMicroseconds,
            services: health.report.map { .init(name: $0.name, state: $0.status.word) },
            connectHints: ConnectCommand.tools.map {
                .init(tool: $0, command: "lakehouse connect \($0)")
            },
            restart: respawn.flatMap { note in
                guard let ending = note.ending, let at = note.endedMicroseconds else { return nil }
                return .init(ending: ending, atMicroseconds: at, count: note.restarts)
            },
            hasWalkthrough: mayReadWalkthrough && WalkthroughTranscript.isThere(directory))
    }
}

/// The console's files: out of the binary, or from a folder while they are worked on.
struct ConsoleAssets: AssetSource {
    let folder: String

    func bytes(_ name: String) -> [UInt8]? {
        if folder.isEmpty { return EmbeddedFiles.bytes("web/\(name)") }
        return try? LocalFileSystem().readAll("\(folder)/web/\(name)", limit: 16 << 20)
    }
}

/// The dashboards that the binary carries.
enum EmbeddedDashboards {
    static let library = reading("seeds/")
    /// Those of the demos, whose tables are there only after a demo has run here.
    static let demos = reading("demos/")

    private static func reading(_ folder: String) -> DashboardLibrary {
        DashboardLibrary.reading(
            EmbeddedFiles.paths
                .filter {
                    $0.hasPrefix(folder) && $0.contains("/dashboards/") && $0.hasSuffix(".yml")
                }
                .map { (path: $0, text: EmbeddedFiles.text($0) ?? "") })
    }
}
