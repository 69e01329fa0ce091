import Authority
import Iceberg
import ObjectStorage
import SQLite

// A table's home is the folder that the catalog chose for it, with a uuid that the catalog made: nobody
// needs a right to its files to have a table there, since nothing can be in it. A uuid that a client brings
// leads to no home, for it may be one that had a folder before, unless the catalog gave it out for this
// very table: what was staged is remembered until its first commit.

/// Where the catalog puts a table or view that no one says a place for.
struct TableHome {
    var location: String
    /// Whether nobody has to be asked: it lies inside the warehouse, in nobody's folder.
    var isOwn: Bool
}

extension TableHome {
    /// What was found to be nobody else's when the table was staged.
    init(_ staged: StagedTable) { self.init(location: staged.location, isOwn: true) }
}

/// A table in the making: the catalog's uuid, and the home that it chose.
struct StagedTable {
    var uuid: String
    var location: String
}

extension Catalog {
    func home(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference,
        _ namespace: Namespace, _ name: String, _ uuid: String
    ) throws -> TableHome {
        let location = try tableLocation(tx, context, at, namespace, name, uuid)
        guard Self.place(of: namespace.properties) != nil else {
            return TableHome(location: location, isOwn: true)
        }
        // Somebody has said where the namespace lies, maybe before a table came to be there.
        let own = PlaceOwner(context.tenant, uuid, .table)
        let isOwn =
            try inside(tx, context, at, location) != nil
            && !isTaken(tx, Self.trimmed(location), butBy: own, upTo: "")
        return TableHome(location: location, isOwn: isOwn)
    }

    /// Where a namespace wants its tables; nil: where the catalog puts them.
    static func place(of properties: [String: String]) -> String? {
        guard let place = properties["location"], place.hasPrefix("s3://") else { return nil }
        return place.hasSuffix("/") ? String(place.dropLast()) : place
    }

    /// Refuses a place for a namespace's tables to who may not write there, and one in a table's folder.
    func requirePlace(
        _ context: RequestContext, ofNamespace properties: [String: String], before: String? = nil
    ) throws {
        guard let place = Self.place(of: properties), properties["location"] != before else {
            return
        }
        let folder = Self.trimmed(place)
        try requireFileRights(context, folder)
        let isTaken = try database.read { tx in try hasTable(tx, around: folder) }
        if isTaken {
            throw CatalogError(
                code: .invalidRequest,
                message: "the location \(place) is in the folder of a table or view",
                hint: "name a folder that none has")
        }
    }

    /// Whether a table or view has a place for its own, or one above it.
    private func hasTable(_ tx: ReadTransaction, around place: String) throws -> Bool {
        var above: Substring? = place[...]
        while let folder = above, folder.utf8.count > "s3://".utf8.count {
            let isFound = try tx.exists(
                """
                SELECT 1 FROM pointers WHERE is_dropped = 0 AND location IN (?1, ?2)
                UNION ALL SELECT 1 FROM dropped WHERE location IN (?1, ?2)
                """, String(folder), folder + "/")
            if isFound { return true }
            above = folder.lastIndex(of: "/").map { folder[..<$0] }
        }
        return false
    }

    // MARK: Staged tables

    /// Remembers a home for the caller's first commit of the table.
    func stage(
        _ context: RequestContext, _ at: CatalogReference, _ table: StagedTable
    ) throws {
        try database.writeGrouped { tx in
            try tx.run(
                "DELETE FROM staged WHERE at_us < ?",
                tx.nowMicroseconds - Limits.stagedDays * 86_400_000_000)
            try tx.run(
                """
                INSERT INTO staged (tenant, uuid, warehouse, location, principal, at_us)
                VALUES (?, ?, ?, ?, ?, ?)
                """, context.tenant, table.uuid, at.warehouse, table.location,
                context.principal.id, tx.nowMicroseconds)
        }
    }

    /// What the caller staged under a uuid, or at a location.
    func staged(
        _ tx: ReadTransaction, _ context: RequestContext, _ at: CatalogReference, uuid: String?,
        location: String?
    ) throws -> StagedTable? {
        try tx.first(
            """
            SELECT uuid, location FROM staged
            WHERE tenant = ?1 AND warehouse = ?2 AND principal = ?3
              AND (uuid = ?4 OR ?4 IS NULL) AND (location = ?5 OR ?5 IS NULL)
              AND NOT (?4 IS NULL AND ?5 IS NULL)
            """, context.tenant, at.warehouse, context.principal.id, uuid, location,
            row: { StagedTable(uuid: $0.string(0), location: $0.string(1)) })
    }

    // MARK: Uuids

    /// Refuses a new table's uuid that any table or view of the tenant has, in whichever warehouse, or that
    /// one has that can be had back: tags, contracts and folders go by it.
    func claim(_ tx: WriteTransaction, _ context: RequestContext, _ uuid: String) throws {
        let isKnown = try tx.exists(
            """
            SELECT 1 FROM pointers WHERE tenant = ?1 AND uuid = ?2
            UNION ALL SELECT 1 FROM dropped WHERE tenant = ?1 AND uuid = ?2
            """, context.tenant, uuid)
        guard !isKnown else { throw Self.taken(uuid) }
        try tx.run("DELETE FROM staged WHERE tenant = ? AND uuid = ?", context.tenant, uuid)
    }

    /// Refuses the uuid of a table that can be had back for one that was never that table: what was dropped
    /// and is registered again lies where it lay.
    func requireSameDropped(
        _ tx: ReadTransaction, _ context: RequestContext, _ uuid: String, at location: String
    ) throws {
        let places = try tx.query(
            "SELECT location FROM dropped WHERE tenant = ? AND uuid = ?", context.tenant, uuid
        ) { Self.folder($0.string(0)) }
        if !places.isEmpty, !places.contains(Self.folder(location)) { throw Self.taken(uuid) }
    }

    /// Refuses a view's uuid that is a table's, or another view's.
    func requireOnlyView(
        _ tx: ReadTransaction, _ context: RequestContext, _ uuid: String
    ) throws {
        let isKnown = try tx.exists(
            """
            SELECT 1 FROM pointers WHERE tenant = ?1 AND uuid = ?2 AND is_dropped = 0
            UNION ALL SELECT 1 FROM dropped WHERE tenant = ?1 AND uuid = ?2 AND kind = 'table'
            """, context.tenant, uuid)
        if isKnown { throw Self.taken(uuid) }
    }

    private static func taken(_ uuid: String) -> CatalogError {
        CatalogError(
            code: .alreadyExists, message: "the uuid \(uuid) is of a table that exists already",
            hint: "leave the uuid to the catalog, which makes one for each table")
    }

    /// Refuses a uuid from a client that is spelled otherwise than uuids are: what names a table has one
    /// spelling.
    static func check(uuid: String) throws(CatalogError) {
        let parts = uuid.split(separator: "-", omittingEmptySubsequences: false)
        let isDigits = uuid.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == 0x2D
        }
        guard isDigits, parts.map(\.utf8.count) == [8, 4, 4, 4, 12] else {
            throw CatalogError(
                code: .invalidRequest,
                message: "a table's uuid is written in lower case, as "
                    + "f47ac10b-58cc-4372-a567-0e02b2c3d479, not \(uuid)")
        }
    }

    // MARK: Places besides the location

    /// Remembers where a table has files besides its location, as long as the table can be had.
    func note(
        _ tx: WriteTransaction, tenant: String, _ metadata: TableMetadata, was: String? = nil
    ) throws {
        let location = Self.folder(metadata.location)
        for place in metadata.places + [was].compactMap({ $0 }) {
            let folder = Self.folder(place)
            // The location itself is in the pointer; it is noted where it is spelled otherwise there.
            let isKnown =
                folder == location
                ? Self.trimmed(place) == place || place == folder : folder.hasPrefix(location)
            if isKnown { continue }
            try tx.run(
                "INSERT OR IGNORE INTO places (tenant, uuid, location) VALUES (?, ?, ?)", tenant,
                metadata.tableUUID, Self.trimmed(place))
        }
    }

    /// Looks at the tables of a catalog from before places were noted.
    func placeTablesOfBefore() throws {
        let waiting = try database.read { tx in
            try tx.query("SELECT metadata_location, tenant FROM unplaced") {
                ($0.string(0), $0.string(1))
            }
        }
        if waiting.isEmpty { return }
        var found: [(file: String, tenant: String, metadata: TableMetadata?)] = []
        for (file, tenant) in waiting {
            do { found.append((file, tenant, try metadata(at: file).metadata)) } catch {
                // Nobody can read a damaged table's files; what cannot be read today may be tomorrow.
                if let error = error as? CatalogError, error.code != .corruptTable { continue }
                found.append((file, tenant, nil))
            }
        }
        try database.write { tx in
            for (file, tenant, metadata) in found {
                if let metadata { try note(tx, tenant: tenant, metadata) }
                try tx.run("DELETE FROM unplaced WHERE metadata_location = ?", file)
            }
        }
    }
}
