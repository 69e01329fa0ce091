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
    /// The application: what the client said of itself, a dashboard, a tool.
    package var source: String?
}

/// Some of a list, newest first.
package struct TracePage<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Behind which row of the trail the list goes on; nil: there is no more.
    package var next: Int64?

    /// A page; `next` is nil on the last one.
    package init(items: [Item], next: Int64?) {
        self.items = items
        self.next = next
    }
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
    /// How many rows one id may lead to.
    static let traceLimit = 5_000
    /// What the pages of traces call themselves when they read through the console.
    package static let traceSource = "trace"

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

    /// Who read a table, newest first, behind `before`. Asks for `ledger.view`. What the pages of traces
    /// read to draw themselves is left out here; it is in the trail.
    package func readers(
        _ context: RequestContext, authorizer: any Authorizer, table path: [String],
        before: Int64? = nil, limit: Int = 100
    ) throws -> TracePage<TracedRead> {
        try authorizer.require(
            context, .ledgerView, Resource(tenant: context.tenant, kind: .ledger, path: []))
        try settleAll()
        return try page(before: before, limit: limit) { before, count in
            try rows(
                context.tenant,
                """
                action = 'table.read' AND resource = ? AND seq < ? AND NOT (door = 'console'
                    AND json_valid(detail) AND json_extract(detail, '$.source') IS ?)
                """, [Self.tableResource(path), before, Self.traceSource], newestFirst: true,
                limit: count)
        } item: { entry in
            may(context, authorizer, entry.resource) ? Self.read(entry) : nil
        }
    }

    /// Commits of other tables by statements that read this one, newest first, behind `before`: where
    /// its data went. All there are, page by page.
    package func derived(
        _ context: RequestContext, authorizer: any Authorizer, table path: [String],
        before: Int64? = nil, limit: Int = 100
    ) throws -> TracePage<TracedCommit> {
        try authorizer.require(
            context, .tableSelect, Resource(tenant: context.tenant, kind: .table, path: path))
        try settleAll()
        let resource = Self.tableResource(path)
        return try page(before: before, limit: limit) { before, count in
            // Walks the commits, of which there are few, and asks of each whether its query read the
            // table: both by an index of their own.
            try rows(
                context.tenant,
                """
                action IN ('catalog.table.committed', 'catalog.table.created') AND resource <> ?
                    AND query_id IS NOT NULL AND seq < ? AND EXISTS (
                        SELECT 1 FROM entries AS r WHERE r.action = 'table.read' AND r.resource = ?
                            AND r.query_id = entries.query_id AND r.tenant = entries.tenant)
                """, [resource, before, resource], newestFirst: true, limit: count)
        } item: { entry in
            guard may(context, authorizer, entry.resource) else { return nil }
            return TracedCommit(
                entry: entry, snapshotID: Self.number(entry, "snapshotId"),
                queryID: Self.text(entry, "queryId"), runID: Self.text(entry, "runId"), reads: [])
        }
    }

    /// Fills a page with the rows that the caller may know of, from as many as that takes.
    private func page<Item>(
        before: Int64?, limit: Int, rows: (_ before: Int64, _ count: Int) throws -> [LedgerEntry],
        item: (LedgerEntry) throws -> Item?
    ) throws -> TracePage<Item> {
        var place = before ?? .max
        var items: [Item] = []
        while true {
            let found = try rows(place, limit + 1)
            for (index, entry) in found.enumerated() {
                place = entry.sequence
                if let item = try item(entry) { items.append(item) }
                if items.count == limit {
                    return TracePage(items: items, next: index + 1 < found.count ? place : nil)
                }
            }
            if found.count <= limit { return TracePage(items: items, next: nil) }
        }
    }

    // MARK: Steps

    /// Brings in what is on its way, so that a trace shows what was just done.
    func settleAll() throws {
        try drain()
        try flush()
    }

    private func reads(
        _ context: RequestContext, _ authorizer: any Authorizer, _ condition: String,
        _ values: [any SQLiteBindable]
    ) throws -> [TracedRead] {
        try rows(
            context.tenant, "action = 'table.read' AND " + condition, values
        ).filter { may(context, authorizer, $0.resource) }.map(Self.read)
    }

    static func read(_ entry: LedgerEntry) -> TracedRead {
        TracedRead(
            entry: entry, resource: entry.resource, snapshotID: number(entry, "snapshotId"),
            queryID: text(entry, "queryId"), source: text(entry, "source"))
    }

    /// Whether the caller may know that there is such a table.
    func may(
        _ context: RequestContext, _ authorizer: any Authorizer, _ resource: String
    ) -> Bool {
        guard resource.hasPrefix("table:") else { return false }
        let path = resource.dropFirst(6).split(separator: "/").map(String.init)
        return authorizer.decide(
            context, .tableList,
            Resource(tenant: context.tenant, kind: .namespace, path: Array(path.dropLast()))
        ).isAllowed
    }

    func rows(
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
