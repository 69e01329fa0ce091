extension SQLWriter {
    /// Levels as in the parser: 0 OR, 1 AND, 2 NOT, 3 predicate, 4 ||, 5 + -, 6 * / %, 7 sign, 8 primary.
    mutating func expression(_ expression: Expression, _ level: Int) {
        let own = SQLWriter.level(of: expression.kind)
        if own < level { write("(") }
        plain(expression.kind)
        if own < level { write(")") }
    }

    private static func level(of kind: Expression.Kind) -> Int {
        switch kind {
        case .or: 0
        case .and: 1
        case .not: 2
        case .comparison, .isDistinct, .isNull, .isTruth, .between, .inList, .inSubquery, .like,
            .quantified, .overlaps:
            3
        case .binary(.concatenate, _, _): 4
        case .binary(.add, _, _), .binary(.subtract, _, _): 5
        case .binary: 6
        case .negate, .plus: 7
        // The minus of a literal belongs to it, but not before a subscript.
        case .integer(let value): value < 0 ? 7 : 8
        case .double(let value): value < 0 ? 7 : 8
        case .decimal(let text): text.hasPrefix("-") ? 7 : 8
        // A lambda's body reaches as far as it can.
        case .lambda: -1
        default: 8
        }
    }

    private mutating func plain(_ kind: Expression.Kind) {
        switch kind {
        case .null: write("NULL")
        case .boolean(let value): write(value ? "TRUE" : "FALSE")
        case .integer(let value): write(String(value))
        case .decimal(let text): write(text)
        case .double(let value): double(value)
        case .string(let value): string(value)
        case .bytes(let bytes): binary(bytes)
        case .typed(let typeName, let text):
            type(typeName)
            write(" ")
            string(text)
        case .interval(let literal): interval(literal)
        case .parameter: write("?")
        case .identifier(let name): identifier(name)
        case .dereference(let base, let field):
            expression(base, 8)
            write(".")
            identifier(field)
        case .negate(let operand):
            write("-")
            // `--` would begin a comment, and `-1` is a literal.
            let start = text.endIndex
            expression(operand, 7)
            guard let first = text[start...].first else { return }
            if first == "-" {
                text.insert(" ", at: start)
            } else if first == "." || first.isNumber {
                text.insert("(", at: start)
                write(")")
            }
        case .plus(let operand):
            write("+")
            expression(operand, 7)
        case .binary(let binary, let left, let right):
            let level = SQLWriter.level(of: kind)
            expression(left, level)
            write(" \(binary.rawValue) ")
            expression(right, level + 1)
        case .and(let terms): list(terms, " AND ") { $0.expression($1, 2) }
        case .or(let terms): list(terms, " OR ") { $0.expression($1, 1) }
        case .not(let operand):
            write("NOT ")
            expression(operand, 2)
        case .comparison, .isDistinct, .isNull, .isTruth, .between, .inList, .inSubquery, .like,
            .quantified, .overlaps:
            predicate(kind)
        default:
            form(kind)
        }
    }

    private mutating func double(_ value: Double) {
        var text = value.description
        if !text.contains("e") { text += "e0" }
        write(text)
    }

    private mutating func binary(_ bytes: [UInt8]) {
        let digits = Array("0123456789abcdef")
        write("X'" + String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }) + "'")
    }

    mutating func interval(_ literal: IntervalLiteral) {
        write("INTERVAL ")
        if literal.isNegative { write("-") }
        string(literal.text)
        write(" " + literal.from.rawValue.uppercased())
        if let to = literal.to { write(" TO " + to.rawValue.uppercased()) }
    }

    private mutating func predicate(_ kind: Expression.Kind) {
        switch kind {
        case .comparison(let comparison, let left, let right):
            expression(left, 4)
            write(" \(comparison.rawValue) ")
            expression(right, 4)
        case .isDistinct(let left, let right, let negated):
            expression(left, 4)
            write(negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ")
            expression(right, 4)
        case .isNull(let operand, let negated):
            expression(operand, 4)
            write(negated ? " IS NOT NULL" : " IS NULL")
        case .isTruth(let operand, let truth, let negated):
            expression(operand, 4)
            write(negated ? " IS NOT " : " IS ")
            write(truth.rawValue)
        case .between(let operand, let low, let high, let negated):
            expression(operand, 4)
            write(negated ? " NOT BETWEEN " : " BETWEEN ")
            expression(low, 4)
            write(" AND ")
            expression(high, 4)
        case .inList(let operand, let elements, let negated):
            expression(operand, 4)
            write(negated ? " NOT IN (" : " IN (")
            list(elements) { $0.expression($1, -1) }
            write(")")
        case .inSubquery(let operand, let inner, let negated):
            expression(operand, 4)
            write(negated ? " NOT IN " : " IN ")
            parenthesized(inner)
        case .like(let operand, let pattern, let escape, let negated):
            expression(operand, 4)
            write(negated ? " NOT LIKE " : " LIKE ")
            expression(pattern, 4)
            if let escape {
                write(" ESCAPE ")
                expression(escape, 4)
            }
        case .quantified(let operand, let comparison, let quantifier, let inner):
            expression(operand, 4)
            write(" \(comparison.rawValue) \(quantifier.rawValue) ")
            parenthesized(inner)
        case .overlaps(let left, let right):
            expression(left, 4)
            write(" OVERLAPS ")
            expression(right, 4)
        default:
            form(kind)
        }
    }

    private mutating func form(_ kind: Expression.Kind) {
        switch kind {
        case .exists(let inner):
            write("EXISTS ")
            parenthesized(inner)
        case .unique(let inner):
            write("UNIQUE ")
            parenthesized(inner)
        case .subquery(let inner):
            parenthesized(inner)
        case .atTimeZone(let operand, let zone):
            expression(operand, 8)
            write(" AT TIME ZONE ")
            // A primary alone: what follows would bind to the whole.
            if case .atTimeZone = zone.kind { expression(zone, 9) } else { expression(zone, 8) }
        case .atLocal(let operand):
            expression(operand, 8)
            write(" AT LOCAL")
        case .subscripted(let base, let index):
            expression(base, 8)
            write("[")
            expression(index, -1)
            write("]")
        case .caseWhen(let operand, let branches, let otherwise):
            write("CASE")
            if let operand {
                write(" ")
                expression(operand, 0)
            }
            for branch in branches {
                write(" WHEN ")
                expression(branch.condition, 0)
                write(" THEN ")
                expression(branch.result, 0)
            }
            if let otherwise {
                write(" ELSE ")
                expression(otherwise, 0)
            }
            write(" END")
        case .cast(let operand, let typeName, let isTry):
            write(isTry ? "TRY_CAST(" : "CAST(")
            expression(operand, 0)
            write(" AS ")
            type(typeName)
            write(")")
        case .row(let elements):
            write("ROW(")
            list(elements) { $0.expression($1, -1) }
            write(")")
        case .array(let elements):
            write("ARRAY[")
            list(elements) { $0.expression($1, -1) }
            write("]")
        case .lambda(let parameters, let body):
            if parameters.count == 1 { identifier(parameters[0]) } else { identifiers(parameters) }
            write(" -> ")
            expression(body, -1)
        case .function(let call): function(call)
        case .extract(let field, let operand):
            write("EXTRACT(\(SQLFormatter.quoted(name: field)) FROM ")
            expression(operand, 0)
            write(")")
        case .trim(let side, let characters, let operand):
            write("TRIM(\(side.rawValue) ")
            if let characters {
                expression(characters, 0)
                write(" ")
            }
            write("FROM ")
            expression(operand, 0)
            write(")")
        case .normalize(let operand, let form):
            write("NORMALIZE(")
            expression(operand, 0)
            write(", \(form))")
        case .grouping(let columns):
            write("GROUPING(")
            list(columns) { $0.expression($1, 0) }
            write(")")
        case .special(let special, let precision):
            write(special.rawValue)
            if let precision { write("(\(precision))") }
        default:
            json(kind)
        }
    }

    mutating func arguments(_ arguments: [FunctionCall.Argument]) {
        list(arguments) { writer, argument in
            if let name = argument.name {
                writer.identifier(name)
                writer.write(" => ")
            }
            writer.expression(argument.value, -1)
        }
    }

    private mutating func function(_ call: FunctionCall) {
        if let mode = call.processingMode { write(mode.rawValue + " ") }
        if call.name.canonicalParts == ["listagg"] { write("LISTAGG") } else { name(call.name) }
        write("(")
        if call.isDistinct { write("DISTINCT ") }
        arguments(call.arguments)
        if call.isStar { write(call.arguments.isEmpty ? "*" : ".*") }
        if !call.orderBy.isEmpty, !call.isWithinGroup {
            if !call.arguments.isEmpty { write(" ") }
            orderBy(call.orderBy)
        }
        switch call.overflow {
        case .error: write(" ON OVERFLOW ERROR")
        case .truncate(let filler, let withCount):
            write(" ON OVERFLOW TRUNCATE ")
            if let filler {
                string(filler)
                write(" ")
            }
            write(withCount ? "WITH COUNT" : "WITHOUT COUNT")
        case nil: break
        }
        write(")")
        if call.isWithinGroup {
            write(" WITHIN GROUP (")
            orderBy(call.orderBy)
            write(")")
        }
        if let filter = call.filter {
            write(" FILTER (WHERE ")
            expression(filter, 0)
            write(")")
        }
        if let treatment = call.nullTreatment { write(" " + treatment.rawValue) }
        switch call.window {
        case .reference(let name):
            write(" OVER ")
            identifier(name)
        case .specification(let specification):
            write(" OVER ")
            window(specification)
        case nil: break
        }
    }

    mutating func window(_ window: WindowSpecification) {
        write("(")
        var separator = ""
        if let base = window.base {
            identifier(base)
            separator = " "
        }
        if !window.partitionBy.isEmpty {
            write(separator + "PARTITION BY ")
            list(window.partitionBy) { $0.expression($1, 0) }
            separator = " "
        }
        if !window.orderBy.isEmpty {
            write(separator)
            orderBy(window.orderBy)
            separator = " "
        }
        if let frame = window.frame {
            write(separator + frame.unit.rawValue + " ")
            if let end = frame.end {
                write("BETWEEN ")
                bound(frame.start)
                write(" AND ")
                bound(end)
            } else {
                bound(frame.start)
            }
        }
        write(")")
    }

    private mutating func bound(_ bound: WindowFrame.Bound) {
        switch bound {
        case .unboundedPreceding: write("UNBOUNDED PRECEDING")
        case .unboundedFollowing: write("UNBOUNDED FOLLOWING")
        case .currentRow: write("CURRENT ROW")
        case .preceding(let offset):
            expression(offset, 4)
            write(" PRECEDING")
        case .following(let offset):
            expression(offset, 4)
            write(" FOLLOWING")
        }
    }

    mutating func orderBy(_ items: [SortItem]) {
        write("ORDER BY ")
        list(items) { $0.sortItem($1) }
    }

    mutating func sortItem(_ item: SortItem) {
        expression(item.expression, 0)
        if item.isDescending { write(" DESC") }
        if let nulls = item.nulls { write(" " + nulls.rawValue) }
    }
}
