import Iceberg
import ObjectStorage
import SQLite

// What a purge leaves alone: a place that others have stays as a whole until they are gone, and of a place
// that is the dropped table's alone every file that another table leads to.
extension Catalog {
    /// Whether another table or view, there or to be had back, lies at a place, in it or around it, or keeps
    /// its data or metadata at the place or in it.
    func isUsed(_ tx: ReadTransaction, _ location: String) throws -> Bool {
        let isAround = try ["pointers WHERE is_dropped = 0 AND", "dropped WHERE"].contains {
            place in
            try tx.exists(
                """
                SELECT 1 FROM \(place) location != ''
                  AND (location = ?1 OR substr(location, 1, length(?1) + 1) = ?1 || '/'
                    OR substr(?1, 1, length(location) + 1) = location || '/')
                """, location)
        }
        if isAround { return true }
        let place = Self.trimmed(location)
        return try tx.exists(
            """
            SELECT 1 FROM places
            WHERE (location = ?1 OR (location >= ?1 || '/' AND location < ?1 || '0'))
              AND \(Self.hasTable)
            """, place)
    }

    /// Files below a place that other tables have: such as those that a table names outside of its own
    /// places, and those of tables whose data or metadata go to a folder around the place.
    func filesOfOthers(below location: String) throws -> Set<ObjectLocation> {
        var files = try foreignFiles.locations(in: self)
        let place = Self.trimmed(location)
        let around = try database.read { tx in
            try tx.query(
                """
                WITH tables AS (
                    SELECT DISTINCT tenant, uuid FROM places
                    WHERE substr(?1, 1, length(location) + 1) = location || '/')
                SELECT metadata_location FROM pointers JOIN tables USING (tenant, uuid)
                WHERE kind = 'table' AND is_dropped = 0
                UNION
                SELECT metadata_location FROM dropped JOIN tables USING (tenant, uuid)
                WHERE kind = 'table'
                """, place
            ) { $0.string(0) }
        }
        var reachable = ReachableFiles()
        for file in around {
            try reachable.add(try metadata(at: file).metadata, at: file, from: manifests)
        }
        files.formUnion(reachable.locations)
        return files
    }
}
