import Authority
import Identity
import Platform
import Telemetry

/// `lakehouse open`: looks into a backup without restoring it anywhere.
///
/// The backup is unpacked into a temporary directory that goes when the command ends (`UnpackedBackup`). Whoever comes in has
/// the rights that they had, but for those that change something; no pipeline, lifecycle, webhook or
/// maintenance runs.
enum OpenCommand {
    static let command = Command(
        "open", arguments: "FILE",
        "serves a backup read-only until SIGTERM, or runs SQL over it with -c",
        options: [
            CommandOption("command", letter: "c", value: "TEXT", "runs these statements and ends"),
            CommandOption("csv", "prints CSV with a header"),
            CommandOption("json", "prints one JSON object a row"),
            BackupCommands.from,
            CommandOption("in", value: "DIR", "where it is unpacked (default: the system's place)"),
            CommandOption("port", value: "N", "the console's port (default: a free one)"),
            Progress.option,
        ],
        example: "lakehouse open monday.lhz -c 'select count(*) from silver.shop.sales'",
        place: .here { parsed, streams in
            try Processor.require()
            Signals.ignoreBrokenPipes()
            let place = try UnpackedBackup(in: parsed["in"])
            defer { place.remove() }
            do {
                let code = try open(parsed, in: place, streams)
                return place.exitCode ?? code
            } catch {
                guard let code = place.exitCode else { throw error }
                streams.complain("lakehouse: \(error)\n")
                return code
            }
        })

    private static func open(
        _ parsed: ParsedArguments, in place: UnpackedBackup, _ streams: any CommandStreams
    ) throws -> Int32 {
        try place.removeLeftovers(streams)
        _ = try BackupCommands.unpack(parsed, into: place.lake, streams) { try place.check() }
        var configuration = try CommandLine.configuration(
            parsed,
            further: [
                ("data", place.lake), ("ports.s3", "0"),
                ("ports.console", "\(try parsed.integer("port") ?? 0)"),
            ])
        try configuration.chooseFreePorts()
        let appliance = try Appliance(configuration, refusesChanges: true)
        if let text = parsed["command"] {
            defer { appliance.close() }
            try place.query(appliance.queries)
            return try SQLCommand.runOver(appliance, reader(appliance), parsed, text, streams)
        }
        return try serve(appliance, parsed, place, streams)
    }

    /// The administrator, who may look at everything; changes are refused to everybody.
    private static func reader(_ appliance: Appliance) throws -> RequestContext {
        _ = try appliance.makeAdministrator()
        return RequestContext(
            principal: try appliance.identity.principal(Appliance.systemContext, named: "admin"),
            requestID: "cli", door: .cli)
    }

    private static func serve(
        _ appliance: Appliance, _ parsed: ParsedArguments, _ place: UnpackedBackup,
        _ streams: any CommandStreams
    ) throws -> Int32 {
        LogDestination.standard.configure(
            minimum: LogLevel(name: appliance.configuration.text("log.level")) ?? .notice,
            format: appliance.configuration.text("log.format") == "json" ? .json : .text)
        let server = ApplianceServer(appliance)
        try place.serve(server)
        try server.start(watchesSignals: false)
        _ = try appliance.makeAdministrator()
        let key = try appliance.identity.createAccessKey(
            Appliance.systemContext, account: "admin", description: "lakehouse open")
        let link = try appliance.loginLink(for: "admin")
        streams.write(
            """
            \(try parsed.required(0, "FILE")) is open, read-only
              console, SQL, catalog  \(appliance.addresses.publicURL)
              S3                     \(appliance.addresses.s3URL)
              sign in (once)         \(appliance.addresses.publicURL)/login?token=\(link)
              AWS_ACCESS_KEY_ID      \(key.accessKeyID)
              AWS_SECRET_ACCESS_KEY  \(key.secretAccessKey)

            """)
        return server.run()
    }
}
