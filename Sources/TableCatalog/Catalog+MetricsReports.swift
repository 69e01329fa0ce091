package import Authority
import SQLite

/// What a client told of a scan or a commit it made. Source: REST catalog specification,
/// `ReportMetricsRequest`.
package struct MetricsReport: Sendable {
    /// `scan-report` or `commit-report`.
    package var kind: String
    package var snapshotID: Int64?
    /// Who sent it.
    package var principal: String
    package var atMicroseconds: Int64
    /// The report as JSON.
    package var body: String

    /// A report as it comes in; who and when the catalog fills in.
    package init(kind: String, snapshotID: Int64?, body: String) {
        self.kind = kind
        self.snapshotID = snapshotID
        self.body = body
        principal = ""
        atMicroseconds = 0
    }
}

extension Catalog {
    /// Keeps a report about a table that the caller may read. The newest of a table are kept.
    package func keep(
        _ report: MetricsReport, _ context: RequestContext, _ at: CatalogReference,
        _ identifier: TableIdentifier
    ) throws {
        try authorizer.require(
            context, .tableSelect, resource(context, at, identifier.namespace, identifier.name))
        guard report.body.utf8.count <= Limits.reportBytes else {
            throw CatalogError(
                code: .limitExceeded,
                message: "a metrics report has at most \(Limits.reportBytes) bytes")
        }
        try database.writeGrouped { tx in
            let uuid = try requirePointer(tx, context, at, identifier, kind: .table).uuid
            try tx.run(
                """
                INSERT INTO metrics_reports
                    (tenant, uuid, kind, snapshot_id, principal, at_us, body)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """, context.tenant, uuid, report.kind, report.snapshotID, context.principal.name,
                tx.nowMicroseconds, report.body)
            try tx.run(
                """
                DELETE FROM metrics_reports WHERE tenant = ?1 AND uuid = ?2 AND id <= (
                    SELECT id FROM metrics_reports WHERE tenant = ?1 AND uuid = ?2
                    ORDER BY id DESC LIMIT 1 OFFSET ?3)
                """, context.tenant, uuid, Limits.reportsPerTable)
        }
    }

    /// The reports about a table, newest first.
    package func metricsReports(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        limit: Int = 100
    ) throws -> [MetricsReport] {
        try authorizer.require(
            context, .tableSelect, resource(context, at, identifier.namespace, identifier.name))
        return try database.read { tx in
            let uuid = try requirePointer(tx, context, at, identifier, kind: .table).uuid
            return try tx.query(
                """
                SELECT kind, snapshot_id, principal, at_us, body FROM metrics_reports
                WHERE tenant = ? AND uuid = ? ORDER BY id DESC LIMIT ?
                """, context.tenant, uuid, limit
            ) {
                var report = MetricsReport(
                    kind: $0.string(0), snapshotID: $0.int64OrNil(1), body: $0.string(4))
                report.principal = $0.string(2)
                report.atMicroseconds = $0.int64(3)
                return report
            }
        }
    }
}
