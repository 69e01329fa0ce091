import Authority
import Iceberg
import JSON
import ObjectStorage
import SQLite
import Synchronization
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

    private static func creation(uuid: String? = nil, location: String? = nil) -> [TableUpdate] {
        (uuid.map { [.assignUUID($0)] } ?? []) + (location.map { [.setLocation($0)] } ?? []) + [
            .addSchema(Bench.schema, lastColumnID: 9), .setCurrentSchema(-1),
            .addSpec(.unpartitioned, hasFieldIDs: true), .setDefaultSpec(-1),
            .addSortOrder(.unsorted), .setDefaultSortOrder(-1),
        ]
    }

    @discardableResult
    private func commit(
        _ bench: Bench, _ name: String, at: CatalogReference? = nil, _ updates: [TableUpdate]
    ) throws -> LoadedTable {
        try bench.catalog.commit(
            bench.context, at ?? bench.at,
            TableCommit(
                identifier: TableIdentifier(namespace: ["sales"], name: name),
                requirements: [.assertCreate], updates: updates))
    }

    private func staged(_ bench: Bench, _ name: String) throws -> TableMetadata {
        try bench.catalog.createTable(
            bench.context, bench.at, namespace: ["sales"],
            TableCreation(name: name, schema: Bench.schema), isStaged: true
        ).metadata
    }

    private func write(_ bench: Bench, _ path: String) throws {
        try bench.store.write(Array("x".utf8), to: try #require(ObjectLocation(uri: path)))
    }

    private func exists(_ bench: Bench, _ path: String) throws -> Bool {
        let location = try #require(ObjectLocation(uri: path))
        return (try? bench.store.describe(location)) != nil
    }

    @Test func everyPlaceThatSomebodySaysWantsARightToItsObjects() throws {
        let bench = try Bench(authorizer: NoObjects())
        defer { bench.close() }
        try bench.prepare()
        let place = try bench.catalog.loadTable(bench.context, bench.at, bench.table).metadata
            .location
        for said in [
            place, place + "/data", "s3://silver/sales", "s3://silver/free", place + "0",
        ] {
            #expect(throws: AccessDenied.self, "\(said)") { try create(bench, "over", at: said) }
            #expect(throws: AccessDenied.self, "\(said)") {
                try commit(bench, "over", Self.creation(location: said))
            }
            if said.hasPrefix(place + "/") { continue }
            for path in ["write.data.path", "write.metadata.path"] {
                #expect(throws: AccessDenied.self, "\(said)") {
                    try create(bench, "over", [path: said])
                }
            }
        }
        let made = try create(bench, "mine")
        _ = try bench.catalog.commit(
            bench.context, bench.at,
            TableCommit(
                identifier: made.identifier, requirements: [],
                updates: [.setProperties(["write.data.path": made.metadata.location + "/rows"])]))
        _ = try bench.catalog.dropTable(bench.context, bench.at, bench.table, purge: false)
        #expect(throws: AccessDenied.self) { try create(bench, "over", at: place) }
    }

    @Test func whatTheCatalogStagedIsGivenOnceAndToItsCaller() throws {
        let bench = try Bench(authorizer: NoObjects())
        defer { bench.close() }
        try bench.prepare()
        let first = try staged(bench, "a")
        // Another name is all right, another caller is not.
        let other = RequestContext(
            principal: Principal(id: "p", name: "p", kind: .user), requestID: "r", door: .catalog)
        let whole = Self.creation(uuid: first.tableUUID, location: first.location)
        #expect(throws: AccessDenied.self) {
            _ = try bench.catalog.commit(
                other, bench.at,
                TableCommit(
                    identifier: TableIdentifier(namespace: ["sales"], name: "x"),
                    requirements: [.assertCreate], updates: whole))
        }
        let made = try commit(bench, "a", whole)
        #expect(try own(bench, made) == [first.location])
        #expect(throws: (any Error).self) { try commit(bench, "b", whole) }
        // Clients that send the place alone, or the uuid alone.
        let second = try staged(bench, "c")
        let placed = try commit(bench, "c", Self.creation(location: second.location))
        #expect(placed.metadata.tableUUID == second.tableUUID)
        let third = try staged(bench, "d")
        let named = try commit(bench, "d", Self.creation(uuid: third.tableUUID))
        #expect(named.metadata.location == third.location)
        // A uuid of the client's own leads to a folder that may have been somebody's.
        #expect(throws: AccessDenied.self) {
            try commit(
                bench, "e", Self.creation(uuid: "f47ac10b-58cc-4372-a567-0e02b2c3d479"))
        }
    }

    @Test func aUUIDIsOneTablesInTheWholeTenant() throws {
        let bench = try Bench(store: MemoryObjectStore(buckets: ["silver", "gold"]))
        defer { bench.close() }
        try bench.prepare()
        let gold = CatalogReference(warehouse: "gold")
        try bench.catalog.createWarehouse(bench.context, name: "gold", location: "s3://gold/")
        try bench.catalog.createNamespace(bench.context, gold, ["sales"])
        let known = try bench.catalog.loadTable(bench.context, bench.at, bench.table).metadata
        func code(_ at: CatalogReference, _ uuid: String, _ location: String?) -> String? {
            bench.code {
                try commit(bench, "copy", at: at, Self.creation(uuid: uuid, location: location))
            }
        }
        for isDropped in [false, true] {
            if isDropped {
                try bench.catalog.dropTable(bench.context, bench.at, bench.table, purge: false)
            }
            for at in [bench.at, gold] {
                for location in [nil, "s3://\(at.warehouse)/copy"] {
                    #expect(code(at, known.tableUUID, location) == "catalog.already_exists")
                }
                #expect(code(at, known.tableUUID.uppercased(), nil) == "catalog.invalid_request")
                #expect(code(at, "42", nil) == "catalog.invalid_request")
            }
        }
        let free = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
        #expect(code(gold, free, nil) == nil)
        #expect(code(bench.at, free, nil) == "catalog.already_exists")
    }

    @Test func aPurgeLeavesWhatOthersHave() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        func drop(_ name: String) throws {
            try bench.catalog.dropTable(
                bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: name),
                purge: true)
        }
        // Data that go elsewhere, and a table that is laid over them, into them and around them.
        _ = try create(bench, "victim", ["write.data.path": "s3://silver/exports/rows"])
        try write(bench, "s3://silver/exports/rows/a.parquet")
        for (name, place) in [
            ("over", "s3://silver/exports/rows"), ("around", "s3://silver/exports"),
        ] {
            _ = try create(bench, name, at: place)
            try drop(name)
            #expect(try exists(bench, "s3://silver/exports/rows/a.parquet"), "\(name)")
        }
        _ = try create(bench, "inside", at: "s3://silver/exports/rows/inner")
        try write(bench, "s3://silver/exports/rows/inner/data/b.parquet")
        _ = try bench.catalog.commitFiles(
            bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: "victim"),
            .append,
            FileChanges(addedData: [
                DataFile(
                    path: "s3://silver/exports/rows/inner/data/b.parquet", specID: 0,
                    partition: [], recordCount: 1, sizeBytes: 1)
            ]))
        let foreign = try create(bench, "lender").metadata.location + "/data/c.parquet"
        try write(bench, foreign)
        try write(bench, foreign + ".loose")
        _ = try bench.catalog.commitFiles(
            bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: "victim"),
            .append,
            FileChanges(addedData: [
                DataFile(path: foreign, specID: 0, partition: [], recordCount: 1, sizeBytes: 1)
            ]))
        try drop("inside")
        try drop("lender")
        #expect(try exists(bench, "s3://silver/exports/rows/inner/data/b.parquet"))
        #expect(try exists(bench, foreign))
        #expect(try !exists(bench, foreign + ".loose"))
        // When it is gone, what waited for it goes.
        try drop("victim")
        #expect(try !exists(bench, "s3://silver/exports/rows/a.parquet"))
    }

    @Test func placesOfTablesFromBeforeAreLookedAtOnce() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let table = try create(bench, "victim", ["write.data.path": "s3://silver/exports"])
        try bench.catalog.outbox.write { tx in
            try tx.run("DELETE FROM places")
            try tx.run(
                "INSERT INTO unplaced (metadata_location, tenant, uuid) VALUES (?, ?, ?), (?, ?, ?)",
                table.metadataLocation, bench.context.tenant, table.metadata.tableUUID,
                "s3://silver/gone.metadata.json", bench.context.tenant, "x")
        }
        try bench.catalog.recover()
        let (places, waiting) = try bench.catalog.outbox.read { tx in
            (
                try tx.query("SELECT location FROM places") { $0.string(0) },
                try tx.number("SELECT count(*) FROM unplaced")
            )
        }
        #expect(places == ["s3://silver/exports"])
        #expect(waiting == 0)
    }

    // MARK: Views and namespaces

    private static func view(_ location: String? = nil, uuid: String) throws -> ViewMetadata {
        try ViewMetadata.create(
            uuid: uuid, location: location ?? "s3://silver/views/v", schema: Bench.schema,
            version: version, properties: [:], nowMilliseconds: 1)
    }

    private static var version: ViewVersion {
        get throws {
            try ViewVersion(
                JSONValue(
                    parsing: """
                        {"version-id":1,"schema-id":0,"timestamp-ms":1,"summary":{},
                         "default-namespace":["sales"],
                         "representations":[{"type":"sql","sql":"select 1","dialect":"trino"}]}
                        """
                ).cursor)
        }
    }

    private func createView(
        _ bench: Bench, _ name: String, at location: String? = nil
    ) throws -> LoadedView {
        try bench.catalog.createView(
            bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: name),
            schema: Bench.schema, version: Self.version, properties: [:], location: location)
    }

    @Test func aViewLiesInItsOwnFolderOrWhereItsMakerMayWrite() throws {
        let bench = try Bench(authorizer: NoObjects())
        defer { bench.close() }
        try bench.prepare()
        let place = try bench.catalog.loadTable(bench.context, bench.at, bench.table).metadata
            .location
        for said in [place, place + "/in", "s3://silver/sales", "s3://silver/free"] {
            #expect(throws: AccessDenied.self, "\(said)") {
                _ = try createView(bench, "v", at: said)
            }
        }
        let view = try createView(bench, "v")
        _ = try bench.catalog.commitView(
            bench.context, bench.at, view.identifier, requirements: [],
            updates: [.setProperties(["k": "v"])])
        #expect(throws: AccessDenied.self) {
            _ = try bench.catalog.registerView(
                bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: "w"),
                metadataLocation: view.metadataLocation)
        }
    }

    @Test func aViewIsRegisteredWhereItCanBeWrittenAndWithAUUIDOfItsOwn() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let table = try bench.catalog.loadTable(bench.context, bench.at, bench.table).metadata
        let file = "s3://silver/loose/v.metadata.json"
        for (uuid, location, code) in [
            ("f47ac10b-58cc-4372-a567-0e02b2c3d479", "s3://none/v", "catalog.invalid_request"),
            (table.tableUUID, "s3://silver/views/v", "catalog.already_exists"),
            ("f47ac10b-58cc-4372-a567-0e02b2c3d479", "s3://silver/views/v", nil),
        ] {
            try bench.store.write(
                try Self.view(location, uuid: uuid).json.encoded(),
                to: try #require(ObjectLocation(uri: file)))
            #expect(
                bench.code {
                    _ = try bench.catalog.registerView(
                        bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: "w"),
                        metadataLocation: file)
                } == code, "\(location)")
        }
    }

    @Test func aViewOverATableShutsNobodyOut() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let table = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        _ = try createView(bench, "v", at: table.metadata.location + "/in")
        #expect(try own(bench, table) == [table.metadata.location])
    }

    @Test func aNamespaceLiesInNobodysFolder() throws {
        for mayWrite in [false, true] {
            let bench = try Bench(authorizer: mayWrite ? Everybody() : NoObjects())
            defer { bench.close() }
            try bench.prepare()
            let (catalog, at) = (bench.catalog, bench.at)
            let place = try catalog.loadTable(bench.context, at, bench.table).metadata.location
            for (location, code) in [
                (place, "catalog.invalid_request"), (place + "/", "catalog.invalid_request"),
                (place + "/data", "catalog.invalid_request"), ("s3://silver/free", nil),
                ("hdfs://else", nil),
            ] {
                func check(_ body: () throws -> Void) {
                    if mayWrite || location.hasPrefix("hdfs") {
                        #expect(bench.code(body) == code, "\(location)")
                    } else {
                        #expect(throws: AccessDenied.self, "\(location)", performing: body)
                    }
                }
                check {
                    _ = try catalog.createNamespace(
                        bench.context, at, ["at " + location],
                        properties: ["location": location])
                }
                check {
                    _ = try catalog.updateNamespace(
                        bench.context, at, ["sales"], set: ["location": location], remove: [])
                }
            }
        }
    }

    // MARK: Places that fail

    @Test func aStorageThatFailsIsNoMistakeOfTheCallers() throws {
        let fails = Mutex(false)
        let store = MemoryObjectStore(
            buckets: ["silver"],
            interference: .init(before: { operation, _ throws(ObjectStoreError) in
                guard operation == .write, fails.withLock({ $0 }) else { return }
                throw ObjectStoreError(code: .storageFull, message: "no space left")
            }))
        let bench = try Bench(store: store)
        defer { bench.close() }
        try bench.prepare()
        fails.withLock { $0 = true }
        #expect(bench.code { _ = try create(bench, "a") } == "catalog.storage_failed")
        fails.withLock { $0 = false }
        for (place, code) in [
            ("s3://none/a", "catalog.invalid_request"), ("hdfs://x/a", "catalog.invalid_request"),
            ("s3://silver/" + String(repeating: "k", count: 1024), "catalog.invalid_request"),
            ("s3://silver/a", nil),
        ] {
            #expect(bench.code { _ = try create(bench, "a", at: place) } == code, "\(place)")
        }
    }

    @Test func aTableIsRegisteredWhereItCanBeWritten() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let file = "s3://silver/loose/1.metadata.json"
        for (location, code) in [
            ("s3://none/t", "catalog.invalid_request"), ("hdfs://x/t", "catalog.invalid_request"),
            ("s3://silver/t", nil),
        ] {
            let metadata = try TableMetadata.create(
                uuid: "f47ac10b-58cc-4372-a567-0e02b2c3d479", location: location,
                schema: Bench.schema, spec: .unpartitioned, sortOrder: .unsorted, properties: [:],
                nowMilliseconds: 1)
            let path = file + "-\(location.utf8.count).metadata.json"
            try bench.store.write(
                metadata.json.encoded(), to: try #require(ObjectLocation(uri: path)))
            #expect(
                bench.code {
                    _ = try bench.catalog.registerTable(
                        bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: "r"),
                        metadataLocation: path)
                } == code, "\(location)")
        }
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
