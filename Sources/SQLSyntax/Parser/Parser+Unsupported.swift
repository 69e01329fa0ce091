import Diagnostics

// Forms of the standard or of newer servers that are read as far as it takes to name them. They answer
// NOT_SUPPORTED, not SYNTAX_ERROR: the statement is right, and this engine does without the form.

extension Parser {
    /// The refusal of a form that begins at this token and is `length` tokens long.
    func unsupported(_ name: String, hint: String, length: Int = 1) -> SQLSyntaxError {
        let first = token.span
        let last = peek(length - 1).span
        let span = SourceSpan(
            offset: first.offset, length: last.offset + last.length - first.offset,
            line: first.line, column: first.column)
        return SQLSyntaxError(
            code: .notSupported, "\(name) is not supported", at: span, hint: hint)
    }

    /// Whether a word that may be a name begins a form behind a relation, so that it is no alias.
    var startsUnsupportedRelation: Bool {
        switch token.word {
        case "PIVOT", "UNPIVOT": isPivot
        case "NEAREST": next("JOIN") || next("LEFT") && (next("JOIN", 2) || next("OUTER", 2))
        default: false
        }
    }

    /// `PIVOT (sum(x) FOR y IN (..))`: an alias `pivot (a, b)` has no FOR.
    private var isPivot: Bool {
        guard next("("), let close = closingParenthesis(of: position + 1) else { return false }
        return tokens[position..<close].contains { $0.kind == .word && $0.word == "FOR" }
    }

    /// Refuses what stands behind a relation.
    func refuseUnsupportedRelation() throws(SQLSyntaxError) {
        guard token.kind == .word, startsUnsupportedRelation else { return }
        switch token.word {
        case "PIVOT":
            throw unsupported(
                "PIVOT", hint: "write sum(x) FILTER (WHERE y = ..) AS name for each value")
        case "UNPIVOT":
            throw unsupported(
                "UNPIVOT",
                hint: "write CROSS JOIN UNNEST(ARRAY['a', 'b'], ARRAY[a, b]) AS u (name, value)")
        default:
            throw unsupported(
                "NEAREST JOIN",
                hint: "join a subquery that keeps the last row by max_by or row_number")
        }
    }

    /// Refuses `OVERLAY(x PLACING y FROM n)` behind its first argument.
    func refuseOverlay() throws(SQLSyntaxError) {
        guard token.kind == .word, token.word == "PLACING" else { return }
        throw unsupported(
            "OVERLAY", hint: "write substr(x, 1, n - 1) || y || substr(x, n + length(y))")
    }

    /// Refuses `MULTISET[a, b]` and `MULTISET(query)`; `multiset[i]` is an element of a column.
    func refuseMultiset() throws(SQLSyntaxError) {
        guard
            next("[") && hasCommaInBrackets
                || next("(") && startsQuery(inParenthesisAt: position + 1)
        else { return }
        throw unsupported("MULTISET", hint: "use ARRAY[..], array_agg and the functions of arrays")
    }

    /// Whether the brackets behind this token hold several elements.
    private var hasCommaInBrackets: Bool {
        var depth = 0
        for token in tokens[(position + 1)...] where token.kind == .symbol {
            switch token.word {
            case "[", "(": depth += 1
            case "]", ")":
                depth -= 1
                if depth == 0 { return false }
            case "," where depth == 1: return true
            default: break
            }
        }
        return false
    }

    /// Refuses predicates of the standard that stand behind a value.
    func refuseUnsupportedPredicate() throws(SQLSyntaxError) {
        let ahead = token.word == "NOT" ? 1 : 0
        switch peek(ahead).word {
        case "MATCH":
            var rest = ahead + 1
            while next("UNIQUE", rest) || next("SIMPLE", rest) || next("PARTIAL", rest)
                || next("FULL", rest)
            {
                rest += 1
            }
            guard next("(", rest), startsQuery(inParenthesisAt: position + rest) else { return }
            throw unsupported("MATCH", hint: "write (a, b) IN (SELECT ..)", length: ahead + 1)
        case "MEMBER", "SUBMULTISET":
            guard next("OF", ahead + 1) else { return }
            throw unsupported(
                "\(peek(ahead).word) OF", hint: "use contains(array, x)", length: ahead + 2)
        default: return
        }
    }

    /// Refuses `type::method(..)`: a cast of another dialect has a type behind the colons, no call.
    func refuseStaticMethod(_ base: Expression) throws(SQLSyntaxError) {
        let parametric: Set = [
            "VARCHAR", "CHAR", "CHARACTER", "DECIMAL", "NUMERIC", "DEC", "TIME", "TIMESTAMP", "ROW",
            "ARRAY", "MAP", "VARBINARY", "STRING", "TEXT", "FLOAT", "DATETIME",
        ]
        guard token.word == "::", case .identifier = base.kind, peek().kind == .word,
            next("(", 2), !parametric.contains(peek().word)
        else { return }
        throw unsupported(
            "calling a method of a type", hint: "call the function by its name", length: 2)
    }
}
