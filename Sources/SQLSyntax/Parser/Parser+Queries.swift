import Diagnostics

private let queryStarts: Set<String> = ["SELECT", "WITH", "VALUES", "TABLE"]
private let queryContinuations: Set<String> = [
    ")", "UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH",
]

extension Parser {
    /// Whether the `(` at `index` holds a query rather than an expression or a join.
    ///
    /// Decides without backtracking: behind leading parentheses stands a query's first word, and what
    /// follows the inner query is `)` or continues a query.
    func startsQuery(inParenthesisAt index: Int) -> Bool {
        var inner = index
        while inner + 1 < tokens.count, tokens[inner].word == "(", tokens[inner].kind == .symbol {
            inner += 1
        }
        guard inner > index, tokens[inner].kind == .word, queryStarts.contains(tokens[inner].word)
        else { return false }
        if tokens[inner].word == "TABLE", inner + 1 < tokens.count, tokens[inner + 1].word == "(" {
            return false
        }
        // Each parenthesis between must close before something that a query may go on with.
        var open = inner - 1
        while open > index {
            guard let close = closingParenthesis(of: open),
                queryContinuations.contains(tokens[close + 1].word)
            else { return false }
            open -= 1
        }
        return true
    }

    var startsQueryHere: Bool {
        (token.kind == .word && queryStarts.contains(token.word))
            || (token.word == "(" && token.kind == .symbol
                && startsQuery(inParenthesisAt: position))
    }

    func parenthesizedQuery() throws(SQLSyntaxError) -> Query {
        try expect("(")
        let query = try nested(query)
        try expect(")")
        return query
    }

    /// `[WITH ..] body [ORDER BY ..] [OFFSET ..] [LIMIT ..]`.
    func query() throws(SQLSyntaxError) -> Query {
        let start = position
        var functions: [FunctionSpecification] = []
        var properties: [Property] = []
        while at("WITH"), next("FUNCTION") || next("SESSION"), peek(2).kind != .symbol {
            advance()
            if take("SESSION") {
                properties += try list(property)
            } else {
                functions += try list(functionSpecification)
            }
        }
        let with = try optionalWith()
        let body = try setOperations()
        let orderBy = try optionalOrderBy()
        var query = Query(
            functions: functions, sessionProperties: properties, with: with, body: body,
            orderBy: orderBy, offset: nil, limit: nil, place: place(from: start))
        if at("OFFSET"), !next(")") {
            advance()
            query.offset = try rowCount()
            if !take("ROWS") { _ = take("ROW") }
        }
        query.limit = try optionalLimit()
        query.place = place(from: start)
        return query
    }

    private func optionalLimit() throws(SQLSyntaxError) -> Limit? {
        if take("LIMIT") {
            if take("ALL") { return .all }
            let count = try rowCount()
            if token.word == "OFFSET" {
                throw foreign(
                    "OFFSET stands before LIMIT",
                    hint: "write OFFSET \(peek().text) LIMIT \(SQLFormatter.format(count))",
                    length: 2)
            }
            if token.word == ",", peek().kind == .integer {
                throw foreign(
                    "LIMIT takes one number",
                    hint: "write OFFSET \(SQLFormatter.format(count)) LIMIT \(peek().text)",
                    length: 2)
            }
            return .rows(count)
        }
        guard take("FETCH") else { return nil }
        if !take("FIRST") { try expect("NEXT") }
        var count = Expression(.integer(1), place: place(from: position))
        if !at("ROW"), !at("ROWS") { count = try rowCount() }
        if !take("ROW") { try expect("ROWS") }
        if take("ONLY") { return .rows(count) }
        try expect("WITH", "TIES")
        return .rowsWithTies(count)
    }

    /// A whole number or a parameter.
    private func rowCount() throws(SQLSyntaxError) -> Expression {
        wanting("<integer>")
        guard token.kind == .integer || token.word == "?" else { throw unexpected() }
        return try primary()
    }

    private func optionalWith() throws(SQLSyntaxError) -> With? {
        let start = position
        guard take("WITH") else { return nil }
        let isRecursive = take("RECURSIVE")
        let queries = try list { () throws(SQLSyntaxError) in
            let start = self.position
            let name = try self.identifier()
            let columns = try self.optionalColumns()
            try self.expect("AS")
            if self.at("MATERIALIZED") || (self.at("NOT") && self.next("MATERIALIZED")) {
                throw self.foreign(
                    "AS MATERIALIZED is not supported", hint: "leave MATERIALIZED out")
            }
            let query = try self.parenthesizedQuery()
            return WithQuery(
                name: name, columns: columns, query: query, place: self.place(from: start))
        }
        return With(isRecursive: isRecursive, queries: queries, place: place(from: start))
    }

    /// `(a, b)`, if it is here.
    func optionalColumns() throws(SQLSyntaxError) -> [Identifier] {
        at("(") ? try parenthesized(identifier) : []
    }

    /// UNION and EXCEPT; INTERSECT binds tighter.
    private func setOperations() throws(SQLSyntaxError) -> QueryBody {
        let start = position
        var left = try intersections()
        var chain = 0
        while at("UNION") || at("EXCEPT") {
            if token.word == "EXCEPT", next("(") && !startsQuery(inParenthesisAt: position + 1) {
                break
            }
            try lengthen(&chain)
            let kind: SetOperation.Kind = advance().word == "UNION" ? .union : .except
            left = try operation(kind, left, start, intersections)
        }
        return left
    }

    private func intersections() throws(SQLSyntaxError) -> QueryBody {
        let start = position
        var left = try queryPrimary()
        var chain = 0
        while take("INTERSECT") {
            try lengthen(&chain)
            left = try operation(.intersect, left, start, queryPrimary)
        }
        return left
    }

    private func operation(
        _ kind: SetOperation.Kind, _ left: QueryBody, _ start: Int,
        _ operand: () throws(SQLSyntaxError) -> QueryBody
    ) throws(SQLSyntaxError) -> QueryBody {
        let isAll = take("ALL")
        if !isAll { _ = take("DISTINCT") }
        var corresponding: [Identifier]?
        if take("CORRESPONDING") {
            corresponding = take("BY") ? try parenthesized(identifier) : []
        }
        let right = try operand()
        let operation = SetOperation(
            kind: kind, isDistinct: !isAll, corresponding: corresponding, left: left, right: right)
        return QueryBody(kind: .setOperation(operation), place: place(from: start))
    }

    private func queryPrimary() throws(SQLSyntaxError) -> QueryBody {
        let start = position
        if at("SELECT") {
            let specification = try querySpecification()
            return QueryBody(kind: .specification(specification), place: place(from: start))
        }
        if take("TABLE") {
            let name = try qualifiedName()
            return QueryBody(kind: .table(name), place: place(from: start))
        }
        if take("VALUES") {
            let rows = try list(expression)
            return QueryBody(kind: .values(rows), place: place(from: start))
        }
        guard at("(") else {
            if token.word == "FROM" {
                throw foreign(
                    "a query begins with SELECT", hint: "write SELECT * FROM \(peek().text)")
            }
            throw unexpected()
        }
        let query = try parenthesizedQuery()
        return QueryBody(kind: .subquery(query), place: place(from: start))
    }

    private func querySpecification() throws(SQLSyntaxError) -> QuerySpecification {
        try expect("SELECT")
        let isDistinct = take("DISTINCT")
        if isDistinct, token.word == "ON", next("(") {
            throw foreign(
                "DISTINCT ON is not supported",
                hint: "number the rows with row_number() OVER (PARTITION BY .. ORDER BY ..) "
                    + "and keep the first", length: 2)
        }
        if !isDistinct { _ = take("ALL") }
        if token.word == "TOP", peek().kind == .integer {
            throw foreign(
                "SELECT TOP is not supported",
                hint: "write LIMIT \(peek().text) at the end of the query", length: 2)
        }
        var specification = QuerySpecification(items: [])
        specification.isDistinct = isDistinct
        specification.items = try list(selectItem)
        if take("FROM") { specification.from = try relations() }
        if take("WHERE") { specification.filter = try expression() }
        if at("GROUP") { specification.groupBy = try groupBy() }
        if take("HAVING") { specification.having = try expression() }
        if at("WINDOW"), isName(peek()), next("AS", 2) {
            advance()
            specification.windows = try list { () throws(SQLSyntaxError) in
                let start = self.position
                let name = try self.identifier()
                try self.expect("AS")
                let window = try self.windowSpecification()
                return WindowDefinition(
                    name: name, window: window, place: self.place(from: start))
            }
        }
        if token.word == "QUALIFY" {
            throw foreign(
                "QUALIFY is not supported",
                hint: "compute the window function in a subquery and filter on it in WHERE")
        }
        return specification
    }

    private func selectItem() throws(SQLSyntaxError) -> SelectItem {
        let start = position
        if token.word == "FROM" || isAtEnd {
            wanting("<expression>")
            throw SQLSyntaxError(
                "mismatched input '\(isAtEnd ? "<EOF>" : token.text)'. Expecting: <expression>",
                at: token.span,
                hint: token.word == "FROM" ? "remove the comma before FROM, or name a column" : nil)
        }
        if at("*") {
            advance()
            if token.word == "EXCLUDE" || token.word == "REPLACE" || token.word == "EXCEPT",
                next("("), !startsQuery(inParenthesisAt: position + 1)
            {
                throw foreign(
                    "SELECT * \(token.word) is not supported",
                    hint: "list the columns, or use TABLE(exclude_columns(..))")
            }
            return SelectItem(kind: .all(of: nil, aliases: []), place: place(from: start))
        }
        let value = try expression()
        if at("."), next("*") {
            advance()
            advance()
            var aliases: [Identifier] = []
            if at("AS"), next("(") {
                advance()
                aliases = try parenthesized(identifier)
            }
            return SelectItem(kind: .all(of: value, aliases: aliases), place: place(from: start))
        }
        let alias = try optionalAlias()
        return SelectItem(kind: .expression(value, alias: alias), place: place(from: start))
    }

    /// `[AS] name`: words that begin the next clause are names only where they cannot begin it.
    func optionalAlias() throws(SQLSyntaxError) -> Identifier? {
        if take("AS") {
            if isAtString {
                throw foreign(
                    "an alias is a name, not a string",
                    hint: "write \"\(token.text)\" in double quotes")
            }
            return try identifier()
        }
        return isName(token) && !startsClause ? try identifier() : nil
    }

    /// Whether a word that may be a name begins a clause here.
    private var startsClause: Bool {
        guard token.kind == .word else { return false }
        switch token.word {
        case "LIMIT":
            return peek().kind == .integer || next("ALL") || next("?")
        case "OFFSET":
            return peek().kind == .integer || next("?")
        case "FETCH": return next("FIRST") || next("NEXT")
        case "WINDOW": return isName(peek()) && next("AS", 2)
        case "TABLESAMPLE": return next("BERNOULLI") || next("SYSTEM")
        case "MATCH_RECOGNIZE": return next("(")
        case "QUALIFY": return isName(peek()) || peek().kind == .word
        case "SET": return isName(peek()) && next("=", 2)
        case "PREWHERE", "ASOF", "ANTI", "SEMI", "GLOBAL": return next("JOIN")
        case "PIVOT", "UNPIVOT", "NEAREST": return startsUnsupportedRelation
        default: return false
        }
    }

    private func groupBy() throws(SQLSyntaxError) -> GroupBy {
        let start = position
        try expect("GROUP", "BY")
        if take("AUTO") {
            return GroupBy(quantifier: nil, isAuto: true, elements: [], place: place(from: start))
        }
        var quantifier: GroupBy.Quantifier?
        if take("DISTINCT") {
            quantifier = .distinct
        } else if at("ALL") {
            if [.end].contains(peek().kind)
                || [")", "ORDER", "HAVING", "LIMIT", ";"].contains(peek().word)
            {
                throw foreign(
                    "GROUP BY ALL needs a list of expressions", hint: "write GROUP BY AUTO",
                    length: 1)
            }
            advance()
            quantifier = .all
        }
        let elements = try list(groupingElement)
        return GroupBy(
            quantifier: quantifier, isAuto: false, elements: elements, place: place(from: start))
    }

    private func groupingElement() throws(SQLSyntaxError) -> GroupingElement {
        if take("GROUPING", "SETS") {
            return .groupingSets(
                try nested { () throws(SQLSyntaxError) in
                    try self.parenthesized(self.groupingElement)
                })
        }
        if at("CUBE") || at("ROLLUP") {
            let isCube = advance().word == "CUBE"
            try expect("(")
            var sets: [[Expression]] = []
            if !at(")") { sets = try list(groupingSet) }
            try expect(")")
            return isCube ? .cube(sets) : .rollup(sets)
        }
        return .set(try groupingSet())
    }

    private func groupingSet() throws(SQLSyntaxError) -> [Expression] {
        if at("("), next(")") {
            advance()
            advance()
            return []
        }
        let element = try expression()
        // `(a, b)` is a set of two, `ROW(a, b)` one value.
        if case .row(let parts) = element.kind, tokens[element.startIndex(in: self)].word == "(" {
            return parts
        }
        return [element]
    }
}

extension Expression {
    /// The token that the expression begins with. Binary search by offset.
    fileprivate func startIndex(in parser: Parser) -> Int {
        var low = 0
        var high = parser.tokens.count - 1
        while low < high {
            let middle = (low + high) / 2
            if parser.tokens[middle].span.offset < span.offset {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
