package import Authority
package import Iceberg
import JSON
import ObjectStorage
import Platform
import SQLite

/// What a new table is to be.
package struct TableCreation: Sendable {
    package var name: String
    package var schema: Schema
    package var spec: PartitionSpec
    package var sortOrder: SortOrder
    package var properties: [String: String]
    /// nil: the catalog chooses a place of the table's own.
    package var location: String?

    package init(
        name: String, schema: Schema, spec: PartitionSpec = .unpartitioned,
        sortOrder: SortOrder = .unsorted, properties: [String: String] = [:],
        location: String? = nil
    ) {
        self.name = name
        self.schema = schema
        self.spec = spec
        self.sortOrder = sortOrder
        self.properties = properties
        self.location = location
    }
}

extension Catalog {
    /// Loads a table's present state.
    package func loadTable(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> LoadedTable {
        let decision = try authorizer.require(
            context, .tableSelect, resource(context, at, identifier.namespace, identifier.name))
        let pointer = try database.read { tx in
            try requirePointer(tx, context, at, identifier, kind: .table)
        }
        return try loaded(pointer, decision, context, at)
    }

    /// Where the table's metadata is, without reading it: what an ETag is made of.
    package func metadataLocation(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> String {
        try authorizer.require(
            context, .tableSelect, resource(context, at, identifier.namespace, identifier.name))
        return try database.read { tx in
            try requirePointer(tx, context, at, identifier, kind: .table).metadataLocation
        }
    }

    /// Whether there is such a table.
    package func tableExists(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> Bool {
        try entryExists(context, at, identifier, kind: .table)
    }

    func entryExists(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        kind: EntryKind
    ) throws -> Bool {
        let own = resource(context, at, identifier.namespace, identifier.name, kind: kind)
        if !mayFind(context, own) {
            try authorizer.require(
                context, .tableList, resource(context, at, identifier.namespace))
        }
        return try database.read { tx in
            let chain = try chain(tx, context, at)
            return try findPointer(tx, context, at, chain, identifier)?.kind == kind
        }
    }

    /// Whether a name is a table's or a view's; nil: nobody's. Asks for no right: for who asks for the right
    /// to what it is next.
    package func entryKind(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> EntryKind? {
        try database.read { tx in
            try findPointer(tx, context, at, try chain(tx, context, at), identifier)?.kind
        }
    }

    /// The tables of a namespace, by name.
    package func listTables(
        _ context: RequestContext, _ at: CatalogReference, _ namespace: [String],
        limit: Int? = nil, token: String? = nil
    ) throws -> Page<TableIdentifier> {
        try listEntries(context, at, namespace, kind: .table, limit: limit, token: token)
    }

    /// Makes a table. A staged one is only worked out: it comes to be with its first commit, which
    /// asserts `assert-create`.
    package func createTable(
        _ context: RequestContext, _ at: CatalogReference, namespace: [String],
        _ creation: TableCreation, isStaged: Bool = false
    ) throws -> LoadedTable {
        let decision = try authorizer.require(
            context, .tableCreate, resource(context, at, namespace, creation.name))
        try Self.check(name: creation.name)
        try creation.properties["format-version"].map { try Self.check(formatVersion: $0) }
        let identifier = TableIdentifier(namespace: namespace, name: creation.name)
        let uuid = entropy.uuid()
        let (levels, home) = try database.read { tx in
            let chain = try chain(tx, context, at)
            let found = try requireNamespace(tx, context, at, chain, namespace)
            try requireFree(tx, context, at, chain, identifier)
            return (found.levels, try self.home(tx, context, at, found, creation.name, uuid))
        }
        let location = try creation.location.map { try Self.checkedLocation($0) } ?? home.location
        let isHome = home.isOwn && creation.location == nil
        let metadata = try TableMetadata.create(
            uuid: uuid, location: location, schema: creation.schema, spec: creation.spec,
            sortOrder: creation.sortOrder, properties: creation.properties,
            nowMilliseconds: nowMilliseconds)
        try requirePlaces(context, at, metadata, isHome: isHome)
        let owned = TableIdentifier(namespace: levels, name: creation.name)
        if isStaged {
            if isHome { try stage(context, at, StagedTable(uuid: uuid, location: location)) }
            return LoadedTable(
                identifier: owned, metadata: metadata, metadataLocation: "",
                metadataText: metadata.json.encoded(), granted: decision)
        }
        return try serialized([lockKey(context, at, identifier)]) {
            // Only here can nobody take the name between the look and the transaction.
            try database.read { tx in
                try requireFree(tx, context, at, try chain(tx, context, at), identifier)
            }
            var next = prepare(metadata, owned, kind: .table, version: 0, context)
            next.isNew = true
            try prove(next)
            try publish(context, at, [next]) { tx in
                _ = try requireNamespace(tx, context, at, try chain(tx, context, at), namespace)
                try record(
                    tx, context, at, kind: "catalog.table.created", namespace: levels,
                    name: creation.name, details: [("uuid", .string(uuid))])
            }
            return try loaded(next.pointer, decision, context, at)
        }
    }

    /// Makes a table out of a metadata file that is there already, and that the caller may read: who
    /// reads the table reads the files it names. A `tableLocation` is what the metadata has to say.
    package func registerTable(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier,
        metadataLocation: String, overwrite: Bool = false, tableLocation: String? = nil
    ) throws -> LoadedTable {
        let decision = try authorizer.require(
            context, .tableCreate, resource(context, at, identifier.namespace, identifier.name))
        try Self.check(name: identifier.name)
        try requireObjects(context, .objectRead, metadataLocation)
        let entry = try foreignMetadata(at: metadataLocation)
        if let tableLocation,
            ObjectLocation(uri: tableLocation + "/x")
                != ObjectLocation(uri: entry.metadata.location + "/x"),
            ObjectLocation(uri: tableLocation + "x")
                != ObjectLocation(uri: entry.metadata.location + "/x")
        {
            throw CatalogError(
                code: .invalidRequest,
                message: "the metadata file \(metadataLocation) is of a table at "
                    + "\(entry.metadata.location), not at \(tableLocation)",
                hint: "a table is registered where it was made")
        }
        try requireObjects(context, .objectRead, entry.metadata.location + "/")
        try requirePlaces(context, at, entry.metadata)
        try prove(
            identifier,
            entry.metadata.properties["write.metadata.path"]
                ?? "\(entry.metadata.location)/metadata")
        return try serialized([lockKey(context, at, identifier)]) {
            let pointer = try database.writeGrouped { tx in
                let chain = try chain(tx, context, at)
                let levels = try requireNamespace(tx, context, at, chain, identifier.namespace)
                    .levels
                if !overwrite { try requireFree(tx, context, at, chain, identifier) }
                try requireOnly(tx, context, at, identifier, entry.metadata.tableUUID)
                try requireSameDropped(
                    tx, context, entry.metadata.tableUUID, at: entry.metadata.location)
                try note(tx, tenant: context.tenant, entry.metadata)
                let pointer = Pointer(
                    identifier: TableIdentifier(namespace: levels, name: identifier.name),
                    kind: .table, uuid: entry.metadata.tableUUID,
                    location: entry.metadata.location, metadataLocation: metadataLocation,
                    version: Self.version(of: metadataLocation), owner: context.principal.name)
                try put(tx, context, at, pointer)
                try record(
                    tx, context, at, kind: "catalog.table.registered", namespace: levels,
                    name: identifier.name)
                return pointer
            }
            return try loaded(pointer, decision, context, at)
        }
    }

    /// The newest metadata file in a table's folder, by the number in its name, for who says none; or the
    /// one of a name. The caller has to be allowed to read there.
    package func metadataFile(
        _ context: RequestContext, ofTableAt location: String, named name: String? = nil
    ) throws -> String {
        let folder = try Self.checkedLocation(location) + "/metadata/"
        if let name {
            guard !name.isEmpty, !name.contains("/") else {
                throw CatalogError(
                    code: .invalidRequest, message: "\(name) is not a valid metadata file",
                    hint: "name the file alone, without its folder")
            }
            return folder + name
        }
        try requireObjects(context, .objectRead, folder)
        guard let root = ObjectLocation(uri: folder) else { return folder }
        var newest: (version: Int64, path: String)?
        var after: String?
        repeat {
            let page = try manifests.store.list(
                bucket: root.bucket, prefix: root.key, after: after, limit: Limits.purgeBatch)
            for object in page where object.location.key.hasSuffix(".metadata.json") {
                let path = "s3://\(root.bucket)/\(object.location.key)"
                let version = Self.version(of: path)
                if newest.map({ version >= $0.version }) ?? true { newest = (version, path) }
            }
            after = page.count < Limits.purgeBatch ? nil : page.last?.location.key
        } while after != nil
        guard let newest else {
            throw CatalogError(
                code: .noSuchFile, message: "there is no metadata file at \(folder)",
                hint: "the location is the folder above metadata/")
        }
        return newest.path
    }

    /// Metadata that somebody names to be taken in: a file that is missing or no metadata is their mistake.
    private func foreignMetadata(at location: String) throws -> MetadataCache.Entry {
        do { return try metadata(at: location) } catch let error as CatalogError {
            guard let cause = error.cause as? IcebergError, cause.code != .storageFailed else {
                throw error
            }
            let store = cause.cause as? ObjectStoreError
            if store?.code == .noSuchKey || store?.code == .noSuchBucket {
                throw CatalogError(
                    code: .noSuchFile, message: "metadata file not found: \(location)",
                    hint: "name a file that a table wrote: s3://…/metadata/….metadata.json",
                    cause: cause)
            }
            throw CatalogError(
                code: .invalidRequest, message: "not the metadata of a table: \(location)",
                hint: cause.hint, cause: cause)
        }
    }

    /// Throws where another name has a table of the uuid: two names would write one table's files, each
    /// without the other's knowledge.
    func requireOnly(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ identifier: TableIdentifier, _ uuid: String
    ) throws {
        let other = try tx.first(
            """
            SELECT warehouse, ref, path, name FROM pointers
            WHERE tenant = ? AND uuid = ? AND kind = 'table' AND is_dropped = 0
              AND NOT (warehouse = ? AND namespace = ? AND folded = ?)
            """, context.tenant, uuid, at.warehouse, identifier.namespace.folded,
            identifier.name.lowercased(),
            row: {
                (
                    CatalogReference(warehouse: $0.string(0), reference: $0.string(1)),
                    TableIdentifier(namespace: $0.string(2).levels, name: $0.string(3))
                )
            })
        guard let (place, known) = other else { return }
        let isShown = mayFind(context, resource(context, place, known.namespace, known.name))
        throw CatalogError(
            code: .alreadyExists,
            message: "the table of this metadata exists already"
                + (isShown ? ": \(known) in \(place)" : ""),
            hint: "unregister it there first, or rename it")
    }

    /// Renames a table or moves it to another namespace. Its files stay where they are.
    package func renameTable(
        _ context: RequestContext, _ at: CatalogReference, from source: TableIdentifier,
        to target: TableIdentifier
    ) throws {
        try rename(context, at, from: source, to: target, kind: .table)
    }

    func rename(
        _ context: RequestContext, _ at: CatalogReference, from source: TableIdentifier,
        to target: TableIdentifier, kind: EntryKind
    ) throws {
        try authorizer.require(
            context, .tableDrop, resource(context, at, source.namespace, source.name, kind: kind))
        try authorizer.require(
            context, .tableCreate, resource(context, at, target.namespace, target.name, kind: kind))
        try Self.check(name: target.name)
        try serialized([lockKey(context, at, source), lockKey(context, at, target)]) {
            try database.writeGrouped { tx in
                var pointer = try requirePointer(tx, context, at, source, kind: kind)
                let chain = try chain(tx, context, at)
                let levels = try requireNamespace(tx, context, at, chain, target.namespace).levels
                let isOnlyCase = lockKey(context, at, source) == lockKey(context, at, target)
                if !isOnlyCase { try requireFree(tx, context, at, chain, target) }
                try remove(tx, context, at, pointer)
                pointer.identifier = TableIdentifier(namespace: levels, name: target.name)
                try put(tx, context, at, pointer)
                try record(
                    tx, context, at, kind: "catalog.\(kind.rawValue).renamed", namespace: levels,
                    name: target.name, details: [("from", .string(source.description))])
            }
        }
    }

    // MARK: Names and places

    func requireFree(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ chain: [String], _ identifier: TableIdentifier
    ) throws {
        if let taken = try findPointer(tx, context, at, chain, identifier) {
            throw CatalogError(
                code: .alreadyExists,
                message: "\(taken.kind.rawValue) exists already: \(taken.identifier)")
        }
    }

    /// A place of the table's own: the name for people, the uuid so that a table made again, or two
    /// whose names look alike, never share one.
    func tableLocation(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ namespace: Namespace, _ name: String, _ uuid: String
    ) throws -> String {
        let base: String
        if let own = namespace.properties["location"], own.hasPrefix("s3://") {
            base = own.hasSuffix("/") ? String(own.dropLast()) : own
        } else {
            let root = try tx.text(
                "SELECT location FROM warehouses WHERE tenant = ? AND name = ?", context.tenant,
                at.warehouse)
            base = ([root ?? ""] + namespace.levels.map(Self.plain)).joined(separator: "/")
        }
        return "\(base)/\(Self.plain(name))-\(uuid.filter { $0 != "-" })"
    }

    /// A name as part of a key that needs no escapes anywhere.
    private static func plain(_ name: String) -> String {
        let letters = name.unicodeScalars.prefix(64).map { scalar -> Character in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-": Character(scalar)
            default: "_"
            }
        }
        return String(letters)
    }

    static func checkedLocation(_ location: String) throws -> String {
        var place = location
        while place.hasSuffix("/") { place.removeLast() }
        guard let parsed = ObjectLocation(uri: place + "/"), parsed.key.count > 1 else {
            throw CatalogError(
                code: .invalidRequest,
                message: "a table lies below a bucket, at s3://bucket/path, not at \(location)")
        }
        return place
    }

    /// The number in `00003-….metadata.json`; 0 for other names.
    static func version(of metadataLocation: String) -> Int64 {
        let name = metadataLocation.split(separator: "/").last ?? ""
        return name.split(separator: "-").first.flatMap { Int64($0) } ?? 0
    }
}
