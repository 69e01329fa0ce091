import AgentAPI
import Authority
import CivilTime
import Diagnostics
import HTTPMessages
import Identity
import IdentityAPI
import JSON
import Ledger
import Platform
import QueryAPI
import SQLEngine
import SQLFunctions
import SQLPlanning
import Vectors

/// Bearers for agents, under the browser's rules: a page of another site gets nowhere.
struct RegistryAgentAuthenticator: AgentAuthenticator {
    let registry: IdentityRegistry
    let rules: BrowserRules

    func refusal(_ request: Request) -> Response? {
        if let refusal = rules.hostRefusal(request) { return refusal }
        guard request.fields["Origin"] != nil, !rules.isSameOrigin(request) else { return nil }
        return .text(403, "the request comes from another site\n")
    }

    func context(_ request: Request, bearerToken: String) -> RequestContext? {
        var context = RequestContext(
            principal: .anonymous, requestID: request.requestID, door: .mcp)
        guard let found = try? registry.authenticate(context, bearer: bearerToken) else {
            return nil
        }
        context.principal = found.principal
        return context
    }
}

/// Statements of agents over the engine, with their rows as Trino's JSON.
struct EngineAgentSQL: AgentSQL {
    let engine: QueryEngine
    let zones: TimeZones

    func run(
        _ context: RequestContext, _ sql: String, catalog: String?, schema: String?,
        limits: AgentLimits
    ) throws -> AgentRows {
        var session = QuerySession(catalog: catalog ?? "lakehouse", schema: schema)
        session.source = "mcp"
        let query = try engine.submit(
            sql, session: session, context: context, encoder: TrinoEncoder(zones: zones))
        let clock = SystemMonotonicClock()
        let deadline = clock.now() + .seconds(limits.seconds)
        var rows: [[JSONValue]] = []
        var bytes = 0
        var isTruncated = false
        while true {
            let (page, snapshot) = query.nextPage(patience: .milliseconds(500))
            if let page, !isTruncated {
                bytes += page.bytes.count
                guard case .array(let lines) = try JSONValue(parsing: [0x5B] + page.bytes + [0x5D])
                else { continue }
                for case .array(let values) in lines {
                    if rows.count < limits.rows { rows.append(values) } else { isTruncated = true }
                }
                if bytes > limits.bytes { isTruncated = true }
                if isTruncated { query.cancel(.clientCancelled) }
            }
            guard snapshot.state.isDone, !snapshot.hasPages else {
                if clock.now() > deadline { query.cancel(.deadline) }
                continue
            }
            if let fault = snapshot.fault, !(isTruncated && fault.code == .userCanceled) {
                throw fault
            }
            return AgentRows(
                columns: (snapshot.columns ?? []).map { ($0.name, "\($0.type)") }, rows: rows,
                isTruncated: isTruncated, queryID: query.id)
        }
    }
}

/// Where tables come from, by the ledger's account of commits and of what their statements read.
struct LedgerAgentLineage: AgentLineage {
    let ledger: AuditLedger
    let authorizer: any Authorizer

    func upstream(_ context: RequestContext, table: String) throws -> JSONValue {
        let parts = table.split(separator: ".").map(String.init)
        let commits = try ledger.commits(context, authorizer: authorizer, table: parts, limit: 50)
        var upstream: [String] = []
        for read in commits.flatMap(\.reads) {
            let name = Self.name(read.resource)
            if name != table, !upstream.contains(name) { upstream.append(name) }
        }
        return .object([
            ("table", .string(table)), ("upstream", .array(upstream.map { .string($0) })),
            (
                "commits",
                .array(
                    commits.map { commit in
                        .object([
                            ("snapshotId", commit.snapshotID.map { .string(String($0)) } ?? .null),
                            ("by", .string(commit.entry.principalName)),
                            ("door", .string(commit.entry.door)),
                            ("runId", commit.runID.map { .string($0) } ?? .null),
                            ("queryId", commit.queryID.map { .string($0) } ?? .null),
                            (
                                "reads",
                                .array(
                                    commit.reads.map { read in
                                        .object([
                                            ("table", .string(Self.name(read.resource))),
                                            (
                                                "snapshotId",
                                                read.snapshotID.map { .string(String($0)) } ?? .null
                                            ),
                                        ])
                                    })
                            ),
                        ])
                    })
            ),
        ])
    }

    private static func name(_ resource: String) -> String {
        resource.dropFirst(6).split(separator: "/").joined(separator: ".")
    }
}

/// What queries read, into the ledger: one row a table.
struct LedgerQueryObserver: QueryObserver {
    let ledger: AuditLedger

    /// How much of a statement's text is kept.
    private static let textLength = 2000

    func ended(_ record: QueryRecord) {
        for read in record.reads {
            let path =
                [String(read.name.catalog.prefix { $0 != "@" })]
                + read.name.schema.split(separator: ".").map(String.init) + [read.name.table]
            var detail: [(String, JSONValue)] = [
                ("queryId", .string(record.id)), ("table", .string(read.name.description)),
                ("uuid", .string(read.uuid)), ("rows", .int(record.rowCount)),
                ("elapsedMs", .int(record.elapsedMilliseconds)),
                ("sql", .string(String(record.sql.prefix(Self.textLength)))),
            ]
            if let id = read.snapshotID { detail.append(("snapshotId", .int(id))) }
            if let source = record.source { detail.append(("source", .string(source))) }
            if let error = record.errorCode { detail.append(("error", .string(error))) }
            ledger.note(
                record.context, "table.read", resource: AuditLedger.tableResource(path),
                detail: .object(detail))
        }
    }
}

extension ApplianceDoors {
    /// The door for agents.
    static func agents(
        _ appliance: Appliance, rules: BrowserRules, ask: (any AgentAsk)? = nil
    ) -> AgentEndpoint {
        let authorizer = appliance.identity.authorizer
        return AgentEndpoint(
            AgentDoors(
                authenticator: RegistryAgentAuthenticator(
                    registry: appliance.identity, rules: rules),
                sql: EngineAgentSQL(engine: appliance.queries, zones: appliance.zones), ask: ask,
                lineage: LedgerAgentLineage(ledger: appliance.ledger, authorizer: authorizer),
                publicURL: { appliance.addresses.publicURL },
                issuer: appliance.identity.configuration.issuer, version: CommandLine.version,
                clock: appliance.clock, entropy: appliance.entropy))
    }
}
