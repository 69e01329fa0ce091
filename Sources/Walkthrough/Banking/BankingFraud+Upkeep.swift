import HTTPClient
import Appliance
import Bytes
import HTTPMessages
import JSON
import Platform

extension BankingFraud {
    // MARK: 14

    /// Kills the appliance inside of a MERGE, starts it again, and goes on.
    func chaos() throws {
        show.step(14)
        let client = try connected()
        let before = try state(client)
        let port = try connectedPort()
        guard let program = Host.executablePath else {
            throw WalkthroughError(.requestFailed, "the program's own path cannot be found")
        }
        server?.stop()
        server = nil
        let lake = directory + "/lake"
        let arguments = [
            "serve", "--data", lake, "--set", "ports.console=\(port)", "--set", "ports.s3=0",
            "--set", "log.level=error",
        ]
        let log = directory + "/chaos.log"
        let child = try ChildProcess(program, arguments, output: log)
        let other = try awaitReady(port)
        let merge =
            "MERGE INTO \(Self.table) t USING gold.banking.fraud_features f "
            + "ON t.transaction_id = f.transaction_id WHEN MATCHED THEN UPDATE SET "
            + "memo_sentiment = memo_sentiment / 2"
        show.sql(merge)
        show.command("kill -9 \(child.identifier)")
        let began = Latch<Bool>()
        let box = MergeBox(client: other, statement: merge)
        _ = try Thread(name: "merge") {
            began.open(true)
            _ = try? box.client.sql(box.statement)
        }
        let clock = SystemMonotonicClock()
        _ = began.wait(until: clock.now() + .seconds(5))
        // Somewhere inside: after it is running, before it can be done.
        try untilRunning(port)
        child.kill()
        let killed = clock.now()
        let appliance = try reopened(port)
        let recovery = Int((clock.now() - killed).fractionalSeconds * 1000)
        let after = try state(try connected())
        show.result("ready again \(recovery) ms after the kill")
        if show.breaks("chaos.nothing-lost") {
            _ = try connected().sql("DELETE FROM \(Self.table) WHERE transaction_id = 3")
        }
        try show.claim("chaos.nothing-lost") {
            let now = try state(try connected())
            return (
                now.rows == before.rows && now.ids == before.ids && now.sum == before.sum
                    && (now.moods == before.moods || now.moods == after.moods),
                "\(before.rows) rows before, \(now.rows) after; distinct \(now.ids); sum \(now.sum)"
            )
        }
        try show.claim("chaos.goes-on") {
            if show.breaks("chaos.goes-on") {
                _ = try connected().sql("DROP TABLE gold.banking.fraud_features")
            }
            _ = try connected().sql(merge)
            let done = try state(try connected())
            return (
                done.rows == before.rows && done.ids == before.ids && done.moods != before.moods,
                "the MERGE ran to its end: \(done.rows) rows, \(done.ids) ids"
            )
        }
        // The moods of step 8 again, so that what is kept tells what the receipt tells.
        let rescore =
            "MERGE INTO \(Self.table) t USING gold.banking.fraud_features f "
            + "ON t.transaction_id = f.transaction_id WHEN MATCHED THEN UPDATE SET "
            + "memo_sentiment = ai_sentiment(coalesce(t.memo, ''))"
        show.sql(rescore)
        if show.breaks("chaos.restored") {
            _ = try connected().sql(
                "UPDATE \(Self.table) SET memo = 'terrible fraud' WHERE transaction_id <= 50")
        }
        try show.claim("chaos.restored") {
            _ = try connected().sql(rescore)
            let done = try state(try connected())
            return (
                done.rows == before.rows && done.moods == before.moods,
                "the sum of the moods was \(before.moods), is \(done.moods)"
            )
        }
        _ = appliance
        show.endStep()
    }

    private struct TableState {
        var rows = ""
        var ids = ""
        var sum = ""
        var moods = ""
    }

    private func state(_ client: DemoClient) throws -> TableState {
        let row = try client.sql(
            "SELECT count(*), count(DISTINCT transaction_id), sum(amount), "
                + "round(sum(memo_sentiment), 3) FROM \(Self.table)")[0].map(DemoClient.text)
        return TableState(rows: row[0], ids: row[1], sum: row[2], moods: row[3])
    }

    /// A client of the child, once it is ready.
    private func awaitReady(_ port: Int) throws -> DemoClient {
        let clock = SystemMonotonicClock()
        let deadline = clock.now() + .seconds(20)
        let client = DemoClient(host: "127.0.0.1", port: port, user: "admin", token: token)
        while clock.now() < deadline {
            if let answer = try? client.get("/readyz", authorized: false), answer.status == 200 {
                return client
            }
            // The child needs the processor more than we do.
            Thread.sleep(for: .milliseconds(5))
        }
        throw WalkthroughError(
            .requestFailed, "the appliance does not come back", hint: "see chaos.log")
    }

    /// Returns once a MERGE is running.
    private func untilRunning(_ port: Int) throws {
        let clock = SystemMonotonicClock()
        let deadline = clock.now() + .seconds(10)
        let client = DemoClient(host: "127.0.0.1", port: port, user: "admin", token: token)
        while clock.now() < deadline {
            let running = try client.value(
                "SELECT count(*) FROM system.runtime.queries WHERE state = 'RUNNING' AND query LIKE 'MERGE%'"
            )
            if running != "0" { return }
        }
    }

    /// The appliance in this process again, on the same directory and port.
    private func reopened(_ port: Int) throws -> ApplianceServer {
        let settings = [
            (key: "data", value: directory + "/lake"), (key: "ports.console", value: "\(port)"),
            (key: "ports.s3", value: "0"), (key: "log.level", value: "error"),
        ]
        var configuration = try ApplianceConfiguration.load(
            file: nil, environment: { _ in nil }, flags: settings)
        try configuration.chooseFreePorts()
        let server = ApplianceServer(try Appliance(configuration))
        try server.start()
        self.server = server
        client = DemoClient(host: "127.0.0.1", port: port, user: "admin", token: token)
        return server
    }

    // MARK: 15

    /// Many small files become few; nothing is lost, and the branch of step 5 still reads.
    func maintenance() throws {
        let client = try connected()
        show.step(15)
        let files =
            "SELECT count(*) FROM silver.banking.\"transactions$files\""
        let content =
            "SELECT count(*), checksum(transaction_id), checksum(amount), checksum(memo), "
            + "checksum(anomaly_score) FROM \(Self.table)"
        // Corrections by hand are what makes files many and small.
        for id in 1001...1012 {
            _ = try client.sql(
                "UPDATE \(Self.table) SET memo = 'checked by hand' WHERE transaction_id = \(id)")
        }
        let before = try client.value(files)
        let crowdedBefore = try crowdedRegions(client)
        let digest = try client.sql(content)[0].map(DemoClient.text)
        let command = "ALTER TABLE \(Self.table) EXECUTE optimize"
        show.sql(command)
        _ = try client.sql(command)
        if show.breaks("maintenance.fewer-files") {
            // Another round of corrections.
            for id in 1001...1012 {
                _ = try client.sql(
                    "UPDATE \(Self.table) SET memo = memo WHERE transaction_id = \(id)")
            }
        }
        if show.breaks("maintenance.branch-reads") {
            _ = try client.sql("DROP BRANCH \(redBranch) IN silver")
        }
        let after = try client.value(files)
        show.result("\(before) files, now \(after)")
        try show.claim("maintenance.fewer-files") {
            let crowded = try crowdedRegions(client)
            return (
                !crowdedBefore.isEmpty && crowded.isEmpty
                    && (Int(after) ?? .max) < (Int(before) ?? 0),
                "before, \(before) files, several small ones for each of "
                    + "\(crowdedBefore.joined(separator: ", ")); after, \(after), several for "
                    + (crowded.isEmpty ? "none" : crowded.joined(separator: ", "))
            )
        }
        if show.breaks("maintenance.same-content") {
            _ = try client.sql("UPDATE \(Self.table) SET memo = 'x' WHERE transaction_id = 4")
        }
        try show.claim("maintenance.same-content") {
            let now = try client.sql(content)[0].map(DemoClient.text)
            return (now == digest, "checksums before \(digest), after \(now)")
        }
        try show.claim("maintenance.branch-reads") {
            let rows = try client.value(
                "SELECT count(*) FROM \"silver@\(redBranch)\".banking.transactions")
            return ((Int(rows) ?? 0) > 0, "branch \(redBranch) has \(rows) rows")
        }
        show.endStep()
    }

    /// Regions with more than one file below 32 MiB, counting those that hide rows of another.
    private func crowdedRegions(_ client: DemoClient) throws -> [String] {
        try client.sql(
            "SELECT \"partition\".region FROM silver.banking.\"transactions$files\" "
                + "WHERE file_size_in_bytes < 33554432 GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
        ).map { DemoClient.text($0[0]) }
    }

    // MARK: 16

    /// One booking from its source to those who saw it.
    func trace() throws {
        show.step(16)
        let row = "table=\(Self.table)&column=transaction_id&value=7"
        let path = "/api/v1/trace?\(row)"
        show.result("\(try publicURL())/trace?\(row)")
        if show.breaks("trace.joins") {
            // The states of before, of which the ledger tells who wrote them.
            let client = try connected()
            for state in try client.sql(
                "SELECT snapshot_id FROM silver.banking.\"transactions$snapshots\" "
                    + "ORDER BY committed_at DESC, snapshot_id OFFSET 1 ROWS")
            { try forget(DemoClient.text(state[0]), client) }
        }
        try show.claim("trace.joins") {
            let reply = try connected().get(path)
            let body = try JSONValue(parsing: reply.body).cursor
            let versions = try body["versions"].elements()
            let runs = versions.count { (try? $0["commit"]["runId"].string()) != nil }
            let derived = try body["derived"].elements()
            let text = reply.text
            let hasModel = text.contains("fraud_features")
            let readers = try body["readers"].optionalElements()?.count ?? 0
            let charts = Set(
                try body["charts"].elements().map { try $0["application"].string() })
            return (
                versions.count > 1 && runs > 0 && hasModel && readers > 0 && !charts.isEmpty,
                "\(versions.count) states of the booking, \(runs) by pipeline runs, "
                    + "\(derived.count) commits made of it, \(charts.count) charts read it, "
                    + "\(readers) reads"
            )
        }
        show.endStep()
    }

    // MARK: 18

    /// Lines to paste, after the one that says where everything is; each is run by a test.
    func whatNext() throws {
        show.step(18)
        let data = lake
        let project = ShellWord.quoted(directory + "/dbt")
        let load =
            "from pyiceberg.catalog import load_catalog; t = load_catalog(warehouse='silver')"
            + ".load_table('banking.transactions')"
        let statement = "select region, count(*), sum(amount) from \(Self.table) group by 1"
        for line in [
            // Bundles that the environment names outweigh the certificate that a client is given.
            "eval \"$(lakehouse connect env --data \(data))\" && unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE",
            "aws s3 ls s3://silver/ --recursive",
            "python3 -c \"\(load); print(t.scan(limit=5).to_arrow())\"",
            "lakehouse connect dbt --data \(data) > \(project)/profiles.yml && dbt build "
                + "--project-dir \(project) --profiles-dir \(project)",
            "python3 -c \"\(load); t.scan().to_duckdb('t').sql('select region, count(*), sum(amount) "
                + "from t group by 1').show()\"",
            "python3 -c \"import os, trino; e = os.environ; print(trino.dbapi.connect(host=e['TRINO_HOST'], "
                + "port=e['TRINO_PORT'], http_scheme='https', verify=e['LAKEHOUSE_CA'], "
                + "auth=trino.auth.BasicAuthentication(e['TRINO_USER'], e['TRINO_PASSWORD']))"
                + ".cursor().execute('\(statement)').fetchall())\"",
        ] { show.command(line) }
        try writeProject()
        if !options.keeps, options.dataDirectory == nil {
            show.result("with --keep the appliance stays up for them")
        } else if !options.keeps {
            show.result("lakehouse serve --data \(data) starts the appliance for them")
        }
        show.endStep()
    }

    /// A dbt project of one model over the marts, for its line.
    private func writeProject() throws {
        let files = LocalFileSystem()
        let prefix = "demos/banking-fraud/dbt/"
        for path in EmbeddedFiles.paths where path.hasPrefix(prefix) {
            let target = "\(directory)/dbt/\(path.dropFirst(prefix.count))"
            let folder = target.split(separator: "/").dropLast().joined(separator: "/")
            try files.makeDirectory("/\(folder)", mode: 0o755)
            try files.replaceDurably(target, with: EmbeddedFiles.bytes(path) ?? [], mode: 0o644)
        }
    }
}

/// What the thread with the MERGE takes along.
/// Safe because its maker gives it away and only the thread uses it.
private final class MergeBox: @unchecked Sendable {
    let client: DemoClient
    let statement: String
    init(client: DemoClient, statement: String) {
        self.client = client
        self.statement = statement
    }
}
