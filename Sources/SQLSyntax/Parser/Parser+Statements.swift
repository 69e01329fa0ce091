import Diagnostics

extension Parser {
    func statement() throws(SQLSyntaxError) -> Statement {
        let start = position
        let kind = try nested(statementKind)
        return Statement(kind: kind, place: place(from: start))
    }

    private func statementKind() throws(SQLSyntaxError) -> Statement.Kind {
        if isAtEnd {
            throw SQLSyntaxError(
                "the statement is empty", at: token.span, hint: "write a query such as SELECT 1")
        }
        if startsQueryHere { return .query(try query()) }
        if let kind = try dataStatement() { return kind }
        if let kind = try sessionStatement() { return kind }
        if let kind = try rightsStatement() { return kind }
        if let kind = try policyStatement() { return kind }
        if at("CREATE") { return try create() }
        if at("DROP") { return try drop() }
        if at("ALTER") { return try alter() }
        if at("SHOW") { return try show() }
        if at("DESCRIBE") || at("DESC") { return try describe() }
        if take("EXPLAIN") { return try explain() }
        if take("COMMENT", "ON") { return try commentOn() }
        if take("ANALYZE") {
            let name = try qualifiedName()
            return .analyze(name, properties: try optionalProperties())
        }
        if take("REFRESH", "MATERIALIZED", "VIEW") {
            return .refreshMaterializedView(try qualifiedName())
        }
        if take("RUN", "CHECKS") { return try runChecks() }
        if take("CALL") {
            let name = try qualifiedName()
            return .call(name, try callArguments())
        }
        wanting("SELECT")
        if token.word == "FROM" {
            throw foreign(
                "a query begins with SELECT", hint: "write SELECT * FROM \(peek().text)")
        }
        throw unexpected()
    }

    func callArguments() throws(SQLSyntaxError) -> [FunctionCall.Argument] {
        try expect("(")
        var arguments: [FunctionCall.Argument] = []
        if !at(")") { arguments = try list(argument) }
        try expect(")")
        return arguments
    }

    // MARK: Data

    private func dataStatement() throws(SQLSyntaxError) -> Statement.Kind? {
        switch token.word {
        case "INSERT":
            advance()
            if token.word == "OVERWRITE" {
                throw foreign(
                    "INSERT OVERWRITE is not supported",
                    hint: "DELETE the rows first, or CREATE OR REPLACE TABLE .. AS")
            }
            try expect("INTO")
            return .insert(try insert())
        case "DELETE":
            advance()
            try expect("FROM")
            let table = try tableReference()
            let filter: Expression? = take("WHERE") ? try expression() : nil
            return .delete(Delete(table: table, filter: filter))
        case "UPDATE":
            advance()
            return .update(try update())
        case "MERGE":
            advance()
            if take("BRANCH") { return try mergeBranch() }
            try expect("INTO")
            return .merge(try merge())
        case "TRUNCATE":
            advance()
            try expect("TABLE")
            return .truncateTable(try qualifiedName())
        case "REPLACE" where next("INTO"), "UPSERT" where next("INTO"):
            throw foreign(
                "\(token.word) INTO is not supported", hint: "write MERGE INTO", length: 2)
        default:
            for word in ["INSERT", "DELETE", "UPDATE", "MERGE", "TRUNCATE"] { wanting(word) }
            return nil
        }
    }

    private func insert() throws(SQLSyntaxError) -> Insert {
        if token.word == "TABLE" {
            throw foreign("INSERT INTO takes a plain name", hint: "leave TABLE out")
        }
        let table = try tableReference()
        var columns: [Identifier] = []
        if at("("), !startsQuery(inParenthesisAt: position) {
            columns = try parenthesized(identifier)
        }
        if token.word == "DEFAULT", next("VALUES") {
            throw foreign(
                "INSERT .. DEFAULT VALUES is not supported", hint: "name the columns and values",
                length: 2)
        }
        let query = try query()
        if token.word == "ON", next("CONFLICT") || next("DUPLICATE") {
            throw foreign("ON \(peek().word) is not supported", hint: "write MERGE INTO", length: 2)
        }
        try refuseReturning()
        return Insert(table: table, columns: columns, query: query)
    }

    private func refuseReturning() throws(SQLSyntaxError) {
        if token.word == "RETURNING" {
            throw foreign("RETURNING is not supported", hint: "query the table afterwards")
        }
    }

    private func update() throws(SQLSyntaxError) -> Update {
        let table = try tableReference()
        try expect("SET")
        let assignments = try list(assignment)
        if token.word == "FROM" {
            throw foreign("UPDATE .. FROM is not supported", hint: "write MERGE INTO .. USING ..")
        }
        let filter: Expression? = take("WHERE") ? try expression() : nil
        try refuseReturning()
        return Update(table: table, assignments: assignments, filter: filter)
    }

    private func assignment() throws(SQLSyntaxError) -> Assignment {
        let start = position
        let column = try identifier()
        // `SET t.a = ..` inside MERGE is common in other dialects.
        if at("."), isName(peek()), next("=", 2) {
            throw foreign(
                "the assigned column stands without its table", hint: "write \(peek().text) = ..",
                length: 2)
        }
        try expect("=")
        let value = try expression()
        return Assignment(column: column, value: value, place: place(from: start))
    }

    private func merge() throws(SQLSyntaxError) -> Merge {
        let table = try tableReference()
        let alias = try optionalAlias()
        try expect("USING")
        let source = try nested(relation)
        try expect("ON")
        let condition = try expression()
        var cases: [MergeCase] = []
        while at("WHEN") {
            cases.append(try mergeCase())
        }
        if cases.isEmpty { throw unexpected() }
        return Merge(table: table, alias: alias, source: source, condition: condition, cases: cases)
    }

    private func mergeCase() throws(SQLSyntaxError) -> MergeCase {
        let start = position
        try expect("WHEN")
        let isNotMatched = take("NOT")
        try expect("MATCHED")
        if token.word == "BY" {
            throw foreign(
                "WHEN NOT MATCHED BY is not supported",
                hint: "leave BY TARGET out; delete rows that the source lacks with DELETE")
        }
        let condition: Expression? = take("AND") ? try expression() : nil
        try expect("THEN")
        let action: MergeCase.Action
        if isNotMatched {
            try expect("INSERT")
            if token.word == "*" || token.word == "ROW" {
                throw foreign(
                    "INSERT \(token.word) is not supported", hint: "name the columns and values")
            }
            let columns = try optionalColumns()
            try expect("VALUES")
            action = .insert(columns: columns, values: try parenthesized(expression))
        } else if take("DELETE") {
            action = .delete
        } else {
            try expect("UPDATE", "SET")
            if token.word == "*" {
                throw foreign("UPDATE SET * is not supported", hint: "name the columns")
            }
            action = .update(try list(assignment))
        }
        return MergeCase(condition: condition, action: action, place: place(from: start))
    }

    // MARK: Session, prepared statements, transactions

    private func sessionStatement() throws(SQLSyntaxError) -> Statement.Kind? {
        if take("USE") {
            let first = try identifier()
            guard take(".") else { return .use(catalog: nil, schema: first) }
            return .use(catalog: first, schema: try identifier())
        }
        if take("PREPARE") {
            let name = try identifier()
            try expect("FROM")
            return .prepare(name, try statement())
        }
        if take("DEALLOCATE") {
            try expect("PREPARE")
            return .deallocate(try identifier())
        }
        if take("EXECUTE") {
            if take("IMMEDIATE") {
                let text = try string()
                return .executeImmediate(text, try usingValues())
            }
            let name = try identifier()
            return .execute(name, try usingValues())
        }
        if at("SET") { return try set() }
        if take("RESET") {
            try expect("SESSION")
            if take("AUTHORIZATION") { return .resetSessionAuthorization }
            return .resetSession(try qualifiedName())
        }
        if at("START") || (at("BEGIN") && (next("TRANSACTION") || peek().kind == .end)) {
            return try startTransaction()
        }
        if take("COMMIT") {
            _ = take("WORK")
            return .commit
        }
        if take("ROLLBACK") {
            _ = take("WORK")
            return .rollback
        }
        return nil
    }

    private func usingValues() throws(SQLSyntaxError) -> [Expression] {
        take("USING") ? try list(expression) : []
    }

    private func set() throws(SQLSyntaxError) -> Statement.Kind {
        try expect("SET")
        if take("SESSION") {
            if take("AUTHORIZATION") {
                return .setSessionAuthorization(isAtString ? try string() : try identifier().text)
            }
            let name = try qualifiedName()
            try expect("=")
            return .setSession(name, try expression())
        }
        if take("TIME", "ZONE") {
            if take("LOCAL") { return .setTimeZone(nil) }
            return .setTimeZone(try expression())
        }
        if take("PATH") { return .setPath(try list(qualifiedName)) }
        if take("ROLE") {
            let choice: RoleChoice
            if take("ALL") {
                choice = .all
            } else if take("NONE") {
                choice = .none
            } else {
                choice = .role(try identifier())
            }
            return .setRole(choice, catalog: try optionalCatalog())
        }
        throw unexpected()
    }

    private func startTransaction() throws(SQLSyntaxError) -> Statement.Kind {
        if token.word == "BEGIN" {
            throw foreign("BEGIN is not supported", hint: "write START TRANSACTION")
        }
        try expect("START", "TRANSACTION")
        var isolation: IsolationLevel?
        var isReadOnly: Bool?
        while !isAtEnd, !at(";") {
            if take("ISOLATION") {
                try expect("LEVEL")
                if take("SERIALIZABLE") {
                    isolation = .serializable
                } else if take("REPEATABLE", "READ") {
                    isolation = .repeatableRead
                } else if take("READ", "COMMITTED") {
                    isolation = .readCommitted
                } else {
                    try expect("READ", "UNCOMMITTED")
                    isolation = .readUncommitted
                }
            } else {
                try expect("READ")
                isReadOnly = take("ONLY")
                if isReadOnly == false { try expect("WRITE") }
            }
            if !take(",") { break }
        }
        return .startTransaction(isolation: isolation, isReadOnly: isReadOnly)
    }

    // MARK: Looking around

    private func show() throws(SQLSyntaxError) -> Statement.Kind {
        try expect("SHOW")
        if take("CATALOGS") { return .showCatalogs(try likePattern()) }
        if take("SCHEMAS") || (token.word == "DATABASES" && take("DATABASES")) {
            let catalog: Identifier? = takeFromOrIn() ? try identifier() : nil
            return .showSchemas(catalog: catalog, try likePattern())
        }
        if take("TABLES") {
            let schema: QualifiedName? = takeFromOrIn() ? try qualifiedName() : nil
            return .showTables(schema: schema, try likePattern())
        }
        if take("COLUMNS") {
            guard takeFromOrIn() else { throw unexpected() }
            let table = try qualifiedName()
            return .showColumns(table, try likePattern())
        }
        if take("FUNCTIONS") {
            let schema: QualifiedName? = takeFromOrIn() ? try qualifiedName() : nil
            return .showFunctions(schema: schema, try likePattern())
        }
        if take("MODELS") { return try showModels() }
        if take("SESSION") { return .showSession(try likePattern()) }
        if take("STATS") {
            try expect("FOR")
            if at("(") { return .showStats(.query(try parenthesizedQuery())) }
            return .showStats(.table(try qualifiedName()))
        }
        if let references = try showReferences() { return references }
        if take("CHECKS") { return try showChecks() }
        if take("GRANTS") {
            guard take("ON") else { return .showGrants(on: nil) }
            return .showGrants(on: try grantObject())
        }
        if take("ROLES") { return .showRoles(isCurrent: false, catalog: try optionalCatalog()) }
        if take("CURRENT") {
            try expect("ROLES")
            return .showRoles(isCurrent: true, catalog: try optionalCatalog())
        }
        if take("ROLE") {
            try expect("GRANTS")
            return .showRoleGrants(catalog: try optionalCatalog())
        }
        if take("CREATE") {
            if take("TABLE") { return .showCreate(.table, try qualifiedName()) }
            if take("VIEW") { return .showCreate(.view, try qualifiedName()) }
            if take("SCHEMA") { return .showCreate(.schema, try qualifiedName()) }
            if take("CATALOG") { return .showCreate(.catalog, try qualifiedName()) }
            if take("FUNCTION") { return .showCreateFunction(try qualifiedName()) }
            try expect("MATERIALIZED", "VIEW")
            return .showCreate(.materializedView, try qualifiedName())
        }
        throw unexpected()
    }

    private func takeFromOrIn() -> Bool { take("FROM") || take("IN") }

    /// `FROM|IN catalog`, if it is here.
    func optionalCatalog() throws(SQLSyntaxError) -> Identifier? {
        takeFromOrIn() ? try identifier() : nil
    }

    private func describe() throws(SQLSyntaxError) -> Statement.Kind {
        advance()
        if at("INPUT"), peek().kind != .end, !next("."), !next(";") {
            advance()
            return .describeInput(try identifier())
        }
        if at("OUTPUT"), peek().kind != .end, !next("."), !next(";") {
            advance()
            if at("(") { return .describeOutputQuery(try parenthesizedQuery()) }
            return .describeOutput(try identifier())
        }
        if let kind = try describeModel() { return kind }
        return .showColumns(try qualifiedName(), nil)
    }

    private func explain() throws(SQLSyntaxError) -> Statement.Kind {
        if take("ANALYZE") {
            let isVerbose = take("VERBOSE")
            return .explainAnalyze(try statement(), isVerbose: isVerbose)
        }
        var options: [ExplainOption] = []
        if at("("), next("TYPE") || next("FORMAT") {
            options = try parenthesized(explainOption)
        }
        return .explain(try statement(), options)
    }

    private func explainOption() throws(SQLSyntaxError) -> ExplainOption {
        if take("TYPE") {
            for type in ExplainType.allCases where take(type.rawValue) { return .type(type) }
            throw unexpected()
        }
        try expect("FORMAT")
        for format in ExplainFormat.allCases where take(format.rawValue) { return .format(format) }
        throw unexpected()
    }

    private func commentOn() throws(SQLSyntaxError) -> Statement.Kind {
        let target: CommentTarget
        if take("TABLE") {
            target = .table(try qualifiedName())
        } else if take("VIEW") {
            target = .view(try qualifiedName())
        } else {
            try expect("COLUMN")
            target = .column(try qualifiedName())
        }
        try expect("IS")
        if take("NULL") { return .comment(target, nil) }
        return .comment(target, try string())
    }
}
