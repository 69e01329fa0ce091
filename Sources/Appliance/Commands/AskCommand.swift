import Authority
import CivilTime
import JSON
import Metrics
import SQLEngine

/// `lakehouse ask` and `lakehouse metric …`.
enum AskCommands {
    static let all = [ask, list, check]

    private static let ask = Command(
        "ask", arguments: "QUESTION [FOLLOW-UP …]",
        "answers a question in plain words over the certified metrics",
        options: [
            CommandOption("json", "prints the whole answer as JSON, one line a question"),
            CommandOption("as-of", value: "TIME", "what counts as now: 2026-11-21"),
            CommandOption("model", value: "NAME", "asks only this model"),
            CommandOption("reading", value: "N", "takes this reading where there are several"),
            CommandOption(
                "zone", value: "ZONE", "the zone of periods, such as Europe/Berlin (the model's)"),
            CommandOption("previous", value: "JSON", "the frame that the question goes on from"),
        ],
        example: "lakehouse ask \"Which regions saw a fraud rate above 5 % last week?\""
            + " \"and the week before?\"",
        place: .appliance { appliance, parsed, streams in
            let asker = appliance.makeAsker(appliance.makeMetricLibrary())
            _ = try parsed.required(0, "QUESTION")
            var previous = try parsed["previous"].map {
                try Frame(JSONValue(parsing: $0).cursor)
            }
            var asOf: Int64?
            if let text = parsed["as-of"] {
                guard let time = AskRoutes.time(text) else {
                    throw ApplianceError(
                        .usage, "--as-of wants a date or a moment: \(text)",
                        hint: "such as 2026-11-21 or 2026-11-21T12:00:00Z")
                }
                asOf = time
            }
            let zone = try parsed["zone"].map { try TimeZoneKey(asked: $0) }
            var code: Int32 = 0
            for question in parsed.positional {
                var outcome = try asker.ask(
                    commandContext(),
                    AskRequest(
                        question, previous: previous, model: parsed["model"], asOf: asOf,
                        zone: zone))
                if case .ambiguous(_, let readings) = outcome,
                    let number = try parsed.integer("reading"),
                    readings.indices.contains(number - 1)
                {
                    outcome = try asker.ask(
                        commandContext(),
                        AskRequest(
                            question, frame: readings[number - 1].frame, asOf: asOf, zone: zone))
                }
                streams.write(
                    parsed.has("json") ? outcome.json.encodedText() + "\n" : text(outcome))
                if case .answered(let answer) = outcome {
                    previous = answer.reading.frame
                } else {
                    code = 1
                }
            }
            return code
        })

    private static let list = Command(
        "metric list", "lists the metrics that can be asked for",
        options: [Listing.json, CommandOption("dimensions", "lists the dimensions instead")],
        example: "lakehouse metric list --json",
        place: .appliance { appliance, parsed, streams in
            let library = appliance.makeMetricLibrary()
            let door = MetricListing(asker: appliance.makeAsker(library))
            let context = commandContext()
            let entries =
                parsed.has("dimensions") ? door.dimensions(context) : door.metrics(context)
            Listing.print(
                [
                    "model", "version", "name", "label", "kind", "expression", "table", "format",
                    "unit", "synonyms", "description",
                ],
                entries.map {
                    [
                        .string($0.model), .int($0.version), .string($0.name), .string($0.label),
                        .string($0.kind), .string($0.expression), .string($0.table),
                        .string($0.format), .string($0.unit), .string($0.synonyms),
                        .string($0.description),
                    ]
                }, asJSON: parsed.has("json"), streams)
            let faults = library.models().faults
            for fault in faults { streams.complain(CommandLine.text(of: fault)) }
            return faults.isEmpty ? 0 : 1
        })

    private static let check = Command(
        "metric check", arguments: "FILE …", "checks files of metrics",
        example: "lakehouse metric check lakehouse-data/metrics/sales.yml",
        place: .here { parsed, streams in
            _ = try parsed.required(0, "FILE")
            var code: Int32 = 0
            for path in parsed.positional {
                guard let text = MetricFiles.text(path) else {
                    throw ApplianceError(.usage, "the file cannot be read: \(path)")
                }
                do throws(MetricError) {
                    let model = try MetricFile.parse(text, path: path)
                    streams.write(
                        "\(path): \(model.name) version \(model.version) (\(model.digest)), "
                            + "\(model.metrics.count) metrics, \(model.dimensions.count) dimensions\n"
                    )
                } catch {
                    streams.complain(CommandLine.text(of: error))
                    code = 1
                }
            }
            return code
        })

    // MARK: For people

    static func text(_ outcome: AskOutcome) -> String {
        switch outcome {
        case .refused(_, let refusal):
            return "\(refusal.message)\n"
                + refusal.suggestions.map { "  \($0)\n" }.joined() + "[\(refusal.code.rawValue)]\n"
        case .ambiguous(_, let readings):
            var text = "The question can be read in more than one way; choose with --reading N:\n"
            for (index, reading) in readings.enumerated() {
                text += "  \(index + 1)  \(reading.text)\n"
            }
            return text
        case .answered(let answer): return self.text(answer)
        }
    }

    private static func text(_ answer: AskAnswer) -> String {
        var text = "read as  \(answer.reading.text)\n"
        for correction in answer.reading.corrections {
            text += "         \(correction.typed) was read as \(correction.read)\n"
        }
        for note in answer.reading.notes { text += "         \(note)\n" }
        text += "\n" + table(answer) + "\n"
        if answer.isTruncated { text += "(the first \(answer.rows.count) rows of more)\n" }
        for table in answer.tables {
            let snapshot = table.snapshotID.map { "snapshot \($0)" } ?? "no snapshot"
            text += "table    \(table.name), \(snapshot)"
            text += table.policy.isEmpty ? ", all rows\n" : ", policy: \(table.policy)\n"
        }
        text +=
            "cost     \(answer.scannedRows) rows scanned, \(AskText.bytes(answer.scannedBytes)), "
            + "\(answer.milliseconds) ms\n"
        text +=
            "model    \(answer.model.name) version \(answer.model.version), as of \(answer.asOf)\n"
        text += "chart    \(answer.chart.kind)\n"
        return text + "\n" + answer.sql + "\n"
    }

    private static func table(_ answer: AskAnswer) -> String {
        let heads = answer.columns.map(\.label)
        let lines = answer.rows.map { row in
            zip(row, answer.columns).map { AskText.cell($0, $1) }
        }
        let widths = heads.indices.map { column in
            max(heads[column].count, lines.map { $0[column].count }.max() ?? 0)
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                cell + String(repeating: " ", count: max(0, widths[index] - cell.count))
            }
            var text = padded.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }
        return line(heads) + line(widths.map { String(repeating: "-", count: $0) })
            + (lines.isEmpty ? "(no rows)\n" : lines.map(line).joined())
    }
}
