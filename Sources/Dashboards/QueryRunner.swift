package import Authority
package import Diagnostics

/// A statement to run for somebody, and how much of its result is wanted.
package struct QueryRequest: Sendable {
    package var sql: String
    package var catalog: String?
    package var schema: String?
    package var rowLimit: Int
    /// The state of the tables to read, microseconds UTC; nil: the present one.
    package var asOf: Int64?
    /// By warehouse: the tag or branch that its plain name means; empty: the present state.
    package var references: [String: String] = [:]
    /// Whether a result that was computed before over the same snapshots and policies will do.
    package var reusesResults = false
    /// Whether the statement may change anything. A page that is only looked at never asks for that,
    /// whoever wrote its SQL: what does not read is refused with `READ_ONLY_VIOLATION`.
    package var mayChange = false
    /// For whom the rows are, for the ledger: `dashboard fraud-overview`.
    package var source: String?

    package init(
        _ sql: String, catalog: String? = nil, schema: String? = nil, rowLimit: Int,
        asOf: Int64? = nil
    ) {
        self.asOf = asOf
        self.sql = sql
        self.catalog = catalog
        self.schema = schema
        self.rowLimit = rowLimit
    }
}

/// What came of a statement.
package struct QueryAnswer: Sendable {
    package var data: ChartData
    /// The engine's id, for the page of the query.
    package var queryID: String
    package var elapsedMilliseconds: Int64
    /// `INSERT`, `CREATE TABLE`; nil for a query.
    package var updateType: String?
    package var updateCount: Int64?
    package var warnings: [String]

    package init(
        data: ChartData, queryID: String = "", elapsedMilliseconds: Int64 = 0,
        updateType: String? = nil, updateCount: Int64? = nil, warnings: [String] = []
    ) {
        self.data = data
        self.queryID = queryID
        self.elapsedMilliseconds = elapsedMilliseconds
        self.updateType = updateType
        self.updateCount = updateCount
        self.warnings = warnings
    }
}

/// Runs SQL as the principal of the context. `Appliance` supplies it over the engine.
package protocol QueryRunner: Sendable {
    /// Runs to the end, or until `rowLimit` rows are there: the statement is cancelled then, and
    /// `isTruncated` says so. A statement that changes something always runs to its end. Blocks.
    func run(
        _ context: RequestContext, _ request: QueryRequest
    ) throws(QueryRunFault) -> QueryAnswer
}

/// Why a statement failed, as the engine said it.
package struct QueryRunFault: Fault {
    /// The engine's own name of the error, such as `COLUMN_NOT_FOUND`.
    package struct Code: RawRepresentable, Sendable, Hashable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let permissionDenied = Code(rawValue: "PERMISSION_DENIED")
        package static let readOnly = Code(rawValue: "READ_ONLY_VIOLATION")
    }

    package let code: Code
    package let message: String
    package let hint: String?
    /// Where in the statement.
    package let span: SourceSpan?
    package let queryID: String?

    package init(
        code: Code, message: String, hint: String? = nil, span: SourceSpan? = nil,
        queryID: String? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span
        self.queryID = queryID
    }
}
