import Diagnostics

extension Parser {
    /// A type. Legacy spellings `array<int>`, `map<a,b>` and `int array` are read too.
    func type() throws(SQLSyntaxError) -> TypeName {
        let start = position
        var type = try nested(plainType)
        var suffixes = 0
        while at("ARRAY") {
            try lengthen(&suffixes)
            advance()
            if take("[") {
                _ = try count()
                try expect("]")
            }
            type = TypeName(.named("array", [.type(type)]), place: place(from: start))
        }
        return type
    }

    private func plainType() throws(SQLSyntaxError) -> TypeName {
        let start = position
        switch token.word {
        case "ROW" where next("("):
            advance()
            let fields = try parenthesized(rowField)
            return TypeName(.row(fields), place: place(from: start))
        case "INTERVAL":
            advance()
            if take("YEAR") {
                try expect("TO", "MONTH")
                return TypeName(.intervalYearToMonth, place: place(from: start))
            }
            try expect("DAY", "TO", "SECOND")
            return TypeName(.intervalDayToSecond, place: place(from: start))
        case "TIME", "TIMESTAMP":
            let kind: TypeName.DateTimeKind = advance().word == "TIME" ? .time : .timestamp
            var precision: TypeName.Argument?
            if take("(") {
                precision = try typeArgument()
                try expect(")")
            }
            var withZone = false
            if take("WITH", "TIME", "ZONE") {
                withZone = true
            } else {
                _ = take("WITHOUT", "TIME", "ZONE")
            }
            return TypeName(
                .dateTime(kind, precision: precision, withTimeZone: withZone),
                place: place(from: start))
        case "DOUBLE":
            advance()
            _ = take("PRECISION")
            return TypeName(.named("double", []), place: place(from: start))
        default:
            break
        }
        guard isName(token) else {
            wanting("<type>")
            throw unexpected()
        }
        let name = try identifier().canonical
        var arguments: [TypeName.Argument] = []
        if at("(") {
            arguments = try parenthesized(typeArgument)
        } else if name == "array" || name == "map", take("<") {
            arguments = try list(typeArgument)
            try expect(">")
        }
        return TypeName(.named(name, arguments), place: place(from: start))
    }

    private func typeArgument() throws(SQLSyntaxError) -> TypeName.Argument {
        if token.kind == .integer { return .number(try count()) }
        return .type(try type())
    }

    /// `name type`, or only `type`.
    private func rowField() throws(SQLSyntaxError) -> TypeName.Field {
        // `row(timestamp with time zone)` and `row(double precision)` are types of two words; else a
        // name stands before another name.
        let isTyped =
            isName(token) && (isName(peek()) || next("ROW"))
            && !(token.word == "DOUBLE" && next("PRECISION"))
            && !(token.word == "INTERVAL" && (next("YEAR") || next("DAY")) && next("TO", 2))
            && !(next("ARRAY") && (next(",", 2) || next(")", 2) || next("ARRAY", 2)))
        if isTyped {
            let name = try identifier()
            return TypeName.Field(name: name, type: try type())
        }
        return TypeName.Field(name: nil, type: try type())
    }
}
