import Authority
import Dashboards
import Ledger

/// One row through time: what each state of the table said of it, who wrote that, out of what, where it
/// went on and who read it.
///
///     source ─▶ run ─▶ commit ─▶ snapshot ─▶ versions of the row ─▶ other tables ─▶ queries ─▶ viewers
///
/// The versions are read by SQL as the visitor, so masks and filters hold; the rest is the ledger's.
struct RowTrace {
    /// One state of the row, and the commit that made it.
    struct Version {
        let snapshotID: Int64
        /// Microseconds since 1970, as text of the engine.
        let committedAt: String
        /// nil: the row is gone.
        let values: [ChartValue]?
        let commit: TracedCommit?
        /// What it came from, nearest first.
        let sources: [RowSources.Step]
    }

    /// How many states of the table are looked at, the newest first.
    static let states = 40

    let table: TracedTable
    let column: String
    let value: String
    private(set) var columns: [String] = []
    private(set) var versions: [Version] = []
    private(set) var derived = TracePage<TracedCommit>(items: [], next: nil)
    /// nil: the visitor may not read the ledger.
    private(set) var readers: TracePage<TracedRead>?
    /// The tiles that read the table or what was made from it; empty too where `readers` is nil.
    private(set) var charts = RowCharts()
    /// Whether older states were left out.
    private(set) var isCut = false

    init(
        _ pages: GovernancePages, _ context: RequestContext, table: TracedTable, column: String,
        value: String, derivedBefore: Int64? = nil, readersBefore: Int64? = nil
    ) throws {
        self.table = table
        self.column = column
        self.value = value
        let runner = pages.pages.doors.runner
        func rows(_ sql: String, _ limit: Int) throws -> ChartData {
            var request = QueryRequest(sql, rowLimit: limit)
            request.source = AuditLedger.traceSource
            return try runner.run(context, request).data
        }
        let sources = RowSources(
            column: column, value: value, trail: pages.trail, context: context, rows: rows)
        let history = try rows(
            """
            SELECT snapshot_id, committed_at FROM \(table.metadata("snapshots"))
            ORDER BY committed_at DESC, snapshot_id LIMIT \(Self.states + 1)
            """, Self.states + 1)
        isCut = history.rows.count > Self.states
        var before: [ChartValue]?
        var holds: [Int64: Bool] = [:]
        for state in history.rows.prefix(Self.states).reversed() where state.count == 2 {
            guard let id = Int64(state[0].plainText) else { continue }
            // As text, so that one address serves columns of every type.
            let found = try rows(
                """
                SELECT * FROM \(table.quoted) FOR VERSION AS OF \(id)
                WHERE CAST(\(quotedName(column)) AS varchar) = \(quotedText(value)) LIMIT 2
                """, 2)
            columns = found.columns.map(\.name)
            let now = found.rows.first
            holds[id] = now != nil
            defer { before = now }
            guard now != before else { continue }
            let commit = try pages.trail.commits(context, table: table.path, snapshotID: id).first
            versions.append(
                Version(
                    snapshotID: id, committedAt: state[1].plainText, values: now, commit: commit,
                    sources: sources.steps(table, snapshotID: id, commit)))
        }
        derived = try pages.trail.derived(context, table: table.path, before: derivedBefore)
        do {
            readers = try pages.trail.readers(context, table: table.path, before: readersBefore)
            charts = RowCharts(
                try pages.trail.charts(context, table: table.path),
                table: AuditLedger.tableResource(table.path), holds: holds)
        } catch is AccessDenied { readers = nil }
    }
}
