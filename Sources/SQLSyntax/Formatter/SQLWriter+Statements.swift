extension SQLWriter {
    private mutating func write(_ before: String, _ name: QualifiedName, _ after: String = "") {
        write(before)
        self.name(name)
        write(after)
    }

    private mutating func write(_ before: String, _ name: Identifier, _ after: String = "") {
        write(before)
        identifier(name)
        write(after)
    }

    private mutating func from(_ word: String, _ name: Identifier?) {
        if let name { write(" \(word) ", name) }
    }

    mutating func like(_ pattern: LikePattern?) {
        guard let pattern else { return }
        write(" LIKE ")
        string(pattern.pattern)
        if let escape = pattern.escape {
            write(" ESCAPE ")
            string(escape)
        }
    }

    private mutating func filter(_ filter: Expression?) {
        guard let filter else { return }
        write(" WHERE ")
        expression(filter, 0)
    }

    private mutating func using(_ values: [Expression]) {
        guard !values.isEmpty else { return }
        write(" USING ")
        list(values) { $0.expression($1, 0) }
    }

    private func exists(_ flag: Bool) -> String { flag ? "IF EXISTS " : "" }

    mutating func statement(_ statement: Statement) {
        switch statement.kind {
        case .query(let query): self.query(query)
        case .insert(let insert):
            write("INSERT INTO ")
            table(insert.table)
            write(" ")
            if !insert.columns.isEmpty {
                identifiers(insert.columns)
                write(" ")
            }
            query(insert.query)
        case .delete(let delete):
            write("DELETE FROM ")
            table(delete.table)
            filter(delete.filter)
        case .update(let update):
            write("UPDATE ")
            table(update.table)
            write(" SET ")
            assignments(update.assignments)
            filter(update.filter)
        case .merge(let merge): self.merge(merge)
        case .truncateTable(let name): write("TRUNCATE TABLE ", name)
        case .explain(let inner, let options):
            write("EXPLAIN ")
            if !options.isEmpty {
                let words = options.map { option -> String in
                    switch option {
                    case .type(let type): "TYPE \(type.rawValue)"
                    case .format(let format): "FORMAT \(format.rawValue)"
                    }
                }
                write("(" + words.joined(separator: ", ") + ") ")
            }
            self.statement(inner)
        case .explainAnalyze(let inner, let isVerbose):
            write(isVerbose ? "EXPLAIN ANALYZE VERBOSE " : "EXPLAIN ANALYZE ")
            self.statement(inner)
        case .prepare(let name, let inner):
            write("PREPARE ", name, " FROM ")
            self.statement(inner)
        case .execute(let name, let values):
            write("EXECUTE ", name)
            using(values)
        case .executeImmediate(let text, let values):
            write("EXECUTE IMMEDIATE ")
            string(text)
            using(values)
        case .deallocate(let name): write("DEALLOCATE PREPARE ", name)
        case .describeInput(let name): write("DESCRIBE INPUT ", name)
        case .describeOutput(let name): write("DESCRIBE OUTPUT ", name)
        case .describeOutputQuery(let query):
            write("DESCRIBE OUTPUT ")
            parenthesized(query)
        case .call(let name, let values):
            write("CALL ", name, "(")
            arguments(values)
            write(")")
        default: definition(statement.kind)
        }
    }

    private mutating func assignments(_ assignments: [Assignment]) {
        list(assignments) { writer, assignment in
            writer.identifier(assignment.column)
            writer.write(" = ")
            writer.expression(assignment.value, 0)
        }
    }

    private mutating func merge(_ merge: Merge) {
        write("MERGE INTO ")
        table(merge.table)
        from("AS", merge.alias)
        write(" USING ")
        relation(merge.source, isOperand: false)
        write(" ON ")
        expression(merge.condition, 0)
        for branch in merge.cases {
            if case .insert = branch.action {
                write(" WHEN NOT MATCHED")
            } else {
                write(" WHEN MATCHED")
            }
            if let condition = branch.condition {
                write(" AND ")
                expression(condition, 0)
            }
            switch branch.action {
            case .delete: write(" THEN DELETE")
            case .update(let assignments):
                write(" THEN UPDATE SET ")
                self.assignments(assignments)
            case .insert(let columns, let values):
                write(" THEN INSERT ")
                if !columns.isEmpty {
                    identifiers(columns)
                    write(" ")
                }
                write("VALUES (")
                list(values) { $0.expression($1, 0) }
                write(")")
            }
        }
    }

    private mutating func definition(_ kind: Statement.Kind) {
        switch kind {
        case .createSchema(let schema): createSchema(schema)
        case .dropSchema(let name, let ifExists, let cascade):
            write("DROP SCHEMA " + exists(ifExists), name, cascade ? " CASCADE" : "")
        case .renameSchema(let name, let to):
            write("ALTER SCHEMA ", name, " RENAME TO ")
            identifier(to)
        case .createTable(let table): createTable(table)
        case .createTableAsSelect(let table): createTableAsSelect(table)
        case .dropTable(let name, let ifExists): write("DROP TABLE " + exists(ifExists), name)
        case .alterTable(let name, let ifExists, let change):
            write("ALTER TABLE " + exists(ifExists), name, " ")
            tableChange(change)
        case .comment(let target, let text):
            switch target {
            case .table(let name): write("COMMENT ON TABLE ", name)
            case .view(let name): write("COMMENT ON VIEW ", name)
            case .column(let name): write("COMMENT ON COLUMN ", name)
            }
            write(" IS ")
            if let text { string(text) } else { write("NULL") }
        case .analyze(let name, let properties):
            write("ANALYZE ", name)
            self.properties(properties)
        case .createView(let view): createView(view)
        case .dropView(let name, let ifExists): write("DROP VIEW " + exists(ifExists), name)
        case .renameView(let name, let ifExists, let to):
            write("ALTER VIEW " + exists(ifExists), name, " RENAME TO ")
            self.name(to)
        case .refreshView(let name): write("ALTER VIEW ", name, " REFRESH")
        case .createMaterializedView(let view): createMaterializedView(view)
        case .refreshMaterializedView(let name): write("REFRESH MATERIALIZED VIEW ", name)
        case .dropMaterializedView(let name, let ifExists):
            write("DROP MATERIALIZED VIEW " + exists(ifExists), name)
        case .alterMaterializedView(let name, let ifExists, let change):
            write("ALTER MATERIALIZED VIEW " + exists(ifExists), name, " ")
            switch change {
            case .rename(let to): tableChange(.rename(to: to))
            case .setProperties(let properties): tableChange(.setProperties(properties))
            case .execute(let procedure, let arguments, let filter):
                execute(procedure, arguments, filter)
            }
        case .createBranch(let branch): createBranch(branch)
        case .dropBranch(let branch, let table, let ifExists):
            write("DROP BRANCH " + exists(ifExists), branch, " IN TABLE ")
            name(table)
        case .fastForwardBranch(let branch, let table, let to):
            write("ALTER BRANCH ", branch, " IN TABLE ")
            write("", table, " FAST FORWARD TO ")
            identifier(to)
        case .showBranches(let table): write("SHOW BRANCHES FROM TABLE ", table)
        case .reference(let statement): reference(statement)
        case .check(let statement): check(statement)
        case .model(let statement): model(statement)
        case .createCatalog(let catalog): createCatalog(catalog)
        case .dropCatalog(let name, let ifExists, let cascade):
            write("DROP CATALOG " + exists(ifExists), name, cascade ? " CASCADE" : "")
        case .createFunction(let function, let orReplace):
            write(orReplace ? "CREATE OR REPLACE " : "CREATE ")
            routine(function)
        case .dropFunction(let name, let types, let ifExists):
            write("DROP FUNCTION " + exists(ifExists), name, "(")
            list(types) { $0.type($1) }
            write(")")
        case .showCreateFunction(let name): write("SHOW CREATE FUNCTION ", name)
        default: session(kind)
        }
    }

    private mutating func session(_ kind: Statement.Kind) {
        switch kind {
        case .use(let catalog, let schema):
            write("USE ")
            if let catalog { write("", catalog, ".") }
            identifier(schema)
        case .showCatalogs(let pattern):
            write("SHOW CATALOGS")
            like(pattern)
        case .showSchemas(let catalog, let pattern):
            write("SHOW SCHEMAS")
            from("FROM", catalog)
            like(pattern)
        case .showTables(let schema, let pattern):
            write("SHOW TABLES")
            if let schema { write(" FROM ", schema) }
            like(pattern)
        case .showColumns(let table, let pattern):
            write("SHOW COLUMNS FROM ", table)
            like(pattern)
        case .showCreate(let kind, let name): write("SHOW CREATE \(kind.rawValue) ", name)
        case .showFunctions(let schema, let pattern):
            write("SHOW FUNCTIONS")
            if let schema { write(" FROM ", schema) }
            like(pattern)
        case .showSession(let pattern):
            write("SHOW SESSION")
            like(pattern)
        case .showStats(.table(let name)): write("SHOW STATS FOR ", name)
        case .showStats(.query(let query)):
            write("SHOW STATS FOR ")
            parenthesized(query)
        case .setSession(let name, let value):
            write("SET SESSION ", name, " = ")
            expression(value, 0)
        case .resetSession(let name): write("RESET SESSION ", name)
        case .setSessionAuthorization(let user):
            write("SET SESSION AUTHORIZATION ")
            string(user)
        case .resetSessionAuthorization: write("RESET SESSION AUTHORIZATION")
        case .setTimeZone(let zone):
            write("SET TIME ZONE ")
            if let zone { expression(zone, 0) } else { write("LOCAL") }
        case .setPath(let names):
            write("SET PATH ")
            list(names) { $0.name($1) }
        case .setRole(let choice, let catalog):
            switch choice {
            case .all: write("SET ROLE ALL")
            case .none: write("SET ROLE NONE")
            case .role(let name): write("SET ROLE ", name)
            }
            from("IN", catalog)
        case .startTransaction(let isolation, let isReadOnly):
            write("START TRANSACTION")
            var modes = isolation.map { [" ISOLATION LEVEL \($0.rawValue)"] } ?? []
            if let isReadOnly { modes.append(isReadOnly ? " READ ONLY" : " READ WRITE") }
            write(modes.joined(separator: ","))
        case .commit: write("COMMIT")
        case .rollback: write("ROLLBACK")
        default: rights(kind)
        }
    }

    private mutating func rights(_ kind: Statement.Kind) {
        switch kind {
        case .grant(let privileges, let object, let grantee, let withOption):
            write("GRANT ")
            self.privileges(privileges)
            write(" ON ")
            self.object(object)
            write(" TO ")
            self.grantee(grantee)
            if withOption { write(" WITH GRANT OPTION") }
        case .deny(let privileges, let object, let grantee):
            write("DENY ")
            self.privileges(privileges)
            write(" ON ")
            self.object(object)
            write(" TO ")
            self.grantee(grantee)
        case .revoke(let privileges, let object, let grantee, let optionFor):
            write(optionFor ? "REVOKE GRANT OPTION FOR " : "REVOKE ")
            self.privileges(privileges)
            write(" ON ")
            self.object(object)
            write(" FROM ")
            self.grantee(grantee)
        case .createRole(let name, let admin, let catalog):
            write("CREATE ROLE ", name)
            if let admin {
                write(" WITH ADMIN ")
                grantee(admin)
            }
            from("IN", catalog)
        case .dropRole(let name, let ifExists, let catalog):
            write("DROP ROLE " + exists(ifExists), name)
            from("IN", catalog)
        case .grantRoles(let roles, let grantees, let withAdmin, let by, let catalog):
            write("GRANT ")
            list(roles) { $0.identifier($1) }
            write(" TO ")
            list(grantees) { $0.grantee($1) }
            if withAdmin { write(" WITH ADMIN OPTION") }
            granted(by, catalog)
        case .revokeRoles(let roles, let grantees, let adminFor, let by, let catalog):
            write(adminFor ? "REVOKE ADMIN OPTION FOR " : "REVOKE ")
            list(roles) { $0.identifier($1) }
            write(" FROM ")
            list(grantees) { $0.grantee($1) }
            granted(by, catalog)
        case .setAuthorization(let object, let grantee):
            write("ALTER ")
            self.object(object)
            write(" SET AUTHORIZATION ")
            self.grantee(grantee)
        case .showGrants(let object):
            write("SHOW GRANTS")
            if let object {
                write(" ON ")
                self.object(object)
            }
        case .showRoles(let isCurrent, let catalog):
            write(isCurrent ? "SHOW CURRENT ROLES" : "SHOW ROLES")
            from("IN", catalog)
        case .showRoleGrants(let catalog):
            write("SHOW ROLE GRANTS")
            from("IN", catalog)
        case .policy(let statement): policy(statement)
        default:
            break
        }
    }

    private mutating func granted(_ by: Grantee?, _ catalog: Identifier?) {
        if let by {
            write(" GRANTED BY ")
            grantee(by)
        }
        from("IN", catalog)
    }
}
