import Avro
import JSON

/// What a commit changes, in files.
package struct FileChanges: Sendable {
    /// Data files to add.
    package var addedData: [DataFile]
    /// Position or equality delete files to add.
    package var addedDeletes: [DataFile]
    /// Paths of data or delete files to take out. All have to be there.
    package var removedPaths: Set<String>
    /// Data files whose deletion vectors go: others take their place. Those of removed data files go by
    /// themselves.
    package var replacedVectors: Set<String> = []

    package init(
        addedData: [DataFile] = [], addedDeletes: [DataFile] = [], removedPaths: Set<String> = []
    ) {
        self.addedData = addedData
        self.addedDeletes = addedDeletes
        self.removedPaths = removedPaths
    }

    /// Whether the changes take a live file out; several vectors may share a path.
    fileprivate func removes(_ file: DataFile) -> Bool {
        if removedPaths.contains(file.path) { return true }
        guard file.isDeletionVector, let path = file.referencedDataFile else { return false }
        return replacedVectors.contains(path) || removedPaths.contains(path)
    }
}

/// The kinds of snapshots. Source: Iceberg specification, "Snapshots".
package enum SnapshotOperation: String, Sendable {
    /// Data was added, nothing else.
    case append
    /// Files were rewritten without a change of rows.
    case replace
    /// Data was added and removed, or deleted row by row.
    case overwrite
    /// Data was removed.
    case delete
}

/// Turns file changes into a snapshot: writes manifests and the manifest list, and hands back the
/// updates and requirements for the catalog.
package struct SnapshotProducer: Sendable {
    /// What a commit wants of the catalog, and which files are orphans if it fails.
    package struct Product: Sendable {
        package var updates: [TableUpdate]
        package var requirements: [TableRequirement]
        package var snapshot: Snapshot
        package var writtenPaths: [String]
    }

    package let source: ManifestSource
    /// Random 64-bit words, for snapshot ids, names and sync markers.
    package let entropy: @Sendable () -> UInt64
    package let nowMilliseconds: Int64

    package init(
        source: ManifestSource, nowMilliseconds: Int64, entropy: @escaping @Sendable () -> UInt64
    ) {
        self.source = source
        self.nowMilliseconds = nowMilliseconds
        self.entropy = entropy
    }

    /// Builds the next snapshot of `branch` on `metadata`.
    ///
    /// Throws `.conflict` when a file to remove is not there any more. `summary` adds lines such as
    /// the run's id; the counts are ours.
    package func produce(
        _ operation: SnapshotOperation, _ changes: FileChanges, on metadata: TableMetadata,
        branch: String = "main", summary extra: [String: String] = [:]
    ) throws(IcebergError) -> Product {
        var work = SnapshotWork(producer: self, metadata: metadata, branch: branch)
        do throws(IcebergError) {
            return try work.run(operation, changes, extra)
        } catch {
            source.discard(work.writtenPaths)
            throw error
        }
    }
}

/// One snapshot in the making.
struct SnapshotWork {
    let producer: SnapshotProducer
    let metadata: TableMetadata
    let branch: String
    let parent: Snapshot?
    let snapshotID: Int64
    let sequenceNumber: Int64
    /// Part of every name this commit writes.
    let commitID: String
    var writtenPaths: [String] = []
    var manifestNumber = 0

    init(producer: SnapshotProducer, metadata: TableMetadata, branch: String) {
        self.producer = producer
        self.metadata = metadata
        self.branch = branch
        parent =
            metadata.references[branch].flatMap { metadata.snapshot(id: $0.snapshotID) }
            ?? (branch == "main" ? metadata.currentSnapshot : nil)
        var id: Int64
        repeat {
            id = Int64(producer.entropy() & UInt64(Int64.max))
        } while id == 0 || metadata.snapshot(id: id) != nil
        snapshotID = id
        sequenceNumber = metadata.formatVersion > 1 ? metadata.lastSequenceNumber + 1 : 0
        commitID = uuidText(producer.entropy(), producer.entropy())
    }

    mutating func run(
        _ operation: SnapshotOperation, _ changes: FileChanges, _ extra: [String: String]
    ) throws(IcebergError) -> SnapshotProducer.Product {
        if metadata.formatVersion == 1, !changes.addedDeletes.isEmpty {
            throw IcebergError(
                code: .invalidUpdate, message: "a table of format version 1 has no delete files",
                hint: "upgrade the table to format version 2")
        }
        try checkSpecs(changes)
        let existing: [ManifestFile] =
            if let parent { try producer.source.manifests(of: parent) } else { [] }
        var summary = SummaryCounts()
        var kept = try removing(changes, from: existing, &summary)
        var fresh = try writeAdded(changes.addedData, .data, &summary)
        fresh += try writeAdded(changes.addedDeletes, .deletes, &summary)
        kept = try merged(fresh + kept)

        return try seal(operation, kept, summary, extra)
    }

    /// Writes the manifest list over these manifests, and makes the snapshot of it.
    mutating func seal(
        _ operation: SnapshotOperation, _ manifests: [ManifestFile], _ summary: SummaryCounts,
        _ extra: [String: String]
    ) throws(IcebergError) -> SnapshotProducer.Product {
        var kept = manifests
        var firstRowID: Int64?
        var addedRows: Int64?
        if metadata.formatVersion > 2 {
            (firstRowID, addedRows) = assignRowIDs(&kept)
        }
        let listPath =
            "\(metadata.location)/metadata/snap-\(snapshotID)-1-\(commitID).avro"
        let list = try ManifestListWriter.write(
            kept, version: metadata.formatVersion, snapshotID: snapshotID,
            parentID: parent?.snapshotID, sequenceNumber: sequenceNumber, firstRowID: firstRowID,
            codec: .deflate, syncMarker: marker())
        try write(list, to: listPath)

        var lines = extra
        for (name, value) in summary.lines(after: parent) { lines[name] = value }
        let snapshot = Snapshot(
            snapshotID: snapshotID, parentID: parent?.snapshotID, sequenceNumber: sequenceNumber,
            // Time travel needs order: a snapshot is never older than its parent.
            timestampMilliseconds: max(
                producer.nowMilliseconds, metadata.lastUpdatedMilliseconds),
            manifestList: listPath, operation: operation.rawValue, summary: lines,
            schemaID: metadata.currentSchemaID, firstRowID: firstRowID, addedRows: addedRows)
        var reference =
            metadata.references[branch] ?? SnapshotReference(snapshotID: 0, kind: .branch)
        guard reference.kind == .branch else {
            throw IcebergError(code: .invalidUpdate, message: "\(branch) is a tag, not a branch")
        }
        reference.snapshotID = snapshotID
        var requirements: [TableRequirement] = [
            .assertReferenceSnapshotID(
                reference: branch, snapshotID: metadata.references[branch]?.snapshotID)
        ]
        if !metadata.tableUUID.isEmpty {
            requirements.insert(.assertTableUUID(metadata.tableUUID), at: 0)
        }
        return .init(
            updates: [.addSnapshot(snapshot), .setSnapshotReference(branch, reference)],
            requirements: requirements, snapshot: snapshot, writtenPaths: writtenPaths)
    }

    private func checkSpecs(_ changes: FileChanges) throws(IcebergError) {
        for file in changes.addedData + changes.addedDeletes {
            guard let spec = metadata.spec(id: file.specID),
                spec.fields.count == file.partition.count
            else {
                throw IcebergError(
                    code: .invalidUpdate,
                    message: "the partition of a file does not fit the table's spec: \(file.path)")
            }
        }
    }

    /// Rewrites the manifests that hold removed files; their entries stay one commit as deleted.
    private mutating func removing(
        _ changes: FileChanges, from manifests: [ManifestFile], _ summary: inout SummaryCounts
    ) throws(IcebergError) -> [ManifestFile] {
        var result: [ManifestFile] = []
        var missing = changes.removedPaths
        let removesAny = !missing.isEmpty || !changes.replacedVectors.isEmpty
        for manifest in manifests {
            guard manifest.mayHaveLiveFiles else { continue }
            if !removesAny || (missing.isEmpty && manifest.content == .data) {
                result.append(manifest)
                continue
            }
            let entries = try producer.source.entries(of: manifest, in: metadata)
            guard entries.contains(where: { $0.isLive && changes.removes($0.file) }) else {
                result.append(manifest)
                continue
            }
            var rewritten: [ManifestEntry] = []
            for var entry in entries where entry.isLive {
                if changes.removes(entry.file) {
                    missing.remove(entry.file.path)
                    entry.status = .deleted
                    entry.snapshotID = snapshotID
                    summary.remove(entry.file)
                } else {
                    entry.status = .existing
                }
                rewritten.append(entry)
            }
            result.append(try writeManifest(rewritten, manifest.content, specID: manifest.specID))
        }
        guard missing.isEmpty else {
            throw IcebergError(
                code: .conflict,
                message: "a file to remove is not in the table any more: \(missing.sorted()[0])",
                hint: "another commit replaced it; repeat the operation on the present state")
        }
        return result
    }

    private mutating func writeAdded(
        _ files: [DataFile], _ content: ManifestFile.Content, _ summary: inout SummaryCounts
    ) throws(IcebergError) -> [ManifestFile] {
        var manifests: [ManifestFile] = []
        for specID in Set(files.map(\.specID)).sorted() {
            var entries: [ManifestEntry] = []
            for file in files where file.specID == specID {
                guard (file.content == .data) == (content == .data) else {
                    throw IcebergError(
                        code: .invalidUpdate, message: "a file of the wrong kind: \(file.path)")
                }
                summary.add(file)
                // Sequence numbers are inherited, so that a lost race costs no rewrite.
                entries.append(
                    ManifestEntry(
                        status: .added, snapshotID: snapshotID, dataSequenceNumber: nil,
                        fileSequenceNumber: nil, file: file))
            }
            manifests.append(try writeManifest(entries, content, specID: specID))
        }
        return manifests
    }

    /// Merges small manifests once there are many, as `commit.manifest.*` says.
    private mutating func merged(
        _ manifests: [ManifestFile]
    ) throws(IcebergError) -> [ManifestFile] {
        let properties = metadata.properties
        guard properties["commit.manifest-merge.enabled"] != "false" else { return manifests }
        let minimum = Int(properties["commit.manifest.min-count-to-merge"] ?? "") ?? 100
        let target = Int64(properties["commit.manifest.target-size-bytes"] ?? "") ?? 8 << 20
        var result: [ManifestFile] = []
        for content in [ManifestFile.Content.data, .deletes] {
            let group = manifests.filter { $0.content == content }
            guard group.count >= max(2, minimum) else {
                result += group
                continue
            }
            for specID in Set(group.map(\.specID)).sorted(by: >) {
                var bin: [ManifestFile] = []
                var weight: Int64 = 0
                for manifest in group where manifest.specID == specID {
                    if !bin.isEmpty, weight + manifest.lengthBytes > target {
                        result.append(try merge(bin))
                        (bin, weight) = ([], 0)
                    }
                    bin.append(manifest)
                    weight += manifest.lengthBytes
                }
                if !bin.isEmpty { result.append(try merge(bin)) }
            }
        }
        return result
    }

    private mutating func merge(_ manifests: [ManifestFile]) throws(IcebergError) -> ManifestFile {
        guard manifests.count > 1 else { return manifests[0] }
        var entries: [ManifestEntry] = []
        for manifest in manifests {
            let isOurs = manifest.addedSnapshotID == snapshotID
            for var entry in try producer.source.entries(of: manifest, in: metadata) {
                switch entry.status {
                // What this commit did stays visible as its doing.
                case .added where isOurs:
                    entry.dataSequenceNumber = nil
                    entry.fileSequenceNumber = nil
                case .deleted where isOurs && entry.snapshotID == snapshotID: break
                case .deleted: continue
                default: entry.status = .existing
                }
                entries.append(entry)
            }
        }
        return try writeManifest(entries, manifests[0].content, specID: manifests[0].specID)
    }

    mutating func writeManifest(
        _ entries: [ManifestEntry], _ content: ManifestFile.Content, specID: Int32
    ) throws(IcebergError) -> ManifestFile {
        guard let spec = metadata.spec(id: specID) else {
            throw IcebergError(code: .invalidUpdate, message: "no partition spec \(specID)")
        }
        var writer = ManifestWriter(
            version: metadata.formatVersion, schema: metadata.currentSchema, spec: spec,
            partitionTypes: spec.resultTypes(in: metadata.schemasNewestFirst), content: content,
            snapshotID: snapshotID, codec: .deflate, syncMarker: marker())
        for entry in entries { try writer.append(entry) }
        let path = "\(metadata.location)/metadata/\(commitID)-m\(manifestNumber).avro"
        manifestNumber += 1
        let (bytes, manifest) = try writer.finish(path: path, sequenceNumber: sequenceNumber)
        try write(bytes, to: path)
        return manifest
    }

    mutating func write(_ bytes: [UInt8], to path: String) throws(IcebergError) {
        writtenPaths.append(path)
        try producer.source.write(bytes, to: path)
    }

    /// Gives every data manifest that has none its first row id. Source: version 3, "Row Lineage".
    func assignRowIDs(_ manifests: inout [ManifestFile]) -> (Int64, Int64) {
        var next = metadata.nextRowID
        for index in manifests.indices
        where manifests[index].content == .data && manifests[index].firstRowID == nil {
            manifests[index].firstRowID = next
            next &+=
                (manifests[index].addedRowsCount ?? 0) &+ (manifests[index].existingRowsCount ?? 0)
        }
        return (metadata.nextRowID, next &- metadata.nextRowID)
    }

    func marker() -> [UInt8] {
        [producer.entropy(), producer.entropy()].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
        }
    }
}

/// A random UUID out of two random words.
package func uuidText(_ high: UInt64, _ low: UInt64) -> String {
    let first = (high & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000
    let second = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
    func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    return [
        hex(first >> 32, 8), hex((first >> 16) & 0xFFFF, 4), hex(first & 0xFFFF, 4),
        hex(second >> 48, 4), hex(second & 0xFFFF_FFFF_FFFF, 12),
    ].joined(separator: "-")
}
