import Diagnostics

/// The cursor over the tokens, and the errors. The grammar is in the extensions.
///
/// Recursive descent; every check for a word at the current token is remembered, so that an error can
/// say what would have been right there.
final class Parser {
    let tokens: [Token]
    /// For each `(`, the position of its `)`.
    private let closing: [Int: Int]
    private(set) var position = 0
    /// What was looked for at `position`, in the order of asking.
    private var expected: [String] = []
    private var depth = 0
    var parameterCount = 0

    init(_ text: String) throws(SQLSyntaxError) {
        tokens = try Lexer.tokens(of: text)
        var closing: [Int: Int] = [:]
        var open: [Int] = []
        for (index, token) in tokens.enumerated() where token.kind == .symbol {
            if token.word == "(" {
                open.append(index)
            } else if token.word == ")", let start = open.popLast() {
                closing[start] = index
            }
        }
        self.closing = closing
    }

    // MARK: Looking

    var token: Token { tokens[position] }

    func peek(_ distance: Int = 1) -> Token { tokens[min(position + distance, tokens.count - 1)] }

    var isAtEnd: Bool { token.kind == .end }

    /// Whether the current token is that word or symbol. Words are given in upper case.
    func at(_ word: String) -> Bool {
        expected.append(word)
        return token.word == word
    }

    /// Whether the words stand here in this order.
    func at(_ first: String, _ rest: String...) -> Bool {
        expected.append(first)
        guard token.word == first else { return false }
        for (index, word) in rest.enumerated() where peek(index + 1).word != word { return false }
        return true
    }

    /// Whether one of the words stands here; does not count as expected.
    func isAny(of words: Set<String>) -> Bool { words.contains(token.word) }

    /// Whether the token `distance` ahead is the word.
    func next(_ word: String, _ distance: Int = 1) -> Bool { peek(distance).word == word }

    func isName(_ token: Token) -> Bool {
        token.kind == .quotedIdentifier
            || (token.kind == .word && !reservedWords.contains(token.word))
    }

    /// The position of the `)` that closes the `(` at `index`.
    func closingParenthesis(of index: Int) -> Int? { closing[index] }

    // MARK: Moving

    @discardableResult
    func advance() -> Token {
        let token = tokens[position]
        if position + 1 < tokens.count { position += 1 }
        expected.removeAll(keepingCapacity: true)
        return token
    }

    func take(_ word: String) -> Bool {
        guard at(word) else { return false }
        advance()
        return true
    }

    /// Takes all the words or none.
    func take(_ first: String, _ rest: String...) -> Bool {
        expected.append(first)
        guard token.word == first else { return false }
        for (index, word) in rest.enumerated() where peek(index + 1).word != word { return false }
        for _ in 0...rest.count { advance() }
        return true
    }

    func expect(_ words: String...) throws(SQLSyntaxError) {
        for word in words where !take(word) { throw unexpected() }
    }

    func expectEnd() throws(SQLSyntaxError) {
        expected.append("<EOF>")
        if !isAtEnd { throw unexpected() }
    }

    /// Remembers something that would be right here, such as `<expression>`.
    func wanting(_ what: String) { expected.append(what) }

    // MARK: Places

    /// From the token at `start` through the last one taken.
    func place(from start: Int) -> Place {
        let first = tokens[start].span
        let last = tokens[max(start, position - 1)].span
        return Place(
            SourceSpan(
                offset: first.offset, length: max(0, last.offset + last.length - first.offset),
                line: first.line, column: first.column))
    }

    func join(_ first: Place, _ last: Place) -> Place {
        var span = first.span
        span.length = max(0, last.span.offset + last.span.length - span.offset)
        return Place(span)
    }

    // MARK: Lists and limits

    /// `element, element, ..`: at least one.
    func list<Element>(
        _ element: () throws(SQLSyntaxError) -> Element
    ) throws(SQLSyntaxError) -> [Element] {
        var elements = [try element()]
        while take(",") {
            guard elements.count < Limits.listElements else {
                throw tooComplex("a list has more than \(Limits.listElements) elements")
            }
            elements.append(try element())
        }
        return elements
    }

    /// `(element, ..)`: at least one.
    func parenthesized<Element>(
        _ element: () throws(SQLSyntaxError) -> Element
    ) throws(SQLSyntaxError) -> [Element] {
        try expect("(")
        let elements = try list(element)
        try expect(")")
        return elements
    }

    /// Runs one level deeper.
    func nested<Result>(
        _ body: () throws(SQLSyntaxError) -> Result
    ) throws(SQLSyntaxError) -> Result {
        guard depth < Limits.nesting else {
            throw tooComplex("the statement nests deeper than \(Limits.nesting) levels")
        }
        depth += 1
        defer { depth -= 1 }
        return try body()
    }

    /// Counts one more operator of a chain.
    func lengthen(_ chain: inout Int) throws(SQLSyntaxError) {
        chain += 1
        if chain > Limits.chain {
            throw tooComplex("more than \(Limits.chain) operators follow each other")
        }
    }

    private func tooComplex(_ text: String) -> SQLSyntaxError {
        SQLSyntaxError(
            code: .limitExceeded, text, at: token.span,
            hint: "split the statement, or use an array, VALUES or a table instead")
    }

    // MARK: Errors

    func unexpected() -> SQLSyntaxError {
        var seen: Set<String> = []
        let wanted = expected.filter { seen.insert($0).inserted }
        let shown = wanted.prefix(14).map { $0.hasPrefix("<") ? $0 : "'\($0)'" }
        var text = "mismatched input '\(describe(token))'."
        if isAtEnd { text = "the statement ends too early." }
        if !shown.isEmpty {
            text +=
                " Expecting: " + shown.joined(separator: ", ") + (wanted.count > 14 ? ", .." : "")
        }
        return SQLSyntaxError(text, at: token.span, hint: hint(wanted))
    }

    private func describe(_ token: Token) -> String {
        switch token.kind {
        case .quotedIdentifier: "\"\(token.text)\""
        case .string: "'\(String(token.text.prefix(40)))'"
        case .binary: "X'\(String(token.text.prefix(40)))'"
        case .unicodeString: "U&'\(String(token.text.prefix(40)))'"
        case .dollarString: "$$"
        default: token.text.isEmpty ? token.word : String(token.text.prefix(60))
        }
    }

    /// The word that was probably meant: here, or one token before, where a mistyped keyword was
    /// taken for an alias.
    private func hint(_ wanted: [String]) -> String? {
        let words = wanted.filter { $0.first?.isLetter ?? false }
        if token.kind == .word {
            if let word = nearestName(to: token.word, among: words), word != token.word {
                return "did you mean \(word)?"
            }
        }
        if token.word == "$" {
            return "names with $ stand in double quotes, such as \"orders$files\""
        }
        if position > 1, followsValue(position - 1) {
            let before = tokens[position - 1]
            if before.kind == .word, !reservedWords.contains(before.word),
                !grammarWords.contains(before.word), before.word.utf8.count > 2,
                let word = nearestName(to: before.word, among: grammarWords)
            {
                return "did you mean \(word) instead of \(before.text)?"
            }
        }
        if token.kind == .word, reservedWords.contains(token.word), wanted.contains("<identifier>")
        {
            return "\(token.text) is a reserved word: write \"\(token.text)\" to use it as a name"
        }
        if token.kind == .quotedIdentifier, wanted.contains("<string>") {
            return "strings stand in single quotes, names in double quotes"
        }
        if token.kind == .word, let word = nearestName(to: token.word, among: grammarWords),
            word != token.word, token.word.utf8.count > 2
        {
            return "did you mean \(word)?"
        }
        return nil
    }

    /// Whether the token before `index` ends a value or relation, so that `index` may be an alias.
    private func followsValue(_ index: Int) -> Bool {
        let before = tokens[index - 1]
        switch before.kind {
        case .symbol: return [")", "]", "*"].contains(before.word)
        case .word: return !reservedWords.contains(before.word) || before.word == "END"
        default: return true
        }
    }

    /// A form of another dialect.
    func foreign(_ text: String, hint: String, length: Int = 1) -> SQLSyntaxError {
        let first = token.span
        let last = peek(length - 1).span
        let span = SourceSpan(
            offset: first.offset, length: last.offset + last.length - first.offset,
            line: first.line, column: first.column)
        return SQLSyntaxError(code: .foreignDialect, text, at: span, hint: hint)
    }
}
