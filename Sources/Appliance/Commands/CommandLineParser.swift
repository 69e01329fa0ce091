import Diagnostics

/// An option of a command.
package struct CommandOption: Sendable {
    /// Without the dashes: `data`, `json`.
    package let name: String
    /// A single letter, for the few that people type all day.
    package let letter: Character?
    /// What stands for the value in the help; nil: a flag.
    package let value: String?
    package let summary: String
    /// Whether the value says where a secret comes from, which itself is never an argument.
    package let isSecret: Bool

    package init(
        _ name: String, letter: Character? = nil, value: String? = nil, _ summary: String,
        isSecret: Bool = false
    ) {
        self.isSecret = isSecret
        self.name = name
        self.letter = letter
        self.value = value
        self.summary = summary
    }

    /// A secret that comes from a file, or from standard input.
    package static func secret(_ name: String, _ summary: String) -> CommandOption {
        CommandOption(name, value: "FILE|-", summary, isSecret: true)
    }
}

/// A command's arguments once taken apart.
package struct ParsedArguments: Sendable {
    package var positional: [String] = []
    /// By name; flags have the value `true`. Later ones win; `all` keeps every one.
    package var options: [String: String] = [:]
    package var all: [(name: String, value: String)] = []

    package func has(_ name: String) -> Bool { options[name] != nil }
    package subscript(_ name: String) -> String? { options[name] }

    /// Every value given for a repeatable option.
    package func values(_ name: String) -> [String] {
        all.filter { $0.name == name }.map(\.value)
    }

    /// The `index`th argument, or a usage fault that names what is missing.
    package func required(_ index: Int, _ what: String) throws(ApplianceError) -> String {
        guard index < positional.count else {
            throw ApplianceError(.usage, "an argument is missing: \(what)", hint: "see --help")
        }
        return positional[index]
    }

    /// A whole number option.
    package func integer(_ name: String) throws(ApplianceError) -> Int? {
        guard let text = options[name] else { return nil }
        guard let number = Int(text) else {
            throw ApplianceError(.usage, "--\(name) wants a whole number: \(text)")
        }
        return number
    }

    /// A whole number option above zero, at most `limit`.
    package func count(_ name: String, limit: Int = 1_000_000) throws(ApplianceError) -> Int? {
        guard let number = try integer(name) else { return nil }
        guard (1...limit).contains(number) else {
            throw ApplianceError(.usage, "--\(name) wants a number from 1 to \(limit): \(number)")
        }
        return number
    }

    /// `--days N` as a time.
    package func days() throws(ApplianceError) -> Duration? {
        try count("days", limit: 36_500).map { .seconds($0 * 86_400) }
    }
}

/// Takes apart `--name value`, `--name=value`, `-n value`, flags and `--`.
package enum CommandLineParser {
    /// Splits `arguments` into values and options of `command`. Throws a usage fault that names the
    /// argument.
    package static func parse(
        _ arguments: [String], options: [CommandOption]
    ) throws(ApplianceError) -> ParsedArguments {
        var parsed = ParsedArguments()
        var index = 0
        var onlyPositional = false
        while index < arguments.count {
            let word = arguments[index]
            index += 1
            if onlyPositional || !word.hasPrefix("-") || word == "-" {
                parsed.positional.append(word)
                continue
            }
            if word == "--" {
                onlyPositional = true
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let option = options.first(where: { matches($0, name) }) else {
                let near = nearestName(to: name, among: options.map { "--\($0.name)" })
                throw ApplianceError(
                    .usage, "unknown option: \(name)",
                    hint: near.map { "did you mean \($0)?" } ?? "see --help")
            }
            var value = "true"
            if option.value != nil {
                if parts.count == 2 {
                    value = String(parts[1])
                } else if index < arguments.count {
                    value = arguments[index]
                    index += 1
                } else {
                    throw ApplianceError(.usage, "\(name) wants a value", hint: option.summary)
                }
            } else if parts.count == 2 {
                throw ApplianceError(.usage, "\(name) takes no value: \(parts[1])")
            }
            parsed.options[option.name] = value
            parsed.all.append((option.name, value))
        }
        return parsed
    }

    private static func matches(_ option: CommandOption, _ word: String) -> Bool {
        word == "--\(option.name)" || option.letter.map { word == "-\($0)" } ?? false
    }
}
