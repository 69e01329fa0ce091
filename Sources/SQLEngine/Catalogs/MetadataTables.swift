import Iceberg
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

/// `"t$snapshots"` and its like: an Iceberg table's metadata as tables. Source:
/// `reference/trino-dialect.md`, section 8.
enum MetadataTables {
    static let moment = LogicalType.timestampWithTimeZone(precision: 3)
    static let textMap = LogicalType.map(key: .text, value: .text)

    /// The metadata table of a kind; nil when there is none of that name. `location` is where the
    /// metadata itself is.
    static func table(
        _ kind: String, _ name: TableName, _ metadata: TableMetadata, at location: String,
        _ manifests: ManifestSource
    ) throws -> (any PlannedTable)? {
        let files = FileListing(name: name, metadata: metadata, manifests: manifests)
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
                    column("max_reference_age_in_ms", .bigint),
                    column("min_snapshots_to_keep", .integer),
                    column("max_snapshot_age_in_ms", .bigint),
                ],
                rows: metadata.references.sorted { $0.key < $1.key }.map { name, reference in
                    [
                        .text(name), .text(reference.kind.rawValue.uppercased()),
                        .integer(reference.snapshotID),
                        integer(reference.maximumReferenceAgeMilliseconds),
                        integer(reference.minimumSnapshotsToKeep.map { Int64($0) }),
                        integer(reference.maximumSnapshotAgeMilliseconds),
                    ]
                })
        case "properties":
            return MemoryTable(
                name: name, columns: [column("key", .text), column("value", .text)],
                rows: metadata.properties.sorted { $0.key < $1.key }.map { [.text($0), .text($1)] })
        case "metadata_log_entries": return log(name, metadata, location)
        case "manifests": return try files.manifestTable(ofAllSnapshots: false)
        case "all_manifests": return try files.manifestTable(ofAllSnapshots: true)
        case "files": return try files.table(ofAllSnapshots: false) { _ in true }
        case "all_files": return try files.table(ofAllSnapshots: true) { _ in true }
        case "data_files": return try files.table(ofAllSnapshots: false) { $0 == .data }
        case "all_data_files": return try files.table(ofAllSnapshots: true) { $0 == .data }
        case "delete_files": return try files.table(ofAllSnapshots: false) { $0 != .data }
        case "all_delete_files": return try files.table(ofAllSnapshots: true) { $0 != .data }
        case "entries": return try files.entryTable(ofAllSnapshots: false)
        case "all_entries": return try files.entryTable(ofAllSnapshots: true)
        case "partitions": return try PartitionListing(files).table()
        default: return nil
        }
    }

    /// Every metadata file with the snapshot that was current in it.
    private static func log(
        _ name: TableName, _ metadata: TableMetadata, _ location: String
    ) -> MemoryTable {
        let present = (metadata.lastUpdatedMilliseconds, location)
        let all = metadata.metadataLog.map { ($0.timestampMilliseconds, $0.metadataFile) }
        return MemoryTable(
            name: name,
            columns: [
                column("timestamp", moment), column("file", .text),
                column("latest_snapshot_id", .bigint), column("latest_schema_id", .integer),
                column("latest_sequence_number", .bigint),
            ],
            rows: (all + [present]).map { at, file in
                let latest = metadata.snapshotLog.last { $0.timestampMilliseconds <= at }
                    .flatMap { metadata.snapshot(id: $0.snapshotID) }
                return [
                    time(at), .text(file), integer(latest?.snapshotID),
                    integer(latest?.schemaID.map { Int64($0) }), integer(latest?.sequenceNumber),
                ]
            })
    }

    static func column(_ name: String, _ type: LogicalType) -> TableColumn {
        TableColumn(name: name, type: type)
    }

    /// A column that Trino's table lacks: it is selected by name only.
    static func hidden(_ name: String, _ type: LogicalType) -> TableColumn {
        TableColumn(name: name, type: type, isHidden: true)
    }

    static func time(_ milliseconds: Int64) -> LiteralValue {
        .wide(Int128(milliseconds) * 1000 << 64)
    }

    static func map(_ values: [String: String]) -> LiteralValue {
        let sorted = values.sorted { $0.key < $1.key }
        return .map(sorted.map { .text($0.key) }, sorted.map { .text($0.value) })
    }

    static func map(_ values: FieldMap<Int64>) -> LiteralValue {
        .map(values.ids.map { .integer(Int64($0)) }, values.values.map { .integer($0) })
    }

    static func integer(_ value: Int64?) -> LiteralValue { value.map { .integer($0) } ?? .null }
}
