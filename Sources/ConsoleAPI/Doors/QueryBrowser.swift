package import Authority
import Ledger

/// A statement in a list.
package struct QuerySummary: Sendable, Hashable {
    package var id: String
    package var sql: String
    package var user: String
    /// `QUEUED`, `PLANNING`, `RUNNING`, `FINISHING`, `FINISHED`, `FAILED`.
    package var state: String
    package var createdMicroseconds: Int64
    package var elapsedMilliseconds: Int64
    package var rowCount: Int64
    package var error: String?
    package var source: String

    package init(
        id: String, sql: String, user: String, state: String, createdMicroseconds: Int64,
        elapsedMilliseconds: Int64, rowCount: Int64, error: String? = nil, source: String = ""
    ) {
        self.id = id
        self.sql = sql
        self.user = user
        self.state = state
        self.createdMicroseconds = createdMicroseconds
        self.elapsedMilliseconds = elapsedMilliseconds
        self.rowCount = rowCount
        self.error = error
        self.source = source
    }

    package var isDone: Bool { state == "FINISHED" || state == "FAILED" }

    /// Whether a page of the console made it for itself, and nobody asked it.
    var isOfPage: Bool {
        [AuditLedger.traceSource, "access page", "table page"].contains(source)
            || source.hasPrefix("dashboard ")
    }
}

/// A statement on its own page.
package struct QueryDetails: Sendable, Hashable {
    package var summary: QuerySummary
    /// The text of EXPLAIN, once there is one.
    package var plan: String?
    /// Names and values, in the order to show them.
    package var statistics: [Statistic]
    package var errorCode: String?
    package var errorHint: String?
    package var warnings: [String]
    /// What was done, by pipeline, sources first; current while the query runs.
    package var pipelines: [[Step]] = []

    /// An operator at work.
    package struct Step: Sendable, Hashable {
        package var name: String
        package var detail: String
        package var inputRows: Int
        package var outputRows: Int
        /// The operator alone, over all workers.
        package var milliseconds: Double
        package var memoryBytes: Int
        package var spilledBytes: Int
        package var remarks: [String]

        /// An operator with its numbers so far.
        package init(
            name: String, detail: String, inputRows: Int, outputRows: Int, milliseconds: Double,
            memoryBytes: Int = 0, spilledBytes: Int = 0, remarks: [String] = []
        ) {
            self.name = name
            self.detail = detail
            self.inputRows = inputRows
            self.outputRows = outputRows
            self.milliseconds = milliseconds
            self.memoryBytes = memoryBytes
            self.spilledBytes = spilledBytes
            self.remarks = remarks
        }
    }

    /// One measured number, as people read it.
    package struct Statistic: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        summary: QuerySummary, plan: String?, statistics: [Statistic] = [],
        errorCode: String? = nil, errorHint: String? = nil, warnings: [String] = []
    ) {
        self.summary = summary
        self.plan = plan
        self.statistics = statistics
        self.errorCode = errorCode
        self.errorHint = errorHint
        self.warnings = warnings
    }
}

/// The statements that the engine remembers. A visitor sees their own, an administrator all.
package protocol QueryBrowser: Sendable {
    /// Newest first. `mine` keeps other people's away.
    func recent(_ context: RequestContext, mine: Bool, limit: Int) -> [QuerySummary]
    /// nil when it is unknown, forgotten or somebody else's.
    func query(_ context: RequestContext, id: String) -> QueryDetails?
    /// Asks a statement to stop; throws when that is not the visitor's right.
    func cancel(_ context: RequestContext, id: String) throws
}
