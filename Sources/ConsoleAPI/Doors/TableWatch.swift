package import Authority
import Iceberg
import SQLite
package import TableCatalog

/// A promise to call; it ends when this is dropped.
package protocol WatchSubscription: AnyObject, Sendable {
    func cancel()
}

/// Tells that tables have new states.
package protocol TableWatch: Sendable {
    /// A text that changes with every commit of the table; nil when there is none, or the principal
    /// may not read it.
    func state(_ context: RequestContext, table: [String]) -> String?

    /// When the table got its states, microseconds UTC, rising: at most the last `limit`. Empty where
    /// there is no table, or the principal may not read it.
    func moments(_ context: RequestContext, table: [String], limit: Int) -> [Int64]

    /// Names of the tags of a warehouse; empty where there are none, or the principal may not use it.
    func tags(_ context: RequestContext, warehouse: String) -> [String]

    /// Calls `wake` after commits, of whatever table, on the committing thread.
    func subscribe(_ wake: @escaping @Sendable () -> Void) -> any WatchSubscription
}

/// Watches the catalog of the appliance.
package struct CatalogTableWatch: TableWatch {
    private let catalog: Catalog

    package init(catalog: Catalog) { self.catalog = catalog }

    package func state(_ context: RequestContext, table: [String]) -> String? {
        guard table.count >= 3 else { return nil }
        return try? catalog.metadataLocation(
            context, CatalogReference(parsing: table[0]),
            TableIdentifier(
                namespace: Array(table[1..<table.count - 1]), name: table[table.count - 1])
        )
    }

    package func moments(
        _ context: RequestContext, table: [String], limit: Int
    ) -> [Int64] {
        guard table.count >= 3,
            let loaded = try? catalog.loadTable(
                context, CatalogReference(parsing: table[0]),
                TableIdentifier(
                    namespace: Array(table[1..<table.count - 1]), name: table[table.count - 1]))
        else { return [] }
        return loaded.metadata.snapshots.suffix(limit).map { $0.timestampMilliseconds * 1000 }
            .sorted()
    }

    package func tags(_ context: RequestContext, warehouse: String) -> [String] {
        let known = try? catalog.references(context, warehouse: warehouse)
        return (known ?? []).filter { $0.kind == .tag }.map(\.at.reference)
    }

    package func subscribe(_ wake: @escaping @Sendable () -> Void) -> any WatchSubscription {
        Subscription(catalog.outbox.signal.subscribe(wake))
    }

    private final class Subscription: WatchSubscription {
        private let inner: OutboxSubscription
        init(_ inner: OutboxSubscription) { self.inner = inner }
        func cancel() { inner.cancel() }
    }
}
