import Iceberg
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

/// `"t$snapshots"` and its like: an Iceberg table's metadata as tables. Source:
/// `reference/trino-dialect.md`, section 8.
enum MetadataTables {
    private static let moment = LogicalType.timestampWithTimeZone(precision: 3)
    private static let textMap = LogicalType.map(key: .text, value: .text)

    /// The metadata table of a kind; nil when there is none of that name.
    static func table(
        _ kind: String, _ name: TableName, _ metadata: TableMetadata, _ manifests: ManifestSource
    ) throws -> (any PlannedTable)? {
        switch kind {
        case "snapshots":
            return MemoryTable(
                name: name,
                columns: [
                    column("committed_at", moment), column("snapshot_id", .bigint),
                    column("parent_id", .bigint), column("operation", .text),
                    column("manifest_list", .text), column("summary", textMap),
                ],
                rows: metadata.snapshots.map { snapshot in
                    [
                        time(snapshot.timestampMilliseconds), .integer(snapshot.snapshotID),
                        snapshot.parentID.map { .integer($0) } ?? .null,
                        .optional(snapshot.operation), .optional(snapshot.manifestList),
                        map(snapshot.summary),
                    ]
                })
        case "history":
            let ancestors = Set(
                metadata.ancestors(of: metadata.currentSnapshot?.snapshotID).map(\.snapshotID))
            return MemoryTable(
                name: name,
                columns: [
                    column("made_current_at", moment), column("snapshot_id", .bigint),
                    column("parent_id", .bigint), column("is_current_ancestor", .boolean),
                ],
                rows: metadata.snapshotLog.map { entry in
                    [
                        time(entry.timestampMilliseconds), .integer(entry.snapshotID),
                        metadata.snapshot(id: entry.snapshotID)?.parentID.map { .integer($0) }
                            ?? .null,
                        .boolean(ancestors.contains(entry.snapshotID)),
                    ]
                })
        case "refs":
            return MemoryTable(
                name: name,
                columns: [
                    column("name", .text), column("type", .text), column("snapshot_id", .bigint),
                ],
                rows: metadata.references.sorted { $0.key < $1.key }.map { name, reference in
                    [
                        .text(name), .text(reference.kind.rawValue.uppercased()),
                        .integer(reference.snapshotID),
                    ]
                })
        case "properties":
            return MemoryTable(
                name: name, columns: [column("key", .text), column("value", .text)],
                rows: metadata.properties.sorted { $0.key < $1.key }.map { [.text($0), .text($1)] })
        case "files": return try files(name, metadata, manifests)
        case "partitions": return try partitions(name, metadata, manifests)
        default: return nil
        }
    }

    private static func files(
        _ name: TableName, _ metadata: TableMetadata, _ manifests: ManifestSource
    ) throws -> MemoryTable {
        let counts = LogicalType.map(key: .integer, value: .bigint)
        let columns = [
            column("content", .integer), column("file_path", .text), column("file_format", .text),
            column("spec_id", .integer), column("record_count", .bigint),
            column("file_size_in_bytes", .bigint), column("column_sizes", counts),
            column("value_counts", counts), column("null_value_counts", counts),
            column("nan_value_counts", counts), column("sort_order_id", .integer),
        ]
        var rows: [[LiteralValue]] = []
        if let snapshot = metadata.currentSnapshot {
            for manifest in try manifests.manifests(of: snapshot) {
                for entry in try manifests.entries(of: manifest, in: metadata) where entry.isLive {
                    let file = entry.file
                    rows.append([
                        .integer(Int64(file.content.rawValue)), .text(file.path),
                        .text(file.format),
                        .integer(Int64(file.specID)), .integer(file.recordCount),
                        .integer(file.sizeBytes), map(file.columnSizes), map(file.valueCounts),
                        map(file.nullCounts), map(file.nanCounts),
                        file.sortOrderID.map { .integer(Int64($0)) } ?? .null,
                    ])
                }
            }
        }
        return MemoryTable(name: name, columns: columns, rows: rows)
    }

    /// One row a partition of the present snapshot; an unpartitioned table has one row without
    /// `partition`.
    private static func partitions(
        _ name: TableName, _ metadata: TableMetadata, _ manifests: ManifestSource
    ) throws -> MemoryTable {
        let spec = metadata.defaultSpec
        let stored = spec.resultTypes(in: [metadata.currentSchema])
        let fields = zip(spec.fields, stored).map { field, type in
            RowField(name: field.name.lowercased(), type: IcebergTypes.sqlType(type) ?? .text)
        }
        struct Totals {
            var records: Int64 = 0
            var files: Int64 = 0
            var bytes: Int64 = 0
        }
        var totals: [[Literal?]: Totals] = [:]
        var order: [[Literal?]] = []
        if let snapshot = metadata.currentSnapshot {
            for manifest in try manifests.manifests(of: snapshot) where manifest.content == .data {
                for entry in try manifests.entries(of: manifest, in: metadata) where entry.isLive {
                    let key = entry.file.specID == spec.specID ? entry.file.partition : []
                    if totals[key] == nil { order.append(key) }
                    totals[key, default: Totals()].records += entry.file.recordCount
                    totals[key, default: Totals()].files += 1
                    totals[key, default: Totals()].bytes += entry.file.sizeBytes
                }
            }
        }
        let counts = ["record_count", "file_count", "total_size"].map { column($0, .bigint) }
        let rows = order.map { key -> [LiteralValue] in
            let sums = totals[key] ?? Totals()
            let numbers: [LiteralValue] = [
                .integer(sums.records), .integer(sums.files), .integer(sums.bytes),
            ]
            guard !fields.isEmpty else { return numbers }
            let values = fields.indices.map { index -> LiteralValue in
                guard index < key.count, let value = key[index] else { return .null }
                return IcebergTypes.value(value, as: fields[index].type).map(literalValue) ?? .null
            }
            return [.row(values)] + numbers
        }
        let first = fields.isEmpty ? [] : [column("partition", .row(fields))]
        return MemoryTable(name: name, columns: first + counts, rows: rows)
    }

    private static func column(_ name: String, _ type: LogicalType) -> TableColumn {
        TableColumn(name: name, type: type)
    }

    private static func time(_ milliseconds: Int64) -> LiteralValue {
        .wide(Int128(milliseconds) * 1000 << 64)
    }

    private static func map(_ values: [String: String]) -> LiteralValue {
        let sorted = values.sorted { $0.key < $1.key }
        return .map(sorted.map { .text($0.key) }, sorted.map { .text($0.value) })
    }

    private static func map(_ values: FieldMap<Int64>) -> LiteralValue {
        .map(values.ids.map { .integer(Int64($0)) }, values.values.map { .integer($0) })
    }
}
