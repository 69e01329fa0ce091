import Compression
import Foundation
import Parquet
import Testing
import Vectors

/// What writing costs, a value. Prints; asserts only that it is not absurd.
/// Run with `LAKEHOUSE_BENCH=1`: kernels are optimised in debug builds too, so the figures are fair.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["LAKEHOUSE_BENCH"] == "1"))
struct WriteSpeedTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let name: String
        let type: LogicalType
        let fill: @Sendable (_ row: Int, UnsafeMutableRawPointer, inout Seeded) -> Void
        var nullEvery = 0
        var testDescription: String { name }
    }

    private static func text(_ text: String, _ at: UnsafeMutableRawPointer, _ row: Int) {
        let bytes = Array(text.utf8)
        // Kept for the life of the test process.
        let heap = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 16))
        heap.update(from: bytes, count: bytes.count)
        at.storeBytes(
            of: StringView(heap, count: bytes.count), toByteOffset: row * 16, as: StringView.self)
    }

    static let shapes: [Shape] = [
        Shape(name: "int64 random", type: .bigint) { row, at, random in
            at.storeBytes(
                of: Int64(bitPattern: random.next()), toByteOffset: row * 8, as: Int64.self)
        },
        Shape(name: "int64 of 1000", type: .bigint) { row, at, random in
            at.storeBytes(of: Int64(random.below(1000)), toByteOffset: row * 8, as: Int64.self)
        },
        Shape(
            name: "int64 with NULLs", type: .bigint,
            fill: { row, at, random in
                at.storeBytes(
                    of: Int64(bitPattern: random.next()), toByteOffset: row * 8, as: Int64.self)
            }, nullEvery: 7),
        Shape(name: "int32 date of 2500", type: .date) { row, at, random in
            at.storeBytes(of: Int32(random.below(2500)), toByteOffset: row * 4, as: Int32.self)
        },
        Shape(name: "double random", type: .double) { row, at, random in
            at.storeBytes(
                of: Double(Int64(bitPattern: random.next())), toByteOffset: row * 8, as: Double.self
            )
        },
        Shape(name: "string of 7", type: .text) { row, at, random in
            text(
                ["AIR", "RAIL", "TRUCK", "REG AIR", "SHIP", "DELIVER IN PERSON", "MAIL"][
                    random.below(7)], at, row)
        },
        Shape(name: "string unique 26", type: .text) { row, at, random in
            text("a comment with id \(100_000_000 + random.next() % 899_999_999)", at, row)
        },
        Shape(name: "decimal(15,2)", type: .decimal(precision: 15, scale: 2)) { row, at, random in
            at.storeBytes(
                of: Int64(random.below(10_000_000)), toByteOffset: row * 8, as: Int64.self)
        },
        Shape(name: "decimal(38,2)", type: .decimal(precision: 38, scale: 2)) { row, at, random in
            at.storeBytes(
                of: Int128(Int64(bitPattern: random.next())), toByteOffset: row * 16,
                as: Int128.self)
        },
        Shape(name: "timestamp(6) zone", type: .timestampWithTimeZone(precision: 6)) {
            row, at, random in
            at.storeBytes(
                of: Int128(random.below(1 << 50)) << 64, toByteOffset: row * 16, as: Int128.self)
        },
        Shape(name: "boolean", type: .boolean) { row, at, random in
            at.storeBytes(of: UInt8(random.below(2)), toByteOffset: row, as: UInt8.self)
        },
    ]

    @Test(arguments: shapes) func nanosecondsAValue(shape: Shape) throws {
        let builder = VectorBuilder()
        var random = Seeded(state: 7)
        let rows = Chunk.capacity
        var vectors: [Vector] = []
        for _ in 0..<64 {
            let values = builder.allocate(rows * 16)
            for row in 0..<rows { shape.fill(row, values, &random) }
            var vector = Vector(physical: shape.type.physical, values: values)
            if shape.nullEvery > 0 {
                let valid = builder.allocate(ValidityBits.wordCount(rows) * 8)
                    .assumingMemoryBound(to: UInt64.self)
                for row in 0..<rows where row % shape.nullEvery != 0 {
                    ValidityBits.set(valid, row)
                }
                vector.valid = valid
            }
            vectors.append(vector)
        }
        var best: [String: Double] = [:]
        for codec in [Codec.none, .snappy, .zstd] {
            var options = WriterOptions()
            options.codec = codec
            for _ in 0..<3 {
                let output = BytesWriter()
                let writer = try ParquetWriter(
                    output, fields: [WriterField(name: "v", type: shape.type)], options: options,
                    budget: MemoryBudget(limitBytes: 1 << 30))
                let chunk = Chunk(columnCount: 1)
                chunk.count = rows
                let start = DispatchTime.now().uptimeNanoseconds
                for _ in 0..<4 {
                    for vector in vectors {
                        chunk.columns[0] = vector
                        try writer.append(chunk)
                    }
                }
                let written = try writer.finish()
                let time = Double(DispatchTime.now().uptimeNanoseconds - start)
                let each = time / Double(written.rowCount)
                best[codec.rawValue] = min(best[codec.rawValue] ?? .infinity, each)
            }
        }
        let figures = best.sorted { $0.key < $1.key }.map {
            "\($0.key) \(String(format: "%.1f", $0.value))"
        }
        print("write \(shape.name): ns a value: \(figures.joined(separator: ", "))")
        #expect(best.values.allSatisfy { $0 < 5000 })
    }
}
