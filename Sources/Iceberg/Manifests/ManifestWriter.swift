package import Avro
import JSON

/// Writes one manifest and counts what the manifest list has to say of it.
package struct ManifestWriter {
    private let version: Int
    private let spec: PartitionSpec
    private let types: [PrimitiveType]
    private let content: ManifestFile.Content
    private let snapshotID: Int64
    private var writer: AvroFileWriter
    private var summaries: [SummaryBuilder]
    private var counts: [ManifestEntry.Status: (files: Int32, rows: Int64)] = [:]
    private var minimumSequenceNumber: Int64?

    /// `snapshotID` is of the commit that writes the manifest.
    package init(
        version: Int, schema: Schema, spec: PartitionSpec, partitionTypes: [PrimitiveType],
        content: ManifestFile.Content, snapshotID: Int64, codec: AvroCodec, syncMarker: [UInt8]
    ) {
        self.version = version
        self.spec = spec
        types = partitionTypes
        self.content = content
        self.snapshotID = snapshotID
        summaries = partitionTypes.map { SummaryBuilder(type: $0) }
        var metadata = [
            ("schema", schema.json.encodedText()),
            ("partition-spec", spec.fieldsJSON.encodedText()),
            ("partition-spec-id", String(spec.specID)), ("format-version", String(version)),
        ]
        if version > 1 { metadata.append(("content", content == .data ? "data" : "deletes")) }
        let text = ManifestSchemas.manifest(version: version, spec: spec, types: partitionTypes)
            .json.encodedText()
        writer = AvroFileWriter(
            schemaText: text, codec: codec, metadata: metadata, syncMarker: syncMarker)
    }

    /// About how long the manifest is by now.
    package var sizeEstimate: Int { writer.sizeEstimate }

    /// Adds an entry. An added one inherits its sequence numbers unless it states them.
    package mutating func append(_ entry: ManifestEntry) throws(IcebergError) {
        let before = counts[entry.status] ?? (0, 0)
        counts[entry.status] = (before.files + 1, before.rows &+ entry.file.recordCount)
        if entry.isLive, let number = entry.dataSequenceNumber {
            minimumSequenceNumber = min(minimumSequenceNumber ?? number, number)
        }
        for index in summaries.indices where index < entry.file.partition.count {
            summaries[index].add(entry.file.partition[index])
        }
        do throws(AvroError) {
            let (version, types, snapshotID) = (version, types, snapshotID)
            try writer.append { avro throws(AvroError) in
                try Self.encode(entry, version, types, snapshotID, &avro)
            }
        } catch {
            throw IcebergError(
                code: .invalidUpdate,
                message: "a manifest entry cannot be written: \(entry.file.path)",
                cause: error)
        }
    }

    /// The manifest's bytes, and its line for the manifest list. Numbers of added entries without one
    /// are `sequenceNumber`'s.
    package consuming func finish(
        path: String, sequenceNumber: Int64
    ) throws(IcebergError) -> (bytes: [UInt8], manifest: ManifestFile) {
        let (added, existing, deleted) = (counts[.added], counts[.existing], counts[.deleted])
        let partitions = summaries.map(\.summary)
        let minimum = minimumSequenceNumber
        let (specID, content, snapshotID) = (spec.specID, content, snapshotID)
        let bytes: [UInt8]
        do throws(AvroError) { bytes = try writer.finish() } catch {
            throw IcebergError(
                code: .storageFailed, message: "a manifest cannot be written", cause: error)
        }
        let manifest = ManifestFile(
            path: path, lengthBytes: Int64(bytes.count), specID: specID, content: content,
            sequenceNumber: sequenceNumber,
            minimumSequenceNumber: min(minimum ?? sequenceNumber, sequenceNumber),
            addedSnapshotID: snapshotID, addedFilesCount: added?.files ?? 0,
            existingFilesCount: existing?.files ?? 0, deletedFilesCount: deleted?.files ?? 0,
            addedRowsCount: added?.rows ?? 0, existingRowsCount: existing?.rows ?? 0,
            deletedRowsCount: deleted?.rows ?? 0, partitions: partitions)
        return (bytes, manifest)
    }

    private static func encode(
        _ entry: ManifestEntry, _ version: Int, _ types: [PrimitiveType], _ snapshotID: Int64,
        _ avro: inout AvroEncoder
    ) throws(AvroError) {
        avro.int(entry.status.rawValue)
        if version > 1 {
            avro.optional(entry.snapshotID) { $0.long($1) }
            avro.optional(entry.dataSequenceNumber) { $0.long($1) }
            avro.optional(entry.fileSequenceNumber) { $0.long($1) }
        } else {
            avro.long(entry.snapshotID ?? snapshotID)
        }
        let file = entry.file
        if version > 1 { avro.int(file.content.rawValue) }
        avro.string(file.path)
        avro.string(file.format)
        for (index, type) in types.enumerated() {
            let value = index < file.partition.count ? file.partition[index] : nil
            try encode(value, type, &avro)
        }
        avro.long(file.recordCount)
        avro.long(file.sizeBytes)
        if version == 1 { avro.long(64 << 20) }
        for counts in [file.columnSizes, file.valueCounts, file.nullCounts, file.nanCounts] {
            avro.optional(counts.isEmpty ? nil : counts) { avro, counts in
                avro.elements(Array(zip(counts.ids, counts.values))) { avro, pair in
                    avro.int(pair.0)
                    avro.long(pair.1)
                }
            }
        }
        for bounds in [file.lowerBounds, file.upperBounds] {
            avro.optional(bounds.isEmpty ? nil : bounds) { avro, bounds in
                avro.elements(Array(zip(bounds.ids, bounds.values))) { avro, pair in
                    avro.int(pair.0)
                    avro.bytes(pair.1)
                }
            }
        }
        avro.optional(file.keyMetadata) { $0.bytes($1) }
        avro.optional(file.splitOffsets.isEmpty ? nil : file.splitOffsets) { avro, offsets in
            avro.elements(offsets) { $0.long($1) }
        }
        if version > 1 {
            avro.optional(file.equalityIDs.isEmpty ? nil : file.equalityIDs) { avro, ids in
                avro.elements(ids) { $0.int($1) }
            }
        }
        avro.optional(file.sortOrderID) { $0.int($1) }
        if version > 2 { avro.optional(file.firstRowID) { $0.long($1) } }
        if version > 1 { avro.optional(file.referencedDataFile) { $0.string($1) } }
        if version > 2 {
            avro.optional(file.contentOffset) { $0.long($1) }
            avro.optional(file.contentSizeBytes) { $0.long($1) }
        }
    }

    private static func encode(
        _ value: Literal?, _ type: PrimitiveType, _ avro: inout AvroEncoder
    ) throws(AvroError) {
        guard let value else { return avro.long(0) }
        avro.long(1)
        switch (type, value) {
        case (.boolean, .boolean(let flag)): avro.boolean(flag)
        case (.int, .int(let number)), (.date, .date(let number)): avro.int(number)
        case (.long, .int(let number)): avro.int(number)
        case (.long, .long(let number)), (.time, .time(let number)),
            (.timestamp, .timestamp(let number)), (.timestamptz, .timestamptz(let number)),
            (.timestampNanos, .timestampNanos(let number)),
            (.timestamptzNanos, .timestamptzNanos(let number)):
            avro.long(number)
        case (.float, .float(let number)): avro.float(number)
        case (.double, .double(let number)): avro.double(number)
        case (.string, .string(let text)): avro.string(text)
        case (.uuid, .uuid(let bytes)) where bytes.count == 16: avro.fixed(bytes)
        case (.fixed(let size), .fixed(let bytes)) where bytes.count == size: avro.fixed(bytes)
        case (.binary, .binary(let bytes)): avro.bytes(bytes)
        case (.decimal(let precision, let scale), .decimal(let unscaled, let same))
        where same == scale:
            let size = ManifestSchemas.decimalByteCount(precision)
            let bytes = decimalBytes(unscaled, size: size)
            guard bytes.count == size else {
                throw AvroError(code: .valueMismatch, message: "a partition value is too large")
            }
            avro.fixed(bytes)
        default:
            throw AvroError(code: .valueMismatch, message: "a partition value is no \(type.name)")
        }
    }
}

/// Collects a `FieldSummary`.
private struct SummaryBuilder {
    let type: PrimitiveType
    var containsNull = false
    var containsNaN = false
    var lower: Literal?
    var upper: Literal?

    init(type: PrimitiveType) { self.type = type }

    mutating func add(_ value: Literal?) {
        guard let value else {
            containsNull = true
            return
        }
        if value.isNaN {
            containsNaN = true
            return
        }
        if lower.map({ value.order(to: $0) == -1 }) ?? true { lower = value }
        if upper.map({ value.order(to: $0) == 1 }) ?? true { upper = value }
    }

    var summary: ManifestFile.FieldSummary {
        .init(
            containsNull: containsNull, containsNaN: containsNaN,
            lowerBound: lower?.singleValueBytes, upperBound: upper?.singleValueBytes)
    }
}

/// Writes manifest lists.
package enum ManifestListWriter {
    package static func write(
        _ manifests: [ManifestFile], version: Int, snapshotID: Int64, parentID: Int64?,
        sequenceNumber: Int64, firstRowID: Int64? = nil, codec: AvroCodec, syncMarker: [UInt8]
    ) throws(IcebergError) -> [UInt8] {
        var metadata = [
            ("snapshot-id", String(snapshotID)),
            ("parent-snapshot-id", parentID.map(String.init) ?? "null"),
        ]
        if version > 1 { metadata.append(("sequence-number", String(sequenceNumber))) }
        if let firstRowID { metadata.append(("first-row-id", String(firstRowID))) }
        metadata.append(("format-version", String(version)))
        var writer = AvroFileWriter(
            schemaText: ManifestSchemas.manifestList(version: version).json.encodedText(),
            codec: codec, metadata: metadata, syncMarker: syncMarker)
        do throws(AvroError) {
            for manifest in manifests {
                try writer.append { avro throws(AvroError) in encode(manifest, version, &avro) }
            }
            return try writer.finish()
        } catch {
            throw IcebergError(
                code: .storageFailed, message: "a manifest list cannot be written", cause: error)
        }
    }

    private static func encode(_ manifest: ManifestFile, _ version: Int, _ avro: inout AvroEncoder)
    {
        avro.string(manifest.path)
        avro.long(manifest.lengthBytes)
        avro.int(manifest.specID)
        if version > 1 {
            avro.int(manifest.content.rawValue)
            avro.long(manifest.sequenceNumber)
            avro.long(manifest.minimumSequenceNumber)
        }
        avro.long(manifest.addedSnapshotID)
        let files = [
            manifest.addedFilesCount, manifest.existingFilesCount, manifest.deletedFilesCount,
        ]
        let rows = [
            manifest.addedRowsCount, manifest.existingRowsCount, manifest.deletedRowsCount,
        ]
        for count in files.map({ $0.map(Int64.init) }) + rows {
            if version > 1 { avro.long(count ?? 0) } else { avro.optional(count) { $0.long($1) } }
        }
        avro.optional(manifest.partitions) { avro, summaries in
            avro.elements(summaries) { avro, summary in
                avro.boolean(summary.containsNull)
                avro.optional(summary.containsNaN) { $0.boolean($1) }
                avro.optional(summary.lowerBound) { $0.bytes($1) }
                avro.optional(summary.upperBound) { $0.bytes($1) }
            }
        }
        avro.optional(manifest.keyMetadata) { $0.bytes($1) }
        if version > 2 { avro.optional(manifest.firstRowID) { $0.long($1) } }
    }
}
