package import Authority
import JSON
import SQLite

/// A commit to a table with what its statement read.
package struct TracedCommit: Sendable, Hashable {
    package var entry: LedgerEntry
    package var snapshotID: Int64?
    /// The statement that made it, for commits by SQL.
    package var queryID: String?
    /// The pipeline run, for commits by pipelines.
    package var runID: String?
    /// What the statement read, with the snapshots that it saw.
    package var reads: [TracedRead]
}

/// A query's read of a table.
package struct TracedRead: Sendable, Hashable {
    package var entry: LedgerEntry
    /// `table:silver/sales/orders`.
    package var resource: String
    package var snapshotID: Int64?
    package var queryID: String?
    /// What the client said of itself: a dashboard, a tool.
    package var source: String?
}

/// What one id leads to, and where data came from and went: joins over the trail.
///
///     request ─┬─ query ── reads of tables at snapshots
///              └─ commit ── snapshot ── run of a pipeline
///
/// A commit by SQL names its query and a read names its query, so the two join exactly. Commits by other
/// engines have only their request; they have no inputs here.
extension AuditLedger {
    private static let queryColumn = "query_id"
    private static let runColumn = "run_id"
    private static let snapshotColumn = "snapshot_id"
    private static let traceLimit = 500

    /// The resource of a table by its path: warehouse, levels, name.
    package static func tableResource(_ path: [String]) -> String {
        "table:" + path.joined(separator: "/").lowercased()
    }

    /// Everything that carries the id: a request's, a query's, a run's or a snapshot's; oldest first. Asks
    /// for `ledger.view`.
    package func trace(
        _ context: RequestContext, authorizer: any Authorizer, id: String
    ) throws -> [LedgerEntry] {
        try authorizer.require(
            context, .ledgerView, Resource(tenant: context.tenant, kind: .ledger, path: []))
        try settleAll()
        var found: [Int64: LedgerEntry] = [:]
        func add(_ condition: String, _ value: any SQLiteBindable) throws {
            for entry in try rows(context.tenant, condition, [value]) {
                found[entry.sequence] = entry
            }
        }
        try add("request_id = ?", id)
        try add("\(Self.queryColumn) = ?", id)
        try add("\(Self.runColumn) = ?", id)
        if let number = Int64(id) { try add("\(Self.snapshotColumn) = ?", number) }
        // A query that was found by its request brings the rest of what it did.
        for query in Set(found.values.compactMap { Self.text($0, "queryId") }) where query != id {
            try add("\(Self.queryColumn) = ?", query)
        }
        return found.values.sorted { $0.sequence < $1.sequence }
    }

    /// The latest commits to a table, newest first, with what they read. Asks for `table.select`; inputs
    /// that the caller may not even list are left out.
    package func commits(
        _ context: RequestContext, authorizer: any Authorizer, table path: [String],
        snapshotID: Int64? = nil, limit: Int = 50
    ) throws -> [TracedCommit] {
        try authorizer.require(
            context, .tableSelect, Resource(tenant: context.tenant, kind: .table, path: path))
        try settleAll()
        var condition =
            "resource = ? AND action IN ('catalog.table.committed', 'catalog.table.created')"
        var values: [any SQLiteBindable] = [Self.tableResource(path)]
        if let snapshotID {
            condition += " AND \(Self.snapshotColumn) = ?"
            values.append(snapshotID)
        }
        return try rows(context.tenant, condition, values, newestFirst: true, limit: limit).map {
            entry in
            let query = Self.text(entry, "queryId")
            return TracedCommit(
                entry: entry, snapshotID: Self.number(entry, "snapshotId"), queryID: query,
                runID: Self.text(entry, "runId"),
                reads: try query.map {
                    try reads(context, authorizer, "\(Self.queryColumn) = ?", [$0])
                } ?? [])
        }
    }

    /// Who read a table, newest first. Asks for `ledger.view`.
    package func readers(
        _ context: RequestContext, authorizer: any Authorizer, table path: [String],
        limit: Int = 100
    ) throws -> [TracedRead] {
        try authorizer.require(
            context, .ledgerView, Resource(tenant: context.tenant, kind: .ledger, path: []))
        try settleAll()
        return try reads(
            context, authorizer, "resource = ?", [Self.tableResource(path)], newestFirst: true,
            limit: limit)
    }

    /// Commits of other tables that read this one: where its data went.
    package func derived(
        _ context: RequestContext, authorizer: any Authorizer, table path: [String]
    ) throws -> [TracedCommit] {
        try authorizer.require(
            context, .tableSelect, Resource(tenant: context.tenant, kind: .table, path: path))
        try settleAll()
        let resource = Self.tableResource(path)
        let queries = try database.read { tx in
            try tx.query(
                """
                SELECT \(Self.queryColumn) FROM entries
                WHERE tenant = ? AND resource = ? AND action = 'table.read'
                GROUP BY 1 ORDER BY max(seq) DESC LIMIT \(Self.traceLimit)
                """, context.tenant, resource
            ) { $0.stringOrNil(0) }.compactMap { $0 }
        }
        var found: [TracedCommit] = []
        for query in queries {
            let commits = try rows(
                context.tenant,
                """
                \(Self.queryColumn) = ? AND action IN
                    ('catalog.table.committed', 'catalog.table.created') AND resource <> ?
                """, [query, resource])
            for entry in commits where may(context, authorizer, entry.resource) {
                found.append(
                    TracedCommit(
                        entry: entry, snapshotID: Self.number(entry, "snapshotId"), queryID: query,
                        runID: Self.text(entry, "runId"), reads: []))
            }
        }
        return found
    }

    // MARK: Steps

    /// Brings in what is on its way, so that a trace shows what was just done.
    private func settleAll() throws {
        try drain()
        try flush()
    }

    private func reads(
        _ context: RequestContext, _ authorizer: any Authorizer, _ condition: String,
        _ values: [any SQLiteBindable], newestFirst: Bool = false, limit: Int = traceLimit
    ) throws -> [TracedRead] {
        try rows(
            context.tenant, "action = 'table.read' AND " + condition, values,
            newestFirst: newestFirst, limit: limit
        ).filter { may(context, authorizer, $0.resource) }.map { entry in
            TracedRead(
                entry: entry, resource: entry.resource,
                snapshotID: Self.number(entry, "snapshotId"),
                queryID: Self.text(entry, "queryId"), source: Self.text(entry, "source"))
        }
    }

    /// Whether the caller may know that there is such a table.
    private func may(
        _ context: RequestContext, _ authorizer: any Authorizer, _ resource: String
    ) -> Bool {
        guard resource.hasPrefix("table:") else { return false }
        let path = resource.dropFirst(6).split(separator: "/").map(String.init)
        return authorizer.decide(
            context, .tableList,
            Resource(tenant: context.tenant, kind: .namespace, path: Array(path.dropLast()))
        ).isAllowed
    }

    private func rows(
        _ tenant: String, _ condition: String, _ values: [any SQLiteBindable],
        newestFirst: Bool = false, limit: Int = traceLimit
    ) throws -> [LedgerEntry] {
        try database.read { tx in
            try tx.query(
                """
                SELECT seq, tenant, at_us, principal_id, principal, request_id, door, action, resource,
                    decision, detail
                FROM entries WHERE tenant = ? AND \(condition)
                ORDER BY seq \(newestFirst ? "DESC" : "ASC") LIMIT ?
                """, values: [tenant] + values + [limit], row: LedgerEntry.init(row:))
        }
    }

    private static func text(_ entry: LedgerEntry, _ name: String) -> String? {
        (try? JSONValue(parsing: entry.detail)).flatMap { try? $0.cursor[name].string() }
    }

    private static func number(_ entry: LedgerEntry, _ name: String) -> Int64? {
        (try? JSONValue(parsing: entry.detail)).flatMap { try? $0.cursor[name].int64() }
    }
}

extension LedgerEntry {
    /// A row of `entries`, all columns in order.
    init(row: borrowing Row) {
        self.init(
            sequence: row.int64(0), tenant: row.string(1), atMicroseconds: row.int64(2),
            principalID: row.string(3), principalName: row.string(4), requestID: row.string(5),
            door: row.string(6), action: row.string(7), resource: row.string(8),
            decision: row.string(9), detail: row.string(10))
    }
}
