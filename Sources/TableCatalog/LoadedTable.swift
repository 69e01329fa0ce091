package import Authority
package import Iceberg
import JSON
import SQLite

/// A table as the catalog knows it now.
package struct LoadedTable: Sendable {
    package var identifier: TableIdentifier
    package var metadata: TableMetadata
    /// Where the metadata file is; it names this exact state. Empty for a staged table.
    package var metadataLocation: String
    /// The metadata document as written.
    package var metadataText: [UInt8]
    /// Row filter and column masks that the caller's view of the table has.
    package var decision: Decision

    /// Whether the caller may see all rows and columns, and so the files as they are.
    package var isUnrestricted: Bool { decision.rowFilter == nil && decision.columnMasks.isEmpty }
}

extension Catalog {
    /// Reads the metadata behind a pointer: from the cache, the journal or the store.
    func metadata(at location: String) throws -> MetadataCache.Entry {
        if let entry = cache[location] { return entry }
        let journaled = try database.read { tx in
            try tx.first(
                "SELECT text FROM journal WHERE metadata_location = ?", location,
                row: { $0.bytes(0) })
        }
        do {
            let text = try journaled ?? manifests.read(location)
            let metadata = try TableMetadata(parsing: text, path: location)
            cache.insert(location, metadata, text: text)
            return MetadataCache.Entry(metadata: metadata, text: text)
        } catch let error as IcebergError {
            throw CatalogError(
                code: error.code == .storageFailed ? .storageFailed : .corruptTable,
                message: "the table's metadata cannot be used: \(location)", hint: error.hint,
                cause: error)
        }
    }

    func loaded(_ pointer: Pointer, _ decision: Decision) throws -> LoadedTable {
        let entry = try metadata(at: pointer.metadataLocation)
        return LoadedTable(
            identifier: pointer.identifier, metadata: entry.metadata,
            metadataLocation: pointer.metadataLocation, metadataText: entry.text,
            decision: decision)
    }
}
