import Diagnostics

extension Parser {
    /// Calls whose arguments have a syntax of their own; nil for all others.
    func functionForm() throws(SQLSyntaxError) -> Expression? {
        guard next("(") else { return nil }
        switch token.word {
        case "EXTRACT": return try extractForm()
        case "TRIM": return try trimForm()
        case "NORMALIZE": return try normalizeForm()
        case "GROUPING": return try groupingForm()
        case "POSITION": return try positionForm()
        case "SUBSTRING": return try substringForm()
        case "LISTAGG": return try call()
        case "JSON_EXISTS": return try jsonExistsForm()
        case "JSON_VALUE": return try jsonValueForm()
        case "JSON_QUERY": return try jsonQueryForm()
        case "JSON_OBJECT": return try jsonObjectForm()
        case "JSON_ARRAY": return try jsonArrayForm()
        default: return nil
        }
    }

    private func extractForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        try expect("EXTRACT", "(")
        let field = try identifier().canonical
        try expect("FROM")
        let operand = try expression()
        try expect(")")
        return Expression(.extract(field: field, operand), place: place(from: start))
    }

    private func trimForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        try expect("TRIM", "(")
        var side: TrimSide?
        for (word, choice) in [
            ("BOTH", TrimSide.both), ("LEADING", .leading), ("TRAILING", .trailing),
        ] where side == nil && at(word) && !next(",") && !next(")") {
            advance()
            side = choice
        }
        var characters: Expression?
        if side != nil, take("FROM") {
            let operand = try expression()
            try expect(")")
            return Expression(
                .trim(side ?? .both, characters: nil, operand), place: place(from: start))
        }
        var operand = try expression()
        if take("FROM") {
            characters = operand
            operand = try expression()
        } else if side == nil, take(",") {
            characters = try expression()
        }
        try expect(")")
        return Expression(
            .trim(side ?? .both, characters: characters, operand), place: place(from: start))
    }

    private func normalizeForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        try expect("NORMALIZE", "(")
        let operand = try expression()
        var form = "NFC"
        if take(",") {
            guard at("NFC") || at("NFD") || at("NFKC") || at("NFKD") else { throw unexpected() }
            form = advance().word
        }
        try expect(")")
        return Expression(.normalize(operand, form: form), place: place(from: start))
    }

    private func groupingForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        try expect("GROUPING", "(")
        var columns: [Expression] = []
        if !at(")") { columns = try list(expression) }
        try expect(")")
        return Expression(.grouping(columns), place: place(from: start))
    }

    /// `POSITION(needle IN text)` is `strpos(text, needle)`.
    private func positionForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        let nameStart = position
        advance()
        let namePlace = place(from: nameStart)
        try expect("(")
        let needle = try nestedValue()
        try expect("IN")
        let text = try nestedValue()
        try expect(")")
        return plainCall("strpos", [text, needle], namePlace, start)
    }

    /// `SUBSTRING(text FROM start [FOR length])`, or the plain call.
    private func substringForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        advance()
        let namePlace = place(from: start)
        try expect("(")
        var arguments = [try expression()]
        if take("FROM") {
            arguments.append(try expression())
            if take("FOR") { arguments.append(try expression()) }
        } else {
            while take(",") { arguments.append(try expression()) }
        }
        try expect(")")
        return plainCall("substring", arguments, namePlace, start)
    }

    private func plainCall(
        _ name: String, _ arguments: [Expression], _ namePlace: Place, _ start: Int
    ) -> Expression {
        let qualified = QualifiedName([Identifier(name, place: namePlace)], place: namePlace)
        let call = FunctionCall(
            name: qualified, arguments: arguments.map { .init(name: nil, value: $0) })
        return Expression(.function(call), place: place(from: start))
    }

    /// `name([DISTINCT] arguments [ORDER BY ..]) [FILTER ..] [IGNORE NULLS] [OVER ..]`.
    func call() throws(SQLSyntaxError) -> Expression {
        let start = position
        var name: QualifiedName
        if token.word == "LISTAGG" {
            let token = advance()
            let namePlace = place(from: start)
            name = QualifiedName([Identifier(token.text, place: namePlace)], place: namePlace)
        } else {
            name = try qualifiedName()
        }
        try expect("(")
        var call: FunctionCall
        if at("*"), next(")") {
            advance()
            call = FunctionCall(name: name, arguments: [])
            call.isStar = true
        } else if isName(token), next("."), next("*", 2), next(")", 3) {
            // `count(a.*)` in row patterns.
            let labelStart = position
            let label = try identifier()
            advance()
            advance()
            let labelled = Expression(.identifier(label), place: place(from: labelStart))
            call = FunctionCall(name: name, arguments: [.init(name: nil, value: labelled)])
            call.isStar = true
        } else {
            let isDistinct = take("DISTINCT")
            if !isDistinct, at("ALL"), !next(","), !next(")") { advance() }
            var arguments: [FunctionCall.Argument] = []
            if !at(")"), !at("ORDER") { arguments = try list(argument) }
            if name.canonicalParts == ["overlay"] { try refuseOverlay() }
            call = FunctionCall(name: name, arguments: arguments)
            call.isDistinct = isDistinct
            call.orderBy = try optionalOrderBy()
            if name.canonicalParts == ["listagg"], take("ON", "OVERFLOW") {
                call.overflow = try overflow()
            }
        }
        try expect(")")
        try callSuffixes(&call)
        return Expression(.function(call), place: place(from: start))
    }

    private func overflow() throws(SQLSyntaxError) -> ListaggOverflow {
        if take("ERROR") { return .error }
        try expect("TRUNCATE")
        let filler: String? = isAtString ? try string() : nil
        if take("WITHOUT", "COUNT") { return .truncate(filler: filler, withCount: false) }
        try expect("WITH", "COUNT")
        return .truncate(filler: filler, withCount: true)
    }

    /// `value` or `name => value`.
    func argument() throws(SQLSyntaxError) -> FunctionCall.Argument {
        if isName(token), next("=>") {
            let name = try identifier()
            advance()
            return .init(name: name, value: try expression())
        }
        return .init(name: nil, value: try expression())
    }

    private func callSuffixes(_ call: inout FunctionCall) throws(SQLSyntaxError) {
        if at("WITHIN"), next("GROUP") {
            guard call.name.canonicalParts == ["listagg"] else {
                throw foreign(
                    "WITHIN GROUP belongs to LISTAGG only",
                    hint: "write approx_percentile(x, p) for percentiles", length: 2)
            }
            advance()
            advance()
            try expect("(")
            call.orderBy = try optionalOrderBy()
            if call.orderBy.isEmpty { throw unexpected() }
            try expect(")")
            call.isWithinGroup = true
        }
        if at("FILTER"), next("(") {
            advance()
            try expect("(", "WHERE")
            call.filter = try expression()
            try expect(")")
        }
        if take("IGNORE", "NULLS") {
            call.nullTreatment = .ignore
        } else if take("RESPECT", "NULLS") {
            call.nullTreatment = .respect
        }
        if call.nullTreatment != nil || (at("OVER") && (next("(") || isName(peek()))) {
            try expect("OVER")
            if at("(") {
                call.window = .specification(try nested(windowSpecification))
            } else {
                call.window = .reference(try identifier())
            }
        }
    }

    /// `([base] [PARTITION BY ..] [ORDER BY ..] [frame])`.
    func windowSpecification() throws(SQLSyntaxError) -> WindowSpecification {
        let start = position
        try expect("(")
        var base: Identifier?
        let isClause =
            (at("PARTITION") && next("BY"))
            || (isAny(of: ["ROWS", "RANGE", "GROUPS"]) && !next(")") && !next("PARTITION"))
        if isName(token), !isClause { base = try identifier() }
        var partitionBy: [Expression] = []
        if take("PARTITION", "BY") { partitionBy = try list(expression) }
        let orderBy = try optionalOrderBy()
        let frame = try optionalFrame()
        try expect(")")
        return WindowSpecification(
            base: base, partitionBy: partitionBy, orderBy: orderBy, frame: frame,
            place: place(from: start))
    }

    private func optionalFrame() throws(SQLSyntaxError) -> WindowFrame? {
        let start = position
        guard at("ROWS") || at("RANGE") || at("GROUPS"),
            let unit = WindowFrame.Unit(rawValue: token.word)
        else { return nil }
        advance()
        let first: WindowFrame.Bound
        var second: WindowFrame.Bound?
        if take("BETWEEN") {
            first = try frameBound()
            try expect("AND")
            second = try frameBound()
        } else {
            first = try frameBound()
        }
        return WindowFrame(unit: unit, start: first, end: second, place: place(from: start))
    }

    private func frameBound() throws(SQLSyntaxError) -> WindowFrame.Bound {
        if take("UNBOUNDED") {
            if take("PRECEDING") { return .unboundedPreceding }
            try expect("FOLLOWING")
            return .unboundedFollowing
        }
        if take("CURRENT", "ROW") { return .currentRow }
        let offset = try nestedValue()
        if take("PRECEDING") { return .preceding(offset) }
        try expect("FOLLOWING")
        return .following(offset)
    }

    /// `ORDER BY ..`, if it is here.
    func optionalOrderBy() throws(SQLSyntaxError) -> [SortItem] {
        guard take("ORDER") else { return [] }
        try expect("BY")
        return try list(sortItem)
    }

    func sortItem() throws(SQLSyntaxError) -> SortItem {
        let start = position
        let expression = try expression()
        let isDescending = take("DESC")
        if !isDescending { _ = take("ASC") }
        var nulls: SortItem.NullOrder?
        if take("NULLS", "FIRST") {
            nulls = .first
        } else if take("NULLS") {
            try expect("LAST")
            nulls = .last
        }
        return SortItem(
            expression: expression, isDescending: isDescending, nulls: nulls,
            place: place(from: start))
    }
}
