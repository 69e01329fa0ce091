import CivilTime
import JSON
import Testing

@testable import Metrics

/// Rates on few rows are neither compared nor hidden.
struct ThinGroupTests {
    private func file() throws -> QuestionFile {
        try QuestionFile("Tests/MetricsTests/Fixtures/fraud-questions.yml")
    }

    private func read(_ question: String) throws -> (Reading, FrameSQL) {
        let file = try file()
        guard case .read(let reading) = file.reader.read(question) else {
            throw MetricError(.invalidFrame, "not read: \(question)")
        }
        return (
            reading,
            FrameSQL(
                model: file.model, frame: reading.frame, zone: TimeZoneRules(offsetSeconds: 0),
                snapshots: [:], rowLimit: 10)
        )
    }

    /// Whether groups are compared, and how the statement says so.
    @Test(
        arguments: [
            ("Which regions saw a fraud rate above 5 % last week?", "count(*) >= 50"),
            ("top 3 regions by fraud rate", "count(*) >= 50"),
            ("which region had the lowest fraud rate last week", "count(*) >= 50"),
            (
                "regions with a fraud rate above 5 % last week compared with the week before",
                "\"rows of fraud_rate\" >= 50"
            ),
            ("fraud rate by region last week", nil), ("fraud rate in Islands last week", nil),
            ("top 3 regions by amount", nil), ("regions with an amount above 1000", nil),
        ] as [(String, String?)])
    func groupsAreComparedOnEnoughRows(_ question: String, _ condition: String?) throws {
        let (reading, sql) = try read(question)
        let text = try sql.statement().sql
        let isCompared = condition != nil
        #expect(text.contains(" >= 50") == isCompared, "\(text)")
        if let condition { #expect(text.contains(condition), "\(text)") }
        #expect(reading.text.contains("fraud rate is compared on 50 rows or more") == isCompared)
        #expect(sql.guarded.isEmpty == !reading.frame.metrics.contains("fraud_rate"))
    }

    /// A group's name, where it has one, and numbers.
    private func row(_ name: String? = nil, _ numbers: String...) -> [JSONValue] {
        (name.map { [.string($0)] } ?? []) + numbers.map { .number(JSONNumber(text: $0)) }
    }

    private func rows(_ rows: [[JSONValue]], isTruncated: Bool = false) -> MetricRows {
        MetricRows(
            columns: [], rows: rows, isTruncated: isTruncated, scannedRows: 0, scannedBytes: 0,
            milliseconds: 0, queryID: "")
    }

    private func notes(
        _ question: String, thin: [[JSONValue]], shown: [[JSONValue]], isTruncated: Bool = false
    ) throws -> [String] {
        let (reading, sql) = try read(question)
        let columns = try sql.statement().columns.map {
            AskAnswer.Column(
                name: $0.name, type: "", label: $0.label,
                format: $0.metric?.format.rawValue ?? "", unit: "", decimals: $0.metric?.decimals)
        }
        let one = try #require(sql.guarded.first)
        return ThinGroups(one: one, frame: reading.frame, columns: columns)
            .notes(thin: rows(thin, isTruncated: isTruncated), shown: shown)
    }

    @Test func whatIsLeftOutIsNamed() throws {
        #expect(
            try notes(
                "Which regions saw a fraud rate above 5 % last week?",
                thin: [row("Islands", "0.125", "24")], shown: [row("Coastal", "0.07")])
                == [
                    "left out, since fraud rate is compared on 50 rows or more: Islands (12.50 % on 24 rows)"
                ])
        let many = (1...7).map { row("R\($0)", "1", String($0)) }
        #expect(
            try notes("top 3 regions by fraud rate", thin: many, shown: [])
                == [
                    "left out, since fraud rate is compared on 50 rows or more: R1 (100.00 % on 1 row), "
                        + "R2 (100.00 % on 2 rows), R3 (100.00 % on 3 rows), R4 (100.00 % on 4 rows), "
                        + "R5 (100.00 % on 5 rows) and 2 more"
                ])
        #expect(
            try notes("top 3 regions by fraud rate", thin: many, shown: [], isTruncated: true)[0]
                .hasSuffix("and 2 or more"))
    }

    @Test func whatIsShownOnFewRowsSaysSo() throws {
        #expect(
            try notes(
                "fraud rate in Islands last week", thin: [row(nil, "0.125", "24")],
                shown: [row(nil, "0.125")])
                == ["fraud rate rests on 24 rows: fewer than the 50 on which it is compared"])
        // Only of rows that are shown.
        #expect(
            try notes(
                "fraud rate by region last week",
                thin: [row("Islands", "0.125", "24"), row("Elsewhere", "0", "1")],
                shown: [row("Coastal", "0.07"), row("Islands", "0.125")])
                == ["fraud rate rests on fewer than 50 rows for Islands (24 rows)"])
        #expect(
            try notes(
                "fraud rate by region last week compared with the week before",
                thin: [row("Islands", "0.125", "24", "30")],
                shown: [row("Islands", "0.125", "0.1", "0.025")])
                == ["fraud rate rests on fewer than 50 rows for Islands (24 rows, before 30 rows)"])
    }
}

/// What the data does not cover is said.
struct CoverageTests {
    private func time(_ text: String) throws -> Int64 {
        try #require(CivilParse.timestamp(text)).microseconds
    }

    @Test(
        arguments: [
            ("amount in October", nil), ("amount last week", nil), ("amount", nil),
            ("amount per day", nil),
            ("amount since September", "covered from there on only"),
            ("amount in September", "covered from there on only"),
            ("amount in August", "there is none of August 2026"),
            ("amount in October compared with September", "covered from there on only"),
            ("amount by month", "its first month began on 2026-09-01"),
            ("amount by week since October", nil),
        ] as [(String, String?)])
    func aPeriodThatIsNotCoveredIsNoted(_ question: String, _ note: String?) throws {
        let file = try QuestionFile("Tests/MetricsTests/Fixtures/fraud-questions.yml")
        guard case .read(let reading) = file.reader.read(question) else {
            Issue.record("not read: \(question)")
            return
        }
        let notes = Coverage(
            first: try time("2026-09-22 00:03:00"), last: try time("2026-11-20 23:10:00"),
            now: try time("2026-11-21 00:00:00"), table: "transactions"
        ).notes(reading.frame)
        #expect(notes.isEmpty == (note == nil), "\(notes)")
        if let note { #expect(notes.contains { $0.contains(note) }, "\(notes)") }
    }

    @Test func dataThatEndsEarlyIsNoted() throws {
        let file = try QuestionFile("Tests/MetricsTests/Fixtures/fraud-questions.yml")
        for (question, isNoted) in [
            ("amount last week", true), ("amount in October", false), ("amount today", true),
        ] {
            guard case .read(let reading) = file.reader.read(question) else {
                Issue.record("not read: \(question)")
                continue
            }
            let notes = Coverage(
                first: try time("2026-01-01 00:00:00"), last: try time("2026-11-12 17:00:00"),
                now: try time("2026-11-21 12:00:00"), table: "transactions"
            ).notes(reading.frame)
            #expect(
                notes
                    == (isNoted
                        ? [
                            "the newest of transactions is of 2026-11-12 17:00:00: nothing later is in the answer"
                        ]
                        : []),
                "\(question)")
        }
    }
}

/// A frame may have a zone of its own.
struct FrameZoneTests {
    @Test func theZoneGoesWithTheFrame() throws {
        let file = try QuestionFile("Tests/MetricsTests/Fixtures/fraud-questions.yml")
        guard case .read(let reading) = file.reader.read("amount last week") else {
            Issue.record("not read")
            return
        }
        #expect(reading.frame.json.cursor["zone"].value == nil)
        var frame = reading.frame
        frame.zone = try TimeZoneKey(asked: "Europe/Berlin")
        #expect(try Frame(frame.json.cursor) == frame)
        #expect(throws: MetricError.self) { try TimeZoneKey(asked: "Europe/Wien") }
    }
}
