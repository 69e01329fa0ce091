import Authority
import Iceberg
import ObjectStorage
import Platform
import TableCatalog
import Testing

/// What a namespace takes along when it goes, what a table leaves behind, and which tables come in.
struct CascadeTests {
    private static let other = TableIdentifier(namespace: ["sales", "eu"], name: "other")

    private func prepared(authorizer: any Authorizer = Everybody()) throws -> Bench {
        let bench = try Bench(authorizer: authorizer)
        try bench.prepare()
        try bench.catalog.createNamespace(bench.context, bench.at, ["sales", "eu"])
        _ = try bench.catalog.createTable(
            bench.context, bench.at, namespace: Self.other.namespace,
            TableCreation(name: Self.other.name, schema: Bench.schema))
        return bench
    }

    private func cascade(_ bench: Bench) throws {
        try bench.catalog.dropNamespace(
            bench.context, bench.at, ["sales"], withTables: .goLater)
    }

    private func isWhole(_ bench: Bench) throws -> Bool {
        try bench.catalog.tableExists(bench.context, bench.at, bench.table)
            && bench.catalog.tableExists(bench.context, bench.at, Self.other)
    }

    @Test func aProtectedTableKeepsAllThatIsAroundIt() throws {
        let bench = try prepared()
        defer { bench.close() }
        func protect(_ value: String) throws {
            _ = try bench.catalog.commit(
                bench.context, bench.at,
                TableCommit(
                    identifier: bench.table, requirements: [],
                    updates: [.setProperties([Catalog.protectionProperty: value])]))
        }
        try protect("true")
        #expect(bench.code { try cascade(bench) } == "catalog.is_protected")
        #expect(try isWhole(bench))
        #expect(try bench.catalog.listDropped(bench.context, bench.at).isEmpty)
        try protect("false")
        try cascade(bench)
        #expect(
            bench.code { _ = try bench.catalog.namespace(bench.context, bench.at, ["sales"]) }
                == "catalog.no_such_namespace")
        // Each can be had back, into a namespace of its name.
        try bench.catalog.createNamespace(bench.context, bench.at, ["sales"])
        try bench.catalog.undrop(bench.context, bench.at, bench.table)
        #expect(try bench.catalog.tableExists(bench.context, bench.at, bench.table))
    }

    @Test func aTableThatMayNotBeDroppedKeepsAllThatIsAroundIt() throws {
        struct KeepsOther: Authorizer {
            func decide(
                _ context: RequestContext, _ action: Action, _ resource: Resource
            ) -> Decision {
                Decision(
                    isAllowed: action != .tableDrop || resource.path.last != "other",
                    reason: "test")
            }
        }
        let bench = try prepared(authorizer: KeepsOther())
        defer { bench.close() }
        #expect(throws: AccessDenied.self) { try cascade(bench) }
        #expect(try isWhole(bench))
    }

    @Test func filesThatGoLaterGoAfterTheRetention() throws {
        let bench = try prepared()
        defer { bench.close() }
        let place = try bench.catalog.loadTable(bench.context, bench.at, bench.table).metadata
            .location
        func count() throws -> Int {
            try bench.store.list(
                bucket: "silver", prefix: String(place.dropFirst("s3://silver/".count)),
                after: nil, limit: 10
            ).count
        }
        func drop() throws {
            try bench.catalog.dropTable(bench.context, bench.at, bench.table, files: .goLater)
        }
        try drop()
        #expect(try count() > 0)
        try bench.catalog.undrop(bench.context, bench.at, bench.table)
        try drop()
        bench.clock.advance(by: .seconds(6 * 86_400))
        try bench.catalog.runPurges()
        #expect(try count() > 0)
        bench.clock.advance(by: .seconds(2 * 86_400))
        try bench.catalog.runPurges()
        #expect(try count() == 0)
    }

    @Test func whoSaysThatNothingIsKeptIsHeard() throws {
        let bench = try prepared()
        defer { bench.close() }
        _ = try bench.catalog.updateNamespace(
            bench.context, bench.at, ["sales"], set: [Catalog.undropProperty: "0"], remove: [])
        try bench.catalog.dropTable(bench.context, bench.at, bench.table, files: .goLater)
        #expect(try bench.catalog.listDropped(bench.context, bench.at).isEmpty)
    }

    // MARK: Registration

    @Test func onlyAFileThatIsMetadataIsRegistered() throws {
        let bench = try prepared()
        defer { bench.close() }
        let found = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        try bench.catalog.manifests.write(Array("{}".utf8), to: "s3://silver/bad.metadata.json")
        func register(_ file: String, as name: String = "again", overwrite: Bool = false) -> String?
        {
            bench.code {
                _ = try bench.catalog.registerTable(
                    bench.context, bench.at, TableIdentifier(namespace: ["sales"], name: name),
                    metadataLocation: file, overwrite: overwrite)
            }
        }
        #expect(register("s3://silver/none.metadata.json") == "catalog.no_such_file")
        #expect(register("s3://none/none.metadata.json") == "catalog.no_such_file")
        #expect(register("s3://silver/bad.metadata.json") == "catalog.invalid_request")
        #expect(register("/tmp/x") == "catalog.invalid_request")
        // A table that is there has one name.
        #expect(register(found.metadataLocation) == "catalog.already_exists")
        #expect(register(found.metadataLocation, overwrite: true) == "catalog.already_exists")
        #expect(register(found.metadataLocation, as: "Orders") == "catalog.already_exists")
        #expect(register(found.metadataLocation, as: "Orders", overwrite: true) == nil)
        // One that was dropped comes in again, and then back no more.
        try bench.catalog.dropTable(bench.context, bench.at, bench.table, purge: false)
        #expect(register(found.metadataLocation) == nil)
        #expect(
            bench.code { try bench.catalog.undrop(bench.context, bench.at, bench.table) }
                == "catalog.already_exists")
    }

    @Test func theNewestMetadataFileOfAFolderIsFound() throws {
        let bench = try prepared()
        defer { bench.close() }
        for value in ["1", "2"] {
            _ = try bench.catalog.commit(
                bench.context, bench.at,
                TableCommit(
                    identifier: bench.table, requirements: [],
                    updates: [.setProperties(["k": value])]))
        }
        let table = try bench.catalog.loadTable(bench.context, bench.at, bench.table)
        let place = table.metadata.location
        #expect(
            try bench.catalog.metadataFile(bench.context, ofTableAt: place)
                == table.metadataLocation)
        #expect(
            bench.code {
                _ = try bench.catalog.metadataFile(bench.context, ofTableAt: "s3://silver/none")
            } == "catalog.no_such_file")
        #expect(
            bench.code {
                _ = try bench.catalog.metadataFile(
                    bench.context, ofTableAt: place, named: "../x.metadata.json")
            } == "catalog.invalid_request")
    }
}
