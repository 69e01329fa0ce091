import Diagnostics

// CREATE, DROP and ALTER.

extension Parser {
    func create() throws(SQLSyntaxError) -> Statement.Kind {
        try expect("CREATE")
        let orReplace = take("OR", "REPLACE")
        if take("TABLE") { return try createTable(orReplace) }
        if take("VIEW") { return try createView(orReplace) }
        if take("MATERIALIZED") {
            try expect("VIEW")
            return try createMaterializedView(orReplace)
        }
        if at("FUNCTION") {
            return .createFunction(try functionSpecification(), orReplace: orReplace)
        }
        if take("BRANCH") { return try createBranch(orReplace) }
        if take("CHECK") { return try createCheck(mode: try mode(orReplace)) }
        if take("MODEL") { return try createModel(orReplace) }
        if !orReplace {
            if take("SCHEMA") { return try createSchema() }
            if take("CATALOG") { return try createCatalog() }
            if take("ROLE") { return try createRole() }
            if take("TAG") { return try createTag() }
        }
        switch token.word {
        case "TEMP", "TEMPORARY":
            throw foreign(
                "temporary tables are not supported", hint: "use WITH name AS (..) in the query")
        case "DATABASE":
            throw foreign("there is no CREATE DATABASE", hint: "write CREATE SCHEMA")
        case "INDEX", "UNIQUE":
            throw foreign(
                "indexes are not supported",
                hint: "use the table properties partitioning and sorted_by")
        case "EXTERNAL":
            throw foreign(
                "CREATE EXTERNAL TABLE is not supported",
                hint: "write CREATE TABLE .. WITH (external_location = ..)")
        default:
            throw unexpected()
        }
    }

    private func mode(_ orReplace: Bool) throws(SQLSyntaxError) -> CreateMode {
        guard ifNotExists() else { return orReplace ? .replace : .fail }
        guard !orReplace else {
            throw SQLSyntaxError(
                "OR REPLACE and IF NOT EXISTS exclude each other", at: token.span,
                hint: "leave one of them out")
        }
        return .ignore
    }

    private func createSchema() throws(SQLSyntaxError) -> Statement.Kind {
        let ifNotExists = ifNotExists()
        let name = try qualifiedName()
        let owner: Grantee? = take("AUTHORIZATION") ? try grantee() : nil
        return .createSchema(
            CreateSchema(
                name: name, ifNotExists: ifNotExists, owner: owner,
                properties: try optionalProperties()))
    }

    private func createTable(_ orReplace: Bool) throws(SQLSyntaxError) -> Statement.Kind {
        let mode = try mode(orReplace)
        let name = try qualifiedName()
        var columns: [Identifier] = []
        if at("("), !startsQuery(inParenthesisAt: position) {
            // `(a, b) AS` are names of a query's columns; a definition has a type after its name.
            if isName(peek()), next(",", 2) || next(")", 2) {
                columns = try parenthesized(identifier)
            } else {
                let elements = try parenthesized(tableElement)
                let comment = try optionalComment()
                if token.word == "PARTITIONED" || token.word == "STORED" || token.word == "LOCATION"
                {
                    throw foreign(
                        "\(token.word) is not supported",
                        hint: "write WITH (partitioning = ARRAY['day(ts)'], location = '..')")
                }
                return .createTable(
                    CreateTable(
                        name: name, mode: mode, elements: elements, comment: comment,
                        properties: try optionalProperties()))
            }
        }
        let comment = try optionalComment()
        let properties = try optionalProperties()
        if columns.isEmpty, !properties.isEmpty, !at("AS") {
            // An external table whose columns its files tell.
            return .createTable(
                CreateTable(
                    name: name, mode: mode, elements: [], comment: comment, properties: properties))
        }
        try expect("AS")
        let query = try query()
        var withData = true
        if take("WITH") {
            withData = !take("NO")
            try expect("DATA")
        }
        return .createTableAsSelect(
            CreateTableAsSelect(
                name: name, mode: mode, columns: columns, comment: comment, properties: properties,
                query: query, withData: withData))
    }

    private func tableElement() throws(SQLSyntaxError) -> TableElement {
        if take("LIKE") {
            let name = try qualifiedName()
            var including = false
            if at("INCLUDING") || at("EXCLUDING") {
                including = advance().word == "INCLUDING"
                try expect("PROPERTIES")
            }
            return .like(name, includingProperties: including)
        }
        let isKey =
            (isAny(of: ["PRIMARY", "FOREIGN"]) && next("KEY"))
            || (token.word == "UNIQUE" && next("("))
            || token.word == "CONSTRAINT" || (token.word == "CHECK" && next("("))
        if isKey {
            throw foreign(
                "constraints are not supported", hint: "declare NOT NULL columns, and use checks")
        }
        return .column(try columnDefinition())
    }

    private func columnDefinition() throws(SQLSyntaxError) -> ColumnDefinition {
        let start = position
        let name = try qualifiedName()
        let type = try type()
        let defaultValue: Expression? = take("DEFAULT") ? try value() : nil
        var isNullable = true
        if take("NOT") {
            try expect("NULL")
            isNullable = false
        } else {
            _ = take("NULL")
        }
        if isAny(of: ["PRIMARY", "UNIQUE", "REFERENCES", "AUTO_INCREMENT", "GENERATED", "CHECK"]) {
            throw foreign(
                "column constraints are not supported: \(token.word)",
                hint: "leave it out; NOT NULL is kept")
        }
        let comment = try optionalComment()
        return ColumnDefinition(
            name: name, type: type, defaultValue: defaultValue, isNullable: isNullable,
            comment: comment, properties: try optionalProperties(), place: place(from: start))
    }

    private func security() throws(SQLSyntaxError) -> ViewSecurity? {
        guard take("SECURITY") else { return nil }
        if take("DEFINER") { return .definer }
        try expect("INVOKER")
        return .invoker
    }

    private func createView(_ orReplace: Bool) throws(SQLSyntaxError) -> Statement.Kind {
        let name = try qualifiedName()
        if at("(") {
            throw foreign(
                "a view takes its column names from the query", hint: "write SELECT x AS name in it"
            )
        }
        let comment = try optionalComment()
        let security = try security()
        let properties = try optionalProperties()
        try expect("AS")
        return .createView(
            CreateView(
                name: name, orReplace: orReplace, comment: comment, security: security,
                properties: properties, query: try query()))
    }

    private func createMaterializedView(_ orReplace: Bool) throws(SQLSyntaxError) -> Statement.Kind
    {
        let ifNotExists = try mode(orReplace) == .ignore
        let name = try qualifiedName()
        let grace: IntervalLiteral? = take("GRACE", "PERIOD") ? try intervalLiteral() : nil
        var whenStale: StaleBehavior?
        if take("WHEN", "STALE") {
            if take("INLINE") {
                whenStale = .inline
            } else {
                try expect("FAIL")
                whenStale = .fail
            }
        }
        let comment = try optionalComment()
        let properties = try optionalProperties()
        try expect("AS")
        return .createMaterializedView(
            CreateMaterializedView(
                name: name, orReplace: orReplace, ifNotExists: ifNotExists, gracePeriod: grace,
                whenStale: whenStale, comment: comment, properties: properties, query: try query()))
    }

    private func createBranch(_ orReplace: Bool) throws(SQLSyntaxError) -> Statement.Kind {
        let mode = try mode(orReplace)
        let name = try identifier()
        let properties = try optionalProperties()
        if !at("IN", "TABLE"), mode != .replace, properties.isEmpty {
            return try createReference(.branch, name, ifNotExists: mode == .ignore)
        }
        try expect("IN", "TABLE")
        let table = try qualifiedName()
        let from: Identifier? = take("FROM") ? try identifier() : nil
        return .createBranch(
            CreateBranch(name: name, table: table, mode: mode, from: from, properties: properties))
    }

    private func createCatalog() throws(SQLSyntaxError) -> Statement.Kind {
        let ifNotExists = ifNotExists()
        let name = try identifier()
        try expect("USING")
        let connector = try identifier()
        let comment = try optionalComment()
        let owner: Grantee? = take("AUTHORIZATION") ? try grantee() : nil
        return .createCatalog(
            CreateCatalog(
                name: name, ifNotExists: ifNotExists, connector: connector, comment: comment,
                owner: owner, properties: try optionalProperties()))
    }

    // MARK: DROP

    func drop() throws(SQLSyntaxError) -> Statement.Kind {
        try expect("DROP")
        if take("TABLE") {
            let ifExists = ifExists()
            return .dropTable(try qualifiedName(), ifExists: ifExists)
        }
        if take("VIEW") {
            let ifExists = ifExists()
            return .dropView(try qualifiedName(), ifExists: ifExists)
        }
        if take("MATERIALIZED") {
            try expect("VIEW")
            let ifExists = ifExists()
            return .dropMaterializedView(try qualifiedName(), ifExists: ifExists)
        }
        if take("MODEL") { return try dropModel() }
        if take("SCHEMA") {
            let ifExists = ifExists()
            let name = try qualifiedName()
            return .dropSchema(name, ifExists: ifExists, cascade: takeCascade())
        }
        if take("CATALOG") {
            let ifExists = ifExists()
            let name = try identifier()
            return .dropCatalog(name, ifExists: ifExists, cascade: takeCascade())
        }
        if take("BRANCH") {
            let ifExists = ifExists()
            let name = try identifier()
            guard at("IN", "TABLE") else {
                return try dropReference(.branch, name, ifExists: ifExists)
            }
            try expect("IN", "TABLE")
            return .dropBranch(name, table: try qualifiedName(), ifExists: ifExists)
        }
        if take("TAG") { return try dropTag() }
        if take("CHECK") { return try dropCheck() }
        if take("ROLE") {
            let ifExists = ifExists()
            let name = try identifier()
            return .dropRole(name, ifExists: ifExists, catalog: try optionalCatalog())
        }
        if take("FUNCTION") {
            let ifExists = ifExists()
            let name = try qualifiedName()
            try expect("(")
            var types: [TypeName] = []
            if !at(")") { types = try list(type) }
            try expect(")")
            return .dropFunction(name, types: types, ifExists: ifExists)
        }
        throw unexpected()
    }

    private func takeCascade() -> Bool {
        if take("CASCADE") { return true }
        _ = take("RESTRICT")
        return false
    }

    // MARK: ALTER

    func alter() throws(SQLSyntaxError) -> Statement.Kind {
        try expect("ALTER")
        if take("TABLE") { return try alterTable() }
        if take("SCHEMA") {
            let start = position
            let name = try qualifiedName()
            if let owner = try newOwner("SCHEMA", name, start) { return owner }
            try expect("RENAME", "TO")
            return .renameSchema(name, to: try identifier())
        }
        if take("VIEW") {
            let start = position
            let ifExists = ifExists()
            let name = try qualifiedName()
            if let owner = try newOwner("VIEW", name, start) { return owner }
            if take("REFRESH") { return .refreshView(name) }
            try expect("RENAME", "TO")
            return .renameView(name, ifExists: ifExists, to: try qualifiedName())
        }
        if take("MATERIALIZED") {
            try expect("VIEW")
            return try alterMaterializedView()
        }
        if take("BRANCH") {
            let name = try identifier()
            try expect("IN", "TABLE")
            let table = try qualifiedName()
            try expect("FAST", "FORWARD", "TO")
            return .fastForwardBranch(name, table: table, to: try identifier())
        }
        throw unexpected()
    }

    /// `SET AUTHORIZATION ..`, if it is here.
    private func newOwner(
        _ kind: String, _ name: QualifiedName, _ start: Int
    ) throws(SQLSyntaxError) -> Statement.Kind? {
        guard take("SET", "AUTHORIZATION") else { return nil }
        let object = GrantObject(
            kind: kind, isKindWritten: true, name: name, branch: nil, place: place(from: start))
        return .setAuthorization(object, try grantee())
    }

    private func alterTable() throws(SQLSyntaxError) -> Statement.Kind {
        let start = position
        let ifExists = ifExists()
        let name = try qualifiedName()
        if let owner = try newOwner("TABLE", name, start) { return owner }
        return .alterTable(name, ifExists: ifExists, try tableChange())
    }

    private func tableChange() throws(SQLSyntaxError) -> TableChange {
        if take("RENAME") {
            if take("TO") { return .rename(to: try qualifiedName()) }
            try expect("COLUMN")
            let ifExists = ifExists()
            let column = try qualifiedName()
            try expect("TO")
            return .renameColumn(column, to: try identifier(), ifExists: ifExists)
        }
        if take("ADD") {
            try expect("COLUMN")
            let ifNotExists = ifNotExists()
            let column = try columnDefinition()
            var position: ColumnPosition?
            if take("FIRST") {
                position = .first
            } else if take("LAST") {
                position = .last
            } else if take("AFTER") {
                position = .after(try identifier())
            }
            return .addColumn(column, ifNotExists: ifNotExists, position)
        }
        if take("DROP") {
            try expect("COLUMN")
            let ifExists = ifExists()
            return .dropColumn(try qualifiedName(), ifExists: ifExists)
        }
        if take("ALTER") { return try columnChange() }
        if take("SET") {
            try expect("PROPERTIES")
            return .setProperties(try list(property))
        }
        try expect("EXECUTE")
        let (name, arguments, filter) = try procedure()
        return .execute(name, arguments, filter: filter)
    }

    private func columnChange() throws(SQLSyntaxError) -> TableChange {
        try expect("COLUMN")
        let column = try qualifiedName()
        if take("SET") {
            if take("DEFAULT") { return .setDefault(column, try value()) }
            try expect("DATA", "TYPE")
            return .setDataType(column, try type())
        }
        if token.word == "TYPE" {
            throw foreign(
                "ALTER COLUMN .. TYPE is not supported", hint: "write SET DATA TYPE \(peek().text)",
                length: 2)
        }
        try expect("DROP")
        if take("DEFAULT") { return .dropDefault(column) }
        try expect("NOT", "NULL")
        return .dropNotNull(column)
    }

    /// `name [(arguments)] [WHERE ..]` after EXECUTE.
    private func procedure() throws(SQLSyntaxError) -> (
        Identifier, [FunctionCall.Argument], Expression?
    ) {
        let name = try identifier()
        var arguments: [FunctionCall.Argument] = []
        if at("(") { arguments = try callArguments() }
        let filter: Expression? = take("WHERE") ? try expression() : nil
        return (name, arguments, filter)
    }

    private func alterMaterializedView() throws(SQLSyntaxError) -> Statement.Kind {
        let start = position
        let ifExists = ifExists()
        let name = try qualifiedName()
        if let owner = try newOwner("MATERIALIZED VIEW", name, start) { return owner }
        let change: MaterializedViewChange
        if take("RENAME") {
            try expect("TO")
            change = .rename(to: try qualifiedName())
        } else if take("SET") {
            try expect("PROPERTIES")
            change = .setProperties(try list(property))
        } else {
            try expect("EXECUTE")
            let (procedure, arguments, filter) = try procedure()
            change = .execute(procedure, arguments, filter: filter)
        }
        return .alterMaterializedView(name, ifExists: ifExists, change)
    }
}
