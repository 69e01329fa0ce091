import Authority
import SQLFunctions
import SQLPlanning
import TableCatalog
import Vectors

/// `system.maintenance.log`: what maintenance did, by hand and by night.
enum MaintenanceTable {
    static let names = ["log"]

    static func log(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        let moment = LogicalType.timestampWithTimeZone(precision: 3)
        let columns =
            textColumns(
                "run_id", "operation", "catalog_name", "branch_name", "schema_name", "table_name")
            + [
                TableColumn(name: "started", type: moment),
                TableColumn(name: "ended", type: moment),
            ] + textColumns("state") + [TableColumn(name: "dry_run", type: .boolean)]
            + [
                "snapshots_before", "snapshots_after", "files_before", "files_after",
                "bytes_before", "bytes_after",
            ].map { TableColumn(name: $0, type: .bigint) } + textColumns("message", "requested_by")
        return ListingTable(name, columns) { (_) throws(QueryFault) in
            guard let catalog = catalogs.catalog else { return [] }
            do {
                return try catalog.maintenanceRecords(context).map(row)
            } catch { throw EngineCatalogs.fault(error, about: "\(name)") }
        }
    }

    private static func row(_ record: MaintenanceRecord) -> [LiteralValue] {
        func time(_ microseconds: Int64?) -> LiteralValue {
            microseconds.map { .wide(Int128($0) << 64) } ?? .null
        }
        func number(_ value: Int?) -> LiteralValue { value.map { .integer(Int64($0)) } ?? .null }
        func name(_ text: String) -> LiteralValue { text.isEmpty ? .null : .text(text) }
        return [
            .text(record.runID), .text(record.operation), .text(record.at.warehouse),
            .text(record.at.reference), name(record.namespace.joined(separator: ".")),
            name(record.table), time(record.startedMicroseconds), time(record.endedMicroseconds),
            .text(record.outcome.rawValue.uppercased()), .boolean(record.isDryRun),
            number(record.before?.snapshots), number(record.after?.snapshots),
            number(record.before?.files), number(record.after?.files),
            record.before.map { .integer($0.bytes) } ?? .null,
            record.after.map { .integer($0.bytes) } ?? .null, .text(record.message),
            .text(record.requestedBy),
        ]
    }
}
