package import Authority
import Iceberg
import ObjectStorage
import SQLite

// Where a table keeps its files is its owner's to say, in `location` and two properties; that they say it
// opens nothing. A right to a table stands for a right to files only in the folder that the catalog chose
// for it, `…/NAME-UUID` below the warehouse, and the uuid is what makes the folder the table's alone.
extension Catalog {
    /// Those of the table's places whose files are the table's alone: at or below a folder that ends with
    /// its uuid, inside its warehouse, without a place of another table in it.
    package func ownPlaces(
        _ context: RequestContext, _ at: CatalogReference, _ table: LoadedTable
    ) throws -> [String] {
        guard let mark = Self.mark(of: table.metadata.tableUUID) else { return [] }
        return try database.read { tx in
            let root = try tx.text(
                "SELECT location FROM warehouses WHERE tenant = ? AND name = ?", context.tenant,
                at.warehouse)
            guard let root else { return [] }
            return try table.places.filter { place in
                let place = Self.trimmed(place)
                guard place.hasPrefix(root + "/") else { return false }
                let levels = place.dropFirst(root.count + 1).split(
                    separator: "/", omittingEmptySubsequences: false)
                guard levels.contains(where: { $0.hasSuffix(mark) }) else { return false }
                return try !isTaken(tx, place, butBy: table.metadata.tableUUID, alsoAbove: false)
            }
        }
    }

    /// Refuses places where the table's own folder is not, but to those who may write and delete the
    /// files there without any table: for the catalog writes there, and cleans up, for its owner.
    /// That is what a location outside of the warehouse is, one that touches another table's, one for
    /// a uuid that another table has, and a path for data or metadata that is not below the location.
    /// With a `base`, only what has changed since is looked at; `isHome`: the catalog chose the location.
    func requirePlaces(
        _ context: RequestContext, _ at: CatalogReference, _ metadata: TableMetadata,
        base: TableMetadata? = nil, isHome: Bool = false
    ) throws {
        try requireReadPlaces(context, metadata, base: base)
        let place = Self.trimmed(metadata.location)
        for name in ["write.data.path", "write.metadata.path"] {
            guard let path = metadata.properties[name], path != base?.properties[name],
                !(Self.trimmed(path) + "/").hasPrefix(place + "/")
            else { continue }
            try requireFileRights(context, Self.trimmed(path))
        }
        guard metadata.location != base?.location else { return }
        guard try isInside(context, at, place) else {
            return try requireFileRights(context, place)
        }
        if isHome { return }
        let uuid = metadata.tableUUID
        let isFree = try database.read { tx in
            if base == nil {
                let isKnown = try tx.exists(
                    """
                    SELECT 1 FROM pointers WHERE tenant = ?1 AND uuid = ?2
                    UNION ALL SELECT 1 FROM dropped WHERE tenant = ?1 AND uuid = ?2
                    """, context.tenant, uuid)
                if isKnown { return false }
            }
            return try !isTaken(tx, place, butBy: uuid, alsoAbove: true)
        }
        if !isFree { try requireFileRights(context, place) }
    }

    /// Refuses a view's location outside of its warehouse as a table's.
    func requirePlace(
        _ context: RequestContext, _ at: CatalogReference, ofView location: String
    ) throws {
        let place = Self.trimmed(location)
        if try !isInside(context, at, place) { try requireFileRights(context, place) }
    }

    private func isInside(
        _ context: RequestContext, _ at: CatalogReference, _ place: String
    ) throws -> Bool {
        let root = try database.read { tx in
            try tx.text(
                "SELECT location FROM warehouses WHERE tenant = ? AND name = ?", context.tenant,
                at.warehouse)
        }
        return root.map { place.hasPrefix(Self.trimmed($0) + "/") } ?? false
    }

    private func requireFileRights(_ context: RequestContext, _ place: String) throws {
        try requireObjects(context, .objectWrite, place)
        try requireObjects(context, .objectDelete, place)
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

    /// Whether another table, there or dropped, is at a place or below it, or above it.
    private func isTaken(
        _ tx: ReadTransaction, _ place: String, butBy uuid: String, alsoAbove: Bool
    ) throws -> Bool {
        func isFound(_ condition: String, _ first: String, _ second: String) throws -> Bool {
            try tx.exists(
                """
                SELECT 1 FROM pointers WHERE is_dropped = 0 AND uuid <> ?1 AND \(condition)
                UNION ALL SELECT 1 FROM dropped WHERE uuid <> ?1 AND \(condition)
                """, uuid, first, second)
        }
        // What is below begins with the place and a slash; a zero is the letter after the slash.
        if try isFound("location >= ?2 AND location < ?3", place + "/", place + "0") { return true }
        var above: Substring? = place[...]
        while let folder = above, folder.utf8.count > "s3://".utf8.count {
            if try isFound("location IN (?2, ?3)", String(folder), folder + "/") { return true }
            above = alsoAbove ? folder.lastIndex(of: "/").map { folder[..<$0] } : nil
        }
        return false
    }

    /// What a folder of the table's own ends with; nil for a uuid that is none.
    private static func mark(of uuid: String) -> String? {
        let digits = uuid.lowercased().filter { $0 != "-" }
        let isWhole =
            digits.utf8.count == 32
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return isWhole ? "-" + digits : nil
    }

    private static func trimmed(_ place: String) -> String {
        var place = place
        while place.hasSuffix("/") { place.removeLast() }
        return place
    }
}
