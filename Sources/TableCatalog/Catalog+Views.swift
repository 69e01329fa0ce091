package import Authority
package import Iceberg
import JSON
import Platform
import SQLite

/// A view as the catalog knows it now.
package struct LoadedView: Sendable {
    package var identifier: TableIdentifier
    package var metadata: ViewMetadata
    package var metadataLocation: String
}

extension Catalog {
    /// The views of a namespace, by name.
    package func listViews(
        _ context: RequestContext, _ at: CatalogReference, _ namespace: [String],
        limit: Int? = nil, token: String? = nil
    ) throws -> Page<TableIdentifier> {
        try listEntries(context, at, namespace, kind: .view, limit: limit, token: token)
    }

    /// Whether a view has this name. Asks for the right to see it first.
    package func viewExists(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> Bool {
        try entryExists(context, at, identifier, kind: .view)
    }

    /// Loads a view's definition.
    package func loadView(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> LoadedView {
        try authorizer.require(
            context, .tableSelect,
            resource(context, at, identifier.namespace, identifier.name, kind: .view))
        let pointer = try database.read { tx in
            try requirePointer(tx, context, at, identifier, kind: .view)
        }
        return try loadedView(pointer)
    }

    /// Makes a view.
    package func createView(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        schema: Schema, version: ViewVersion, properties: [String: String], location: String? = nil
    ) throws -> LoadedView {
        try authorizer.require(
            context, .tableCreate,
            resource(context, at, identifier.namespace, identifier.name, kind: .view))
        try Self.check(name: identifier.name)
        try Self.checkDefiner(context, properties)
        let uuid = entropy.uuid()
        return try serialized([lockKey(context, at, identifier)]) {
            let (levels, home) = try database.read { tx in
                let chain = try chain(tx, context, at)
                let found = try requireNamespace(tx, context, at, chain, identifier.namespace)
                try requireFree(tx, context, at, chain, identifier)
                return (found.levels, try self.home(tx, context, at, found, identifier.name, uuid))
            }
            let metadata = try ViewMetadata.create(
                uuid: uuid,
                location: try location.map { try Self.checkedLocation($0) } ?? home.location,
                schema: schema, version: version, properties: properties,
                nowMilliseconds: nowMilliseconds)
            let owned = TableIdentifier(namespace: levels, name: identifier.name)
            let next = prepareView(metadata, owned, version: 0, context)
            try requirePlace(
                context, at, of: metadata, isHome: home.isOwn && location == nil)
            try prove(next)
            try publish(context, at, [next]) { tx in
                try record(
                    tx, context, at, kind: "catalog.view.created", namespace: levels,
                    name: identifier.name)
            }
            return try loadedView(next.pointer)
        }
    }

    /// Makes a view out of a metadata file that is there already, and that the caller may read; where the
    /// file says that the view lies they may write. It runs with the rights of whoever asks unless the file
    /// names the caller as its definer.
    package func registerView(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        metadataLocation: String
    ) throws -> LoadedView {
        try authorizer.require(
            context, .tableCreate,
            resource(context, at, identifier.namespace, identifier.name, kind: .view))
        try Self.check(name: identifier.name)
        var pointer = Pointer(
            identifier: identifier, kind: .view, uuid: "", location: "",
            metadataLocation: metadataLocation, version: Self.version(of: metadataLocation),
            owner: context.principal.name)
        try requireObjects(context, .objectRead, metadataLocation)
        let metadata = try loadedView(pointer).metadata
        try Self.checkDefiner(context, metadata.properties)
        try requirePlace(context, at, of: metadata, isHome: false)
        try prove(identifier, "\(metadata.location)/metadata")
        pointer.uuid = metadata.uuid
        pointer.location = metadata.location
        let view = pointer
        return try serialized([lockKey(context, at, identifier)]) {
            let owned = try database.writeGrouped { tx in
                let chain = try chain(tx, context, at)
                var owned = view
                owned.identifier.namespace = try requireNamespace(
                    tx, context, at, chain, identifier.namespace
                ).levels
                try requireFree(tx, context, at, chain, identifier)
                try requireOnlyView(tx, context, owned.uuid)
                try put(tx, context, at, owned)
                try record(
                    tx, context, at, kind: "catalog.view.registered",
                    namespace: owned.identifier.namespace, name: identifier.name)
                return owned
            }
            return try loadedView(owned)
        }
    }

    /// Replaces or alters a view.
    package func commitView(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        requirements: [TableRequirement], updates: [ViewUpdate]
    ) throws -> LoadedView {
        try authorizer.require(
            context, .tableAlter,
            resource(context, at, identifier.namespace, identifier.name, kind: .view))
        return try serialized([lockKey(context, at, identifier)]) {
            let pointer = try database.read { tx in
                try requirePointer(tx, context, at, identifier, kind: .view)
            }
            let base = try loadedView(pointer).metadata
            for requirement in requirements { try base.check(requirement) }
            let metadata = try base.applying(
                try Self.keepingDefinerHonest(context, updates, base),
                nowMilliseconds: nowMilliseconds)
            var next = prepareView(
                metadata, pointer.identifier, version: pointer.version + 1, context)
            next.expectedLocation = pointer.metadataLocation
            next.pointer.owner = pointer.owner
            // A file is written there each time.
            try requirePlace(
                context, at, of: metadata, isHome: isHome(context, at, of: metadata))
            if metadata.location != base.location { try prove(next) }
            try publish(context, at, [next]) { tx in
                try record(
                    tx, context, at, kind: "catalog.view.replaced",
                    namespace: pointer.identifier.namespace, name: pointer.identifier.name)
            }
            return try loadedView(next.pointer)
        }
    }

    // MARK: Definers

    /// The property with the principal whose rights a view's query runs with.
    package static let definerProperty = "trino.run-as-owner-id"

    /// Nobody but the appliance itself can make a view run with another's rights.
    private static func checkDefiner(
        _ context: RequestContext, _ properties: [String: String]
    ) throws {
        guard let id = properties[definerProperty], id != context.principal.id,
            context.principal.kind != .system
        else { return }
        throw CatalogError(
            code: .invalidRequest,
            message: "a view can run with its maker's rights only, not with those of \(id)")
    }

    /// A query that somebody else writes into a view does not inherit the definer's rights: the view
    /// then runs with those of whoever asks, unless the same commit names the new definer.
    private static func keepingDefinerHonest(
        _ context: RequestContext, _ updates: [ViewUpdate], _ base: ViewMetadata
    ) throws -> [ViewUpdate] {
        var namesDefiner = false
        var changesQuery = false
        for update in updates {
            switch update {
            case .setProperties(let properties):
                if properties[definerProperty] == base.properties[definerProperty],
                    properties[definerProperty] != nil,
                    properties[definerProperty] != context.principal.id
                {
                    // The whole property map sent back as it was names nobody anew.
                    continue
                }
                try checkDefiner(context, properties)
                if properties[definerProperty] != nil { namesDefiner = true }
            case .addVersion(let version):
                let current = base.currentVersion
                changesQuery =
                    changesQuery || version.representations != current?.representations
                    || version.defaultCatalog != current?.defaultCatalog
                    || version.defaultNamespace != current?.defaultNamespace
            case .setCurrentVersion(let id):
                changesQuery = changesQuery || (id != -1 && id != base.currentVersionID)
            default: continue
            }
        }
        let isOwn = base.properties[definerProperty] == context.principal.id
        if !changesQuery || namesDefiner || isOwn || context.principal.kind == .system {
            return updates
        }
        return updates + [.removeProperties([definerProperty])]
    }

    /// Removes the view; its metadata file goes with retention. Throws when there is none.
    package func dropView(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws {
        try drop(context, at, identifier, kind: .view, files: .stay)
    }

    /// Gives the view another name, also in another namespace of the warehouse. Throws when it is
    /// taken.
    package func renameView(
        _ context: RequestContext, _ at: CatalogReference, from source: TableIdentifier,
        to target: TableIdentifier
    ) throws {
        try rename(context, at, from: source, to: target, kind: .view)
    }

    private func prepareView(
        _ metadata: ViewMetadata, _ identifier: TableIdentifier, version: Int64,
        _ context: RequestContext
    ) -> PreparedPointer {
        PreparedPointer(
            pointer: Pointer(
                identifier: identifier, kind: .view, uuid: metadata.uuid,
                location: metadata.location,
                metadataLocation: Self.metadataName(
                    "\(metadata.location)/metadata", version, entropy.uuid()),
                version: version, owner: context.principal.name),
            text: metadata.json.encoded(), expectedLocation: nil, metadata: nil)
    }

    func loadedView(_ pointer: Pointer) throws -> LoadedView {
        let journaled = try database.read { tx in
            try tx.first(
                "SELECT text FROM journal WHERE metadata_location = ?", pointer.metadataLocation,
                row: { $0.bytes(0) })
        }
        do {
            let text = try journaled ?? manifests.read(pointer.metadataLocation)
            return LoadedView(
                identifier: pointer.identifier,
                metadata: try ViewMetadata(try JSONValue(parsing: text).cursor),
                metadataLocation: pointer.metadataLocation)
        } catch {
            throw CatalogError(
                code: .corruptTable,
                message: "the view's metadata cannot be used: \(pointer.metadataLocation)",
                cause: error)
        }
    }
}
