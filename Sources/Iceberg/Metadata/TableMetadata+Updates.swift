import JSON

extension TableMetadata {
    /// The metadata after `updates`, in order. Pure: the clock comes in as `nowMilliseconds`.
    ///
    /// Throws `.invalidUpdate` for what the specification forbids. The metadata log is the catalog's
    /// work: see `recordingPrevious`.
    package func applying(
        _ updates: [TableUpdate], nowMilliseconds: Int64
    ) throws(IcebergError) -> TableMetadata {
        var application = UpdateApplication(metadata: self, now: nowMilliseconds)
        for update in updates { try application.apply(update) }
        return try application.finish()
    }

    /// What a table is before its first updates: version, no columns, no snapshots.
    package static func empty(formatVersion: Int) -> TableMetadata {
        TableMetadata(
            formatVersion: formatVersion, tableUUID: "", location: "", lastSequenceNumber: 0,
            lastUpdatedMilliseconds: 0, lastColumnID: 0, schemas: [], currentSchemaID: -1,
            partitionSpecs: [], defaultSpecID: -1,
            lastPartitionID: PartitionSpec.lastReservedFieldID, sortOrders: [],
            defaultSortOrderID: -1, properties: [:], currentSnapshotID: nil, snapshots: [],
            snapshotLog: [], metadataLog: [], references: [:], statistics: [],
            partitionStatistics: [], nextRowID: 0, encryptionKeys: [])
    }

    /// A new table. Ids of schema, spec and sort order are assigned afresh, as the REST
    /// specification says of `createTable`.
    package static func create(
        uuid: String, location: String, schema: Schema, spec: PartitionSpec, sortOrder: SortOrder,
        properties: [String: String], nowMilliseconds: Int64
    ) throws(IcebergError) -> TableMetadata {
        var properties = properties
        let version = properties.removeValue(forKey: "format-version").map { Int($0) ?? -1 } ?? 2
        let (freshSchema, ids) = schema.assigningFreshIDs()
        var freshSpec = spec
        freshSpec.specID = 0
        for index in spec.fields.indices {
            guard let source = ids[spec.fields[index].sourceID] else {
                throw IcebergError(
                    code: .invalidUpdate,
                    message: "partition field \(spec.fields[index].name) has no source column")
            }
            freshSpec.fields[index].sourceID = source
            freshSpec.fields[index].fieldID = PartitionSpec.lastReservedFieldID + 1 + Int32(index)
        }
        var freshOrder = sortOrder
        freshOrder.orderID = sortOrder.fields.isEmpty ? 0 : max(1, sortOrder.orderID)
        for index in sortOrder.fields.indices {
            guard let source = ids[sortOrder.fields[index].sourceID] else {
                throw IcebergError(
                    code: .invalidUpdate,
                    message: "the sort order names no column: \(sortOrder.fields[index].sourceID)")
            }
            freshOrder.fields[index].sourceID = source
        }
        var schemaWithID = freshSchema
        schemaWithID.schemaID = 0
        return try empty(formatVersion: version).applying(
            [
                .assignUUID(uuid), .setLocation(location),
                .addSchema(schemaWithID, lastColumnID: nil), .setCurrentSchema(-1),
                .addSpec(freshSpec, hasFieldIDs: true), .setDefaultSpec(-1),
                .addSortOrder(freshOrder), .setDefaultSortOrder(-1), .setProperties(properties),
            ], nowMilliseconds: nowMilliseconds)
    }

    /// The updates that make this table out of nothing, without its snapshots: for a commit that also brings
    /// the first rows.
    package var creationUpdates: [TableUpdate] {
        [
            .assignUUID(tableUUID), .upgradeFormatVersion(formatVersion), .setLocation(location),
            .addSchema(currentSchema, lastColumnID: lastColumnID), .setCurrentSchema(-1),
            .addSpec(defaultSpec, hasFieldIDs: true), .setDefaultSpec(-1),
            .addSortOrder(defaultSortOrder), .setDefaultSortOrder(-1), .setProperties(properties),
        ]
    }

    /// The metadata with its former file in the log, shortened to the table's limit.
    package func recordingPrevious(
        _ previous: TableMetadata, metadataFile: String
    ) -> TableMetadata {
        var next = self
        next.metadataLog = previous.metadataLog
        next.metadataLog.append(
            MetadataLogEntry(
                timestampMilliseconds: previous.lastUpdatedMilliseconds, metadataFile: metadataFile)
        )
        let limit = max(1, Int(properties["write.metadata.previous-versions-max"] ?? "") ?? 100)
        if next.metadataLog.count > limit {
            next.metadataLog.removeFirst(next.metadataLog.count - limit)
        }
        return next
    }
}

/// Updates in the making: -1 means "what this commit added last".
private struct UpdateApplication {
    var metadata: TableMetadata
    let now: Int64
    var lastSchemaID: Int32?
    var lastSpecID: Int32?
    var lastOrderID: Int32?
    /// Snapshots added here that a branch has moved through need no entry in the log but the last.
    var addedSnapshots: Set<Int64> = []
    var mainMoves: [Int64] = []

    init(metadata: TableMetadata, now: Int64) {
        self.metadata = metadata
        self.now = now
    }

    mutating func apply(_ update: TableUpdate) throws(IcebergError) {
        switch update {
        case .assignUUID(let uuid):
            guard !uuid.isEmpty else { throw invalid("an empty table uuid") }
            guard metadata.tableUUID.isEmpty || metadata.tableUUID == uuid else {
                throw invalid("the uuid of a table cannot change: \(metadata.tableUUID)")
            }
            metadata.tableUUID = uuid
        case .upgradeFormatVersion(let version): try upgrade(to: version)
        case .addSchema(let schema, let lastColumnID): try addSchema(schema, lastColumnID)
        case .setCurrentSchema(let id):
            let id = try resolve(id, lastSchemaID, "schema")
            guard let schema = metadata.schema(id: id) else { throw invalid("no schema \(id)") }
            try checkSpecs(against: schema)
            metadata.currentSchemaID = id
        case .addSpec(let spec, let hasFieldIDs): try addSpec(spec, hasFieldIDs)
        case .setDefaultSpec(let id):
            let id = try resolve(id, lastSpecID, "partition spec")
            guard let spec = metadata.spec(id: id) else { throw invalid("no partition spec \(id)") }
            try spec.validate(against: metadata.currentSchema)
            metadata.defaultSpecID = id
        case .addSortOrder(let order): try addSortOrder(order)
        case .setDefaultSortOrder(let id):
            let id = try resolve(id, lastOrderID, "sort order")
            guard metadata.sortOrders.contains(where: { $0.orderID == id }) else {
                throw invalid("no sort order \(id)")
            }
            metadata.defaultSortOrderID = id
        case .addSnapshot(let snapshot): try addSnapshot(snapshot)
        case .setSnapshotReference(let name, let reference): try setReference(name, reference)
        case .removeSnapshots(let ids): removeSnapshots(Set(ids))
        case .removeSnapshotReference(let name):
            metadata.references[name] = nil
            if name == "main" { metadata.currentSnapshotID = nil }
        case .setLocation(let location):
            guard !location.isEmpty else { throw invalid("an empty table location") }
            metadata.location = location
        case .setProperties(let properties):
            for (name, value) in properties {
                guard !Self.reservedProperties.contains(name) else {
                    throw IcebergError(
                        code: .invalidUpdate, message: "the property \(name) is reserved",
                        hint: "the table's metadata says it itself; choose another name")
                }
                // Clients may set the version by its reserved property.
                if name == "format-version" {
                    try upgrade(to: Int(value) ?? -1)
                } else {
                    metadata.properties[name] = value
                }
            }
        case .removeProperties(let names):
            for name in names { metadata.properties[name] = nil }
        default: try applyFile(update)
        }
    }

    /// What metadata says by fields of its own. Source: Iceberg's configuration, "Reserved table properties".
    private static let reservedProperties: Set<String> = [
        "uuid", "snapshot-count", "current-snapshot-summary", "current-snapshot-id",
        "current-snapshot-timestamp-ms", "current-schema", "default-partition-spec",
        "default-sort-order",
    ]

    /// Statistics, keys and the removal of what nothing uses.
    private mutating func applyFile(_ update: TableUpdate) throws(IcebergError) {
        switch update {
        case .setStatistics(let id, let file):
            metadata.statistics.removeAll { snapshotID(of: $0) == id }
            metadata.statistics.append(file)
        case .removeStatistics(let id):
            metadata.statistics.removeAll { snapshotID(of: $0) == id }
        case .setPartitionStatistics(let file):
            let id = snapshotID(of: file)
            metadata.partitionStatistics.removeAll { snapshotID(of: $0) == id }
            metadata.partitionStatistics.append(file)
        case .removePartitionStatistics(let id):
            metadata.partitionStatistics.removeAll { snapshotID(of: $0) == id }
        case .removePartitionSpecs(let ids):
            guard !ids.contains(metadata.defaultSpecID) else {
                throw invalid("the default partition spec cannot be removed")
            }
            metadata.partitionSpecs.removeAll { ids.contains($0.specID) }
        case .removeSchemas(let ids):
            guard !ids.contains(metadata.currentSchemaID) else {
                throw invalid("the current schema cannot be removed")
            }
            metadata.schemas.removeAll { ids.contains($0.schemaID) }
        case .addEncryptionKey(let key): metadata.encryptionKeys.append(key)
        case .removeEncryptionKey(let id):
            metadata.encryptionKeys.removeAll { $0["key-id"] == .string(id) }
        default: return
        }
    }

    mutating func finish() throws(IcebergError) -> TableMetadata {
        guard metadata.schema(id: metadata.currentSchemaID) != nil else {
            throw invalid("the table has no current schema")
        }
        if metadata.partitionSpecs.isEmpty {
            metadata.partitionSpecs = [.unpartitioned]
            metadata.defaultSpecID = 0
        }
        if metadata.sortOrders.isEmpty {
            metadata.sortOrders = [.unsorted]
            metadata.defaultSortOrderID = 0
        }
        guard metadata.spec(id: metadata.defaultSpecID) != nil else {
            throw invalid("the table has no default partition spec")
        }
        guard metadata.sortOrders.contains(where: { $0.orderID == metadata.defaultSortOrderID })
        else { throw invalid("the table has no default sort order") }
        guard !metadata.location.isEmpty else { throw invalid("the table has no location") }
        logMoves()
        // A table's time never goes back, also when the clock does.
        metadata.lastUpdatedMilliseconds = max(now, metadata.lastUpdatedMilliseconds)
        return metadata
    }

    /// Adds to the snapshot log where `main` went; steps inside one commit were never visible.
    private mutating func logMoves() {
        for (index, id) in mainMoves.enumerated() {
            let isLast = index == mainMoves.count - 1
            if !isLast, addedSnapshots.contains(id) { continue }
            guard let snapshot = metadata.snapshot(id: id) else { continue }
            let moment =
                addedSnapshots.contains(id) ? snapshot.timestampMilliseconds : now
            metadata.snapshotLog.append(
                .init(
                    timestampMilliseconds: max(
                        moment, metadata.snapshotLog.last?.timestampMilliseconds ?? 0),
                    snapshotID: id))
        }
    }

    private mutating func upgrade(to version: Int) throws(IcebergError) {
        guard 1...TableMetadata.newestFormatVersion ~= version else {
            throw invalid("unsupported format version: \(version)")
        }
        guard version >= metadata.formatVersion else {
            throw invalid("a table cannot go back to format version \(version)")
        }
        metadata.formatVersion = version
    }

    private mutating func addSchema(
        _ schema: Schema, _ lastColumnID: Int32?
    ) throws(IcebergError) {
        try schema.validate()
        try schema.requireOptionalUnknowns()
        if let lastColumnID, lastColumnID < metadata.lastColumnID {
            throw invalid(
                "last column id \(lastColumnID) is lower than the table's \(metadata.lastColumnID)")
        }
        if let old = metadata.schema(id: metadata.currentSchemaID) {
            try checkEvolution(from: old, to: schema)
        }
        guard schema.requiredFormatVersion <= metadata.formatVersion else {
            throw invalid(
                "the schema needs format version \(schema.requiredFormatVersion), "
                    + "the table has \(metadata.formatVersion)")
        }
        metadata.lastColumnID = max(metadata.lastColumnID, schema.highestFieldID, lastColumnID ?? 0)
        if let same = metadata.schemas.first(where: { $0.hasSameFields(as: schema) }) {
            lastSchemaID = same.schemaID
            return
        }
        var added = schema
        let highest = metadata.schemas.map(\.schemaID).max()
        added.schemaID = highest.map { $0 + 1 } ?? 0
        metadata.schemas.append(added)
        lastSchemaID = added.schemaID
    }

    /// A field id keeps its meaning: types change only by promotion.
    private func checkEvolution(from old: Schema, to new: Schema) throws(IcebergError) {
        var types: [Int32: IcebergType] = [:]
        old.visit { field, _ in types[field.id] = field.type }
        var broken: String?
        new.visit { field, path in
            guard let before = types[field.id] else { return }
            switch (before, field.type) {
            case (.primitive(let from), .primitive(let to)):
                if !from.canPromote(to: to) {
                    broken = "\(path) cannot change from \(from.name) to \(to.name)"
                }
            case (.structure, .structure), (.list, .list), (.map, .map): return
            default: broken = "\(path) cannot change between a nested and a primitive type"
            }
        }
        if let broken { throw invalid(broken) }
    }

    private func checkSpecs(against schema: Schema) throws(IcebergError) {
        guard let spec = metadata.spec(id: metadata.defaultSpecID) else { return }
        for field in spec.fields where field.transform != .void {
            guard schema.field(id: field.sourceID) != nil else {
                throw invalid(
                    "a column that the table is partitioned by cannot be dropped: \(field.name)")
            }
        }
    }

    private mutating func addSpec(
        _ spec: PartitionSpec, _ hasFieldIDs: Bool
    ) throws(IcebergError) {
        var added = spec
        if !hasFieldIDs {
            // Fields of former specs keep their ids, new ones are counted on.
            var next = metadata.lastPartitionID
            let known = metadata.partitionSpecs.flatMap(\.fields)
            for index in added.fields.indices {
                let field = added.fields[index]
                if let same = known.first(where: {
                    $0.sourceID == field.sourceID && $0.transform == field.transform
                }) {
                    added.fields[index].fieldID = same.fieldID
                } else {
                    next += 1
                    added.fields[index].fieldID = next
                }
            }
        }
        try added.validate(against: metadata.currentSchemaForValidation(lastSchemaID))
        if let same = metadata.partitionSpecs.first(where: { $0.isCompatible(with: added) }) {
            lastSpecID = same.specID
            return
        }
        added.specID = (metadata.partitionSpecs.map(\.specID).max() ?? -1) + 1
        metadata.lastPartitionID = max(
            metadata.lastPartitionID, added.fields.map(\.fieldID).max() ?? 0)
        metadata.partitionSpecs.append(added)
        lastSpecID = added.specID
    }

    private mutating func addSortOrder(_ order: SortOrder) throws(IcebergError) {
        try order.validate(against: metadata.currentSchemaForValidation(lastSchemaID))
        if let same = metadata.sortOrders.first(where: { $0.fields == order.fields }) {
            lastOrderID = same.orderID
            return
        }
        var added = order
        added.orderID =
            order.fields.isEmpty ? 0 : max(0, metadata.sortOrders.map(\.orderID).max() ?? 0) + 1
        metadata.sortOrders.append(added)
        lastOrderID = added.orderID
    }

    private mutating func addSnapshot(_ snapshot: Snapshot) throws(IcebergError) {
        guard metadata.snapshot(id: snapshot.snapshotID) == nil else {
            throw invalid("the table has a snapshot \(snapshot.snapshotID) already")
        }
        try checkForm(of: snapshot)
        if metadata.formatVersion > 1, snapshot.parentID != nil,
            snapshot.sequenceNumber <= metadata.lastSequenceNumber
        {
            throw IcebergError(
                code: .requirementFailed,
                message: "sequence number \(snapshot.sequenceNumber) is not above the table's "
                    + "last one: \(metadata.lastSequenceNumber)",
                hint: "load the table again and repeat the change on its present state")
        }
        if metadata.formatVersion > 2 {
            guard let first = snapshot.firstRowID, let rows = snapshot.addedRows, rows >= 0 else {
                throw invalid("a snapshot of format version 3 needs first-row-id and added-rows")
            }
            guard first >= metadata.nextRowID else {
                throw IcebergError(
                    code: .requirementFailed,
                    message:
                        "first-row-id \(first) is below the table's next: \(metadata.nextRowID)")
            }
            metadata.nextRowID = max(metadata.nextRowID, first &+ rows)
        }
        var added = snapshot
        if metadata.formatVersion == 1 { added.sequenceNumber = 0 }
        metadata.lastSequenceNumber = max(metadata.lastSequenceNumber, added.sequenceNumber)
        metadata.snapshots.append(added)
        addedSnapshots.insert(added.snapshotID)
        metadata.lastUpdatedMilliseconds = max(
            metadata.lastUpdatedMilliseconds, added.timestampMilliseconds)
    }

    /// Throws for a snapshot that no state of the table could have. Source: Iceberg specification,
    /// "Snapshots".
    private func checkForm(of snapshot: Snapshot) throws(IcebergError) {
        func refused(_ message: String, _ hint: String) -> IcebergError {
            IcebergError(code: .invalidUpdate, message: message, hint: hint)
        }
        if let operation = snapshot.operation,
            !["append", "replace", "overwrite", "delete"].contains(operation)
        {
            throw refused(
                "a snapshot has no operation \(operation)",
                "summary.operation is append, replace, overwrite or delete")
        }
        if metadata.formatVersion == 1 { return }
        if snapshot.operation == nil {
            throw refused(
                "snapshot \(snapshot.snapshotID) has no operation",
                "summary.operation is append, replace, overwrite or delete")
        }
        if snapshot.manifestList == nil {
            throw refused(
                "snapshot \(snapshot.snapshotID) has no manifest list",
                "only snapshots of format version 1 may list manifests themselves")
        }
        let (next, isOver) = metadata.lastSequenceNumber.addingReportingOverflow(1)
        guard snapshot.sequenceNumber > 0, snapshot.sequenceNumber <= next, !isOver else {
            throw refused(
                "sequence number \(snapshot.sequenceNumber) does not follow the table's last one: "
                    + "\(metadata.lastSequenceNumber)", "the next one is \(next)")
        }
    }

    private mutating func setReference(
        _ name: String, _ reference: SnapshotReference
    ) throws(IcebergError) {
        guard !name.isEmpty else { throw invalid("a reference without a name") }
        guard metadata.snapshot(id: reference.snapshotID) != nil else {
            throw invalid(
                "\(name) cannot point at a snapshot that is not there: \(reference.snapshotID)")
        }
        if let old = metadata.references[name], old == reference { return }
        for (key, value) in [
            ("min-snapshots-to-keep", reference.minimumSnapshotsToKeep.map { Int64($0) }),
            ("max-snapshot-age-ms", reference.maximumSnapshotAgeMilliseconds),
            ("max-ref-age-ms", reference.maximumReferenceAgeMilliseconds),
        ] {
            if let value, value < 1 {
                throw IcebergError(
                    code: .invalidUpdate, message: "\(key) of \(name) is at least 1, not \(value)",
                    hint: "leave it out for what the table's properties say")
            }
        }
        if reference.kind == .tag,
            reference.minimumSnapshotsToKeep != nil
                || reference.maximumSnapshotAgeMilliseconds != nil
        {
            throw IcebergError(
                code: .invalidUpdate,
                message:
                    "a tag keeps one snapshot, for which only max-ref-age-ms can be said: \(name)",
                hint: "leave out min-snapshots-to-keep and max-snapshot-age-ms")
        }
        if name == "main" {
            guard reference.kind == .branch else { throw invalid("main has to be a branch") }
            if metadata.currentSnapshotID != reference.snapshotID {
                mainMoves.append(reference.snapshotID)
            }
            metadata.currentSnapshotID = reference.snapshotID
        }
        metadata.references[name] = reference
    }

    private mutating func removeSnapshots(_ ids: Set<Int64>) {
        metadata.snapshots.removeAll { ids.contains($0.snapshotID) }
        metadata.statistics.removeAll { snapshotID(of: $0).map(ids.contains) ?? false }
        metadata.partitionStatistics.removeAll { snapshotID(of: $0).map(ids.contains) ?? false }
        metadata.references = metadata.references.filter { !ids.contains($0.value.snapshotID) }
        if let current = metadata.currentSnapshotID, ids.contains(current) {
            metadata.currentSnapshotID = nil
        }
        // History before a gap cannot be trusted for time travel: what is older than the last removed
        // entry goes too.
        if let gap = metadata.snapshotLog.lastIndex(where: { ids.contains($0.snapshotID) }) {
            metadata.snapshotLog.removeSubrange(...gap)
        }
    }

    private func resolve(
        _ id: Int32, _ last: Int32?, _ what: String
    ) throws(IcebergError) -> Int32 {
        guard id == -1 else { return id }
        guard let last else { throw invalid("-1 given, but this commit added no \(what)") }
        return last
    }

    private func invalid(_ message: String) -> IcebergError {
        IcebergError(code: .invalidUpdate, message: message)
    }
}

extension TableMetadata {
    /// The schema that new specs and orders are about: one added just before, else the current one.
    fileprivate func currentSchemaForValidation(_ added: Int32?) -> Schema {
        added.flatMap(schema(id:)) ?? currentSchema
    }
}

/// The snapshot that a statistics file is about.
private func snapshotID(of file: JSONObject) -> Int64? {
    if case .number(let number) = file["snapshot-id"] { number.int64 } else { nil }
}
