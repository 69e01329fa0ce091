import Authority
import CivilTime
import ConsoleAPI
import Dashboards
import Iceberg
import Ingest
import JSON
import Jobs
import TableCatalog

/// `lakehouse watermark …`: up to where pipelines have read their sources.
///
/// Two kinds are known: steps of kind `ingest` that merge incrementally keep theirs with the snapshots of
/// their table, and pipelines of SQL keep a row in a table `_watermarks` (`pipeline`, `watermark`,
/// `updated_at`).
enum WatermarkCommands {
    static let all = [show, reset]

    private static let show = Command(
        "watermark show", arguments: "[PIPELINE]", "shows up to where pipelines have read",
        options: [Listing.json], example: "lakehouse watermark show sales --json",
        place: .appliance { appliance, parsed, streams in
            let found = try Watermarks(appliance).all(parsed.positional.first)
            Listing.print(
                ["pipeline", "step", "table", "watermark", "deletions", "since"],
                found.map { mark in
                    func text(_ value: String?) -> JSONValue {
                        value.map { .string($0) } ?? .null
                    }
                    return [
                        .string(mark.pipeline), text(mark.step), .string(mark.table),
                        text(mark.rows), text(mark.deletions),
                        mark.atMicroseconds.map { Listing.time($0) } ?? .null,
                    ]
                }, asJSON: parsed.has("json"), streams)
            return 0
        })

    private static let reset = Command(
        "watermark reset", arguments: "PIPELINE",
        "takes a pipeline's watermarks back: its next run compares everything",
        options: [
            CommandOption("step", value: "STEP", "only the one of this step"), Listing.json,
        ], example: "lakehouse watermark reset sales",
        place: .appliance { appliance, parsed, streams in
            let name = try parsed.required(0, "PIPELINE")
            let marks = Watermarks(appliance)
            let found = try marks.all(name).filter { mark in
                parsed["step"].map { $0 == mark.step } ?? true
            }
            guard !found.isEmpty else {
                throw ApplianceError(
                    .usage, "pipeline \(name) keeps no watermark",
                    hint: "`lakehouse watermark show` lists those that do")
            }
            var tables: [String] = []
            for mark in found where try marks.reset(mark) { tables.append(mark.table) }
            if parsed.has("json") {
                let value: JSONValue = .object([
                    ("pipeline", .string(name)), ("reset", .array(tables.map { .string($0) })),
                ])
                streams.write(value.encodedText(.pretty) + "\n")
            } else if tables.isEmpty {
                streams.write("\(name) had no watermark\n")
            } else {
                streams.write("\(name) begins anew at \(tables.joined(separator: ", "))\n")
            }
            return 0
        })
}

/// Finds and resets watermarks of both kinds.
private struct Watermarks {
    struct Mark {
        var pipeline: String
        /// nil for a row of a table of watermarks.
        var step: String?
        var table: String
        var target: IngestTarget?
        var rows: String?
        var deletions: String?
        var atMicroseconds: Int64?
    }

    private let appliance: Appliance
    private let context = commandContext()
    private static let tableName = "_watermarks"

    init(_ appliance: Appliance) { self.appliance = appliance }

    /// The watermarks of one pipeline, or of all.
    func all(_ pipeline: String?) throws -> [Mark] {
        if let pipeline { _ = try appliance.jobs.pipeline(context, pipeline) }
        var found: [Mark] = []
        for summary in try appliance.jobs.pipelines(context)
        where pipeline == nil || summary.name == pipeline {
            let steps = try appliance.jobs.pipeline(context, summary.name).document?.steps ?? []
            for step in steps where step.kind == "ingest" {
                guard let request = try? IngestRequest(step.options), request.mode == .merge,
                    request.incremental != nil || request.deletions?.incremental != nil
                else { continue }
                let mark = try appliance.ingestor.watermark(context, request.target)
                found.append(
                    Mark(
                        pipeline: summary.name, step: step.id, table: "\(request.target)",
                        target: request.target, rows: mark?.rows, deletions: mark?.deletions,
                        atMicroseconds: mark?.atMicroseconds))
            }
        }
        // A table of that name with other columns is somebody else's.
        for table in try tables() { found += (try? rows(of: table, pipeline)) ?? [] }
        return found
    }

    /// Takes a watermark back; whether there was one.
    func reset(_ mark: Mark) throws -> Bool {
        if let target = mark.target {
            return try appliance.ingestor.resetWatermark(context, target)
        }
        let name = mark.pipeline.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "''")
        let answer = try run("DELETE FROM \(mark.table) WHERE pipeline = '\(name)'")
        return (answer.updateCount ?? 0) > 0
    }

    // MARK: Tables of watermarks

    private func tables() throws -> [String] {
        var found: [String] = []
        for warehouse in try appliance.catalog.listWarehouses(context) {
            CatalogReferenceOf(warehouse.name).forEachTable(appliance, context) { identifier in
                guard identifier.name == Self.tableName else { return }
                let parts = [warehouse.name, identifier.namespace.joined(separator: ".")]
                found.append(
                    (parts + [identifier.name]).map(Self.quoted).joined(separator: "."))
            }
        }
        return found
    }

    private func rows(of table: String, _ pipeline: String?) throws -> [Mark] {
        let answer = try run(
            "SELECT CAST(pipeline AS varchar), CAST(watermark AS varchar), "
                + "CAST(to_unixtime(updated_at) * 1e6 AS bigint) FROM \(table) ORDER BY 1")
        return answer.data.rows.compactMap { row in
            guard row.count == 3, case .text(let name) = row[0],
                pipeline == nil || name == pipeline
            else { return nil }
            var mark = Mark(pipeline: name, table: table)
            if case .text(let text) = row[1] { mark.rows = text }
            if case .integer(let at) = row[2] { mark.atMicroseconds = at }
            return mark
        }
    }

    private func run(_ sql: String) throws -> QueryAnswer {
        let runner = EngineQueryRunner(engine: appliance.queries, zones: appliance.zones)
        var request = QueryRequest(sql, rowLimit: 10_000)
        request.mayChange = true
        return try runner.run(context, request)
    }

    private static func quoted(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy {
            $0 == 0x5F || ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39)
        }
        if isPlain { return name }
        return "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\"") + "\""
    }
}
