package import Authority
import Iceberg
import ObjectStorage
import SQLite

// Where a table keeps its files is its owner's to say, in `location` and two properties; that they say it
// opens nothing. A right to a table stands for a right to files only in the folder that the catalog chose
// for it, `…/NAME-UUID` below the warehouse, and the uuid is what makes the folder the table's alone.
// Whoever says a place takes the rights to write and delete there along: see `TableHomes.swift` for which
// folders nobody has to say.
extension Catalog {
    /// Those of the table's places whose files are the table's alone: at or below a folder that ends with
    /// its uuid, inside its warehouse, without a place of another table in it.
    package func ownPlaces(
        _ context: RequestContext, _ at: CatalogReference, _ table: LoadedTable
    ) throws -> [String] {
        let own = PlaceOwner(context.tenant, table.metadata.tableUUID, .table)
        return try database.read { tx in
            try table.places.filter { place in
                // A view that lies there is no reason to shut the table's readers out.
                try isMarked(tx, context, at, place, own)
                    && !isTaken(tx, Self.trimmed(place), butBy: own, countsViews: false)
            }
        }
    }

    /// Refuses places where the table's own folder is not, but to those who may write and delete the
    /// files there without any table: for the catalog writes there, and cleans up, for its owner.
    /// The own folder is the one that the catalog chose (`isHome`), or where the table is already.
    /// With a `base`, only what has changed since is looked at.
    func requirePlaces(
        _ context: RequestContext, _ at: CatalogReference, _ metadata: TableMetadata,
        base: TableMetadata? = nil, isHome: Bool = false
    ) throws {
        try requireReadPlaces(context, metadata, base: base)
        let own = PlaceOwner(context.tenant, metadata.tableUUID, .table)
        let place = Self.trimmed(metadata.location)
        if metadata.location != base?.location {
            let known = isHome ? place : base.map { Self.trimmed($0.location) }
            try requirePlace(context, place, of: own, in: known)
        }
        for name in TableMetadata.pathProperties {
            guard let path = metadata.properties[name], path != base?.properties[name] else {
                continue
            }
            try requirePlace(context, Self.trimmed(path), of: own, in: place)
        }
    }

    /// Refuses a view's location as a table's; without a word from the caller (`isHome`) it is the
    /// catalog's choice, or a folder that ends with the view's uuid.
    func requirePlace(
        _ context: RequestContext, _ at: CatalogReference, of view: ViewMetadata, isHome: Bool
    ) throws {
        let own = PlaceOwner(context.tenant, view.uuid, .view)
        let place = Self.trimmed(view.location)
        try requirePlace(context, place, of: own, in: isHome ? place : nil)
    }

    /// Whether a view lies in a folder that ends with its uuid, inside its warehouse.
    func isHome(
        _ context: RequestContext, _ at: CatalogReference, of view: ViewMetadata
    ) throws -> Bool {
        let own = PlaceOwner(context.tenant, view.uuid, .view)
        return try database.read { tx in
            try isMarked(tx, context, at, view.location, own)
        }
    }

    /// A place in a folder that the owner has already is theirs, unless somebody else has it.
    private func requirePlace(
        _ context: RequestContext, _ place: String, of own: PlaceOwner, in folder: String?
    ) throws {
        if let folder, (place + "/").hasPrefix(folder + "/"),
            try !database.read({ tx in try isTaken(tx, place, butBy: own, upTo: folder) })
        {
            return
        }
        try requireFileRights(context, place)
    }

    /// What of a place is below the warehouse's own; nil: it lies elsewhere.
    func inside(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference, _ place: String
    ) throws -> Substring? {
        let root = try tx.text(
            "SELECT location FROM warehouses WHERE tenant = ? AND name = ?", context.tenant,
            at.warehouse)
        let place = Self.trimmed(place)
        guard let folder = root.map(Self.folder), place.hasPrefix(folder) else { return nil }
        return place.dropFirst(folder.count)
    }

    /// Whether a place is at or below a folder of the warehouse that ends with the owner's uuid.
    private func isMarked(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference, _ place: String,
        _ own: PlaceOwner
    ) throws -> Bool {
        guard let mark = own.mark, let inside = try inside(tx, context, at, place) else {
            return false
        }
        return inside.split(separator: "/").contains { $0.hasSuffix(mark) }
    }

    func requireFileRights(_ context: RequestContext, _ place: String) throws {
        try requireObjects(context, .objectWrite, place + "/")
        try requireObjects(context, .objectDelete, place + "/")
    }

    /// Throws unless the caller's own grants allow it with the files at a place.
    func requireObjects(_ context: RequestContext, _ action: Action, _ place: String) throws {
        let found = ObjectLocation(uri: place)
        try authorizer.require(
            context, action,
            Resource(
                tenant: context.tenant, kind: .object,
                path: found.map { [$0.bucket, $0.key] } ?? [place]))
    }

    /// Whether a table or view of another owner, there or dropped, is at a place or below it, or has its
    /// data or metadata there; or is in a folder above it, as far as `upTo` (none: only the place itself).
    func isTaken(
        _ tx: ReadTransaction, _ place: String, butBy own: PlaceOwner, upTo: String? = nil,
        countsViews: Bool = true
    ) throws -> Bool {
        func isFound(_ condition: String, _ first: String, _ second: String) throws -> Bool {
            let other = "NOT (tenant = ?1 AND uuid = ?2 AND kind = ?3) AND \(condition)"
            let kinds = countsViews ? "" : "AND kind = 'table'"
            return try tx.exists(
                """
                SELECT 1 FROM pointers WHERE is_dropped = 0 AND \(other) \(kinds)
                UNION ALL SELECT 1 FROM dropped WHERE \(other) \(kinds)
                UNION ALL SELECT 1 FROM places
                WHERE NOT (tenant = ?1 AND uuid = ?2 AND ?3 = 'table') AND \(condition)
                  AND \(Self.hasTable)
                """, own.tenant, own.uuid, own.kind.rawValue, first, second)
        }
        // What is below begins with the place and a slash; a zero is the letter after the slash.
        if try isFound("location >= ?4 AND location < ?5", place + "/", place + "0") { return true }
        let top = upTo ?? place
        var above: Substring? = place[...]
        while let folder = above, folder.utf8.count > "s3://".utf8.count,
            folder.utf8.count >= top.utf8.count
        {
            if try isFound("location IN (?4, ?5)", String(folder), folder + "/") { return true }
            above = folder.lastIndex(of: "/").map { folder[..<$0] }
        }
        return false
    }

    /// Whether the table of a row of `places` is there, or can be had back.
    static let hasTable = """
        (EXISTS (SELECT 1 FROM pointers t WHERE t.tenant = places.tenant AND t.uuid = places.uuid
                   AND t.kind = 'table' AND t.is_dropped = 0)
         OR EXISTS (SELECT 1 FROM dropped t WHERE t.tenant = places.tenant AND t.uuid = places.uuid
                      AND t.kind = 'table'))
        """

    /// A place in one spelling, without a slash at its end.
    static func trimmed(_ place: String) -> String { String(folder(place).dropLast()) }
}

/// Who has a place: rows of the same owner do not take it from them.
struct PlaceOwner {
    var tenant: String
    var uuid: String
    var kind: EntryKind

    init(_ tenant: String, _ uuid: String, _ kind: EntryKind) {
        self.tenant = tenant
        self.uuid = uuid
        self.kind = kind
    }

    /// What a folder of the owner's own ends with; nil for a uuid that is none.
    var mark: String? {
        let digits = uuid.lowercased().filter { $0 != "-" }
        let isWhole =
            digits.utf8.count == 32
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return isWhole ? "-" + digits : nil
    }
}
