import Authority
import Iceberg
import JSON
import ObjectStorage
import Platform
import TableCatalog
import Testing

/// Dropped tables, purges, contracts: what the catalog keeps beside the tables themselves.
struct GovernanceTests {
    private func prepared() throws -> Bench {
        let bench = try Bench()
        try bench.prepare()
        return bench
    }

    private func files(_ bench: Bench) throws -> Int {
        try bench.store.list(bucket: "silver", prefix: "", after: nil, limit: 100).count
    }

    private func set(_ bench: Bench, _ properties: [String: String]) throws {
        _ = try bench.catalog.commit(
            bench.context, bench.at,
            TableCommit(
                identifier: bench.table, requirements: [], updates: [.setProperties(properties)]))
    }

    @Test func aDroppedTableComesBackUntilItExpires() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        let uuid = try catalog.loadTable(context, at, bench.table).metadata.tableUUID
        try catalog.dropTable(context, at, bench.table, purge: false)
        #expect(try catalog.listDropped(context, at).map(\.uuid) == [uuid])
        let other = TableIdentifier(namespace: ["sales"], name: "again")
        #expect(try catalog.undrop(context, at, bench.table, as: other) == other)
        #expect(try catalog.loadTable(context, at, other).metadata.tableUUID == uuid)
        #expect(try catalog.listDropped(context, at).isEmpty)
        // Its name taken, it waits.
        try catalog.dropTable(context, at, other, purge: false)
        _ = try catalog.createTable(
            context, at, namespace: ["sales"], TableCreation(name: "again", schema: Bench.schema))
        #expect(bench.code { try catalog.undrop(context, at, other) } == "catalog.already_exists")
        bench.clock.advance(by: .seconds(31 * 86_400))
        #expect(try catalog.listDropped(context, at).isEmpty)
        let free = TableIdentifier(namespace: ["sales"], name: "free")
        #expect(
            bench.code { try catalog.undrop(context, at, other, as: free) }
                == "catalog.no_such_table")
    }

    @Test func aPurgeWaitsAsLongAsTheTableCanBeHadBack() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        _ = try catalog.updateNamespace(
            context, at, ["sales"], set: [Catalog.undropProperty: "7"], remove: [])
        try catalog.dropTable(context, at, bench.table, purge: true)
        #expect(try files(bench) > 0)
        try catalog.undrop(context, at, bench.table)
        #expect(try catalog.tableExists(context, at, bench.table))
        try catalog.dropTable(context, at, bench.table, purge: true)
        bench.clock.advance(by: .seconds(6 * 86_400))
        try catalog.runPurges()
        #expect(try files(bench) > 0)
        bench.clock.advance(by: .seconds(2 * 86_400))
        try catalog.runPurges()
        #expect(try files(bench) == 0)
        // The table's own word counts more than the namespace's.
        _ = try catalog.createTable(
            context, at, namespace: ["sales"],
            TableCreation(
                name: bench.table.name, schema: Bench.schema,
                properties: [Catalog.undropProperty: "0"]))
        try catalog.dropTable(context, at, bench.table, purge: true)
        #expect(try files(bench) == 0)
    }

    @Test func aPurgerTakesTheWorkOffWhoDrops() throws {
        let bench = try prepared()
        defer { bench.close() }
        bench.catalog.startPurger()
        try bench.catalog.dropTable(bench.context, bench.at, bench.table, purge: true)
        #expect(try files(bench) > 0)
        let soon = SystemMonotonicClock().now() + Duration.seconds(5)
        #expect(bench.catalog.waitForPurge(until: soon))
        try bench.catalog.runPurges()
        #expect(try files(bench) == 0)
        bench.catalog.stopPurger()
        #expect(!bench.catalog.waitForPurge(until: soon))
    }

    @Test func protectionHoldsForTablesAndNamespaces() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        try set(bench, [Catalog.protectionProperty: "true"])
        func drop() -> String? {
            bench.code { try catalog.dropTable(context, at, bench.table, purge: true) }
        }
        #expect(drop() == "catalog.is_protected")
        try set(bench, [Catalog.protectionProperty: "false"])
        #expect(drop() == nil)
        try catalog.createNamespace(
            context, at, ["kept"], properties: [Catalog.protectionProperty: "true"])
        #expect(
            bench.code { try catalog.dropNamespace(context, at, ["kept"]) }
                == "catalog.is_protected")
    }

    @Test func schemaContractsRefuseWhatBreaksReaders() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        func declare(_ name: String, _ rule: String) throws {
            try catalog.declare(
                try Contract(name: name, JSONValue(parsing: rule).cursor), context, at, bench.table)
        }
        func commit(_ schema: Schema) -> String? {
            bench.code {
                _ = try catalog.commit(
                    context, at,
                    TableCommit(
                        identifier: bench.table, requirements: [],
                        updates: [.addSchema(schema, lastColumnID: nil), .setCurrentSchema(-1)]))
            }
        }
        try declare("shape", #"{"rule":"schema"}"#)
        var wider = try catalog.loadTable(context, at, bench.table).metadata.currentSchema
        wider.fields.append(
            NestedField(id: 99, name: "more", isRequired: false, type: .primitive(.string)))
        #expect(commit(wider) == nil)
        var narrower = wider
        narrower.fields.removeLast()
        #expect(commit(narrower) == "catalog.contract_broken")
        var renamed = wider
        renamed.fields[renamed.fields.count - 1].name = "other"
        #expect(commit(renamed) == "catalog.contract_broken")
        try declare("shape", #"{"rule":"schema","mode":"frozen"}"#)
        wider.fields.append(
            NestedField(id: 100, name: "last", isRequired: false, type: .primitive(.string)))
        #expect(commit(wider) == "catalog.contract_broken")
        // Contracts follow their table through renames, and end when they are removed.
        let other = TableIdentifier(namespace: ["sales"], name: "moved")
        try catalog.renameTable(context, at, from: bench.table, to: other)
        #expect(try catalog.contracts(context, at, other).map(\.name) == ["shape"])
        #expect(try catalog.removeContract(context, at, other, name: "shape"))
        #expect(try !catalog.removeContract(context, at, other, name: "shape"))
        for rule in [#"{"rule":"not_null","column":"none"}"#, #"{"rule":"range","column":"id"}"#] {
            #expect(
                bench.code {
                    try catalog.declare(
                        try Contract(name: "x", JSONValue(parsing: rule).cursor), context, at, other
                    )
                } == "catalog.invalid_request")
        }
    }
}
