import AgentAPI
import Ledger
import Identity
import Authority
import ConsoleAPI
import Jobs
import Ledger
import Diagnostics
import HTTPMessages
import HTTPServer
import IcebergAPI
import IdentityAPI
import JSON
import Platform
import QueryAPI
import S3API
import SQLEngine
import Supervision
import Telemetry

/// A running appliance: the ordered list of services over one `Appliance`.
///
///     started  object store upkeep ─▶ ledger ─▶ identity upkeep ─▶ http ─▶ operations ─▶ control
///     stopped  in the opposite order
package final class ApplianceServer: Sendable {
    package let appliance: Appliance
    private let supervisor: Supervisor
    private let http: HTTPService
    private let certificates: Certificates
    private let started: MonotonicInstant

    /// Wires everything; nothing listens before `start`.
    package init(_ appliance: Appliance) {
        self.appliance = appliance
        started = SystemMonotonicClock().now()
        let configuration = appliance.configuration
        let names =
            ["localhost", "127.0.0.1", "::1", "*.s3.localhost"] + configuration.list("tls.names")
        certificates = Certificates(
            directory: appliance.directory.path, names: names, clock: appliance.clock)
        let health = HealthRegistry()
        let doors = ApplianceDoors(appliance, health: health)
        let hosts =
            configuration.text("listen") == "127.0.0.1"
            ? ["127.0.0.1", "::1"] : [configuration.text("listen")]
        let certificates = certificates
        var limits = HTTPServerLimits()
        limits.connections = configuration.integer("http.max-connections")
        limits.connectionsPerAddress = configuration.integer("http.max-connections-per-address")
        http = HTTPService(
            doors: [
                HTTPDoor(
                    name: "console", hosts: hosts, port: configuration.integer("ports.console"),
                    handler: doors.console, tls: { certificates.current() }),
                HTTPDoor(
                    name: "s3", hosts: hosts, port: configuration.integer("ports.s3"),
                    handler: doors.s3, tls: { certificates.current() }),
            ], limits: limits, metrics: appliance.metrics, wallClock: appliance.clock)
        appliance.probe.attach(ApplianceProbe(appliance: appliance, health: health))
        let upkeep = Upkeep(appliance)
        let control = ControlServer(path: DataDirectory.controlPath(of: appliance.directory.path)) {
            request, streams in
            CommandLine.runInside(appliance, request.arguments, streams)
        }
        let ledger = SimpleService("ledger", start: { try appliance.ledger.start() })
        let addresses = SimpleService(
            "addresses",
            start: { [http] in
                appliance.addresses.bound(
                    console: http.port(of: "console") ?? 0, s3: http.port(of: "s3") ?? 0)
            })
        let queries = QueryService(appliance.queries)
        // Whoever looks into a backup starts nothing that acts on its own, and no command line with its rights.
        let services: [any Service] =
            appliance.refusesChanges
            ? [ledger, upkeep, queries, http, addresses]
            : [
                ledger, upkeep, StorageKeeper(appliance), PurgeService(appliance.catalog), queries,
                appliance.jobs, http, addresses, appliance.watchman, control,
            ]
        supervisor = Supervisor(services, health: health)
    }

    /// Starts every service. Throws a fault that names the one that failed, why, and what to do.
    ///
    /// Without `watchesSignals` whoever started us watches them, and calls `end`.
    package func start(watchesSignals: Bool = true) throws {
        // Before any thread: each thread inherits which signals are blocked.
        if watchesSignals {
            try Signals.watch([.terminate, .interrupt]) { [supervisor] signal in
                supervisor.end("signal \(signal)")
            }
        }
        try certificates.ensureAuthority()
        try supervisor.start()
    }

    /// Asks it to drain and end, as the signal does.
    func end(_ signal: Signal) { supervisor.end("signal \(signal)") }

    /// Waits for SIGTERM or SIGINT, or for a service to break; then drains. The process's exit code.
    package func run() -> Int32 {
        let end = supervisor.waitForEnd()
        let limit = Duration.seconds(appliance.configuration.integer("drain-seconds"))
        _ = supervisor.shutDown(within: limit)
        appliance.close()
        switch end {
        case .requested: return 0
        case .failed: return 1
        }
    }

    /// Stops at once; for tests and the walkthrough.
    package func stop() {
        _ = supervisor.shutDown(
            within: .seconds(appliance.configuration.integer("drain-seconds")))
        appliance.close()
    }

    /// Milliseconds from the making of the server to now.
    package var ageMilliseconds: Int64 {
        let elapsed = SystemMonotonicClock().now() - started
        return Int64(elapsed.fractionalSeconds * 1000)
    }
}

/// What answers at each port.
struct ApplianceDoors {
    let console: any RequestHandler
    let s3: any RequestHandler

    init(_ appliance: Appliance, health: HealthRegistry) {
        let publicURL = appliance.addresses.publicURL
        let rules = BrowserRules(
            publicURL: publicURL, allowedHosts: appliance.configuration.list("hosts"))
        let identity = IdentityEndpoints(
            registry: appliance.identity, rules: rules, publicURL: publicURL)
        let iceberg = IcebergService(
            catalog: appliance.catalog,
            authenticator: RegistryBearers(registry: appliance.identity),
            authorizer: appliance.identity.authorizer,
            vendor: RegistryVendor(registry: appliance.identity),
            settings: IcebergSettings(s3Endpoint: appliance.addresses.s3URL, region: "us-east-1"),
            clock: appliance.clock, functions: shownFunction,
            tokens: { identity.token($0, door: .catalog) })
        let s3Handler = S3Handler(
            store: appliance.objects,
            credentials: RegistryCredentials(registry: appliance.identity),
            clock: appliance.clock, identity: appliance.identity)
        s3 = s3Handler
        let operations = OperationsRoutes(appliance, health: health)
        let statements = StatementDoor(
            engine: appliance.queries,
            authenticator: RegistryQueryAuthenticator(
                authenticator: RequestAuthenticator(registry: appliance.identity, rules: rules),
                trustsLoopback: appliance.configuration.flag("trust-loopback"),
                externalLogins: identity.externalLogins),
            authorizer: appliance.identity.authorizer, zones: appliance.zones)
        let authenticator = RequestAuthenticator(registry: appliance.identity, rules: rules)
        let dashboards = DashboardFolder(
            appliance.configuration, directory: appliance.directory.path,
            isThere: { [catalog = appliance.catalog] in catalog.isThere($0) })
        let asker = appliance.makeAsker(appliance.makeMetricLibrary())
        let pages = ConsolePages(
            ConsoleDoors(
                authenticator: RegistryConsoleAuthenticator(authenticator: authenticator),
                authorizer: appliance.identity.authorizer,
                runner: EngineQueryRunner(engine: appliance.queries, zones: appliance.zones),
                catalog: WholeCatalogBrowser(
                    warehouses: TableCatalogBrowser(catalog: appliance.catalog),
                    connected: appliance.connectors),
                queries: EngineQueryBrowser(engine: appliance.queries),
                pipelines: SchedulerBrowser(
                    jobs: appliance.jobs, objects: appliance.objects,
                    quiet: appliance.identity.quietAuthorizer),
                audit: LedgerBrowser(
                    ledger: appliance.ledger, authorizer: appliance.identity.authorizer),
                appliance: ApplianceFactsBrowser(
                    health: health, startedMicroseconds: appliance.clock.now().microseconds,
                    authorizer: appliance.identity.quietAuthorizer,
                    directory: appliance.directory.path),
                watch: CatalogTableWatch(catalog: appliance.catalog),
                assets: ConsoleAssets(folder: appliance.configuration.text("assets")),
                library: { dashboards.library() }, clock: appliance.clock, asker: asker,
                storage: StoreBrowser(
                    store: appliance.objects, identity: appliance.identity,
                    clock: appliance.clock, zones: appliance.zones,
                    endpoint: appliance.addresses.s3URL)))
        let pipelines = PipelineRoutes(
            jobs: appliance.jobs, door: APIDoor(authenticator: authenticator))
        let routes =
            operations.routes + identity.routes + iceberg.routes + statements.routes
            + pipelines.routes + pages.routes
            + CatalogRoutes(
                catalog: appliance.catalog, door: APIDoor(authenticator: authenticator)
            ).routes
            + AskRoutes(asker: asker, door: APIDoor(authenticator: authenticator)).routes
            + Self.agents(appliance, rules: rules, ask: AgentAsker(asker: asker)).routes
            + WalkthroughPages(
                pages, transcript: { WalkthroughTranscript.read(appliance.directory.path) }
            ).routes
            + GovernancePages(
                pages,
                trail: LedgerTraceBrowser(
                    ledger: appliance.ledger, authorizer: appliance.identity.authorizer)
            ).routes
        console = Router(
            routes + [
                OpenAPIDocument.route(
                    routes, publicURL: { appliance.addresses.publicURL },
                    door: APIDoor(authenticator: authenticator))
            ])
    }
}

/// The engine as a service: it drains.
final class QueryService: Service {
    let name = "queries"
    private let engine: QueryEngine

    init(_ engine: QueryEngine) { self.engine = engine }

    func start() throws {}
    func drain(until deadline: MonotonicInstant) { engine.drain(until: deadline) }
    func stop() {}
}

/// `/healthz`, `/readyz`, `/metrics`.
struct OperationsRoutes {
    let appliance: Appliance
    let health: HealthRegistry

    init(_ appliance: Appliance, health: HealthRegistry) {
        self.appliance = appliance
        self.health = health
    }

    var routes: [Route] {
        [
            Route(.get, "/favicon.ico") { _, _ in Self.icon },
            Route(.get, "/healthz") { _, _ in Self.text(200, "ok\n") },
            Route(.get, "/readyz") { _, _ in
                let report = health.report.map { "\($0.name): \($0.status.word)\n" }.joined()
                return Self.text(health.isReady ? 200 : 503, report)
            },
            Route(.get, "/metrics") { _, _ in
                Response(
                    status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8",
                    bytes: Array(appliance.metrics.prometheusText().utf8))
            },
        ]
    }

    /// What browsers and tools ask for that have seen no page which names the icon.
    private static var icon: Response {
        guard let bytes = EmbeddedFiles.bytes("web/icon.svg") else {
            return text(404, "there is no icon\n")
        }
        return Response(status: 200, contentType: "image/svg+xml", bytes: bytes)
    }

    private static func text(_ status: Int, _ text: String) -> Response {
        Response(status: status, contentType: "text/plain; charset=utf-8", bytes: Array(text.utf8))
    }
}
