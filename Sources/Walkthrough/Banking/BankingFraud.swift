import Appliance
import Bytes
import CivilTime
import HTTPClient
import HTTPMessages
import JSON
import Platform
import SQLite

/// The walkthrough `banking-fraud`, in its first form: steps 0 to 4, 6, 9, 13 and 17.
final class BankingFraud {
    let show: Show
    let options: ShowOptions
    let directory: String
    let streams: any CommandStreams
    var server: ApplianceServer?
    var client: DemoClient?
    var bank = Bank(customers: [], accounts: [], cards: [], merchants: [], transactions: [])
    let source: BankSource
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

    init(_ show: Show, directory: String, streams: any CommandStreams) {
        self.show = show
        self.directory = directory
        self.streams = streams
        options = show.options
        source = BankSource(path: directory + "/core-banking.sqlite")
        generator = BankGenerator(
            seed: options.seed, asOfDay: options.asOfDay, transactionCount: options.rows)
    }

    /// Runs every step. The server keeps running; `end` stops it.
    func run() throws {
        try preflight()
        try boot()
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
        try memory()
        try whatNext()
    }

    /// Stops the server.
    func end() { server?.stop() }

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

    private func preflight() throws {
        show.step(0)
        try show.claim("preflight.passes") {
            let free = try LocalFileSystem().freeBytes(directory)
            let memory = Host.memoryBytes
            // Broken: a machine that would need more disk than there can be.
            let neededDisk: Int64 = show.breaks("preflight.passes") ? .max : 1 << 30
            let now = SystemWallClock().now()
            let fit = free >= neededDisk && memory >= 1 << 30 && now.seconds > 1_700_000_000
            return (
                fit,
                "\(free >> 20) MiB of disk free, \(memory >> 20) MiB of memory, clock at \(now.seconds)"
            )
        }
        show.endStep()
    }

    private func boot() throws {
        show.step(1)
        show.command("lakehouse serve --data \(directory)/lake")
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
        let appliance = try Appliance(configuration)
        let server = ApplianceServer(appliance)
        try server.start()
        self.server = server
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
                + "personas: admin, engineer, analyst, viewer, steward; service account: replication"
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
        for path in EmbeddedFiles.paths
        where path.hasPrefix(folder + "pipelines/") && path.hasSuffix(".yml") {
            try appliance.declarePipeline(
                EmbeddedFiles.text(path) ?? "", source: path, files: files)
        }
    }

    private func checkBoot(_ appliance: Appliance) throws {
        let client = try connected()
        try show.claim("boot.ready") {
            let path = show.breaks("boot.ready") ? "/readyz/none" : "/readyz"
            let answer = try client.get(path, authorized: false)
            return (answer.status == 200, "\(path) answered \(answer.status)")
        }
        try show.claim("boot.keys-verify") {
            let discovery = try client.get(
                "/oidc/.well-known/openid-configuration", authorized: false)
            let issuer = try JSONValue(parsing: discovery.body).cursor["issuer"].string()
            let keys = try client.get("/oidc/jwks", authorized: false)
            let count = try JSONValue(parsing: keys.body).cursor["keys"].elements().count
            // Broken: a token whose signature was tampered with.
            let used =
                show.breaks("boot.keys-verify") ? String(token.dropLast(8)) + "AAAAAAAA" : token
            let other = DemoClient(
                host: "127.0.0.1", port: appliance.consolePort, user: "admin", token: used)
            let one = try other.value("SELECT 1")
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
        show.command("sqlite3 core-banking.sqlite 'SELECT count(*) FROM transactions'")
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
            return (digest == expected, "sha256 \(digest)")
        }
        show.endStep()
    }

    /// SHA-256 of the default set: 100,000 rows, seed 42, as of 2026-11-21.
    static let publishedDigest = "3989e224efb372e21946e9c8173f0a01a1c4f99e71afd3f8b10977ad37565e37"

    // MARK: 3

    func runPipeline(_ name: String) throws {
        let client = try connected()
        let body: JSONValue = .object([
            ("parameters", .object([("source", .string(source.path))])), ("wait", true),
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
        show.command("lakehouse pipeline run replicate --parameter source=core-banking.sqlite")
        try runPipeline("replicate")
        firstCount = try client.value("SELECT count(*) FROM \(BankingFraud.table)")
        firstSum = try client.value("SELECT sum(amount) FROM \(BankingFraud.table)")
        let regions = try client.sql(
            "SELECT region, count(*) FROM \(BankingFraud.table) GROUP BY region ORDER BY region")
        show.result(
            regions.map { "\(DemoClient.text($0[0]))  \(DemoClient.text($0[1]))" }.joined(
                separator: "\n"))
        let connection = try Connection(path: source.path, mode: .writer)
        if show.breaks("replicate.rows") {
            try connection.script("DELETE FROM transactions WHERE transaction_id = 1")
        }
        if show.breaks("replicate.cents") {
            try connection.script(
                "UPDATE transactions SET amount = round(amount + 0.01, 2) WHERE transaction_id = 2")
        }
        try show.claim("replicate.rows") {
            let rows = try sourceValue("SELECT count(*) FROM transactions")
            return (rows == firstCount, "source \(rows), table \(firstCount)")
        }
        try show.claim("replicate.cents") {
            let cents = try sourceValue(
                "SELECT sum(CAST(round(amount * 100) AS INTEGER)) FROM transactions")
            let sum = BankSource.decimal(Int(cents) ?? 0)
            return (sum == firstSum, "source \(sum), table \(firstSum)")
        }
        try checkFiles(client)
        firstSnapshot = try snapshotID(client)
        if show.breaks("replicate.rerun-adds-nothing") {
            try connection.script(
                "UPDATE transactions SET updated_at = '2030-01-01 00:00:00.000', memo = 'touched' WHERE transaction_id = 3"
            )
        }
        try runPipeline("replicate")
        try show.claim("replicate.rerun-adds-nothing") {
            let after = try snapshotID(client)
            return (after == firstSnapshot, "snapshot \(firstSnapshot) before, \(after) after")
        }
        show.endStep()
    }

    private func checkFiles(_ client: DemoClient) throws {
        if show.breaks("replicate.partitioned") {
            _ = try client.sql(
                "UPDATE \(BankingFraud.table) SET region = 'Nowhere' WHERE transaction_id = 5")
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

    func sourceValue(_ sql: String) throws -> String {
        let connection = try Connection(path: source.path, mode: .foreignReadOnly)
        var text = ""
        _ = try connection.each(sql, []) { row in
            text = row.string(0)
            return false
        }
        return text
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
        show.command("lakehouse pipeline run replicate --parameter source=core-banking.sqlite")
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

    // MARK: 6, 9

    func marts() throws {
        let client = try connected()
        show.step(6)
        show.command("lakehouse pipeline run marts")
        try runPipeline("marts")
        if show.breaks("marts.reconcile") {
            _ = try client.sql(
                "DELETE FROM gold.banking.mart_daily_transactions WHERE region = 'Baltic'")
        }
        let base = try client.sql("SELECT count(*), sum(amount) FROM \(BankingFraud.table)")
        let daily = try client.sql(
            "SELECT sum(transactions), sum(amount) FROM gold.banking.mart_daily_transactions")
        let summary = try client.sql(
            "SELECT sum(transactions), sum(frauds) FROM gold.banking.mart_fraud_summary")
        let customers = try client.value("SELECT count(*) FROM gold.banking.mart_customer_360")
        show.result("mart_customer_360: \(customers) customers")
        try show.claim("marts.reconcile") {
            let frauds = try client.value(
                "SELECT count_if(is_fraud) FROM silver.banking.fraud_labels")
            let left = base[0].map(DemoClient.text)
            let right = daily[0].map(DemoClient.text)
            let totals = summary[0].map(DemoClient.text)
            return (
                left == right && totals == [left[0], frauds],
                "base \(left), daily \(right), summary \(totals), labels \(frauds)"
            )
        }
        show.endStep()
    }

    func dashboard() throws {
        let client = try connected()
        show.step(9)
        show.result("\(try publicURL())/dashboards/fraud-overview")
        try show.claim("dashboard.numbers") {
            let page = try client.get("/dashboards/fraud-overview")
            if show.breaks("dashboard.numbers") {
                _ = try client.sql("DELETE FROM \(BankingFraud.table) WHERE region = 'Islands'")
            }
            let count = try client.value("SELECT count(*) FROM \(BankingFraud.table)")
            let shown = Grouping.thousands(count)
            let holds =
                page.status == 200
                && (page.text.contains(shown) || page.text.contains(">\(count)<"))
            return (holds, "the page answered \(page.status), SQL says \(shown)")
        }
        try show.claim("dashboard.moves") {
            let moved = Latch<Bool>()
            let ready = Latch<Bool>()
            let (port, credential) = (try connectedPort(), token)
            let listener = try Thread(name: "dashboard") {
                let events = HTTPConnection(host: "127.0.0.1", port: port)
                let fields = Fields([
                    ("Authorization", "Bearer \(credential)"), ("Accept", "text/event-stream"),
                ])
                try? events.stream(.get, "/dashboards/fraud-overview/events", fields: fields) {
                    _, bytes in
                    ready.open(true)
                    let text = String(decoding: bytes, as: UTF8.self)
                    if text.contains("event: tables") {
                        moved.open(true)
                    }
                    return moved.current == nil
                }
            }
            _ = listener
            let clock = SystemMonotonicClock()
            _ = ready.wait(until: clock.now() + .seconds(5))
            if !show.breaks("dashboard.moves") {
                _ = try client.sql(
                    "UPDATE \(BankingFraud.table) SET memo = 'seen by the dashboard' WHERE transaction_id = 7"
                )
            }
            let limit: Duration = show.breaks("dashboard.moves") ? .seconds(2) : .seconds(10)
            let saw = moved.wait(until: clock.now() + limit) ?? false
            return (saw, saw ? "an event came after the commit" : "no event came")
        }
        show.endStep()
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

    // MARK: 13, 17

    func timeTravel() throws {
        let client = try connected()
        show.step(13)
        let version =
            show.breaks("timetravel.before-change")
            ? try snapshotID(client) : firstSnapshot
        let sql =
            "SELECT count(*), sum(amount) FROM \(BankingFraud.table) FOR VERSION AS OF \(version)"
        show.command(sql)
        let row = try client.sql(sql)[0].map(DemoClient.text)
        show.result("then: \(row[0]) rows, \(row[1]) EUR")
        try show.claim("timetravel.before-change") {
            (row == [firstCount, firstSum], "then \(row), recorded [\(firstCount), \(firstSum)]")
        }
        try beforeScores(client)
        show.endStep()
    }

    /// The state before the scores has none; the present one differs in nothing else.
    private func beforeScores(_ client: DemoClient) throws {
        if show.breaks("timetravel.difference") {
            _ = try client.sql(
                "UPDATE \(BankingFraud.table) SET amount = amount + 1 WHERE transaction_id = 21")
        }
        let rows = try client.sql(
            """
            SELECT count(*), count(a.anomaly_score),
                count_if(a.amount <> b.amount OR a.region <> b.region OR b.transaction_id IS NULL)
            FROM \(BankingFraud.table) a
            LEFT JOIN (SELECT * FROM \(BankingFraud.table) FOR VERSION AS OF \(scoredFrom)) b
                ON a.transaction_id = b.transaction_id
            """)[0].map(DemoClient.text)
        // That state has the schema of its time, which had no column of scores.
        let before = try? client.value(
            "SELECT count(anomaly_score) FROM \(BankingFraud.table) FOR VERSION AS OF \(scoredFrom)"
        )
        show.result("before step 8: no scores; now \(rows[1]) of \(rows[0]) rows have one")
        try show.claim("timetravel.difference") {
            (
                (before ?? "0") == "0" && rows[1] == rows[0] && rows[2] == "0",
                "\(rows[0]) rows, scored before \(before ?? "none"), now \(rows[1]), other differences \(rows[2])"
            )
        }
    }

    private func memory() throws {
        show.step(17)
        try show.claim("receipt.memory") {
            let peak = ProcessUsage.current().peakResidentBytes
            // The generated bank itself is held in memory; a larger one takes its room.
            let generated = Int64(max(0, options.rows - 100_000)) * 512
            let limit: Int64 = show.breaks("receipt.memory") ? 1 : (1 << 30) + generated
            return (peak < limit, "peak \(peak >> 20) MiB")
        }
    }
}

/// Numbers as pages print them.
enum Grouping {
    /// `100240` as `100,240`.
    static func thousands(_ digits: String) -> String {
        var text = ""
        for (index, digit) in digits.reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}

/// Which addresses this machine listens on, out of /proc/net.
enum Listeners {
    static func addresses(ports: [Int]) throws -> [String] {
        var found: Set<String> = []
        for (path, isSix) in [("/proc/net/tcp", false), ("/proc/net/tcp6", true)] {
            let text = String(
                decoding: try LocalFileSystem().readAll(path, limit: 4 << 20), as: UTF8.self)
            for line in text.split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ")
                // Local address and state 0A: listening.
                guard words.count > 3, words[3] == "0A" else { continue }
                let parts = words[1].split(separator: ":")
                guard parts.count == 2, let port = Int(parts[1], radix: 16), ports.contains(port)
                else {
                    continue
                }
                found.insert(isSix ? six(String(parts[0])) : four(String(parts[0])))
            }
        }
        return found.sorted()
    }

    private static func four(_ hex: String) -> String {
        (hexBytes(hex) ?? []).reversed().map(String.init).joined(separator: ".")
    }

    private static func six(_ hex: String) -> String {
        hex == "00000000000000000000000001000000" ? "::1" : hex
    }
}
