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
    /// What the caller's grants say.
    var granted: Decision
    /// The policies that apply to whoever sees what is read.
    package var applied: [AppliedPolicy] = []

    /// Row filters and column masks that the caller's view of the table has.
    package var decision: Decision { decision(for: metadata.currentSchema) }

    /// The same for a state of the table with another schema: an old snapshot.
    package func decision(for schema: Schema) -> Decision {
        if applied.isEmpty { return granted }
        let columns = Dictionary(schema.fields.map { (Int($0.id), $0.name) }) { first, _ in first }
        return granted.governed(by: applied, columns: columns)
    }

    /// Whether the caller may see all rows and columns, and so the files as they are.
    package var isUnrestricted: Bool { !granted.isRestricted && applied.isEmpty }
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

    /// The table behind a pointer, with what the viewer may see of it.
    func loaded(
        _ pointer: Pointer, _ decision: Decision, _ context: RequestContext,
        _ at: CatalogReference
    ) throws -> LoadedTable {
        let entry = try metadata(at: pointer.metadataLocation)
        var table = LoadedTable(
            identifier: pointer.identifier, metadata: entry.metadata,
            metadataLocation: pointer.metadataLocation, metadataText: entry.text,
            granted: decision)
        guard let governance else { return table }
        let key = table.key(in: at)
        try governance.cover(
            tenant: context.tenant, key,
            places: table.places + [Self.folder(of: pointer.metadataLocation)])
        table.applied = governance.applied(to: context.audience, tenant: context.tenant, key)
        for source in table.quarantined {
            try governance.cover(
                tenant: context.tenant, TableKey(uuid: key.uuid, path: source.path),
                places: table.places + [Self.folder(of: pointer.metadataLocation)])
            for entry in governance.applied(
                to: context.audience, tenant: context.tenant, source)
            where !table.applied.contains(where: {
                $0.policy.name == entry.policy.name && $0.columnName == entry.columnName
            }) {
                table.applied.append(entry.byName())
            }
        }
        for source in table.storedSources {
            try governance.cover(
                tenant: context.tenant, source,
                places: table.places + [Self.folder(of: pointer.metadataLocation)])
            let applied = governance.applied(
                to: context.audience, tenant: context.tenant, source)
            table.applied += applied.map { $0.byName() }
        }
        return table
    }

    private static func folder(of location: String) -> String {
        location.lastIndex(of: "/").map { String(location[..<$0]) } ?? location
    }
}

extension LoadedTable {
    /// The table as policies know it.
    package func key(in at: CatalogReference) -> TableKey {
        TableKey(
            uuid: metadata.tableUUID,
            path: [at.warehouse] + identifier.namespace + [identifier.name])
    }

    /// Where the table keeps its files.
    package var places: [String] {
        [metadata.location]
            + ["write.data.path", "write.metadata.path"].compactMap { metadata.properties[$0] }
            .filter { $0.hasPrefix("s3://") }
    }
}

/// A table in the state that somebody found it in.
package struct PresentTable: Sendable, Hashable {
    package var at: CatalogReference
    package var identifier: TableIdentifier
    package var metadataLocation: String

    /// A table, by its name and the metadata file that was found there.
    package init(at: CatalogReference, identifier: TableIdentifier, metadataLocation: String) {
        self.at = at
        self.identifier = identifier
        self.metadataLocation = metadataLocation
    }
}

extension Catalog {
    /// Whether all of these are still in the states they were found in, looked at in one snapshot of the
    /// catalog: then there is a moment at which all of them were.
    package func areCurrent(_ context: RequestContext, _ tables: [PresentTable]) throws -> Bool {
        try database.read { tx in
            for table in Set(tables) {
                let chain = try chain(tx, context, table.at)
                let found = try findPointer(tx, context, table.at, chain, table.identifier)
                guard found?.metadataLocation == table.metadataLocation else { return false }
            }
            return true
        }
    }
}
