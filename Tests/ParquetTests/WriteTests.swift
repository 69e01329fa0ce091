import Compression
import Diagnostics
import Parquet
import Testing
import Vectors

private let rowType = LogicalType.row([
    RowField(name: "x", type: .integer), RowField(name: "tags", type: .array(.text)),
])

private let fields: [WriterField] = [
    WriterField(name: "b", fieldID: 1, type: .boolean),
    WriterField(name: "i", fieldID: 2, type: .integer, isNullable: false),
    WriterField(name: "l", fieldID: 3, type: .bigint),
    WriterField(name: "d", fieldID: 4, type: .double),
    WriterField(name: "r", fieldID: 5, type: .real),
    WriterField(name: "s", fieldID: 6, type: .text),
    WriterField(name: "dec9", fieldID: 7, type: .decimal(precision: 9, scale: 2)),
    WriterField(name: "dec18", fieldID: 8, type: .decimal(precision: 18, scale: 2)),
    WriterField(name: "dec38", fieldID: 9, type: .decimal(precision: 38, scale: 2)),
    WriterField(name: "day", fieldID: 10, type: .date),
    WriterField(name: "ts", fieldID: 11, type: .timestamp(precision: 6)),
    WriterField(name: "tz", fieldID: 12, type: .timestampWithTimeZone(precision: 6)),
    WriterField(name: "ns", fieldID: 13, type: .timestamp(precision: 9)),
    WriterField(name: "t", fieldID: 14, type: .time(precision: 6)),
    WriterField(name: "bin", fieldID: 15, type: .varbinary),
    WriterField(name: "list", fieldID: 16, type: .array(.bigint)),
    WriterField(name: "map", fieldID: 17, type: .map(key: .text, value: .double)),
    WriterField(name: "row", fieldID: 18, type: rowType),
    WriterField(name: "rows", fieldID: 19, type: .array(rowType)),
]

/// Columns of random values, with runs, repeats, NULLs and empty lists among them.
private func columns(_ count: Int, seed: UInt64) -> [[Cell]] {
    var random = Seeded(state: seed)
    func cell(_ type: LogicalType, _ isNullable: Bool) -> Cell {
        if isNullable && random.below(6) == 0 { return .null }
        let few = Int64(random.below(9)) - 4
        let any = random.below(3) == 0 ? Int64(bitPattern: random.next()) : few
        switch type {
        case .boolean: return .value(.boolean(few > 0))
        case .integer, .date: return .value(.int32(Int32(truncatingIfNeeded: any)))
        case .bigint: return .value(.int64(any))
        case .double: return .value(.double(few == 3 ? .nan : Double(any) / 7))
        case .real: return .value(.double(Double(Float(any) / 7)))
        case .decimal(9, _): return .value(.int64(any % 1_000_000_000))
        case .decimal(18, _): return .value(.int64(any % 1_000_000_000_000_000_000))
        case .decimal: return .value(.int128(Int128(any) * 10_000_000_000_000_000_000))
        case .timestamp(6): return .value(.int64(any))
        case .timestamp:
            return .value(
                .int128(Int128(any % (1 << 52)) << 64 | Int128(random.below(1000)) * 1000))
        case .timestampWithTimeZone: return .value(.int128(Int128(any) << 64))
        case .time:
            return .value(.int64(Int64(random.below(86_400_000_000 / 1000)) * 1_000_000_000))
        case .varchar:
            return text(few < 0 ? "" : few < 2 ? "größer als zwölf Bytes \(any)" : "v\(few)")
        case .varbinary:
            return .value(.bytes([UInt8](repeating: UInt8(few + 4), count: random.below(20))))
        case .array(let element):
            return .list((0..<random.below(4)).map { _ in cell(element, true) })
        case .map(let key, let value):
            return .map((0..<random.below(3)).map { _ in (cell(key, false), cell(value, true)) })
        case .row(let parts): return .row(parts.map { cell($0.type, true) })
        default: return .null
        }
    }
    return fields.map { field in (0..<count).map { _ in cell(field.type, field.isNullable) } }
}

private func write(
    _ batches: [[[Cell]]], options: WriterOptions, fields: [WriterField] = fields
) throws -> (bytes: [UInt8], written: WrittenFile, lines: [String]) {
    let output = BytesWriter()
    let budget = MemoryBudget(limitBytes: 1 << 30)
    let types = fields.map(\.type)
    var expected: [String] = []
    var result = WrittenFile()
    do {
        let writer = try ParquetWriter(output, fields: fields, options: options, budget: budget)
        for batch in batches {
            let builder = VectorBuilder()
            let chunk = builder.chunk(batch, types)
            expected += lines(chunk, types)
            try writer.append(chunk)
        }
        result = try writer.finish()
    }
    #expect(budget.usedBytes == 0)
    return (output.bytes, result, expected)
}

@Suite struct WriteTests {
    @Test(arguments: [Codec.none, .snappy, .gzip, .zstd, .lz4Block, .brotli])
    func whatIsWrittenReadsBack(codec: Codec) throws {
        var options = WriterOptions()
        options.codec = codec
        options.rowGroupRows = 700
        options.pageRows = 150
        let batches = (0..<3).map { columns(500, seed: UInt64($0)) }
        let (bytes, written, expected) = try write(batches, options: options)
        #expect(written.rowCount == 1500)
        #expect(written.sizeBytes == bytes.count)
        #expect(written.splitOffsets.count == 3)
        let file = try ParquetFile.open(BytesReader(bytes))
        #expect(file.schema.fields.map(\.fieldID) == fields.map(\.fieldID))
        #expect(file.schema.fields.map(\.type) == fields.map(\.type))
        expectSame(try scanLines(file).lines, expected, "\(codec)")
    }

    @Test func plainAndDeltaPagesReadBack() throws {
        for usesDeltas in [false, true] {
            var options = WriterOptions()
            options.usesDictionaries = false
            options.usesDeltas = usesDeltas
            options.pageRows = 333
            let (bytes, _, expected) = try write([columns(1000, seed: 5)], options: options)
            expectSame(
                try scanLines(try ParquetFile.open(BytesReader(bytes))).lines, expected,
                "\(usesDeltas)")
        }
    }

    @Test func aDictionaryThatGrowsTooLargeIsGivenUp() throws {
        var options = WriterOptions()
        options.dictionaryBytes = 600
        options.pageRows = 100
        let cells = (0..<2000).map { text($0 < 300 ? "few \($0 % 5)" : "many different \($0)") }
        let (bytes, _, expected) = try write(
            [[cells]], options: options, fields: [WriterField(name: "s", type: .text)])
        expectSame(try scanLines(try ParquetFile.open(BytesReader(bytes))).lines, expected, "spent")
    }

    @Test func metricsAreExact() throws {
        let values: [Cell] = [
            .value(.double(1.5)), .null, .value(.double(.nan)), .value(.double(-2)), .null,
        ]
        let texts: [Cell] = [
            text("b"), text(String(repeating: "z", count: 70)), .null, text("größer"), text("c"),
        ]
        var options = WriterOptions()
        options.boundLength = 16
        let (bytes, written, _) = try write(
            [[values, texts]], options: options,
            fields: [WriterField(name: "d", type: .double), WriterField(name: "s", type: .text)])
        #expect(written.columns[0].nullCount == 2)
        #expect(written.columns[0].nanCount == 1)
        #expect(written.columns[0].lower == .double(-2))
        #expect(written.columns[0].upper == .double(1.5))
        #expect(written.columns[1].lower == .bytes(Array("b".utf8)))
        #expect(
            written.columns[1].upper
                == .bytes(Array((String(repeating: "z", count: 15) + "{").utf8)))
        let file = try ParquetFile.open(BytesReader(bytes))
        let bounds = file.bounds(rowGroup: 0, of: file.schema.fields[1], as: .text)
        #expect(bounds.isLowerExact && !bounds.isUpperExact)
        #expect(bounds.nullCount == 1)
    }

    @Test func whatCannotBeWrittenIsAFault() throws {
        let budget = MemoryBudget(limitBytes: 1 << 20)
        let unsupported = #expect(throws: ParquetError.self) {
            try ParquetWriter(
                BytesWriter(), fields: [WriterField(name: "x", type: .intervalDayToSecond)],
                budget: budget)
        }
        #expect(unsupported?.code == .unsupported)
        let required = #expect(throws: ParquetError.self) {
            try write(
                [[[.null]]], options: WriterOptions(),
                fields: [WriterField(name: "x", type: .integer, isNullable: false)])
        }
        #expect(required?.code == .valueOutOfRange)
    }
}
