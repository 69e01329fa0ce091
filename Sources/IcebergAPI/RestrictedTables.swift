import Authority
import TableCatalog

extension IcebergCall {
    /// Refuses a table of which the caller sees only a part: with its metadata a client would go to the
    /// files, and bounds, partitions and summaries tell values themselves.
    func requireUnrestricted(_ table: LoadedTable) throws(AccessDenied) {
        guard !table.isUnrestricted else { return }
        throw AccessDenied(
            principal: context.principal.name, action: .objectRead,
            resource: Resource(
                tenant: context.tenant, kind: .table,
                path: [warehouse.warehouse] + table.identifier.namespace
                    + [table.identifier.name]),
            reason: "its files are not handed out to you: \(table.decision.restriction); read it "
                + "with SQL")
    }

    /// The same before a commit, whose answer would be the metadata.
    func requireUnrestricted(_ identifier: TableIdentifier) throws {
        do {
            try requireUnrestricted(try catalog.loadTable(context, warehouse, identifier))
        } catch let error as CatalogError where error.code == .noSuchTable {
            // It comes to be with the commit.
        } catch let error as CatalogError where error.code == .noSuchNamespace {
            // The commit says so in its own words.
        } catch let denied as AccessDenied where denied.action == .tableSelect {
            // Who may write and not read gets the answer to the write.
        }
    }
}
