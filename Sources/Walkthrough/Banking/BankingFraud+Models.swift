import JSON
import Platform

extension BankingFraud {
    static let model = "gold.banking.fraud_iforest"
    private static let features = [
        "amount_log", "times_usual", "speed_kmh", "is_night", "device_burst", "device_newness",
        "is_round_or_refund",
    ]
    /// Bars that the model has to pass over the planted truth, whatever the seed.
    private static let wantedArea = 0.95
    private static let wantedPrecision = 0.6
    private static let wantedRecall = 0.85

    // MARK: 7

    /// Trains an isolation forest on features of one snapshot; nobody tells it the truth.
    func train() throws {
        let client = try connected()
        show.step(7)
        show.command(plainPipelineCommand("features"))
        try runPipeline("features")
        let create = statement(trees: 100)
        show.sql(create)
        _ = try client.sql(show.breaks("train.area") ? statement(trees: 1, samples: 2) : create)
        for row in try client.sql("DESCRIBE MODEL \(Self.model)").map({ $0.map(DemoClient.text) })
        where row[0].hasPrefix("trained on ") { show.result(row.joined(separator: ", ")) }
        let (area, precision) = try quality(client)
        show.result(
            "AUC \(fixed(area, 4)), precision in the top 1 % \(fixed(precision, 3)), "
                + "over labels that training never saw")
        try show.claim("train.area") {
            (
                area >= Self.wantedArea && precision >= Self.wantedPrecision,
                "AUC \(fixed(area, 4)) (wanted \(Self.wantedArea)), precision in the top 1 % "
                    + "\(fixed(precision, 3)) (wanted \(Self.wantedPrecision))"
            )
        }
        let first = try digest(client)
        if show.breaks("train.digest") {
            _ = try client.sql(
                "DELETE FROM gold.banking.fraud_features WHERE transaction_id % 2 = 0")
        }
        _ = try client.sql(create)
        try show.claim("train.digest") {
            let second = try digest(client)
            return (
                first == second && first.count == 64,
                "first \(first.prefix(16))…, again "
                    + "\(second.prefix(16))…"
            )
        }
        show.endStep()
    }

    func statement(trees: Int, samples: Int = 256) -> String {
        """
        CREATE OR REPLACE MODEL \(Self.model) USING isolation_forest \
        WITH (trees = \(trees), samples = \(samples), seed = 42) AS \
        SELECT \(Self.features.joined(separator: ", ")) FROM gold.banking.fraud_features
        """
    }

    private func digest(_ client: DemoClient) throws -> String {
        let rows = try client.sql("DESCRIBE MODEL \(Self.model)")
        return rows.first { DemoClient.text($0[0]) == "digest" }
            .map { DemoClient.text($0[1]) } ?? ""
    }

    /// The area under the curve, by the ranks of the frauds (Mann and Whitney), and the share of frauds
    /// among the highest hundredth.
    private func quality(_ client: DemoClient) throws -> (area: Double, precision: Double) {
        let rows = try client.sql(
            """
            WITH scored AS (
                SELECT f.transaction_id, coalesce(l.is_fraud, false) AS is_fraud,
                    ai_anomaly('\(Self.model)', \(Self.features.joined(separator: ", "))) AS score
                FROM gold.banking.fraud_features f
                LEFT JOIN silver.banking.fraud_labels l ON l.transaction_id = f.transaction_id),
            ranked AS (
                SELECT is_fraud, rank() OVER (ORDER BY score) AS lower_rank,
                    count(*) OVER (PARTITION BY score) AS ties,
                    row_number() OVER (ORDER BY score DESC, transaction_id) AS place,
                    count(*) OVER () AS total
                FROM scored)
            SELECT (sum(if(is_fraud, lower_rank + (ties - 1) / 2e0, 0e0))
                    - count_if(is_fraud) * (count_if(is_fraud) + 1e0) / 2)
                / (CAST(count_if(is_fraud) AS double) * count_if(NOT is_fraud)),
                CAST(count_if(is_fraud AND place <= total / 100) AS double)
                / count_if(place <= total / 100)
            FROM ranked
            """)
        let numbers = rows.first?.compactMap { Double(DemoClient.text($0)) } ?? []
        guard numbers.count == 2 else { return (0, 0) }
        return (numbers[0], numbers[1])
    }

    // MARK: 8

    /// One MERGE gives every booking its score and the mood of its memo.
    func score() throws {
        let client = try connected()
        show.step(8)
        for column in ["anomaly_score double", "memo_sentiment double"] {
            _ = try client.sql("ALTER TABLE \(Self.table) ADD COLUMN \(column)")
        }
        scoredFrom = try snapshotID(client)
        let merge = """
            MERGE INTO \(Self.table) t USING gold.banking.fraud_features f
            ON t.transaction_id = f.transaction_id
            WHEN MATCHED THEN UPDATE SET
            anomaly_score = ai_anomaly('\(Self.model)', \
            \(Self.features.map { "f.\($0)" }.joined(separator: ", "))),
            memo_sentiment = ai_sentiment(coalesce(t.memo, ''))
            """
        show.sql(merge)
        let clock = SystemMonotonicClock()
        let begin = clock.now()
        _ = try client.sql(merge)
        let seconds = (clock.now() - begin).fractionalSeconds
        let rows = Double(try client.value("SELECT count(*) FROM \(Self.table)")) ?? 0
        show.result(
            "\(Int(rows)) rows in \(fixed(seconds, 2)) s: \(Int(rows / seconds)) rows a second")
        if show.breaks("score.range") {
            _ = try client.sql(
                "UPDATE \(Self.table) SET anomaly_score = NULL WHERE transaction_id = 9")
        }
        if show.breaks("score.recall") {
            _ = try client.sql(
                """
                UPDATE \(Self.table) SET anomaly_score = 0e0 WHERE transaction_id IN
                (SELECT transaction_id FROM silver.banking.fraud_labels WHERE pattern = 'mule_ring')
                """)
        }
        try show.claim("score.range") {
            let wrong = try client.value(
                """
                SELECT count(*) FROM \(Self.table) WHERE NOT coalesce(
                anomaly_score BETWEEN 0 AND 1 AND memo_sentiment BETWEEN -1 AND 1, false)
                """)
            return (wrong == "0", "\(wrong) of \(Int(rows)) rows have a score out of range")
        }
        try recall(client)
        try explain(client)
        show.endStep()
    }

    private func recall(_ client: DemoClient) throws {
        try show.claim("score.recall") {
            let rows = try client.sql(
                """
                SELECT l.pattern, CAST(count_if(t.anomaly_score >= bar) AS double) / count(*)
                FROM \(Self.table) t
                JOIN silver.banking.fraud_labels l ON l.transaction_id = t.transaction_id
                CROSS JOIN (SELECT approx_percentile(anomaly_score, 0.95) AS bar FROM \(Self.table)) b
                WHERE l.pattern IS NOT NULL GROUP BY l.pattern ORDER BY l.pattern
                """)
            let recalls = rows.map { row in
                (DemoClient.text(row[0]), Double(DemoClient.text(row[1])) ?? 0)
            }
            for (pattern, recall) in recalls {
                show.result("\(pattern): \(fixed(recall * 100, 1)) % in the top 5 %")
            }
            return (
                recalls.count == 5 && recalls.allSatisfy { $0.1 >= Self.wantedRecall },
                recalls.map { "\($0.0) \(fixed($0.1, 3))" }.joined(separator: ", ")
            )
        }
    }

    /// The ten highest, and what made them so.
    private func explain(_ client: DemoClient) throws {
        let rows = try client.sql(
            """
            WITH highest AS (
                SELECT transaction_id, anomaly_score, amount FROM \(Self.table)
                ORDER BY anomaly_score DESC, transaction_id LIMIT 10)
            SELECT t.transaction_id, round(t.anomaly_score, 3), t.amount,
                CAST(ai_anomaly_explain('\(Self.model)', \
            \(Self.features.map { "f.\($0)" }.joined(separator: ", "))) AS json)
            FROM highest t
            JOIN gold.banking.fraud_features f ON f.transaction_id = t.transaction_id
            ORDER BY t.anomaly_score DESC, t.transaction_id
            """)
        for row in rows {
            let texts = row.map(DemoClient.text)
            show.result("booking \(texts[0]): \(texts[1]), \(texts[2]) EUR, \(leading(texts[3]))")
        }
    }

    /// The two features that weigh most.
    private func leading(_ json: String) -> String {
        guard let parsed = try? JSONValue(parsing: Array(json.utf8)),
            case .object(let members) = parsed
        else { return json }
        let weights = members.names.map { name -> (String, Double) in
            guard case .number(let number)? = members[name] else { return (name, 0) }
            return (name, number.double ?? 0)
        }
        return weights.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(2)
            .map { "\($0.0) \(fixed($0.1 * 100, 0)) %" }.joined(separator: ", ")
    }

    /// A number with so many decimals.
    func fixed(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((value.magnitude * scale).rounded())
        let (whole, rest) = scaled.quotientAndRemainder(dividingBy: Int(scale))
        let digits = String(rest)
        let tail =
            decimals > 0
            ? "." + String(repeating: "0", count: decimals - digits.utf8.count) + digits : ""
        return (value < 0 ? "-" : "") + "\(whole)" + tail
    }
}
