import Authority
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableCatalog
import Vectors

/// `"t$metrics_reports"`: what clients told of their scans and commits, newest first.
enum MetricsReports {
    static func table(
        _ context: RequestContext, _ at: CatalogReference, _ base: TableName, _ name: TableName,
        _ catalog: Catalog
    ) throws -> any PlannedTable {
        let reports = try catalog.metricsReports(context, at, base.identifier, limit: 1_000)
        return MemoryTable(
            name: name,
            columns: [
                MetadataTables.column("reported_at", MetadataTables.moment),
                MetadataTables.column("kind", .text), MetadataTables.column("principal", .text),
                MetadataTables.column("snapshot_id", .bigint),
                MetadataTables.column("report", .json),
            ],
            rows: reports.map { report in
                [
                    MetadataTables.time(report.atMicroseconds / 1000), .text(report.kind),
                    .text(report.principal), MetadataTables.integer(report.snapshotID),
                    .text(report.body),
                ]
            })
    }
}
