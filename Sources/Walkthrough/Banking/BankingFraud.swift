import Appliance
import Bytes
import CivilTime
import DemoBank
import HTTPClient
import HTTPMessages
import JSON
import Platform

/// The walkthrough `banking-fraud`: here its beginning, steps 0 to 4; the others are in files of their own.
final class BankingFraud {
    let show: Show
    let options: ShowOptions
    let directory: String
    let streams: any CommandStreams
    var server: ApplianceServer?
    var client: DemoClient?
    var bank = Bank()
    let source: BankSource
    /// The bank's database when it is no embedded one.
    let postgres: PostgresBank?
    let generator: BankGenerator
    var token = ""
    var personas: [String: Appliance.Persona] = [:]
    /// The table before it was scored, and before it was changed at the source.
    var scoredFrom = ""
    /// The branch that the red run left.
    var redBranch = ""
    var firstSnapshot = ""
    var firstCount = ""
    var firstSum = ""

    static let table = "silver.banking.transactions"
    static let change = BankSource.LiveChange(inserted: 250, corrected: 40, deleted: 10)

    init(_ show: Show, directory: String, streams: any CommandStreams) throws {
        self.show = show
        self.directory = directory
        self.streams = streams
        options = show.options
        if let address = show.options.source.flatMap({ PostgresAddress($0) }) {
            let bank = try PostgresBank(address)
            postgres = bank
            source = BankSource(server: bank)
        } else {
            postgres = nil
            source = BankSource(file: directory + "/core-banking.sqlite")
        }
        generator = BankGenerator(
            seed: options.seed, asOfDay: options.asOfDay, transactionCount: options.rows)
    }

    /// Runs every step. The server keeps running; `end` stops it.
    func run() throws {
        try boot(try preflight())
        try seed()
        try replicate()
        try liveChange()
        try gate()
        try marts()
        try train()
        try score()
        try dashboard()
        try ask()
        try people()
        try agent()
        try timeTravel()
        if options.hasChaos { try chaos() }
        try maintenance()
        try trace()
        if options.verifies { try verify() }
        try receipt()
        try whatNext()
    }

    /// Stops the server. A schema in somebody's database goes with a show that keeps nothing.
    func end() {
        server?.stop()
        if options.dataDirectory == nil, !options.keeps { try? postgres?.remove() }
    }

    /// Where people look when the show stays up.
    var loginLink: String? {
        guard let server else { return nil }
        let token = try? server.appliance.loginLink(for: "admin")
        return token.map { "\(server.appliance.publicURL)/login?token=\($0)" }
    }
    func waitForEnd() -> Int32 { server?.run() ?? 0 }

    /// A client of one of the personas.
    func persona(_ name: String) throws -> DemoClient {
        guard let persona = personas[name] else {
            throw WalkthroughError(.requestFailed, "there is no persona \(name)")
        }
        return DemoClient(
            host: "127.0.0.1", port: try connectedPort(), user: name, token: persona.token)
    }

    func connected() throws -> DemoClient {
        guard let client else {
            throw WalkthroughError(.requestFailed, "the appliance does not run")
        }
        return client
    }

    // MARK: 0, 1

    private func preflight() throws -> ApplianceConfiguration {
        show.step(0)
        let configuration = try chosenConfiguration()
        let ports = [
            configuration.integer("ports.console"), configuration.integer("ports.s3"),
        ]
        func listen(_ port: Int) throws -> ListeningSocket? {
            try SocketAddress.resolve(host: "127.0.0.1", port: port).first.map {
                try ListeningSocket($0)
            }
        }
        // Broken: somebody else listens on the port of the console.
        let holder = show.breaks("preflight.passes") ? try listen(ports[0]) : nil
        defer { holder?.close() }
        try show.claim("preflight.passes") {
            for port in ports { try listen(port)?.close() }
            let free = try LocalFileSystem().freeBytes(directory)
            let memory = Host.memoryBytes
            let now = SystemWallClock().now()
            let fit = free >= 1 << 30 && memory >= 1 << 30 && now.seconds > 1_700_000_000
            return (
                fit,
                "ports \(ports[0]) and \(ports[1]) are free, \(free >> 20) MiB of disk free, "
                    + "\(memory >> 20) MiB of memory, clock at \(now.seconds)"
            )
        }
        show.endStep()
        return configuration
    }

    /// On two ports of loopback that are free at the moment.
    private func chosenConfiguration() throws -> ApplianceConfiguration {
        let settings = [
            (key: "data", value: directory + "/lake"), (key: "ports.console", value: "0"),
            (key: "ports.s3", value: "0"),
            (key: "listen", value: show.breaks("boot.loopback-only") ? "0.0.0.0" : "127.0.0.1"),
            (
                key: "trust-loopback",
                value: show.breaks("boot.refused-without-credential") ? "true" : "false"
            ), (key: "log.level", value: "error"),
        ]
        var configuration = try ApplianceConfiguration.load(
            file: nil, environment: { _ in nil }, flags: settings)
        try configuration.chooseFreePorts()
        return configuration
    }

    private func boot(_ configuration: ApplianceConfiguration) throws {
        show.step(1)
        show.command("lakehouse serve --data \(lake)")
        let appliance = try Appliance(configuration)
        let server = ApplianceServer(appliance)
        try server.start()
        self.server = server
        show.transcriptDirectory = directory + "/lake"
        try declarePipelines(appliance)
        for persona in try appliance.demoPersonas([
            "admin", "engineer", "analyst", "viewer", "steward",
        ]) {
            personas[persona.name] = persona
        }
        token = personas["admin"]?.token ?? ""
        client = DemoClient(
            host: "127.0.0.1", port: appliance.consolePort, user: "admin", token: token)
        show.result(
            "one process at \(appliance.publicURL), ready after \(server.ageMilliseconds) ms\n"
                + "personas: admin, engineer, analyst, viewer, steward; service account: replication\n"
                + "lines that begin with $ are for a shell, those with sql> for: lakehouse sql --data \(lake)"
        )
        try checkBoot(appliance)
        show.endStep()
    }

    /// Declares the demo's pipelines, with the texts of its models.
    private func declarePipelines(_ appliance: Appliance) throws {
        let folder = "demos/banking-fraud/"
        var files: [String: String] = [:]
        for path in EmbeddedFiles.paths where path.hasPrefix(folder + "models/") {
            files[String(path.dropFirst(folder.count))] = EmbeddedFiles.text(path) ?? ""
        }
        // Where the bank is in PostgreSQL, what reads it is declared instead of its namesakes.
        let read = postgres == nil ? "" : folder + "postgres/"
        let paths = EmbeddedFiles.paths.filter { $0.hasSuffix(".yml") }
        let special = paths.filter { !read.isEmpty && $0.hasPrefix(read) }
        let names = Set(special.map { $0.dropFirst(read.count) })
        for path in paths
        where special.contains(path)
            || path.hasPrefix(folder + "pipelines/")
                && !names.contains(path.dropFirst((folder + "pipelines/").count))
        {
            try appliance.declarePipeline(
                EmbeddedFiles.text(path) ?? "", source: path, files: files)
        }
    }

    private func checkBoot(_ appliance: Appliance) throws {
        let client = try connected()
        if show.breaks("boot.ready") {
            server?.stop()
            server = nil
        }
        try show.claim("boot.ready") { try client.readiness() }
        if show.breaks("boot.keys-verify") { try command("user", "delete", "engineer") }
        try show.claim("boot.keys-verify") {
            let discovery = try client.get(
                "/oidc/.well-known/openid-configuration", authorized: false)
            let issuer = try JSONValue(parsing: discovery.body).cursor["issuer"].string()
            let keys = try client.get("/oidc/jwks", authorized: false)
            let count = try JSONValue(parsing: keys.body).cursor["keys"].elements().count
            let one = try persona("engineer").value("SELECT 1")
            return (
                one == "1" && count > 0 && issuer == appliance.publicURL + "/oidc",
                "issuer \(issuer), \(count) key, SELECT 1 gave \(one)"
            )
        }
        try show.claim("boot.loopback-only") {
            let open = try Listeners.addresses(ports: [appliance.consolePort, appliance.s3Port])
            let isLocal = !open.isEmpty && open.allSatisfy { $0 == "127.0.0.1" || $0 == "::1" }
            return (isLocal, "listening on \(open.joined(separator: ", "))")
        }
        try show.claim("boot.refused-without-credential") {
            let plain = HTTPConnection(host: "127.0.0.1", port: appliance.consolePort)
            let user = Fields([("X-Trino-User", "admin")])
            let sql = try plain.send(
                .post, "/v1/statement", fields: user, body: Array("SELECT 1".utf8))
            let catalog = try plain.send(.get, "/iceberg/v1/config?warehouse=lakehouse")
            let administration = try plain.send(.get, "/api/v1/users")
            let s3 = try HTTPConnection(host: "127.0.0.1", port: appliance.s3Port).send(
                .get, "/silver")
            let statuses = [sql.status, catalog.status, administration.status, s3.status]
            return (
                statuses.allSatisfy { $0 == 401 || $0 == 403 },
                "SQL, catalog, administration, S3 answered \(statuses)"
            )
        }
    }

    // MARK: 2

    private func seed() throws {
        show.step(2)
        bank = generator.generate()
        if show.breaks("seed.digest") { bank.transactions[0].cents += 1 }
        try source.create(bank)
        show.command(
            postgres.map {
                "psql '\($0.address.shown)' -c 'SELECT count(*) FROM \(PostgresBank.schema).transactions'"
            }
                ?? "sqlite3 \(ShellWord.quoted(source.file ?? "")) 'SELECT count(*) FROM transactions'"
        )
        let frauds = bank.transactions.count { $0.pattern != nil }
        show.result(
            "\(bank.customers.count) customers, \(bank.accounts.count) accounts, "
                + "\(bank.merchants.count) merchants, \(bank.transactions.count) transactions "
                + "(\(frauds) of them fraud, the truth kept apart)")
        try show.claim("seed.digest") {
            let digest = BankSource.digest(bank)
            // The published digest is of the default set; others are compared with a second making.
            let isDefault =
                options.rows == 100_000 && options.seed == 42 && options.asOfDay == 20_778
            let expected =
                isDefault ? BankingFraud.publishedDigest : BankSource.digest(generator.generate())
            return (
                digest == expected,
                "sha256 \(digest), \(isDefault ? "published" : "made again") \(expected)"
            )
        }
        show.endStep()
    }

    /// SHA-256 of the default set: 100,000 rows, seed 42, as of 2026-11-21.
    static let publishedDigest = "411adddbfbec394e4aea95a2a43b55562839897a22c55406b9b5aa54ba458784"

    // MARK: 3

    /// What pipelines are told of the source.
    var parameters: JSONValue {
        .object([("source", .string(source.file ?? ""))])
    }

    /// How a person starts a pipeline that reads the source.
    func pipelineCommand(_ name: String) -> String {
        let parameter = source.file.map { " --parameter \(ShellWord.quoted("source=\($0)"))" }
        return "lakehouse pipeline run \(name)\(parameter ?? "") --wait --data \(lake)"
    }

    /// How a person starts one that reads tables of the lakehouse.
    func plainPipelineCommand(_ name: String) -> String {
        "lakehouse pipeline run \(name) --wait --data \(lake)"
    }

    /// The data directory as it is typed.
    var lake: String { ShellWord.quoted(directory + "/lake") }

    /// Makes the bank's PostgreSQL database a catalog; the password is in nothing that is shown.
    private func connectSource(_ client: DemoClient) throws {
        guard let postgres else { return }
        func quoted(_ text: String) -> String {
            "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "''") + "'"
        }
        let start =
            "CREATE CATALOG bank USING postgresql WITH (\"connection-url\" = "
            + quoted(postgres.address.shown)
        let password = postgres.address.password
        show.sql(start + (password == nil ? ")" : ", \"connection-password\" = '…')"))
        _ = try client.sql(
            start + (password.map { ", \"connection-password\" = \(quoted($0)))" } ?? ")"))
    }

    func runPipeline(_ name: String) throws {
        let client = try connected()
        let body: JSONValue = .object([
            ("parameters", parameters), ("wait", true),
        ])
        let answer = try client.post("/api/v1/pipelines/\(name)/runs", body)
        let run = try JSONValue(parsing: answer.body).cursor
        let state = (try? run["state"].string()) ?? "HTTP \(answer.status)"
        guard state == "succeeded" else {
            throw WalkthroughError(
                .requestFailed, "pipeline \(name) ended as \(state)",
                hint: (try? run["message"].optionalString()) ?? answer.text)
        }
    }

    private func replicate() throws {
        let client = try connected()
        show.step(3)
        try connectSource(client)
        show.command(pipelineCommand("replicate"))
        try runPipeline("replicate")
        firstCount = try client.value("SELECT count(*) FROM \(BankingFraud.table)")
        firstSum = try client.value("SELECT sum(amount) FROM \(BankingFraud.table)")
        let regions = try client.sql(
            "SELECT region, count(*), count(DISTINCT \"$path\") FROM \(BankingFraud.table) "
                + "GROUP BY region ORDER BY region")
        for row in regions.map({ $0.map(DemoClient.text) }) {
            let files = row[2] == "1" ? "1 file" : "\(row[2]) files"
            show.result("\(row[0])  \(Grouping.thousands(row[1])) rows in \(files)")
        }
        show.result("snapshot \(try snapshotID(client))")
        if show.breaks("replicate.rows") {
            try source.change("DELETE FROM transactions WHERE transaction_id = 1")
        }
        if show.breaks("replicate.cents") {
            try source.change(
                "UPDATE transactions SET amount = round(amount + 0.01, 2) WHERE transaction_id = 2")
        }
        try show.claim("replicate.rows") {
            let rows = try source.value("SELECT count(*) FROM transactions")
            return (rows == firstCount, "source \(rows), table \(firstCount)")
        }
        try show.claim("replicate.cents") {
            let cents = try source.value(
                "SELECT sum(CAST(round(amount * 100) AS INTEGER)) FROM transactions")
            let sum = BankSource.decimal(Int(cents) ?? 0)
            return (sum == firstSum, "source \(sum), table \(firstSum)")
        }
        try checkFiles(client)
        firstSnapshot = try snapshotID(client)
        try rerun(client)
        show.endStep()
    }

    private static let replicated = [
        "customers", "accounts", "cards", "merchants", "transactions", "fraud_labels",
    ]

    /// The same pipeline on the same source: no table gets a snapshot, and each has the source's rows.
    private func rerun(_ client: DemoClient) throws {
        func snapshots() throws -> [String] {
            try Self.replicated.map { table in
                try client.value(
                    "SELECT concat(CAST(count(*) AS varchar), ' ', "
                        + "CAST(max_by(snapshot_id, committed_at) AS varchar)) "
                        + "FROM silver.banking.\"\(table)$snapshots\"")
            }
        }
        let before = try snapshots()
        if show.breaks("replicate.rerun-adds-nothing") {
            try source.change(
                "UPDATE merchants SET updated_at = '2030-01-01 00:00:00.000', name = 'touched' "
                    + "WHERE merchant_id = 3")
        }
        try runPipeline("replicate")
        try show.claim("replicate.rerun-adds-nothing") {
            let after = try snapshots()
            var counts: [String] = []
            var different: [String] = []
            for (index, table) in Self.replicated.enumerated() {
                let rows = try client.value("SELECT count(*) FROM silver.banking.\(table)")
                let wanted = try source.value("SELECT count(*) FROM \(table)")
                counts.append("\(table) \(rows)")
                if rows != wanted { different.append("\(table) \(rows), source \(wanted)") }
                if after[index] != before[index] {
                    different.append(
                        "\(table): snapshots \(before[index]) before, \(after[index]) after")
                }
            }
            return (
                different.isEmpty,
                different.isEmpty
                    ? "no table has a new snapshot: \(counts.joined(separator: ", ")) rows"
                    : different.joined(separator: "; ")
            )
        }
    }

    private func checkFiles(_ client: DemoClient) throws {
        if show.breaks("replicate.partitioned") {
            // Written anew, without partitions.
            for sql in [
                "ALTER TABLE \(Self.table) SET PROPERTIES partitioning = ARRAY[]",
                "UPDATE \(Self.table) SET memo = memo WHERE transaction_id <= 1000",
            ] { _ = try client.sql(sql) }
        }
        try show.claim("replicate.partitioned") {
            let files = try client.sql(
                "SELECT count(DISTINCT \"$path\"), count(DISTINCT region) FROM \(BankingFraud.table)"
            )
            let mixed = try client.value(
                "SELECT count(*) FROM (SELECT \"$path\" FROM \(BankingFraud.table) "
                    + "GROUP BY \"$path\" HAVING count(DISTINCT region) > 1) x")
            let regions = DemoClient.text(files[0][1])
            return (
                regions == "8" && mixed == "0",
                "\(DemoClient.text(files[0][0])) files, \(regions) regions, \(mixed) files of several regions"
            )
        }
    }

    func snapshotID(_ client: DemoClient) throws -> String {
        try client.value(
            "SELECT snapshot_id FROM silver.banking.\"transactions$snapshots\" ORDER BY committed_at DESC, snapshot_id LIMIT 1"
        )
    }

    // MARK: 4

    private func liveChange() throws {
        let client = try connected()
        show.step(4)
        var change = BankingFraud.change
        if show.breaks("live.difference") {
            change = BankSource.LiveChange(inserted: 250, corrected: 41, deleted: 10)
        }
        try source.applyLiveChange(change, bank: bank, generator: generator)
        show.command(pipelineCommand("replicate"))
        try runPipeline("replicate")
        let (added, corrected, removed) = try difference(client)
        show.result("+\(added) ~\(corrected) -\(removed)")
        try show.claim("live.difference") {
            (
                (added, corrected, removed) == ("250", "40", "10"),
                "+\(added) ~\(corrected) -\(removed)"
            )
        }
        show.endStep()
    }

    /// Rows new, changed and gone between the first snapshot and the table as it is.
    private func difference(_ client: DemoClient) throws -> (String, String, String) {
        let rows = try client.sql(
            """
            SELECT count_if(b.transaction_id IS NULL), count_if(b.amount <> a.amount),
                count_if(a.transaction_id IS NULL)
            FROM \(BankingFraud.table) a
            FULL JOIN (SELECT * FROM \(BankingFraud.table) FOR VERSION AS OF \(firstSnapshot)) b
                ON a.transaction_id = b.transaction_id
            """)
        guard let row = rows.first, row.count == 3 else { return ("?", "?", "?") }
        return (DemoClient.text(row[0]), DemoClient.text(row[1]), DemoClient.text(row[2]))
    }

    /// Runs a command beside the server, as a person would.
    func command(_ words: String...) throws {
        let streams = HeardStreams()
        let code = CommandLine.run(words + ["--data", directory + "/lake"], streams: streams)
        guard code == 0 else {
            throw WalkthroughError(
                .requestFailed,
                "\(words.joined(separator: " ")) ended with \(code): \(streams.complaints)")
        }
    }

    func connectedPort() throws -> Int {
        guard let server else {
            throw WalkthroughError(.requestFailed, "the appliance does not run")
        }
        return server.appliance.consolePort
    }
    func publicURL() throws -> String {
        guard let server else {
            throw WalkthroughError(.requestFailed, "the appliance does not run")
        }
        return server.appliance.publicURL
    }
}
