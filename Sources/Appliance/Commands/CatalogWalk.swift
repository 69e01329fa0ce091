import Authority
import TableCatalog

/// Goes through every table of a warehouse, nested namespaces included.
struct CatalogReferenceOf {
    let reference: CatalogReference

    init(_ warehouse: String) { reference = CatalogReference(warehouse: warehouse) }

    /// Calls `body` for each table; what cannot be listed is passed over.
    func forEachTable(
        _ appliance: Appliance, _ context: RequestContext, _ body: (TableIdentifier) -> Void
    ) {
        var open: [[String]] = [[]]
        while let parent = open.popLast() {
            let children = try? appliance.catalog.listNamespaces(context, reference, parent: parent)
            open += children?.elements ?? []
            guard !parent.isEmpty else { continue }
            let tables = try? appliance.catalog.listTables(context, reference, parent)
            tables?.elements.forEach(body)
        }
    }
}
