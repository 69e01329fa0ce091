import Iceberg
import JSON
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

/// The manifests and files of a table, of its present snapshot or of all it has, as tables.
struct FileListing {
    let name: TableName
    let metadata: TableMetadata
    let manifests: ManifestSource
    /// The fields of all partition specs, by their ids: the type of `partition`.
    let partition: [PartitionColumn]
    private let types: [Int32: PrimitiveType]

    /// A field that a partition tuple may have.
    struct PartitionColumn {
        var fieldID: Int32
        var name: String
        var type: LogicalType
    }

    init(name: TableName, metadata: TableMetadata, manifests: ManifestSource) {
        self.name = name
        self.metadata = metadata
        self.manifests = manifests
        var columns: [PartitionColumn] = []
        var places: [Int32: Int] = [:]
        for spec in metadata.partitionSpecs {
            let stored = spec.resultTypes(in: metadata.schemasNewestFirst)
            for (field, type) in zip(spec.fields, stored) {
                let column = PartitionColumn(
                    fieldID: field.fieldID, name: field.name.lowercased(),
                    type: IcebergTypes.sqlType(type) ?? .text)
                if let known = places[field.fieldID] {
                    // The newest spec names and types a field; a voided one says nothing.
                    if field.transform != .void { columns[known] = column }
                } else {
                    places[field.fieldID] = columns.count
                    columns.append(column)
                }
            }
        }
        partition = columns
        var types: [Int32: PrimitiveType] = [:]
        for schema in metadata.schemasNewestFirst.reversed() {
            for field in schema.primitiveColumns {
                if let type = field.type.primitive { types[field.id] = type }
            }
        }
        self.types = types
    }

    // MARK: Manifests

    /// The manifests of the present snapshot, or of each: those stand once a snapshot that has them.
    func manifestTable(ofAllSnapshots isAll: Bool) throws -> MemoryTable {
        let summary = LogicalType.array(
            .row([
                RowField(name: "contains_null", type: .boolean),
                RowField(name: "contains_nan", type: .boolean),
                RowField(name: "lower_bound", type: .text),
                RowField(name: "upper_bound", type: .text),
            ]))
        // The two tables of Trino differ in their columns; what one lacks is there by name.
        func only(_ isShown: Bool, _ name: String, _ type: LogicalType) -> TableColumn {
            isShown ? MetadataTables.column(name, type) : MetadataTables.hidden(name, type)
        }
        var columns = [
            MetadataTables.column("content", .integer), MetadataTables.column("path", .text),
            MetadataTables.column("length", .bigint),
            MetadataTables.column("partition_spec_id", .integer),
            MetadataTables.column("added_snapshot_id", .bigint),
            MetadataTables.column("added_data_files_count", .integer),
            only(!isAll, "added_rows_count", .bigint),
            MetadataTables.column("existing_data_files_count", .integer),
            only(!isAll, "existing_rows_count", .bigint),
            MetadataTables.column("deleted_data_files_count", .integer),
            only(!isAll, "deleted_rows_count", .bigint),
            only(isAll, "added_delete_files_count", .integer),
            only(isAll, "existing_delete_files_count", .integer),
            only(isAll, "deleted_delete_files_count", .integer),
            MetadataTables.column("partition_summaries", summary),
        ]
        if isAll { columns.append(MetadataTables.column("reference_snapshot_id", .bigint)) }
        var rows: [[LiteralValue]] = []
        for snapshot in isAll ? metadata.snapshots : [metadata.currentSnapshot].compactMap({ $0 }) {
            for manifest in try manifests.manifests(of: snapshot) {
                rows.append(row(of: manifest) + (isAll ? [.integer(snapshot.snapshotID)] : []))
            }
        }
        return MemoryTable(name: name, columns: columns, rows: rows)
    }

    private func row(of manifest: ManifestFile) -> [LiteralValue] {
        let isData = manifest.content == .data
        func files(_ count: Int32?, of data: Bool) -> LiteralValue {
            isData == data ? MetadataTables.integer(count.map { Int64($0) }) : .integer(0)
        }
        let stored = metadata.spec(id: manifest.specID)?.resultTypes(
            in: metadata.schemasNewestFirst)
        let summaries = (manifest.partitions ?? []).enumerated().map {
            index, summary -> LiteralValue in
            func text(_ bytes: [UInt8]?) -> LiteralValue {
                guard let bytes, let stored, index < stored.count,
                    let literal = Literal(singleValueBytes: bytes, type: stored[index])
                else { return .null }
                return .text(Self.text(literal))
            }
            return .row([
                .boolean(summary.containsNull), summary.containsNaN.map { .boolean($0) } ?? .null,
                text(summary.lowerBound), text(summary.upperBound),
            ])
        }
        return [
            .integer(Int64(manifest.content.rawValue)), .text(manifest.path),
            .integer(manifest.lengthBytes), .integer(Int64(manifest.specID)),
            .integer(manifest.addedSnapshotID), files(manifest.addedFilesCount, of: true),
            MetadataTables.integer(manifest.addedRowsCount),
            files(manifest.existingFilesCount, of: true),
            MetadataTables.integer(manifest.existingRowsCount),
            files(manifest.deletedFilesCount, of: true),
            MetadataTables.integer(manifest.deletedRowsCount),
            files(manifest.addedFilesCount, of: false),
            files(manifest.existingFilesCount, of: false),
            files(manifest.deletedFilesCount, of: false), .list(summaries),
        ]
    }

    // MARK: Files

    /// The live files of a kind; over all snapshots each file once.
    func table(
        ofAllSnapshots isAll: Bool, _ wanted: (DataFile.Content) -> Bool
    ) throws -> MemoryTable {
        var rows: [[LiteralValue]] = []
        var seen: Set<String> = []
        for place in try places(ofAllSnapshots: isAll)
        where place.entry.isLive && wanted(place.entry.file.content) {
            let entry = place.entry
            let file = entry.file
            let key = "\(file.path)\u{0}\(file.contentOffset ?? -1)"
            guard seen.insert(key).inserted else { continue }
            rows.append(
                row(of: file) + [
                    .text(readableMetrics(of: file).encodedText()),
                    MetadataTables.integer(entry.snapshotID),
                    MetadataTables.integer(entry.fileSequenceNumber),
                    MetadataTables.integer(entry.dataSequenceNumber),
                    .optional(file.referencedDataFile), .integer(place.position),
                    .text(place.manifest), MetadataTables.integer(file.firstRowID),
                    MetadataTables.integer(file.contentOffset),
                    MetadataTables.integer(file.contentSizeBytes),
                ])
        }
        let further: [(String, LogicalType)] = [
            ("readable_metrics", .json), ("added_snapshot_id", .bigint),
            ("file_sequence_number", .bigint), ("data_sequence_number", .bigint),
            ("referenced_data_file", .text), ("pos", .bigint), ("manifest_location", .text),
            ("first_row_id", .bigint), ("content_offset", .bigint),
            ("content_size_in_bytes", .bigint),
        ]
        return MemoryTable(
            name: name,
            columns: fileFields.map { MetadataTables.column($0.name ?? "", $0.type) }
                + further.map { MetadataTables.column($0.0, $0.1) }, rows: rows)
    }

    /// The entries of the manifests as they stand there, deleted ones too.
    func entryTable(ofAllSnapshots isAll: Bool) throws -> MemoryTable {
        let columns = [
            MetadataTables.column("status", .integer),
            MetadataTables.column("snapshot_id", .bigint),
            MetadataTables.column("sequence_number", .bigint),
            MetadataTables.column("file_sequence_number", .bigint),
            MetadataTables.column("data_file", .row(fileFields)),
            MetadataTables.column("readable_metrics", .json),
        ]
        return MemoryTable(
            name: name, columns: columns,
            rows: try entries(ofAllSnapshots: isAll).map { entry in
                [
                    .integer(Int64(entry.status.rawValue)),
                    MetadataTables.integer(entry.snapshotID),
                    MetadataTables.integer(entry.dataSequenceNumber),
                    MetadataTables.integer(entry.fileSequenceNumber), .row(row(of: entry.file)),
                    .text(readableMetrics(of: entry.file).encodedText()),
                ]
            })
    }

    /// An entry, and where it stands.
    private struct Place {
        var entry: ManifestEntry
        var manifest: String
        var position: Int64
    }

    /// The entries of the present snapshot's manifests, or of all manifests that any snapshot has.
    func entries(ofAllSnapshots isAll: Bool) throws -> [ManifestEntry] {
        try places(ofAllSnapshots: isAll).map(\.entry)
    }

    private func places(ofAllSnapshots isAll: Bool) throws -> [Place] {
        var found: [Place] = []
        var seen: Set<String> = []
        for snapshot in isAll ? metadata.snapshots : [metadata.currentSnapshot].compactMap({ $0 }) {
            for manifest in try manifests.manifests(of: snapshot)
            where seen.insert(manifest.path).inserted {
                let entries = try manifests.entries(of: manifest, in: metadata)
                found += entries.enumerated().map {
                    Place(entry: $1, manifest: manifest.path, position: Int64($0))
                }
            }
        }
        return found
    }

    private static let counts = LogicalType.map(key: .integer, value: .bigint)
    private static let bounds = LogicalType.map(key: .integer, value: .text)

    /// What files and entries tell of a file alike.
    private var fileFields: [RowField] {
        var fields: [(String, LogicalType)] = [
            ("content", .integer), ("file_path", .text), ("file_format", .text),
            ("spec_id", .integer),
        ]
        if !partition.isEmpty { fields.append(("partition", partitionType)) }
        fields += [
            ("record_count", .bigint), ("file_size_in_bytes", .bigint),
            ("column_sizes", Self.counts), ("value_counts", Self.counts),
            ("null_value_counts", Self.counts), ("nan_value_counts", Self.counts),
            ("lower_bounds", Self.bounds), ("upper_bounds", Self.bounds),
            ("key_metadata", .varbinary), ("split_offsets", .array(.bigint)),
            ("equality_ids", .array(.integer)), ("sort_order_id", .integer),
        ]
        return fields.map { RowField(name: $0.0, type: $0.1) }
    }

    private func row(of file: DataFile) -> [LiteralValue] {
        var values: [LiteralValue] = [
            .integer(Int64(file.content.rawValue)), .text(file.path), .text(file.format),
            .integer(Int64(file.specID)),
        ]
        if !partition.isEmpty { values.append(self.values(of: file)) }
        values += [
            .integer(file.recordCount), .integer(file.sizeBytes),
            MetadataTables.map(file.columnSizes), MetadataTables.map(file.valueCounts),
            MetadataTables.map(file.nullCounts), MetadataTables.map(file.nanCounts),
            text(of: file.lowerBounds), text(of: file.upperBounds),
            file.keyMetadata.map { .bytes($0) } ?? .null,
            file.splitOffsets.isEmpty ? .null : .list(file.splitOffsets.map { .integer($0) }),
            file.equalityIDs.isEmpty
                ? .null : .list(file.equalityIDs.map { .integer(Int64($0)) }),
            MetadataTables.integer(file.sortOrderID.map { Int64($0) }),
        ]
        return values
    }

    private func text(of bounds: FieldMap<[UInt8]>) -> LiteralValue {
        var ids: [LiteralValue] = []
        var texts: [LiteralValue] = []
        for (id, bytes) in zip(bounds.ids, bounds.values) {
            guard let type = types[id], let literal = Literal(singleValueBytes: bytes, type: type)
            else { continue }
            ids.append(.integer(Int64(id)))
            texts.append(.text(Self.text(literal)))
        }
        return .map(ids, texts)
    }

    /// The metrics by column name, as Trino and Spark show them.
    private func readableMetrics(of file: DataFile) -> JSONValue {
        var columns: [(String, JSONValue)] = []
        metadata.currentSchema.visit { field, path in
            guard let type = types[field.id] else { return }
            func bound(_ bounds: FieldMap<[UInt8]>) -> JSONValue {
                bounds[field.id].flatMap { Literal(singleValueBytes: $0, type: type) }?.json
                    ?? .null
            }
            func count(_ counts: FieldMap<Int64>) -> JSONValue {
                counts[field.id].map { .int($0) } ?? .null
            }
            columns.append(
                (
                    path,
                    [
                        "column_size": count(file.columnSizes),
                        "value_count": count(file.valueCounts),
                        "null_value_count": count(file.nullCounts),
                        "nan_value_count": count(file.nanCounts),
                        "lower_bound": bound(file.lowerBounds),
                        "upper_bound": bound(file.upperBounds),
                    ]
                ))
        }
        return .object(columns)
    }

    // MARK: Partitions

    /// The type of a partition tuple.
    var partitionType: LogicalType {
        .row(partition.map { RowField(name: $0.name, type: $0.type) })
    }

    /// A file's partition, in the fields of all specs.
    func values(of file: DataFile) -> LiteralValue {
        let spec = metadata.spec(id: file.specID)
        return .row(
            partition.map { column in
                guard let index = spec?.fields.firstIndex(where: { $0.fieldID == column.fieldID }),
                    index < file.partition.count, let value = file.partition[index]
                else { return .null }
                return IcebergTypes.value(value, as: column.type).map(literalValue) ?? .null
            })
    }

    private static func text(_ literal: Literal) -> String {
        switch literal.json {
        case .string(let text): text
        case let other: other.encodedText()
        }
    }
}
