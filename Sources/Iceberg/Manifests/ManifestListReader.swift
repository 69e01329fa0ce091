import Avro

/// Reads manifest lists of every version: fields are found by their ids.
package enum ManifestListReader {
    package static func read(
        _ bytes: [UInt8], path: String
    ) throws(IcebergError) -> [ManifestFile] {
        do {
            var reader = try AvroFileReader(bytes)
            guard case .record(_, let fields) = reader.schema.kind else {
                throw AvroError(code: .corrupted, message: "a manifest list has to hold records")
            }
            let names = reader.names
            var manifests: [ManifestFile] = []
            try reader.forEachRecord { decoder throws(AvroError) in
                manifests.append(try manifest(&decoder, fields, names))
            }
            return manifests
        } catch {
            throw .corrupt(path, error, "the manifest list cannot be read")
        }
    }

    private static func manifest(
        _ decoder: inout AvroDecoder, _ fields: [AvroField], _ names: AvroNames
    ) throws(AvroError) -> ManifestFile {
        var manifest = ManifestFile(
            path: "", lengthBytes: 0, specID: 0, content: .data, sequenceNumber: 0,
            minimumSequenceNumber: 0, addedSnapshotID: -1)
        for field in fields {
            guard let schema = try decoder.present(field.schema) else { continue }
            switch field.fieldID {
            case 500: manifest.path = try decoder.string()
            case 501: manifest.lengthBytes = try decoder.long()
            case 502: manifest.specID = try decoder.int()
            case 517: manifest.content = try decoder.int() == 1 ? .deletes : .data
            case 515: manifest.sequenceNumber = try decoder.long()
            case 516: manifest.minimumSequenceNumber = try decoder.long()
            case 503: manifest.addedSnapshotID = try decoder.long()
            case 504: manifest.addedFilesCount = try decoder.int()
            case 505: manifest.existingFilesCount = try decoder.int()
            case 506: manifest.deletedFilesCount = try decoder.int()
            case 512: manifest.addedRowsCount = try decoder.long()
            case 513: manifest.existingRowsCount = try decoder.long()
            case 514: manifest.deletedRowsCount = try decoder.long()
            case 507: manifest.partitions = try summaries(&decoder, schema, names)
            case 519: manifest.keyMetadata = try decoder.bytes()
            case 520: manifest.firstRowID = try decoder.long()
            default: try decoder.skip(schema, names: names)
            }
        }
        return manifest
    }

    private static func summaries(
        _ decoder: inout AvroDecoder, _ schema: AvroSchema, _ names: AvroNames
    ) throws(AvroError) -> [ManifestFile.FieldSummary] {
        guard case .array(let element) = schema.kind,
            case .record(_, let fields) = try names.resolved(element).kind
        else { throw AvroError(code: .corrupted, message: "partition summaries of another shape") }
        var summaries: [ManifestFile.FieldSummary] = []
        try decoder.elements { decoder throws(AvroError) in
            var summary = ManifestFile.FieldSummary(containsNull: true)
            for field in fields {
                guard let schema = try decoder.present(field.schema) else { continue }
                switch field.fieldID {
                case 509: summary.containsNull = try decoder.boolean()
                case 518: summary.containsNaN = try decoder.boolean()
                case 510: summary.lowerBound = try decoder.bytes()
                case 511: summary.upperBound = try decoder.bytes()
                default: try decoder.skip(schema, names: names)
                }
            }
            summaries.append(summary)
        }
        return summaries
    }
}

extension AvroDecoder {
    /// Steps into an optional: nil when the null branch was taken, else the schema of what follows.
    mutating func present(_ schema: AvroSchema) throws(AvroError) -> AvroSchema? {
        guard case .union(let branches) = schema.kind else {
            return schema.kind == .null ? nil : schema
        }
        let branch = branches[try index(below: branches.count)]
        return branch.kind == .null ? nil : branch
    }
}

extension AvroNames {
    /// The schema behind a reference.
    func resolved(_ schema: AvroSchema) throws(AvroError) -> AvroSchema {
        if case .reference(let name) = schema.kind { try self.schema(name) } else { schema }
    }
}
