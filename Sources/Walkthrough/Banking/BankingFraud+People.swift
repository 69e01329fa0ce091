import Appliance
import Bytes
import DemoBank
import HTTPClient
import HTTPMessages
import JSON

extension BankingFraud {
    private static let viewersRegion = "Baltic"

    /// The same questions by different people: hidden values are in no byte that is sent.
    func people() throws {
        let client = try connected()
        show.step(11)
        let policies = [
            "ALTER TABLE silver.banking.cards ALTER COLUMN card_pan SET TAGS ('PII')",
            "ALTER TABLE silver.banking.customers ALTER COLUMN name SET TAGS ('PII')",
            "ALTER TABLE silver.banking.customers ALTER COLUMN email SET TAGS ('PII')",
            "ALTER TABLE gold.banking.mart_customer_360 ALTER COLUMN name SET TAGS ('PII')",
            "CREATE OR REPLACE MASK pii ON TAG 'PII' FOR ALL EXCEPT GROUP stewards, USER admin "
                + "AS (substr(value, 1, 1) || '***')",
            "CREATE OR REPLACE ROW FILTER one_region ON \(Self.table) FOR GROUP viewers "
                + "AS (region = '\(Self.viewersRegion)')",
            "CREATE OR REPLACE ROW FILTER one_region_daily ON gold.banking.mart_daily_transactions "
                + "FOR GROUP viewers AS (region = '\(Self.viewersRegion)')",
            "CREATE OR REPLACE ROW FILTER one_region_staging ON silver.banking.stg_transactions "
                + "FOR GROUP viewers AS (region = '\(Self.viewersRegion)')",
            "CREATE OR REPLACE ROW FILTER one_region_alerts ON gold.banking.fraud_alerts "
                + "FOR GROUP viewers AS (region = '\(Self.viewersRegion)')",
            "CREATE OR REPLACE ROW FILTER one_region_summary ON gold.banking.mart_fraud_summary "
                + "FOR GROUP viewers AS (region = '\(Self.viewersRegion)')",
            "CREATE OR REPLACE ROW FILTER one_region_customers ON silver.banking.customers "
                + "FOR GROUP viewers AS (region = '\(Self.viewersRegion)')",
            "CREATE OR REPLACE ROW FILTER one_region_360 ON gold.banking.mart_customer_360 "
                + "FOR GROUP viewers AS (region = '\(Self.viewersRegion)')",
            "CREATE OR REPLACE ROW FILTER one_region_merchants ON silver.banking.merchants "
                + "FOR GROUP viewers AS (region = '\(Self.viewersRegion)')",
            // What has no region of its own is seen with the bookings that it belongs to.
            "CREATE OR REPLACE ROW FILTER one_region_labels ON silver.banking.fraud_labels "
                + "FOR GROUP viewers AS (transaction_id IN (SELECT transaction_id "
                + "FROM \(Self.table) WHERE region = '\(Self.viewersRegion)'))",
            "CREATE OR REPLACE ROW FILTER one_region_accounts ON silver.banking.accounts "
                + "FOR GROUP viewers AS (account_id IN (SELECT account_id "
                + "FROM \(Self.table) WHERE region = '\(Self.viewersRegion)'))",
            "CREATE OR REPLACE ROW FILTER one_region_cards ON silver.banking.cards "
                + "FOR GROUP viewers AS (account_id IN (SELECT account_id "
                + "FROM \(Self.table) WHERE region = '\(Self.viewersRegion)'))",
            // Numbers of every booking, without a region to go by: for those who work on the model.
            "CREATE OR REPLACE ROW FILTER no_features ON gold.banking.fraud_features "
                + "FOR GROUP viewers AS (false)",
        ]
        for policy in policies {
            let broken =
                show.breaks("people.masked") && policy.contains(" MASK ")
                || show.breaks("people.one-region") && policy.contains("one_region ")
                || show.breaks("people.no-hidden-byte") && policy.contains("one_region_daily")
            if policy.contains(" MASK ") || policy.contains("one_region ") { show.sql(policy) }
            if !broken { _ = try client.sql(policy) }
        }
        try masked()
        try oneRegion()
        try noHiddenByte()
        try noRawFiles()
        show.endStep()
    }

    private func masked() throws {
        let sql = """
            SELECT card_pan, c.name, m.name FROM silver.banking.cards k
            JOIN silver.banking.accounts a ON a.account_id = k.account_id
            JOIN silver.banking.customers c ON c.customer_id = a.customer_id
            JOIN gold.banking.mart_customer_360 m ON m.customer_id = c.customer_id
            WHERE k.card_id = 7
            """
        let analyst = try persona("analyst").sql(sql).first?.map(DemoClient.text) ?? []
        let steward = try persona("steward").sql(sql).first?.map(DemoClient.text) ?? []
        show.sql(sql)
        show.result("analyst: \(analyst.joined(separator: ", "))")
        show.result("steward: \(steward.joined(separator: ", "))")
        let card = bank.cards[6]
        let name = bank.customers[bank.accounts[card.account].customer].name
        let clear = [card.pan, name, name]
        try show.claim("people.masked") {
            (
                analyst == ["4***", String(name.prefix(1)) + "***", String(name.prefix(1)) + "***"]
                    && steward == clear,
                "the analyst got \(analyst), the steward the clear values: \(steward == clear)"
            )
        }
    }

    private func oneRegion() throws {
        let viewer = try persona("viewer")
        try show.claim("people.one-region") {
            let regions = try viewer.sql(
                "SELECT DISTINCT region FROM \(Self.table) ORDER BY region"
            ).compactMap(\.first).map(DemoClient.text)
            let asked = try answer(viewer, "transactions by region")
            show.result(
                "viewer: \(regions.joined(separator: ", ")) by SQL, \(asked.regions.sorted()) by ask"
            )
            return (
                regions == [Self.viewersRegion] && asked.regions == [Self.viewersRegion],
                "SQL \(regions), ask \(asked.regions.sorted())"
            )
        }
    }

    /// Looks through every byte that the doors send to the viewer and to the analyst.
    private func noHiddenByte() throws {
        let secrets = BankSecrets(bank)
        let regions = BankGeography.regions.map(\.name).filter { $0 != Self.viewersRegion }
        try show.claim("people.no-hidden-byte") {
            let viewers = try bytesSent(to: "viewer")
            let analysts = try bytesSent(to: "analyst")
            let foreign = regions.filter { name in
                ["\"\(name)\"", ">\(name)<", ",\(name)\r", ",\(name),"].contains {
                    viewers.contains($0)
                }
            }
            let hidden =
                (foreign + secrets.found(in: viewers)).map { "the viewer got \($0)" }
                + secrets.found(in: analysts).map { "the analyst got \($0)" }
            return (
                hidden.isEmpty && viewers.contains(Self.viewersRegion)
                    && analysts.contains(regions[0]),
                "\(viewers.utf8.count) bytes to the viewer and \(analysts.utf8.count) to the analyst, "
                    + "by SQL, dashboard, CSV and ask: "
                    + (hidden.isEmpty
                        ? "no hidden card number, name, e-mail address or region"
                        : hidden.prefix(5).joined(separator: ", "))
            )
        }
    }

    /// All that SQL, the dashboard with its tiles and their rows, and `ask` send to one of the personas.
    private func bytesSent(to name: String) throws -> String {
        let reader = try persona(name)
        var bytes = ""
        for sql in [
            "SELECT * FROM \(Self.table) ORDER BY transaction_id LIMIT 200",
            "SELECT * FROM gold.banking.mart_daily_transactions",
            "SELECT * FROM silver.banking.cards LIMIT 500",
            "SELECT * FROM silver.banking.customers",
            "SELECT * FROM gold.banking.mart_customer_360",
            "SELECT * FROM gold.banking.fraud_features LIMIT 10",
            "SELECT * FROM silver.banking.merchants",
            "SELECT * FROM silver.banking.accounts LIMIT 500",
            "SELECT * FROM silver.banking.fraud_labels LIMIT 500",
        ] {
            for row in try reader.sql(sql) { bytes += JSONValue.array(row).encodedText() + "\n" }
        }
        let dashboard = "/dashboards/fraud-overview"
        for path in [dashboard, dashboard + "/tiles/fraud-rate-by-region/rows"]
            + Self.tiles.map({ "\(dashboard)/tiles/\($0)/csv" })
        {
            let answer = try reader.get(path)
            guard answer.status == 200 else {
                throw WalkthroughError(
                    .requestFailed, "\(path) answered \(name) with \(answer.status)")
            }
            bytes += answer.text
        }
        for question in ["fraud rate by region", "amount by segment", "transactions by city"] {
            let reply = try reader.post(
                "/api/v1/ask",
                .object([("question", .string(question)), ("model", "banking-fraud")]))
            bytes += reply.text
        }
        return bytes
    }

    /// The tiles of the dashboard, by its document.
    private static let tiles: [String] = {
        let text = EmbeddedFiles.text("demos/banking-fraud/dashboards/fraud-overview.yml") ?? ""
        let lines = text.split(separator: "\n")
        return lines.drop { $0 != "tiles:" }.compactMap { line in
            line.hasPrefix("  - id: ") ? String(line.dropFirst("  - id: ".count)) : nil
        }
    }()

    /// A table that hides something from somebody hands them no file of it.
    private func noRawFiles() throws {
        let path = try connected().value(
            "SELECT min(\"$path\") FROM silver.banking.cards")
        let parts = path.dropFirst("s3://".count).split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let engineer = personas["engineer"], let server else {
            throw WalkthroughError(.requestFailed, "not the path of a file: \(path)")
        }
        let storage = DemoStorage(
            port: server.appliance.s3Port, accessKeyID: engineer.accessKeyID,
            secret: engineer.secret)
        if show.breaks("people.no-raw-files") { _ = try connected().sql("DROP MASK pii") }
        try show.claim("people.no-raw-files") {
            let refused = try storage.get(bucket: String(parts[0]), key: String(parts[1]))
            let other = try connected().value(
                "SELECT min(\"$path\") FROM silver.banking.merchants")
            let open = other.dropFirst("s3://".count).split(separator: "/", maxSplits: 1)
            let allowed = try storage.get(bucket: String(open[0]), key: String(open[1]))
            show.result("engineer, GET \(path.suffix(40)): \(refused.status)")
            return (
                refused.status == 403 && allowed.status == 200,
                "a file of the masked table answered \(refused.status), one of an open table "
                    + "\(allowed.status)"
            )
        }
    }
}
