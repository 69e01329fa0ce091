import Parquet
import Testing
import Vectors

/// Bloom filters that the writer makes, asked by the scan.
@Suite struct BloomTests {
    /// Wants one of some values, and says so to bloom filters only.
    final class OneOf: ColumnFilter {
        let equalityCandidates: [ParquetValue]?
        init(_ values: [ParquetValue]) { equalityCandidates = values }
        func select(
            _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
            into output: UnsafeMutablePointer<UInt32>
        ) -> Int {
            for index in 0..<count { output[index] = selection?[index] ?? UInt32(index) }
            return count
        }
    }

    static let kinds: [(LogicalType, @Sendable (Int) -> ParquetValue)] = [
        (.bigint, { .int64(Int64($0) &* 0x9E37_79B9) }),
        (.integer, { .int32(Int32(truncatingIfNeeded: $0 &* 2_654_435)) }),
        (.text, { .bytes(Array("value number \($0)".utf8)) }),
        (.text, { .bytes(Array("v\($0 % 50)".utf8)) }),
        (.varbinary, { .bytes([UInt8(truncatingIfNeeded: $0), 0, 255]) }),
        (.double, { .double(Double($0) + 0.5) }),
        (.uuid, { .int128(Int128($0) << 70) }),
        (.date, { .int32(Int32($0)) }),
    ]

    @Test(arguments: kinds.indices, [true, false])
    func valuesThatAreAbsentPruneAndOthersNever(kind: Int, usesDictionaries: Bool) throws {
        let (type, value) = Self.kinds[kind]
        var options = WriterOptions()
        options.usesDictionaries = usesDictionaries
        options.rowGroupRows = 500
        options.pageRows = 100
        // Small, so that dictionaries are left in the middle of column chunks as well.
        options.dictionaryBytes = 900
        options.bloomFilters = ["v": BloomOptions()]
        let output = BytesWriter()
        let budget = MemoryBudget(limitBytes: 1 << 30)
        let cells = (0..<1000).map { $0 % 7 == 3 ? Cell.null : .value(value($0)) }
        let builder = VectorBuilder()
        let writer = try ParquetWriter(
            output, fields: [WriterField(name: "v", type: type)], options: options, budget: budget)
        try writer.append(builder.chunk([cells], [type]))
        _ = try writer.finish()
        let file = try ParquetFile.open(BytesReader(output.bytes))
        #expect(file.metadata.rowGroups.allSatisfy { $0.columns[0].bloomFilterOffset != nil })
        func reads(_ values: [ParquetValue]) throws -> Set<Int> {
            let scan = try ParquetScan(
                file, columns: [.whole(file.schema.fields[0])],
                filters: [ScanFilter(column: 0, filter: OneOf(values))],
                memory: ScanMemory(budget: budget))
            return Set(try (0..<2).filter { try scan.begin(rowGroup: $0) })
        }
        for index in 0..<1000 where index % 7 != 3 {
            #expect(try reads([value(index)]).contains(index / 500))
        }
        var wrong = 0
        for index in 0..<400 {
            // Far away from all values that were written.
            wrong += try reads([value(5_000_000 + 7 * index)]).count
        }
        let repeats = kind == 3 || kind == 4
        if !repeats { #expect(wrong < 40, "\(wrong) of 800 absent values seem present") }
    }

    @Test func sizesFollowTheValuesAndTheLimit() throws {
        func size(_ rate: Double, _ limit: Int, _ count: Int) throws -> Int {
            var options = WriterOptions()
            var bloom = BloomOptions()
            bloom.falsePositiveRate = rate
            bloom.maximumBytes = limit
            options.bloomFilters = ["v": bloom]
            let output = BytesWriter()
            let writer = try ParquetWriter(
                output, fields: [WriterField(name: "v", type: .bigint)], options: options,
                budget: MemoryBudget(limitBytes: 1 << 30))
            let builder = VectorBuilder()
            try writer.append(
                builder.chunk([(0..<count).map { .value(.int64(Int64($0))) }], [.bigint]))
            return try writer.finish().metadata.rowGroups[0].columns[0].bloomFilterLength ?? 0
        }
        let small = try size(0.01, 1 << 20, 1000)
        #expect((1024...2100).contains(small))
        #expect(try size(0.0001, 1 << 20, 1000) > small)
        #expect(try size(0.01, 256, 1000) < 300)
        #expect(try size(0.01, 1 << 20, 1) < 64)
    }
}
