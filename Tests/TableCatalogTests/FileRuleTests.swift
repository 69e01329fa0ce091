import Authority
import Iceberg
import ObjectStorage
import TableCatalog
import Testing

/// Which files a table's readers are shown, whatever its metadata names.
struct FileRuleTests {
    /// Everything but what is done with objects, of which those in one bucket may be read.
    private struct ReadsGold: Authorizer {
        func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
            let isAllowed =
                resource.kind != .object
                || (action == .objectRead && resource.path.first == "gold")
            return Decision(isAllowed: isAllowed, reason: "test")
        }
    }

    private static let person = RequestContext(
        principal: Principal(id: "p", name: "p", kind: .user), requestID: "r", door: .catalog)

    private func prepared() throws -> Bench {
        let bench = try Bench(
            store: MemoryObjectStore(buckets: ["silver", "gold", "landing"]),
            authorizer: ReadsGold())
        try bench.prepare()
        return bench
    }

    private func snapshot(_ id: Int64, _ sequence: Int64, list: String) -> TableUpdate {
        .addSnapshot(
            Snapshot(
                snapshotID: id, parentID: nil, sequenceNumber: sequence, timestampMilliseconds: 1,
                manifestList: list, operation: "append", summary: [:], schemaID: 0))
    }

    private func commit(
        _ bench: Bench, _ updates: [TableUpdate], as context: RequestContext = Self.person
    ) throws -> LoadedTable {
        try bench.catalog.commit(
            context, bench.at,
            TableCommit(identifier: bench.table, requirements: [], updates: updates))
    }

    @Test func filesOfATableLieInItsPlacesOrAreTheReadersOwn() throws {
        let bench = try prepared()
        defer { bench.close() }
        let table = try bench.catalog.loadTable(Self.person, bench.at, bench.table)
        let home = table.metadata.location
        let person = bench.catalog.fileRule(Self.person, bench.table, table.metadata)
        let system = bench.catalog.fileRule(bench.context, bench.table, table.metadata)
        for (path, isShown, isShownToSystem) in [
            (home + "/data/a.parquet", true, true),
            (home.replacing("s3://", with: "s3a://") + "/data/a.parquet", true, true),
            (home + "0/data/a.parquet", false, false),
            ("s3://silver/other/data/a.parquet", false, false),
            ("s3://landing/a.parquet", false, false),
            ("s3://gold/a.parquet", true, false),
        ] {
            #expect((bench.code { try person.require(path) } == nil) == isShown, "\(path)")
            #expect((bench.code { try system.require(path) } == nil) == isShownToSystem, "\(path)")
        }
        #expect(bench.code { try person.require("s3://landing/a") } == "iceberg.foreign_file")
    }

    @Test func aForeignManifestListIsRefusedByTheCommit() throws {
        let bench = try prepared()
        defer { bench.close() }
        let place = try bench.catalog.loadTable(Self.person, bench.at, bench.table).metadata
            .location
        for (list, code) in [
            ("s3://silver/other/metadata/snap.avro", "catalog.invalid_request"),
            ("s3://landing/snap.avro", "catalog.invalid_request"),
            ("s3://gold/snap.avro", nil), (place + "/metadata/snap.avro", nil),
        ] {
            let next = try bench.catalog.loadTable(Self.person, bench.at, bench.table).metadata
            let id = next.lastSequenceNumber + 1
            #expect(
                bench.code { _ = try commit(bench, [snapshot(id, id, list: list)]) } == code,
                "\(list)")
        }
    }

    @Test func foreignManifestsAreReadForThoseAloneWhoMay() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, at) = (bench.catalog, bench.at)
        // A table with a file, and another one whose manifest list is a copy of the first one's.
        let file = DataFile(
            path: "s3://silver/x/data/a.parquet", specID: 0, partition: [], recordCount: 1,
            sizeBytes: 1)
        let first = try catalog.commitFiles(
            Self.person, at, bench.table, .append, FileChanges(addedData: [file]))
        let list = try #require(first.metadata.currentSnapshot?.manifestList)
        let second = TableIdentifier(namespace: ["sales"], name: "second")
        let made = try catalog.createTable(
            Self.person, at, namespace: ["sales"],
            TableCreation(name: "second", schema: Bench.schema))
        let copy = made.metadata.location + "/metadata/copy.avro"
        try catalog.manifests.write(try catalog.manifests.read(list), to: copy)
        let changed = try catalog.commit(
            Self.person, at,
            TableCommit(
                identifier: second, requirements: [],
                updates: [
                    snapshot(9, 1, list: copy),
                    .setSnapshotReference(
                        "main", SnapshotReference(snapshotID: 9, kind: .branch)),
                ]))
        for (table, code) in [(first, nil), (changed, "iceberg.foreign_file")] {
            let manifests = catalog.manifests(Self.person, of: table)
            let scan = TableScan(
                metadata: table.metadata, snapshot: table.metadata.currentSnapshot)
            #expect(bench.code { _ = try scan.plan(manifests) } == code)
        }
    }

    @Test func placesToReadTakeARightAndOutliveAMove() throws {
        let bench = try prepared()
        defer { bench.close() }
        let name = Catalog.readPlacesProperty
        #expect(throws: AccessDenied.self) {
            try commit(bench, [.setProperties([name: "s3://landing/files"])])
        }
        #expect(
            bench.code { _ = try commit(bench, [.setProperties([name: "/tmp/files"])]) }
                == "catalog.invalid_request")
        let open = try commit(bench, [.setProperties([name: "s3://gold/a, s3://gold/b/"])])
        let system = bench.catalog.fileRule(bench.context, bench.table, open.metadata)
        #expect(bench.code { try system.require("s3://gold/b/c") } == nil)
        #expect(bench.code { try system.require("s3://gold/bc") } == "iceberg.foreign_file")
        // A table that moves, with files where it was.
        let home = open.metadata.location
        _ = try commit(bench, [snapshot(1, 1, list: home + "/metadata/snap.avro")])
        let moved = try commit(bench, [.setLocation(home + "/elsewhere")])
        let rule = bench.catalog.fileRule(bench.context, bench.table, moved.metadata)
        for path in [home + "/data/a", home + "/elsewhere/data/a", "s3://gold/a/x"] {
            #expect(bench.code { try rule.require(path) } == nil, "\(path)")
        }
    }
}
