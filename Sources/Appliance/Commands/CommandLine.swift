import Diagnostics
import Platform

/// The command line: finds the command, takes its arguments apart, runs it where it belongs.
package enum CommandLine {
    package static let version = "0.1.0"

    /// Every command, in the order of the help.
    static var commands: [Command] {
        [ServeCommand.command, InitCommand.command, SQLCommand.command, IngestCommand.command]
            + AskCommands.all
            + PipelineCommands.all + WatermarkCommands.all + BranchCommands.all + TableCommands.all
            + CheckCommands.all
            + MaintainCommands.all
            + ObjectCommands.all + [
                ConnectCommand.command
            ]
            + AccountCommands.all + GroupCommands.all + RoleCommands.all + GrantCommands.all
            + KeyCommands.all
            + ClientCommands.all + TLSCommands.all
            + AlertCommands.all + [DoctorCommand.command] + BackupCommands.all
            + BenchCommands.all
            + ConfigurationCommands.all
            + [VersionCommand.command]
    }

    /// Runs the process's arguments (without the program's name); the exit code.
    package static func run(
        _ arguments: [String], further: [Command] = [],
        streams: any CommandStreams = TerminalStreams()
    ) -> Int32 {
        let all = commands + further
        // `help serve` is `serve --help`.
        if ["help", "--help", "-h"].contains(arguments.first), arguments.count > 1,
            !arguments[1].hasPrefix("-")
        {
            return run(arguments.dropFirst() + ["--help"], further: further, streams: streams)
        }
        if arguments.first == "--version" {
            return run(["version"] + arguments.dropFirst(), further: further, streams: streams)
        }
        guard let first = arguments.first, first != "--help", first != "-h", first != "help" else {
            streams.write(overview(all))
            return arguments.isEmpty ? 2 : 0
        }
        guard let (command, rest) = find(arguments, in: all) else {
            let family = all.filter { $0.name.hasPrefix(first + " ") }
            if !family.isEmpty {
                let help =
                    arguments.dropFirst().first.map { ["--help", "-h"].contains($0) } ?? true
                (help ? streams.write : streams.complain)(familyText(first, family))
                return help && arguments.count > 1 ? 0 : 2
            }
            let near = nearestName(
                to: first, among: all.map { String($0.name.prefix { $0 != " " }) })
            streams.complain("lakehouse: unknown command: \(first)\n")
            if let near { streams.complain("hint: did you mean \(near)?\n") }
            return 2
        }
        return report(streams) {
            let parsed = try command.parse(rest)
            if parsed.has("help") {
                streams.write(command.help)
                return 0
            }
            switch command.place {
            case .here(let body): return try body(parsed, streams)
            case .appliance(let body):
                let secret = command.options.first { $0.isSecret && parsed.has($0.name) }
                let streams =
                    secret.map { SecretStreams($0.name, parsed, over: streams) } ?? streams
                let configuration = try Self.configuration(parsed)
                let directory = configuration.text("data")
                if ControlClient.isServed(directory) {
                    return try ControlClient.run(
                        arguments, directory: directory,
                        wantsInput: secret != nil, streams: streams)
                }
                let appliance = try Appliance.opening(configuration, command)
                defer { appliance.close() }
                return try body(appliance, parsed, streams)
            }
        }
    }

    /// Runs a command that came over the control socket.
    static func runInside(
        _ appliance: Appliance, _ arguments: [String], _ streams: any CommandStreams
    ) -> Int32 {
        // What runs here over files or one-shot has a form of its own inside of a server.
        let own =
            [SQLCommand.inside, PipelineCommands.declareInside, IngestCommand.inside]
            + ObjectCommands.inside + [BackupCommands.inside]
        let inside = commands.filter { command in !own.contains { $0.name == command.name } } + own
        guard let (command, rest) = find(arguments, in: inside),
            case .appliance(let body) = command.place
        else {
            streams.complain("lakehouse: the server does not know this command\n")
            return 2
        }
        return report(streams) {
            let parsed = try command.parse(rest)
            return try body(appliance, parsed, streams)
        }
    }

    /// The settings that the shared options, the environment and the file give.
    package static func configuration(
        _ parsed: ParsedArguments, further: [(key: String, value: String)] = []
    ) throws -> ApplianceConfiguration {
        var flags: [(key: String, value: String)] = []
        if let data = parsed["data"] { flags.append(("data", data)) }
        for pair in parsed.values("set") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw ApplianceError(.usage, "--set wants KEY=VALUE: \(pair)")
            }
            flags.append((String(parts[0]), String(parts[1])))
        }
        var configuration = try ApplianceConfiguration.load(
            file: parsed["config"], environment: Environment.value, flags: flags + further)
        let data = configuration.text("data")
        if let inner = DataPlace.leftByWalkthrough(in: data) {
            try configuration.set(
                "data", inner, from: configuration.values["data"]?.origin ?? .builtIn)
        }
        return configuration
    }

    private static func find(
        _ arguments: [String], in commands: [Command]
    ) -> (command: Command, rest: [String])? {
        if arguments.count >= 2,
            let command = commands.first(where: { $0.name == "\(arguments[0]) \(arguments[1])" })
        {
            return (command, Array(arguments.dropFirst(2)))
        }
        return commands.first { $0.name == arguments[0] }.map { ($0, Array(arguments.dropFirst())) }
    }

    /// Runs and turns a thrown fault into words and an exit code: 2 for usage, 1 for all others.
    private static func report(_ streams: any CommandStreams, _ body: () throws -> Int32) -> Int32 {
        do { return try body() } catch let error as ApplianceError {
            streams.complain(Self.text(of: error))
            return error.code == .usage ? 2 : 1
        } catch let fault as any Fault {
            streams.complain(Self.text(of: fault))
            return 1
        } catch {
            streams.complain("lakehouse: \(error)\n")
            return 1
        }
    }

    /// A fault for people: what, why, what to do; the code at the end.
    static func text(of fault: any Fault) -> String {
        var text = "lakehouse: \(fault.message)"
        var said = fault.message
        var cause = fault.cause
        var hint = fault.hint
        while let inner = cause {
            let message = (inner as? any Fault)?.message ?? "\(inner)"
            // Who passes a fault on often quotes it: each thing is said once.
            if !said.contains(message) {
                text += "\n  because: \(message)"
                said += "\n" + message
            }
            hint = (inner as? any Fault)?.hint ?? hint
            cause = (inner as? any Fault)?.cause
        }
        if let hint { text += "\nhint: \(hint)" }
        return text + "\n[\(fault.codeText)]\n"
    }

    private static func overview(_ commands: [Command]) -> String {
        var text = """
            lakehouse: S3 storage, an Iceberg catalog, SQL, ingest, sign-on and dashboards in one process

            usage: lakehouse COMMAND [arguments] [--help]


            """
        let width = commands.map(\.name.count).max() ?? 0
        for command in commands {
            let pad = String(repeating: " ", count: width - command.name.count)
            text += "  \(command.name)\(pad)  \(command.summary)\n"
        }
        return text + "\nexample:\n  lakehouse serve --data ./lakehouse-data\n"
    }

    private static func familyText(_ name: String, _ family: [Command]) -> String {
        var text = "usage: lakehouse \(name) COMMAND [arguments] [--help]\n\n"
        let width = family.map(\.name.count).max() ?? 0
        for command in family {
            let pad = String(repeating: " ", count: width - command.name.count)
            text += "  \(command.name)\(pad)  \(command.summary)\n"
        }
        return text + "\nexample:\n  \(family[0].example)\n"
    }
}

/// The process's own streams.
package final class TerminalStreams: CommandStreams {
    package init() {}
    package func write(_ text: String) { Terminal.write(text, to: .output) }
    package func complain(_ text: String) { Terminal.write(text, to: .error) }
    package func readInput() throws -> [UInt8] { try Terminal.readInput(limit: 1 << 20) }
}
