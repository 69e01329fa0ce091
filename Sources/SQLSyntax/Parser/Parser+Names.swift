import Diagnostics

extension Parser {
    func identifier() throws(SQLSyntaxError) -> Identifier {
        guard isName(token) else {
            wanting("<identifier>")
            throw unexpected()
        }
        let start = position
        let token = advance()
        return Identifier(
            token.text, isDelimited: token.kind == .quotedIdentifier, place: place(from: start))
    }

    func qualifiedName() throws(SQLSyntaxError) -> QualifiedName {
        let start = position
        var parts = [try identifier()]
        while at("."), parts.count < 16 {
            advance()
            parts.append(try identifier())
        }
        return QualifiedName(parts, place: place(from: start))
    }

    /// A string literal, with its U& form.
    func string() throws(SQLSyntaxError) -> String {
        if token.kind == .string { return advance().text }
        if token.kind == .unicodeString { return try unicodeString() }
        wanting("<string>")
        throw unexpected()
    }

    var isAtString: Bool { token.kind == .string || token.kind == .unicodeString }

    /// `U&'..' [UESCAPE 'c']`: `\XXXX` and `\+XXXXXX` stand for characters.
    private func unicodeString() throws(SQLSyntaxError) -> String {
        let token = advance()
        var escape: Character = "\\"
        if take("UESCAPE") {
            let text = try string()
            guard text.count == 1, let character = text.first, character.isASCII,
                !character.isHexDigit, character != "+", character != "'", character != " "
            else { throw SQLSyntaxError("invalid Unicode escape character", at: token.span) }
            escape = character
        }
        var result = ""
        var rest = Substring(token.text)
        while let character = rest.popFirst() {
            guard character == escape else {
                result.append(character)
                continue
            }
            if rest.first == escape {
                result.append(escape)
                rest.removeFirst()
                continue
            }
            let length = rest.first == "+" ? 6 : 4
            if length == 6 { rest.removeFirst() }
            let digits = rest.prefix(length)
            guard digits.count == length, digits.allSatisfy(\.isHexDigit),
                let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code)
            else {
                throw SQLSyntaxError(
                    "invalid Unicode escape sequence", at: token.span,
                    hint: "write four hexadecimal digits after \(escape), or six after \(escape)+")
            }
            result.unicodeScalars.append(scalar)
            rest.removeFirst(length)
        }
        return result
    }

    /// A whole number that is not negative.
    func count() throws(SQLSyntaxError) -> Int {
        wanting("<integer>")
        guard token.kind == .integer else { throw unexpected() }
        let token = advance()
        guard let value = Int(token.text) else {
            throw SQLSyntaxError(
                code: .numberOutOfRange, "the number is too large: \(token.text)", at: token.span)
        }
        return value
    }

    func likePattern() throws(SQLSyntaxError) -> LikePattern? {
        guard take("LIKE") else { return nil }
        let pattern = try string()
        return LikePattern(pattern: pattern, escape: take("ESCAPE") ? try string() : nil)
    }

    func optionalComment() throws(SQLSyntaxError) -> String? {
        take("COMMENT") ? try string() : nil
    }

    /// `WITH (name = value, ..)`, if it is here.
    func optionalProperties() throws(SQLSyntaxError) -> [Property] {
        guard at("WITH"), next("(") else { return [] }
        advance()
        return try parenthesized(property)
    }

    func property() throws(SQLSyntaxError) -> Property {
        let start = position
        let name = try qualifiedName()
        try expect("=")
        let value: Expression? = take("DEFAULT") ? nil : try expression()
        return Property(name: name, value: value, place: place(from: start))
    }

    func ifExists() -> Bool { take("IF", "EXISTS") }
    func ifNotExists() -> Bool { take("IF", "NOT", "EXISTS") }
}
