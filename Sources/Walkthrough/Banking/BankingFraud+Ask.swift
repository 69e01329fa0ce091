import CivilTime
import DemoBank
import HTTPClient
import JSON

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
        show.command("lakehouse ask \"\(Self.question)\"")
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
        try show.claim("ask.paraphrases") {
            var questions = Self.paraphrases
            if show.breaks("ask.paraphrases") {
                questions[3] = "Which regions had fraud rate above 1 % last week?"
            }
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
        try show.claim("ask.follow-up") {
            let follow = show.breaks("ask.follow-up") ? "and last week?" : "and the week before?"
            let before = try self.answer(client, follow, previous: answer.frame)
            let wanted = regionsAbove(weeksBack: 2)
            show.result("\(follow) \(before.regions.sorted().joined(separator: ", "))")
            return (
                before.regions == wanted && wanted != truth,
                "answered \(before.regions.sorted()), the generator planted \(wanted.sorted())"
            )
        }
        try show.claim("ask.refuses") {
            let order = show.breaks("ask.refuses") ? Self.question : "drop the table"
            let refused = try self.answer(client, order)
            show.result("\"\(order)\": \(refused.message)")
            return (
                refused.status == "refused" && refused.rows.isEmpty,
                "\"\(order)\" was \(refused.status): \(refused.message)"
            )
        }
        show.endStep()
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

    /// Regions above 5 % in a full ISO week (Monday to Sunday, UTC), counted over the generated bookings.
    /// 1 is the last full week before the as-of day.
    private func regionsAbove(weeksBack: Int) -> Set<String> {
        // 1970-01-01 was a Thursday: day 4 was a Monday.
        let thisMonday = options.asOfDay - (options.asOfDay - 4) % 7
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
