import Authority
import CivilTime
import JSON
import SQLFunctions
import SQLPlanning
import Vectors

/// Texts of models for listings.
enum ModelTexts {
    /// A moment as `2026-11-21T14:00:00.000000Z`.
    static func time(_ microseconds: Int64) -> String {
        CivilFormat.rfc3339(utc: microseconds)
    }
}

/// `system.metadata.models`: every version of every model that the caller may see.
enum ModelListing {
    static func table(
        _ name: TableName, _ catalogs: EngineCatalogs, _ context: RequestContext
    ) -> ListingTable {
        let columns =
            textColumns("catalog_name", "schema_name", "model_name")
            + [
                TableColumn(name: "version", type: .bigint),
                TableColumn(name: "is_latest", type: .boolean),
            ] + textColumns("algorithm", "owner")
            + [
                TableColumn(name: "created", type: .timestampWithTimeZone(precision: 6)),
                TableColumn(name: "row_count", type: .bigint),
                TableColumn(name: "skipped_row_count", type: .bigint),
                TableColumn(name: "seed", type: .bigint),
            ] + textColumns("digest")
            + ["features", "parameters", "metrics", "training_snapshots"].map {
                TableColumn(name: $0, type: .json)
            } + textColumns("label", "training_query")
        return ListingTable(name, columns) { (wanted) throws(QueryFault) in
            var rows: [[LiteralValue]] = []
            guard let keeper = catalogs.models else { return rows }
            for catalog in catalogs.catalogNames(context)
            where catalog != "system" && wanted.allows("catalog_name", catalog) {
                for record in try keeper.records(context, catalog: catalog, schema: nil)
                where wanted.allows("schema_name", record.name.schema)
                    && wanted.allows("model_name", record.name.table)
                {
                    rows.append(row(record))
                }
            }
            return rows
        }
    }

    private static func row(_ record: ModelRecord) -> [LiteralValue] {
        func json(_ members: [(String, JSONValue)]) -> LiteralValue {
            .text(JSONValue.object(members).encodedText())
        }
        return [
            .text(record.name.catalog), .text(record.name.schema), .text(record.name.table),
            .integer(record.version), .boolean(record.isLatest), .text(record.algorithm),
            .text(record.owner), .wide(Int128(record.createdMicroseconds) << 64),
            .integer(record.rowCount), .integer(record.skippedCount), .integer(record.seed),
            .text(record.digest), json(record.features.map { ($0.name, .string("\($0.type)")) }),
            json(record.parameters.map { ($0.name, .string($0.value)) }),
            json(record.metrics.map { ($0.name, .double($0.value)) }),
            json(record.sources.map { ($0.table, $0.snapshotID.map { .int($0) } ?? .null) }),
            .optional(record.label), .text(record.query),
        ]
    }
}
