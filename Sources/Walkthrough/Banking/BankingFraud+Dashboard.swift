import Appliance
import HTTPClient
import HTTPMessages
import Platform

extension BankingFraud {
    // MARK: 9

    func dashboard() throws {
        let client = try connected()
        show.step(9)
        show.command(plainPipelineCommand("alerts"))
        try runPipeline("alerts")
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
        try charts(client)
        try alerts(client)
        try freshness(client)
        try moves(client)
        show.endStep()
    }

    /// A tile's rows as the page offers them for download.
    private func tile(_ client: DemoClient, _ id: String) throws -> [[String]] {
        let answer = try client.get("/dashboards/fraud-overview/tiles/\(id)/csv")
        guard answer.status == 200 else {
            throw WalkthroughError(.requestFailed, "the tile \(id) answered \(answer.status)")
        }
        // No value of these tiles has a comma or a quote.
        return answer.text.split(whereSeparator: \.isNewline).dropFirst().map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// The bars against SQL over the base tables, not over the mart that they are drawn from.
    private func charts(_ client: DemoClient) throws {
        try show.claim("dashboard.charts") {
            if show.breaks("dashboard.charts") {
                _ = try client.sql(
                    "UPDATE gold.banking.mart_fraud_summary SET fraud_rate = fraud_rate * 2 "
                        + "WHERE region = 'Danube'")
            }
            let shown = try tile(client, "fraud-rate-by-region").map { row in
                "\(row[0]) \(fixed(Double(row[1]) ?? -1, 6))"
            }.sorted()
            let counted = try client.sql(
                """
                SELECT t.region, CAST(count_if(f.is_fraud) AS double) / count(*)
                FROM \(Self.table) t
                LEFT JOIN silver.banking.fraud_labels f ON f.transaction_id = t.transaction_id
                WHERE CAST(date_trunc('week', t.booked_at) AS date) = (
                    SELECT max(iso_week) FROM gold.banking.mart_fraud_summary
                    WHERE date_add('day', 7, iso_week) <= (
                        SELECT date_add('day', 1, max(day)) FROM gold.banking.mart_daily_transactions))
                GROUP BY t.region
                """
            ).map { "\(DemoClient.text($0[0])) \(fixed(Double(DemoClient.text($0[1])) ?? -2, 6))" }
                .sorted()
            return (
                shown == counted && !shown.isEmpty,
                "the bars say \(shown.joined(separator: ", ")); SQL \(counted.joined(separator: ", "))"
            )
        }
    }

    /// The feed holds the highest scores, the newest first.
    private func alerts(_ client: DemoClient) throws {
        if show.breaks("dashboard.alerts") {
            _ = try client.sql(
                "DELETE FROM gold.banking.fraud_alerts WHERE booked_at = "
                    + "(SELECT max(booked_at) FROM gold.banking.fraud_alerts)")
        }
        let feed = try tile(client, "alerts")
        for row in feed.prefix(3) { show.result("alert \(row.prefix(6).joined(separator: "  "))") }
        try show.claim("dashboard.alerts") {
            let wanted = try client.sql(
                """
                SELECT transaction_id FROM (
                    SELECT transaction_id, booked_at FROM \(Self.table)
                    ORDER BY anomaly_score DESC, transaction_id LIMIT 100) a
                ORDER BY booked_at DESC, transaction_id LIMIT 12
                """
            ).map { DemoClient.text($0[0]) }
            let found = feed.map { $0[1] }
            return (
                found == wanted && wanted.count == 12,
                "the feed names \(found.joined(separator: ", ")), SQL \(wanted.joined(separator: ", "))"
            )
        }
    }

    /// The tile names the newest commit of every table that the page is made of.
    private func freshness(_ client: DemoClient) throws {
        let tile = try tile(client, "freshness")
        if show.breaks("dashboard.freshness") {
            // The page says seconds: a commit in the same one would not show.
            repeat {
                _ = try client.sql(
                    "UPDATE \(Self.table) SET memo = 'after the page' WHERE transaction_id = 8")
            } while try tile.contains {
                try $0[0] == Self.table && $0[1].hasPrefix(newestCommit($0[0], client).prefix(19))
            }
        }
        try show.claim("dashboard.freshness") {
            var different: [String] = []
            for row in tile {
                let newest = try newestCommit(row[0], client)
                let second = newest.prefix(19)
                if !row[1].hasPrefix(second) || second.isEmpty {
                    different.append("\(row[0]) says \(row[1]), its newest commit is of \(newest)")
                }
            }
            return (
                different.isEmpty && tile.count == 5,
                different.isEmpty
                    ? "\(tile.count) tables with the time of their newest commits"
                    : different.joined(separator: "; ")
            )
        }
    }

    private func newestCommit(_ table: String, _ client: DemoClient) throws -> String {
        let parts = table.split(separator: ".")
        return try client.value(
            "SELECT max(committed_at) AT TIME ZONE 'UTC' FROM "
                + "\(parts[0]).\(parts[1]).\"\(parts[2])$snapshots\"")
    }

    /// An open page hears of a commit.
    private func moves(_ client: DemoClient) throws {
        if show.breaks("dashboard.moves") { try misplaceDashboard() }
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
            // A commit that leaves the bank as it is: what is kept tells what the receipt tells.
            _ = try client.sql(
                "UPDATE \(BankingFraud.table) SET memo = memo WHERE transaction_id = 7")
            let limit: Duration = show.breaks("dashboard.moves") ? .seconds(2) : .seconds(10)
            let saw = moved.wait(until: clock.now() + limit) ?? false
            return (saw, saw ? "an event came after the commit" : "no event came")
        }
    }

    /// Puts a dashboard before the binary's that looks at another table.
    private func misplaceDashboard() throws {
        let text = EmbeddedFiles.text("demos/banking-fraud/dashboards/fraud-overview.yml") ?? ""
        let other = text.replacing("banking.transactions", with: "banking.merchants")
            .replacing("\"transactions$", with: "\"merchants$")
        let files = LocalFileSystem()
        try files.makeDirectory(directory + "/lake/dashboards", mode: 0o700)
        try files.replaceDurably(
            directory + "/lake/dashboards/fraud-overview.yml", with: Array(other.utf8), mode: 0o600)
    }
}
