import Authority
import CivilTime
import Platform
import SQLEngine
import Vectors

/// `lakehouse sql`: over files in this process, or over the data of a directory.
enum SQLCommand {
    static let command = Command(
        "sql", arguments: "[[NAME=]FILE.parquet|.csv|.jsonl …]",
        "runs SQL over files, over the data directory (inside its server when one runs), or on a server",
        options: [
            CommandOption("command", letter: "c", value: "TEXT", "the statements to run"),
            CommandOption("file", letter: "f", value: "FILE", "runs the statements of a file"),
            CommandOption("csv", "prints CSV with a header"),
            CommandOption("json", "prints one JSON object a row"),
            CommandOption("markdown", "prints a Markdown table"),
            CommandOption("timing", "prints rows and time of each statement"),
            CommandOption("catalog", value: "NAME", "the default catalog (default lakehouse)"),
            CommandOption("schema", value: "NAME", "the default schema"),
            CommandOption("threads", value: "N", "worker threads (default one a core)"),
            CommandOption("memory-limit", value: "SIZE", "memory for the query, such as 512MiB"),
        ] + RemoteSQL.options,
        notes: """
            Each file is a table named after its stem: data/lineitem.parquet is lineitem. NAME=FILE names it
            otherwise. Two files of one stem are refused, unless both are given one NAME: then they are
            read as one table.
            """,
        example: "lakehouse sql -c \"select count(*) from lineitem\" data/lineitem.parquet",
        place: .here { parsed, streams in
            try Processor.require()
            Signals.ignoreBrokenPipes()
            try requireOneFormat(parsed)
            _ = try parsed.count("threads", limit: 1024)
            _ = try memoryLimit(parsed)
            let script = try script(parsed)
            if let server = parsed["server"] {
                return try RemoteSQL.run(parsed, server: server, script, streams)
            }
            for name in ["user", "password-file", "ca", "insecure"] where parsed.has(name) {
                throw ApplianceError(.usage, "--\(name) goes with --server URL")
            }
            if parsed.positional.isEmpty { return try overDirectory(parsed, script, streams) }
            return try overFiles(parsed, script, streams)
        })

    /// The same, inside of the server that has the directory open.
    static let inside = Command(
        "sql", "runs SQL", options: command.options, example: command.example,
        place: .appliance { appliance, parsed, streams in
            try requireOneFormat(parsed)
            guard let script = try script(parsed) else { return 2 }
            return try run(
                appliance.queries, appliance.zones, commandContext(), parsed, script,
                catalog: "lakehouse", schema: nil, streams)
        })

    /// Runs a script for somebody over an appliance that is open.
    static func runOver(
        _ appliance: Appliance, _ context: RequestContext, _ parsed: ParsedArguments,
        _ script: String, _ streams: any CommandStreams
    ) throws -> Int32 {
        try requireOneFormat(parsed)
        return try run(
            appliance.queries, appliance.zones, context, parsed, script, catalog: "lakehouse",
            schema: nil, streams)
    }

    /// What is to be run; nil: statements are typed.
    private static func script(_ parsed: ParsedArguments) throws -> String? {
        if let text = parsed["command"] {
            if let file = parsed["file"] {
                throw ApplianceError(
                    .usage, "-c and -f \(file) are both given",
                    hint: "run the file first: lakehouse sql -f \(file) && lakehouse sql -c …")
            }
            return text
        }
        guard let path = parsed["file"] else { return nil }
        let bytes = try LocalFileSystem().readAll(path, limit: 64 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ApplianceError(.usage, "the file is not UTF-8: \(path)")
        }
        return text
    }

    // MARK: Over files

    private static func overFiles(
        _ parsed: ParsedArguments, _ script: String?, _ streams: any CommandStreams
    ) throws -> Int32 {
        let limit = try memoryLimit(parsed) ?? 0
        let spill = try LocalFileSystem().makeTemporaryDirectory(prefix: "lakehouse-sql")
        defer { try? LocalFileSystem().removeTree(spill) }
        var configuration = QueryEngineConfiguration(spillDirectory: spill)
        configuration.threadCount = try parsed.integer("threads") ?? 0
        configuration.memoryLimitBytes = limit
        let tables = try CommandLineTables.open(
            parsed.positional, budget: MemoryBudget(limitBytes: max(limit, 256 << 20)))
        let zones = TimeZones(load: loadZone)
        let engine = QueryEngine(
            configuration, catalog: nil, store: nil, authorizer: OpenAuthorizer(), tables: tables,
            zones: zones)
        if let script {
            return try run(
                engine, zones, commandContext(), parsed, script, catalog: CommandLineTables.catalog,
                schema: CommandLineTables.schema, streams)
        }
        return try prompt(streams) { streams in
            try shell(
                engine, zones, commandContext(), parsed, catalog: CommandLineTables.catalog,
                schema: CommandLineTables.schema, streams)
        }
    }

    /// Runs what is typed, a screen at a time where somebody sits.
    private static func prompt(
        _ streams: any CommandStreams, _ makeShell: (any CommandStreams) throws -> SQLShell
    ) throws -> Int32 {
        let pager = Terminal.isInteractive(.output) ? PagedStreams(streams) : nil
        return try SQLPrompt(streams, pager: pager).loop(makeShell(pager ?? streams))
    }

    /// How results are printed.
    static func format(_ parsed: ParsedArguments) -> SQLShell.Format {
        formats.first { parsed.has($0.rawValue) } ?? .table
    }

    private static let formats: [SQLShell.Format] = [.csv, .json, .markdown]

    private static func requireOneFormat(_ parsed: ParsedArguments) throws(ApplianceError) {
        let named = formats.filter { parsed.has($0.rawValue) }.map { "--\($0.rawValue)" }
        guard named.count > 1 else { return }
        throw ApplianceError(
            .usage, "results have one form: " + named.joined(separator: " and ") + " are given",
            hint: "leave out all but one")
    }

    // MARK: Over a directory

    private static func overDirectory(
        _ parsed: ParsedArguments, _ script: String?, _ streams: any CommandStreams
    ) throws -> Int32 {
        let configuration = try CommandLine.configuration(parsed, further: engineSettings(parsed))
        let directory = configuration.text("data")
        // Nobody named a directory and none is here: SQL that needs no table still runs.
        if configuration.values["data"]?.origin == .builtIn, !DataPlace.holdsLakehouse(directory) {
            let note =
                "note: no file is named and there is no lakehouse at \(directory), so there are no "
                + "tables\n"
            if script == nil { streams.complain(note) }
            let code = try overFiles(parsed, script, streams)
            if script != nil, code != 0 { streams.complain(note) }
            return code
        }
        if ControlClient.isServed(directory) {
            guard let script else {
                throw ApplianceError(
                    .usage, "give statements with -c or -f",
                    hint: "the prompt works over files, or with no server running")
            }
            var arguments = ["sql", "-c", script]
            for name in ["catalog", "schema"] {
                if let value = parsed[name] { arguments += ["--\(name)", value] }
            }
            for name in ["csv", "json", "markdown", "timing"] where parsed.has(name) {
                arguments.append("--\(name)")
            }
            return try ControlClient.run(
                arguments, directory: directory, wantsInput: false, streams: streams)
        }
        let appliance = try Appliance.opening(configuration)
        defer { appliance.close() }
        if let script {
            return try run(
                appliance.queries, appliance.zones, commandContext(), parsed, script,
                catalog: "lakehouse", schema: nil, streams)
        }
        return try prompt(streams) { streams in
            try shell(
                appliance.queries, appliance.zones, commandContext(), parsed,
                catalog: "lakehouse", schema: nil, streams)
        }
    }

    /// The bytes of `--memory-limit`; nil when it is not given.
    private static func memoryLimit(_ parsed: ParsedArguments) throws(ApplianceError) -> Int? {
        guard let text = parsed["memory-limit"] else { return nil }
        guard let size = parseSize(text) else {
            throw ApplianceError(
                .usage, "--memory-limit wants a number and a unit: \(text)",
                hint: "such as 64MiB or 2GB")
        }
        // A setting of a server has to leave room for more than one query.
        let least: Int64 = parsed.positional.isEmpty ? 16 << 20 : 1 << 20
        guard (least...(1 << 50)).contains(size) else {
            throw ApplianceError(
                .usage, "--memory-limit is at least \(least >> 20)MiB and at most 1024TiB: \(text)",
                hint: "what does not fit is written to the disk meanwhile")
        }
        return Int(size)
    }

    private static func engineSettings(
        _ parsed: ParsedArguments
    ) -> [(key: String, value: String)] {
        var flags: [(key: String, value: String)] = []
        if let threads = parsed["threads"] { flags.append(("engine.threads", threads)) }
        if let limit = parsed["memory-limit"] { flags.append(("engine.memory-limit", limit)) }
        return flags
    }

    private static func run(
        _ engine: QueryEngine, _ zones: TimeZones, _ context: RequestContext,
        _ parsed: ParsedArguments, _ script: String, catalog: String, schema: String?,
        _ streams: any CommandStreams
    ) throws -> Int32 {
        let shell = try shell(
            engine, zones, context, parsed, catalog: catalog, schema: schema, streams)
        return try shell.run(script: script) ? 0 : 1
    }

    private static func shell(
        _ engine: QueryEngine, _ zones: TimeZones, _ context: RequestContext,
        _ parsed: ParsedArguments, catalog: String, schema: String?,
        _ streams: any CommandStreams
    ) throws -> SQLShell {
        var start = QuerySession(
            catalog: parsed["catalog"] ?? catalog, schema: parsed["schema"] ?? schema)
        start.source = "lakehouse sql"
        let isInteractive = Terminal.isInteractive(.output)
        return SQLShell(
            engine: engine, context: context, zones: zones, session: start,
            format: format(parsed),
            showsTiming: parsed.has("timing") || isInteractive,
            showsProgress: Terminal.isInteractive(.error) && isInteractive, streams: streams)
    }
}

/// Everything is allowed: SQL over files that the process can read anyway.
struct OpenAuthorizer: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: true, reason: "files of the command line")
    }
}

/// Reads a time zone's rules from the system's database, or from `TZDIR`.
@Sendable func loadZone(_ name: String) -> [UInt8]? {
    let folder = Environment.value("TZDIR") ?? "/usr/share/zoneinfo"
    return try? LocalFileSystem().readAll("\(folder)/\(name)", limit: 1 << 20)
}
