import Iceberg
import JSON
import ObjectStorage
import Synchronization
import Testing

struct UpdateTests {
    static let schema = Schema(fields: [
        NestedField(id: 1, name: "id", isRequired: true, type: .primitive(.int)),
        NestedField(id: 2, name: "region", isRequired: false, type: .primitive(.string)),
    ])

    static func table(partitioned: Bool = false, version: Int = 2) throws -> TableMetadata {
        let spec = PartitionSpec(
            specID: 0,
            fields: [.init(sourceID: 2, fieldID: 1000, name: "region", transform: .identity)])
        return try TableMetadata.create(
            uuid: "u", location: "s3://lake/t", schema: schema,
            spec: partitioned ? spec : .unpartitioned, sortOrder: .unsorted,
            properties: ["format-version": "\(version)"], nowMilliseconds: 1000)
    }

    static func producer(_ store: MemoryObjectStore) -> SnapshotProducer {
        let next = Mutex<UInt64>(1)
        return SnapshotProducer(
            source: ManifestSource(store: store), nowMilliseconds: 2000,
            entropy: {
                next.withLock {
                    $0 += 0x9E37_79B9; return $0
                }
            })
    }

    static func file(_ name: String, region: String? = nil, rows: Int64 = 10) -> DataFile {
        DataFile(
            path: "s3://lake/t/data/\(name)", specID: 0,
            partition: region.map { [.string($0)] } ?? [], recordCount: rows, sizeBytes: 100)
    }

    @Test func evolutionAllowsPromotionsOnly() throws {
        let table = try Self.table()
        var wider = Self.schema
        wider.fields[0].type = .primitive(.long)
        let next = try table.applying(
            [.addSchema(wider, lastColumnID: 2), .setCurrentSchema(-1)], nowMilliseconds: 5)
        #expect(next.currentSchemaID == 1 && next.schemas.count == 2)
        var other = Self.schema
        other.fields[0].type = .primitive(.string)
        #expect {
            try table.applying([.addSchema(other, lastColumnID: nil)], nowMilliseconds: 5)
        } throws: { ($0 as? IcebergError)?.code == .invalidUpdate }
    }

    @Test func theSameSchemaIsNotAddedTwice() throws {
        let table = try Self.table()
        let next = try table.applying(
            [.addSchema(Self.schema, lastColumnID: 2), .setCurrentSchema(-1)], nowMilliseconds: 5)
        #expect(next.schemas.count == 1 && next.currentSchemaID == 0)
    }

    @Test(arguments: [
        TableUpdate.setCurrentSchema(7), .setCurrentSchema(-1), .setDefaultSpec(9),
        .setDefaultSortOrder(4), .upgradeFormatVersion(1), .upgradeFormatVersion(9),
        .assignUUID("other"), .setLocation(""),
        .setSnapshotReference("main", SnapshotReference(snapshotID: 5, kind: .branch)),
    ])
    func impossibleUpdatesAreRefused(update: TableUpdate) throws {
        let table = try Self.table()
        #expect { try table.applying([update], nowMilliseconds: 5) } throws: {
            ($0 as? IcebergError)?.code == .invalidUpdate
        }
    }

    @Test func unknownUpdatesAndRequirementsAreRefused() throws {
        let unknown = try JSONValue(parsing: #"{"action":"x","type":"y"}"#).cursor
        #expect { try TableUpdate(unknown) } throws: {
            ($0 as? IcebergError)?.code == .invalidUpdate
        }
        #expect { try TableRequirement(unknown) } throws: {
            ($0 as? IcebergError)?.code == .invalidUpdate
        }
    }

    @Test func requirementsFailWithTheirOwnCode() throws {
        let table = try Self.table()
        for requirement in [
            TableRequirement.assertCreate, .assertTableUUID("v"), .assertCurrentSchemaID(3),
            .assertLastAssignedFieldID(9), .assertDefaultSpecID(4), .assertDefaultSortOrderID(4),
            .assertLastAssignedPartitionID(1),
            .assertReferenceSnapshotID(reference: "main", snapshotID: 1),
        ] {
            #expect { try requirement.check(table) } throws: {
                ($0 as? IcebergError)?.code == .requirementFailed
            }
        }
        try TableRequirement.assertReferenceSnapshotID(reference: "main", snapshotID: nil).check(
            table)
    }

    @Test(arguments: [1, 2])
    func appendsAndDeletesKeepTheTotals(version: Int) throws {
        let store = MemoryObjectStore(buckets: ["lake"])
        let producer = Self.producer(store)
        var table = try Self.table(version: version)
        for name in ["a", "b", "c"] {
            let product = try producer.produce(
                .append, FileChanges(addedData: [Self.file(name)]), on: table)
            for requirement in product.requirements { try requirement.check(table) }
            table = try table.applying(product.updates, nowMilliseconds: 3000)
        }
        #expect(table.currentSnapshot?.summary["total-records"] == "30")
        let product = try producer.produce(
            .delete, FileChanges(removedPaths: ["s3://lake/t/data/b"]), on: table)
        table = try table.applying(product.updates, nowMilliseconds: 4000)
        #expect(table.currentSnapshot?.summary["total-data-files"] == "2")
        #expect(table.currentSnapshot?.summary["deleted-records"] == "10")
        let plan = try TableScan(metadata: table, snapshot: table.currentSnapshot)
            .plan(producer.source)
        #expect(Set(plan.tasks.map { String($0.file.path.last!) }) == ["a", "c"])
        #expect(table.snapshotLog.count == 4)
        let second = try table.select(.id(table.snapshotLog[1].snapshotID))
        #expect(
            try TableScan(metadata: table, snapshot: second).plan(producer.source).tasks.count == 2)
        #expect {
            try producer.produce(
                .delete, FileChanges(removedPaths: ["s3://lake/t/data/b"]), on: table)
        } throws: { ($0 as? IcebergError)?.code == .conflict }
    }

    @Test(arguments: [
        (1_999, "1970-01-01T00:00:01.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (Int64.min, "-290308-12-21T19:59:05.224Z"),
    ])
    func aTimeBeforeTheTableIsNamedInUTC(_ milliseconds: Int64, _ text: String) throws {
        var table = try Self.table()
        #expect {
            try table.select(.asOf(milliseconds: milliseconds))
        } throws: { ($0 as? IcebergError)?.hint == "nothing was written to it yet" }
        let product = try Self.producer(MemoryObjectStore(buckets: ["lake"])).produce(
            .append, FileChanges(addedData: [Self.file("a")]), on: table)
        table = try table.applying(product.updates, nowMilliseconds: 3000)
        let first = try #require(table.snapshotLog.first?.timestampMilliseconds)
        #expect(try table.select(.asOf(milliseconds: first)) != nil)
        do {
            _ = try table.select(.asOf(milliseconds: milliseconds))
            Issue.record("there is a snapshot")
        } catch {
            #expect(error.code == .noSuchSnapshot)
            #expect(error.message == "the table has no snapshot as old as \(text)")
            #expect(error.hint?.hasPrefix("the first one is of ") ?? false)
            #expect(error.hint?.hasSuffix("Z") ?? false)
        }
    }

    @Test func manifestsAreMergedPastTheLimit() throws {
        let producer = Self.producer(MemoryObjectStore(buckets: ["lake"]))
        var table = try Self.table().applying(
            [.setProperties(["commit.manifest.min-count-to-merge": "3"])], nowMilliseconds: 1)
        for number in 0..<8 {
            let product = try producer.produce(
                .append, FileChanges(addedData: [Self.file("f\(number)")]), on: table)
            table = try table.applying(product.updates, nowMilliseconds: 3000)
        }
        let snapshot = try #require(table.currentSnapshot)
        #expect(try producer.source.manifests(of: snapshot).count <= 3)
        let plan = try TableScan(metadata: table, snapshot: snapshot).plan(producer.source)
        #expect(plan.tasks.count == 8)
        // Each file keeps the number of the commit that added it.
        #expect(plan.tasks.map(\.dataSequenceNumber).sorted() == Array(1...8))
    }

    @Test func deletesApplyBySequenceNumberAndPartition() throws {
        let producer = Self.producer(MemoryObjectStore(buckets: ["lake"]))
        var table = try Self.table(partitioned: true)
        func add(_ changes: FileChanges) throws {
            let product = try producer.produce(.overwrite, changes, on: table)
            table = try table.applying(product.updates, nowMilliseconds: 3000)
        }
        try add(
            FileChanges(addedData: [
                Self.file("old", region: "n"), Self.file("other", region: "s"),
            ]))
        var positions = Self.file("pos", region: "n")
        positions.content = .positionDeletes
        var equality = Self.file("eq", region: "n")
        equality.content = .equalityDeletes
        equality.equalityIDs = [1]
        try add(
            FileChanges(
                addedData: [Self.file("same", region: "n")], addedDeletes: [positions, equality]))
        try add(FileChanges(addedData: [Self.file("new", region: "n")]))
        let plan = try TableScan(metadata: table, snapshot: table.currentSnapshot)
            .plan(producer.source)
        var found: [String: [Int]] = [:]
        for task in plan.tasks {
            found[String(task.file.path.split(separator: "/").last!)] = [
                task.positionDeletes.count, task.equalityDeletes.count,
            ]
        }
        #expect(found == ["old": [1, 1], "other": [0, 0], "same": [1, 0], "new": [0, 0]])
    }

    @Test func pruningDropsOnlyWhatCannotMatch() throws {
        let producer = Self.producer(MemoryObjectStore(buckets: ["lake"]))
        var table = try Self.table(partitioned: true)
        var files: [DataFile] = []
        for (index, region) in ["n", "s", "w"].enumerated() {
            var file = Self.file("f\(index)", region: region)
            file.lowerBounds.append(1, Literal.int(Int32(index * 10)).singleValueBytes)
            file.upperBounds.append(1, Literal.int(Int32(index * 10 + 9)).singleValueBytes)
            file.valueCounts.append(1, 10)
            file.nullCounts.append(1, 0)
            files.append(file)
        }
        let product = try producer.produce(.append, FileChanges(addedData: files), on: table)
        table = try table.applying(product.updates, nowMilliseconds: 3000)
        let cases: [(ScanPredicate, Int)] = [
            (.always, 3), (.never, 0), (.compare(2, .equal, .string("s")), 1),
            (.not(.compare(2, .equal, .string("s"))), 2), (.isNull(2), 0), (.isNull(1), 0),
            (.compare(1, .less, .int(10)), 1), (.compare(1, .lessOrEqual, .int(10)), 2),
            (.compare(1, .greater, .int(29)), 0), (.isIn(1, [.int(5), .int(25)]), 2),
            (.and([.compare(1, .less, .int(15)), .startsWith(2, "s")]), 1),
            (.or([.compare(1, .equal, .int(3)), .compare(2, .equal, .string("w"))]), 2),
            (.compare(2, .equal, .string("x")), 0), (.isNotIn(2, [.string("n"), .string("s")]), 1),
        ]
        for (predicate, count) in cases {
            let plan = try TableScan(
                metadata: table, snapshot: table.currentSnapshot, predicate: predicate
            ).plan(producer.source)
            #expect(plan.tasks.count == count, "\(predicate)")
        }
        let whole = try TableScan(
            metadata: table, snapshot: table.currentSnapshot,
            predicate: .compare(2, .equal, .string("s"))
        ).plan(producer.source)
        #expect(whole.tasks.allSatisfy { $0.allRowsMatch })
    }

    @Test func damagedMetadataNamesTheFile() {
        for text in ["", "{", "[]", #"{"format-version":2}"#, #"{"format-version":9}"#] {
            #expect(throws: IcebergError.self) {
                try TableMetadata(parsing: Array(text.utf8), path: "s3://x/y")
            }
        }
    }
}
