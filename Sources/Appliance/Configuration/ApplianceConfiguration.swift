import Diagnostics
import Platform
import YAML

/// Every setting with its value and where that came from: default, file, environment or flag, the
/// later one wins. An unknown key is a fault that names the nearest one.
package struct ApplianceConfiguration: Sendable {
    /// Where a value came from.
    package enum Origin: Sendable, Hashable {
        case builtIn, file(String), environment(String), flag(String)

        package var text: String {
            switch self {
            case .builtIn: "default"
            case .file(let path): "file \(path)"
            case .environment(let name): "environment \(name)"
            case .flag(let name): "flag \(name)"
            }
        }
    }

    package private(set) var values: [String: (value: String, origin: Origin)] = [:]
    /// What `catalogs.<name>.<property>` of the file says, by name and property.
    package private(set) var catalogs: [String: [String: (value: String, origin: Origin)]] = [:]

    /// All settings, in the order in which they are shown.
    package static let settings: [Setting] = [
        Setting(
            key: "data", kind: .text, defaultValue: "./lakehouse-data",
            summary: "the data directory; delete it and everything is gone"),
        Setting(
            key: "listen", kind: .text, defaultValue: "127.0.0.1",
            summary: "the address to listen on; 0.0.0.0 for every interface"),
        Setting(
            key: "public-url", kind: .text, defaultValue: "",
            summary:
                "how browsers and tokens name this server; default http://localhost:<console port>"),
        Setting(
            key: "ports.console", kind: .integer(0...65535), defaultValue: "8080",
            summary: "console, SQL, catalog and identity; 0 picks a free port"),
        Setting(
            key: "ports.s3", kind: .integer(0...65535), defaultValue: "9000",
            summary: "S3; 0 picks a free port"),
        Setting(
            key: "tls.names", kind: .list, defaultValue: "",
            summary: "further host names for the certificate, separated by commas"),
        Setting(
            key: "hosts", kind: .list, defaultValue: "",
            summary: "further host names that browsers may use, separated by commas"),
        Setting(
            key: "trust-loopback", kind: .boolean, defaultValue: "false",
            summary: "lets Trino clients on this machine name their user without a password"),
        Setting(
            key: "engine.threads", kind: .integer(0...1024), defaultValue: "0",
            summary: "worker threads of the SQL engine; 0: one a core"),
        Setting(
            key: "engine.memory-limit", kind: .size(16 << 20...1 << 50), defaultValue: "0b",
            summary: "memory for all queries together; 0b: 60 % of the machine's"),
        Setting(
            key: "http.max-connections", kind: .integer(8...1_000_000), defaultValue: "4096",
            summary: "open connections in all"),
        Setting(
            key: "http.max-connections-per-address", kind: .integer(1...1_000_000),
            defaultValue: "2048", summary: "open connections of one address"),
        Setting(
            key: "pipelines", kind: .text, defaultValue: "",
            summary: "a folder of pipeline files; default <data>/pipelines"),
        Setting(
            key: "dashboards", kind: .text, defaultValue: "",
            summary: "a folder of dashboard files; default <data>/dashboards"),
        Setting(
            key: "metrics", kind: .text, defaultValue: "",
            summary: "a folder of metrics files; default <data>/metrics"),
        Setting(
            key: "ask.endpoint", kind: .text, defaultValue: "",
            summary:
                "an OpenAI-compatible endpoint that may fill frames of questions; default none"),
        Setting(
            key: "ask.endpoint-model", kind: .text, defaultValue: "",
            summary: "the model that the endpoint shall use"),
        Setting(
            key: "ask.endpoint-key-file", kind: .text, defaultValue: "",
            summary: "a file that holds the endpoint's key"),
        Setting(
            key: "alerts.webhook", kind: .text, defaultValue: "",
            summary: "an http or https address that alerts are posted to as JSON; default none"),
        Setting(
            key: "alerts.interval-seconds", kind: .integer(1...3600), defaultValue: "30",
            summary: "how often the process is looked at"),
        Setting(
            key: "alerts.hold-seconds", kind: .integer(0...86_400), defaultValue: "60",
            summary: "how long a condition has to hold before its alert is raised"),
        Setting(
            key: "alerts.disk-percent", kind: .integer(0...100), defaultValue: "80",
            summary: "use of the data directory's disk above which an alert is raised"),
        Setting(
            key: "alerts.memory-percent", kind: .integer(0...100), defaultValue: "80",
            summary: "use of the memory that the process may have above which an alert is raised"),
        Setting(
            key: "alerts.connection-percent", kind: .integer(0...100), defaultValue: "80",
            summary:
                "use of connections, or of the queue of queries, above which an alert is raised"),
        Setting(
            key: "alerts.job-failure-percent", kind: .integer(0...100), defaultValue: "20",
            summary:
                "steps of pipelines that failed within 15 minutes above which an alert is raised"),
        Setting(
            key: "maintenance.nightly", kind: .boolean, defaultValue: "true",
            summary: "keeps all tables in shape at 03:00 UTC, by their policies"),
        Setting(
            key: "maintenance.min-retention", kind: .text, defaultValue: "7d",
            summary:
                "the shortest retention that ALTER TABLE EXECUTE may ask for, unless its session says so"
        ),
        Setting(
            key: "drain-seconds", kind: .integer(0...3600), defaultValue: "10",
            summary: "how long a stop waits for requests and queries"),
        Setting(
            key: "log.level", kind: .choice(["debug", "info", "notice", "warning", "error"]),
            defaultValue: "notice", summary: "the least severe event that is logged"),
        Setting(
            key: "log.format", kind: .choice(["text", "json"]), defaultValue: "text",
            summary: "how events are written to standard error"),
        Setting(
            key: "assets", kind: .text, defaultValue: "",
            summary: "serve web/, seeds/ and demos/ from this folder instead of the binary"),
        Setting(
            key: "clock", kind: .text, defaultValue: "",
            summary: "a file that holds the wall time to use, for tests"),
    ]

    /// The defaults alone.
    package init() {
        for setting in ApplianceConfiguration.settings {
            values[setting.key] = (setting.defaultValue, .builtIn)
        }
    }

    /// Reads all sources. `flags` are settings by key.
    package static func load(
        file: String?, environment: (String) -> String?, flags: [(key: String, value: String)]
    ) throws -> ApplianceConfiguration {
        var configuration = ApplianceConfiguration()
        if let file { try configuration.read(file: file) }
        for setting in settings {
            if let value = environment(setting.environmentName) {
                try configuration.set(
                    setting.key, value, from: .environment(setting.environmentName))
            }
        }
        for (key, value) in flags { try configuration.set(key, value, from: .flag("--\(key)")) }
        return configuration
    }

    /// Gives one setting a value.
    package mutating func set(_ key: String, _ value: String, from origin: Origin)
        throws(ApplianceError)
    {
        let levels = key.split(separator: ".", maxSplits: 2)
        if levels.count == 3, levels[0] == "catalogs" {
            catalogs[levels[1].lowercased(), default: [:]][String(levels[2])] = (value, origin)
            return
        }
        guard let setting = ApplianceConfiguration.settings.first(where: { $0.key == key }) else {
            let near = nearestName(to: key, among: ApplianceConfiguration.settings.map(\.key))
            throw ApplianceError(
                .unknownSetting, "unknown setting (\(origin.text)): \(key)",
                hint: near.map { "did you mean \($0)?" } ?? "`lakehouse config show` lists them")
        }
        // Zero stands for "decide by the machine" where the default is zero.
        if value != setting.defaultValue, let wanted = setting.complaint(about: value) {
            throw ApplianceError(
                .invalidSetting, "\(key) (\(origin.text)) must be \(wanted): \(value)",
                hint: setting.summary)
        }
        values[key] = (value, origin)
    }

    /// Replaces ports that are 0 by free ones. Tokens name their issuer by its port, so ports must be
    /// known before anything is made.
    package mutating func chooseFreePorts() throws {
        var probes: [ListeningSocket] = []
        for key in ["ports.console", "ports.s3"] where integer(key) == 0 {
            guard let address = try SocketAddress.resolve(host: "127.0.0.1", port: 0).first else {
                continue
            }
            let probe = try ListeningSocket(address)
            probes.append(probe)
            let origin = values[key]?.origin ?? .builtIn
            values[key] = ("\(probe.address.port)", origin)
        }
        for probe in probes { probe.close() }
    }

    private mutating func read(file: String) throws {
        let bytes: [UInt8]
        do { bytes = try LocalFileSystem().readAll(file, limit: 1 << 20) } catch {
            throw ApplianceError(
                .unreadableConfiguration, "cannot read the configuration: \(file)",
                hint: "give a file that exists with --config", cause: error)
        }
        for (key, value) in try flattened(bytes, file) { try set(key, value, from: .file(file)) }
    }

    // MARK: Access

    package func text(_ key: String) -> String { values[key]?.value ?? "" }
    package func integer(_ key: String) -> Int { Int(text(key)) ?? 0 }
    package func flag(_ key: String) -> Bool { text(key) == "true" }
    package func size(_ key: String) -> Int { parseSize(text(key)).map { Int($0) } ?? 0 }
    package func list(_ key: String) -> [String] {
        text(key).split(separator: ",").map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }
}
