package import JSON

/// One change of a table's metadata. Source: REST catalog specification, `TableUpdate`.
package enum TableUpdate: Sendable, Hashable {
    case assignUUID(String)
    case upgradeFormatVersion(Int)
    case addSchema(Schema, lastColumnID: Int32?)
    /// -1: the schema added last.
    case setCurrentSchema(Int32)
    case addSpec(PartitionSpec, hasFieldIDs: Bool)
    case setDefaultSpec(Int32)
    case addSortOrder(SortOrder)
    case setDefaultSortOrder(Int32)
    case addSnapshot(Snapshot)
    case setSnapshotReference(String, SnapshotReference)
    case removeSnapshots([Int64])
    case removeSnapshotReference(String)
    case setLocation(String)
    case setProperties([String: String])
    case removeProperties([String])
    case setStatistics(snapshotID: Int64, JSONObject)
    case removeStatistics(snapshotID: Int64)
    case setPartitionStatistics(JSONObject)
    case removePartitionStatistics(snapshotID: Int64)
    case removePartitionSpecs([Int32])
    case removeSchemas([Int32])
    case addEncryptionKey(JSONObject)
    case removeEncryptionKey(String)

    /// Reads an update; an unknown one is `.invalidUpdate`.
    package init(_ at: JSONCursor) throws {
        switch try at["action"].string() {
        case "assign-uuid": self = .assignUUID(try at["uuid"].string())
        case "upgrade-format-version":
            self = .upgradeFormatVersion(try at["format-version"].int())
        case "add-schema":
            self = .addSchema(
                try Schema(at["schema"]),
                lastColumnID: at["last-column-id"].isPresent
                    ? try at["last-column-id"].int32() : nil)
        case "set-current-schema": self = .setCurrentSchema(try at["schema-id"].int32())
        case "add-spec":
            let fields = try at["spec"]["fields"].elements()
            self = .addSpec(
                try PartitionSpec(at["spec"]),
                hasFieldIDs: fields.allSatisfy { $0["field-id"].isPresent })
        case "set-default-spec": self = .setDefaultSpec(try at["spec-id"].int32())
        case "add-sort-order": self = .addSortOrder(try SortOrder(at["sort-order"]))
        case "set-default-sort-order":
            self = .setDefaultSortOrder(try at["sort-order-id"].int32())
        case "add-snapshot": self = .addSnapshot(try Snapshot(at["snapshot"]))
        case "set-snapshot-ref":
            self = .setSnapshotReference(try at["ref-name"].string(), try SnapshotReference(at))
        case "remove-snapshots":
            self = .removeSnapshots(try at["snapshot-ids"].elements().map { try $0.int64() })
        case "remove-snapshot-ref": self = .removeSnapshotReference(try at["ref-name"].string())
        case "set-location": self = .setLocation(try at["location"].string())
        case "set-properties":
            let member = at["updates"].isPresent ? at["updates"] : at["updated"]
            self = .setProperties(try member.stringMap())
        case "remove-properties":
            let member = at["removals"].isPresent ? at["removals"] : at["removed"]
            self = .removeProperties(try member.strings())
        case "set-statistics":
            let file = at["statistics"]
            self = .setStatistics(snapshotID: try file["snapshot-id"].int64(), try file.object())
        case "remove-statistics":
            self = .removeStatistics(snapshotID: try at["snapshot-id"].int64())
        case "set-partition-statistics":
            _ = try at["partition-statistics"]["snapshot-id"].int64()
            self = .setPartitionStatistics(try at["partition-statistics"].object())
        case "remove-partition-statistics":
            self = .removePartitionStatistics(snapshotID: try at["snapshot-id"].int64())
        case "remove-partition-specs":
            self = .removePartitionSpecs(try at["spec-ids"].elements().map { try $0.int32() })
        case "remove-schemas":
            self = .removeSchemas(try at["schema-ids"].elements().map { try $0.int32() })
        case "add-encryption-key":
            self = .addEncryptionKey(try at["encryption-key"].object())
        case "remove-encryption-key": self = .removeEncryptionKey(try at["key-id"].string())
        case let unknown:
            throw IcebergError(
                code: .invalidUpdate, message: "unknown metadata update at \(at.path): \(unknown)")
        }
    }
}
