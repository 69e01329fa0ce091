import Authority
import Foundation
import Iceberg
import JSON
import ObjectStorage
import Platform
import SQLite
import Synchronization
import TableCatalog
import Testing

struct Everybody: Authorizer {
    var denied: Set<Action> = []
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: !denied.contains(action), reason: "test")
    }
}

/// A catalog over a database of its own and a store in memory.
struct Bench {
    let catalog: Catalog
    let store: MemoryObjectStore
    let folder: String
    let clock = SettableClock()
    let context = RequestContext(principal: .system, requestID: "r1", door: .catalog)
    let at = CatalogReference(warehouse: "silver")
    let table = TableIdentifier(namespace: ["sales"], name: "Orders")

    init(
        folder: String? = nil, store: MemoryObjectStore = MemoryObjectStore(buckets: ["silver"]),
        authorizer: any Authorizer = Everybody()
    ) throws {
        let own = folder ?? NSTemporaryDirectory() + "catalog-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        self.folder = own
        self.store = store
        catalog = try Catalog(
            databasePath: own + "/catalog.sqlite", store: store, authorizer: authorizer,
            clock: clock, entropy: SeededEntropy(seed: UInt64.random(in: 0...UInt64.max)))
    }

    static let schema = Schema(fields: [
        NestedField(id: 7, name: "id", isRequired: true, type: .primitive(.long)),
        NestedField(id: 9, name: "region", isRequired: false, type: .primitive(.string)),
    ])

    func prepare() throws {
        try catalog.createWarehouse(context, name: "silver", location: "s3://silver/")
        try catalog.createNamespace(context, at, ["sales"])
        _ = try catalog.createTable(
            context, at, namespace: ["sales"], TableCreation(name: "Orders", schema: Self.schema))
    }

    func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch let error as CatalogError {
            return error.code.rawValue
        } catch let error as IcebergError {
            return error.code.rawValue
        } catch {
            return "\(error)"
        }
    }

    func close() {
        catalog.close()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

struct CatalogTests {
    @Test func tablesAreFoundWithoutCaseAndKeepTheirs() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let table = try bench.catalog.loadTable(
            bench.context, bench.at, TableIdentifier(namespace: ["SALES"], name: "orders"))
        #expect(table.identifier.description == "sales.Orders")
        #expect(table.metadata.currentSchema.fields.map(\.id) == [1, 2])
        #expect(table.metadata.location.hasPrefix("s3://silver/sales/Orders-"))
        let location = try #require(ObjectLocation(uri: table.metadataLocation))
        #expect(try bench.store.open(location).allBytes() == table.metadataText)
        #expect(
            bench.code {
                _ = try bench.catalog.createTable(
                    bench.context, bench.at, namespace: ["sales"],
                    TableCreation(name: "ORDERS", schema: Bench.schema))
            } == "catalog.already_exists")
    }

    @Test func absentThingsHaveTheirOwnCodes() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        func load(_ at: CatalogReference, _ namespace: String, _ name: String) -> String? {
            bench.code {
                _ = try catalog.loadTable(context, at, .init(namespace: [namespace], name: name))
            }
        }
        #expect(load(at, "sales", "Order") == "catalog.no_such_table")
        #expect(load(at, "sale", "Orders") == "catalog.no_such_namespace")
        #expect(load(.init(warehouse: "gold"), "sales", "Orders") == "catalog.no_such_warehouse")
        #expect(
            load(.init(warehouse: "silver", reference: "etl"), "sales", "Orders")
                == "catalog.no_such_reference")
        #expect(
            bench.code { try catalog.dropNamespace(context, at, ["sales"]) }
                == "catalog.namespace_not_empty")
        #expect(
            bench.code { try catalog.createNamespace(context, at, ["a", "b"]) }
                == "catalog.no_such_namespace")
        #expect(
            bench.code { try catalog.createNamespace(context, at, [""]) } == "catalog.invalid_name")
    }

    @Test func aLostRaceIsRefusedAndLeavesNothing() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        try catalog.createNamespace(context, at, ["other"])
        _ = try catalog.createTable(
            context, at, namespace: ["other"], TableCreation(name: "t", schema: Bench.schema))
        let other = TableIdentifier(namespace: ["other"], name: "t")
        let good = TableCommit(
            identifier: bench.table, requirements: [], updates: [.setProperties(["a": "1"])])
        let bad = TableCommit(
            identifier: other, requirements: [.assertCurrentSchemaID(4)],
            updates: [.setProperties(["a": "1"])])
        #expect(
            bench.code { try catalog.commit(context, at, [good, bad]) }
                == "iceberg.requirement_failed")
        #expect(try catalog.loadTable(context, at, bench.table).metadata.properties["a"] == nil)
        let ok = TableCommit(
            identifier: other, requirements: [.assertCurrentSchemaID(0)],
            updates: [.setProperties(["a": "1"])])
        try catalog.commit(context, at, [good, ok])
        let loaded = try catalog.loadTable(context, at, bench.table)
        #expect(loaded.metadata.properties["a"] == "1")
        #expect(loaded.metadata.metadataLog.count == 1)
        #expect(loaded.metadataLocation.contains("/metadata/00001-"))
    }

    @Test func writersOfOneTableAllGetIn() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let failures = Mutex<[String]>([])
        let threads = try (0..<4).map { writer in
            try Platform.Thread(name: "writer") {
                for number in 0..<10 {
                    let file = DataFile(
                        path: "s3://silver/f-\(writer)-\(number)", specID: 0, partition: [],
                        recordCount: 1, sizeBytes: 1)
                    do {
                        _ = try bench.catalog.commitFiles(
                            bench.context, bench.at, bench.table, .append,
                            FileChanges(addedData: [file]))
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == [])
        let table = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        #expect(table.metadata.currentSnapshot?.summary["total-records"] == "40")
        let plan = try TableScan(metadata: table.metadata, snapshot: table.metadata.currentSnapshot)
            .plan(bench.catalog.manifests)
        #expect(Set(plan.tasks.map(\.file.path)).count == 40)
    }

    @Test func aRestartWritesWhatACrashLeftOut() throws {
        let bench = try Bench()
        try bench.prepare()
        let before = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        let location = try #require(ObjectLocation(uri: before.metadataLocation))
        bench.catalog.close()
        // As after a stop between the transaction and the object: the journal still has the text.
        try bench.store.delete(location)
        let again = try Bench(folder: bench.folder, store: bench.store)
        defer { again.close() }
        #expect(
            try again.catalog.loadTable(again.context, again.at, again.table).metadata
                == before.metadata)
        #expect(try again.catalog.recover() == 1)
        #expect(try again.store.open(location).allBytes() == before.metadataText)
        #expect(try again.catalog.recover() == 0)
    }

    @Test func aPlaceThatCannotBeWrittenIsRefusedByTheCommit() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        func code(_ body: () throws -> Void) -> CatalogError.Code? {
            do { try body() } catch { return (error as? CatalogError)?.code }
            return nil
        }
        func commit(_ update: TableUpdate) throws {
            _ = try bench.catalog.commit(
                bench.context, bench.at,
                TableCommit(identifier: bench.table, requirements: [], updates: [update]))
        }
        for place in ["file:///etc", "s3://b/" + String(repeating: "x", count: 1100)] {
            #expect(code { try commit(.setLocation(place)) } == .invalidRequest, "\(place)")
            #expect(
                code { try commit(.setProperties(["write.metadata.path": place])) }
                    == .invalidRequest, "\(place)")
            #expect(
                code {
                    _ = try bench.catalog.createTable(
                        bench.context, bench.at, namespace: ["sales"],
                        TableCreation(
                            name: "far", schema: Bench.schema,
                            properties: ["write.metadata.path": place]))
                } == .invalidRequest, "\(place)")
        }
        #expect(
            code {
                _ = try bench.catalog.createTable(
                    bench.context, bench.at, namespace: ["sales"],
                    TableCreation(
                        name: "new", schema: Bench.schema, properties: ["format-version": "99"]))
            } == .invalidRequest)
        // Nothing of it is left for a start to do.
        let kept = try bench.catalog.outbox.read { tx in
            try tx.number(
                "SELECT count(*) FROM journal WHERE metadata_location LIKE 'file:%' "
                    + "OR metadata_location LIKE 's3://b/%'")
        }
        #expect(kept == 0)
        _ = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
    }

    @Test func whatCannotBeWrittenAtAStartKeepsNoCatalogShut() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        try bench.catalog.outbox.write { tx in
            try tx.run(
                "INSERT INTO journal (metadata_location, text, at_us) VALUES (?, ?, ?)",
                "file:///etc/metadata/00001-x.metadata.json", [UInt8]("{}".utf8), 0)
        }
        try bench.catalog.recover()
        let kept = try bench.catalog.outbox.read { tx in
            try tx.number("SELECT count(*) FROM journal WHERE metadata_location LIKE 'file:%'")
        }
        #expect(kept == 1)
        _ = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
    }

    @Test func aCorruptTableLeavesTheOthersAlone() throws {
        let bench = try Bench()
        try bench.prepare()
        _ = try bench.catalog.createTable(
            bench.context, bench.at, namespace: ["sales"],
            TableCreation(name: "b", schema: Bench.schema))
        // A third commit drops the journal's copies of the first two.
        _ = try bench.catalog.createTable(
            bench.context, bench.at, namespace: ["sales"],
            TableCreation(name: "c", schema: Bench.schema))
        let table = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        let location = try #require(ObjectLocation(uri: table.metadataLocation))
        try bench.store.write(Array("{\"format-version\":2".utf8), to: location)
        bench.catalog.close()
        let again = try Bench(folder: bench.folder, store: bench.store)
        defer { again.close() }
        #expect(
            again.code { _ = try again.catalog.loadTable(again.context, again.at, again.table) }
                == "catalog.corrupt_table")
        _ = try again.catalog.loadTable(
            again.context, again.at, .init(namespace: ["sales"], name: "b"))
    }

    @Test func listsGoInPagesInOrder() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        for name in ["b", "A", "c", "d"] {
            try bench.catalog.createNamespace(bench.context, bench.at, [name])
            try bench.catalog.createNamespace(bench.context, bench.at, ["b", name])
        }
        var found: [[String]] = []
        var token: String?
        repeat {
            let page = try bench.catalog.listNamespaces(
                bench.context, bench.at, limit: 2, token: token)
            #expect(page.elements.count <= 2)
            found += page.elements
            token = page.nextToken
        } while token != nil
        #expect(found == [["A"], ["b"], ["c"], ["d"], ["sales"]])
        let inner = try bench.catalog.listNamespaces(bench.context, bench.at, parent: ["B"])
        #expect(inner.elements == [["b", "A"], ["b", "b"], ["b", "c"], ["b", "d"]])
    }

    @Test func renameMovesAndPurgeRemovesFiles() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        let target = TableIdentifier(namespace: ["sales"], name: "moved")
        try catalog.renameTable(context, at, from: bench.table, to: target)
        #expect(try !catalog.tableExists(context, at, bench.table))
        #expect(try catalog.tableExists(context, at, target))
        #expect(
            try bench.store.list(bucket: "silver", prefix: "", after: nil, limit: 10).count == 1)
        try catalog.dropTable(context, at, target, purge: true)
        #expect(try bench.store.list(bucket: "silver", prefix: "", after: nil, limit: 10).isEmpty)
        #expect(try catalog.listTables(context, at, ["sales"]).elements.isEmpty)
    }

    @Test func stagedTablesComeToBeWithTheirCommit() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        let name = TableIdentifier(namespace: ["sales"], name: "staged")
        let staged = try catalog.createTable(
            context, at, namespace: ["sales"], TableCreation(name: "staged", schema: Bench.schema),
            isStaged: true)
        #expect(try !catalog.tableExists(context, at, name))
        let commit = TableCommit(
            identifier: name, requirements: [.assertCreate],
            updates: [
                .assignUUID(staged.metadata.tableUUID), .setLocation(staged.metadata.location),
                .addSchema(staged.metadata.currentSchema, lastColumnID: 2), .setCurrentSchema(-1),
                .addSpec(.unpartitioned, hasFieldIDs: true), .setDefaultSpec(-1),
                .addSortOrder(.unsorted), .setDefaultSortOrder(-1),
            ])
        let made = try catalog.commit(context, at, commit)
        #expect(made.metadata.tableUUID == staged.metadata.tableUUID)
        #expect(
            bench.code { _ = try catalog.commit(context, at, commit) }
                == "iceberg.requirement_failed")
    }

    @Test func viewsKeepTheirVersions() throws {
        let bench = try Bench()
        defer { bench.close() }
        try bench.prepare()
        let name = TableIdentifier(namespace: ["sales"], name: "v")
        func version(_ sql: String) -> ViewVersion {
            ViewVersion(
                versionID: 1, schemaID: 0, timestampMilliseconds: 1, summary: [:],
                representations: [
                    JSONObject([("type", "sql"), ("sql", .string(sql)), ("dialect", "trino")])
                ], defaultCatalog: nil, defaultNamespace: ["sales"])
        }
        let made = try bench.catalog.createView(
            bench.context, bench.at, name, schema: Bench.schema, version: version("select 1"),
            properties: [:])
        #expect(made.metadata.currentVersion?.sql(dialect: "TRINO") == "select 1")
        _ = try bench.catalog.commitView(
            bench.context, bench.at, name, requirements: [.assertViewUUID(made.metadata.uuid)],
            updates: [.addVersion(version("select 2")), .setCurrentVersion(-1)])
        let loaded = try bench.catalog.loadView(bench.context, bench.at, name)
        #expect(loaded.metadata.currentVersion?.sql(dialect: "trino") == "select 2")
        #expect(loaded.metadata.versions.count == 2)
        #expect(try bench.catalog.listViews(bench.context, bench.at, ["sales"]).elements == [name])
        #expect(
            bench.code { _ = try bench.catalog.loadTable(bench.context, bench.at, name) }
                == "catalog.no_such_table")
    }

    @Test func theAuthorizerIsAskedForEveryKindOfCommit() throws {
        let bench = try Bench()
        try bench.prepare()
        let denied = try Bench(
            folder: bench.folder, store: bench.store,
            authorizer: Everybody(denied: [
                .tableAlter, .tableInsert, .tableSelect, .namespaceCreate,
            ]))
        defer { denied.close() }
        bench.catalog.close()
        let commit = TableCommit(
            identifier: bench.table, requirements: [], updates: [.setProperties(["a": "b"])])
        #expect(throws: AccessDenied.self) {
            try denied.catalog.commit(denied.context, denied.at, commit)
        }
        #expect(throws: AccessDenied.self) {
            try denied.catalog.commitFiles(
                denied.context, denied.at, denied.table, .append, FileChanges())
        }
        #expect(throws: AccessDenied.self) {
            try denied.catalog.loadTable(denied.context, denied.at, denied.table)
        }
        #expect(throws: AccessDenied.self) {
            try denied.catalog.createNamespace(denied.context, denied.at, ["x"])
        }
    }
}
