import HTTPClient
import JSON

extension BankingFraud {
    // MARK: 6

    private static let staging = "silver.banking.stg_transactions"
    private static let marts = [
        "mart_customer_360", "mart_daily_transactions", "mart_fraud_summary",
    ]

    /// Staging, then marts; the graph with its rows, and each column of the marts down to the source's.
    func marts() throws {
        let client = try connected()
        show.step(6)
        show.command(plainPipelineCommand("marts"))
        try runPipeline("marts")
        try graph(client)
        if show.breaks("marts.reconcile") {
            _ = try client.sql(
                "DELETE FROM gold.banking.mart_daily_transactions WHERE region = 'Baltic'")
        }
        try reconcile(client)
        if show.breaks("marts.lineage") {
            // The same numbers, of another column.
            _ = try client.sql(
                """
                CREATE OR REPLACE TABLE gold.banking.mart_fraud_summary AS
                SELECT region, iso_week, count(*) AS transactions, count(pattern) AS frauds,
                    CAST(count(pattern) AS double) / count(*) AS fraud_rate
                FROM \(Self.staging) GROUP BY region, iso_week
                """)
        }
        try show.claim("marts.lineage") { try lineage(client) }
        show.result("\(try publicURL())/catalog/gold/banking/mart_fraud_summary/lineage")
        show.endStep()
    }

    private func reconcile(_ client: DemoClient) throws {
        let base = try client.sql("SELECT count(*), sum(amount) FROM \(Self.table)")
        let staged = try client.sql("SELECT count(*), sum(amount) FROM \(Self.staging)")
        let daily = try client.sql(
            "SELECT sum(transactions), sum(amount) FROM gold.banking.mart_daily_transactions")
        let summary = try client.sql(
            "SELECT sum(transactions), sum(frauds) FROM gold.banking.mart_fraud_summary")
        try show.claim("marts.reconcile") {
            let frauds = try client.value(
                "SELECT count_if(is_fraud) FROM silver.banking.fraud_labels")
            let left = base[0].map(DemoClient.text)
            let middle = staged[0].map(DemoClient.text)
            let right = daily[0].map(DemoClient.text)
            let totals = summary[0].map(DemoClient.text)
            return (
                left == middle && left == right && totals == [left[0], frauds],
                "base \(left), staging \(middle), daily \(right), summary \(totals), labels \(frauds)"
            )
        }
    }

    // MARK: The graph

    /// `["silver", "banking", "transactions", "amount"]`.
    private typealias Path = [String]

    /// What the last statement that wrote a table says of its columns.
    private func columns(_ client: DemoClient, _ table: Path) throws -> [(String, [Path])] {
        let text = try client.value(
            """
            SELECT element_at(summary, 'lakehouse.column-lineage') FROM
            \(table[0]).\(table[1])."\(table[2])$snapshots"
            WHERE element_at(summary, 'lakehouse.column-lineage') IS NOT NULL
            ORDER BY committed_at DESC, snapshot_id LIMIT 1
            """)
        guard !text.isEmpty, case .object(let members) = try JSONValue(parsing: text) else {
            return []
        }
        return try members.names.map { name in
            let sources = try (members[name] ?? .null).cursor.elements()
            return (name, try sources.map { try $0.elements().map { try $0.string() } })
        }
    }

    /// Down to columns that no statement says more about: those that were replicated.
    private func origins(_ client: DemoClient, _ sources: [Path], depth: Int = 0) throws -> [Path] {
        var found: [Path] = []
        for source in sources {
            let below =
                depth < 8 && source.prefix(3).joined(separator: ".") == Self.staging
                ? try columns(client, source).first { $0.0 == source[3] }?.1 ?? [] : []
            for path in below.isEmpty
                ? [source] : try origins(client, below, depth: depth + 1)
            where !found.contains(path) { found.append(path) }
        }
        return found
    }

    private func graph(_ client: DemoClient) throws {
        func rows(_ table: Path) throws -> String {
            Grouping.thousands(
                try client.value("SELECT count(*) FROM \(table.joined(separator: "."))"))
        }
        let tables =
            [Self.staging.split(separator: ".").map(String.init)]
            + Self.marts.map { ["gold", "banking", $0] }
        for table in tables {
            let inputs = Set(try columns(client, table).flatMap(\.1).map { Array($0.prefix(3)) })
            let names = try inputs.sorted { $0[2] < $1[2] }.map { "\($0[2]) \(try rows($0))" }
            show.result("\(table[2]) \(try rows(table)) rows ← \(names.joined(separator: ", "))")
        }
        for table in tables.dropFirst() {
            for (column, sources) in try columns(client, table) {
                let paths = try origins(client, sources).map { "\($0[2]).\($0[3])" }
                show.result("\(table[2]).\(column) ← \(paths.sorted().joined(separator: ", "))")
            }
        }
    }

    /// What the marts' columns have to come from; those that are not here count rows.
    private static let wanted = [
        "mart_customer_360": [
            "customer_id": ["customers.customer_id"], "name": ["customers.name"],
            "segment": ["customers.segment"], "region": ["customers.region"],
            "city": ["customers.city"], "customer_since": ["customers.customer_since"],
            "accounts": ["accounts.account_id"], "cards": ["cards.card_id"],
            "first_account_opened": ["accounts.opened"], "amount": ["transactions.amount"],
            "largest_amount": ["transactions.amount"],
            "last_booked_at": ["transactions.booked_at"],
            "merchants": ["transactions.merchant_id"], "frauds": ["fraud_labels.is_fraud"],
        ],
        "mart_daily_transactions": [
            "day": ["transactions.booked_at"], "region": ["transactions.region"],
            "amount": ["transactions.amount"],
        ],
        "mart_fraud_summary": [
            "region": ["transactions.region"], "iso_week": ["transactions.booked_at"],
            "frauds": ["fraud_labels.is_fraud"], "fraud_rate": ["fraud_labels.is_fraud"],
        ],
    ]

    /// The engine's account of each mart's columns against what the models' texts say, and the page.
    private func lineage(_ client: DemoClient) throws -> (holds: Bool, evidence: String) {
        var different: [String] = []
        var count = 0
        for mart in Self.marts {
            let wanted = Self.wanted[mart] ?? [:]
            var found: [String: [String]] = [:]
            for (column, sources) in try columns(client, ["gold", "banking", mart]) {
                found[column] = try origins(client, sources).map { "\($0[2]).\($0[3])" }.sorted()
                count += 1
            }
            for name in Set(wanted.keys).union(found.keys).sorted()
            where wanted[name] != found[name] {
                different.append(
                    "\(mart).\(name) from \(found[name] ?? []), wanted \(wanted[name] ?? [])")
            }
        }
        let page = try client.get("/catalog/gold/banking/mart_fraud_summary/lineage")
        let isShown =
            page.status == 200 && page.text.contains(">fraud_labels</a>.is_fraud")
            && page.text.contains(">stg_transactions</text>")
        if !isShown { different.append("the page answered \(page.status) without the columns") }
        return (
            different.isEmpty,
            different.isEmpty
                ? "\(count) columns of \(Self.marts.count) marts lead to the columns they are made of"
                : different.joined(separator: "; ")
        )
    }
}
