import Appliance
import HTTPClient
import JSON

extension BankingFraud {
    // MARK: 12

    /// An agent lists, describes and asks, and is refused a write.
    func agent() throws {
        show.step(12)
        guard let analyst = personas["analyst"] else {
            throw WalkthroughError(.requestFailed, "there is no analyst")
        }
        show.result("POST \(try publicURL())/mcp, with the token of the analyst")
        let agent = try DemoAgent(port: connectedPort(), token: analyst.token)
        defer { sayTranscript(of: agent) }
        try answers(agent)
        try refusedWrites(agent)
        show.endStep()
    }

    private func sayTranscript(of agent: DemoAgent) {
        for line in agent.takeTranscript() { show.result(line) }
    }

    private func answers(_ agent: DemoAgent) throws {
        let tools = try agent.tools()
        let listed = try agent.use(
            "list_tables", .object([("catalog", "silver"), ("schema", "banking")]))
        let described = try agent.use("describe_table", .object([("table", .string(Self.table))]))
        if show.breaks("agent.answers") {
            // Analysts, and so the agent, see one region from now on.
            _ = try connected().sql(
                "CREATE OR REPLACE ROW FILTER one_region_agent ON \(Self.table) "
                    + "FOR GROUP analysts AS (region = 'Baltic')")
        }
        let counted = try agent.use(
            "query", .object([("sql", .string("SELECT count(*) AS n FROM \(Self.table)"))]))
        // Over all time: an agent's question has no day of its own, and the show's is not today.
        let asked = try agent.use("ask", .object([("question", "transactions by region")]))
        sayTranscript(of: agent)
        try show.claim("agent.answers") {
            let client = try connected()
            let count = try client.value("SELECT count(*) FROM \(Self.table)")
            let regions = try client.sql(
                "SELECT region, count(*) FROM \(Self.table) GROUP BY region ORDER BY region"
            ).map { $0.map(DemoClient.text).joined(separator: " ") }
            func rows(_ answer: DemoAgent.Answer) throws -> [String] {
                try (answer.content["rows"].optionalElements() ?? []).map { row in
                    try row.elements().compactMap(\.value).map(DemoClient.text)
                        .joined(separator: " ")
                }.sorted()
            }
            let refused = [listed, described, counted, asked].filter(\.isRefused).map(\.text)
            let found = try rows(asked)
            let number = try rows(counted)
            return (
                refused.isEmpty && tools.contains("ask") && listed.text.contains("transactions")
                    && described.text.contains("booked_at") && number == [count]
                    && found == regions,
                "\(tools.count) tools; the agent counted \(number), SQL \(count); "
                    + "asked, it heard \(found), SQL \(regions)"
                    + (refused.isEmpty ? "" : "; refused: \(refused)")
            )
        }
    }

    /// Neither through its own door nor, with the same token, through that of SQL.
    private func refusedWrites(_ agent: DemoAgent) throws {
        let client = try connected()
        let before = try snapshotID(client)
        if show.breaks("agent.refused-write") {
            _ = try client.sql("GRANT DELETE ON TABLE \(Self.table) TO USER analyst")
        }
        try show.claim("agent.refused-write") {
            let statements = [
                "DELETE FROM \(Self.table) WHERE transaction_id = 1",
                "EXPLAIN ANALYZE DELETE FROM \(Self.table) WHERE transaction_id = 1",
                "CREATE TABLE silver.banking.copied AS WITH t AS (SELECT 1 AS x) SELECT * FROM t",
            ]
            var outcomes: [(sql: String, isRefused: Bool, words: String)] = []
            for sql in statements {
                let answer = try agent.use("query", .object([("sql", .string(sql))]))
                let isRefused = answer.isRefused && answer.text.hasPrefix("agent.read_only")
                outcomes.append((sql, isRefused, answer.text))
            }
            sayTranscript(of: agent)
            let door = try persona("analyst")
            for sql in statements {
                let name = try door.errorName(of: sql)
                outcomes.append((sql, name == "PERMISSION_DENIED", name ?? "let through"))
                show.result("the same token, by SQL: \(sql.prefix(60)) → \(name ?? "done")")
            }
            let after = try snapshotID(client)
            let copies = try client.sql("SHOW TABLES FROM silver.banking LIKE 'copied'")
            let through = outcomes.filter { !$0.isRefused }.map {
                "\($0.sql.prefix(40)): \($0.words.prefix(80))"
            }
            return (
                through.isEmpty && after == before && copies.isEmpty,
                through.isEmpty
                    ? "\(outcomes.count) attempts refused; snapshot \(before) before, \(after) after"
                    : "not refused: \(through.joined(separator: "; "))"
            )
        }
    }
}
