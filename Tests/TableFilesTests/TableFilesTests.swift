@testable import Iceberg
import JSON
import ObjectStorage
import Parquet
import Platform
import Testing
import Vectors

@testable import TableFiles

private func table(
    _ fields: [NestedField], _ spec: PartitionSpec = .unpartitioned,
    _ properties: [String: String] = [:]
) throws -> TableMetadata {
    try TableMetadata.create(
        uuid: "00000000-0000-4000-8000-000000000000", location: "s3://w/t",
        schema: Schema(fields: fields),
        spec: spec, sortOrder: .unsorted, properties: properties, nowMilliseconds: 0)
}

private let budget = MemoryBudget(limitBytes: 64 << 20)

private let columns = [
    NestedField(id: 1, name: "id", isRequired: true, type: .primitive(.long)),
    NestedField(id: 2, name: "region", isRequired: false, type: .primitive(.string)),
    NestedField(id: 3, name: "at", isRequired: false, type: .primitive(.timestamp)),
]

/// Rows `first..<first + count`: region by the id's remainder (every seventh is NULL), an hour a row.
private func fill(
    _ writer: PartitionedDataWriter, first: Int = 0, count: Int, regions: Int
) throws {
    let ids = ColumnBuffer(type: .bigint)
    let names = ColumnBuffer(type: .text)
    let times = ColumnBuffer(type: .timestamp(precision: 6))
    let chunk = Chunk(columnCount: 3)
    var texts = (0..<max(regions, 1)).map { Array("r\($0)".utf8) }
    var done = 0
    while done < count {
        let size = min(Chunk.capacity, count - done)
        for buffer in [ids, names, times] { buffer.reset() }
        for row in 0..<size {
            let id = first + done + row
            ids.set(row, Int64(id))
            if id % 7 == 6 {
                names.setNull(row)
            } else {
                let count = texts[id % regions].count
                texts[id % regions].withUnsafeMutableBufferPointer {
                    names.set(
                        row,
                        StringView(UnsafePointer($0.baseAddress.unsafelyUnwrapped), count: count))
                }
            }
            times.set(row, Int64(id) * 3_600_000_000)
        }
        for (index, buffer) in [ids, names, times].enumerated() {
            chunk.columns[index] = buffer.vector
        }
        chunk.count = size
        try writer.append(chunk)
        done += size
    }
}

private func byRegion(_ transform: Transform = .identity, source: Int32 = 2) -> PartitionSpec {
    PartitionSpec(
        specID: 0,
        fields: [
            .init(
                sourceID: source, fieldID: 1000, name: source == 2 ? "region" : "part",
                transform: transform)
        ])
}

@Suite struct PartitionedDataWriterTests {
    @Test func eachPartitionHasItsFileWithItsBounds() throws {
        let store = MemoryObjectStore(buckets: ["w"])
        let metadata = try table(columns, byRegion())
        let writer = try PartitionedDataWriter(
            store: store, table: metadata, budget: budget, entropy: SeededEntropy(seed: 1))
        try fill(writer, count: 5000, regions: 3)
        let files = try writer.finish()
        #expect(files.count == 4)
        #expect(files.reduce(0) { $0 + $1.recordCount } == 5000)
        #expect(files.map(\.partition).contains([nil]))
        for file in files {
            let listed = try store.describe(try #require(ObjectLocation(uri: file.path)))
            #expect(listed.sizeBytes == file.sizeBytes)
            #expect(file.nullCounts[1] == 0)
            #expect(file.nullCounts[2] == (file.partition[0] == nil ? file.recordCount : 0))
            let low = file.lowerBounds[1].flatMap { Literal(singleValueBytes: $0, type: .long) }
            #expect((low?.integer ?? -1) >= 0)
        }
        #expect(files.contains { $0.path.hasPrefix("s3://w/t/data/region=r0/") })
        let first = try #require(files.first { $0.partition == [.string("r0")] })
        #expect(first.lowerBounds[2] == Array("r0".utf8))
    }

    @Test(arguments: [(Transform.day, 9), (.month, 1), (.hour, 200), (.bucket(4), 4), (.void, 1)])
    func transforms(_ transform: Transform, _ expected: Int) throws {
        let source: Int32 = if case .bucket = transform { 1 } else { 3 }
        let metadata = try table(columns, byRegion(transform, source: source))
        let writer = try PartitionedDataWriter(
            store: MemoryObjectStore(buckets: ["w"]), table: metadata, budget: budget,
            entropy: SeededEntropy(seed: 1))
        try fill(writer, count: 200, regions: 1)
        let files = try writer.finish()
        #expect(files.count == expected)
        #expect(files.reduce(0) { $0 + $1.recordCount } == 200)
    }

    @Test func openFilesAreLimitedAndNoRowIsLost() throws {
        var options = DataWriterOptions(properties: [:])
        options.openPartitions = 2
        let metadata = try table(columns, byRegion())
        let writer = try PartitionedDataWriter(
            store: MemoryObjectStore(buckets: ["w"]), table: metadata, options: options,
            budget: budget,
            entropy: SeededEntropy(seed: 1))
        try fill(writer, count: 6000, regions: 5)
        let files = try writer.finish()
        #expect(files.count > 6)
        #expect(files.reduce(0) { $0 + $1.recordCount } == 6000)
    }

    @Test func filesEndAtTheirTargetSize() throws {
        let metadata = try table(columns, .unpartitioned, ["write.target-file-size-bytes": "4096"])
        let writer = try PartitionedDataWriter(
            store: MemoryObjectStore(buckets: ["w"]), table: metadata, budget: budget,
            entropy: SeededEntropy(seed: 1))
        try fill(writer, count: 20_000, regions: 3)
        #expect(try writer.finish().count > 1)
    }

    @Test func abandoningLeavesNothing() throws {
        let store = MemoryObjectStore(buckets: ["w"])
        let writer = try PartitionedDataWriter(
            store: store, table: try table(columns, byRegion()), budget: budget,
            entropy: SeededEntropy(seed: 1))
        try fill(writer, count: 100, regions: 3)
        #expect(try writer.finish().count == 4)
        writer.abandon()
        #expect(try store.list(bucket: "w", prefix: "", after: nil, limit: 10).isEmpty)
    }

    @Test func aNullInARequiredColumnIsAFault() throws {
        let writer = try PartitionedDataWriter(
            store: MemoryObjectStore(buckets: ["w"]), table: try table(columns), budget: budget,
            entropy: SeededEntropy(seed: 1))
        let buffers = writer.types.map { ColumnBuffer(type: $0) }
        for buffer in buffers { buffer.setNull(0) }
        let chunk = Chunk(columnCount: 3)
        for (index, buffer) in buffers.enumerated() { chunk.columns[index] = buffer.vector }
        chunk.count = 1
        do throws(TableFileError) {
            try writer.append(chunk)
            Issue.record("no fault")
        } catch { #expect(error.code == .valueOutOfRange) }
    }
}

@Suite struct PositionDeleteTests {
    @Test func deletedRowsAreNotReadAndFilesAreSorted() throws {
        let store = MemoryObjectStore(buckets: ["w"])
        let metadata = try table(columns, byRegion())
        let writer = try PartitionedDataWriter(
            store: store, table: metadata, budget: budget, entropy: SeededEntropy(seed: 1))
        try fill(writer, count: 100, regions: 2)
        let files = try writer.finish()
        let deletes = try PositionDeleteWriter(
            store: store, table: metadata, budget: budget, entropy: SeededEntropy(seed: 2))
        for file in files { deletes.delete([5, 1, 1], in: file) }
        let written = try deletes.finish()
        #expect(written.count == 3)
        for delete in written {
            #expect(delete.recordCount == 2)
            #expect(delete.content == .positionDeletes)
            let data = try #require(files.first { $0.partition == delete.partition })
            #expect(delete.referencedDataFile == data.path)
            #expect(
                delete.lowerBounds[PositionDeleteWriter.pathFieldID] == Array(data.path.utf8))
            let task = FileScanTask(
                file: data, dataSequenceNumber: 1, positionDeletes: [delete], equalityDeletes: [],
                allRowsMatch: true)
            var positions: [Int64] = []
            try DataFileReader(store: store, budget: budget).read(
                task, fields: [columns[0]], withPositions: true, alsoDeleted: [0]
            ) { chunk in
                for index in 0..<chunk.activeCount {
                    positions.append(chunk.columns[1].value(chunk.row(index), as: Int64.self))
                }
            }
            #expect(Array(positions.prefix(4)) == [2, 3, 4, 6])
            #expect(positions.count == Int(data.recordCount) - 3)
        }
    }

    @Test(arguments: ["1", "3"])
    func otherFormatVersionsAreRefused(_ version: String) throws {
        let metadata = try table(columns, .unpartitioned, ["format-version": version])
        #expect(throws: TableFileError.self) {
            try PositionDeleteWriter(
                store: MemoryObjectStore(buckets: ["w"]), table: metadata, budget: budget,
                entropy: SeededEntropy(seed: 1))
        }
    }
}

@Suite struct IcebergTypesTests {
    @Test(arguments: [
        (Literal.int(5), PrimitiveType.int), (.long(-5), .long), (.boolean(true), .boolean),
        (.float(1.5), .float), (.double(-0.5), .double), (.date(-3), .date), (.time(5), .time),
        (.timestamp(-7), .timestamp), (.timestamptz(-7), .timestamptz),
        (.timestampNanos(-1), .timestampNanos), (.timestamptzNanos(-1_000_001), .timestamptzNanos),
        (.string("ä"), .string), (.binary([1, 2]), .binary), (.uuid(Array(0...15)), .uuid),
        (.decimal(unscaled: -123, scale: 2), .decimal(precision: 9, scale: 2)),
        (.decimal(unscaled: Int128(1) << 100, scale: 2), .decimal(precision: 38, scale: 2)),
    ])
    func valuesComeBack(_ literal: Literal, _ type: PrimitiveType) throws {
        let sql = try #require(IcebergTypes.sqlType(type))
        let value = try #require(IcebergTypes.value(literal, as: sql))
        #expect(IcebergTypes.literal(value, type) == literal)
    }
}
