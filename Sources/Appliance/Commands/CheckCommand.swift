import JSON
import Platform
import Quality
import SQLEngine
import SQLPlanning
import TableCatalog

/// `lakehouse check …`: checks of tables.
enum CheckCommands {
    static let all = [list, run, results]

    private static let list = Command(
        "check list", arguments: "[TABLE]", "lists the declared checks", options: [Listing.json],
        example: "lakehouse check list silver.banking.transactions --json",
        place: .appliance { appliance, parsed, streams in
            let table = try parsed.positional.first.map { try name($0).table }
            let checks = try appliance.checks.list(commandContext(), table: table)
            Listing.print(
                ["table", "check", "kind", "severity", "options", "source"],
                checks.map {
                    [
                        .string($0.table), .string($0.name), .string($0.kind),
                        .string($0.severity), .string($0.options), .string($0.source),
                    ]
                }, asJSON: parsed.has("json"), streams)
            tellOfProblems(appliance, streams)
            return 0
        })

    /// Mistakes in files of checks, on standard error: lists stay lists.
    static func tellOfProblems(_ appliance: Appliance, _ streams: any CommandStreams) {
        for problem in appliance.checks.problems {
            streams.complain("note: \(problem); what the file declared before stays\n")
        }
    }

    private static let run = Command(
        "check run", arguments: "TABLE",
        "runs a table's checks; the exit code is 1 when one of severity fail failed",
        options: [
            CommandOption("check", value: "NAME", "only this check; repeatable"),
            CommandOption("quarantine", value: "HOW", "copy or move bad rows to quarantine"),
            Listing.json,
        ], example: "lakehouse check run silver@etl.banking.transactions --json",
        place: .appliance { appliance, parsed, streams in
            let (table, at) = try name(try parsed.required(0, "TABLE"))
            var request = AuditRequest(
                table: table, reference: at, runID: appliance.entropy.uuid())
            request.names = parsed.values("check")
            if let text = parsed["quarantine"] {
                guard let mode = QuarantineMode(rawValue: text) else {
                    throw ApplianceError(.usage, "--quarantine wants copy or move: \(text)")
                }
                request.quarantine = mode
            }
            let report = try appliance.checks.audit(commandContext(), request)
            show(report.outcomes, parsed, streams)
            if !parsed.has("json") { streams.write(report.sentence + "\n") }
            return report.isGreen ? 0 : 1
        })

    private static let results = Command(
        "check results", arguments: "[TABLE]", "shows what runs of checks found, newest first",
        options: [
            CommandOption("limit", value: "N", "results at the most (100)"), Listing.json,
        ], example: "lakehouse check results silver.banking.transactions",
        place: .appliance { appliance, parsed, streams in
            let table = try parsed.positional.first.map { try name($0).table }
            let found = try appliance.checks.results(
                commandContext(), table: table, limit: try parsed.integer("limit") ?? 100)
            show(found, parsed, streams)
            return 0
        })

    /// A table and the reference that its warehouse's name came with.
    private static func name(_ text: String) throws -> (table: TableName, at: CatalogReference) {
        guard let name = CheckFile.tableName(text) else {
            throw ApplianceError(
                .usage, "a table is named warehouse.namespace.table: \(text)")
        }
        let at = CatalogReference(parsing: name.catalog)
        return (
            TableName(catalog: at.warehouse, schema: name.schema, table: name.table), at
        )
    }

    private static func show(
        _ outcomes: [CheckOutcome], _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) {
        func number(_ value: Int64?) -> JSONValue { value.map { .int($0) } ?? .null }
        let isJSON = parsed.has("json")
        var headings = [
            "time", "table", "branch", "check", "severity", "status", "failing", "total", "message",
        ]
        if isJSON { headings += ["kind", "run_id", "snapshot_id", "samples"] }
        Listing.print(
            headings,
            outcomes.map { outcome in
                let row: [JSONValue] = [
                    Listing.time(outcome.atMicroseconds),
                    .string("\(outcome.warehouse).\(outcome.schema).\(outcome.table)"),
                    .string(outcome.reference), .string(outcome.check),
                    .string(outcome.severity), .string(outcome.status),
                    number(outcome.failingRows), number(outcome.totalRows),
                    .string(outcome.message),
                ]
                guard isJSON else { return row }
                return row + [
                    .string(outcome.kind), .string(outcome.runID), number(outcome.snapshotID),
                    (try? JSONValue(parsing: outcome.samples)) ?? .array([]),
                ]
            }, asJSON: isJSON, streams)
    }
}
