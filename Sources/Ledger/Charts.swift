package import Authority
import SQLite

extension AuditLedger {
    /// How a dashboard names itself where it reads for a tile: `dashboard fraud-overview/by-region`.
    package static let dashboardSource = "dashboard "
    /// How many tables are followed from one.
    private static let followedTables = 32
    /// How far back reads are looked at, in entries of the trail.
    private static let chartedEntries: Int64 = 200_000

    /// The tiles of dashboards that showed a table or what was made from it, over any number of steps:
    /// of each tile, viewer and table the latest read, newest first. Asks for `ledger.view`; tables
    /// that the caller may not even list are left out.
    package func charts(
        _ context: RequestContext, authorizer: any Authorizer, table path: [String],
        limit: Int = 100
    ) throws -> [TracedRead] {
        try authorizer.require(
            context, .ledgerView, Resource(tenant: context.tenant, kind: .ledger, path: []))
        try settleAll()
        let tables = try tablesMade(context.tenant, from: Self.tableResource(path))
            .filter { may(context, authorizer, $0) }
        guard !tables.isEmpty else { return [] }
        let reads = try rows(
            context.tenant,
            """
            action = 'table.read' AND door = 'console'
                AND resource IN (\(tables.map { _ in "?" }.joined(separator: ", ")))
                AND seq > (SELECT max(seq) FROM entries) - ? AND json_valid(detail)
                AND substr(json_extract(detail, '$.source'), 1, ?) = ?
            """,
            tables as [any SQLiteBindable]
                + [Self.chartedEntries, Self.dashboardSource.count, Self.dashboardSource],
            newestFirst: true)
        var seen: Set<[String]> = []
        let latest = reads.filter { entry in
            seen.insert([Self.read(entry).source ?? "", entry.principalID, entry.resource]).inserted
        }
        return latest.prefix(limit).map(Self.read)
    }

    /// A table and those that statements made from it, from those again, and so on.
    private func tablesMade(_ tenant: String, from table: String) throws -> [String] {
        var tables = [table]
        var next = 0
        while next < tables.count, tables.count < Self.followedTables {
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
                    ORDER BY c.resource LIMIT ?
                    """, tenant, source, Self.followedTables
                ) { $0.string(0) }
            }
            tables += made.filter { !tables.contains($0) }
        }
        return tables
    }
}
