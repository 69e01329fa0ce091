import JSON

extension BankingFraud {
    // MARK: 13

    func timeTravel() throws {
        let client = try connected()
        show.step(13)
        let sql =
            "SELECT count(*), sum(amount) FROM \(BankingFraud.table) FOR VERSION AS OF \(firstSnapshot)"
        show.sql(sql)
        if show.breaks("timetravel.before-change") { try forget(firstSnapshot, client) }
        try show.claim("timetravel.before-change") {
            let row = try client.sql(sql)[0].map(DemoClient.text)
            show.result("then: \(row[0]) rows, \(row[1]) EUR")
            return (
                row == [firstCount, firstSum],
                "then \(row), recorded [\(firstCount), \(firstSum)]"
            )
        }
        try beforeScores(client)
        show.endStep()
    }

    /// Takes a snapshot away, as a client of the catalog may.
    func forget(_ snapshot: String, _ client: DemoClient) throws {
        let update: JSONValue = .object([
            ("action", "remove-snapshots"),
            ("snapshot-ids", .array([.int(Int64(snapshot) ?? 0)])),
        ])
        _ = try client.post(
            "/iceberg/v1/silver/namespaces/banking/tables/transactions",
            .object([("requirements", .array([])), ("updates", .array([update]))]))
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
}
