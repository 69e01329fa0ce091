import Authority
import SQLite

/// What a listing shows to those who have rights to a part of a place: that part.
extension Catalog {
    /// Whether the caller may list all of the place; false: what they may find in it. Throws for who has
    /// no way into the warehouse at all.
    func requireListing(
        _ context: RequestContext, _ action: Action, _ place: Resource
    ) throws -> Bool {
        if listing.decide(context, action, place).isAllowed {
            try authorizer.require(context, action, place)
            return true
        }
        // A role that was let into one schema or one table sees it; others hear that they may not.
        let hasWay =
            try place.kind == .warehouse
            ? listing.decide(context, .warehouseUse, place).isAllowed
                && (try mayListAnything(context, place))
            : listing.decide(context, .namespaceList, place).isAllowed
        if !hasWay { try authorizer.require(context, action, place) }
        return false
    }

    /// Whether a namespace is shown.
    func mayList(_ context: RequestContext, _ namespace: Resource) -> Bool {
        listing.decide(context, .namespaceList, namespace).isAllowed
    }

    /// Whether a table or view is shown: to those who may do anything with it.
    func mayFind(_ context: RequestContext, _ entry: Resource) -> Bool {
        let actions: [Action] = [
            .tableSelect, .tableInsert, .tableUpdate, .tableDelete, .tableAlter, .tableDrop,
        ]
        return actions.contains { listing.decide(context, $0, entry).isAllowed }
    }

    /// Whether any namespace of the warehouse, in any branch, is shown to the caller.
    private func mayListAnything(_ context: RequestContext, _ warehouse: Resource) throws -> Bool {
        let paths = try database.read { tx in
            try tx.query(
                "SELECT DISTINCT path FROM namespaces WHERE tenant = ? AND warehouse = ?",
                context.tenant, warehouse.path[0]
            ) { $0.string(0).levels }
        }
        return paths.contains {
            mayList(
                context,
                Resource(
                    tenant: context.tenant, kind: .namespace, path: [warehouse.path[0]] + $0))
        }
    }
}
