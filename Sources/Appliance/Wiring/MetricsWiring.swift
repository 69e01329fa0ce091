import AgentAPI
import Authority
import CivilTime
import Diagnostics
import HTTPClient
import HTTPMessages
import Iceberg
import JSON
import Ledger
import Metrics
import Platform
import QueryAPI
import SQLEngine
import SQLFunctions
import TableCatalog

/// Tables and rows for the metric layer, over the catalog and the engine, as the caller.
struct EngineMetricWarehouse: MetricWarehouse {
    let engine: QueryEngine
    let catalog: Catalog
    let zones: TimeZones

    func state(
        _ context: RequestContext, table: [String]
    ) throws(MetricError) -> MetricTableState? {
        guard table.count >= 3, let name = table.last else { return nil }
        let at = CatalogReference(parsing: table[0])
        let identifier = TableIdentifier(namespace: Array(table[1..<table.count - 1]), name: name)
        do {
            let loaded = try catalog.loadTable(context, at, identifier)
            return MetricTableState(
                snapshotID: loaded.metadata.currentSnapshotID, policy: Self.policy(of: loaded))
        } catch let denied as AccessDenied {
            throw MetricError(.denied, denied.message, hint: denied.hint)
        } catch {
            if (try? catalog.loadView(context, at, identifier)) != nil {
                return MetricTableState(snapshotID: nil, policy: "")
            }
            return nil
        }
    }

    /// The policies in words: names, and what they do.
    private static func policy(of loaded: LoadedTable) -> String {
        let decision = loaded.decision
        var parts: [String] = []
        if let filter = decision.rowFilter { parts.append("rows where \(filter)") }
        for (column, mask) in decision.columnMasks.sorted(by: { $0.key < $1.key }) {
            parts.append("\(column) shown as \(mask)")
        }
        for entry in loaded.applied {
            let column = entry.columnName.map { " of \($0)" } ?? ""
            parts.append("\(entry.policy.name)\(column) (\(entry.through))")
        }
        return parts.joined(separator: "; ")
    }

    func rows(
        _ context: RequestContext, sql: String, limit: Int
    ) throws(MetricError) -> MetricRows {
        var session = QuerySession(catalog: "lakehouse")
        session.source = "ask"
        // A question may take several queries; each can be stopped alone.
        var own = context
        own.cancellation = Cancellation()
        let query: Query
        do throws(QueryFault) {
            query = try engine.submit(
                sql, session: session, context: own, encoder: TrinoEncoder(zones: zones))
        } catch { throw fault(error) }
        var rows: [[JSONValue]] = []
        var isTruncated = false
        while true {
            if context.cancellation.isCancelled { query.cancel(.clientCancelled) }
            let (page, snapshot) = query.nextPage(patience: .seconds(1))
            if let page, let parsed = try? JSONValue(parsing: [0x5B] + page.bytes + [0x5D]),
                case .array(let lines) = parsed
            {
                for case .array(let values) in lines {
                    if rows.count < limit { rows.append(values) } else { isTruncated = true }
                }
            }
            guard snapshot.state.isDone, !snapshot.hasPages else { continue }
            if let failure = snapshot.fault { throw fault(failure) }
            return MetricRows(
                columns: (snapshot.columns ?? []).map { ($0.name, "\($0.type)") }, rows: rows,
                isTruncated: isTruncated, scannedRows: snapshot.statistics.processedRows,
                scannedBytes: snapshot.statistics.processedBytes,
                milliseconds: snapshot.statistics.elapsedMilliseconds, queryID: query.id)
        }
    }

    private func fault(_ fault: QueryFault) -> MetricError {
        MetricError(
            fault.code == .permissionDenied ? .denied : .queryFailed,
            "\(fault.code.rawValue): \(fault.message)", hint: fault.hint, cause: fault)
    }
}

/// The metrics files of this moment: those of `<data>/metrics` (or of the folder that the setting
/// names), then those that the binary's demos carry.
struct MetricFiles {
    let folder: String
    /// Where demos lie while they are worked on; empty: in the binary.
    let assets: String

    init(_ appliance: Appliance) {
        let given = appliance.configuration.text("metrics")
        folder = given.isEmpty ? appliance.directory.path + "/metrics" : given
        assets = appliance.configuration.text("assets")
    }

    func read() -> [MetricLibrary.File] {
        let system = LocalFileSystem()
        var files: [MetricLibrary.File] = []
        for name in ((try? system.list(folder)) ?? []).sorted()
        where name.hasSuffix(".yml") || name.hasSuffix(".yaml") {
            if let text = Self.text("\(folder)/\(name)") { files.append(("metrics/\(name)", text)) }
        }
        for path in EmbeddedFiles.paths
        where path.hasPrefix("demos/") && path.hasSuffix("/metrics.yml") {
            let text = assets.isEmpty ? EmbeddedFiles.text(path) : Self.text("\(assets)/\(path)")
            if let text { files.append((path, text)) }
        }
        return files
    }

    static func text(_ path: String) -> String? {
        guard
            let bytes = try? LocalFileSystem().readAll(path, limit: MetricFile.sizeLimit)
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// An OpenAI-compatible endpoint that fills frames; off unless `ask.endpoint` is set.
struct EndpointFrameFiller: FrameFiller {
    /// nil: the setting is no address.
    private let target: HTTPTarget?
    private let path: String
    private let endpointModel: String
    private let keyFile: String

    private static let bodyLimit = 1 << 20

    /// nil when the setting is empty.
    init?(_ configuration: ApplianceConfiguration) {
        let text = configuration.text("ask.endpoint")
        guard !text.isEmpty else { return nil }
        target = HTTPTarget(text)
        var tail = target?.path ?? ""
        while tail.hasSuffix("/") { tail.removeLast() }
        path = tail + "/chat/completions"
        endpointModel = configuration.text("ask.endpoint-model")
        keyFile = configuration.text("ask.endpoint-key-file")
    }

    func frame(
        for question: String, model: MetricModel, now: Int64, previous: Frame?
    ) throws(MetricError) -> Frame? {
        guard let target else {
            throw MetricError(.endpoint, "the setting ask.endpoint is no http or https address")
        }
        let body = FrameChat.request(
            question, endpointModel: endpointModel, model: model, now: now, previous: previous)
        var fields = Fields([("Content-Type", "application/json")])
        if !keyFile.isEmpty {
            guard let key = MetricFiles.text(keyFile)?.split(whereSeparator: \.isWhitespace).first
            else {
                throw MetricError(.endpoint, "the endpoint's key cannot be read: \(keyFile)")
            }
            fields["Authorization"] = "Bearer \(key)"
        }
        do {
            let answer = try target.post(
                path, fields: fields, body: body.encoded(), answerLimit: Self.bodyLimit)
            guard answer.status == 200 else {
                throw MetricError(.endpoint, "the endpoint answered \(answer.status)")
            }
            return try FrameChat.frame(in: answer.body, model: model)
        } catch let error as MetricError {
            throw error
        } catch {
            throw MetricError(.endpoint, "the endpoint cannot be reached", cause: error)
        }
    }
}

/// Questions that leave a row in the ledger: what was asked, how it was read, what came of it.
struct LedgeredAsker: QuestionAnswering {
    let asker: Asker
    let note: @Sendable (RequestContext, _ model: String, JSONValue) -> Void

    func ask(
        _ context: RequestContext, _ request: AskRequest
    ) throws(MetricError) -> AskOutcome {
        let outcome = try asker.ask(context, request)
        var detail: [(String, JSONValue)] = [
            ("question", .string(String(request.question.prefix(500))))
        ]
        var model = request.model ?? ""
        switch outcome {
        case .answered(let answer):
            model = answer.model.name
            detail += [
                ("status", "answered"), ("reading", .string(answer.reading.text)),
                ("frame", answer.reading.frame.json), ("queryId", .string(answer.queryID)),
            ]
        case .ambiguous: detail.append(("status", "ambiguous"))
        case .refused(_, let refusal):
            detail += [("status", "refused"), ("code", .string(refusal.code.rawValue))]
        }
        note(context, model, .object(detail))
        return outcome
    }

    func models(_ context: RequestContext) -> [MetricModel] { asker.models(context) }
}

/// The tool of agents.
struct AgentAsker: AgentAsk {
    let asker: any QuestionAnswering

    func ask(
        _ context: RequestContext, question: String, previous: JSONValue?, frame: JSONValue?
    ) throws -> JSONValue {
        try asker.ask(
            context,
            AskRequest(
                question, frame: try frame.map { try Frame($0.cursor) },
                previous: try previous.map { try Frame($0.cursor) })
        ).json
    }
}

/// The models for `system.metadata.metrics`.
struct MetricListing: MetricDoor {
    let asker: any QuestionAnswering

    func metrics(_ context: RequestContext) -> [MetricEntry] {
        asker.models(context).flatMap { model in
            model.metrics.map { metric in
                MetricEntry(
                    model: model.name, version: model.version, name: metric.name,
                    label: metric.label, kind: metric.kind.rawValue,
                    expression: metric.denominator.map { "\(metric.expression) / \($0)" }
                        ?? metric.expression,
                    table: Self.source(metric.table, model), format: metric.format.rawValue,
                    unit: metric.unit, synonyms: metric.synonyms.joined(separator: ", "),
                    description: metric.description)
            }
        }
    }

    func dimensions(_ context: RequestContext) -> [MetricEntry] {
        asker.models(context).flatMap { model in
            model.dimensions.map { dimension in
                MetricEntry(
                    model: model.name, version: model.version, name: dimension.name,
                    label: dimension.label, kind: dimension.kind.rawValue,
                    expression: dimension.expression, table: Self.source(dimension.table, model),
                    format: "", unit: "", synonyms: dimension.synonyms.joined(separator: ", "),
                    description: dimension.description)
            }
        }
    }

    private static func source(_ table: String, _ model: MetricModel) -> String {
        model.table(table)?.source.joined(separator: ".") ?? table
    }
}

extension Appliance {
    /// The metric files and what is wrong with them.
    func makeMetricLibrary() -> MetricLibrary {
        let files = MetricFiles(self)
        return MetricLibrary { files.read() }
    }

    /// Answers questions over this appliance.
    func makeAsker(_ library: MetricLibrary) -> any QuestionAnswering {
        let clock = clock
        let ledger = ledger
        return LedgeredAsker(
            asker: Asker(
                source: library,
                warehouse: EngineMetricWarehouse(engine: queries, catalog: catalog, zones: zones),
                filler: EndpointFrameFiller(configuration), zones: zones,
                now: { clock.now().microseconds }),
            note: { context, model, detail in
                ledger.note(context, "metric.ask", resource: "metric:\(model)", detail: detail)
            })
    }
}
