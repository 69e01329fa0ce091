/// The prompt's own commands, short as psql's.
enum PromptCommand: Equatable {
    case statement(String)
    case format(String)
    case timing
    case pager
    case history
    case help
    case quit
    case unknown(String)

    /// The command of a line; nil: it is SQL.
    init?(_ line: String) {
        var text = line.trimmed
        while text.hasSuffix(";") { text.removeLast() }
        let words = text.split(whereSeparator: \.isWhitespace).map { String($0) }
        guard let first = words.first else { return nil }
        switch (first.lowercased(), words.count) {
        case ("quit", 1), ("exit", 1), ("\\q", 1): self = .quit
        case ("history", 1), ("\\s", 1): self = .history
        case ("help", 1), ("\\?", _), ("\\h", _): self = .help
        default:
            guard first.hasPrefix("\\") else { return nil }
            self = PromptCommand.shortcut(first, words.dropFirst().joined(separator: " "))
        }
    }

    private static func shortcut(_ word: String, _ rest: String) -> PromptCommand {
        let from = rest.isEmpty ? "" : " FROM \(rest)"
        let quoted =
            "'"
            + rest.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "''") + "'"
        switch word {
        case "\\l": return .statement("SHOW CATALOGS")
        case "\\dn": return .statement("SHOW SCHEMAS\(from)")
        case "\\dt": return .statement("SHOW TABLES\(from)")
        case "\\d": return .statement(rest.isEmpty ? "SHOW TABLES" : "DESCRIBE \(rest)")
        case "\\d+":
            return rest.isEmpty ? .unknown(word) : .statement("SHOW CREATE TABLE \(rest)")
        case "\\dv":
            return .statement(
                "SELECT table_schema, table_name FROM information_schema.views ORDER BY 1, 2")
        case "\\df": return .statement("SHOW FUNCTIONS" + (rest.isEmpty ? "" : " LIKE \(quoted)"))
        case "\\dp": return .statement("SHOW GRANTS" + (rest.isEmpty ? "" : " ON TABLE \(rest)"))
        case "\\ds": return .statement("SHOW SESSION" + (rest.isEmpty ? "" : " LIKE \(quoted)"))
        case "\\stats": return rest.isEmpty ? .unknown(word) : .statement("SHOW STATS FOR \(rest)")
        case "\\c": return rest.isEmpty ? .unknown(word) : .statement("USE \(rest)")
        case "\\f": return .format(rest.lowercased())
        case "\\timing": return .timing
        case "\\pager": return .pager
        default: return .unknown(word)
        }
    }

    static let helpText = """
        \\l                 catalogs
        \\dn [CATALOG]      schemas
        \\dt [SCHEMA]       tables             \\d TABLE    its columns
        \\dv                views              \\d+ TABLE   how it was created
        \\df [PATTERN]      functions          \\ds [PATTERN]  session properties
        \\dp [TABLE]        grants             \\stats TABLE   statistics
        \\c CATALOG.SCHEMA  what plain names mean
        \\f table|csv|json|markdown   how results are printed
        \\timing            shows times, or no longer       \\pager    pages long results, or no longer
        \\s                 history            \\q          quits (also Ctrl-D)

        Statements end with ; and may have several lines. Tab completes, Ctrl-R searches the history,
        the arrow keys walk through it, F5 explains the statement instead of running it, Ctrl-C gives it up.

        """
}

extension String {
    /// Without blanks and line ends around.
    fileprivate var trimmed: String {
        var slice = self[...]
        while slice.first?.isWhitespace == true { slice.removeFirst() }
        while slice.last?.isWhitespace == true { slice.removeLast() }
        return String(slice)
    }
}
