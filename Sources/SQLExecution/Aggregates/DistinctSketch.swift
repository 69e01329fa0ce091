import SQLFunctions
import Vectors

/// approx_distinct by HyperLogLog with 2,048 registers (standard error 2.3 %).
///
///     state: a string view on [registers 2048], made when the first value comes
/// Source: Flajolet and others, "HyperLogLog", 2007; with linear counting for few values.
final class DistinctSketchAccumulator: Accumulator {
    private static let registerBits: UInt64 = 11
    private static let registerCount = 2048
    private let type: LogicalType
    private let plainHash: Bool

    init(_ type: LogicalType) {
        self.type = type
        plainHash = type.children.isEmpty && comparesPlainly(type)
        super.init(size: 16)
    }

    override var viewOffsets: [Int] { [0] }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let vector = arguments[0]
        for index in 0..<count where isPresent(vector.valid, index) {
            let hash = hash(vector, index)
            let registers = registers(groups[index], store)
            let bucket = Int(truncatingIfNeeded: hash >> (64 - Self.registerBits))
            let rank = UInt8(
                (hash << Self.registerBits | 1 << (Self.registerBits - 1)).leadingZeroBitCount + 1)
            if rank > registers[bucket] { registers[bucket] = rank }
        }
    }

    private func hash(_ vector: Vector, _ index: Int) -> UInt64 {
        guard plainHash else {
            var bytes: [UInt8] = []
            ValueCodec.encode(type, vector, index, forKeys: .grouping, to: &bytes)
            return bytes.withUnsafeBufferPointer(hashBytes)
        }
        switch vector.physical {
        case .bool: return mix(UInt64(vector.pointer(as: UInt8.self)[index]))
        case .int32: return mix(UInt64(bitPattern: Int64(vector.pointer(as: Int32.self)[index])))
        case .int64:
            let value = vector.pointer(as: Int64.self)[index]
            // A decimal that came in 64 bits must hash like one that came in 128.
            if type.physical == .int128 { return hashWide(Int128(value)) }
            return mix(UInt64(bitPattern: value))
        case .double: return mix(canonicalBits(vector.pointer(as: Double.self)[index]))
        case .string: return mix(hashView(vector.pointer(as: StringView.self)[index]))
        default: return hashWide(vector.pointer(as: Int128.self)[index])
        }
    }

    private func hashWide(_ value: Int128) -> UInt64 {
        mix(mix(UInt64(truncatingIfNeeded: value)) ^ UInt64(truncatingIfNeeded: value >> 64))
    }

    private func registers(
        _ group: UnsafeMutableRawPointer, _ store: PartitionedRows
    ) -> UnsafeMutablePointer<UInt8> {
        let state = group + offset
        var view = state.load(as: StringView.self)
        if view.count == 0 {
            let memory = store.newText(storePartition(group, store), Self.registerCount)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: Self.registerCount)
            view = StringView(
                low: UInt64(Self.registerCount), high: UInt64(UInt(bitPattern: memory)))
            state.storeBytes(of: view, as: StringView.self)
        }
        return UnsafeMutablePointer(mutating: view.pointer)
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let from = (source + offset).load(as: StringView.self)
        guard from.count > 0 else { return }
        let to = (target + offset).load(as: StringView.self)
        if to.count == 0 {
            (target + offset).storeBytes(of: from, as: StringView.self)
            return
        }
        let registers = UnsafeMutablePointer(mutating: to.pointer)
        for index in 0..<Self.registerCount {
            registers[index] = max(registers[index], from.pointer[index])
        }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let view = (groups[index] + offset).load(as: StringView.self)
            buffer.store(view.count == 0 ? Int64(0) : estimate(view.pointer), index)
        }
    }

    private func estimate(_ registers: UnsafePointer<UInt8>) -> Int64 {
        let m = Double(Self.registerCount)
        var sum = 0.0
        var zeros = 0
        for index in 0..<Self.registerCount {
            sum += Double(sign: .plus, exponent: 0 - Int(registers[index]), significand: 1)
            zeros += bit(registers[index] == 0)
        }
        let raw = 0.7213 / (1 + 1.079 / m) * m * m / sum
        if raw <= 2.5 * m, zeros > 0 { return Int64((m * logarithm(m / Double(zeros))).rounded()) }
        return Int64(raw.rounded())
    }
}
