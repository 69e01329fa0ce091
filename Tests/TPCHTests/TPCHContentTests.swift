import CivilTime
import SQLExecution
import SQLFunctions
import SQLPlanning
import Synchronization
import Testing
import Vectors

@testable import TPCH

/// The tables at scale 0.001 beside dbgen's: the digests are of the `.tbl` files that tpchgen-rs keeps as
/// its own reference (`tpchgen/data/sf-0.001`), column by column.
struct TPCHContentTests {
    struct Reference: Sendable, CustomStringConvertible {
        let table: TPCHSchema
        let rows: Int
        /// FNV-1a, 64 bits, of every value of a column, each with a line feed behind it.
        let digests: [UInt64]
        var description: String { table.rawValue }

        init(_ table: TPCHSchema, rows: Int, _ digests: [UInt64]) {
            self.table = table
            self.rows = rows
            self.digests = digests
        }
    }

    static let references = [
        Reference(
            .region, rows: 5,
            [
                0xaa3b20e112c0acf3, 0x85152aac92d046cd, 0xb0940dc9d81e0792,
            ]),
        Reference(
            .nation, rows: 25,
            [
                0x5b6d2c00d4378139, 0x9faf7201172c4185, 0x34d5ea96b741a3ab, 0x38e5a157a6745967,
            ]),
        Reference(
            .part, rows: 200,
            [
                0x7f2c242b24d74549, 0x50afbbb8c7c14f29, 0x9f39fa520c2b5e8e, 0x04d0bbbb5c7c4a5a,
                0x4ea1756b6f2935a2, 0x11013ce9f285985f, 0xb1b23f4050d24dc9, 0xbb3d6ca289b9c69e,
                0xdb1a4db074b18f31,
            ]),
        Reference(
            .supplier, rows: 10,
            [
                0x6c797c4b89c890cb, 0x93b863d2aeb62bf3, 0xadd94c02f2d369ae, 0x32997135fef2fe82,
                0x66123acc4f30510a, 0xb5a3303b2caf90b9, 0xba41a6c5701c7f90,
            ]),
        Reference(
            .partsupp, rows: 800,
            [
                0x11ab727d4ac1a671, 0x37081cdfe5966e05, 0xb534aa6d4684c8b7, 0xc1ca4fbce0455a9f,
                0xfc5cbbfb9ddc7f1f,
            ]),
        Reference(
            .customer, rows: 150,
            [
                0x63f5f4672ecaedf0, 0xde38b7e4a771117a, 0xf0c839f9b53a6a16, 0x8797760ea4459a28,
                0x1c7adc634a36f1fe, 0x8b92b8b173d1f2aa, 0x8ca8a876d5a42a40, 0x35c2ce43c16d7585,
            ]),
        Reference(
            .orders, rows: 1500,
            [
                0xf60a27d38416d583, 0x2eab92a750329976, 0x0db2cd89e127bab2, 0xce81be3dcb0d4e23,
                0xd550c9db67f8e6de, 0x0c6c0090c3cfaf93, 0x3935143b002fd7c8, 0x2f7fd83066e4d145,
                0xae0cca8c2c3042f1,
            ]),
        Reference(
            .lineitem, rows: 6005,
            [
                0x62ca5b57b373c5c0, 0xab7abae0711ecc97, 0x13883af57dce6300, 0x601e137da1e2ed6d,
                0x4953fc4b0a891f93, 0x0d42e8d380b4963c, 0xebf993fd92910f7a, 0x7cf2c662a329959a,
                0xfa1bf3b4dd455309, 0xa54a81a87d459ec9, 0x28211f19e6d1e1f7, 0x43d30c0352f2ef0e,
                0x67ac3da8f7af819e, 0x64ec2cb223697644, 0x1c2a2e3b3b8e745b, 0xe415a9276e469c6e,
            ]),
    ]

    @Test(arguments: references)
    func `content is that of the reference generator`(_ reference: Reference) throws {
        for chunkRows in [Chunk.capacity, 7] {
            let digests = try scan(reference.table, scale: 0.001, chunkRows: chunkRows)
            #expect(digests.rows == reference.rows)
            #expect(digests.columns == reference.digests, "in chunks of \(chunkRows)")
        }
    }

    @Test(arguments: TPCHSchema.allCases)
    func `a column is the same alone as beside others`(_ table: TPCHSchema) throws {
        let all = try scan(table, scale: 0.002, chunkRows: 64)
        for column in table.columns(TPCHStyle()).indices {
            let alone = try scan(table, scale: 0.002, chunkRows: 64, only: [column])
            #expect(alone.columns == [all.columns[column]], "column \(column)")
        }
    }

    @Test(arguments: TPCHSchema.allCases)
    func `rows can be begun anywhere`(_ table: TPCHSchema) throws {
        // Two morsels' worth of base rows beside the same rows made in one go.
        let maker = TPCHTable(
            name: TableName(catalog: "tpch", schema: "s", table: table.rawValue), table,
            scale: 0.001, style: TPCHStyle())
        let count = Int(table.baseRows(0.001))
        let whole = try texts(maker, from: 0, count: count)
        let half = count / 2
        let first = try texts(maker, from: 0, count: half)
        let second = try texts(maker, from: Int64(half), count: count - half)
        #expect(first + second == whole)
    }

    @Test func `schemas name scales`() {
        #expect(TPCHSchema.scale("tiny") == 0.01)
        #expect(TPCHSchema.scale("sf1") == 1)
        #expect(TPCHSchema.scale("sf0.5") == 0.5)
        for name in ["sf", "sf0", "sf-1", "sf1e3", "sf30000", "small", "sf0.0001", "sfx"] {
            #expect(TPCHSchema.scale(name) == nil, "\(name)")
        }
    }

    @Test func `the style names and types columns`() {
        let plain = TPCHSchema.orders.columns(TPCHStyle())
        #expect(plain[0].name == "orderkey" && plain[3].type == .double)
        let standard = TPCHSchema.orders.columns(
            TPCHStyle(hasPrefixes: true, usesDecimals: true))
        #expect(standard[0].name == "o_orderkey")
        #expect(standard[3].type == .decimal(precision: 12, scale: 2))
    }

    @Test func `statistics bound what is there`() throws {
        for table in TPCHSchema.allCases {
            let columns = table.columns(TPCHStyle(usesDecimals: true))
            let statistics = table.statistics(0.001, columns)
            let collected = Mutex<[[LiteralValue]]>([])
            try run(table, scale: 0.001, chunkRows: 2048, only: nil, decimals: true) { chunk in
                for row in 0..<chunk.activeCount {
                    let values = columns.indices.map { index -> LiteralValue in
                        let vector = chunk.columns[index]
                        switch vector.physical {
                        case .int32:
                            return .integer(Int64(vector.value(chunk.row(row), as: Int32.self)))
                        case .int64: return .integer(vector.value(chunk.row(row), as: Int64.self))
                        default: return .null
                        }
                    }
                    collected.withLock { $0.append(values) }
                }
            }
            for (index, known) in statistics.columns {
                guard case .integer(let low)? = known.minimum,
                    case .integer(let high)? = known.maximum
                else { continue }
                let outside = collected.withLock { rows in
                    rows.count { row in
                        guard case .integer(let value) = row[index] else { return false }
                        return value < low || value > high
                    }
                }
                #expect(outside == 0, "\(table.rawValue).\(columns[index].name)")
            }
        }
    }

    // MARK: Scanning

    private func scan(
        _ table: TPCHSchema, scale: Double, chunkRows: Int, only: [Int]? = nil
    ) throws -> (rows: Int, columns: [UInt64]) {
        let types = table.columns(TPCHStyle()).map(\.type)
        let wanted = only ?? Array(types.indices)
        let state = Mutex((rows: 0, hashes: wanted.map { _ in UInt64(0xcbf2_9ce4_8422_2325) }))
        try run(table, scale: scale, chunkRows: chunkRows, only: only, decimals: false) { chunk in
            state.withLock { state in
                for row in 0..<chunk.activeCount {
                    state.rows += 1
                    for (place, column) in wanted.enumerated() {
                        let bytes = Self.text(chunk.columns[place], chunk.row(row), types[column])
                        var hash = state.hashes[place]
                        for byte in bytes + [10] {
                            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
                        }
                        state.hashes[place] = hash
                    }
                }
            }
        }
        return state.withLock { ($0.rows, $0.hashes) }
    }

    private func run(
        _ table: TPCHSchema, scale: Double, chunkRows: Int, only: [Int]?, decimals: Bool,
        _ body: @escaping @Sendable (Chunk) -> Void
    ) throws {
        let made = TPCHTable(
            name: TableName(catalog: "tpch", schema: "s", table: table.rawValue), table,
            scale: scale, style: TPCHStyle(usesDecimals: decimals))
        let wanted = only ?? Array(made.columns.indices)
        let columns = wanted.enumerated().map { place, column in
            PlanColumn(
                id: ColumnID(Int32(place + 1)), type: made.columns[column].type,
                name: made.columns[column].name)
        }
        var settings = ExecutionSettings()
        settings.threadCount = 1
        settings.verification.chunkRows = chunkRows
        let session = SessionValues(
            startMicroseconds: 0, zone: "UTC", user: "test", groups: [], catalog: nil, schema: nil,
            queryID: "tpch", randomSeed: 1)
        let execution = QueryExecution(
            .scan(ScanNode(table: made, columns: columns, tableColumns: wanted)),
            columns: columns, settings: settings, session: session,
            parentBudget: MemoryBudget(limitBytes: 1 << 30))
        try execution.run(into: Sink(body))
    }

    /// Rows that a maker gives when it begins at a base row.
    private func texts(_ table: TPCHTable, from row: Int64, count: Int) throws -> [[UInt8]] {
        let kind = try #require(TPCHSchema(rawValue: table.name.table))
        let maker: any RowMaker =
            switch kind {
            case .region: ListRows(nations: false)
            case .nation: ListRows(nations: true)
            case .part: PartRows()
            case .supplier: SupplierRows()
            case .partsupp: PartSupplierRows(scale: 0.001)
            case .customer: CustomerRows()
            case .orders: OrdersRows(scale: 0.001)
            case .lineitem: LineRows(scale: 0.001)
            }
        let types = table.columns.map(\.type)
        let buffers = types.map { ColumnBuffer(type: $0) }
        let heap = Arena(budget: MemoryBudget(limitBytes: 1 << 30))
        let columns = ColumnSet(buffers, heap: heap, usesDecimals: false)
        maker.move(to: row)
        var found: [[UInt8]] = []
        var left = count
        while left > 0 {
            let step = min(left, type(of: maker).stepRows)
            let made = try maker.make(step, into: columns)
            for index in 0..<made {
                var line: [UInt8] = []
                for (buffer, type) in zip(buffers, types) {
                    line += Self.text(buffer.vector, index, type) + [UInt8(ascii: "|")]
                }
                found.append(line)
            }
            left -= step
        }
        return found
    }

    /// A value as the `.tbl` files write it.
    private static func text(_ vector: Vector, _ row: Int, _ type: LogicalType) -> [UInt8] {
        switch type {
        case .bigint: return Array("\(vector.value(row, as: Int64.self))".utf8)
        case .integer: return Array("\(vector.value(row, as: Int32.self))".utf8)
        case .date: return Array(CivilFormat.date(vector.value(row, as: Int32.self)).utf8)
        case .double:
            let cents = Int((vector.value(row, as: Double.self) * 100).rounded())
            let digits = "\(abs(cents))"
            let padded = String(repeating: "0", count: max(0, 3 - digits.count)) + digits
            return Array(
                ((cents < 0 ? "-" : "") + padded.dropLast(2) + "." + padded.suffix(2)).utf8)
        default: return vector.string(row).withBytes { Array($0) }
        }
    }

    private final class Sink: ResultSink {
        private let body: @Sendable (Chunk) -> Void
        init(_ body: @escaping @Sendable (Chunk) -> Void) { self.body = body }
        func take(_ chunk: Chunk) throws(QueryFault) { body(chunk) }
    }
}
