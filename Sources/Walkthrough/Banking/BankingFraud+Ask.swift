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
        for note in answer.notes { show.result("note: \(note)") }
        show.result("from \(answer.tables), drawn as a \(answer.chart) chart")
        show.sql(answer.sql)
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
        try thin(client, truth)
        try zoned(client, truth)
        try refuses(client)
        show.endStep()
    }

    /// A high rate on a handful of bookings is no finding, and is not hidden either.
    private func thin(_ client: DemoClient, _ truth: Set<String>) throws {
        if show.breaks("ask.thin") {
            try overrideMetrics {
                $0.replacing("minimum_rows: \(Self.minimumRows)", with: "minimum_rows: 1")
            }
        }
        let few = regionsAbove(weeksBack: 1, minimumRows: 1).subtracting(truth).sorted()
        let direct = "fraud rate in \(few.first ?? "no region") last week"
        show.command(askCommand([direct]))
        try show.claim("ask.thin") {
            let all = try self.answer(client, Self.question)
            let one = try self.answer(client, direct)
            show.result(one.rows.first?.joined(separator: "  ") ?? one.message)
            for note in one.notes { show.result("note: \(note)") }
            let (from, to) = (thisMonday - 7, thisMonday)
            let rows = try client.value(
                "SELECT count(*) FROM \(Self.table) WHERE region = '\(few.first ?? "")' "
                    + "AND booked_at >= TIMESTAMP '\(CivilFormat.date(Int32(from))) 00:00:00' "
                    + "AND booked_at < TIMESTAMP '\(CivilFormat.date(Int32(to))) 00:00:00'")
            let named = all.notes.contains { note in
                note.hasPrefix("left out") && few.allSatisfy { note.contains("\($0) (") }
                    && note.contains(" on \(rows) rows)")
            }
            let rate = Double(one.rows.first?.first ?? "") ?? 0
            return (
                few.count == 1 && all.regions == truth && named && rate > 0.05
                    && one.notes.contains { $0.contains("rests on \(rows) rows") },
                "answered \(all.regions.sorted()), noted \(all.notes); above 5 % without regard to "
                    + "their number: \(few); asked for itself: \(rate), noted \(one.notes)"
            )
        }
    }

    /// Where it is Monday already on Sunday night, last week is another one.
    private func zoned(_ client: DemoClient, _ truth: Set<String>) throws {
        // Where no rules of zones are installed, the offset that Berlin has in winter.
        let berlin = try TimeZoneKey.named("Europe/Berlin")
        let installed = server?.appliance.zoneRules(berlin)
        let zone = installed == nil ? "+01:00" : berlin.name
        let rules = installed ?? TimeZoneRules(offsetSeconds: 3_600)
        show.command(askCommand([Self.question], "--zone \(zone)"))
        if show.breaks("ask.zone") {
            // The bookings of that night, earlier in the evening.
            let monday = CivilFormat.date(Int32(thisMonday - 7))
            _ = try client.sql(
                """
                UPDATE \(Self.table) SET booked_at = booked_at - INTERVAL '3' HOUR
                WHERE region = 'Highlands' AND booked_at < TIMESTAMP '\(monday) 00:00:00'
                    AND booked_at >= TIMESTAMP '\(monday) 00:00:00' - INTERVAL '2' HOUR
                """)
        }
        try show.claim("ask.zone") {
            let answer = try self.answer(client, Self.question, zone: zone)
            let here = try self.answer(client, Self.question)
            let wanted = regionsAbove(weeksBack: 1, rules: rules)
            show.result("reading: \(answer.reading)")
            show.result(
                "\(answer.regions.sorted().joined(separator: ", ")); in UTC \(here.regions.sorted().joined(separator: ", "))"
            )
            return (
                answer.regions == wanted && here.regions == truth
                    && wanted.isSuperset(of: truth.union(["Highlands"]))
                    && !truth.contains("Highlands") && answer.reading.contains("(\(zone))"),
                "in \(zone) answered \(answer.regions.sorted()), the generator planted "
                    + "\(wanted.sorted()); in UTC \(here.regions.sorted()); \(answer.reading)"
            )
        }
    }

    /// An order is no question, and what no certified metric tells has no answer.
    private func refuses(_ client: DemoClient) throws {
        let (order, unknown) = ("drop the table", "weather by region")
        for text in [order, unknown] { show.command(askCommand([text])) }
        let before = try tableState(client)
        if show.breaks("ask.refuses") {
            _ = try client.sql("DELETE FROM \(Self.table) WHERE transaction_id = 13")
        }
        try show.claim("ask.refuses") {
            let refused = try self.answer(client, order)
            let words = "\"\(order)\" was \(refused.status): \(refused.message) [\(refused.code)]"
            show.result(words)
            let after = try tableState(client)
            return (
                refused.code == "ask.not_a_question" && refused.rows.isEmpty && after == before,
                "\(words); \(before) before, \(after) after"
            )
        }
        if show.breaks("ask.unexplained") {
            try overrideMetrics {
                $0.replacing("share of fraudulent transactions]", with: "weather]")
            }
        }
        try show.claim("ask.unexplained") {
            let refused = try self.answer(client, unknown)
            let words =
                "\"\(unknown)\" was \(refused.status): \(refused.message) [\(refused.code)]"
            show.result(words)
            return (
                refused.code == "ask.unexplained_words" && refused.rows.isEmpty
                    && refused.message.contains("\"weather\""), words
            )
        }
    }

    /// Which tables there are, and the state of the one that orders are about.
    private func tableState(_ client: DemoClient) throws -> String {
        let tables = try client.value(
            "SELECT count(*) FROM silver.information_schema.tables WHERE table_schema = 'banking'")
        let rows = try client.value("SELECT count(*) FROM \(Self.table)")
        return "\(tables) tables, \(rows) rows, snapshot \(try snapshotID(client))"
    }

    /// How a person asks, about the day of the show.
    private func askCommand(_ questions: [String], _ option: String = "") -> String {
        "lakehouse ask \(questions.map { "\"\($0)\"" }.joined(separator: " ")) "
            + "--as-of \(CivilFormat.date(Int32(options.asOfDay))) --model banking-fraud "
            + (option.isEmpty ? "" : option + " ") + "--data \(lake)"
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
        var code = ""
        var notes: [String] = []
        var tables = ""
        var sql = ""
        var chart = ""
        var rows: [[String]] = []
        var frame: JSONValue = .null
        var regions: Set<String> { Set(rows.compactMap(\.first)) }
    }

    func answer(
        _ client: DemoClient, _ question: String, previous: JSONValue = .null,
        zone: String? = nil
    ) throws -> Asked {
        var members: [(String, JSONValue)] = [
            ("question", .string(question)), ("model", "banking-fraud"),
            ("asOf", .string(CivilFormat.date(Int32(options.asOfDay)))),
        ]
        if !previous.isNull { members.append(("previous", previous)) }
        if let zone { members.append(("zone", .string(zone))) }
        let reply = try client.post("/api/v1/ask", .object(members))
        let body = try JSONValue(parsing: reply.body).cursor
        var asked = Asked()
        asked.status = try body["status"].optionalString() ?? "HTTP \(reply.status)"
        asked.reading = try body["reading"].optionalString() ?? ""
        asked.message = try body["message"].optionalString() ?? ""
        asked.code = try body["code"].optionalString() ?? ""
        asked.notes = body["notes"].isPresent ? try body["notes"].strings() : []
        asked.sql = try body["sql"].optionalString() ?? ""
        asked.chart = try body["chart"]["kind"].optionalString() ?? ""
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

    /// On how many bookings the metrics compare a rate.
    private static let minimumRows = 50

    /// Regions above 5 % in a full ISO week (Monday to Sunday, by the zone's clocks), counted over the
    /// generated bookings. 1 is the last full week before the as-of day.
    private func regionsAbove(
        weeksBack: Int, rules: TimeZoneRules = TimeZoneRules(offsetSeconds: 0),
        minimumRows: Int = minimumRows
    ) -> Set<String> {
        func start(_ weeksBack: Int) -> Int64 {
            let monday = Int64(thisMonday - 7 * weeksBack) * BankGenerator.microsecondsPerDay
            return rules.utcMicroseconds(ofLocal: monday)
        }
        let week = start(weeksBack)..<start(weeksBack - 1)
        var all: [Int: Int] = [:]
        var frauds: [Int: Int] = [:]
        for booking in bank.transactions where week.contains(booking.time) {
            all[booking.region, default: 0] += 1
            if booking.pattern != nil { frauds[booking.region, default: 0] += 1 }
        }
        let above = all.filter {
            $0.value >= minimumRows && 20 * frauds[$0.key, default: 0] > $0.value
        }
        return Set(above.keys.map { BankGeography.regions[$0].name })
    }
}
