package import JSON

/// The state of a table after one commit. Source: Iceberg specification, "Snapshots".
package struct Snapshot: Sendable, Hashable {
    package var snapshotID: Int64
    package var parentID: Int64?
    /// 0 in version 1.
    package var sequenceNumber: Int64
    package var timestampMilliseconds: Int64
    /// Where the manifest list is; version 1 may list `manifests` instead.
    package var manifestList: String?
    package var manifests: [String]
    /// `append`, `replace`, `overwrite` or `delete`.
    package var operation: String?
    /// What the commit did, without the operation.
    package var summary: [String: String]
    package var schemaID: Int32?
    /// Version 3: the first row id of the rows added, and how many.
    package var firstRowID: Int64?
    package var addedRows: Int64?
    package var keyID: String?

    package init(
        snapshotID: Int64, parentID: Int64?, sequenceNumber: Int64, timestampMilliseconds: Int64,
        manifestList: String?, manifests: [String] = [], operation: String?,
        summary: [String: String], schemaID: Int32?, firstRowID: Int64? = nil,
        addedRows: Int64? = nil, keyID: String? = nil
    ) {
        self.snapshotID = snapshotID
        self.parentID = parentID
        self.sequenceNumber = sequenceNumber
        self.timestampMilliseconds = timestampMilliseconds
        self.manifestList = manifestList
        self.manifests = manifests
        self.operation = operation
        self.summary = summary
        self.schemaID = schemaID
        self.firstRowID = firstRowID
        self.addedRows = addedRows
        self.keyID = keyID
    }

    package init(_ at: JSONCursor) throws {
        var summary = try at["summary"].optionalStringMap() ?? [:]
        let operation = summary.removeValue(forKey: "operation")
        self.init(
            snapshotID: try at["snapshot-id"].int64(),
            parentID: try at["parent-snapshot-id"].optionalInt64(),
            sequenceNumber: try at["sequence-number"].optionalInt64() ?? 0,
            timestampMilliseconds: try at["timestamp-ms"].int64(),
            manifestList: try at["manifest-list"].optionalString(),
            manifests: try at["manifests"].isPresent ? at["manifests"].strings() : [],
            operation: operation, summary: summary,
            schemaID: try at["schema-id"].isPresent ? at["schema-id"].int32() : nil,
            firstRowID: try at["first-row-id"].optionalInt64(),
            addedRows: try at["added-rows"].optionalInt64(),
            keyID: try at["key-id"].optionalString())
        guard manifestList != nil || at["manifests"].isPresent else {
            throw at["manifest-list"].expected("a manifest list")
        }
    }

    /// The snapshot as metadata writes it.
    package var json: JSONValue { json(formatVersion: 2) }

    func json(formatVersion: Int) -> JSONValue {
        var object = JSONObject([("snapshot-id", .int(snapshotID))])
        if let parentID { object.append("parent-snapshot-id", .int(parentID)) }
        if formatVersion > 1 { object.append("sequence-number", .int(sequenceNumber)) }
        object.append("timestamp-ms", .int(timestampMilliseconds))
        if let manifestList {
            object.append("manifest-list", .string(manifestList))
        } else {
            object.append("manifests", .array(manifests.map { .string($0) }))
        }
        if operation != nil || !summary.isEmpty {
            var members = JSONObject()
            if let operation { members.append("operation", .string(operation)) }
            for (name, value) in summary.sorted(by: { $0.key < $1.key }) {
                members.append(name, .string(value))
            }
            object.append("summary", .object(members))
        }
        if let schemaID { object.append("schema-id", .int(Int64(schemaID))) }
        if let firstRowID { object.append("first-row-id", .int(firstRowID)) }
        if let addedRows { object.append("added-rows", .int(addedRows)) }
        if let keyID { object.append("key-id", .string(keyID)) }
        return .object(object)
    }
}

/// A branch or tag of a table.
package struct SnapshotReference: Sendable, Hashable {
    package enum Kind: String, Sendable { case branch, tag }

    package var snapshotID: Int64
    package var kind: Kind
    package var minimumSnapshotsToKeep: Int?
    package var maximumSnapshotAgeMilliseconds: Int64?
    package var maximumReferenceAgeMilliseconds: Int64?

    package init(
        snapshotID: Int64, kind: Kind, minimumSnapshotsToKeep: Int? = nil,
        maximumSnapshotAgeMilliseconds: Int64? = nil, maximumReferenceAgeMilliseconds: Int64? = nil
    ) {
        self.snapshotID = snapshotID
        self.kind = kind
        self.minimumSnapshotsToKeep = minimumSnapshotsToKeep
        self.maximumSnapshotAgeMilliseconds = maximumSnapshotAgeMilliseconds
        self.maximumReferenceAgeMilliseconds = maximumReferenceAgeMilliseconds
    }

    package init(_ at: JSONCursor) throws {
        guard let kind = Kind(rawValue: try at["type"].string()) else {
            throw at["type"].expected("branch or tag")
        }
        self.init(
            snapshotID: try at["snapshot-id"].int64(), kind: kind,
            minimumSnapshotsToKeep: try at["min-snapshots-to-keep"].optionalInt(),
            maximumSnapshotAgeMilliseconds: try at["max-snapshot-age-ms"].optionalInt64(),
            maximumReferenceAgeMilliseconds: try at["max-ref-age-ms"].optionalInt64())
    }

    /// The reference as metadata writes it.
    package var json: JSONValue {
        var object = JSONObject([
            ("snapshot-id", .int(snapshotID)), ("type", .string(kind.rawValue)),
        ])
        if let minimumSnapshotsToKeep {
            object.append("min-snapshots-to-keep", .int(minimumSnapshotsToKeep))
        }
        if let maximumSnapshotAgeMilliseconds {
            object.append("max-snapshot-age-ms", .int(maximumSnapshotAgeMilliseconds))
        }
        if let maximumReferenceAgeMilliseconds {
            object.append("max-ref-age-ms", .int(maximumReferenceAgeMilliseconds))
        }
        return .object(object)
    }
}
