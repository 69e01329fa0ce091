import Authority
import Foundation
import Iceberg
import JSON
import ObjectStorage
import Platform
import Synchronization
import TableCatalog
import Testing

/// A table whose files are there, in a store whose deletions can be stopped, with a clock that tests move.
private struct Yard {
    let catalog: Catalog
    let store: MemoryObjectStore
    let clock: SettableClock
    let folder: String
    let context = RequestContext(principal: .system, requestID: "r1", door: .catalog)
    let at = CatalogReference(warehouse: "silver")
    let table = TableIdentifier(namespace: ["sales"], name: "orders")

    static let day: Int64 = 86_400_000

    init(
        clock: SettableClock = SettableClock(), folder: String? = nil,
        store: MemoryObjectStore? = nil,
        before:
            @escaping @Sendable (MemoryObjectStore.Operation) throws(ObjectStoreError) -> Void = {
                (_) throws(ObjectStoreError) in
            }
    ) throws {
        self.clock = clock
        let own = folder ?? NSTemporaryDirectory() + "maintenance-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        self.folder = own
        self.store =
            store
            ?? MemoryObjectStore(
                buckets: ["silver"],
                interference: .init(before: { operation, _ throws(ObjectStoreError) in
                    try before(operation)
                }),
                nowMicroseconds: {
                    let now: WallTime = clock.now()
                    return now.microseconds
                })
        catalog = try Catalog(
            databasePath: own + "/catalog.sqlite", store: self.store, authorizer: Everybody(),
            clock: clock, entropy: SeededEntropy(seed: UInt64.random(in: 0...UInt64.max)))
    }

    func prepare() throws {
        try catalog.createWarehouse(context, name: "silver", location: "s3://silver/")
        try catalog.createNamespace(context, at, ["sales"])
        _ = try catalog.createTable(
            context, at, namespace: ["sales"],
            TableCreation(name: "orders", schema: Bench.schema))
    }

    func metadata(_ at: CatalogReference? = nil) throws -> TableMetadata {
        try catalog.loadTable(context, at ?? self.at, table).metadata
    }

    /// Writes an object below the table's place.
    @discardableResult
    func object(_ name: String) throws -> String {
        let path = "\(try metadata().location)/\(name)"
        let location = try #require(ObjectLocation(uri: path))
        try store.write(Array("bytes".utf8), to: location)
        return path
    }

    /// Adds a data file of one row, in exchange for others; its path.
    @discardableResult
    func write(
        _ at: CatalogReference? = nil, removing: Set<String> = [], branch: String = "main"
    ) throws -> String {
        let path = try object("data/\(UUID().uuidString).parquet")
        _ = try catalog.commitFiles(
            context, at ?? self.at, table, removing.isEmpty ? .append : .overwrite,
            FileChanges(
                addedData: [
                    DataFile(path: path, specID: 0, partition: [], recordCount: 1, sizeBytes: 5)
                ], removedPaths: removing), branch: branch)
        return path
    }

    /// The paths of a snapshot's data files, all of which have to be there.
    func files(of snapshot: Snapshot?, in metadata: TableMetadata) throws -> Set<String> {
        // Not through the cache, which would hide that a manifest is gone.
        let source = ManifestSource(store: store)
        let plan = try TableScan(metadata: metadata, snapshot: snapshot).plan(source)
        for task in plan.tasks {
            let location = try #require(ObjectLocation(uri: task.file.path))
            _ = try store.open(location).allBytes()
        }
        return Set(plan.tasks.map(\.file.path))
    }

    /// Reads every snapshot of a reference.
    func readAll(_ at: CatalogReference? = nil) throws {
        let metadata = try metadata(at)
        for snapshot in metadata.snapshots { _ = try files(of: snapshot, in: metadata) }
    }

    func exists(_ path: String) -> Bool {
        guard let location = ObjectLocation(uri: path) else { return false }
        return (try? store.describe(location)) != nil
    }

    func expire(
        days: Int64 = 7, grace: Int64 = 0, retainLast: Int? = nil, isDryRun: Bool = false
    ) throws -> ExpiryReport {
        let now: WallTime = clock.now()
        return try catalog.expireSnapshots(
            context, at, table,
            ExpiryRequest(
                olderThanMilliseconds: now.milliseconds - days * Self.day, retainLast: retainLast,
                isDryRun: isDryRun, graceMilliseconds: grace))
    }

    func removeOrphans(days: Int64 = 7, isDryRun: Bool = false) throws -> OrphanReport {
        let now: WallTime = clock.now()
        return try catalog.removeOrphanFiles(
            context, at, table,
            OrphanRequest(
                olderThanMicroseconds: now.microseconds - days * Self.day * 1000,
                isDryRun: isDryRun, graceMilliseconds: 0))
    }

    func pass(days: Int64) { clock.advance(by: .seconds(days * 86_400)) }

    func close() {
        catalog.close()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Expiry, orphans, manifests, branches of runs: what is in use stays.
struct MaintenanceTests {
    @Test func expiredSnapshotsTakeTheFilesThatOnlyTheyNeeded() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        let first = try yard.write()
        let second = try yard.write(removing: [first])
        yard.pass(days: 8)
        let third = try yard.write()
        let trial = try yard.expire(isDryRun: true)
        #expect(trial.expired.snapshotIDs.count == 2 && trial.count(.data) == 1)
        #expect(yard.exists(first))
        #expect(try yard.metadata().snapshots.count == 3)
        let report = try yard.expire()
        #expect(report.expired.snapshotIDs.count == 2)
        #expect(report.count(.data) == 1 && report.count(.manifestList) == 2)
        #expect(!yard.exists(first) && yard.exists(second) && yard.exists(third))
        let metadata = try yard.metadata()
        #expect(try yard.files(of: metadata.currentSnapshot, in: metadata) == [second, third])
        #expect(metadata.snapshots.count == 1)
        let again = try yard.expire()
        #expect(again.expired.isEmpty && again.deletedCount == 0)
        yard.pass(days: 8)
        let orphans = try yard.removeOrphans()
        #expect(orphans.deletedFiles == 0, "\(orphans.examples)")
    }

    @Test func twentyBranchesAndTagsKeepWhatTheySee() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        var last = try yard.write()
        var seen: [(at: CatalogReference, files: Set<String>)] = []
        for number in 0..<20 {
            let at = CatalogReference(warehouse: "silver", reference: "r\(number)")
            try yard.catalog.createReference(
                yard.context, at, kind: number % 2 == 0 ? .branch : .tag)
            let metadata = try yard.metadata(at)
            seen.append((at, try yard.files(of: metadata.currentSnapshot, in: metadata)))
            if number % 4 == 0 { try yard.write(at) }
            last = try yard.write(removing: [last])
        }
        let live = Set(try yard.files(of: try yard.metadata().currentSnapshot, in: yard.metadata()))
        yard.pass(days: 30)
        #expect(try yard.expire(days: 0).expired.snapshotIDs.count == 20)
        #expect(try yard.removeOrphans(days: 0).deletedFiles == 0)
        for (at, files) in seen {
            try yard.readAll(at)
            let metadata = try yard.metadata(at)
            #expect(
                try yard.files(of: metadata.currentSnapshot, in: metadata).isSuperset(of: files))
        }
        #expect(
            try yard.files(of: try yard.metadata().currentSnapshot, in: yard.metadata()) == live)
        // Without them the files are nobody's.
        for (at, _) in seen { try yard.catalog.dropReference(yard.context, at) }
        #expect(try yard.removeOrphans(days: 0).deletedFiles > 40)
        try yard.readAll()
        #expect(
            try yard.files(of: try yard.metadata().currentSnapshot, in: yard.metadata()) == live)
    }

    @Test func aPinnedStateStaysUntilItIsReleased() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        let first = try yard.write()
        var held: (table: LoadedTable, pin: TablePin)? = try yard.catalog.pinnedTable(
            yard.context, yard.at, yard.table)
        let old = try #require(held).table.metadata
        try yard.write(removing: [first])
        yard.pass(days: 30)
        #expect(try yard.expire(days: 0).expired.isEmpty)
        #expect(try yard.files(of: old.currentSnapshot, in: old) == [first])
        held = nil
        #expect(try yard.expire(days: 0).count(.data) == 1)
        #expect(!yard.exists(first))
        try yard.readAll()
    }

    @Test func whatAPinnedStateReadsStaysWhenItsSnapshotIsGone() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        let first = try yard.write()
        let second = try yard.write(removing: [first])
        // Somebody travels to the first snapshot, with the table's present state in hand.
        var held: (table: LoadedTable, pin: TablePin)? = try yard.catalog.pinnedTable(
            yard.context, yard.at, yard.table)
        let old = try #require(held).table.metadata
        try yard.write(removing: [second])
        yard.pass(days: 30)
        let report = try yard.expire(days: 0)
        #expect(report.expired.snapshotIDs.count == 1 && report.deletedCount == 0)
        #expect(try yard.removeOrphans(days: 0).deletedFiles == 0)
        #expect(try yard.files(of: old.snapshots.first, in: old) == [first])
        held = nil
        #expect(try yard.removeOrphans(days: 0).deletedFiles > 0)
        #expect(!yard.exists(first))
        try yard.readAll()
    }

    @Test func aStateThatWasPresentWithinTheGraceStays() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        let first = try yard.write()
        yard.pass(days: 30)
        let second = try yard.write(removing: [first])
        let hour: Int64 = 3_600_000
        #expect(try yard.expire(grace: hour).expired.isEmpty)
        #expect(yard.exists(first))
        try yard.write(removing: [second])
        yard.pass(days: 9)
        #expect(try yard.expire(grace: hour).expired.snapshotIDs.count == 2)
        #expect(!yard.exists(second) && !yard.exists(first))
        #expect(try yard.removeOrphans().deletedFiles == 0)
        try yard.readAll()
    }

    @Test func writersThatHaveNotCommittedKeepTheirFiles() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        try yard.write()
        let now: WallTime = yard.clock.now()
        var pin: TablePin? = yard.catalog.pins.beginWriting(atMicroseconds: now.microseconds)
        let open = try yard.object("data/open.parquet")
        yard.pass(days: 30)
        #expect(try yard.removeOrphans(days: 0).deletedFiles == 0)
        withExtendedLifetime(pin) {}
        pin = nil
        #expect(try yard.removeOrphans(days: 31).deletedFiles == 0)
        let trial = try yard.removeOrphans(isDryRun: true)
        #expect(trial.deletedFiles == 1 && trial.examples == [open] && yard.exists(open))
        let report = try yard.removeOrphans()
        #expect(report.deletedFiles == 1 && report.deletedBytes == 5 && !yard.exists(open))
        #expect(report.scannedFiles > 3 && report.processedManifests == 1)
    }

    @Test func loadingIntoATableHoldsItsFiles() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        let first = try yard.write()
        let pins = yard.catalog.pinsForLoading(into: try yard.metadata())
        try yard.write(removing: [first])
        yard.pass(days: 30)
        let report = try yard.expire(days: 0)
        #expect(report.expired.snapshotIDs.count == 1 && report.keptBecause != nil)
        #expect(try yard.removeOrphans(days: 0).keptBecause != nil)
        #expect(yard.exists(first))
        withExtendedLifetime(pins) {}
    }

    @Test func anotherTablesFilesAreNobodysOrphans() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        let own = try yard.write()
        // Registered a second time, then moved on: the copy stands on files in the other's place.
        let source = try yard.catalog.loadTable(yard.context, yard.at, yard.table)
        _ = try yard.catalog.createTable(
            yard.context, yard.at, namespace: ["sales"],
            TableCreation(name: "copy", schema: Bench.schema))
        let copy = TableIdentifier(namespace: ["sales"], name: "copy")
        _ = try yard.catalog.commitFiles(
            yard.context, yard.at, copy, .append,
            FileChanges(addedData: [
                DataFile(path: own, specID: 0, partition: [], recordCount: 1, sizeBytes: 5)
            ]))
        // A table of its own inside of the first one's place.
        _ = try yard.catalog.createTable(
            yard.context, yard.at, namespace: ["sales"],
            TableCreation(
                name: "inner", schema: Bench.schema,
                location: "\(source.metadata.location)/inner"))
        let loose = try yard.object("inner/data/loose.parquet")
        try yard.write(removing: [own])
        yard.pass(days: 30)
        #expect(try yard.expire(days: 0).count(.data) == 0)
        _ = try yard.removeOrphans(days: 0)
        #expect(yard.exists(own) && yard.exists(loose))
        let metadata = try yard.catalog.loadTable(yard.context, yard.at, copy).metadata
        #expect(try yard.files(of: metadata.currentSnapshot, in: metadata) == [own])
    }

    /// Stops every deletion of an expiry and of a removal of orphans once, at each place; what is left is
    /// whole after a restart, and the next run finishes the work.
    @Test func aStopAfterAnyDeletionLosesNothing() throws {
        let left = Mutex(Int.max)
        var stops = 0
        while true {
            let yard = try Yard(before: { operation throws(ObjectStoreError) in
                guard operation == .delete else { return }
                let mayGo = left.withLock { left in
                    left -= 1
                    return left >= 0
                }
                guard mayGo else {
                    throw ObjectStoreError(code: .storageFull, message: "the process is gone")
                }
            })
            left.withLock { $0 = Int.max }
            try yard.prepare()
            var last = try yard.write()
            let tag = CatalogReference(warehouse: "silver", reference: "month")
            for number in 0..<4 {
                if number == 2 {
                    try yard.catalog.createReference(yard.context, tag, kind: .tag)
                }
                last = try yard.write(removing: [last])
            }
            for number in 0..<3 { try yard.object("data/lost-\(number).parquet") }
            yard.pass(days: 30)
            left.withLock { $0 = stops }
            let isStopped =
                try yard.expire(days: 0).keptBecause != nil
                || yard.removeOrphans(days: 0).keptBecause != nil
            left.withLock { $0 = Int.max }
            yard.catalog.close()

            let after = try Yard(clock: yard.clock, folder: yard.folder, store: yard.store)
            try after.catalog.recover()
            try after.readAll()
            try after.readAll(tag)
            let metadata = try after.metadata()
            #expect(try after.files(of: metadata.currentSnapshot, in: metadata) == [last])
            #expect(metadata.snapshots.count == 1)
            _ = try after.expire(days: 0)
            _ = try after.removeOrphans(days: 0)
            #expect(try after.removeOrphans(days: 0).deletedFiles == 0)
            try after.readAll()
            try after.readAll(tag)
            after.close()
            if !isStopped { break }
            stops += 1
        }
        #expect(stops > 5)
    }

    @Test func referencesOfTheTableKeepTheirOwnRules() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        try yard.write()
        let tagged = try #require(try yard.metadata().currentSnapshotID)
        _ = try yard.catalog.commit(
            yard.context, yard.at,
            TableCommit(
                identifier: yard.table, requirements: [],
                updates: [
                    .setSnapshotReference(
                        "v1", SnapshotReference(snapshotID: tagged, kind: .tag)),
                    .setSnapshotReference(
                        "short",
                        SnapshotReference(
                            snapshotID: tagged, kind: .branch,
                            maximumReferenceAgeMilliseconds: 5 * Yard.day)),
                    .setSnapshotReference(
                        "long",
                        SnapshotReference(
                            snapshotID: tagged, kind: .branch, minimumSnapshotsToKeep: 3)),
                ]))
        for _ in 0..<3 { try yard.write(branch: "long") }
        for _ in 0..<3 { try yard.write() }
        yard.pass(days: 30)
        let report = try yard.expire()
        #expect(report.expired.references == ["short"])
        let metadata = try yard.metadata()
        #expect(Set(metadata.references.keys) == ["main", "v1", "long"])
        // Of main one, of the long branch three, and the tag's.
        #expect(metadata.snapshots.count == 5)
        try yard.readAll()
    }

    @Test func manifestsAreJoined() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        var files: Set<String> = []
        for _ in 0..<6 { files.insert(try yard.write()) }
        let (catalog, context, at, table) = (yard.catalog, yard.context, yard.at, yard.table)
        let trial = try catalog.optimizeManifests(context, at, table, isDryRun: true)
        #expect(trial.rewritten == 6 && trial.added == 1)
        #expect(try yard.metadata().snapshots.count == 6)
        let done = try catalog.optimizeManifests(context, at, table)
        #expect(done.rewritten == 6 && done.added == 1 && done.processedEntries == 6)
        let metadata = try yard.metadata()
        let snapshot = try #require(metadata.currentSnapshot)
        #expect(snapshot.operation == "replace" && snapshot.summary["manifests-replaced"] == "6")
        #expect(snapshot.summary["total-records"] == "6")
        #expect(try catalog.manifests.manifests(of: snapshot).count == 1)
        #expect(try yard.files(of: snapshot, in: metadata) == files)
        #expect(try catalog.optimizeManifests(context, at, table).isNeeded == false)
        #expect(try yard.metadata().snapshots.count == 7)
    }

    @Test func branchesOfRunsGoByAge() throws {
        let yard = try Yard()
        defer { yard.close() }
        try yard.prepare()
        try yard.write()
        for name in ["run_old", "run_used", "etl"] {
            let at = CatalogReference(warehouse: "silver", reference: name)
            try yard.catalog.createReference(yard.context, at)
            try yard.write(at)
        }
        yard.pass(days: 8)
        let fresh = CatalogReference(warehouse: "silver", reference: "run_new")
        try yard.catalog.createReference(yard.context, fresh)
        let now: WallTime = yard.clock.now()
        func expire(isDryRun: Bool) throws -> [String] {
            try yard.catalog.expireRunBranches(
                yard.context, warehouse: "silver",
                olderThanMicroseconds: now.microseconds - 7 * Yard.day * 1000, isDryRun: isDryRun,
                isNeeded: { $0 == "run_used" }
            ).dropped
        }
        #expect(try expire(isDryRun: true) == ["run_old"])
        #expect(try expire(isDryRun: false) == ["run_old"])
        let names = try yard.catalog.references(yard.context, warehouse: "silver").map {
            $0.at.reference
        }
        #expect(Set(names) == ["main", "etl", "run_used", "run_new"])
    }
}
