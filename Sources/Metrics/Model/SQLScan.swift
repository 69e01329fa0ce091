import Diagnostics

/// What one expression of a metrics file is made of, found without a parser of SQL: enough to say
/// which tables it reads, and that it can do nothing but compute.
struct SQLScan {
    /// Tables of the model, in order of first use.
    private(set) var tables: [String] = []
    /// `table.column` pairs.
    private(set) var columns: [(table: String, column: String)] = []
    /// Names that are called, in lower case.
    private(set) var calls: [String] = []
    private(set) var hasDistinct = false
    /// The call that everything else stands in, when there is one.
    private(set) var outermostCall: String?

    /// What went wrong, and perhaps what was meant.
    struct Problem: Error {
        var message: String
        var hint: String?
    }

    private enum Piece: Equatable {
        case word(String), quoted(String), number, text, symbol(Character)
    }

    /// Reads `expression`; `known` are the tables of the model.
    init(_ expression: String, known: [String]) throws(Problem) {
        let pieces = try SQLScan.pieces(expression)
        guard !pieces.isEmpty else { throw Problem(message: "the expression is empty") }
        var depth = 0
        var index = 0
        while index < pieces.count {
            let next = index + 1 < pieces.count ? pieces[index + 1] : nil
            switch pieces[index] {
            case .symbol("("): depth += 1
            case .symbol(")"):
                depth -= 1
                guard depth >= 0 else { throw Problem(message: "a parenthesis closes too much") }
            case .word(let name) where next == .symbol("."):
                try use(name.lowercased(), pieces, &index, known)
            case .quoted(let name):
                guard next == .symbol(".") else {
                    throw Problem(
                        message: "a column without its table: \(name)",
                        hint: "write table.column, with a table of this file")
                }
                try use(name, pieces, &index, known)
            case .word(let name):
                let lower = name.lowercased()
                if next == .symbol("("), !SQLScan.keywords.contains(lower) {
                    calls.append(lower)
                } else if lower == "distinct" {
                    hasDistinct = true
                } else if SQLScan.forbidden.contains(lower) {
                    throw Problem(
                        message: "\(lower.uppercased()) has no place in an expression",
                        hint: "an expression computes over columns of certified tables only")
                } else if !SQLScan.keywords.contains(lower), !SQLScan.types.contains(lower) {
                    throw Problem(
                        message: "a column without its table: \(name)",
                        hint: "write table.column, with a table of this file")
                }
            default: break
            }
            index += 1
        }
        guard depth == 0 else { throw Problem(message: "a parenthesis is not closed") }
        outermostCall = SQLScan.outermost(pieces)
    }

    private mutating func use(
        _ table: String, _ pieces: [Piece], _ index: inout Int, _ known: [String]
    ) throws(Problem) {
        guard known.contains(table) else {
            throw Problem(
                message: "unknown table: \(table)",
                hint: nearestName(to: table, among: known).map { "did you mean \($0)?" }
                    ?? "tables of this file: \(known.joined(separator: ", "))")
        }
        let column: String
        switch index + 2 < pieces.count ? pieces[index + 2] : nil {
        case .word(let name): column = name.lowercased()
        case .quoted(let name): column = name
        default: throw Problem(message: "a column is missing after: \(table).")
        }
        if !tables.contains(table) { tables.append(table) }
        columns.append((table, column))
        index += 2
    }

    /// The call whose parentheses hold the whole expression.
    private static func outermost(_ pieces: [Piece]) -> String? {
        guard case .word(let name)? = pieces.first, pieces.count > 2, pieces[1] == .symbol("(")
        else { return nil }
        var depth = 0
        for (index, piece) in pieces.enumerated() {
            if piece == .symbol("(") { depth += 1 }
            if piece == .symbol(")") {
                depth -= 1
                if depth == 0 { return index == pieces.count - 1 ? name.lowercased() : nil }
            }
        }
        return nil
    }

    private static func pieces(_ text: String) throws(Problem) -> [Piece] {
        var found: [Piece] = []
        let letters = Array(text)
        var at = 0
        func isName(_ letter: Character) -> Bool {
            letter == "_" || letter.isLetter || letter.isNumber
        }
        while at < letters.count {
            let letter = letters[at]
            if letter.isWhitespace {
                at += 1
            } else if letter == "'" || letter == "\"" {
                var inner = ""
                at += 1
                while true {
                    guard at < letters.count else {
                        throw Problem(message: "a quote is not closed")
                    }
                    if letters[at] == letter {
                        guard at + 1 < letters.count, letters[at + 1] == letter else { break }
                        at += 1
                    }
                    inner.append(letters[at])
                    at += 1
                }
                at += 1
                found.append(letter == "'" ? .text : .quoted(inner))
            } else if letter.isNumber {
                while at < letters.count, isName(letters[at]) || letters[at] == "." { at += 1 }
                found.append(.number)
            } else if isName(letter) {
                var word = ""
                while at < letters.count, isName(letters[at]) {
                    word.append(letters[at])
                    at += 1
                }
                found.append(.word(word))
            } else if letter == ";" || startsComment(letters, at) {
                throw Problem(
                    message: "an expression has neither semicolons nor comments",
                    hint: "write one SQL expression")
            } else {
                found.append(.symbol(letter))
                at += 1
            }
        }
        return found
    }

    private static func startsComment(_ letters: [Character], _ at: Int) -> Bool {
        guard at + 1 < letters.count else { return false }
        let pair = (letters[at], letters[at + 1])
        return pair == ("-", "-") || pair == ("/", "*")
    }

    /// Aggregates that a metric may use.
    static let aggregates: Set<String> = [
        "sum", "count", "count_if", "min", "max", "avg", "approx_distinct", "approx_percentile",
        "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp", "bool_and",
        "bool_or", "every", "arbitrary", "any_value", "geometric_mean", "corr", "median",
    ]

    private static let keywords: Set<String> = [
        "and", "or", "not", "is", "null", "in", "between", "like", "escape", "true", "false",
        "case", "when", "then", "else", "end", "as", "filter", "where", "distinct", "interval",
        "day", "month", "year", "hour", "minute", "second", "from", "at", "time", "zone", "with",
        "array", "row",
    ]
    private static let types: Set<String> = [
        "bigint", "integer", "int", "smallint", "tinyint", "double", "precision", "real", "decimal",
        "varchar", "char", "date", "timestamp", "boolean",
    ]
    private static let forbidden: Set<String> = [
        "select", "over", "join", "union", "intersect", "except", "exists", "limit", "having",
        "insert", "update", "delete", "merge", "drop", "create", "alter", "grant", "revoke", "call",
    ]
}
