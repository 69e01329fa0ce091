import JSON
import TableCatalog

/// `lakehouse branch …`: branches and tags of whole warehouses.
enum BranchCommands {
    static let all = [list, create, tag, diff, merge, delete, log]

    private static let list = Command(
        "branch list", arguments: "[WAREHOUSE]", "lists branches and tags",
        options: [Listing.json], example: "lakehouse branch list silver --json",
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            let names =
                try parsed.positional.first.map { [$0] }
                ?? appliance.catalog.listWarehouses(context).map(\.name)
            var rows: [[JSONValue]] = []
            for name in names {
                for found in try appliance.catalog.references(context, warehouse: name) {
                    rows.append([
                        .string(found.at.warehouse), .string(found.at.reference),
                        .string(found.kind.rawValue), found.parent.map { .string($0) } ?? .null,
                        .string(found.createdBy), Listing.time(found.createdMicroseconds),
                        found.commitID.map { .int($0) } ?? .null,
                    ])
                }
            }
            Listing.print(
                ["warehouse", "name", "kind", "from", "by", "created", "commit"], rows,
                asJSON: parsed.has("json"), streams)
            return 0
        })

    private static let from = CommandOption("from", value: "REF", "what it begins as (main)")

    private static let create = Command(
        "branch create", arguments: "WAREHOUSE@NAME", "makes a branch of a whole warehouse",
        options: [from], example: "lakehouse branch create silver@etl",
        place: .appliance { appliance, parsed, streams in
            try make(appliance, parsed, .branch, streams)
        })

    private static let tag = Command(
        "branch tag", arguments: "WAREHOUSE@NAME", "names the present state, which then stays",
        options: [from], example: "lakehouse branch tag silver@month-end",
        place: .appliance { appliance, parsed, streams in
            try make(appliance, parsed, .tag, streams)
        })

    private static func make(
        _ appliance: Appliance, _ parsed: ParsedArguments, _ kind: ReferenceKind,
        _ streams: any CommandStreams
    ) throws -> Int32 {
        let at = try reference(parsed)
        let made = try appliance.catalog.createReference(
            commandContext(), at, from: parsed["from"] ?? "main", kind: kind)
        streams.write("\(made.at): \(kind.rawValue) of \(made.parent ?? "main")\n")
        return 0
    }

    private static let diff = Command(
        "branch diff", arguments: "WAREHOUSE@NAME",
        "shows what a branch changed, and how it would be merged", options: [Listing.json],
        example: "lakehouse branch diff silver@etl --json",
        place: .appliance { appliance, parsed, streams in
            let changes = try appliance.catalog.diff(commandContext(), try reference(parsed))
            show(changes, parsed, streams)
            return 0
        })

    private static let merge = Command(
        "branch merge", arguments: "WAREHOUSE@NAME",
        "brings a branch's changes onto its parent, all of them or none",
        options: [
            CommandOption("into", value: "REF", "the parent that is meant"),
            CommandOption("delete", "deletes the branch afterwards"),
            CommandOption("dry-run", "only shows what would happen"), Listing.json,
        ], example: "lakehouse branch merge silver@etl --delete",
        place: .appliance { appliance, parsed, streams in
            let report = try appliance.catalog.merge(
                commandContext(), try reference(parsed), into: parsed["into"],
                deletes: parsed.has("delete"), isDryRun: parsed.has("dry-run"))
            show(report.changes, parsed, streams)
            return report.conflicts.isEmpty ? 0 : 1
        })

    private static let delete = Command(
        "branch delete", arguments: "WAREHOUSE@NAME", "deletes a branch or tag",
        example: "lakehouse branch delete silver@etl",
        place: .appliance { appliance, parsed, streams in
            let at = try reference(parsed)
            try appliance.catalog.dropReference(commandContext(), at)
            streams.write("\(at) is deleted\n")
            return 0
        })

    private static let log = Command(
        "branch log", arguments: "WAREHOUSE[@NAME]", "shows the commits of a branch, newest first",
        options: [CommandOption("limit", value: "N", "commits at the most (100)"), Listing.json],
        example: "lakehouse branch log silver@etl",
        place: .appliance { appliance, parsed, streams in
            let at = CatalogReference(parsing: try parsed.required(0, "WAREHOUSE[@NAME]"))
            let commits = try appliance.catalog.log(
                commandContext(), at, limit: try parsed.integer("limit") ?? 100)
            Listing.print(
                ["commit", "branch", "time", "by", "operation", "subject"],
                commits.map { commit in
                    [
                        .int(commit.id), .string(commit.reference),
                        Listing.time(commit.atMicroseconds), .string(commit.principal),
                        .string(commit.operation), .string(commit.subject),
                    ]
                }, asJSON: parsed.has("json"), streams)
            return 0
        })

    private static func reference(_ parsed: ParsedArguments) throws -> CatalogReference {
        let text = try parsed.required(0, "WAREHOUSE@NAME")
        guard text.dropFirst().contains("@") else {
            throw ApplianceError(
                .usage, "a branch is named WAREHOUSE@NAME: \(text)",
                hint: "such as silver@\(text)")
        }
        return CatalogReference(parsing: text)
    }

    private static func show(
        _ changes: [BranchChange], _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) {
        if changes.isEmpty, !parsed.has("json") {
            streams.write("nothing was changed\n")
            return
        }
        func number(_ value: Int64?) -> JSONValue { value.map { .int($0) } ?? .null }
        Listing.print(
            [
                "name", "kind", "change", "outcome", "base_snapshot", "snapshot", "base_rows",
                "rows", "reason",
            ],
            changes.map { change in
                [
                    .string(change.subject), .string(change.entry),
                    .string(change.change.rawValue), .string(change.outcome.rawValue),
                    number(change.baseSnapshotID), number(change.snapshotID),
                    number(change.baseRowCount), number(change.rowCount),
                    change.reason.map { .string($0) } ?? .null,
                ]
            }, asJSON: parsed.has("json"), streams)
    }
}
