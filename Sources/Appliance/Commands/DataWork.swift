import Platform

/// Commands that read or write files of whoever typed them, with data of the directory.
///
/// Paths are made absolute where they were typed; the work is done where the data is: inside of a running
/// server, which belongs to the same user and sees the same files, or one-shot.
struct DataWork {
    let options: [CommandOption]
    /// Options whose values are paths.
    var pathOptions: Set<String> = []
    let body: @Sendable (Appliance, ParsedArguments, any CommandStreams) throws -> Int32

    /// The command as it is typed.
    func command(
        _ name: String, arguments: String, _ summary: String, notes: String = "", example: String
    ) -> Command {
        Command(
            name, arguments: arguments, summary, options: options, notes: notes, example: example,
            place: .here { parsed, streams in try run(name, parsed, streams) })
    }

    /// The command as it runs inside of a server.
    func inside(_ name: String, arguments: String, example: String) -> Command {
        Command(
            name, arguments: arguments, name, options: options, example: example,
            place: .appliance(body))
    }

    /// Does the work for somebody at the command line.
    func run(
        _ name: String, _ parsed: ParsedArguments, _ streams: any CommandStreams
    ) throws -> Int32 {
        let configuration = try CommandLine.configuration(parsed)
        let directory = configuration.text("data")
        var own = parsed
        own.positional = parsed.positional.map(Self.absolute)
        own.all = parsed.all.map { option in
            (
                option.name,
                pathOptions.contains(option.name) ? Self.absolute(option.value) : option.value
            )
        }
        // Who sits at the terminal watches; whether anybody does is known here only.
        if options.contains(where: { $0.name == Progress.option.name }),
            !own.has(Progress.option.name), Terminal.isInteractive(.error)
        {
            own.all.append((Progress.option.name, "true"))
        }
        for (name, value) in own.all { own.options[name] = value }
        guard ControlClient.isServed(directory) else {
            let appliance = try Appliance.opening(configuration)
            defer { appliance.close() }
            return try body(appliance, own, streams)
        }
        var words = name.split(separator: " ").map(String.init)
        for (name, value) in own.all {
            guard let option = options.first(where: { $0.name == name }) else { continue }
            words.append(option.value == nil ? "--\(name)" : "--\(name)=\(value)")
        }
        return try ControlClient.run(
            words + ["--"] + own.positional, directory: directory, wantsInput: false,
            streams: streams)
    }

    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") || path.hasPrefix("s3://") { return path }
        return Host.workingDirectory + "/" + path
    }
}
