package import Authority
import SQLite

/// Reads of tables by the tiles of dashboards.
package struct TracedCharts: Sendable, Hashable {
    /// Of each tile, viewer, table and state of the table the latest read, newest first.
    package var reads: [TracedRead]
    /// Whether there may be more: a limit was reached.
    package var isCut: Bool

    /// Reads, and whether they are all.
    package init(reads: [TracedRead], isCut: Bool) {
        self.reads = reads
        self.isCut = isCut
    }
}

extension AuditLedger {
    /// How a dashboard names itself where it reads for a tile: `dashboard fraud-overview/by-region`.
    package static let dashboardSource = "dashboard "

    /// The tiles of dashboards that read a table or what was made from it, over any number of steps. Asks
    /// for `ledger.view`; tables that the caller may not even list are left out.
    package func charts(
        _ context: RequestContext, authorizer: any Authorizer, table path: [String],
        limit: Int? = nil
    ) throws -> TracedCharts {
        try authorizer.require(
            context, .ledgerView, Resource(tenant: context.tenant, kind: .ledger, path: []))
        try settleAll()
        let limit = limit ?? Limits.listedCharts
        let (made, isCut) = try tablesMade(context.tenant, from: Self.tableResource(path))
        let tables = made.filter { may(context, authorizer, $0) }
        guard !tables.isEmpty else { return TracedCharts(reads: [], isCut: isCut) }
        let source = "CASE WHEN json_valid(detail) THEN json_extract(detail, '$.source') END"
        let reads = try rows(
            context.tenant,
            """
            seq IN (
                SELECT max(seq) FROM entries
                WHERE tenant = ? AND action = 'table.read' AND door = 'console'
                    AND resource IN (\(tables.map { _ in "?" }.joined(separator: ", ")))
                    AND substr(\(source), 1, ?) = ?
                GROUP BY \(source), principal_id, resource, snapshot_id)
            """,
            [context.tenant] + tables as [any SQLiteBindable]
                + [Self.dashboardSource.count, Self.dashboardSource],
            newestFirst: true, limit: limit + 1)
        return TracedCharts(
            reads: reads.prefix(limit).map(Self.read), isCut: isCut || reads.count > limit)
    }

    /// A table and those that statements made from it, from those again, and so on; and whether there are
    /// more than are followed.
    private func tablesMade(
        _ tenant: String, from table: String
    ) throws -> (tables: [String], isCut: Bool) {
        var tables = [table]
        var known: Set<String> = [table]
        var next = 0
        while next < tables.count {
            let source = tables[next]
            next += 1
            let made = try database.read { tx in
                try tx.query(
                    """
                    SELECT DISTINCT c.resource FROM entries AS r JOIN entries AS c
                        ON c.query_id = r.query_id AND c.tenant = r.tenant
                            AND c.action IN ('catalog.table.committed', 'catalog.table.created')
                    WHERE r.tenant = ? AND r.action = 'table.read' AND r.resource = ?
                        AND r.query_id IS NOT NULL AND c.resource <> r.resource
                    ORDER BY c.resource
                    """, tenant, source
                ) { $0.string(0) }
            }
            for name in made where known.insert(name).inserted {
                guard tables.count < Limits.followedTables else { return (tables, true) }
                tables.append(name)
            }
        }
        return (tables, false)
    }
}
