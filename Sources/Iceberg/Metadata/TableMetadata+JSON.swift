package import JSON

extension TableMetadata {
    /// Reads a metadata text of version 1, 2 or 3. Throws `.corruptMetadata` with the cause.
    package init(parsing bytes: [UInt8], path: String = "metadata.json") throws(IcebergError) {
        do {
            try self.init(try JSONValue(parsing: bytes).cursor)
        } catch let error as IcebergError where error.code == .unsupported {
            throw error
        } catch {
            throw .corrupt(path, error, "the table metadata cannot be read")
        }
    }

    /// Reads a metadata document.
    package init(_ at: JSONCursor) throws {
        let version = try at["format-version"].int()
        guard 1...Self.newestFormatVersion ~= version else {
            throw IcebergError(
                code: .unsupported, message: "unsupported Iceberg format version: \(version)")
        }
        formatVersion = version
        // Version 1 tables may have no uuid; the location tells them apart then.
        tableUUID =
            try version == 1
            ? at["table-uuid"].optionalString() ?? "" : at["table-uuid"].string()
        location = try at["location"].string()
        lastSequenceNumber = try version == 1 ? 0 : at["last-sequence-number"].int64()
        lastUpdatedMilliseconds = try at["last-updated-ms"].int64()
        lastColumnID = try at["last-column-id"].int32()

        if at["schemas"].isPresent {
            schemas = try at["schemas"].elements().map { try Schema($0) }
            currentSchemaID = try at["current-schema-id"].int32()
        } else {
            let schema = try Schema(at["schema"])
            schemas = [schema]
            currentSchemaID = schema.schemaID
        }
        if at["partition-specs"].isPresent {
            partitionSpecs = try at["partition-specs"].elements().map { try PartitionSpec($0) }
            defaultSpecID = try at["default-spec-id"].int32()
        } else {
            partitionSpecs = [
                PartitionSpec(specID: 0, fields: try PartitionSpec.fields(at["partition-spec"]))
            ]
            defaultSpecID = 0
        }
        let highest = partitionSpecs.flatMap(\.fields).map(\.fieldID).max()
        lastPartitionID =
            try at["last-partition-id"].isPresent
            ? at["last-partition-id"].int32() : highest ?? PartitionSpec.lastReservedFieldID
        if at["sort-orders"].isPresent {
            sortOrders = try at["sort-orders"].elements().map { try SortOrder($0) }
            defaultSortOrderID = try at["default-sort-order-id"].int32()
        } else {
            sortOrders = [.unsorted]
            defaultSortOrderID = 0
        }
        properties = try at["properties"].optionalStringMap() ?? [:]
        // Some writers say -1 for a table without snapshots.
        let current = try at["current-snapshot-id"].optionalInt64()
        currentSnapshotID = current == -1 ? nil : current
        snapshots = try at["snapshots"].optionalElements()?.map { try Snapshot($0) } ?? []
        snapshotLog =
            try at["snapshot-log"].optionalElements()?.map {
                SnapshotLogEntry(
                    timestampMilliseconds: try $0["timestamp-ms"].int64(),
                    snapshotID: try $0["snapshot-id"].int64())
            } ?? []
        metadataLog =
            try at["metadata-log"].optionalElements()?.map {
                MetadataLogEntry(
                    timestampMilliseconds: try $0["timestamp-ms"].int64(),
                    metadataFile: try $0["metadata-file"].string())
            } ?? []
        references = [:]
        if at["refs"].isPresent {
            for name in try at["refs"].object().names {
                references[name] = try SnapshotReference(at["refs"][name])
            }
        }
        if let currentSnapshotID, references["main"] == nil {
            references["main"] = SnapshotReference(snapshotID: currentSnapshotID, kind: .branch)
        }
        statistics = try at["statistics"].optionalElements()?.map { try $0.object() } ?? []
        partitionStatistics =
            try at["partition-statistics"].optionalElements()?.map {
                try $0.object()
            } ?? []
        nextRowID = try at["next-row-id"].optionalInt64() ?? 0
        encryptionKeys = try at["encryption-keys"].optionalElements()?.map { try $0.object() } ?? []
        try checkPointers(at)
    }

    /// What points into a list has to find its target: later code relies on it.
    private func checkPointers(_ at: JSONCursor) throws {
        guard schema(id: currentSchemaID) != nil else {
            throw at["current-schema-id"].expected("the id of a schema")
        }
        guard spec(id: defaultSpecID) != nil else {
            throw at["default-spec-id"].expected("the id of a partition spec")
        }
        guard sortOrders.contains(where: { $0.orderID == defaultSortOrderID }) else {
            throw at["default-sort-order-id"].expected("the id of a sort order")
        }
        if let currentSnapshotID, snapshot(id: currentSnapshotID) == nil {
            throw at["current-snapshot-id"].expected("the id of a snapshot")
        }
        for (name, reference) in references where snapshot(id: reference.snapshotID) == nil {
            throw at["refs"][name].expected("the id of a snapshot")
        }
    }

    /// The metadata document, as every reader of its version takes it.
    package var json: JSONValue {
        var object = JSONObject([("format-version", .int(formatVersion))])
        if !tableUUID.isEmpty { object.append("table-uuid", .string(tableUUID)) }
        object.append("location", .string(location))
        if formatVersion > 1 { object.append("last-sequence-number", .int(lastSequenceNumber)) }
        object.append("last-updated-ms", .int(lastUpdatedMilliseconds))
        object.append("last-column-id", .int(Int64(lastColumnID)))
        if formatVersion == 1 { object.append("schema", currentSchema.json) }
        object.append("current-schema-id", .int(Int64(currentSchemaID)))
        object.append("schemas", .array(schemas.map(\.json)))
        if formatVersion == 1 { object.append("partition-spec", defaultSpec.fieldsJSON) }
        object.append("default-spec-id", .int(Int64(defaultSpecID)))
        object.append("partition-specs", .array(partitionSpecs.map(\.json)))
        object.append("last-partition-id", .int(Int64(lastPartitionID)))
        object.append("default-sort-order-id", .int(Int64(defaultSortOrderID)))
        object.append("sort-orders", .array(sortOrders.map(\.json)))
        object.append(
            "properties",
            .object(properties.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        // Version 1 readers expect -1; later ones a null or nothing.
        if let currentSnapshotID {
            object.append("current-snapshot-id", .int(currentSnapshotID))
        } else if formatVersion == 1 {
            object.append("current-snapshot-id", .int(-1))
        }
        if formatVersion > 2 { object.append("next-row-id", .int(nextRowID)) }
        object.append(
            "refs",
            .object(references.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
        object.append(
            "snapshots", .array(snapshots.map { $0.json(formatVersion: formatVersion) }))
        object.append("statistics", .array(statistics.map { .object($0) }))
        object.append("partition-statistics", .array(partitionStatistics.map { .object($0) }))
        object.append(
            "snapshot-log",
            .array(
                snapshotLog.map {
                    [
                        "timestamp-ms": .int($0.timestampMilliseconds),
                        "snapshot-id": .int($0.snapshotID),
                    ]
                }))
        object.append(
            "metadata-log",
            .array(
                metadataLog.map {
                    [
                        "timestamp-ms": .int($0.timestampMilliseconds),
                        "metadata-file": .string($0.metadataFile),
                    ]
                }))
        if !encryptionKeys.isEmpty {
            object.append("encryption-keys", .array(encryptionKeys.map { .object($0) }))
        }
        return .object(object)
    }
}
