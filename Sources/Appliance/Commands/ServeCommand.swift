import Platform
import Telemetry

/// `lakehouse serve`.
enum ServeCommand {
    static let command = Command(
        "serve", "starts the appliance and serves until SIGTERM",
        options: [
            CommandOption("listen", value: "HOST", "the address to listen on (default 127.0.0.1)"),
            CommandOption("ports", value: "auto", "picks free ports"),
            CommandOption("port-offset", value: "N", "adds N to every port"),
            CommandOption("trust-loopback", "Trino clients here need no password"),
            CommandOption("respawn", "starts the server again when it breaks"),
        ],
        example: "lakehouse serve --data ./lakehouse-data",
        place: .here { parsed, streams in try run(parsed, streams) })

    /// The settings of the command's own flags.
    static func settings(_ parsed: ParsedArguments) throws -> [(key: String, value: String)] {
        var flags: [(key: String, value: String)] = []
        if let listen = parsed["listen"] { flags.append(("listen", listen)) }
        if parsed.has("trust-loopback") { flags.append(("trust-loopback", "true")) }
        if let ports = parsed["ports"] {
            guard ports == "auto" else {
                throw ApplianceError(.usage, "--ports knows only auto: \(ports)")
            }
            flags += [("ports.console", "0"), ("ports.s3", "0")]
        } else if let offset = try parsed.integer("port-offset") {
            let base = ApplianceConfiguration()
            for key in ["ports.console", "ports.s3"] {
                flags.append((key, "\(base.integer(key) + offset)"))
            }
        }
        return flags
    }

    private static func run(
        _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) throws -> Int32 {
        try Processor.require()
        Signals.ignoreBrokenPipes()
        var configuration = try CommandLine.configuration(parsed, further: settings(parsed))
        try configuration.chooseFreePorts()
        let note = parsed.has("respawn") ? nil : RespawnNote.ours
        if let note { Process.endWithParent(note.parent) }
        let level = LogLevel(name: configuration.text("log.level")) ?? .notice
        LogDestination.standard.configure(
            minimum: level, format: configuration.text("log.format") == "json" ? .json : .text)
        if parsed.has("respawn") { return try respawner(parsed, configuration).run() }
        let clock = SystemMonotonicClock()
        let begin = clock.now()
        let appliance = try Appliance(configuration)
        let server = ApplianceServer(appliance)
        try server.start()
        let isFirst = try appliance.makeAdministrator()
        let milliseconds = Int((clock.now() - begin).fractionalSeconds * 1000)
        let addresses = appliance.addresses
        var text = """
            lakehouse \(CommandLine.version) is ready after \(milliseconds) ms
              console, SQL, catalog  \(addresses.publicURL)
              S3                     \(addresses.s3URL)
              data                   \(appliance.directory.path)

            """
        if isFirst {
            text += try signIn(appliance)
        }
        if configuration.flag("trust-loopback") {
            text +=
                "  WARNING: Trino clients on this machine may name any user without a password\n"
        }
        streams.write(text)
        return server.run()
    }

    /// Who starts this command again without the option, on the ports that are chosen now: clients
    /// find the server where they have left it.
    private static func respawner(
        _ parsed: ParsedArguments, _ configuration: ApplianceConfiguration
    ) -> Respawner {
        let options = command.options + Command.shared
        var arguments = ["serve"]
        for (name, value) in parsed.all where !["respawn", "ports", "port-offset"].contains(name) {
            let isFlag = options.first { $0.name == name }?.value == nil
            arguments += isFlag ? ["--\(name)"] : ["--\(name)", value]
        }
        for key in ["ports.console", "ports.s3"] {
            arguments += ["--set", "\(key)=\(configuration.integer(key))"]
        }
        // A program that was replaced while it ran is not at its path any more.
        let path = Host.executablePath.flatMap { path in
            (try? LocalFileSystem().exists(path)) == true ? path : nil
        }
        return Respawner(program: path ?? "/proc/self/exe", arguments: arguments)
    }

    /// How the administrator of a new directory gets in: a link that works once for the terminal only, never
    /// for a file or log that standard output goes to; there, how to get one.
    private static func signIn(_ appliance: Appliance) throws -> String {
        guard Terminal.isInteractive(.output) else {
            return "  sign in                lakehouse user link admin --data "
                + "\(appliance.directory.path)\n"
        }
        let token = try appliance.loginLink(for: "admin")
        return "  sign in (once)         \(appliance.addresses.publicURL)/login?token=\(token)\n"
    }
}

/// What this binary needs of the processor.
enum Processor {
    static func require() throws(ApplianceError) {
        #if arch(x86_64)
            guard Host.hasAVX2 else {
                throw ApplianceError(
                    .processorUnsupported, "this binary needs a processor with AVX2",
                    hint: "build a portable one with make PORTABLE=1")
            }
        #endif
    }
}
