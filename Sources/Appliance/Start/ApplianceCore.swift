package import Authority
import CivilTime
import Connectors
import Diagnostics
package import DiskObjectStorage
package import Identity
package import Ledger
import ObjectStorage
package import Platform
import Ingest
import Operations
package import Jobs
package import Models
import Quality
package import SQLEngine
import SQLite
package import TableCatalog
import Telemetry
import Vectors

/// Every domain over one data directory, open and wired, with nothing listening.
package final class Appliance: Sendable {
    package let configuration: ApplianceConfiguration
    /// Whether it is a backup that somebody looks into.
    let refusesChanges: Bool
    package let directory: DataDirectory
    package let identity: IdentityRegistry
    package let ledger: AuditLedger
    package let objects: DiskObjectStore
    package let catalog: Catalog
    package let models: ModelLibrary
    package let queries: QueryEngine
    /// Catalogs that are no warehouses.
    let connectors: CatalogRegistry
    package let jobs: JobScheduler
    /// The checks of tables.
    let checks: TableChecks
    /// Keeps tables in shape.
    let maintainer: TableMaintainer
    /// Samples of how the process does, and the alerts.
    let watchman: Watchman
    let probe = LateProbe()
    /// What became of the files that were to be loaded.
    let registry: IngestRegistry
    /// Brings rows of files and other databases into tables.
    let ingestor: Ingestor
    let zones: TimeZones
    package let clock: any WallClock
    package let entropy: any Entropy
    let metrics: MetricsRegistry
    /// The port of the console once it listens; the configured one before.
    let addresses: PublishedAddresses

    /// The four warehouses of a new directory, each with a bucket of its name.
    static let warehouseNames = ["lakehouse", "bronze", "silver", "gold"]
    /// Where files land that a pipeline takes in.
    static let landingBucket = "landing"

    /// Opens the directory, makes what a first start needs, and recovers from a crash.
    ///
    /// With `refusesChanges` nobody but the appliance itself may change anything, and nothing runs on its own.
    package init(
        _ configuration: ApplianceConfiguration, refusesChanges: Bool = false
    ) throws {
        self.configuration = configuration
        self.refusesChanges = refusesChanges
        directory = try DataDirectory(path: configuration.text("data"))
        let clockFile = configuration.text("clock")
        clock = clockFile.isEmpty ? SystemWallClock() : FileWallClock(path: clockFile)
        entropy = SystemEntropy()
        metrics = MetricsRegistry()
        addresses = PublishedAddresses(configuration)
        var identitySettings = IdentityConfiguration()
        identitySettings.issuer = addresses.publicURL + "/oidc"
        identitySettings.refusesChanges = refusesChanges
        let recorder = LedgerRecorder()
        identity = try IdentityRegistry(
            directory: directory.path, configuration: identitySettings, clock: clock,
            entropy: entropy,
            recorder: recorder)
        let authorizer = identity.authorizer
        objects = try DiskObjectStore(
            directory: directory.path, authorizer: authorizer, clock: clock, entropy: entropy)
        catalog = try Catalog(
            databasePath: directory.file("catalog.sqlite"),
            store: objects.bound(to: Appliance.systemContext), authorizer: authorizer, clock: clock,
            entropy: entropy, governance: identity, listing: identity.quietAuthorizer)
        zones = TimeZones(load: loadZone)
        var engine = QueryEngineConfiguration(spillDirectory: directory.file("spill"))
        engine.threadCount = configuration.integer("engine.threads")
        engine.memoryLimitBytes = configuration.size("engine.memory-limit")
        engine.minimumRetention = configuration.text("maintenance.min-retention")
        models = try ModelLibrary(
            databasePath: directory.file("models.sqlite"), authorizer: authorizer, clock: clock)
        queries = QueryEngine(
            engine, catalog: catalog, store: objects.bound(to: Appliance.systemContext),
            authorizer: authorizer, models: models, zones: zones, clock: clock, entropy: entropy,
            metrics: metrics)
        checks = try TableChecks(
            databasePath: directory.file("quality.sqlite"), engine: queries, catalog: catalog,
            authorizer: authorizer, quiet: identity.quietAuthorizer, clock: clock,
            entropy: entropy)
        queries.attach(checks: checks)
        queries.attach(rights: RegistryRights(registry: identity))
        connectors = try Self.makeCatalogs(
            configuration, directory: directory, identity: identity,
            store: objects.bound(to: Appliance.systemContext), clock: clock)
        queries.attach(catalogs: connectors)
        queries.attach(
            warehouses: WarehouseMaker(catalog: catalog, objects: objects, identity: identity))
        ledger = try AuditLedger(
            path: directory.file("ledger.sqlite"),
            sources: [
                DatabaseLedgerSource(name: "identity", database: identity.database),
                DatabaseLedgerSource(name: "objects", database: objects.database),
                DatabaseLedgerSource(name: "catalog", database: catalog.outbox),
                DatabaseLedgerSource(name: "models", database: models.database),
                DatabaseLedgerSource(name: "quality", database: checks.database),
                DatabaseLedgerSource(name: "connectors", database: connectors.database),
            ], clock: clock)
        recorder.attach(ledger)
        queries.observe(LedgerQueryObserver(ledger: ledger))
        queries.attach(ledger: LedgerReading(ledger: ledger, authorizer: authorizer))
        registry = try IngestRegistry(
            path: directory.file("ingest.sqlite"),
            nowMicroseconds: { [clock] in clock.now().microseconds })
        queries.attach(ingest: RegistryReading(registry: registry, authorizer: authorizer))
        ingestor = Ingestor(
            catalog: catalog, store: objects.bound(to: Appliance.systemContext),
            authorizer: authorizer,
            entropy: entropy, budget: MemoryBudget(limitBytes: Appliance.ingestBytes),
            registry: registry,
            keyPattern: { pattern in GlobPattern(pattern).map { glob in { glob.matches($0) } } })
        let branches = RunBranches(catalog: catalog)
        maintainer = TableMaintainer(catalog: catalog, engine: queries, clock: clock)
        jobs = try JobScheduler(
            databasePath: directory.file("jobs.sqlite"),
            handlers: [
                "ingest": IngestStep(ingestor: ingestor, branches: branches),
                "sql": SQLStep(
                    EngineStatementRunner(engine: queries, zones: zones, branches: branches)),
                "check": CheckStep(checks: checks, branches: branches),
                "publish": PublishStep(catalog: catalog, checks: checks, branches: branches),
                "maintain": MaintainStep(maintainer: maintainer),
            ], sources: [OutboxEventSource(name: "objects", database: objects.database)],
            authorizer: authorizer, clock: clock, entropy: entropy, zones: zones, metrics: metrics,
            principals: { [identity] in
                try PipelinePrincipals(registry: identity).principal($0)
            }, branchIsThere: { _, branch in try branches.isThere(branch) },
            listing: identity.quietAuthorizer)
        watchman = try Self.makeWatchman(
            configuration, path: directory.file("operations.sqlite"), probe: probe, clock: clock,
            metrics: metrics, addresses: addresses)
        queries.attach(operations: OperationsReading(watchman: watchman))
        maintainer.attach(jobs)
        try catalog.recover()
        try makeFirstThings()
        try declareSeeds()
        queries.attach(metrics: MetricListing(asker: makeAsker(makeMetricLibrary())))
    }

    /// The appliance's own rights: recovery, first start, tables that the engine reads for somebody.
    package static let systemContext = RequestContext(
        principal: .system, requestID: "appliance", door: .event)

    /// Makes buckets and warehouses that are missing; harmless when they are there.
    private func makeFirstThings() throws {
        let context = Appliance.systemContext
        let present = Set(try objects.buckets(context).map(\.name))
        for name in Appliance.warehouseNames + [Appliance.landingBucket]
        where !present.contains(name) {
            try objects.createBucket(context, name)
        }
        let warehouses = Set(try catalog.listWarehouses(context).map(\.name))
        for name in Appliance.warehouseNames where !warehouses.contains(name) {
            _ = try catalog.createWarehouse(context, name: name, location: "s3://\(name)")
        }
        try identity.ensureCatalogRoles(
            context, warehouses: warehouses.union(Appliance.warehouseNames).sorted())
    }

    /// The pipeline that `maintenance.nightly` switches.
    private static let nightlySeed = "seeds/pipelines/maintenance.yml"

    /// Removes a pipeline that an earlier start has declared, if there is one.
    private func withdrawPipeline(_ name: String) throws {
        do {
            try jobs.removePipeline(Appliance.systemContext, name)
        } catch let error as JobError where error.code == .noSuchPipeline { return }
    }

    /// Bytes that ingest may hold.
    static let ingestBytes = 512 << 20

    /// Declares the pipelines that the binary carries as seeds, and those of the operator's folder.
    private func declareSeeds() throws {
        for path in EmbeddedFiles.paths
        where path.hasPrefix("seeds/pipelines/") && path.hasSuffix(".yml") {
            if path == Appliance.nightlySeed, !configuration.flag("maintenance.nightly") {
                try withdrawPipeline("maintenance")
                continue
            }
            try declarePipeline(EmbeddedFiles.text(path) ?? "", source: path, files: [:])
        }
        let place = PipelineFolder(configuration, directory: directory.path)
        let folder = try place.read()
        for (path, text) in folder.declarations {
            if CheckFile.isOne(text) {
                try checks.declare(Appliance.systemContext, text, source: path)
            } else {
                try declarePipeline(text, source: path, files: folder.files)
            }
        }
        checks.attach(folder: place.checkFolder)
    }

    /// Declares one pipeline; `files` are the texts that its steps name by path.
    package func declarePipeline(
        _ text: String, source: String, files: [String: String]
    ) throws {
        _ = try jobs.declare(Appliance.systemContext, text, source: source, files: files)
    }

    /// Declares the checks of one file.
    package func declareChecks(_ text: String, source: String) throws {
        try checks.declare(Appliance.systemContext, text, source: source)
    }

    /// Makes the administrator of a new directory, with a random password that nobody is shown; whether
    /// nobody can have signed in yet.
    func makeAdministrator() throws -> Bool {
        let (_, isNew) = try identity.ensureAccount(
            Appliance.systemContext, name: "admin", roles: ["admin"])
        return isNew || directory.isNew
    }

    // MARK: For the walkthrough

    package var publicURL: String { addresses.publicURL }
    package var consolePort: Int { addresses.consolePort }
    package var s3Port: Int { addresses.s3Port }

    /// A one-time login link's token.
    package func loginLink(for name: String) throws -> String {
        try identity.createLoginLink(Appliance.systemContext, account: name)
    }

    /// What a person of the walkthrough comes with.
    package struct Persona: Sendable {
        package let name: String
        package let token: String
        package let accessKeyID: String
        package let secret: String
    }

    /// Makes accounts in groups of their names (`analyst` in `analysts`), with the role of that name, or
    /// `analyst` where there is none, and a service account for replication; tokens and S3 keys of all.
    package func demoPersonas(_ names: [String]) throws -> [Persona] {
        let context = Appliance.systemContext
        _ = try identity.ensureAccount(
            context, name: "replication", kind: .service, roles: ["engineer"])
        let roles = try identity.roles(context).map(\.name)
        return try names.map { name in
            _ = try identity.ensureAccount(
                context, name: name, roles: [roles.contains(name) ? name : "analyst"])
            if name != "admin" {
                try identity.ensureGroup(context, name: name + "s")
                try identity.addMember(context, name, toGroup: name + "s")
            }
            let principal = try identity.principal(context, named: name)
            let key = try identity.createAccessKey(
                context, account: name, description: "walkthrough")
            return Persona(
                name: name, token: try identity.issueToken(context, for: principal).accessToken,
                accessKeyID: key.accessKeyID, secret: key.secretAccessKey)
        }
    }

    /// Closes every database. Nothing may be called afterwards.
    package func close() {
        // Takes in what the outboxes of the others hold, so it ends before they do.
        try? ledger.stop()
        try? identity.close()
        catalog.close()
        checks.close()
        models.close()
        connectors.close()
        probe.attach(nil)
        watchman.database.close()
        registry.database.close()
        jobs.records.close()
        objects.database.close()
        directory.unlock()
    }
}
