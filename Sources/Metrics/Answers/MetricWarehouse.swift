package import Authority
package import JSON

/// What the metric layer wants of the data: states of tables, and rows. `Appliance` supplies it.
package protocol MetricWarehouse: Sendable {
    /// The state of a table as the caller may see it; nil when there is none, or the caller may not
    /// know of it. Throws `.denied` where the caller may know of it and not read it.
    func state(
        _ context: RequestContext, table: [String]
    ) throws(MetricError) -> MetricTableState?

    /// Runs a SELECT as the caller; at most `limit` rows are kept.
    func rows(
        _ context: RequestContext, sql: String, limit: Int
    ) throws(MetricError) -> MetricRows
}

/// A table at one moment, for one caller.
package struct MetricTableState: Sendable, Hashable {
    /// nil for an empty table, and for a view.
    package var snapshotID: Int64?
    /// The row filter and masks that apply to the caller, in words; empty for none.
    package var policy: String

    /// A state; `policy` is empty when the caller sees everything.
    package init(snapshotID: Int64?, policy: String) {
        self.snapshotID = snapshotID
        self.policy = policy
    }
}

/// What came of a SELECT.
package struct MetricRows: Sendable {
    /// Names and types as SQL writes them.
    package var columns: [(name: String, type: String)]
    package var rows: [[JSONValue]]
    package var isTruncated: Bool
    package var scannedRows: Int64
    /// 0 where the engine does not know.
    package var scannedBytes: Int64
    package var milliseconds: Int64
    package var queryID: String

    /// Rows with what they cost.
    package init(
        columns: [(name: String, type: String)], rows: [[JSONValue]], isTruncated: Bool,
        scannedRows: Int64, scannedBytes: Int64, milliseconds: Int64, queryID: String
    ) {
        self.columns = columns
        self.rows = rows
        self.isTruncated = isTruncated
        self.scannedRows = scannedRows
        self.scannedBytes = scannedBytes
        self.milliseconds = milliseconds
        self.queryID = queryID
    }
}

/// Where models come from.
package protocol MetricModelSource: Sendable {
    /// The models of this moment, and what is wrong with files that cannot be used.
    func models() -> (models: [MetricModel], faults: [MetricError])
}
