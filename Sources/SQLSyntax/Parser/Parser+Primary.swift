import Diagnostics

extension Parser {
    /// A literal, name, call or form.
    func primary() throws(SQLSyntaxError) -> Expression {
        let start = position
        switch token.kind {
        case .integer, .decimal, .double:
            return try number()
        case .string, .unicodeString:
            let text = try string()
            return Expression(.string(text), place: place(from: start))
        case .binary:
            return try binaryLiteral()
        case .quotedIdentifier:
            return try named()
        case .symbol:
            return try symbolic()
        case .word:
            if peek().kind == .string || peek().kind == .unicodeString {
                if let literal = try typedLiteral() { return literal }
            }
            if let form = try wordForm() { return form }
            return try named()
        case .dollarString, .end:
            wanting("<expression>")
            throw unexpected()
        }
    }

    private func symbolic() throws(SQLSyntaxError) -> Expression {
        let start = position
        switch token.word {
        case "(":
            return try inParentheses()
        case "-":
            // A number follows: `signed` looked.
            return try number()
        case "?":
            advance()
            defer { parameterCount += 1 }
            return Expression(.parameter(parameterCount), place: place(from: start))
        case ":":
            throw foreign(
                "named parameters are not supported", hint: "use ? and EXECUTE .. USING", length: 2)
        case "@":
            throw foreign(
                "variables are not supported", hint: "use ? and EXECUTE .. USING", length: 2)
        case "*":
            wanting("<expression>")
            throw unexpected()
        default:
            wanting("<expression>")
            throw unexpected()
        }
    }

    private func number() throws(SQLSyntaxError) -> Expression {
        let start = position
        let sign = take("-") ? "-" : ""
        let token = advance()
        let text = sign + token.text
        switch token.kind {
        case .integer:
            guard let value = Int64(text) else {
                throw SQLSyntaxError(
                    code: .numberOutOfRange, "invalid numeric literal: \(text)",
                    at: place(from: start).span,
                    hint: "write DECIMAL '\(text)' for numbers beyond 64 bits")
            }
            return Expression(.integer(value), place: place(from: start))
        case .decimal:
            return Expression(.decimal(text), place: place(from: start))
        default:
            guard let value = Double(text), value.isFinite else {
                throw SQLSyntaxError(
                    code: .numberOutOfRange, "invalid numeric literal: \(text)",
                    at: place(from: start).span)
            }
            return Expression(.double(value), place: place(from: start))
        }
    }

    private func binaryLiteral() throws(SQLSyntaxError) -> Expression {
        let start = position
        let token = advance()
        var nibbles: [UInt8] = []
        for character in token.text where !character.isWhitespace {
            guard let digit = character.hexDigitValue, character.isASCII else {
                throw SQLSyntaxError(
                    "binary literal can only contain hexadecimal digits", at: token.span)
            }
            nibbles.append(UInt8(digit))
        }
        guard nibbles.count.isMultiple(of: 2) else {
            throw SQLSyntaxError(
                "binary literal must contain an even number of digits", at: token.span)
        }
        let bytes = stride(from: 0, to: nibbles.count, by: 2).map {
            nibbles[$0] << 4 | nibbles[$0 + 1]
        }
        return Expression(.bytes(bytes), place: place(from: start))
    }

    /// `DATE '..'`, `DECIMAL '..'`: a type name before a string.
    private func typedLiteral() throws(SQLSyntaxError) -> Expression? {
        let start = position
        guard isName(token), token.word != "INTERVAL" else { return nil }
        let type: TypeName
        switch token.word {
        case "TIME":
            advance()
            type = TypeName(
                .dateTime(.time, precision: nil, withTimeZone: false), place: place(from: start))
        case "TIMESTAMP":
            advance()
            type = TypeName(
                .dateTime(.timestamp, precision: nil, withTimeZone: false),
                place: place(from: start))
        case "E", "N", "B":
            throw foreign(
                "\(token.text)'..' strings are not supported",
                hint: "write '..', or U&'..' for escapes", length: 2)
        default:
            let name = try identifier()
            type = TypeName(.named(name.canonical, []), place: place(from: start))
        }
        let text = try string()
        return Expression(.typed(type, text), place: place(from: start))
    }

    /// `INTERVAL [+|-] 'text' unit [TO unit]`.
    func intervalLiteral() throws(SQLSyntaxError) -> IntervalLiteral {
        try expect("INTERVAL")
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        if token.kind == .integer {
            throw foreign(
                "the number of an interval stands in quotes",
                hint: "write INTERVAL '\(token.text)' \(peek().text.uppercased())", length: 2)
        }
        let text = try string()
        let from = try intervalUnit()
        return IntervalLiteral(
            isNegative: isNegative, text: text, from: from,
            to: take("TO") ? try intervalUnit() : nil)
    }

    private func intervalUnit() throws(SQLSyntaxError) -> IntervalUnit {
        for unit in IntervalUnit.allCases where take(unit.rawValue.uppercased()) { return unit }
        if let unit = IntervalUnit.allCases.first(where: {
            token.word == $0.rawValue.uppercased() + "S"
        }) {
            throw foreign(
                "interval units are singular", hint: "write \(unit.rawValue.uppercased())")
        }
        throw unexpected()
    }

    /// A name, a call, or a lambda of one parameter.
    private func named() throws(SQLSyntaxError) -> Expression {
        let start = position
        guard isName(token) else {
            wanting("<expression>")
            throw unexpected()
        }
        if next("->") {
            let parameter = try identifier()
            advance()
            let body = try expression()
            return Expression(.lambda([parameter], body), place: place(from: start))
        }
        if token.word == "RUNNING" || token.word == "FINAL", isName(peek()), next("(", 2) {
            let mode: ProcessingMode = advance().word == "RUNNING" ? .running : .final
            guard case .function(var call) = try call().kind else { throw unexpected() }
            call.processingMode = mode
            return Expression(.function(call), place: place(from: start))
        }
        var last = position
        while tokens[last + 1].word == ".", last + 2 < tokens.count, isName(tokens[last + 2]) {
            last += 2
        }
        if tokens[last + 1].word == "(", tokens[last + 1].kind == .symbol { return try call() }
        let identifier = try identifier()
        return Expression(.identifier(identifier), place: place(from: start))
    }

    private func inParentheses() throws(SQLSyntaxError) -> Expression {
        let start = position
        if let close = closingParenthesis(of: start), tokens[close + 1].word == "->" {
            advance()
            var parameters: [Identifier] = []
            if !at(")") { parameters = try list(identifier) }
            try expect(")", "->")
            let body = try expression()
            return Expression(.lambda(parameters, body), place: place(from: start))
        }
        if startsQuery(inParenthesisAt: start) {
            let query = try parenthesizedQuery()
            return Expression(.subquery(query), place: place(from: start))
        }
        advance()
        let elements = try list(expression)
        try expect(")")
        if elements.count == 1 { return Expression(elements[0].kind, place: place(from: start)) }
        return Expression(.row(elements), place: place(from: start))
    }

    /// What begins with a word of the grammar; nil for plain names.
    private func wordForm() throws(SQLSyntaxError) -> Expression? {
        let start = position
        switch token.word {
        case "NULL":
            advance()
            return Expression(.null, place: place(from: start))
        case "TRUE", "FALSE":
            let isTrue = advance().word == "TRUE"
            return Expression(.boolean(isTrue), place: place(from: start))
        case "INTERVAL"
        where peek().kind == .string || peek().kind == .integer
            || ((next("-") || next("+")) && peek(2).kind == .string):
            let interval = try intervalLiteral()
            return Expression(.interval(interval), place: place(from: start))
        case "CASE":
            return try caseForm()
        case "CAST":
            return try castForm()
        case "TRY_CAST" where next("("):
            return try castForm()
        case "EXISTS":
            advance()
            let query = try parenthesizedQuery()
            return Expression(.exists(query), place: place(from: start))
        case "UNIQUE" where next("(") && startsQuery(inParenthesisAt: position + 1):
            advance()
            let query = try parenthesizedQuery()
            return Expression(.unique(query), place: place(from: start))
        case "MULTISET" where next("[") || next("("):
            try refuseMultiset()
            return try functionForm()
        case "ROW" where next("("):
            advance()
            let fields = try parenthesized(expression)
            return Expression(.row(fields), place: place(from: start))
        case "ARRAY" where next("["):
            advance()
            advance()
            var elements: [Expression] = []
            if !at("]") { elements = try list(expression) }
            try expect("]")
            return Expression(.array(elements), place: place(from: start))
        default:
            if let special = try specialForm() { return special }
            return try functionForm()
        }
    }

    private func specialForm() throws(SQLSyntaxError) -> Expression? {
        let start = position
        guard let special = SpecialValue(rawValue: token.word) else { return nil }
        advance()
        var precision: Int?
        switch special {
        case .currentTime, .currentTimestamp, .localTime, .localTimestamp:
            if take("(") {
                precision = try count()
                try expect(")")
            }
        case .currentDate, .currentUser, .currentCatalog, .currentSchema, .currentPath:
            if at("("), next(")") {
                throw foreign(
                    "\(special.rawValue) takes no parentheses", hint: "write \(special.rawValue)",
                    length: 2)
            }
        }
        return Expression(.special(special, precision: precision), place: place(from: start))
    }

    private func caseForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        try expect("CASE")
        let operand: Expression? = at("WHEN") ? nil : try expression()
        var branches: [WhenClause] = []
        repeat {
            let branchStart = position
            try expect("WHEN")
            let condition = try expression()
            try expect("THEN")
            let result = try expression()
            branches.append(
                WhenClause(condition: condition, result: result, place: place(from: branchStart)))
        } while at("WHEN")
        let otherwise: Expression? = take("ELSE") ? try expression() : nil
        try expect("END")
        return Expression(
            .caseWhen(operand: operand, branches, otherwise: otherwise), place: place(from: start))
    }

    private func castForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        let isTry = advance().word == "TRY_CAST"
        try expect("(")
        let operand = try expression()
        try expect("AS")
        let type = try type()
        try expect(")")
        return Expression(.cast(operand, type, isTry: isTry), place: place(from: start))
    }
}
