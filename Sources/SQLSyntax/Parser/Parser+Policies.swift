import Diagnostics

/// Row filters, masks, tags and the question why somebody sees what they see.
extension Parser {
    /// A statement about policies, if one begins here.
    func policyStatement() throws(SQLSyntaxError) -> Statement.Kind? {
        if at("CREATE") { return try createPolicy().map { .policy($0) } }
        if at("DROP") { return try dropPolicy().map { .policy($0) } }
        if at("SHOW") { return try showPolicies().map { .policy($0) } }
        if at("ALTER"), next("TABLE"), setsTags { return .policy(try alterTags()) }
        return nil
    }

    private func createPolicy() throws(SQLSyntaxError) -> PolicyStatement? {
        let orReplace = next("OR") && next("REPLACE", 2)
        let place = orReplace ? 3 : 1
        let isFilter = next("ROW", place) && next("FILTER", place + 1)
        guard isFilter || next("MASK", place) && isName(peek(place + 1)) else { return nil }
        for _ in 0..<(place + (isFilter ? 2 : 1)) { advance() }
        let name = try identifier()
        try expect("ON")
        if !isFilter, at("TAG"), peek().kind == .string || peek().kind == .unicodeString {
            advance()
            let tag = try string()
            let (reach, expression) = try reachAndBody()
            return .createTagMask(name, tag: tag, reach, expression, orReplace: orReplace)
        }
        let target = try qualifiedName()
        let (reach, expression) = try reachAndBody()
        if isFilter {
            return .createRowFilter(name, on: target, reach, expression, orReplace: orReplace)
        }
        guard target.parts.count > 1 else {
            throw SQLSyntaxError(
                "a mask is on a column", at: target.span,
                hint: "write the table before it: \(target).column")
        }
        return .createMask(name, on: target, reach, expression, orReplace: orReplace)
    }

    private func reachAndBody() throws(SQLSyntaxError) -> (PolicyReach, Expression) {
        try expect("FOR")
        let subjects = take("ALL") ? [] : try grantees()
        let exceptions = take("EXCEPT") ? try grantees() : []
        try expect("AS", "(")
        let body = try expression()
        try expect(")")
        return (PolicyReach(subjects: subjects, exceptions: exceptions), body)
    }

    private func grantees() throws(SQLSyntaxError) -> [PolicyGrantee] {
        var kind: String?
        return try list { () throws(SQLSyntaxError) in
            let start = position
            if at("GROUP") || at("ROLE") || at("USER"), peek().kind != .symbol {
                kind = advance().word
            }
            guard let kind else { throw unexpected() }
            let name = try isAtString ? string() : identifier().text
            return PolicyGrantee(kind: kind, name: name, place: place(from: start))
        }
    }

    private func dropPolicy() throws(SQLSyntaxError) -> PolicyStatement? {
        let isFilter = next("ROW") && next("FILTER", 2)
        guard isFilter || next("MASK") else { return nil }
        for _ in 0..<(isFilter ? 3 : 2) { advance() }
        let ifExists = ifExists()
        let name = try identifier()
        return isFilter
            ? .dropRowFilter(name, ifExists: ifExists) : .dropMask(name, ifExists: ifExists)
    }

    private func showPolicies() throws(SQLSyntaxError) -> PolicyStatement? {
        if take("SHOW", "ROW", "FILTERS") { return .showRowFilters(on: try optionalTable()) }
        if take("SHOW", "MASKS") { return .showMasks(on: try optionalTable()) }
        // Those of a whole catalog, its named states, are listed elsewhere.
        if !next("CATALOG", 3), take("SHOW", "TAGS") { return .showTags(on: try optionalTable()) }
        guard take("SHOW", "EFFECTIVE", "ACCESS") else { return nil }
        try expect("ON")
        _ = take("TABLE")
        let table = try qualifiedName()
        guard take("FOR") else { return .showEffectiveAccess(on: table, user: nil) }
        try expect("USER")
        return .showEffectiveAccess(
            on: table, user: try isAtString ? string() : identifier().text)
    }

    private func optionalTable() throws(SQLSyntaxError) -> QualifiedName? {
        guard take("ON") || take("FROM") || take("IN") else { return nil }
        _ = take("TABLE")
        return try qualifiedName()
    }

    /// Whether `ALTER TABLE name [ALTER COLUMN name] SET TAGS (` stands here.
    private var setsTags: Bool {
        for distance in 3..<32 {
            if next("SET", distance), next("TAGS", distance + 1), next("(", distance + 2) {
                return true
            }
            if peek(distance).kind == .end { return false }
        }
        return false
    }

    private func alterTags() throws(SQLSyntaxError) -> PolicyStatement {
        try expect("ALTER", "TABLE")
        let table = try qualifiedName()
        var column: Identifier?
        if take("ALTER") {
            try expect("COLUMN")
            column = try identifier()
        }
        try expect("SET", "TAGS", "(")
        var tags: [String] = []
        if !at(")") {
            tags = try list { () throws(SQLSyntaxError) in
                try isAtString ? string() : identifier().text
            }
        }
        try expect(")")
        return .setTags(table, column: column, tags)
    }
}
