import Connectors
import DiskObjectStorage
import Identity
import Ingest
import JSON
import Ledger
import Models
import Operations
import Platform
import Quality
import SQLite
import TableCatalog

/// `lakehouse doctor`: looks whether everything on disk is as it should be.
enum DoctorCommand {
    static let command = Command(
        "doctor", "checks databases, blobs and tables; changes nothing",
        options: [
            CommandOption("storage", "reads every byte of every blob as well"), Listing.json,
        ], example: "lakehouse doctor --storage",
        place: .appliance { appliance, parsed, streams in
            var findings: [(area: String, problem: String)] = []
            let databases = [
                ("identity.sqlite", appliance.identity.database),
                ("objects.sqlite", appliance.objects.database),
                ("catalog.sqlite", appliance.catalog.outbox),
                ("models.sqlite", appliance.models.database),
                ("connectors.sqlite", appliance.connectors.database),
                (MaintenanceLog.fileName, try appliance.catalog.maintenance.database),
                ("ledger.sqlite", appliance.ledger.database),
                ("quality.sqlite", appliance.checks.database),
                ("operations.sqlite", appliance.watchman.database),
                ("ingest.sqlite", appliance.registry.database),
            ]
            for (name, database) in databases {
                for problem in try database.integrityProblems() { findings.append((name, problem)) }
            }
            let report = try appliance.objects.verify(
                Appliance.systemContext, onlyFast: !parsed.has("storage"))
            for problem in report.problems { findings.append(("objects", "\(problem)")) }
            findings += tableProblems(appliance).map { ("catalog", $0) }
            let rows: [[JSONValue]] = findings.map { [.string($0.area), .string($0.problem)] }
            if parsed.has("json") || !rows.isEmpty {
                Listing.print(["area", "problem"], rows, asJSON: parsed.has("json"), streams)
            } else {
                streams.write("everything is in order\n")
            }
            return rows.isEmpty ? 0 : 1
        })

    /// Tables whose metadata cannot be read.
    private static func tableProblems(_ appliance: Appliance) -> [String] {
        let context = Appliance.systemContext
        var problems: [String] = []
        for warehouse in (try? appliance.catalog.listWarehouses(context)) ?? [] {
            let at = CatalogReferenceOf(warehouse.name)
            at.forEachTable(appliance, context) { identifier in
                do { _ = try appliance.catalog.loadTable(context, at.reference, identifier) } catch
                {
                    problems.append("\(warehouse.name).\(identifier): \(error)")
                }
            }
        }
        return problems
    }
}

/// `lakehouse version`.
enum VersionCommand {
    static let command = Command(
        "version", "prints the version", options: [Listing.json],
        example: "lakehouse version --json",
        place: .here { parsed, streams in
            if parsed.has("json") {
                let value: JSONValue = .object([
                    ("version", .string(CommandLine.version)),
                    ("format", .int(DataDirectory.formatVersion)),
                ])
                streams.write(value.encodedText() + "\n")
            } else {
                streams.write("lakehouse \(CommandLine.version)\n")
            }
            return 0
        })
}

/// `lakehouse config …`.
enum ConfigurationCommands {
    static let all = [
        Command(
            "config show", "prints every setting, its value and where it came from",
            options: [Listing.json], example: "lakehouse config show --json",
            place: .here { parsed, streams in
                let configuration = try CommandLine.configuration(parsed)
                let rows = ApplianceConfiguration.settings.map { setting in
                    let entry = configuration.values[setting.key]
                    return [
                        .string(setting.key), .string(entry?.value ?? ""),
                        .string(entry?.origin.text ?? ""), .string(setting.environmentName),
                        .string(setting.summary),
                    ] as [JSONValue]
                }
                Listing.print(
                    ["setting", "value", "origin", "environment", "summary"], rows,
                    asJSON: parsed.has("json"), streams)
                return 0
            }),
        Command(
            "config check", "checks the configuration without starting",
            example: "lakehouse config check --config lakehouse.yml",
            place: .here { parsed, streams in
                _ = try CommandLine.configuration(parsed)
                streams.write("the configuration is fine\n")
                return 0
            }),
    ]
}
