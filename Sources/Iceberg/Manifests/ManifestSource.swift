package import ObjectStorage
import Synchronization

/// Where manifest lists and manifests come from: the object store, with a cache, since both never
/// change once written.
package final class ManifestSource: Sendable {
    /// Says whether a manifest list or manifest may be read: throws for one that may not.
    package typealias Gate = @Sendable (_ path: String) throws(IcebergError) -> Void

    private struct Cache {
        var lists: [String: [ManifestFile]] = [:]
        var manifests: [String: [ManifestEntry]] = [:]
        var weights: [String: Int64] = [:]
        /// Paths in the order of their last use, oldest first; a path may stand there more than once.
        var uses: [String] = []
        var weight: Int64 = 0
    }

    /// What sources with different gates share.
    private final class SharedCache: Sendable {
        let state = Mutex(Cache())
    }

    package let store: any ObjectStore
    private let limitBytes: Int64
    private let cache: SharedCache
    private let gate: Gate?

    /// `cacheBytes` bounds the encoded size of what is kept; decoded it takes some times as much.
    package init(store: any ObjectStore, cacheBytes: Int64 = 64 << 20) {
        self.store = store
        limitBytes = cacheBytes
        cache = SharedCache()
        gate = nil
    }

    private init(_ other: ManifestSource, gate: @escaping Gate) {
        store = other.store
        limitBytes = other.limitBytes
        cache = other.cache
        self.gate = gate
    }

    /// The same source, with the same cache, for somebody who may not read everything: `gate` is asked
    /// for each manifest list and manifest before it is read, or taken from the cache.
    package func guarded(by gate: @escaping Gate) -> ManifestSource {
        ManifestSource(self, gate: gate)
    }

    /// The manifests of a snapshot.
    package func manifests(
        of snapshot: Snapshot
    ) throws(IcebergError) -> [ManifestFile] {
        guard let path = snapshot.manifestList else {
            return try snapshot.manifests.map { path throws(IcebergError) in
                try gate?(path)
                return ManifestFile(
                    path: path, lengthBytes: Int64(try read(path).count), specID: 0, content: .data,
                    sequenceNumber: 0, minimumSequenceNumber: 0,
                    addedSnapshotID: snapshot.snapshotID)
            }
        }
        try gate?(path)
        if let known = cache.state.withLock({ $0.lists[path] }) { return known }
        let bytes = try read(path)
        let manifests = try ManifestListReader.read(bytes, path: path)
        keep(path, Int64(bytes.count)) { $0.lists[path] = manifests }
        return manifests
    }

    /// The entries of a manifest, deleted ones too.
    package func entries(
        of manifest: ManifestFile, in metadata: TableMetadata
    ) throws(IcebergError) -> [ManifestEntry] {
        try gate?(manifest.path)
        // Entries inherit from what the list says of their manifest: another table's list that names it
        // otherwise must not change what this one's sees.
        let key = manifest.cacheKey
        if let known = cache.state.withLock({ $0.manifests[key] }) { return known }
        guard let spec = metadata.spec(id: manifest.specID) else {
            throw .corrupt(
                manifest.path, nil, "the manifest's partition spec \(manifest.specID) is missing")
        }
        let bytes = try read(manifest.path)
        let entries = try ManifestReader.read(
            bytes, of: manifest, spec: spec,
            partitionTypes: spec.resultTypes(in: metadata.schemasNewestFirst))
        keep(key, Int64(bytes.count)) { $0.manifests[key] = entries }
        return entries
    }

    /// Reads a metadata file whole.
    package func read(_ path: String) throws(IcebergError) -> [UInt8] {
        guard let location = ObjectLocation(uri: path) else {
            throw IcebergError(
                code: .unsupported, message: "the location is not in an object store: \(path)",
                hint: "only s3:// locations can be read")
        }
        do throws(ObjectStoreError) {
            let reader = try store.open(location)
            guard reader.description.sizeBytes <= Limits.metadataBytes else {
                throw ObjectStoreError(
                    code: .limitExceeded,
                    message: "larger than \(Limits.metadataBytes) bytes: \(path)")
            }
            return try reader.allBytes()
        } catch {
            switch error.code {
            case .noSuchKey, .noSuchBucket:
                throw .corrupt(path, error, "a file of the table is missing")
            case .corrupted, .checksumMismatch: throw .corrupt(path, error)
            default:
                throw IcebergError(
                    code: .storageFailed, message: "cannot read \(path)", cause: error)
            }
        }
    }

    /// Writes a metadata file that must not exist yet.
    package func write(_ bytes: [UInt8], to path: String) throws(IcebergError) {
        guard let location = ObjectLocation(uri: path) else {
            throw IcebergError(
                code: .unsupported, message: "the location is not in an object store: \(path)",
                hint: "only s3:// locations can be written")
        }
        do throws(ObjectStoreError) { try store.write(bytes, to: location) } catch {
            throw IcebergError(code: .storageFailed, message: "cannot write \(path)", cause: error)
        }
    }

    /// Removes files that a failed commit wrote; what cannot be removed is left as an orphan.
    package func discard(_ paths: [String]) {
        for path in paths {
            if let location = ObjectLocation(uri: path) { try? store.delete(location) }
        }
    }

    private func keep(_ path: String, _ weight: Int64, _ insert: (inout Cache) -> Void) {
        guard weight <= limitBytes / 4 else { return }
        cache.state.withLock { cache in
            insert(&cache)
            if let old = cache.weights.updateValue(weight, forKey: path) { cache.weight -= old }
            cache.weight += weight
            cache.uses.append(path)
            var evicted = 0
            while cache.weight > limitBytes, evicted < cache.uses.count - 1 {
                let victim = cache.uses[evicted]
                evicted += 1
                cache.lists[victim] = nil
                cache.manifests[victim] = nil
                if let weight = cache.weights.removeValue(forKey: victim) { cache.weight -= weight }
            }
            cache.uses.removeFirst(evicted)
        }
    }
}

extension ManifestFile {
    /// Names the manifest together with what its entries inherit.
    fileprivate var cacheKey: String {
        "\(path)\u{0}\(specID) \(sequenceNumber) \(addedSnapshotID) \(firstRowID ?? -1)"
    }
}
