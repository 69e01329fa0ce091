import SQLFunctions
import SQLPlanning
import SQLSyntax

/// Statements that are no plan: definitions, listings, the session, procedures.
///
/// Each case is a call of the file that knows it; what this product does not do says so by name.
enum UtilityStatements {
    static func execute(
        _ statement: Statement, in run: StatementRun
    ) throws(QueryFault) -> StatementOutcome {
        if let outcome = try run.connectedDefinition(statement) { return outcome }
        if let outcome = try definitions(statement, run) { return outcome }
        if let outcome = try run.rights(statement) { return outcome }
        if let outcome = try listings(statement, run) { return outcome }
        if let outcome = try session(statement, run) { return outcome }
        throw unsupported(statement)
    }

    /// What changes the catalog.
    private static func definitions(
        _ statement: Statement, _ run: StatementRun
    ) throws(QueryFault) -> StatementOutcome? {
        switch statement.kind {
        case .createSchema(let create): return try run.createSchema(create)
        case .dropSchema(let name, let ifExists, let cascade):
            return try run.dropSchema(name, ifExists: ifExists, cascade: cascade)
        case .createTable(let create): return try run.createTable(create)
        case .dropTable(let name, let ifExists): return try run.dropTable(name, ifExists: ifExists)
        case .alterTable(let name, let ifExists, let change):
            return try run.alterTable(name, ifExists: ifExists, change, statement)
        case .truncateTable(let name): return try run.truncateTable(name)
        case .comment(let target, let text): return try run.comment(target, text)
        case .createView(let create): return try run.createView(create)
        case .dropView(let name, let ifExists): return try run.dropView(name, ifExists: ifExists)
        case .renameView(let name, let ifExists, let target):
            return try run.renameView(name, ifExists: ifExists, to: target)
        case .createMaterializedView(let create): return try run.createMaterializedView(create)
        case .refreshMaterializedView(let name): return try run.refreshMaterializedView(name)
        case .dropMaterializedView(let name, let ifExists):
            return try run.dropMaterializedView(name, ifExists: ifExists)
        case .alterMaterializedView(let name, let ifExists, let change):
            return try run.alterMaterializedView(name, ifExists: ifExists, change)
        case .createBranch(let create): return try run.createBranch(create)
        case .dropBranch(let branch, let table, let ifExists):
            return try run.dropBranch(branch, table, ifExists: ifExists)
        case .fastForwardBranch(let branch, let table, let target):
            return try run.fastForward(branch, table, to: target)
        case .renameSchema(let name, let target): return try run.renameSchema(name, to: target)
        case .analyze(let name, let properties): return try run.analyze(name, properties)
        case .createFunction(let function, let orReplace):
            return try run.createFunction(function, orReplace: orReplace)
        case .dropFunction(let name, let types, let ifExists):
            return try run.dropFunction(name, types, ifExists: ifExists)
        case .model(let statement): return try run.model(statement)
        case .call(let name, let arguments): return try run.call(name, arguments)
        case .policy(let policy): return try run.policy(policy)
        default: return nil
        }
    }

    /// What only looks.
    private static func listings(
        _ statement: Statement, _ run: StatementRun
    ) throws(QueryFault) -> StatementOutcome? {
        switch statement.kind {
        case .showCatalogs(let pattern): return try run.showCatalogs(pattern)
        case .showSchemas(let catalog, let pattern): return try run.showSchemas(catalog, pattern)
        case .showTables(let schema, let pattern): return try run.showTables(schema, pattern)
        case .showColumns(let name, let pattern): return try run.showColumns(name, pattern)
        case .showCreate(let kind, let name): return try run.showCreate(kind, name)
        case .showCreateFunction(let name): return try run.showCreateFunction(name)
        case .showFunctions(let schema, let pattern):
            return try run.showFunctions(schema, pattern)
        case .showSession(let pattern): return try run.showSession(pattern)
        case .showStats(let target): return try run.showStats(target, statement.place)
        case .showBranches(let table): return try run.showBranches(table)
        case .reference(let statement): return try run.reference(statement)
        case .check(let statement): return try run.check(statement)
        case .showRoles(let isCurrent, let catalog):
            return try run.showRoles(isCurrent: isCurrent, catalog: catalog)
        case .explain(let inner, let options): return try run.explain(inner, options)
        case .explainAnalyze(let inner, let isVerbose):
            return try run.explainAnalyze(inner, isVerbose: isVerbose)
        case .describeInput(let name): return try run.describeInput(name)
        case .describeOutput(let name): return try run.describeOutput(name)
        case .describeOutputQuery(let query):
            return try run.describeOutput(of: Statement(kind: .query(query), place: query.place))
        default: return nil
        }
    }

    /// What changes the client's session.
    private static func session(
        _ statement: Statement, _ run: StatementRun
    ) throws(QueryFault) -> StatementOutcome? {
        switch statement.kind {
        case .use(let catalog, let schema): return try run.use(catalog, schema)
        case .setSession(let name, let value): return try run.setSession(name, value)
        case .resetSession(let name): return try run.resetSession(name)
        case .setTimeZone(let zone): return try run.setTimeZone(zone)
        case .setPath(let path): return run.setPath(path)
        case .setRole(let choice, let catalog): return try run.setRole(choice, catalog)
        case .setSessionAuthorization(let user):
            return try run.setSessionAuthorization(user, statement)
        case .resetSessionAuthorization: return try run.resetSessionAuthorization(statement)
        case .prepare(let name, let inner): return try run.prepare(name, inner)
        case .deallocate(let name): return try run.deallocate(name)
        case .startTransaction(let isolation, let isReadOnly):
            return try run.startTransaction(isolation: isolation, isReadOnly: isReadOnly)
        case .commit: return try run.endTransaction(commits: true)
        case .rollback: return try run.endTransaction(commits: false)
        default: return nil
        }
    }

    /// The statement's first words, which say what it is.
    private static func unsupported(_ statement: Statement) -> QueryFault {
        let (name, hint): (String, String?) =
            switch statement.kind {
            case .refreshView: ("ALTER VIEW REFRESH", "CREATE OR REPLACE the view")
            case .setAuthorization: ("SET AUTHORIZATION", nil)
            default: ("This statement", nil)
            }
        return QueryFault(
            .notSupported, "\(name) is not supported", hint: hint, span: statement.span)
    }
}
