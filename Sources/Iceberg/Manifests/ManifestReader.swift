import Avro

/// Reads manifests of every version straight into entries: fields are found by their ids.
package enum ManifestReader {
    /// Reads the entries; sequence numbers and snapshot ids that an entry leaves out are inherited
    /// from the manifest list. Source: "Sequence Number Inheritance".
    package static func read(
        _ bytes: [UInt8], of manifest: ManifestFile, spec: PartitionSpec,
        partitionTypes: [PrimitiveType]
    ) throws(IcebergError) -> [ManifestEntry] {
        do {
            var reader = try AvroFileReader(bytes)
            guard case .record(_, let fields) = reader.schema.kind else {
                throw AvroError(code: .corrupted, message: "a manifest has to hold records")
            }
            var decoder = EntryDecoder(
                names: reader.names, spec: spec, types: partitionTypes, manifest: manifest)
            var entries: [ManifestEntry] = []
            let expected =
                Int(manifest.addedFilesCount ?? 0) + Int(manifest.existingFilesCount ?? 0)
            entries.reserveCapacity(min(max(expected, 0), bytes.count / 16))
            try reader.forEachRecord { avro throws(AvroError) in
                entries.append(try decoder.entry(&avro, fields))
            }
            return entries
        } catch {
            throw .corrupt(manifest.path, error, "the manifest cannot be read")
        }
    }
}

private struct EntryDecoder {
    let names: AvroNames
    let spec: PartitionSpec
    let types: [PrimitiveType]
    let manifest: ManifestFile
    var nextRowID: Int64?

    init(names: AvroNames, spec: PartitionSpec, types: [PrimitiveType], manifest: ManifestFile) {
        self.names = names
        self.spec = spec
        self.types = types
        self.manifest = manifest
        nextRowID = manifest.firstRowID
    }

    mutating func entry(
        _ avro: inout AvroDecoder, _ fields: [AvroField]
    ) throws(AvroError) -> ManifestEntry {
        var entry = ManifestEntry(
            status: .existing, snapshotID: nil, dataSequenceNumber: nil, fileSequenceNumber: nil,
            file: DataFile(
                content: manifest.content == .deletes ? .positionDeletes : .data, path: "",
                specID: manifest.specID, partition: [], recordCount: 0, sizeBytes: 0))
        for field in fields {
            guard let schema = try avro.present(field.schema) else { continue }
            switch field.fieldID {
            case 0:
                let code = try avro.int()
                guard let status = ManifestEntry.Status(rawValue: code) else {
                    throw AvroError(code: .corrupted, message: "unknown entry status: \(code)")
                }
                entry.status = status
            case 1: entry.snapshotID = try avro.long()
            case 3: entry.dataSequenceNumber = try avro.long()
            case 4: entry.fileSequenceNumber = try avro.long()
            case 2: try file(&avro, schema, into: &entry.file)
            default: try avro.skip(schema, names: names)
            }
        }
        inherit(&entry)
        return entry
    }

    private mutating func inherit(_ entry: inout ManifestEntry) {
        if entry.snapshotID == nil { entry.snapshotID = manifest.addedSnapshotID }
        // Only added entries inherit the number of their commit; in version 1 all numbers are 0.
        if entry.dataSequenceNumber == nil, manifest.sequenceNumber == 0 || entry.status == .added {
            entry.dataSequenceNumber = manifest.sequenceNumber
        }
        if entry.fileSequenceNumber == nil, manifest.sequenceNumber == 0 || entry.status == .added {
            entry.fileSequenceNumber = manifest.sequenceNumber
        }
        if entry.file.content == .data, let next = nextRowID, entry.file.firstRowID == nil,
            entry.isLive
        {
            entry.file.firstRowID = next
            nextRowID = next &+ entry.file.recordCount
        }
    }

    private func file(
        _ avro: inout AvroDecoder, _ schema: AvroSchema, into file: inout DataFile
    ) throws(AvroError) {
        guard case .record(_, let fields) = try names.resolved(schema).kind else {
            throw AvroError(code: .corrupted, message: "a manifest entry without a file")
        }
        for field in fields {
            guard let schema = try avro.present(field.schema) else { continue }
            switch field.fieldID {
            case 134:
                let code = try avro.int()
                guard let content = DataFile.Content(rawValue: code) else {
                    throw AvroError(code: .corrupted, message: "unknown file content: \(code)")
                }
                file.content = content
            case 100: file.path = try avro.string()
            case 101: file.format = try avro.string().uppercased()
            case 102: file.partition = try partition(&avro, schema)
            case 103: file.recordCount = try avro.long()
            case 104: file.sizeBytes = try avro.long()
            case 108: file.columnSizes = try counts(&avro)
            case 109: file.valueCounts = try counts(&avro)
            case 110: file.nullCounts = try counts(&avro)
            case 137: file.nanCounts = try counts(&avro)
            case 125: file.lowerBounds = try bounds(&avro)
            case 128: file.upperBounds = try bounds(&avro)
            case 131: file.keyMetadata = try avro.bytes()
            case 132:
                try avro.elements { avro throws(AvroError) in
                    file.splitOffsets.append(try avro.long())
                }
            case 135:
                try avro.elements { avro throws(AvroError) in
                    file.equalityIDs.append(try avro.int())
                }
            case 140: file.sortOrderID = try avro.int()
            case 142: file.firstRowID = try avro.long()
            case 143: file.referencedDataFile = try avro.string()
            case 144: file.contentOffset = try avro.long()
            case 145: file.contentSizeBytes = try avro.long()
            default: try avro.skip(schema, names: names)
            }
        }
    }

    private func counts(_ avro: inout AvroDecoder) throws(AvroError) -> FieldMap<Int64> {
        var map = FieldMap<Int64>()
        // A map with integer keys is an array of records with the fields key and value.
        try avro.elements { avro throws(AvroError) in
            let id = try avro.int()
            map.append(id, try avro.long())
        }
        return map
    }

    private func bounds(_ avro: inout AvroDecoder) throws(AvroError) -> FieldMap<[UInt8]> {
        var map = FieldMap<[UInt8]>()
        try avro.elements { avro throws(AvroError) in
            let id = try avro.int()
            map.append(id, try avro.bytes())
        }
        return map
    }

    /// The tuple in the order of the spec: by field id, whatever order the file has.
    private func partition(
        _ avro: inout AvroDecoder, _ schema: AvroSchema
    ) throws(AvroError) -> [Literal?] {
        guard case .record(_, let fields) = try names.resolved(schema).kind else {
            throw AvroError(code: .corrupted, message: "a partition that is no record")
        }
        var tuple = [Literal?](repeating: nil, count: spec.fields.count)
        for (position, field) in fields.enumerated() {
            guard let schema = try avro.present(field.schema) else { continue }
            let index =
                field.fieldID.map { id in spec.fields.firstIndex { $0.fieldID == id } }
                ?? (position < tuple.count ? position : nil)
            let value = try avro.value(schema, names: names)
            if let index { tuple[index] = try literal(value, types[index]) }
        }
        return tuple
    }

    private func literal(
        _ value: AvroValue, _ type: PrimitiveType
    ) throws(AvroError) -> Literal? {
        switch (type, value) {
        case (.boolean, .boolean(let flag)): return .boolean(flag)
        case (.int, .int(let number)): return .int(number)
        case (.long, .int(let number)): return .long(Int64(number))
        case (.long, .long(let number)): return .long(number)
        case (.float, .float(let number)): return .float(number)
        case (.double, .float(let number)): return .double(Double(number))
        case (.double, .double(let number)): return .double(number)
        case (.date, .int(let number)): return .date(number)
        case (.time, .long(let number)): return .time(number)
        case (.timestamp, .long(let number)): return .timestamp(number)
        case (.timestamptz, .long(let number)): return .timestamptz(number)
        case (.timestampNanos, .long(let number)): return .timestampNanos(number)
        case (.timestamptzNanos, .long(let number)): return .timestamptzNanos(number)
        case (.string, .string(let text)): return .string(text)
        case (.uuid, .fixed(let bytes)) where bytes.count == 16: return .uuid(bytes)
        case (.fixed, .fixed(let bytes)), (.fixed, .bytes(let bytes)): return .fixed(bytes)
        case (.binary, .bytes(let bytes)), (.binary, .fixed(let bytes)): return .binary(bytes)
        case (.decimal(_, let scale), .fixed(let bytes)),
            (.decimal(_, let scale), .bytes(let bytes)):
            return decimalUnscaled(bytes).map { .decimal(unscaled: $0, scale: scale) }
        case (.unknown, _): return nil
        default:
            throw AvroError(
                code: .corrupted, message: "a partition value is no \(type.name)")
        }
    }
}
