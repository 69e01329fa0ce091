import CivilTime
package import JSON

/// Everything that a table is, but for its files. Source: Iceberg specification, "Table Metadata".
package struct TableMetadata: Sendable, Hashable {
    /// When a snapshot became current on `main`.
    package struct SnapshotLogEntry: Sendable, Hashable {
        package var timestampMilliseconds: Int64
        package var snapshotID: Int64
    }

    /// A former metadata file.
    package struct MetadataLogEntry: Sendable, Hashable {
        package var timestampMilliseconds: Int64
        package var metadataFile: String
    }

    package var formatVersion: Int
    package var tableUUID: String
    package var location: String
    package var lastSequenceNumber: Int64
    package var lastUpdatedMilliseconds: Int64
    package var lastColumnID: Int32
    package var schemas: [Schema]
    package var currentSchemaID: Int32
    package var partitionSpecs: [PartitionSpec]
    package var defaultSpecID: Int32
    package var lastPartitionID: Int32
    package var sortOrders: [SortOrder]
    package var defaultSortOrderID: Int32
    package var properties: [String: String]
    package var currentSnapshotID: Int64?
    package var snapshots: [Snapshot]
    package var snapshotLog: [SnapshotLogEntry]
    package var metadataLog: [MetadataLogEntry]
    package var references: [String: SnapshotReference]
    /// Puffin files by snapshot, as they were given.
    package var statistics: [JSONObject]
    package var partitionStatistics: [JSONObject]
    /// Version 3.
    package var nextRowID: Int64
    package var encryptionKeys: [JSONObject]

    /// The newest version that is written.
    package static let newestFormatVersion = 3

    /// The current schema. Parsing and updates see to it that there is one.
    package var currentSchema: Schema {
        schemas.first { $0.schemaID == currentSchemaID } ?? Schema(fields: [])
    }
    package var defaultSpec: PartitionSpec {
        partitionSpecs.first { $0.specID == defaultSpecID } ?? .unpartitioned
    }
    package var defaultSortOrder: SortOrder {
        sortOrders.first { $0.orderID == defaultSortOrderID } ?? .unsorted
    }
    package var currentSnapshot: Snapshot? { currentSnapshotID.flatMap(snapshot(id:)) }

    package func snapshot(id: Int64) -> Snapshot? { snapshots.last { $0.snapshotID == id } }
    package func schema(id: Int32) -> Schema? { schemas.first { $0.schemaID == id } }
    package func spec(id: Int32) -> PartitionSpec? { partitionSpecs.first { $0.specID == id } }

    /// The schema that a snapshot was written with.
    package func schema(of snapshot: Snapshot) -> Schema {
        snapshot.schemaID.flatMap(schema(id:)) ?? currentSchema
    }

    /// The schemas with the current one first: where the types of partition fields are looked up.
    package var schemasNewestFirst: [Schema] {
        [currentSchema] + schemas.reversed().filter { $0.schemaID != currentSchemaID }
    }

    /// A snapshot and its ancestors, newest first.
    package func ancestors(of snapshotID: Int64?) -> [Snapshot] {
        var byID: [Int64: Snapshot] = [:]
        for snapshot in snapshots { byID[snapshot.snapshotID] = snapshot }
        var line: [Snapshot] = []
        var next = snapshotID
        // Removing on the way ends even a chain that somebody made a ring.
        while let id = next, let snapshot = byID.removeValue(forKey: id) {
            line.append(snapshot)
            next = snapshot.parentID
        }
        return line
    }
}

/// Which state of a table is meant.
package enum SnapshotSelection: Sendable, Hashable {
    case current
    case id(Int64)
    /// The state as of a moment: the last that was current on `main` at or before it.
    case asOf(milliseconds: Int64)
    /// A branch or tag.
    case reference(String)
}

extension TableMetadata {
    /// Finds the snapshot; nil for the current one of a table without any.
    package func select(_ selection: SnapshotSelection) throws(IcebergError) -> Snapshot? {
        switch selection {
        case .current: return currentSnapshot
        case .id(let id):
            guard let snapshot = snapshot(id: id) else {
                throw IcebergError(
                    code: .noSuchSnapshot, message: "the table has no snapshot \(id)",
                    hint: "it may have expired; the snapshots table lists those there are")
            }
            return snapshot
        case .asOf(let moment):
            guard let entry = snapshotLog.last(where: { $0.timestampMilliseconds <= moment }),
                let snapshot = snapshot(id: entry.snapshotID)
            else {
                throw IcebergError(
                    code: .noSuchSnapshot,
                    message: "the table has no snapshot as old as \(Self.text(moment))",
                    hint: snapshotLog.first.map {
                        "the first one is of \(Self.text($0.timestampMilliseconds))"
                    } ?? "nothing was written to it yet")
            }
            return snapshot
        case .reference(let name):
            if name == "main", references["main"] == nil { return currentSnapshot }
            guard let reference = references[name],
                let snapshot = snapshot(id: reference.snapshotID)
            else {
                throw IcebergError(
                    code: .noSuchReference, message: "the table has no branch or tag: \(name)")
            }
            return snapshot
        }
    }

    /// A moment in UTC; those beyond what microseconds count are written as the last that they do.
    private static func text(_ milliseconds: Int64) -> String {
        let (exact, isBeyond) = milliseconds.multipliedReportingOverflow(by: 1000)
        return CivilFormat.rfc3339(
            utc: isBeyond ? (milliseconds < 0 ? .min : .max) : exact)
    }
}
