import Authority
import Foundation
import Iceberg
import JSON
import ObjectStorage
import Platform
import TableCatalog
import Testing

/// Branches and tags over a whole warehouse.
struct BranchTests {
    private let etl = CatalogReference(warehouse: "silver", reference: "etl")
    private let wide = Schema(fields: [
        NestedField(id: 1, name: "id", isRequired: false, type: .primitive(.long))
    ])

    private func append(
        _ bench: Bench, _ at: CatalogReference, _ rows: Int64, to name: String = "Orders",
        operation: SnapshotOperation = .append, removing: Set<String> = [],
        summary: [String: String] = [:]
    ) throws {
        let identifier = TableIdentifier(namespace: ["sales"], name: name)
        let location = try bench.catalog.loadTable(bench.context, at, identifier).metadata.location
        _ = try bench.catalog.commitFiles(
            bench.context, at, identifier, operation,
            FileChanges(
                addedData: [
                    DataFile(
                        path: "\(location)/data/\(UUID().uuidString).parquet", specID: 0,
                        partition: [], recordCount: rows, sizeBytes: 10)
                ], removedPaths: removing), summary: summary)
    }

    /// Rows of a table, as its files say; nil where there is no such table.
    private func rows(
        _ bench: Bench, _ at: CatalogReference, _ name: String = "Orders"
    ) throws -> Int64? {
        let identifier = TableIdentifier(namespace: ["sales"], name: name)
        guard try bench.catalog.tableExists(bench.context, at, identifier) else { return nil }
        let metadata = try bench.catalog.loadTable(bench.context, at, identifier).metadata
        let plan = try TableScan(metadata: metadata, snapshot: metadata.currentSnapshot).plan(
            bench.catalog.manifests)
        return plan.tasks.reduce(0) { $0 + $1.file.recordCount }
    }

    private func create(_ bench: Bench, _ at: CatalogReference, _ name: String) throws {
        _ = try bench.catalog.createTable(
            bench.context, at, namespace: ["sales"], TableCreation(name: name, schema: wide))
    }

    private func names(_ bench: Bench, _ at: CatalogReference) throws -> [String] {
        try bench.catalog.listTables(bench.context, at, ["sales"]).elements.map(\.name)
    }

    private func prepared() throws -> Bench {
        let bench = try Bench()
        try bench.prepare()
        try append(bench, bench.at, 10)
        try bench.catalog.createReference(bench.context, etl)
        return bench
    }

    @Test func aBranchSeesNothingOfWhatHappensBesideIt() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        try append(bench, at, 5)
        try create(bench, at, "late")
        try catalog.createNamespace(context, at, ["other"])
        #expect(try rows(bench, etl) == 10)
        #expect(try names(bench, etl) == ["Orders"])
        #expect(try catalog.listNamespaces(context, etl).elements == [["sales"]])
        try catalog.dropTable(context, at, bench.table, purge: true)
        #expect(try rows(bench, at) == nil)
        #expect(try rows(bench, etl) == 10)
        // The branch's own writes stay there, and its files were not purged.
        try append(bench, etl, 1)
        #expect(try rows(bench, etl) == 11)
        #expect(try names(bench, at) == ["late"])
    }

    @Test func aMergeBringsEveryTableAtOnce() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        try create(bench, at, "old")
        try catalog.dropReference(context, etl)
        try catalog.createReference(context, etl)
        try append(bench, etl, 7)
        try create(bench, etl, "new")
        try append(bench, etl, 3, to: "new")
        try catalog.dropTable(
            context, etl, TableIdentifier(namespace: ["sales"], name: "old"), purge: true)
        try catalog.createNamespace(context, etl, ["mart"], properties: ["owner": "ann"])
        #expect(try names(bench, at) == ["old", "Orders"])
        let diff = try catalog.diff(context, etl)
        #expect(
            diff.map { "\($0.subject) \($0.change.rawValue) \($0.outcome.rawValue)" } == [
                "mart created forward", "sales.new created forward", "sales.old dropped forward",
                "sales.Orders changed forward",
            ])
        #expect(diff.last?.baseRowCount == 10 && diff.last?.rowCount == 17)
        let report = try catalog.merge(context, etl, deletes: true)
        #expect(report.changes.count == 4 && report.commitID != nil)
        #expect(try names(bench, at) == ["new", "Orders"])
        #expect(try rows(bench, at) == 17)
        #expect(try rows(bench, at, "new") == 3)
        #expect(try catalog.namespace(context, at, ["mart"]).properties == ["owner": "ann"])
        #expect(
            bench.code { _ = try catalog.reference(context, etl) } == "catalog.no_such_reference")
        let log = try catalog.log(context, at)
        #expect(log.first?.operation == "catalog.branch.merged" && log.first?.subject == "etl")
    }

    @Test func appendsOfBothSidesGoTogether() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        let second = CatalogReference(warehouse: "silver", reference: "second")
        try catalog.createReference(context, second)
        try append(bench, etl, 1, summary: ["lakehouse.run-id": "r7"])
        try append(bench, etl, 2)
        try append(bench, second, 30)
        try append(bench, at, 500)
        #expect(try catalog.merge(context, etl).changes.map(\.outcome) == [.combined])
        #expect(try rows(bench, at) == 513)
        #expect(try catalog.merge(context, second).changes.map(\.outcome) == [.combined])
        #expect(try rows(bench, at) == 543)
        let metadata = try catalog.loadTable(context, at, bench.table).metadata
        #expect(metadata.snapshots.count == 5)
        #expect(metadata.currentSnapshot?.summary["total-records"] == "543")
        #expect(metadata.snapshots.contains { $0.summary["lakehouse.run-id"] == "r7" })
        // A merged branch stands where its parent stands, and can be merged again.
        #expect(try rows(bench, second) == 543)
        #expect(try catalog.merge(context, second).changes.isEmpty)
        try append(bench, second, 4)
        _ = try catalog.merge(context, second)
        #expect(try rows(bench, at) == 547)
    }

    @Test func conflictsNameEachTableAndNothingIsMerged() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        let path = try catalog.loadTable(context, etl, bench.table).metadata
        let file = try #require(
            try TableScan(metadata: path, snapshot: path.currentSnapshot).plan(catalog.manifests)
                .tasks.first?.file.path)
        try append(bench, etl, 8, operation: .overwrite, removing: [file])
        try create(bench, etl, "fine")
        try create(bench, etl, "twice")
        try create(bench, at, "twice")
        try append(bench, at, 1)
        do {
            _ = try catalog.merge(context, etl)
            Issue.record("the merge should have been refused")
        } catch let error as CatalogError {
            #expect(error.code == .mergeConflict)
            #expect(error.message.contains("silver.sales.Orders"))
            #expect(error.message.contains("silver.sales.twice"))
            #expect(!error.message.contains("fine"))
        }
        #expect(try rows(bench, at) == 11)
        #expect(try names(bench, at) == ["Orders", "twice"])
        let dry = try catalog.merge(context, etl, isDryRun: true)
        #expect(dry.conflicts.map(\.name) == ["Orders", "twice"])
        #expect(dry.commitID == nil)
    }

    @Test func columnsAndPropertiesComeFromTheSideThatChangedThem() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        func alter(_ at: CatalogReference, _ updates: [TableUpdate]) throws {
            _ = try catalog.commit(
                context, at,
                TableCommit(identifier: bench.table, requirements: [], updates: updates))
        }
        var schema = try catalog.loadTable(context, etl, bench.table).metadata.currentSchema
        schema.fields.append(
            NestedField(id: 3, name: "note", isRequired: false, type: .primitive(.string)))
        try alter(etl, [.addSchema(schema, lastColumnID: 3), .setCurrentSchema(-1)])
        try alter(etl, [.setProperties(["a": "1"])])
        try append(bench, etl, 2)
        try alter(at, [.setProperties(["b": "2"])])
        try append(bench, at, 20)
        _ = try catalog.merge(context, etl)
        let merged = try catalog.loadTable(context, at, bench.table).metadata
        #expect(merged.currentSchema.fields.map(\.name) == ["id", "region", "note"])
        #expect(merged.properties["a"] == "1" && merged.properties["b"] == "2")
        #expect(try rows(bench, at) == 32)
        try alter(etl, [.setProperties(["a": "x"])])
        try alter(at, [.setProperties(["a": "y"])])
        #expect(
            bench.code { _ = try catalog.merge(context, etl) } == "catalog.merge_conflict")
    }

    @Test func tagsNeverChangeAndBranchesOfBranchesOutliveThem() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        let tag = CatalogReference(warehouse: "silver", reference: "v1")
        let inner = CatalogReference(warehouse: "silver", reference: "inner")
        try append(bench, etl, 1)
        try catalog.createReference(context, inner, from: "etl")
        try catalog.createReference(context, tag, kind: .tag)
        #expect(bench.code { try append(bench, tag, 1) } == "catalog.invalid_request")
        #expect(
            bench.code { try catalog.createNamespace(context, tag, ["x"]) }
                == "catalog.invalid_request")
        #expect(bench.code { _ = try catalog.merge(context, tag) } == "catalog.invalid_request")
        try append(bench, etl, 2)
        try append(bench, inner, 4)
        #expect(try rows(bench, inner) == 15)
        #expect(
            bench.code { _ = try catalog.dropReference(context, etl) } == "catalog.invalid_request")
        // What the merged branch had done before is not done again by the inner one.
        _ = try catalog.merge(context, etl, deletes: true)
        #expect(try rows(bench, at) == 13)
        #expect(try rows(bench, inner) == 15)
        #expect(try catalog.reference(context, inner).parent == "main")
        #expect(try catalog.merge(context, inner).changes.map(\.outcome) == [.combined])
        #expect(try rows(bench, at) == 17)
        #expect(try rows(bench, tag) == 10)
        #expect(
            bench.code { _ = try catalog.dropReference(context, at) } == "catalog.invalid_request")
        #expect(
            bench.code {
                try catalog.createReference(
                    context, CatalogReference(warehouse: "silver", reference: "A b"))
            } == "catalog.invalid_name")
    }

    @Test func purgedFilesWaitForTheLastReference() throws {
        let bench = try prepared()
        defer { bench.close() }
        let (catalog, context, at) = (bench.catalog, bench.context, bench.at)
        func count() throws -> Int {
            try bench.store.list(bucket: "silver", prefix: "sales/", after: nil, limit: 100).count
        }
        try catalog.dropTable(context, at, bench.table, purge: true)
        #expect(try count() > 0)
        let location = try catalog.loadTable(context, etl, bench.table)
        #expect(
            try catalog.metadataInUse(atTableLocation: location.metadata.location)
                == [location.metadataLocation])
        try catalog.dropReference(context, etl)
        #expect(try count() == 0)
    }

    @Test func aMergeMeetsWritersOfBothSides() throws {
        let bench = try prepared()
        defer { bench.close() }
        // Appends on both sides while merges run: no row is lost, none is there twice.
        let group = DispatchGroup()
        for at in [bench.at, etl] {
            group.enter()
            Foundation.Thread.detachNewThread {
                for _ in 0..<15 { try? append(bench, at, 1) }
                group.leave()
            }
        }
        for _ in 0..<10 { _ = try? bench.catalog.merge(bench.context, etl) }
        group.wait()
        _ = try bench.catalog.merge(bench.context, etl)
        #expect(try rows(bench, bench.at) == 40)
    }
}
