/// What a rewriting of manifests did.
package struct ManifestRewriting: Sendable, Hashable {
    package var rewritten = 0
    package var added = 0
    package var kept = 0
    package var processedEntries = 0

    package init(kept: Int = 0) { self.kept = kept }

    /// Whether there is anything to write.
    package var isNeeded: Bool { rewritten > 0 }
}

extension SnapshotProducer {
    /// What `rewriteManifests` would do to a branch's present snapshot, without writing.
    package func plannedManifestRewriting(
        of metadata: TableMetadata, branch: String = "main"
    ) throws(IcebergError) -> ManifestRewriting {
        let work = SnapshotWork(producer: self, metadata: metadata, branch: branch)
        var rewriting = ManifestRewriting()
        for group in try work.manifestGroups() {
            if group.isTidy {
                rewriting.kept += group.manifests.count
                continue
            }
            rewriting.rewritten += group.manifests.count
            rewriting.added += group.wantedCount
            for manifest in group.manifests {
                rewriting.processedEntries += Int(manifest.addedFilesCount ?? 0)
                rewriting.processedEntries += Int(manifest.existingFilesCount ?? 0)
            }
        }
        return rewriting
    }

    /// Writes the manifests of a branch's present snapshot anew: few of about
    /// `commit.manifest.target-size-bytes`, with the files of a partition side by side, so that planning
    /// reads less. Data stays as it is; the snapshot is a `replace`. nil: they are as they should be.
    package func rewriteManifests(
        of metadata: TableMetadata, branch: String = "main", summary extra: [String: String] = [:]
    ) throws(IcebergError) -> (product: Product, rewriting: ManifestRewriting)? {
        var work = SnapshotWork(producer: self, metadata: metadata, branch: branch)
        do throws(IcebergError) { return try work.rewriteManifests(extra) } catch {
            source.discard(work.writtenPaths)
            throw error
        }
    }
}

/// The manifests of one kind and one partition spec.
private struct ManifestGroup {
    var content: ManifestFile.Content
    var specID: Int32
    var manifests: [ManifestFile]
    var targetBytes: Int64

    /// As many as the bytes need.
    var wantedCount: Int {
        let bytes = manifests.reduce(Int64(0)) { $0 &+ $1.lengthBytes }
        return max(1, Int((bytes + targetBytes - 1) / targetBytes))
    }

    /// Whether rewriting would not make them fewer. An empty one is taken out.
    var isTidy: Bool {
        manifests.count <= wantedCount && manifests.allSatisfy(\.mayHaveLiveFiles)
    }
}

extension SnapshotWork {
    fileprivate func manifestGroups() throws(IcebergError) -> [ManifestGroup] {
        guard let parent else { return [] }
        let target = max(
            1 << 10,
            Int64(metadata.properties["commit.manifest.target-size-bytes"] ?? "") ?? 8 << 20)
        let manifests = try producer.source.manifests(of: parent)
        var groups: [ManifestGroup] = []
        for content in [ManifestFile.Content.data, .deletes] {
            let ofKind = manifests.filter { $0.content == content }
            for specID in Set(ofKind.map(\.specID)).sorted(by: >) {
                groups.append(
                    ManifestGroup(
                        content: content, specID: specID,
                        manifests: ofKind.filter { $0.specID == specID }, targetBytes: target))
            }
        }
        return groups
    }

    fileprivate mutating func rewriteManifests(
        _ extra: [String: String]
    ) throws(IcebergError) -> (product: SnapshotProducer.Product, rewriting: ManifestRewriting)? {
        var rewriting = ManifestRewriting()
        var result: [ManifestFile] = []
        for group in try manifestGroups() {
            if group.isTidy {
                rewriting.kept += group.manifests.count
                result += group.manifests
                continue
            }
            rewriting.rewritten += group.manifests.count
            let (written, count) = try rewrite(group)
            rewriting.added += written.count
            rewriting.processedEntries += count
            result += written
        }
        guard rewriting.isNeeded else { return nil }
        var lines = extra
        // Source: Iceberg specification, appendix F, "Manifests".
        lines["manifests-created"] = String(rewriting.added)
        lines["manifests-kept"] = String(rewriting.kept)
        lines["manifests-replaced"] = String(rewriting.rewritten)
        lines["entries-processed"] = String(rewriting.processedEntries)
        let product = try seal(.replace, result, SummaryCounts(), lines)
        return (product, rewriting)
    }

    private mutating func rewrite(
        _ group: ManifestGroup
    ) throws(IcebergError) -> (manifests: [ManifestFile], entryCount: Int) {
        var entries: [ManifestEntry] = []
        var bytes: Int64 = 0
        for manifest in group.manifests where manifest.mayHaveLiveFiles {
            bytes &+= manifest.lengthBytes
            for var entry in try producer.source.entries(of: manifest, in: metadata)
            where entry.isLive {
                // Numbers are inherited no more once a file is carried along.
                entry.status = .existing
                entries.append(entry)
            }
        }
        if entries.isEmpty { return ([], 0) }
        entries.sort { Self.isBefore($0.file, $1.file) }
        let count = max(1, Int((bytes + group.targetBytes - 1) / group.targetBytes))
        let share = (entries.count + count - 1) / count
        var written: [ManifestFile] = []
        var start = 0
        while start < entries.count {
            let end = min(start + share, entries.count)
            written.append(
                try writeManifest(
                    Array(entries[start..<end]), group.content, specID: group.specID))
            start = end
        }
        return (written, entries.count)
    }

    /// By partition, nothing first; then by path, so that the same files give the same manifests.
    private static func isBefore(_ first: DataFile, _ second: DataFile) -> Bool {
        for (left, right) in zip(first.partition, second.partition) {
            switch (left, right) {
            case (nil, nil): continue
            case (nil, _): return true
            case (_, nil): return false
            case (let left?, let right?):
                let order = left.order(to: right) ?? 0
                if order != 0 { return order < 0 }
            }
        }
        return first.path < second.path
    }
}
