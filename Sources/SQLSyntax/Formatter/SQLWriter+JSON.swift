extension SQLWriter {
    mutating func json(_ kind: Expression.Kind) {
        switch kind {
        case .jsonExists(let invocation, let onError):
            write("JSON_EXISTS(")
            path(invocation, name: nil)
            if let onError { write(" \(onError.rawValue) ON ERROR") }
            write(")")
        case .jsonValue(let invocation, let clauses):
            write("JSON_VALUE(")
            path(invocation, name: nil)
            returning(clauses.returning, nil)
            behaviors(clauses)
            write(")")
        case .jsonQuery(let invocation, let clauses):
            write("JSON_QUERY(")
            path(invocation, name: nil)
            returning(clauses.returning, clauses.format)
            behaviors(clauses)
            write(")")
        case .jsonObject(let members, let clauses):
            write("JSON_OBJECT(")
            list(members) { writer, member in
                writer.write("KEY ")
                writer.expression(member.key, 0)
                writer.write(" VALUE ")
                writer.input(member.input)
            }
            constructor(clauses, isFirst: members.isEmpty)
            write(")")
        case .jsonArray(let elements, let clauses):
            write("JSON_ARRAY(")
            list(elements) { $0.input($1) }
            constructor(clauses, isFirst: elements.isEmpty)
            write(")")
        default:
            break
        }
    }

    private mutating func input(_ input: JSONInput) {
        expression(input.value, 0)
        if let format = input.format { write(" " + format.rawValue) }
    }

    mutating func path(_ invocation: JSONPathInvocation, name: Identifier?) {
        input(invocation.input)
        write(", ")
        string(invocation.path)
        if let name {
            write(" AS ")
            identifier(name)
        }
        guard !invocation.passing.isEmpty else { return }
        write(" PASSING ")
        list(invocation.passing) { writer, parameter in
            writer.input(parameter.input)
            writer.write(" AS ")
            writer.identifier(parameter.name)
        }
    }

    private mutating func returning(_ returning: TypeName?, _ format: JSONEncoding?) {
        guard let returning else { return }
        write(" RETURNING ")
        type(returning)
        if let format { write(" " + format.rawValue) }
    }

    private mutating func behaviors(_ clauses: JSONValueClauses) {
        for (behavior, event) in [(clauses.onEmpty, "EMPTY"), (clauses.onError, "ERROR")] {
            switch behavior {
            case .error: write(" ERROR ON \(event)")
            case .null: write(" NULL ON \(event)")
            case .value(let value):
                write(" DEFAULT ")
                expression(value, 0)
                write(" ON \(event)")
            case nil: break
            }
        }
    }

    private mutating func behaviors(_ clauses: JSONQueryClauses) {
        if let wrapper = clauses.wrapper { write(" " + wrapper.rawValue) }
        if let keeps = clauses.keepsQuotes { write(keeps ? " KEEP QUOTES" : " OMIT QUOTES") }
        if let behavior = clauses.onEmpty { write(" \(behavior.rawValue) ON EMPTY") }
        if let behavior = clauses.onError { write(" \(behavior.rawValue) ON ERROR") }
    }

    private mutating func constructor(_ clauses: JSONConstructorClauses, isFirst: Bool) {
        var pieces: [String] = []
        if let null = clauses.nullOnNull { pieces.append(null ? "NULL ON NULL" : "ABSENT ON NULL") }
        if let unique = clauses.uniqueKeys {
            pieces.append(unique ? "WITH UNIQUE KEYS" : "WITHOUT UNIQUE KEYS")
        }
        if !pieces.isEmpty { write((isFirst ? "" : " ") + pieces.joined(separator: " ")) }
        returning(clauses.returning, clauses.format)
    }

    mutating func jsonTable(_ table: JSONTable) {
        write("JSON_TABLE(")
        path(table.invocation, name: table.pathName)
        jsonColumns(table.columns)
        if let plan = table.plan {
            if case .byDefault(let isInner, let isCross) = plan {
                write(
                    " PLAN DEFAULT (\(isInner ? "INNER" : "OUTER"), \(isCross ? "CROSS" : "UNION"))"
                )
            } else {
                write(" PLAN (")
                self.plan(plan)
                write(")")
            }
        }
        if let fails = table.failsOnError { write(fails ? " ERROR ON ERROR" : " EMPTY ON ERROR") }
        write(")")
    }

    private mutating func jsonColumns(_ columns: [JSONTableColumn]) {
        write(" COLUMNS (")
        list(columns) { $0.jsonColumn($1) }
        write(")")
    }

    private mutating func jsonColumn(_ column: JSONTableColumn) {
        switch column {
        case .ordinality(let name):
            identifier(name)
            write(" FOR ORDINALITY")
        case .value(let name, let typeName, let path, let clauses):
            identifier(name)
            write(" ")
            type(typeName)
            if let path {
                write(" PATH ")
                string(path)
            }
            behaviors(clauses)
        case .query(let name, let typeName, let path, let clauses):
            identifier(name)
            write(" ")
            type(typeName)
            if let format = clauses.format { write(" " + format.rawValue) }
            if let path {
                write(" PATH ")
                string(path)
            }
            behaviors(clauses)
        case .nested(let path, let name, let columns):
            write("NESTED PATH ")
            string(path)
            if let name {
                write(" AS ")
                identifier(name)
            }
            jsonColumns(columns)
        }
    }

    private mutating func plan(_ plan: JSONTablePlan) {
        func pair(
            _ writer: inout SQLWriter, _ left: JSONTablePlan, _ word: String, _ right: JSONTablePlan
        ) {
            writer.write("(")
            writer.plan(left)
            writer.write(") \(word) (")
            writer.plan(right)
            writer.write(")")
        }
        switch plan {
        case .path(let name): identifier(name)
        case .union(let left, let right): pair(&self, left, "UNION", right)
        case .cross(let left, let right): pair(&self, left, "CROSS", right)
        case .outer(let name, let inner):
            identifier(name)
            write(" OUTER (")
            self.plan(inner)
            write(")")
        case .inner(let name, let inner):
            identifier(name)
            write(" INNER (")
            self.plan(inner)
            write(")")
        case .byDefault: break
        }
    }
}
