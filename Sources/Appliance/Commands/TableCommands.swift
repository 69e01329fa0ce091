import Iceberg
import JSON
import TableCatalog

/// `lakehouse table …`: what the catalog keeps about tables beside their data.
enum TableCommands {
    static let all = [dropped, undrop, tags, tag, protect, owner, contracts, contract]

    private static let dropped = Command(
        "table dropped", arguments: "[WAREHOUSE[@BRANCH]]",
        "lists dropped tables that can be had back", options: [Listing.json],
        example: "lakehouse table dropped silver --json",
        place: .appliance { appliance, parsed, streams in
            let context = commandContext()
            let places =
                try parsed.positional.first.map { [CatalogReference(parsing: $0)] }
                ?? appliance.catalog.listWarehouses(context).map {
                    CatalogReference(warehouse: $0.name)
                }
            var rows: [[JSONValue]] = []
            for at in places {
                for entry in try appliance.catalog.listDropped(context, at) {
                    rows.append([
                        .int(entry.id), .string("\(at).\(entry.identifier)"),
                        .string(entry.kind.rawValue), Listing.time(entry.droppedMicroseconds),
                        .string(entry.droppedBy), Listing.time(entry.expiresMicroseconds),
                        .bool(entry.purges),
                    ])
                }
            }
            Listing.print(
                ["id", "name", "kind", "dropped", "by", "expires", "purges"], rows,
                asJSON: parsed.has("json"), streams)
            return 0
        })

    private static let undrop = Command(
        "table undrop", arguments: "WAREHOUSE.SCHEMA.TABLE", "brings a dropped table or view back",
        options: [
            CommandOption("as", value: "SCHEMA.TABLE", "another name for it"),
            CommandOption("id", value: "N", "which, where several had the name (the last)"),
        ], example: "lakehouse table undrop silver.sales.orders",
        place: .appliance { appliance, parsed, streams in
            let (at, table) = try named(parsed)
            let name = try appliance.catalog.undrop(
                commandContext(), at, table, id: try parsed.integer("id").map { Int64($0) },
                as: parsed["as"].map { TableIdentifier(dotted: $0) })
            streams.write("\(at).\(name) is back\n")
            return 0
        })

    private static let tags = Command(
        "table tags", arguments: "WAREHOUSE.SCHEMA.TABLE",
        "shows the tags of a table and its columns",
        options: [Listing.json], example: "lakehouse table tags silver.sales.orders",
        place: .appliance { appliance, parsed, streams in
            let (at, table) = try named(parsed)
            let rows = try appliance.catalog.tags(commandContext(), at, table).map {
                tag -> [JSONValue] in
                [
                    tag.column.map { .string($0) } ?? .null, .string(tag.tag), .string(tag.value),
                    .string(tag.setBy),
                ]
            }
            Listing.print(
                ["column", "tag", "value", "by"], rows, asJSON: parsed.has("json"), streams)
            return 0
        })

    private static let tag = Command(
        "table tag", arguments: "WAREHOUSE.SCHEMA.TABLE TAG[=VALUE]",
        "sets a tag of a table or a column, or removes it",
        options: [
            CommandOption("column", value: "NAME", "the column that it is about"),
            CommandOption("remove", "takes the tag away"),
        ], example: "lakehouse table tag silver.sales.customers pii=email --column email",
        place: .appliance { appliance, parsed, streams in
            let (at, table) = try named(parsed)
            let parts = try parsed.required(1, "TAG").split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let tag = String(parts[0])
            let removes = parsed.has("remove")
            try appliance.catalog.setTags(
                commandContext(), at, table, column: parsed["column"],
                set: removes ? [:] : [tag: parts.count > 1 ? String(parts[1]) : ""],
                remove: removes ? [tag] : [])
            streams.write("\(tag) is \(removes ? "removed" : "set")\n")
            return 0
        })

    private static let protect = Command(
        "table protect", arguments: "WAREHOUSE.SCHEMA.TABLE", "keeps a table from being dropped",
        options: [CommandOption("off", "lets it be dropped again")],
        example: "lakehouse table protect silver.sales.orders",
        place: .appliance { appliance, parsed, streams in
            let (at, table) = try named(parsed)
            let isOn = !parsed.has("off")
            _ = try appliance.catalog.commit(
                commandContext(), at,
                TableCommit(
                    identifier: table, requirements: [],
                    updates: [
                        isOn
                            ? .setProperties([Catalog.protectionProperty: "true"])
                            : .removeProperties([Catalog.protectionProperty])
                    ]))
            streams.write("\(at).\(table) \(isOn ? "is protected" : "can be dropped")\n")
            return 0
        })

    private static let owner = Command(
        "table owner", arguments: "WAREHOUSE.SCHEMA.TABLE [NAME]",
        "tells who a table belongs to, or gives it to somebody",
        example: "lakehouse table owner silver.sales.orders ann",
        place: .appliance { appliance, parsed, streams in
            let (at, table) = try named(parsed)
            if parsed.positional.count > 1 {
                try appliance.catalog.setOwner(
                    commandContext(), at, table, to: parsed.positional[1])
            }
            streams.write(try appliance.catalog.owner(commandContext(), at, table) + "\n")
            return 0
        })

    private static let contracts = Command(
        "contract show", arguments: "WAREHOUSE.SCHEMA.TABLE",
        "shows the rules that every commit to a table keeps", options: [Listing.json],
        example: "lakehouse contract show silver.sales.orders",
        place: .appliance { appliance, parsed, streams in
            let (at, table) = try named(parsed)
            let rows = try appliance.catalog.contracts(commandContext(), at, table).map {
                contract -> [JSONValue] in
                [.string(contract.name), .string(contract.json.encodedText())]
            }
            Listing.print(["name", "rule"], rows, asJSON: parsed.has("json"), streams)
            return 0
        })

    private static let contract = Command(
        "contract set", arguments: "WAREHOUSE.SCHEMA.TABLE NAME [RULE]",
        "declares a rule that every commit to a table keeps, as JSON, or removes it",
        options: [CommandOption("remove", "takes the rule away")],
        example: "lakehouse contract set silver.sales.orders ids "
            + #"'{"rule":"not_null","column":"id"}'"#,
        place: .appliance { appliance, parsed, streams in
            let (at, table) = try named(parsed)
            let name = try parsed.required(1, "NAME")
            if parsed.has("remove") {
                let isGone = try appliance.catalog.removeContract(
                    commandContext(), at, table, name: name)
                streams.write(isGone ? "\(name) is removed\n" : "there is no contract \(name)\n")
                return isGone ? 0 : 1
            }
            let rule = try JSONValue(parsing: try parsed.required(2, "RULE")).cursor
            try appliance.catalog.declare(
                try Contract(name: name, rule), commandContext(), at, table)
            streams.write("\(name) holds from now on\n")
            return 0
        })

    /// `silver@etl.sales.orders`: the warehouse and the table.
    private static func named(
        _ parsed: ParsedArguments
    ) throws -> (CatalogReference, TableIdentifier) {
        let text = try parsed.required(0, "WAREHOUSE.SCHEMA.TABLE")
        let parts = text.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[1].contains(".") else {
            throw ApplianceError(
                .usage, "a table is named WAREHOUSE.SCHEMA.TABLE: \(text)",
                hint: "such as lakehouse.\(text)")
        }
        return (CatalogReference(parsing: parts[0]), TableIdentifier(dotted: parts[1]))
    }
}
