package import Authority
import SQLite

/// Which rows a scan of the trail wants; nil and empty members do not limit.
package struct LedgerBounds: Sendable {
    /// Microseconds since 1970, inclusive.
    package var sinceMicroseconds: Int64?
    /// Exclusive.
    package var untilMicroseconds: Int64?
    /// By column: the texts one of which a row has.
    package var texts: [Column: [String]] = [:]

    /// A column with a text by which rows are found.
    package enum Column: String, Sendable, CaseIterable {
        case principal, principalID, requestID, door, action, resource, decision, queryID, runID

        var name: String {
            switch self {
            case .principalID: "principal_id"
            case .requestID: "request_id"
            case .queryID: "query_id"
            case .runID: "run_id"
            case .principal, .door, .action, .resource, .decision: rawValue
            }
        }

        /// Whether few rows have the same text and an index leads to them.
        var isSelective: Bool {
            switch self {
            case .requestID, .queryID, .runID, .principal, .resource: true
            case .principalID, .door, .action, .decision: false
            }
        }
    }

    /// Everything.
    package init() {}
}

/// A row of the trail with the ids that its detail names.
package struct LedgerRecord: Sendable, Hashable {
    package var entry: LedgerEntry
    package var queryID: String?
    package var runID: String?
    package var snapshotID: Int64?
}

/// The trail as it was when the scan began, page by page. Not for two threads.
package final class LedgerScan {
    private let database: Database
    private let condition: String
    private let values: [any SQLiteBindable]
    private let isByTime: Bool
    /// The last row that was given.
    private var place: (at: Int64, sequence: Int64) = (.min, 0)
    private var isAtEnd = false

    fileprivate init(
        _ database: Database, tenant: String, last: Int64, _ bounds: LedgerBounds
    ) {
        self.database = database
        var conditions = ["tenant = ?", "seq <= ?"]
        var values: [any SQLiteBindable] = [tenant, last]
        if let since = bounds.sinceMicroseconds {
            conditions.append("at_us >= ?")
            values.append(since)
        }
        if let until = bounds.untilMicroseconds {
            conditions.append("at_us < ?")
            values.append(until)
        }
        for (column, texts) in bounds.texts.sorted(by: { $0.key.name < $1.key.name }) {
            let marks = [String](repeating: "?", count: texts.count).joined(separator: ", ")
            conditions.append("\(column.name) IN (\(marks))")
            values += texts
        }
        condition = conditions.joined(separator: " AND ")
        self.values = values
        // Pages go on along the index that finds the rows, so that none is walked twice.
        isByTime =
            (bounds.sinceMicroseconds ?? bounds.untilMicroseconds) != nil
            && !bounds.texts.keys.contains(where: \.isSelective)
    }

    /// The next rows, at most so many; none at the end.
    package func next(limit: Int) throws -> [LedgerRecord] {
        if isAtEnd { return [] }
        let behind = isByTime ? "(at_us, seq) > (?, ?)" : "seq > ?"
        let order = isByTime ? "at_us, seq" : "seq"
        let start: [any SQLiteBindable] =
            isByTime ? [place.at, place.sequence] : [place.sequence]
        let found = try database.read { tx in
            try tx.query(
                """
                SELECT seq, tenant, at_us, principal_id, principal, request_id, door, action, resource,
                    decision, detail, query_id, run_id, snapshot_id
                FROM entries WHERE \(condition) AND \(behind) ORDER BY \(order) LIMIT ?
                """, values: values + start + [limit]
            ) { row in
                LedgerRecord(
                    entry: LedgerEntry(row: row), queryID: row.stringOrNil(11),
                    runID: row.stringOrNil(12), snapshotID: row.isNull(13) ? nil : row.int64(13))
            }
        }
        isAtEnd = found.count < limit
        if let last = found.last { place = (last.entry.atMicroseconds, last.entry.sequence) }
        return found
    }
}

extension AuditLedger {
    /// Begins a scan of what is there now, with what is on its way. Asks for `ledger.view`.
    package func scan(
        _ context: RequestContext, authorizer: any Authorizer, _ bounds: LedgerBounds
    ) throws -> LedgerScan {
        try authorizer.require(
            context, .ledgerView, Resource(tenant: context.tenant, kind: .ledger, path: []))
        try drain()
        try flush()
        let last = try database.read { tx in try tx.number("SELECT max(seq) FROM entries") } ?? 0
        return LedgerScan(database, tenant: context.tenant, last: last, bounds)
    }
}
