import JSON
package import ObjectStorage

/// Every file that table metadata leads to: what must not be deleted.
///
/// Files are told apart by bucket and key, since writers spell `s3://` and `s3a://`.
package struct ReachableFiles: Sendable {
    package private(set) var locations: Set<ObjectLocation> = []
    /// Manifests that were read.
    package private(set) var manifestCount = 0
    private var lists: Set<String> = []
    private var manifests: Set<String> = []

    package init() {}

    package func contains(_ location: ObjectLocation) -> Bool { locations.contains(location) }

    /// Adds one file.
    package mutating func add(_ path: String) {
        if let location = ObjectLocation(uri: path) { locations.insert(location) }
    }

    /// Adds a metadata file, those before it in its log, its statistics, and what its snapshots need.
    ///
    /// Throws when a manifest list or manifest cannot be read: then nobody knows what is reachable.
    package mutating func add(
        _ metadata: TableMetadata, at path: String?, from source: ManifestSource
    ) throws(IcebergError) {
        if let path { add(path) }
        for entry in metadata.metadataLog { add(entry.metadataFile) }
        for path in metadata.statisticsPaths { add(path) }
        for snapshot in metadata.snapshots {
            if let list = snapshot.manifestList {
                guard lists.insert(list).inserted else { continue }
                add(list)
            }
            for manifest in try source.manifests(of: snapshot) {
                guard manifests.insert(manifest.path).inserted else { continue }
                add(manifest.path)
                guard manifest.mayHaveLiveFiles else { continue }
                manifestCount += 1
                for entry in try source.entries(of: manifest, in: metadata) where entry.isLive {
                    add(entry.file.path)
                }
            }
        }
    }
}

extension TableMetadata {
    /// Puffin files of column and partition statistics.
    var statisticsPaths: [String] {
        (statistics + partitionStatistics).compactMap { file in
            if case .string(let path) = file["statistics-path"] { path } else { nil }
        }
    }
}

/// Files that only expired snapshots need, by what they are.
package struct ExpiredFiles: Sendable {
    /// What a file is, in the order of deletion.
    package enum Kind: String, Sendable, CaseIterable {
        case data, positionDeletes, equalityDeletes, statistics, manifest, manifestList
    }

    package var files: [Kind: Set<ObjectLocation>] = [:]

    package func count(_ kind: Kind) -> Int { files[kind]?.count ?? 0 }
    package var isEmpty: Bool { files.values.allSatisfy(\.isEmpty) }

    /// Content first and lists last. Any order is safe: nothing leads to these files any more.
    package var inOrder: [(kind: Kind, location: ObjectLocation)] {
        Kind.allCases.flatMap { kind in (files[kind] ?? []).map { (kind, $0) } }
    }

    /// Keeps only the files that the test allows to delete.
    package mutating func keepOnly(where test: (ObjectLocation) -> Bool) {
        for kind in files.keys { files[kind] = files[kind]?.filter(test) }
    }

    /// Finds the files of the snapshots that `old` has and `expired` names, without those that a snapshot
    /// of `retained` needs.
    ///
    /// Manifests of expired snapshots that are gone already are passed over; one of a retained snapshot
    /// that cannot be read is an error, since what it names has to stay.
    package static func find(
        _ expired: Set<Int64>, of old: TableMetadata, keeping retained: [TableMetadata],
        _ source: ManifestSource
    ) throws(IcebergError) -> ExpiredFiles {
        var keptLists: Set<String> = []
        var keptManifests: [String: (manifest: ManifestFile, metadata: TableMetadata)] = [:]
        var keptStatistics: Set<String> = []
        for metadata in retained {
            keptStatistics.formUnion(metadata.statisticsPaths)
            for snapshot in metadata.snapshots {
                if let list = snapshot.manifestList, !keptLists.insert(list).inserted { continue }
                for manifest in try source.manifests(of: snapshot) {
                    keptManifests[manifest.path] = (manifest, metadata)
                }
            }
        }
        var found = ExpiredFiles()
        var seen: Set<String> = []
        for snapshot in old.snapshots where expired.contains(snapshot.snapshotID) {
            if let list = snapshot.manifestList {
                if keptLists.contains(list) { continue }
                found.add(.manifestList, list)
            }
            // A former run may have been cut off after it deleted the list.
            guard let manifests = try? source.manifests(of: snapshot) else { continue }
            for manifest in manifests
            where keptManifests[manifest.path] == nil && seen.insert(manifest.path).inserted {
                found.add(.manifest, manifest.path)
                guard let entries = try? source.entries(of: manifest, in: old) else { continue }
                for entry in entries where entry.isLive {
                    found.add(Kind(entry.file.content), entry.file.path)
                }
            }
        }
        for file in old.statistics + old.partitionStatistics {
            guard case .number(let number) = file["snapshot-id"], let id = number.int64,
                expired.contains(id), case .string(let path) = file["statistics-path"],
                !keptStatistics.contains(path)
            else { continue }
            found.add(.statistics, path)
        }
        for list in keptLists {
            if let location = ObjectLocation(uri: list) {
                found.files[.manifestList]?.remove(location)
            }
        }
        try found.subtract(keptManifests.values.map { ($0.manifest, $0.metadata) }, source)
        return found
    }

    /// Takes content files out that kept manifests name, however they spell them.
    private mutating func subtract(
        _ manifests: [(ManifestFile, TableMetadata)], _ source: ManifestSource
    ) throws(IcebergError) {
        let content: [Kind] = [.data, .positionDeletes, .equalityDeletes]
        for (manifest, metadata) in manifests {
            if let location = ObjectLocation(uri: manifest.path) {
                files[.manifest]?.remove(location)
            }
            guard manifest.mayHaveLiveFiles,
                !content.allSatisfy({ files[$0]?.isEmpty ?? true })
            else { continue }
            for entry in try source.entries(of: manifest, in: metadata) where entry.isLive {
                guard let location = ObjectLocation(uri: entry.file.path) else { continue }
                for kind in content { files[kind]?.remove(location) }
            }
        }
    }

    private mutating func add(_ kind: Kind, _ path: String) {
        if let location = ObjectLocation(uri: path) { files[kind, default: []].insert(location) }
    }
}

extension ExpiredFiles.Kind {
    init(_ content: DataFile.Content) {
        switch content {
        case .data: self = .data
        case .positionDeletes: self = .positionDeletes
        case .equalityDeletes: self = .equalityDeletes
        }
    }
}
