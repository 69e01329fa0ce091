import Authority
import Ingest
import JSON
import Platform

/// `lakehouse ingest FILE … --into TABLE`.
enum IngestCommand {
    private static let name = "ingest"
    private static let example =
        "lakehouse ingest sales/*.csv --into bronze.shop.sales --partition 'day(booked_at)'"

    static let command = work.command(
        name, arguments: "FILE …",
        "brings files (CSV, JSON lines, Parquet) into a table with one commit", example: example)

    static let inside = work.inside(name, arguments: command.arguments, example: example)

    private static let work = DataWork(
        options: [
            CommandOption("into", value: "TABLE", "warehouse.namespace.table; made when absent"),
            CommandOption("mode", value: "MODE", "append (default) or replace"),
            CommandOption(
                "partition", value: "FIELD", "of a new table, as region or day(ts); repeatable"),
            CommandOption(
                "format", value: "FORMAT", "csv, tsv, jsonl or parquet, whatever the names"),
            Listing.json,
        ]) { appliance, parsed, streams in
            guard !parsed.positional.isEmpty else {
                throw ApplianceError(.usage, "an argument is missing: FILE", hint: "see --help")
            }
            guard let table = parsed["into"] else {
                throw ApplianceError(
                    .usage, "--into TABLE is missing", hint: "such as --into bronze.shop.sales")
            }
            guard let mode = IngestMode(rawValue: parsed["mode"] ?? "append") else {
                throw ApplianceError(
                    .usage, "--mode knows append and replace: \(parsed["mode"] ?? "")")
            }
            let ingest = try FileIngest(
                into: table, mode: mode, partition: parsed.values("partition"),
                format: parsed["format"])
            let report = try ingest.run(
                commandContext(), try parsed.positional.map { try LocalFileReader(path: $0) },
                with: appliance.ingestor,
                identity: IngestIdentity(runID: appliance.entropy.uuid(), stepID: name)
            ) { streams.complain("  \($0)\n") }
            guard parsed.has("json") else {
                streams.write(
                    report.wasDone
                        ? "\(report.target): this version of the file is there already\n"
                        : report.sentence + "\n")
                return 0
            }
            let value: JSONValue = .object([
                ("table", .string("\(report.target)")), ("rows", .int(Int64(report.rowsInserted))),
                ("files", .int(Int64(report.filesAdded))), ("wasDone", .bool(report.wasDone)),
                ("createdTable", .bool(report.createdTable)),
                ("changedColumns", .array(report.changedColumns.map { .string($0) })),
                // As text: a snapshot's id does not fit every reader's numbers.
                ("snapshotId", report.snapshotID.map { .string("\($0)") } ?? .null),
            ])
            streams.write(value.encodedText(.pretty) + "\n")
            return 0
        }
}
