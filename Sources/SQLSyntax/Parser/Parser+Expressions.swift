import Diagnostics

// Precedence, loosest first: OR, AND, NOT, one predicate, ||, + -, * / %, sign, then what follows a
// primary ([], ., AT TIME ZONE). As in Trino's grammar, predicates do not chain.

private let comparisons: [String: ComparisonOperator] = [
    "=": .equal, "<>": .notEqual, "!=": .notEqual, "<": .less, "<=": .lessOrEqual, ">": .greater,
    ">=": .greaterOrEqual,
]

private let operators: [String: (precedence: Int, BinaryOperator)] = [
    "||": (1, .concatenate), "+": (2, .add), "-": (2, .subtract), "*": (3, .multiply),
    "/": (3, .divide), "%": (3, .modulus),
]

extension Parser {
    func expression() throws(SQLSyntaxError) -> Expression {
        try nested(disjunction)
    }

    private func disjunction() throws(SQLSyntaxError) -> Expression {
        let start = position
        let first = try conjunction()
        guard at("OR") else { return first }
        var terms = [first]
        while take("OR") { terms.append(try conjunction()) }
        return Expression(.or(terms), place: place(from: start))
    }

    private func conjunction() throws(SQLSyntaxError) -> Expression {
        let start = position
        let first = try negation()
        guard at("AND") else { return first }
        var terms = [first]
        while take("AND") { terms.append(try negation()) }
        return Expression(.and(terms), place: place(from: start))
    }

    private func negation() throws(SQLSyntaxError) -> Expression {
        let start = position
        guard take("NOT") else { return try predicate() }
        let operand = try nested(negation)
        return Expression(.not(operand), place: place(from: start))
    }

    private func predicate() throws(SQLSyntaxError) -> Expression {
        let start = position
        let left = try value()
        wanting("<comparison>")
        if token.kind == .symbol {
            guard let comparison = comparisons[token.word] else { return left }
            return try compared(left, comparison, start)
        }
        guard token.kind == .word else { return left }
        if take("IS") { return try isPredicate(left, start) }
        if let dialect = foreignPredicate() { throw dialect }
        try refuseUnsupportedPredicate()
        if take("OVERLAPS") {
            let right = try value()
            return Expression(.overlaps(left, right), place: place(from: start))
        }
        let negated = at("NOT") && (next("BETWEEN") || next("IN") || next("LIKE") || next("ILIKE"))
        if negated { advance() }
        if let dialect = foreignPredicate() { throw dialect }
        if take("BETWEEN") {
            let low = try value()
            try expect("AND")
            let high = try value()
            return Expression(
                .between(left, low: low, high: high, negated: negated), place: place(from: start))
        }
        if take("IN") { return try membership(left, negated, start) }
        if take("LIKE") {
            let pattern = try value()
            let escape: Expression? = take("ESCAPE") ? try value() : nil
            return Expression(
                .like(left, pattern: pattern, escape: escape, negated: negated),
                place: place(from: start))
        }
        if negated { throw unexpected() }
        return left
    }

    private func foreignPredicate() -> SQLSyntaxError? {
        switch token.word {
        case "ILIKE":
            foreign(
                "ILIKE is not supported", hint: "write lower(x) LIKE lower(pattern)")
        case "RLIKE", "REGEXP":
            foreign("\(token.word) is not supported", hint: "write regexp_like(x, pattern)")
        case "SIMILAR" where next("TO"):
            foreign("SIMILAR TO is not supported", hint: "write regexp_like(x, pattern)", length: 2)
        default:
            nil
        }
    }

    private func compared(
        _ left: Expression, _ comparison: ComparisonOperator, _ start: Int
    ) throws(SQLSyntaxError) -> Expression {
        advance()
        if token.word == "=", comparison == .equal {
            throw foreign("'==' is not an operator", hint: "write a single =")
        }
        if token.word == "ALL" || token.word == "ANY" || token.word == "SOME", next("("),
            startsQuery(inParenthesisAt: position + 1)
        {
            let quantifier: Quantifier = advance().word == "ALL" ? .all : .any
            let query = try parenthesizedQuery()
            return Expression(
                .quantified(left, comparison, quantifier, query), place: place(from: start))
        }
        let right = try value()
        return Expression(.comparison(comparison, left, right), place: place(from: start))
    }

    private func isPredicate(
        _ left: Expression, _ start: Int
    ) throws(SQLSyntaxError) -> Expression {
        let negated = take("NOT")
        let kind: Expression.Kind
        if take("NULL") {
            kind = .isNull(left, negated: negated)
        } else if take("TRUE") {
            kind = .isTruth(left, .isTrue, negated: negated)
        } else if take("FALSE") {
            kind = .isTruth(left, .isFalse, negated: negated)
        } else if take("UNKNOWN") {
            kind = .isTruth(left, .unknown, negated: negated)
        } else if take("DISTINCT") {
            try expect("FROM")
            kind = .isDistinct(left, try value(), negated: negated)
        } else {
            throw unexpected()
        }
        return Expression(kind, place: place(from: start))
    }

    private func membership(
        _ left: Expression, _ negated: Bool, _ start: Int
    ) throws(SQLSyntaxError) -> Expression {
        if at("("), startsQuery(inParenthesisAt: position) {
            let query = try parenthesizedQuery()
            return Expression(
                .inSubquery(left, query, negated: negated), place: place(from: start))
        }
        if token.word == "UNNEST" {
            throw foreign("IN UNNEST is not supported", hint: "write contains(array, x)")
        }
        let elements = try parenthesized(expression)
        return Expression(.inList(left, elements, negated: negated), place: place(from: start))
    }

    /// Arithmetic and concatenation: what stands on either side of a comparison.
    func value() throws(SQLSyntaxError) -> Expression { try value(minimum: 1) }

    /// The same one level deeper: for operands of forms that can hold themselves without an expression
    /// between, such as POSITION and the bounds of window frames.
    func nestedValue() throws(SQLSyntaxError) -> Expression {
        try nested { () throws(SQLSyntaxError) in try value() }
    }

    private func value(minimum: Int) throws(SQLSyntaxError) -> Expression {
        let start = position
        var left = try signed()
        var chain = 0
        wanting("<operator>")
        while token.kind == .symbol, let (precedence, binary) = operators[token.word],
            precedence >= minimum
        {
            try lengthen(&chain)
            advance()
            let right = try value(minimum: precedence + 1)
            left = Expression(.binary(binary, left, right), place: place(from: start))
        }
        return left
    }

    private func signed() throws(SQLSyntaxError) -> Expression {
        let start = position
        if token.kind != .symbol { return try postfixed() }
        if token.word == "-" {
            let isNumber = [.integer, .decimal, .double].contains(peek().kind)
            if isNumber { return try postfixed() }
            advance()
            let operand = try nested(signed)
            return Expression(.negate(operand), place: place(from: start))
        }
        if token.word == "+" {
            advance()
            let operand = try nested(signed)
            return Expression(.plus(operand), place: place(from: start))
        }
        return try postfixed()
    }

    private func postfixed() throws(SQLSyntaxError) -> Expression {
        let start = position
        var base = try primary()
        var chain = 0
        while true {
            switch token.word {
            case "[" where token.kind == .symbol:
                try lengthen(&chain)
                advance()
                let index = try expression()
                try expect("]")
                base = Expression(.subscripted(base, index), place: place(from: start))
            case "." where token.kind == .symbol && peek().word != "*":
                try lengthen(&chain)
                advance()
                let field = try identifier()
                base = Expression(.dereference(base, field), place: place(from: start))
            case "AT" where next("TIME") && next("ZONE", 2):
                try lengthen(&chain)
                for _ in 0..<3 { advance() }
                let zone = try nested(primary)
                base = Expression(.atTimeZone(base, zone), place: place(from: start))
            case "AT" where next("LOCAL"):
                try lengthen(&chain)
                advance()
                advance()
                base = Expression(.atLocal(base), place: place(from: start))
            case "::":
                try refuseStaticMethod(base)
                throw foreign(
                    "'::' casts are not supported",
                    hint: "write CAST(\(SQLFormatter.format(base)) AS \(peek().text))", length: 2)
            default:
                return base
            }
        }
    }
}
