import Authority
import JSON
import Platform
import Quality
import SQLEngine
import SQLPlanning
import TableCatalog

/// `lakehouse maintain …`: tables are kept in shape, at once or by what the night does.
enum MaintainCommands {
    static let all = [policy, log, maintain]

    private static let maintain = Command(
        "maintain", arguments: "TABLE… | --all",
        "optimizes tables, expires snapshots, removes orphan files, as their policies say",
        options: [
            CommandOption(
                "all", "every table on main but _*, and the branches that failed runs left"),
            CommandOption("dry-run", "tells what would be done, and changes nothing"),
            CommandOption(
                "operations", value: "LIST",
                "instead of the policy's: optimize,optimize_manifests,expire_snapshots,"
                    + "remove_orphan_files"),
            CommandOption("retention", value: "TIME", "instead of the policy's, such as 7d"),
            Listing.json,
        ], example: "lakehouse maintain silver.banking.transactions --dry-run",
        place: .appliance { appliance, parsed, streams in
            var request = MaintenanceRequest(runID: appliance.entropy.uuid())
            guard parsed.has("all") != !parsed.positional.isEmpty else {
                throw ApplianceError(.usage, "either name tables or give --all")
            }
            for text in parsed.positional {
                guard let name = CheckFile.tableName(text) else {
                    throw ApplianceError(
                        .usage, "a table is named warehouse.namespace.table: \(text)")
                }
                request.tables.append(
                    (
                        CatalogReference(parsing: name.catalog),
                        TableIdentifier(
                            namespace: name.schema.split(separator: ".").map(String.init),
                            name: name.table)
                    ))
            }
            request.isDryRun = parsed.has("dry-run")
            if let text = parsed["operations"] {
                do throws(CatalogError) {
                    request.operations = try MaintenancePolicy.operations(text, "--operations")
                } catch { throw ApplianceError(.usage, error.message, hint: error.hint) }
            }
            if let text = parsed["retention"] {
                guard MaintenanceDuration(text) != nil else {
                    throw ApplianceError(.usage, "--retention wants a time such as 7d: \(text)")
                }
                request.retention = text
            }
            let summary = try appliance.maintainer.run(commandContext(), request) { _ in }
            let records = try appliance.catalog.maintenanceRecords(
                commandContext(), runID: request.runID)
            show(records.reversed(), parsed, streams)
            if !parsed.has("json") { streams.write(summary.sentence + "\n") }
            return summary.failures.isEmpty ? 0 : 1
        })

    private static let log = Command(
        "maintain log", "shows what maintenance did, newest first",
        options: [
            CommandOption("limit", value: "N", "operations at the most (100)"), Listing.json,
        ], example: "lakehouse maintain log --limit 20",
        place: .appliance { appliance, parsed, streams in
            let records = try appliance.catalog.maintenanceRecords(
                commandContext(), limit: try parsed.integer("limit") ?? 100)
            show(records, parsed, streams)
            return 0
        })

    private static func show(
        _ records: some Sequence<MaintenanceRecord>, _ parsed: ParsedArguments,
        _ streams: any CommandStreams
    ) {
        let isJSON = parsed.has("json")
        func number(_ value: Int64?) -> JSONValue { value.map { .int($0) } ?? .null }
        func counts(_ footprint: TableFootprint?) -> [JSONValue] {
            [
                number(footprint.map { Int64($0.snapshots) }),
                number(footprint.map { Int64($0.files) }), number(footprint?.bytes),
            ]
        }
        var headings = ["started", "table", "operation", "state", "message"]
        if isJSON {
            headings += [
                "run_id", "dry_run", "snapshots_before", "files_before", "bytes_before",
                "snapshots_after", "files_after", "bytes_after",
            ]
        }
        Listing.print(
            headings,
            records.map { record in
                let name = record.namespace + (record.table.isEmpty ? [] : [record.table])
                let row: [JSONValue] = [
                    Listing.time(record.startedMicroseconds),
                    .string((["\(record.at)"] + name).joined(separator: ".")),
                    .string(record.operation), .string(record.outcome.rawValue),
                    .string(record.message),
                ]
                guard isJSON else { return row }
                return row + [.string(record.runID), .bool(record.isDryRun)]
                    + counts(record.before) + counts(record.after)
            }, asJSON: isJSON, streams)
    }

    // MARK: Policies

    private static let policy = Command(
        "maintain policy", arguments: "SCOPE [NAME=VALUE…]",
        "shows the policy of a warehouse, namespace or table, or changes what it says itself",
        options: [Listing.json],
        example: "lakehouse maintain policy silver.banking retention=3d operations=optimize",
        place: .appliance { appliance, parsed, streams in
            let scope = try parsed.required(0, "SCOPE")
            var set: [String: String] = [:]
            var remove: [String] = []
            for pair in parsed.positional.dropFirst() {
                let parts = pair.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false
                ).map(String.init)
                guard parts.count == 2 else {
                    throw ApplianceError(
                        .usage, "NAME=VALUE is wanted: \(pair)",
                        hint: "NAME= takes the property away")
                }
                let key = MaintenancePolicy.prefix + parts[0]
                if parts[1].isEmpty { remove.append(key) } else { set[key] = parts[1] }
            }
            // Before anything is changed: names and values have to make sense.
            var probe = MaintenancePolicy()
            try probe.apply(set)
            try probe.apply(
                Dictionary(remove.map { ($0, example(of: $0)) }) { first, _ in first })
            let policy = try change(appliance, scope, set, remove)
            var rows: [[JSONValue]] = [
                [.string("enabled"), .string(policy.isEnabled ? "true" : "false")],
                [
                    .string("operations"),
                    .string(policy.operations.map(\.rawValue).joined(separator: ",")),
                ],
                [.string("retention"), .string(policy.retention)],
                [
                    .string("optimize.file-size-threshold"), .string(policy.fileSizeThreshold),
                ],
            ]
            if let count = policy.retainLast {
                rows.append([.string("retain-last"), .string(String(count))])
            }
            Listing.print(["name", "value"], rows, asJSON: parsed.has("json"), streams)
            return 0
        })

    /// A value that a property may have, to check the name of one that is taken away.
    private static func example(of key: String) -> String {
        switch key.dropFirst(MaintenancePolicy.prefix.count) {
        case "enabled": "true"
        case "operations": "optimize"
        case "retention": "7d"
        case "optimize.file-size-threshold": "10MB"
        default: "1"
        }
    }

    /// Changes the properties of a scope, if there is anything to change; the policy that holds then.
    private static func change(
        _ appliance: Appliance, _ scope: String, _ set: [String: String], _ remove: [String]
    ) throws -> MaintenancePolicy {
        let context = commandContext()
        let catalog = appliance.catalog
        let parts = scope.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let at = CatalogReference(parsing: parts[0])
        let levels = Array(parts.dropFirst())
        let isChange = !set.isEmpty || !remove.isEmpty
        if levels.isEmpty {
            if isChange {
                try catalog.updateWarehouse(context, name: at.warehouse, set: set, remove: remove)
            }
            return try catalog.maintenancePolicy(context, warehouse: at.warehouse)
        }
        // A namespace comes before a table of the same name.
        let namespace = try? catalog.namespace(context, at, levels)
        if namespace != nil || levels.count == 1 {
            if isChange {
                _ = try catalog.updateNamespace(context, at, levels, set: set, remove: remove)
            }
            return try catalog.maintenancePolicy(context, at, namespace: levels)
        }
        let table = TableIdentifier(namespace: Array(levels.dropLast()), name: levels.last ?? "")
        if isChange { try catalog.setProperties(context, at, table, set: set, remove: remove) }
        return try catalog.maintenancePolicy(context, at, table)
    }
}
