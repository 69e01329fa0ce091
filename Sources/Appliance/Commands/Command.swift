/// Where a command's words go and where its secrets come from.
package protocol CommandStreams: AnyObject {
    /// Writes to standard output of whoever typed the command.
    func write(_ text: String)
    /// Writes to their standard error.
    func complain(_ text: String)
    /// All of their standard input, for secrets; read at most once.
    func readInput() throws -> [UInt8]
}

/// One verb of the command line, such as `key create`.
package struct Command: Sendable {
    /// What it needs in order to run.
    package enum Place: Sendable {
        /// Runs in the process of whoever typed it: serve, demo, config, version.
        case here(@Sendable (ParsedArguments, any CommandStreams) throws -> Int32)
        /// Needs the data: runs inside a running server, or one-shot under the directory's lock.
        case appliance(@Sendable (Appliance, ParsedArguments, any CommandStreams) throws -> Int32)
    }

    /// One or two words.
    package let name: String
    /// What follows the name in the usage line, a word for each argument; one with `…` repeats. No more than
    /// these are taken.
    package let arguments: String
    package let summary: String
    package let options: [CommandOption]
    /// What the help says beneath the options; empty: nothing.
    package let notes: String
    package let example: String
    package let place: Place
    /// Whether it may make the data directory: what is set up before the first start. All others want one
    /// that is there, so that a mistyped name is noticed.
    package let makesDirectory: Bool

    package init(
        _ name: String, arguments: String = "", _ summary: String, options: [CommandOption] = [],
        notes: String = "", example: String, makesDirectory: Bool = false, place: Place
    ) {
        self.name = name
        self.arguments = arguments
        self.summary = summary
        self.options = options
        self.notes = notes
        self.example = example
        self.place = place
        self.makesDirectory = makesDirectory
    }

    /// Options that every command knows.
    package static let shared: [CommandOption] = [
        CommandOption("help", letter: "h", "shows this help"),
        CommandOption("data", value: "DIR", "the data directory (default ./lakehouse-data)"),
        CommandOption("config", value: "FILE", "a configuration file"),
        CommandOption("set", value: "KEY=VALUE", "gives a setting a value; repeatable"),
    ]

    /// How it is typed.
    package var usage: String {
        "lakehouse \(name)" + (arguments.isEmpty ? "" : " \(arguments)") + " [options]"
    }

    /// How many arguments it takes at the most, by its usage line; nil: any number.
    package var argumentLimit: Int? {
        arguments.contains("…") ? nil : arguments.split(separator: " ").count
    }

    /// Takes apart what follows its name. Throws a usage fault that names what does not belong there.
    package func parse(_ words: [String]) throws(ApplianceError) -> ParsedArguments {
        let parsed = try CommandLineParser.parse(words, options: options + Command.shared)
        if let limit = argumentLimit, parsed.positional.count > limit {
            // Where a secret belongs into a file, what was typed instead may be one.
            let word =
                options.contains(where: \.isSecret)
                ? "the word after \(limit == 0 ? "the command" : "the last one that it takes")"
                : parsed.positional[limit]
            throw ApplianceError(
                .usage, "unexpected argument: \(word)", hint: "usage: \(usage)")
        }
        return parsed
    }

    /// The text of `--help`.
    package var help: String {
        var text = "\(summary)\n\nusage: \(usage)\n\noptions:\n"
        let rows = (options + Command.shared).map { option in
            let short = option.letter.map { "-\($0), " } ?? "    "
            let value = option.value.map { " \($0)" } ?? ""
            return (short + "--\(option.name)" + value, option.summary)
        }
        let width = rows.map(\.0.count).max() ?? 0
        for (left, right) in rows {
            text += "  \(left)\(String(repeating: " ", count: width - left.count))  \(right)\n"
        }
        if !notes.isEmpty { text += "\n\(notes)\n" }
        return text + "\nexample:\n  \(example)\n"
    }
}
