package import Authority
package import Iceberg
package import ObjectStorage

/// Which files a reader of a table is shown.
///
/// Metadata, manifest lists and manifests name files by their whole paths, and whoever may commit writes
/// them. The appliance reads with rights of its own: without this rule a table could name another's files,
/// and be read in their place. So a file of a table lies in a place of the table, which takes rights to
/// files to say (see `TablePlaces.swift`), or its reader has a right of their own to the object.
package struct TableFileRule: Sendable {
    /// Folders, as keys that end with a slash.
    private let places: [ObjectLocation]
    private let table: String
    private let mayRead: @Sendable (ObjectLocation) -> Bool

    init(
        _ metadata: TableMetadata, named table: String,
        mayRead: @escaping @Sendable (ObjectLocation) -> Bool
    ) {
        places = (metadata.places + metadata.readPlaces).compactMap { place in
            ObjectLocation(uri: place.hasSuffix("/") ? place : place + "/")
        }
        self.table = table
        self.mayRead = mayRead
    }

    /// Whether the reader is shown a file.
    package func admits(_ file: ObjectLocation) -> Bool {
        for place in places
        where place.bucket == file.bucket && file.key.utf8.starts(with: place.key.utf8) {
            return true
        }
        return mayRead(file)
    }

    /// Throws `.foreignFile` for a file that the reader is not shown; what is in no object store is left to
    /// who opens it.
    package func require(_ file: ObjectLocation) throws(IcebergError) {
        if admits(file) { return }
        throw IcebergError(
            code: .foreignFile,
            message: "table \(table) names a file outside of its own places: \(file)",
            hint:
                "who may read the object can read it here; somebody with rights to the folder lets "
                + "all readers of the table in with its property \(Catalog.readPlacesProperty)")
    }

    /// The same for a path as metadata has it.
    package func require(_ path: String) throws(IcebergError) {
        if let file = ObjectLocation(uri: path) { try require(file) }
    }

    /// The same for everything that a task reads.
    package func require(_ task: FileScanTask) throws(IcebergError) {
        try require(task.file.path)
        for file in task.positionDeletes { try require(file.path) }
        for file in task.equalityDeletes { try require(file.path) }
    }

    /// The source, without manifest lists and manifests that the reader is not shown.
    package func guarding(_ source: ManifestSource) -> ManifestSource {
        source.guarded { path throws(IcebergError) in try require(path) }
    }
}

extension Catalog {
    /// Folders besides a table's own where its readers may read files that it names: `s3://…`, parted by
    /// commas. To name one takes a right to read it. A table that is given another location keeps the
    /// former one here.
    package static let readPlacesProperty = "lakehouse.read-places"

    /// What the caller is shown of the files that a table names. The appliance itself, which works for no
    /// one person, is shown those in the table's places alone: what it reads there it may write there.
    package func fileRule(
        _ context: RequestContext, _ identifier: TableIdentifier, _ metadata: TableMetadata
    ) -> TableFileRule {
        let listing = listing
        return TableFileRule(metadata, named: "\(identifier)") { file in
            if context.principal.kind == .system { return false }
            return listing.decide(
                context, .objectRead,
                Resource(tenant: context.tenant, kind: .object, path: [file.bucket, file.key])
            ).isAllowed
        }
    }

    /// The manifests of a table as the caller is shown them.
    package func manifests(
        _ context: RequestContext, of table: LoadedTable
    ) -> ManifestSource {
        fileRule(context, table.identifier, table.metadata).guarding(manifests)
    }

    /// Refuses folders that the caller may not read.
    func requireReadPlaces(
        _ context: RequestContext, _ metadata: TableMetadata, base: TableMetadata?
    ) throws {
        let known = Set((base?.places ?? []) + (base?.readPlaces ?? []))
        for place in metadata.readPlaces where !known.contains(place) {
            guard ObjectLocation(uri: place + "/") != nil else {
                throw CatalogError(
                    code: .invalidRequest,
                    message: "\(Self.readPlacesProperty) names places at s3://…, not \(place)")
            }
            try requireObjects(context, .objectRead, place + "/")
        }
    }
}

extension TableMetadata {
    /// The folders of `lakehouse.read-places`, without a slash at the end.
    var readPlaces: [String] {
        guard let text = properties[Catalog.readPlacesProperty] else { return [] }
        return text.split(separator: ",").map { part in
            var place = part.drop { $0 == " " }
            while place.hasSuffix(" ") || place.hasSuffix("/") { place.removeLast() }
            return String(place)
        }.filter { !$0.isEmpty }
    }

    /// The metadata with the places among those to read that `base` had for its own and this has not: its
    /// files are there still.
    func keepingPlaces(of base: TableMetadata) -> TableMetadata {
        guard !base.snapshots.isEmpty else { return self }
        func trimmed(_ place: String) -> String {
            var place = place
            while place.hasSuffix("/") { place.removeLast() }
            return place
        }
        var known = (places + readPlaces).map(trimmed)
        var added: [String] = []
        for place in base.places.map(trimmed)
        where !known.contains(where: { place == $0 || place.hasPrefix($0 + "/") }) {
            known.append(place)
            added.append(place)
        }
        if added.isEmpty { return self }
        var copy = self
        copy.properties[Catalog.readPlacesProperty] = (readPlaces + added).joined(separator: ",")
        return copy
    }
}
