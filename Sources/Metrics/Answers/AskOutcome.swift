package import CivilTime
package import JSON

/// A question for `QuestionAnswering`.
package struct AskRequest: Sendable {
    /// Empty when a frame is given instead.
    package var question: String
    /// A frame to answer as it is: a reading that was chosen.
    package var frame: Frame?
    /// The frame of the answer before, for questions that go on from it.
    package var previous: Frame?
    /// Only this model; nil: all.
    package var model: String?
    /// Microseconds since 1970 UTC that count as now; nil: the clock.
    package var asOf: Int64?
    package var rowLimit: Int
    /// The zone of periods and units of time; nil: that of the frame, or of the model.
    package var zone: TimeZoneKey?

    /// A question, alone or on top of `previous`.
    package init(
        _ question: String, frame: Frame? = nil, previous: Frame? = nil, model: String? = nil,
        asOf: Int64? = nil, rowLimit: Int = 1_000, zone: TimeZoneKey? = nil
    ) {
        self.question = question
        self.frame = frame
        self.previous = previous
        self.model = model
        self.asOf = asOf
        self.rowLimit = rowLimit
        self.zone = zone
    }

    /// Rows of an answer at the most.
    package static let rowLimits = 1...10_000

    /// Reads `{"question", "frame", "previous", "model", "asOf", "limit", "zone"}`; `parseTime` reads a moment
    /// in the words of the door.
    package init(
        _ body: JSONCursor, parseTime: (String) -> Int64?
    ) throws(MetricError) {
        do {
            let known = ["question", "frame", "previous", "model", "asOf", "limit", "zone"]
            for name in try body.object().names where !known.contains(name) {
                throw MetricError(
                    .invalidFrame, "unknown member: \(name)",
                    hint: "known: \(known.joined(separator: ", "))")
            }
            self.init(try body["question"].optionalString() ?? "")
            if body["frame"].isPresent { frame = try Frame(body["frame"]) }
            if body["previous"].isPresent { previous = try Frame(body["previous"]) }
            model = try body["model"].optionalString()
            if let text = try body["asOf"].optionalString() {
                guard let time = parseTime(text) else {
                    throw MetricError(
                        .invalidFrame, "asOf is no date or timestamp: \(text)",
                        hint: "such as 2026-11-21 or 2026-11-21T12:00:00Z")
                }
                asOf = time
            }
            rowLimit = try body["limit"].optionalInt() ?? 1_000
            if let name = try body["zone"].optionalString() { zone = try TimeZoneKey(asked: name) }
        } catch let error as MetricError {
            throw error
        } catch let error as JSONError {
            throw MetricError(.invalidFrame, error.message)
        } catch {
            throw MetricError(.invalidFrame, "the body cannot be read")
        }
        guard AskRequest.rowLimits.contains(rowLimit) else {
            throw MetricError(.invalidFrame, "limit lies between 1 and 10000")
        }
        guard frame != nil || !question.isEmpty else {
            throw MetricError(.invalidFrame, "the question is missing")
        }
    }
}

/// What came of a question.
package enum AskOutcome: Sendable {
    case answered(AskAnswer)
    /// The words mean two things; the asker chooses one and sends its frame.
    case ambiguous(question: String, readings: [Reading])
    case refused(question: String, Refusal)

    /// The outcome as the door at `/api/v1/ask` and tools of agents give it.
    package var json: JSONValue {
        switch self {
        case .answered(let answer): return answer.json
        case .ambiguous(let question, let readings):
            return .object([
                ("status", "ambiguous"), ("question", .string(question)),
                ("message", "the question can be read in more than one way; send one frame back"),
                ("readings", .array(readings.map(\.json))),
            ])
        case .refused(let question, let refusal):
            return .object([
                ("status", "refused"), ("question", .string(question)),
                ("code", .string(refusal.code.rawValue)), ("message", .string(refusal.message)),
                ("words", .array(refusal.words.map { .string($0) })),
                ("suggestions", .array(refusal.suggestions.map { .string($0) })),
            ])
        }
    }
}

extension Reading {
    /// The reading with its frame, to be sent back when it is chosen.
    package var json: JSONValue {
        .object([
            ("text", .string(text)), ("frame", frame.json),
            (
                "corrections",
                .array(
                    corrections.map {
                        .object([("typed", .string($0.typed)), ("read", .string($0.read))])
                    })
            ),
            ("notes", .array(notes.map { .string($0) })),
        ])
    }
}

/// An answer with everything that it rests on.
package struct AskAnswer: Sendable {
    /// A table that was read.
    package struct Table: Sendable, Hashable {
        package var name: String
        package var snapshotID: Int64?
        /// What the asker sees of it; empty for everything.
        package var policy: String
    }

    /// A column with its name for people.
    package struct Column: Sendable, Hashable {
        package var name: String
        package var type: String
        package var label: String
        /// `number`, `percent`, `points` (of a percentage), `currency`; empty for breakdowns.
        package var format: String
        package var unit: String
        package var decimals: Int?
    }

    /// How the rows may be drawn: a kind of chart and the columns it uses.
    package struct Chart: Sendable, Hashable {
        package var kind: String
        package var x: String?
        package var y: [String]
        package var series: String?
        /// The column with the value of before.
        package var compare: String?
        package var format: String
    }

    package var question: String
    package var reading: Reading
    package var model: MetricModel
    package var sql: String
    package var tables: [Table]
    package var columns: [Column]
    package var rows: [[JSONValue]]
    package var isTruncated: Bool
    package var scannedRows: Int64
    package var scannedBytes: Int64
    package var milliseconds: Int64
    package var queryID: String
    package var chart: Chart
    /// `grammar`, `endpoint`, or `frame` when the frame was given.
    package var readBy: String
    /// What counted as now: microseconds since 1970 UTC, as text.
    package var asOf: String

    var json: JSONValue {
        .object([
            ("status", "answered"), ("question", .string(question)),
            ("reading", .string(reading.text)), ("readBy", .string(readBy)),
            ("corrections", reading.json.cursor["corrections"].value ?? .null),
            ("notes", .array(reading.notes.map { .string($0) })),
            ("asOf", .string(asOf)),
            (
                "model",
                .object([
                    ("name", .string(model.name)), ("version", .int(model.version)),
                    ("digest", .string(model.digest)),
                ])
            ),
            ("frame", reading.frame.json), ("sql", .string(sql)),
            ("tables", .array(tables.map(\.json))),
            (
                "cost",
                .object([
                    ("rowsScanned", .int(scannedRows)),
                    ("bytesScanned", .int(scannedBytes)),
                    ("milliseconds", .int(milliseconds)),
                ])
            ),
            ("queryId", .string(queryID)), ("columns", .array(columns.map(\.json))),
            ("rows", .array(rows.map { .array($0) })), ("isTruncated", .bool(isTruncated)),
            ("chart", chart.json),
        ])
    }
}

extension AskAnswer.Table {
    fileprivate var json: JSONValue {
        .object([
            ("name", .string(name)),
            ("snapshotId", snapshotID.map { .string(String($0)) } ?? .null),
            ("policy", policy.isEmpty ? .null : .string(policy)),
        ])
    }
}

extension AskAnswer.Column {
    fileprivate var json: JSONValue {
        .object([
            ("name", .string(name)), ("type", .string(type)), ("label", .string(label)),
            ("format", .string(format)), ("unit", .string(unit)),
        ])
    }
}

extension AskAnswer.Chart {
    fileprivate var json: JSONValue {
        .object([
            ("kind", .string(kind)), ("x", x.map { .string($0) } ?? .null),
            ("y", .array(y.map { .string($0) })), ("series", series.map { .string($0) } ?? .null),
            ("compare", compare.map { .string($0) } ?? .null), ("format", .string(format)),
        ])
    }
}
