import Iceberg
import SQLExecution
import SQLFunctions
import SQLPlanning
import TableFiles
import Vectors

/// `"t$partitions"`: one row a partition of the present snapshot; an unpartitioned table has one row
/// without `partition`.
struct PartitionListing {
    private let files: FileListing
    /// The columns whose range is told: those that are no identity partition.
    private let columns: [(field: NestedField, type: LogicalType)]

    init(_ files: FileListing) {
        self.files = files
        let parts = Set(
            files.metadata.defaultSpec.fields.filter { $0.transform == .identity }.map(\.sourceID))
        columns = files.metadata.currentSchema.fields.compactMap { field in
            guard !parts.contains(field.id), let type = field.type.primitive,
                let sql = IcebergTypes.sqlType(type)
            else { return nil }
            return (field, sql)
        }
    }

    private struct Range {
        var lower: Literal?
        var upper: Literal?
        var nullCount: Int64? = 0
        var nanCount: Int64? = 0
        var isFirst = true
    }

    private struct Totals {
        var specID: Int32
        var records: Int64 = 0
        var files: Int64 = 0
        var bytes: Int64 = 0
        var positionDeletes: Int64 = 0
        var positionFiles: Int64 = 0
        var equalityDeletes: Int64 = 0
        var equalityFiles: Int64 = 0
        var lastSnapshot: Snapshot?
        var ranges: [Range]
    }

    private struct Key: Hashable {
        var partition: LiteralValue
    }

    func table() throws -> MemoryTable {
        var totals: [Key: Totals] = [:]
        var order: [Key] = []
        for entry in try files.entries(ofAllSnapshots: false) where entry.isLive {
            let key = Key(partition: files.values(of: entry.file))
            if totals[key] == nil { order.append(key) }
            var sums =
                totals[key]
                ?? Totals(
                    specID: entry.file.specID,
                    ranges: Array(repeating: Range(), count: columns.count))
            add(entry, to: &sums)
            totals[key] = sums
        }
        let rows = order.compactMap { key in
            totals[key].map { row(key.partition, $0) }
        }
        return MemoryTable(name: files.name, columns: header, rows: rows)
    }

    private var header: [TableColumn] {
        var header: [TableColumn] = []
        if !files.partition.isEmpty {
            header.append(MetadataTables.column("partition", files.partitionType))
        }
        header += ["record_count", "file_count", "total_size"].map {
            MetadataTables.column($0, .bigint)
        }
        if !columns.isEmpty {
            header.append(
                MetadataTables.column(
                    "data",
                    .row(
                        columns.map { field, type in
                            RowField(
                                name: field.name.lowercased(),
                                type: .row([
                                    RowField(name: "min", type: type),
                                    RowField(name: "max", type: type),
                                    RowField(name: "null_count", type: .bigint),
                                    RowField(name: "nan_count", type: .bigint),
                                ]))
                        })))
        }
        // Clients know a partitioned table by these five columns exactly.
        header.append(MetadataTables.hidden("spec_id", .integer))
        header += [
            "position_delete_record_count", "position_delete_file_count",
            "equality_delete_record_count", "equality_delete_file_count",
        ].map { MetadataTables.hidden($0, .bigint) }
        return header + [
            MetadataTables.hidden("last_updated_at", MetadataTables.moment),
            MetadataTables.hidden("last_updated_snapshot_id", .bigint),
        ]
    }

    private func row(_ partition: LiteralValue, _ sums: Totals) -> [LiteralValue] {
        var row: [LiteralValue] = files.partition.isEmpty ? [] : [partition]
        row += [.integer(sums.records), .integer(sums.files), .integer(sums.bytes)]
        if !columns.isEmpty {
            row.append(
                .row(
                    zip(columns, sums.ranges).map { column, range in
                        func value(_ literal: Literal?) -> LiteralValue {
                            literal.flatMap { IcebergTypes.value($0, as: column.type) }
                                .map(literalValue) ?? .null
                        }
                        return .row([
                            value(range.lower), value(range.upper),
                            MetadataTables.integer(range.nullCount),
                            MetadataTables.integer(range.nanCount),
                        ])
                    }))
        }
        return row + [
            .integer(Int64(sums.specID)), .integer(sums.positionDeletes),
            .integer(sums.positionFiles), .integer(sums.equalityDeletes),
            .integer(sums.equalityFiles),
            sums.lastSnapshot.map { MetadataTables.time($0.timestampMilliseconds) } ?? .null,
            MetadataTables.integer(sums.lastSnapshot?.snapshotID),
        ]
    }

    private func add(_ entry: ManifestEntry, to sums: inout Totals) {
        let file = entry.file
        if let snapshot = entry.snapshotID.flatMap({ files.metadata.snapshot(id: $0) }),
            snapshot.timestampMilliseconds > sums.lastSnapshot?.timestampMilliseconds ?? -1
        {
            sums.lastSnapshot = snapshot
        }
        switch file.content {
        case .positionDeletes:
            sums.positionDeletes &+= file.recordCount
            sums.positionFiles += 1
        case .equalityDeletes:
            sums.equalityDeletes &+= file.recordCount
            sums.equalityFiles += 1
        case .data:
            sums.specID = max(sums.specID, file.specID)
            sums.records &+= file.recordCount
            sums.files += 1
            sums.bytes &+= file.sizeBytes
            for index in columns.indices { add(file, columns[index].field, &sums.ranges[index]) }
        }
    }

    /// Widens a range by a file's bounds; one file without them leaves it unknown.
    private func add(_ file: DataFile, _ field: NestedField, _ range: inout Range) {
        guard let type = field.type.primitive else { return }
        let nulls = file.nullCounts[field.id]
        range.nullCount = range.nullCount.flatMap { sum in nulls.map { sum &+ $0 } }
        range.nanCount =
            type == .float || type == .double
            ? range.nanCount.flatMap { sum in file.nanCounts[field.id].map { sum &+ $0 } } : nil
        if let nulls, let values = file.valueCounts[field.id], nulls == values { return }
        func bound(_ bounds: FieldMap<[UInt8]>) -> Literal? {
            bounds[field.id].flatMap { Literal(singleValueBytes: $0, type: type) }
        }
        let (lower, upper) = (bound(file.lowerBounds), bound(file.upperBounds))
        if range.isFirst {
            (range.lower, range.upper, range.isFirst) = (lower, upper, false)
            return
        }
        range.lower = merged(range.lower, lower) { $0 <= 0 }
        range.upper = merged(range.upper, upper) { $0 >= 0 }
    }

    private func merged(_ a: Literal?, _ b: Literal?, _ keepsFirst: (Int) -> Bool) -> Literal? {
        guard let a, let b, let order = a.order(to: b) else { return nil }
        return keepsFirst(order) ? a : b
    }
}
