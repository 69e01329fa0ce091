import Authority
import SQLFunctions
import SQLPlanning
import Vectors

/// `system.quality`: the declared checks and what their runs found.
enum QualityTables {
    static let names = ["checks", "quality_results"]

    static func checks(
        _ name: TableName, _ doors: EngineDoors, _ context: RequestContext
    ) -> ListingTable {
        ListingTable(
            name,
            textColumns("table_name", "check_name", "kind", "severity", "options", "source")
        ) { (_) throws(QueryFault) in
            guard let door = doors.checks else { return [] }
            return try asking(name) { try door.list(context, table: nil) }.map {
                [
                    .text($0.table), .text($0.name), .text($0.kind), .text($0.severity),
                    .text($0.options), .text($0.source),
                ]
            }
        }
    }

    static func results(
        _ name: TableName, _ doors: EngineDoors, _ context: RequestContext
    ) -> ListingTable {
        let columns =
            textColumns("run_id")
            + [TableColumn(name: "checked_at", type: .timestampWithTimeZone(precision: 3))]
            + textColumns("catalog_name", "branch_name", "schema_name", "table_name")
            + [TableColumn(name: "snapshot_id", type: .bigint)]
            + textColumns("check_name", "kind", "severity", "status")
            + [
                TableColumn(name: "failing_rows", type: .bigint),
                TableColumn(name: "total_rows", type: .bigint),
            ]
            + textColumns("message", "sample_rows")
            + [TableColumn(name: "elapsed_ms", type: .bigint)] + textColumns("requested_by")
        return ListingTable(name, columns) { (_) throws(QueryFault) in
            guard let door = doors.checks else { return [] }
            return try asking(name) { try door.results(context) }.map { result in
                func number(_ value: Int64?) -> LiteralValue {
                    value.map { .integer($0) } ?? .null
                }
                return [
                    .text(result.runID), .wide(Int128(result.atMicroseconds) << 64),
                    .text(result.warehouse), .text(result.reference), .text(result.schema),
                    .text(result.table), number(result.snapshotID), .text(result.check),
                    .text(result.kind), .text(result.severity), .text(result.status),
                    number(result.failingRows), number(result.totalRows), .text(result.message),
                    .text(result.samples), .integer(result.elapsedMilliseconds),
                    .text(result.requestedBy),
                ]
            }
        }
    }

    private static func asking<Result>(
        _ name: TableName, _ body: () throws -> Result
    ) throws(QueryFault) -> Result {
        do { return try body() } catch { throw EngineCatalogs.fault(error, about: "\(name)") }
    }
}
