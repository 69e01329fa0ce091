import Appliance
import CivilTime
import DemoBank
import HTTPClient
import JSON
import Platform

extension BankingFraud {
    private static let question = "Which regions saw a fraud rate above 5 % last week?"

    private static let paraphrases = [
        "Which regions had a fraud rate above 5 % last week?",
        "which regions saw a fraud rate over 5% last week",
        "Regions with a fraud rate above 5 percent last week",
        "Last week, which regions had a fraud rate greater than 5 %?",
        "In which regions was the fraud rate more than 5 % last week?",
        "Show regions with fraud rate > 5 % last week",
        "List the regions whose fraud rate exceeded 5 % last week",
        "fraud rate above 5 % by region last week",
        "Which areas saw a fraud rate above 5 % last week?",
        "Which regions were above 5 % fraud rate last week?",
        "Which regions had more than 5 % fraud rate last week?",
        "What regions saw a fraud rate higher than 5 % last week?",
        "regions with fraud rate above 5% last week",
        "Which region had a fraud rate above 5 % last week?",
        "Where was the fraud rate above 5 % last week, by region?",
        "Which regions saw a rate of fraud above 5 % last week?",
        "Which regions had a fraud percentage above 5 % last week?",
        "Which regions saw a fraud share above 5 % last week?",
        "Fraud rate above 5 % last week per region",
        "Which regions saw a fraud rate above five percent last week?",
    ]

    /// Questions in plain words, with answers that are checked against the generator's own truth.
    func ask() throws {
        let client = try connected()
        show.step(10)
        show.command(askCommand([Self.question, "and the week before?"]))
        if show.breaks("ask.regions") {
            _ = try client.sql(
                "UPDATE silver.banking.fraud_labels SET is_fraud = false WHERE is_fraud")
        }
        let truth = regionsAbove(weeksBack: 1)
        let answer = try answer(client, Self.question)
        show.result("reading: \(answer.reading)")
        for row in answer.rows { show.result(row.joined(separator: "  ")) }
        show.result("from \(answer.tables)")
        try show.claim("ask.regions") {
            (
                answer.regions == truth && truth.count == 2,
                "answered \(answer.regions.sorted()), the generator planted \(truth.sorted())"
            )
        }
        if show.breaks("ask.paraphrases") {
            try overrideMetrics { $0.replacing("synonyms: [area], ", with: "") }
        }
        try show.claim("ask.paraphrases") {
            let questions = Self.paraphrases
            var different: [String] = []
            for question in questions {
                let other = try self.answer(client, question)
                if other.regions != truth {
                    different.append("\(question) → \(other.status) \(other.regions.sorted())")
                }
            }
            return (
                different.isEmpty,
                different.isEmpty
                    ? "\(questions.count) ways to ask gave the same regions"
                    : different.joined(separator: "; ")
            )
        }
        if show.breaks("ask.follow-up") {
            // The week before, without its frauds.
            let monday = CivilFormat.date(Int32(thisMonday - 14))
            _ = try client.sql(
                """
                UPDATE silver.banking.fraud_labels SET is_fraud = false WHERE transaction_id IN (
                    SELECT transaction_id FROM \(Self.table)
                    WHERE date_trunc('week', booked_at) = DATE '\(monday)')
                """)
        }
        try show.claim("ask.follow-up") {
            let follow = "and the week before?"
            let before = try self.answer(client, follow, previous: answer.frame)
            let wanted = regionsAbove(weeksBack: 2)
            show.result("\(follow) \(before.regions.sorted().joined(separator: ", "))")
            return (
                before.regions == wanted && wanted != truth,
                "answered \(before.regions.sorted()), the generator planted \(wanted.sorted())"
            )
        }
        try refuses(client)
        show.endStep()
    }

    /// An order is no question, and what no certified metric tells has no answer.
    private func refuses(_ client: DemoClient) throws {
        if show.breaks("ask.refuses") {
            try overrideMetrics {
                $0.replacing("share of fraudulent transactions]", with: "weather]")
            }
        }
        let orders = ["drop the table", "weather by region"]
        for order in orders { show.command(askCommand([order])) }
        let before = try snapshotID(client)
        try show.claim("ask.refuses") {
            let refused = try orders.map { try self.answer(client, $0) }
            let words = zip(orders, refused).map { "\"\($0)\" was \($1.status): \($1.message)" }
            for word in words { show.result(word) }
            let after = try snapshotID(client)
            return (
                refused.allSatisfy { $0.status == "refused" && $0.rows.isEmpty } && after == before,
                words.joined(separator: "; ") + "; snapshot \(before) before, \(after) after"
            )
        }
    }

    /// How a person asks, about the day of the show.
    private func askCommand(_ questions: [String]) -> String {
        "lakehouse ask \(questions.map { "\"\($0)\"" }.joined(separator: " ")) "
            + "--as-of \(CivilFormat.date(Int32(options.asOfDay))) --model banking-fraud "
            + "--data \(lake)"
    }

    /// Puts another text of the certified metrics before the one that the binary carries.
    private func overrideMetrics(_ change: (String) -> String) throws {
        let text = EmbeddedFiles.text("demos/banking-fraud/metrics.yml") ?? ""
        let files = LocalFileSystem()
        try files.makeDirectory(directory + "/lake/metrics", mode: 0o700)
        try files.replaceDurably(
            directory + "/lake/metrics/banking-fraud.yml", with: Array(change(text).utf8),
            mode: 0o600)
    }

    /// An answer of the ask door, as far as the walkthrough looks at it.
    struct Asked {
        var status = ""
        var reading = ""
        var message = ""
        var tables = ""
        var rows: [[String]] = []
        var frame: JSONValue = .null
        var regions: Set<String> { Set(rows.compactMap(\.first)) }
    }

    func answer(
        _ client: DemoClient, _ question: String, previous: JSONValue = .null
    ) throws -> Asked {
        var members: [(String, JSONValue)] = [
            ("question", .string(question)), ("model", "banking-fraud"),
            ("asOf", .string(CivilFormat.date(Int32(options.asOfDay)))),
        ]
        if !previous.isNull { members.append(("previous", previous)) }
        let reply = try client.post("/api/v1/ask", .object(members))
        let body = try JSONValue(parsing: reply.body).cursor
        var asked = Asked()
        asked.status = try body["status"].optionalString() ?? "HTTP \(reply.status)"
        asked.reading = try body["reading"].optionalString() ?? ""
        asked.message = try body["message"].optionalString() ?? ""
        asked.frame = body["frame"].value ?? .null
        for row in try body["rows"].optionalElements() ?? [] {
            asked.rows.append(try row.elements().compactMap(\.value).map(DemoClient.text))
        }
        asked.tables = try (body["tables"].optionalElements() ?? []).map {
            "\(try $0["name"].string()) @ \(try $0["snapshotId"].optionalString() ?? "none")"
        }.joined(separator: ", ")
        return asked
    }

    /// The Monday of the as-of day's week: 1970-01-01 was a Thursday, so day 4 was a Monday.
    private var thisMonday: Int { options.asOfDay - (options.asOfDay - 4) % 7 }

    /// Regions above 5 % in a full ISO week (Monday to Sunday, UTC), counted over the generated bookings.
    /// 1 is the last full week before the as-of day.
    private func regionsAbove(weeksBack: Int) -> Set<String> {
        let days = (thisMonday - 7 * weeksBack)..<(thisMonday - 7 * (weeksBack - 1))
        var all: [Int: Int] = [:]
        var frauds: [Int: Int] = [:]
        for booking in bank.transactions {
            let day = Int(booking.time / BankGenerator.microsecondsPerDay)
            guard days.contains(day) else { continue }
            all[booking.region, default: 0] += 1
            if booking.pattern != nil { frauds[booking.region, default: 0] += 1 }
        }
        let above = all.keys.filter { 20 * frauds[$0, default: 0] > all[$0, default: 0] }
        return Set(above.map { BankGeography.regions[$0].name })
    }
}
