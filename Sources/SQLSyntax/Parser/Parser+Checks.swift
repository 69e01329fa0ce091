import Diagnostics

// Checks of tables.

extension Parser {
    /// After CREATE CHECK.
    func createCheck(mode: CreateMode) throws(SQLSyntaxError) -> Statement.Kind {
        let name = try identifier()
        try expect("ON")
        let table = try qualifiedName()
        try expect("USING")
        let kind = try identifier()
        return .check(
            .create(
                CreateCheck(
                    name: name, table: table, mode: mode, kind: kind,
                    properties: try checkOptions())))
    }

    /// `WITH (name = value, ..)`. Options are only names here, so reserved words need no quotes: `values`,
    /// `where`.
    private func checkOptions() throws(SQLSyntaxError) -> [Property] {
        guard at("WITH"), next("(") else { return [] }
        advance()
        return try parenthesized { () throws(SQLSyntaxError) in
            guard token.kind == .word, next("="), !isName(token) else { return try property() }
            let start = position
            let word = advance()
            // As if it stood in quotes, which is how it is written out again.
            let name = Identifier(
                word.text.lowercased(), isDelimited: true, place: place(from: start))
            let whole = QualifiedName([name], place: place(from: start))
            try expect("=")
            let value: Expression? = take("DEFAULT") ? nil : try expression()
            return Property(name: whole, value: value, place: place(from: start))
        }
    }

    /// After DROP CHECK.
    func dropCheck() throws(SQLSyntaxError) -> Statement.Kind {
        let ifExists = ifExists()
        let name = try identifier()
        try expect("ON")
        return .check(.drop(name, table: try qualifiedName(), ifExists: ifExists))
    }

    /// After SHOW CHECKS.
    func showChecks() throws(SQLSyntaxError) -> Statement.Kind {
        let isNamed = take("ON") || take("FROM") || take("IN")
        return .check(.list(isNamed ? try qualifiedName() : nil))
    }

    /// After RUN CHECKS.
    func runChecks() throws(SQLSyntaxError) -> Statement.Kind {
        let names: [Identifier] = at("(") ? try parenthesized(identifier) : []
        try expect("ON")
        return .check(.run(try qualifiedName(), names: names))
    }
}
