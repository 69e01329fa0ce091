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
                    properties: try optionalProperties())))
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
