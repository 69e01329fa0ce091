import Authority
import SQLExecution
import SQLFunctions
import SQLPlanning
import SQLSyntax
import TableCatalog
import Vectors

/// Everything one statement runs with. Made by `QueryEngine`, used on the query's own thread.
///
/// `UtilityStatements` and `DataStatements` turn statements into effects through it and give a
/// `StatementOutcome`; `QueryEngine` turns the outcome into pages, update counts and session changes.
final class StatementRun {
    let engine: QueryEngine
    let query: Query
    let catalogs: EngineCatalogs
    /// What functions see of the session; catalog and schema are the statement's defaults.
    let session: SessionValues
    /// What the statement changes in its client's session.
    var changes = SessionChanges()
    /// The catalogs at the moment that the session reads, with notes of what binding found.
    let view: StatementCatalog
    /// Whether the statement, as it was bound, gives the same rows again over the same states.
    var isRepeatable = false
    /// What ran for the statement, for EXPLAIN ANALYZE.
    var executions: [QueryExecution] = []
    /// Keeps the files that the statement writes until they are committed.
    var writing: TablePin?
    /// What the written columns are made of, as the snapshot's summary says it.
    var columnLineage: String?
    /// Values of `?`.
    var parameters: [Expression] = []

    init(
        engine: QueryEngine, query: Query, catalogs: EngineCatalogs, session: SessionValues
    ) {
        self.engine = engine
        self.query = query
        self.catalogs = catalogs
        self.session = session
        view = StatementCatalog(
            catalogs, readAsOfMicroseconds: query.session.readAsOfMicroseconds,
            asker: query.context.principal,
            materializedViews: MaterializedViews(catalogs: catalogs, session: session))
    }

    var context: RequestContext { query.context }

    /// The catalog behind warehouses; a fault where the engine only reads files.
    func catalog() throws(QueryFault) -> Catalog {
        guard let catalog = catalogs.catalog else {
            throw QueryFault(
                .notSupported, "this needs a server with a catalog",
                hint: "start one with `lakehouse serve`; files can only be queried")
        }
        return catalog
    }
}

/// What comes of a statement.
enum StatementOutcome {
    /// Rows of literals: listings, EXPLAIN, procedures with results.
    case rows([QueryColumn], [[LiteralValue]])
    /// No rows; `count` for statements that change rows (it is also the one row `rows`).
    case done(updateType: String, count: Int64?)
}
