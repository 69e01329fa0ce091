import Authority
import ConsoleAPI
import Foundation
import Iceberg
import ObjectStorage
import Platform
import Synchronization
import TableCatalog
import Testing

/// The adapters over a real catalog in memory and a directory of its own.
@Suite struct CatalogBrowserTests {
    private let catalog: Catalog
    private let context = RequestContext(principal: .system, requestID: "r1", door: .console)
    private let at = CatalogReference(warehouse: "silver")

    init() throws {
        let folder = NSTemporaryDirectory() + "console-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        catalog = try Catalog(
            databasePath: folder + "/catalog.sqlite",
            store: MemoryObjectStore(buckets: ["silver"]), authorizer: FakeAuthorizer(),
            clock: FixedClock(), entropy: SeededEntropy(seed: 4))
        try catalog.createWarehouse(context, name: "silver", location: "s3://silver/")
        try catalog.createNamespace(context, at, ["banking"])
        var creation = TableCreation(
            name: "transactions",
            schema: Schema(fields: [
                NestedField(id: 1, name: "id", isRequired: true, type: .primitive(.long)),
                NestedField(
                    id: 2, name: "amount", isRequired: false,
                    type: .primitive(.decimal(precision: 12, scale: 2)), doc: "in euros"),
                NestedField(id: 3, name: "day", isRequired: false, type: .primitive(.date)),
            ]))
        creation.spec = PartitionSpec(
            specID: 0,
            fields: [.init(sourceID: 3, fieldID: 1000, name: "day_month", transform: .month)])
        _ = try catalog.createTable(context, at, namespace: ["banking"], creation)
    }

    @Test("A table is shown as the catalog has it")
    func table() throws {
        let browser = TableCatalogBrowser(catalog: catalog)
        #expect(try browser.warehouses(context).map(\.name) == ["silver"])
        #expect(try browser.namespaces(context, warehouse: "silver").names == [["banking"]])
        let namespace = try browser.namespace(context, warehouse: "silver", levels: ["banking"])
        #expect(namespace.tables.names == ["transactions"])
        let table = try browser.table(
            context, warehouse: "silver", levels: ["banking"], name: "transactions")
        #expect(table.columns.map(\.type) == ["bigint", "decimal(12,2)", "date"])
        #expect(table.columns[1].doc == "in euros" && table.columns[0].isRequired)
        #expect(table.partitioning == ["month(day)"])
        #expect(table.files == .listed([], hasMore: false))
        #expect(table.viewSQL == nil)
    }

    @Test("What is not there throws the catalog's fault")
    func missing() throws {
        let browser = TableCatalogBrowser(catalog: catalog)
        let error = #expect(throws: CatalogError.self) {
            _ = try browser.table(context, warehouse: "silver", levels: ["banking"], name: "none")
        }
        #expect(error?.code == .noSuchTable)
        #expect(
            browser.freshness(context, warehouse: "silver", levels: ["banking"], name: "none")
                == nil)
    }

    @Test("A commit wakes the watch and gives the table another state")
    func watch() throws {
        let watch = CatalogTableWatch(catalog: catalog)
        let name = ["silver", "banking", "transactions"]
        let before = try #require(watch.state(context, table: name))
        let wakes = WakeCount()
        let subscription = watch.subscribe { wakes.raise() }
        _ = try catalog.commit(
            context, at,
            TableCommit(
                identifier: TableIdentifier(namespace: ["banking"], name: "transactions"),
                requirements: [], updates: [.setProperties(["owner": "ada"])]))
        #expect(wakes.value > 0)
        #expect(watch.state(context, table: name) != before)
        #expect(watch.state(context, table: ["silver", "banking", "none"]) == nil)
        #expect(watch.state(context, table: ["silver"]) == nil)
        subscription.cancel()
    }
}

private final class WakeCount: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func raise() { count.add(1, ordering: .relaxed) }
}
