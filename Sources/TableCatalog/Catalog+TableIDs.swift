package import Authority
import SQLite

/// Tables by the id that they keep under every name.
extension Catalog {
    /// The id of the table at a name; nil: there is no table. Asks for no right: for who has been granted one
    /// to what is kept by the id.
    package func tableUUID(
        _ context: RequestContext, _ at: CatalogReference, _ identifier: TableIdentifier
    ) throws -> String? {
        do {
            return try database.read { tx in
                let pointer = try findPointer(
                    tx, context, at, try chain(tx, context, at), identifier)
                return pointer?.kind == .table ? pointer?.uuid : nil
            }
        } catch let error as CatalogError
            where error.code == .noSuchWarehouse || error.code == .noSuchReference
        { return nil }
    }

    /// Whether a warehouse has the table of an id under any name, on any branch. Asks for no right, and
    /// tells no name.
    package func hasTable(
        _ context: RequestContext, warehouse: String, uuid: String
    ) throws -> Bool {
        try database.read { tx in
            try tx.exists(
                """
                SELECT 1 FROM pointers WHERE tenant = ? AND warehouse = ? AND uuid = ?
                    AND kind = 'table' AND is_dropped = 0
                """, context.tenant, warehouse, uuid)
        }
    }
}
