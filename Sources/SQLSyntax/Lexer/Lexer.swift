import Diagnostics

/// Cuts a text into tokens. O(n).
struct Lexer {
    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    /// Where the line begins, and how many bytes of it are not the first of their scalar.
    private var lineStart = 0
    private var continuationBytes = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// All tokens; the last one is `.end`.
    static func tokens(of text: String) throws(SQLSyntaxError) -> [Token] {
        var lexer = Lexer(text)
        guard lexer.bytes.count <= Limits.statementBytes else {
            throw SQLSyntaxError(
                code: .limitExceeded,
                "the statement has \(lexer.bytes.count) bytes, the limit is \(Limits.statementBytes)",
                at: SourceSpan(offset: 0, length: 0, line: 1, column: 1),
                hint: "load large data from files, or split the statement")
        }
        var tokens: [Token] = []
        tokens.reserveCapacity(lexer.bytes.count / 4 + 1)
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    // MARK: Places

    private struct Mark {
        var offset: Int
        var line: Int
        var column: Int
    }

    private var mark: Mark {
        Mark(offset: at, line: line, column: at - lineStart - continuationBytes + 1)
    }

    private func span(from mark: Mark) -> SourceSpan {
        SourceSpan(
            offset: mark.offset, length: at - mark.offset, line: mark.line, column: mark.column)
    }

    private func peek(_ distance: Int = 0) -> UInt8 {
        at + distance < bytes.count ? bytes[at + distance] : 0
    }

    /// Moves past one byte and keeps count of lines and columns.
    private mutating func advance() {
        let byte = bytes[at]
        at += 1
        if byte == 10 {
            line += 1
            lineStart = at
            continuationBytes = 0
        } else if byte & 0xc0 == 0x80 {
            continuationBytes += 1
        }
    }

    private mutating func advance(_ count: Int) {
        for _ in 0..<count where at < bytes.count { advance() }
    }

    // MARK: Tokens

    private mutating func next() throws(SQLSyntaxError) -> Token {
        try skipBlanks()
        let start = mark
        guard at < bytes.count else {
            return Token(kind: .end, word: "<EOF>", text: "", span: span(from: start))
        }
        let byte = bytes[at]
        switch byte {
        case UInt8(ascii: "'"):
            let text = try quoted(byte, start, "the string")
            return Token(kind: .string, word: "", text: text, span: span(from: start))
        case UInt8(ascii: "\""):
            let text = try quoted(byte, start, "the quoted name")
            if text.isEmpty {
                throw SQLSyntaxError(
                    "zero-length delimited identifier not allowed", at: span(from: start))
            }
            return Token(kind: .quotedIdentifier, word: "", text: text, span: span(from: start))
        case UInt8(ascii: "`"):
            advance()
            while at < bytes.count, bytes[at] != byte { advance() }
            let name = String(decoding: bytes[(start.offset + 1)..<at], as: UTF8.self)
            if at < bytes.count { advance() }
            throw SQLSyntaxError(
                code: .foreignDialect,
                "backquoted identifiers are not supported; use double quotes to quote identifiers",
                at: span(from: start), hint: "write \"\(name)\"")
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number(start)
        case UInt8(ascii: "."):
            if isDigit(peek(1)) { return try number(start) }
        case UInt8(ascii: "$"):
            if peek(1) == byte { return try dollarString(start) }
        default:
            break
        }
        if isWordStart(byte) { return try word(start) }
        return try symbol(start)
    }

    private mutating func skipBlanks() throws(SQLSyntaxError) {
        while at < bytes.count {
            let byte = bytes[at]
            if byte == 32 || (byte >= 9 && byte <= 13) {
                advance()
            } else if byte == 0xc2, peek(1) == 0xa0 {
                // Non-breaking spaces come with text pasted from web pages.
                advance(2)
            } else if byte == 0xef, peek(1) == 0xbb, peek(2) == 0xbf {
                advance(3)
            } else if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
                while at < bytes.count, bytes[at] != 10 { advance() }
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                let start = mark
                advance(2)
                while at < bytes.count,
                    !(bytes[at] == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/"))
                {
                    advance()
                }
                guard at < bytes.count else {
                    throw SQLSyntaxError(
                        "the comment is not closed", at: span(from: start), hint: "add */")
                }
                advance(2)
            } else {
                return
            }
        }
    }

    /// The text between quotes; doubled quotes stand for one.
    private mutating func quoted(
        _ quote: UInt8, _ start: Mark, _ what: String
    ) throws(SQLSyntaxError) -> String {
        advance()
        var value: [UInt8] = []
        while true {
            guard at < bytes.count else {
                throw SQLSyntaxError(
                    "\(what) is not closed", at: span(from: start),
                    hint:
                        "add \(Character(Unicode.Scalar(quote))) at its end; inside, write it twice"
                )
            }
            let byte = bytes[at]
            advance()
            if byte == quote {
                guard at < bytes.count, bytes[at] == quote else { break }
                advance()
            }
            value.append(byte)
        }
        return String(decoding: value, as: UTF8.self)
    }

    private mutating func dollarString(_ start: Mark) throws(SQLSyntaxError) -> Token {
        advance(2)
        let begin = at
        while at < bytes.count, !(bytes[at] == UInt8(ascii: "$") && peek(1) == UInt8(ascii: "$")) {
            advance()
        }
        guard at < bytes.count else {
            throw SQLSyntaxError("the $$ text is not closed", at: span(from: start))
        }
        let text = String(decoding: bytes[begin..<at], as: UTF8.self)
        advance(2)
        return Token(kind: .dollarString, word: "", text: text, span: span(from: start))
    }

    private mutating func word(_ start: Mark) throws(SQLSyntaxError) -> Token {
        let first = bytes[at] | 32
        if first == UInt8(ascii: "x"), peek(1) == UInt8(ascii: "'") {
            advance()
            let text = try quoted(UInt8(ascii: "'"), start, "the binary literal")
            return Token(kind: .binary, word: "", text: text, span: span(from: start))
        }
        if first == UInt8(ascii: "u"), peek(1) == UInt8(ascii: "&"), peek(2) == UInt8(ascii: "'") {
            advance(2)
            let text = try quoted(UInt8(ascii: "'"), start, "the string")
            return Token(kind: .unicodeString, word: "", text: text, span: span(from: start))
        }
        while at < bytes.count, isWordStart(bytes[at]) || isDigit(bytes[at]) { advance() }
        let text = String(decoding: bytes[start.offset..<at], as: UTF8.self)
        return Token(kind: .word, word: text.uppercased(), text: text, span: span(from: start))
    }

    private mutating func number(_ start: Mark) throws(SQLSyntaxError) -> Token {
        if bytes[at] == UInt8(ascii: "0") {
            let radix: Int? =
                switch peek(1) | 32 {
                case UInt8(ascii: "x"): 16
                case UInt8(ascii: "o"): 8
                case UInt8(ascii: "b"): 2
                default: nil
                }
            if let radix, digitValue(peek(2), radix) != nil {
                return try radixNumber(start, radix)
            }
        }
        var kind = Token.Kind.integer
        digits()
        if peek() == UInt8(ascii: ".") {
            kind = .decimal
            advance()
            digits()
        }
        if peek() | 32 == UInt8(ascii: "e") {
            let sign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
            if isDigit(peek(sign ? 2 : 1)) {
                kind = .double
                advance(sign ? 2 : 1)
                digits()
            }
        }
        if at < bytes.count, isWordStart(bytes[at]) {
            while at < bytes.count, isWordStart(bytes[at]) || isDigit(bytes[at]) { advance() }
            let text = String(decoding: bytes[start.offset..<at], as: UTF8.self)
            throw SQLSyntaxError(
                "identifiers must not start with a digit; surround the identifier with double quotes",
                at: span(from: start), hint: "write \"\(text)\"")
        }
        let text = String(
            decoding: bytes[start.offset..<at].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        return Token(kind: kind, word: "", text: text, span: span(from: start))
    }

    private mutating func digits() {
        while isDigit(peek()) || (peek() == UInt8(ascii: "_") && isDigit(peek(1))) { advance() }
    }

    private mutating func radixNumber(_ start: Mark, _ radix: Int) throws(SQLSyntaxError) -> Token {
        advance(2)
        var value: UInt64 = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "_"), digitValue(peek(1), radix) != nil {
                advance()
                continue
            }
            guard let digit = digitValue(bytes[at], radix) else { break }
            advance()
            let (product, overflow) = value.multipliedReportingOverflow(by: UInt64(radix))
            guard !overflow else {
                throw SQLSyntaxError(
                    code: .numberOutOfRange, "the number does not fit 64 bits",
                    at: span(from: start))
            }
            value = product | UInt64(digit)
        }
        return Token(kind: .integer, word: "", text: String(value), span: span(from: start))
    }

    private static let longSymbols = [
        "<>", "!=", "<=", ">=", "||", "=>", "->", "::", "{-", "-}",
    ]

    private mutating func symbol(_ start: Mark) throws(SQLSyntaxError) -> Token {
        for long in Lexer.longSymbols {
            if long.utf8.elementsEqual([peek(), peek(1)]) {
                advance(2)
                return Token(kind: .symbol, word: long, text: long, span: span(from: start))
            }
        }
        let single = Unicode.Scalar(bytes[at])
        if single.isASCII, "()[]{},;.+-*/%=<>?|:@^$".unicodeScalars.contains(single) {
            advance()
            let text = String(single)
            return Token(kind: .symbol, word: text, text: text, span: span(from: start))
        }
        // Show the whole scalar, not its first byte.
        advance()
        while at < bytes.count, bytes[at] & 0xc0 == 0x80 { advance() }
        let text = String(decoding: bytes[start.offset..<at], as: UTF8.self)
        let isQuote = ["‘", "’", "“", "”", "′", "´"].contains(text)
        throw SQLSyntaxError(
            "unexpected character '\(text)'", at: span(from: start),
            hint: isQuote
                ? "use straight quotes: ' for strings, \" for names"
                : "names with characters other than letters, digits and _ stand in double quotes")
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

private func isWordStart(_ byte: UInt8) -> Bool {
    byte | 32 >= UInt8(ascii: "a") && byte | 32 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
}

private func digitValue(_ byte: UInt8, _ radix: Int) -> Int? {
    let value: Int
    switch byte {
    case 48...57: value = Int(byte) - 48
    case 65...70, 97...102: value = Int(byte | 32) - 87
    default: return nil
    }
    return value < radix ? value : nil
}
