import Diagnostics

extension Parser {
    private func jsonFormat() throws(SQLSyntaxError) -> JSONEncoding? {
        guard take("FORMAT") else { return nil }
        try expect("JSON")
        guard take("ENCODING") else { return .text }
        if take("UTF8") { return .utf8 }
        if take("UTF16") { return .utf16 }
        try expect("UTF32")
        return .utf32
    }

    private func jsonInput() throws(SQLSyntaxError) -> JSONInput {
        let value = try expression()
        return JSONInput(value: value, format: try jsonFormat())
    }

    /// `input, 'path' [AS name] [PASSING ..]`; the caller took the parenthesis.
    private func jsonInvocation() throws(SQLSyntaxError) -> JSONPathInvocation {
        let input = try jsonInput()
        try expect(",")
        let path = try string()
        return JSONPathInvocation(input: input, path: path, passing: try jsonPassing())
    }

    func jsonPassing() throws(SQLSyntaxError) -> [JSONPathInvocation.Parameter] {
        guard take("PASSING") else { return [] }
        return try list { () throws(SQLSyntaxError) in
            let input = try self.jsonInput()
            try self.expect("AS")
            return JSONPathInvocation.Parameter(input: input, name: try self.identifier())
        }
    }

    /// `input, 'path' [AS name] [PASSING ..]` of JSON_TABLE.
    func jsonTableInvocation() throws(SQLSyntaxError) -> (JSONPathInvocation, Identifier?) {
        let input = try jsonInput()
        try expect(",")
        let path = try string()
        let name: Identifier? = take("AS") ? try identifier() : nil
        return (JSONPathInvocation(input: input, path: path, passing: try jsonPassing()), name)
    }

    private func jsonReturning() throws(SQLSyntaxError) -> TypeName? {
        take("RETURNING") ? try type() : nil
    }

    func jsonExistsForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        advance()
        try expect("(")
        let invocation = try jsonInvocation()
        var onError: JSONExistsError?
        for word in ["TRUE", "FALSE", "UNKNOWN", "ERROR"] where onError == nil && take(word) {
            onError = JSONExistsError(rawValue: word)
            try expect("ON", "ERROR")
        }
        try expect(")")
        return Expression(.jsonExists(invocation, onError: onError), place: place(from: start))
    }

    func jsonValueForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        advance()
        try expect("(")
        let invocation = try jsonInvocation()
        let returning = try jsonReturning()
        var clauses = try jsonValueBehaviors()
        clauses.returning = returning
        try expect(")")
        return Expression(.jsonValue(invocation, clauses), place: place(from: start))
    }

    func jsonValueBehaviors() throws(SQLSyntaxError) -> JSONValueClauses {
        var clauses = JSONValueClauses()
        while clauses.onError == nil, at("ERROR") || at("NULL") || at("DEFAULT") {
            let behavior: JSONValueBehavior
            if take("ERROR") {
                behavior = .error
            } else if take("NULL") {
                behavior = .null
            } else {
                advance()
                behavior = .value(try expression())
            }
            try expect("ON")
            if clauses.onEmpty == nil, take("EMPTY") {
                clauses.onEmpty = behavior
            } else {
                try expect("ERROR")
                clauses.onError = behavior
            }
        }
        return clauses
    }

    func jsonQueryForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        advance()
        try expect("(")
        let invocation = try jsonInvocation()
        let returning = try jsonReturning()
        let format = returning == nil ? nil : try jsonFormat()
        var clauses = try jsonQueryClauses()
        clauses.returning = returning
        clauses.format = format
        try expect(")")
        return Expression(.jsonQuery(invocation, clauses), place: place(from: start))
    }

    /// Wrapper, quotes and behaviours; column definitions of JSON_TABLE have them too.
    func jsonQueryClauses() throws(SQLSyntaxError) -> JSONQueryClauses {
        var clauses = JSONQueryClauses()
        if take("WITHOUT") {
            _ = take("ARRAY")
            try expect("WRAPPER")
            clauses.wrapper = .without
        } else if take("WITH") {
            clauses.wrapper = take("CONDITIONAL") ? .conditional : .unconditional
            _ = take("UNCONDITIONAL")
            _ = take("ARRAY")
            try expect("WRAPPER")
        }
        if at("KEEP") || at("OMIT") {
            clauses.keepsQuotes = advance().word == "KEEP"
            try expect("QUOTES")
            if take("ON") { try expect("SCALAR", "STRING") }
        }
        while clauses.onError == nil, at("ERROR") || at("NULL") || at("EMPTY") {
            let behavior: JSONQueryBehavior
            if take("ERROR") {
                behavior = .error
            } else if take("NULL") {
                behavior = .null
            } else {
                advance()
                if take("OBJECT") {
                    behavior = .emptyObject
                } else {
                    _ = take("ARRAY")
                    behavior = .emptyArray
                }
            }
            try expect("ON")
            if clauses.onEmpty == nil, take("EMPTY") {
                clauses.onEmpty = behavior
            } else {
                try expect("ERROR")
                clauses.onError = behavior
            }
        }
        return clauses
    }

    func jsonColumnFormat() throws(SQLSyntaxError) -> JSONEncoding? { try jsonFormat() }

    func jsonObjectForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        advance()
        try expect("(")
        var members: [JSONMember] = []
        let isEmpty = at(")") || at("NULL", "ON") || at("ABSENT", "ON") || at("RETURNING")
        if !isEmpty { members = try list(jsonMember) }
        var clauses = JSONConstructorClauses()
        clauses.nullOnNull = try nullOnNull()
        if at("WITH") || at("WITHOUT") {
            clauses.uniqueKeys = advance().word == "WITH"
            try expect("UNIQUE")
            _ = take("KEYS")
        }
        try finish(&clauses)
        return Expression(.jsonObject(members, clauses), place: place(from: start))
    }

    func jsonArrayForm() throws(SQLSyntaxError) -> Expression {
        let start = position
        advance()
        try expect("(")
        var elements: [JSONInput] = []
        let isEmpty = at(")") || at("NULL", "ON") || at("ABSENT", "ON") || at("RETURNING")
        if !isEmpty { elements = try list(jsonInput) }
        var clauses = JSONConstructorClauses()
        clauses.nullOnNull = try nullOnNull()
        try finish(&clauses)
        return Expression(.jsonArray(elements, clauses), place: place(from: start))
    }

    private func nullOnNull() throws(SQLSyntaxError) -> Bool? {
        guard at("NULL") || at("ABSENT") else { return nil }
        let isNull = advance().word == "NULL"
        try expect("ON", "NULL")
        return isNull
    }

    private func finish(_ clauses: inout JSONConstructorClauses) throws(SQLSyntaxError) {
        clauses.returning = try jsonReturning()
        if clauses.returning != nil { clauses.format = try jsonFormat() }
        try expect(")")
    }

    /// `KEY k VALUE v`, `k VALUE v` or `k : v`.
    private func jsonMember() throws(SQLSyntaxError) -> JSONMember {
        if at("KEY"), !next(":"), !next("VALUE") { advance() }
        let key = try expression()
        if !take("VALUE") { try expect(":") }
        return JSONMember(key: key, input: try jsonInput())
    }
}
