import Iceberg
import ObjectStorage
import SQLite
import Synchronization

/// A metadata file that something in the catalog stands on, and the table's location.
struct UsedMetadata: Hashable {
    var metadataLocation: String
    var location: String
}

extension Catalog {
    /// What every branch, tag, transaction and dropped table of every tenant stands on, and what merges
    /// compare with.
    func allMetadataInUse() throws -> [UsedMetadata] {
        try database.read { tx in
            try tx.query(
                """
                SELECT metadata_location, location FROM pointers
                WHERE is_dropped = 0 AND kind = 'table'
                UNION
                SELECT base_location, location FROM pointers
                WHERE base_location IS NOT NULL AND kind = 'table'
                UNION
                SELECT metadata_location, location FROM dropped WHERE kind = 'table'
                """
            ) { UsedMetadata(metadataLocation: $0.string(0), location: $0.string(1)) }
        }
    }

    /// The metadata that tables at a place stand on, and tables whose place lies around or inside of it.
    func metadataInUse(
        overlapping location: String, in all: [UsedMetadata]
    ) -> [UsedMetadata] {
        let place = Self.folder(location)
        return all.filter { used in
            let other = Self.folder(used.location)
            return other.hasPrefix(place) || place.hasPrefix(other)
        }
    }

    /// A place with a slash at its end, spelled in one way.
    static func folder(_ location: String) -> String {
        var text = location
        while text.hasSuffix("/") { text.removeLast() }
        for scheme in ["s3a://", "s3n://"] where text.hasPrefix(scheme) {
            text = "s3://" + text.dropFirst(scheme.count)
        }
        return text + "/"
    }

    /// Metadata files that were a table's present state within the last while, by its own log: somebody who
    /// loaded the table then may still be reading.
    func recentStates(
        of metadata: TableMetadata, since milliseconds: Int64
    ) -> [TableMetadata] {
        var states: [TableMetadata] = []
        let log = metadata.metadataLog
        for (index, entry) in log.enumerated() {
            let end =
                index + 1 < log.count
                ? log[index + 1].timestampMilliseconds : metadata.lastUpdatedMilliseconds
            guard end >= milliseconds else { continue }
            // A state whose file is gone has no readers that could still begin.
            guard let state = try? self.metadata(at: entry.metadataFile).metadata else { continue }
            states.append(state.headsOnly)
        }
        return states
    }
}

/// Files that tables have outside of their own places, such as those of a table that was registered a
/// second time elsewhere: no other table's maintenance may delete them.
///
/// Metadata files and manifests never change, so that each is looked at once; what was seen foreign stays
/// so until the next start, which errs to the safe side.
final class ForeignFiles: Sendable {
    private struct State {
        var metadata: Set<String> = []
        var manifests: Set<String> = []
        var found: Set<ObjectLocation> = []
    }
    private let state = Mutex(State())

    /// All of them. Tables that are damaged are passed over, since nobody can read their files anyway; any
    /// other failure is thrown.
    func locations(in catalog: Catalog) throws -> Set<ObjectLocation> {
        for used in try catalog.allMetadataInUse() {
            if state.withLock({ $0.metadata.contains(used.metadataLocation) }) { continue }
            do {
                try look(at: try catalog.metadata(at: used.metadataLocation).metadata, catalog)
                _ = state.withLock { $0.metadata.insert(used.metadataLocation) }
            } catch let error as CatalogError where error.code == .corruptTable {
                continue
            } catch let error as IcebergError where error.code != .storageFailed { continue }
        }
        return state.withLock { $0.found }
    }

    private func look(at metadata: TableMetadata, _ catalog: Catalog) throws {
        let places = metadata.places.map(Catalog.folder)
        func note(_ path: String) {
            guard let location = ObjectLocation(uri: path) else { return }
            let text = "\(location)"
            if places.contains(where: { text.hasPrefix($0) }) { return }
            _ = state.withLock { $0.found.insert(location) }
        }
        // One that cannot be read does not keep the others from being looked at.
        var failure: (any Error)?
        for snapshot in metadata.snapshots {
            if let list = snapshot.manifestList {
                note(list)
                if state.withLock({ $0.manifests.contains(list) }) { continue }
            }
            do {
                for manifest in try catalog.manifests.manifests(of: snapshot) {
                    note(manifest.path)
                    guard manifest.mayHaveLiveFiles,
                        !state.withLock({ $0.manifests.contains(manifest.path) })
                    else { continue }
                    for entry in try catalog.manifests.entries(of: manifest, in: metadata)
                    where entry.isLive { note(entry.file.path) }
                    _ = state.withLock { $0.manifests.insert(manifest.path) }
                }
                if let list = snapshot.manifestList {
                    _ = state.withLock { $0.manifests.insert(list) }
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension TableMetadata {
    /// The properties that say where files go that are not below the location.
    static let pathProperties = ["write.data.path", "write.metadata.path"]

    /// Where the table keeps its files.
    var places: [String] {
        [location]
            + Self.pathProperties.compactMap { properties[$0] }
            .filter { $0.hasPrefix("s3://") }
    }
}
