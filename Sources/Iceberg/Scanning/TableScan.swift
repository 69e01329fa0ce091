/// A data file to read, with the delete files that apply to it.
package struct FileScanTask: Sendable {
    package var file: DataFile
    package var dataSequenceNumber: Int64
    /// Position delete files, or one deletion vector (format `PUFFIN`).
    package var positionDeletes: [DataFile]
    package var equalityDeletes: [DataFile]
    /// The data sequence number of each of `equalityDeletes`.
    package var equalitySequenceNumbers: [Int64] = []
    /// Whether the partition and bounds prove that every row satisfies the scan's predicate.
    package var allRowsMatch: Bool
}

/// What planning found, and what it saved.
package struct ScanPlan: Sendable {
    package var tasks: [FileScanTask] = []
    package var manifestCount = 0
    package var skippedManifestCount = 0
    package var skippedFileCount = 0
}

/// Plans which files of a snapshot have to be read.
package struct TableScan: Sendable {
    package var metadata: TableMetadata
    package var snapshot: Snapshot?
    package var predicate: ScanPredicate

    package init(metadata: TableMetadata, snapshot: Snapshot?, predicate: ScanPredicate = .always) {
        self.metadata = metadata
        self.snapshot = snapshot
        self.predicate = predicate.withoutNegation
    }

    /// Reads the manifests that may matter and returns the files that may have matching rows.
    package func plan(_ source: ManifestSource) throws(IcebergError) -> ScanPlan {
        var plan = ScanPlan()
        guard let snapshot else { return plan }
        let manifests = try source.manifests(of: snapshot)
        plan.manifestCount = manifests.count
        let types = columnTypes
        var pruners: [Int32: PartitionPruner] = [:]
        var index = DeleteFileIndex()
        var dataManifests: [ManifestFile] = []
        for manifest in manifests where manifest.mayHaveLiveFiles {
            let pruner: PartitionPruner
            if let known = pruners[manifest.specID] {
                pruner = known
            } else {
                guard let spec = metadata.spec(id: manifest.specID) else {
                    throw .corrupt(manifest.path, nil, "the manifest's partition spec is missing")
                }
                pruner = PartitionPruner(
                    predicate: predicate, spec: spec,
                    types: spec.resultTypes(in: metadata.schemasNewestFirst))
                pruners[manifest.specID] = pruner
            }
            guard pruner.mayMatch(manifest) else {
                plan.skippedManifestCount += 1
                continue
            }
            if manifest.content == .data {
                dataManifests.append(manifest)
                continue
            }
            for entry in try source.entries(of: manifest, in: metadata) where entry.isLive {
                let isGlobal = pruner.spec.isUnpartitioned
                if isGlobal || pruner.mayMatch(entry.file.partition) {
                    index.add(entry, isGlobal: isGlobal)
                }
            }
        }
        index.seal()
        for manifest in dataManifests {
            guard let pruner = pruners[manifest.specID] else { continue }
            for entry in try source.entries(of: manifest, in: metadata) where entry.isLive {
                guard pruner.mayMatch(entry.file.partition),
                    mayMatch(entry.file, types, pruner.spec)
                else {
                    plan.skippedFileCount += 1
                    continue
                }
                plan.tasks.append(task(for: entry, index, types, pruner))
            }
        }
        return plan
    }

    /// The newest type of each column that has statistics.
    var columnTypes: [Int32: PrimitiveType] {
        var types: [Int32: PrimitiveType] = [:]
        for schema in metadata.schemasNewestFirst.reversed() {
            for field in schema.primitiveColumns {
                if let type = field.type.primitive { types[field.id] = type }
            }
        }
        return types
    }

    private func task(
        for entry: ManifestEntry, _ index: DeleteFileIndex, _ types: [Int32: PrimitiveType],
        _ pruner: PartitionPruner
    ) -> FileScanTask {
        let sequenceNumber = entry.dataSequenceNumber ?? 0
        let (positions, equalities) = index.deletes(for: entry.file, sequenceNumber: sequenceNumber)
        return FileScanTask(
            file: entry.file, dataSequenceNumber: sequenceNumber, positionDeletes: positions,
            equalityDeletes: equalities.map(\.file),
            equalitySequenceNumbers: equalities.map(\.sequenceNumber),
            allRowsMatch: allRowsMatch(entry.file, types, pruner.spec))
    }

    func mayMatch(
        _ file: DataFile, _ types: [Int32: PrimitiveType], _ spec: PartitionSpec
    ) -> Bool {
        guard file.recordCount != 0 else { return false }
        if predicate == .always { return true }
        return predicate.mayMatch { bounds(of: $0, in: file, types, spec) }
    }

    func allRowsMatch(
        _ file: DataFile, _ types: [Int32: PrimitiveType], _ spec: PartitionSpec
    ) -> Bool {
        if predicate == .always { return true }
        return predicate.mustMatch { bounds(of: $0, in: file, types, spec) }
    }

    /// What is known of a column in a file: an identity partition's value is exact, other bounds come
    /// from the metrics.
    private func bounds(
        of id: Int32, in file: DataFile, _ types: [Int32: PrimitiveType], _ spec: PartitionSpec
    ) -> ColumnBounds {
        guard let type = types[id] else { return .unknown }
        if let part = spec.fields.firstIndex(where: {
            $0.sourceID == id && $0.transform == .identity
        }), part < file.partition.count {
            return ColumnBounds(
                exactly: file.partition[part], isFloat: type == .float || type == .double)
        }
        return ColumnBounds(of: id, type: type, in: file)
    }
}

/// Decides by partition, for one spec.
struct PartitionPruner {
    let spec: PartitionSpec
    private let types: [PrimitiveType]
    private let predicate: ScanPredicate

    init(predicate: ScanPredicate, spec: PartitionSpec, types: [PrimitiveType]) {
        self.spec = spec
        self.types = types
        self.predicate = predicate.projected(onto: spec)
    }

    func mayMatch(_ manifest: ManifestFile) -> Bool {
        guard let summaries = manifest.partitions, summaries.count == spec.fields.count else {
            return true
        }
        return predicate.mayMatch { id in
            guard let index = spec.fields.firstIndex(where: { $0.fieldID == id }) else {
                return .unknown
            }
            return ColumnBounds(of: summaries[index], type: types[index])
        }
    }

    func mayMatch(_ partition: [Literal?]) -> Bool {
        if predicate == .always { return true }
        return predicate.mayMatch { id in
            guard let index = spec.fields.firstIndex(where: { $0.fieldID == id }),
                index < partition.count
            else { return .unknown }
            let type = types[index]
            return ColumnBounds(
                exactly: partition[index], isFloat: type == .float || type == .double)
        }
    }
}
