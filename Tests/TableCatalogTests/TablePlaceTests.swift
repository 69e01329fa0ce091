import Authority
import Iceberg
import ObjectStorage
import SQLite
import TableCatalog
import Testing

/// Which of a table's places are its alone, and who may lay one over another's.
struct TablePlaceTests {
    /// Everything but what is done with objects, and listing whole warehouses.
    private struct NoObjects: Authorizer {
        func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
            let isDenied =
                resource.kind == .object
                || (action == .namespaceList && resource.kind == .warehouse)
            return Decision(isAllowed: !isDenied, reason: "test")
        }
    }

    private func create(
        _ bench: Bench, _ name: String, at location: String? = nil,
        _ properties: [String: String] = [:]
    ) throws -> LoadedTable {
        try bench.catalog.createTable(
            bench.context, bench.at, namespace: ["sales"],
            TableCreation(
                name: name, schema: Bench.schema, properties: properties, location: location))
    }

    private func own(_ bench: Bench, _ table: LoadedTable) throws -> [String] {
        try bench.catalog.ownPlaces(bench.context, bench.at, table)
    }

    @Test func onlyTheFolderThatTheCatalogChoseIsATablesOwn() throws {
        let bench = try Bench(store: MemoryObjectStore(buckets: ["silver", "gold"]))
        defer { bench.close() }
        try bench.prepare()
        let usual = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        #expect(try own(bench, usual) == [usual.metadata.location])
        for place in [
            "s3://silver/mine", "s3://gold/x", "s3://silver/sales/Orders",
            usual.metadata.location + "/data",
        ] {
            let name = "t\(place.utf8.count)"
            #expect(try own(bench, create(bench, name, at: place)) == [], "\(place)")
        }
        for place in ["s3://silver", "s3://gold", "s3://silver/sales", usual.metadata.location] {
            let table = try create(bench, "p\(place.utf8.count)", ["write.data.path": place])
            #expect(try own(bench, table) == [table.metadata.location], "\(place)")
        }
        // One that lies in another's folder: what is in it is no longer the folder's owner's alone.
        #expect(try own(bench, usual) == [])
    }

    @Test func aTableThatItsFirstCommitMakesHasAFolderOfItsOwn() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let staged = try bench.catalog.createTable(
            bench.context, bench.at, namespace: ["sales"],
            TableCreation(name: "staged", schema: Bench.schema), isStaged: true)
        #expect(try own(bench, staged) == [staged.metadata.location])
        let made = try bench.catalog.commit(
            bench.context, bench.at,
            TableCommit(
                identifier: TableIdentifier(namespace: ["sales"], name: "made"),
                requirements: [.assertCreate],
                updates: [
                    .addSchema(Bench.schema, lastColumnID: 9), .setCurrentSchema(-1),
                    .addSpec(.unpartitioned, hasFieldIDs: true), .setDefaultSpec(-1),
                    .addSortOrder(.unsorted), .setDefaultSortOrder(-1),
                ]))
        #expect(try own(bench, made) == [made.metadata.location])
    }

    @Test func aPlaceOfAnotherTableWantsARightToItsObjects() throws {
        let bench = try Bench(authorizer: NoObjects())
        defer { bench.close() }
        try bench.prepare()
        let place = try bench.catalog.loadTable(bench.context, bench.at, bench.table).metadata
            .location
        for taken in [place, place + "/data", "s3://silver/sales"] {
            #expect(throws: AccessDenied.self, "\(taken)") {
                try create(bench, "over", at: taken)
            }
        }
        for free in ["s3://silver/free", place + "0", "s3://silver/sale-of"] {
            _ = try create(bench, "free\(free.utf8.count)", at: free)
        }
        _ = try bench.catalog.dropTable(bench.context, bench.at, bench.table, purge: false)
        #expect(throws: AccessDenied.self) { try create(bench, "over", at: place) }
    }

    @Test func aListingThatCannotBeReadIsNoEmptyOne() throws {
        let bench = try Bench(authorizer: NoObjects())
        defer { bench.close() }
        try bench.prepare()
        let page = try bench.catalog.listNamespaces(bench.context, bench.at)
        #expect(page.elements.count == 1)
        bench.catalog.close()
        #expect(throws: SQLiteError.self) {
            try bench.catalog.listNamespaces(bench.context, bench.at)
        }
    }
}
