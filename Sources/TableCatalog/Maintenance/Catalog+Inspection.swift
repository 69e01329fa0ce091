package import Authority
import SQLite
import Synchronization

/// A table or view as the catalog points at it, with nothing read.
package struct PointedEntry: Sendable, Hashable {
    package var at: CatalogReference
    package var identifier: TableIdentifier
    package var isView: Bool
    package var metadataLocation: String
    /// The document, while its file is still on the way to the store.
    package var journaled: [UInt8]?
}

extension Catalog {
    /// What the names of a namespace point at, past every cache: for looking whether the files are whole.
    package func pointedEntries(
        _ context: RequestContext, _ at: CatalogReference, _ namespace: [String]
    ) throws -> [PointedEntry] {
        let tables = try listTables(context, at, namespace).elements.map { ($0, false) }
        let views = try listViews(context, at, namespace).elements.map { ($0, true) }
        return try (tables + views).compactMap { identifier, isView in
            try pointedEntry(context, at, identifier, isView: isView)
        }
    }

    /// One name as it points now; nil when it is gone.
    package func pointedEntry(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        isView: Bool
    ) throws -> PointedEntry? {
        try authorizer.require(
            context, .tableSelect, resource(context, at, identifier.namespace, identifier.name))
        // Before the journal is looked at: what is written now is in the store then.
        let written = settled.withLock { Set($0) }
        return try database.read { tx in
            let chain = try chain(tx, context, at)
            guard let pointer = try findPointer(tx, context, at, chain, identifier),
                pointer.kind == (isView ? .view : .table)
            else { return nil }
            let journaled = try tx.first(
                "SELECT text FROM journal WHERE metadata_location = ?", pointer.metadataLocation,
                row: { $0.bytes(0) })
            return PointedEntry(
                at: at, identifier: pointer.identifier, isView: isView,
                metadataLocation: pointer.metadataLocation,
                journaled: written.contains(pointer.metadataLocation) ? nil : journaled)
        }
    }
}
