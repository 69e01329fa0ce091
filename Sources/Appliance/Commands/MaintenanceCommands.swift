import JSON
import Platform

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
