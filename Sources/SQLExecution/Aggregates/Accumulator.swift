import SQLFunctions
import SQLPlanning
import Vectors

/// Pointers to the groups of the rows at hand: entry `i` belongs to row `i` of the arguments.
typealias GroupPointers = UnsafePointer<UnsafeMutableRawPointer>

/// The states of one aggregate call: bytes within group rows, and the loops over them.
///
/// The state of a new group is all zeros, for every function. One a worker, since it may have scratch memory. Arguments come dense and flat; a decimal of 128 bits
/// may come in 64. States hold plain words, string views (`viewOffsets`) and record lists
/// (`lists`), so that rows can be spilled and merged without knowing the function.
class Accumulator {
    /// Bytes of the state, a multiple of its alignment.
    let size: Int
    let alignment: Int
    /// Where the state begins within a group row; set by the owner.
    final var offset = 0

    init(size: Int, alignment: Int = 8) {
        self.size = size
        self.alignment = alignment
    }

    /// Offsets of string views within the state.
    var viewOffsets: [Int] { [] }
    /// Record lists within the state: offsets relative to the state.
    var lists: [RowShape.ListShape] { [] }

    /// Adds `count` rows.
    func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {}

    /// Adds `count` rows to one group.
    func updateOne(
        _ group: UnsafeMutableRawPointer, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: max(count, 1)) {
            groups in
            groups.initialize(repeating: group)
            update(UnsafePointer(groups.baseAddress!), arguments, count, store, context)
        }
    }

    /// Adds another group's state; its memory lives as long as the target's.
    func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {}

    /// Adds `count` states to others, in their order; a target may come more than once.
    ///
    /// Counts and sums override it word for word: in a final class `merge` is a direct call that is
    /// inlined into the loop, here it goes through the class's table for each state.
    func mergeAll(_ targets: GroupPointers, _ sources: GroupPointers, _ count: Int) {
        for index in 0..<count { merge(targets[index], sources[index]) }
    }

    /// Writes the results of groups to rows `0..<count` of the buffer.
    func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {}
}

/// Whether row `index` of a dense vector has a value.
@inline(__always) func isPresent(_ valid: UnsafeMutablePointer<UInt64>?, _ index: Int) -> Bool {
    guard let valid else { return true }
    return valid[index &>> 6] &>> UInt64(index & 63) & 1 != 0
}

/// Rows, or values that are not NULL.
final class CountAccumulator: Accumulator {
    private let hasArgument: Bool

    init(hasArgument: Bool) {
        self.hasArgument = hasArgument
        super.init(size: 8)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let offset = offset
        if hasArgument, let valid = arguments[0].valid {
            for index in 0..<count {
                let state = (groups[index] + offset).assumingMemoryBound(to: Int64.self)
                state.pointee &+= Int64(bitPattern: valid[index &>> 6] &>> UInt64(index & 63) & 1)
            }
        } else {
            for index in 0..<count {
                (groups[index] + offset).assumingMemoryBound(to: Int64.self).pointee &+= 1
            }
        }
    }

    override func updateOne(
        _ group: UnsafeMutableRawPointer, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        var total = Int64(count)
        if hasArgument, let valid = arguments[0].valid {
            total = 0
            for index in 0..<count {
                total &+= Int64(bitPattern: valid[index &>> 6] &>> UInt64(index & 63) & 1)
            }
        }
        (group + offset).assumingMemoryBound(to: Int64.self).pointee &+= total
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        (target + offset).assumingMemoryBound(to: Int64.self).pointee &+= (source + offset).load(
            as: Int64.self)
    }

    override func mergeAll(_ targets: GroupPointers, _ sources: GroupPointers, _ count: Int) {
        for index in 0..<count { merge(targets[index], sources[index]) }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            buffer.store((groups[index] + offset).load(as: Int64.self), index)
        }
    }
}

/// True values.
final class CountIfAccumulator: Accumulator {
    init() { super.init(size: 8) }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let values = arguments[0].pointer(as: UInt8.self)
        let valid = arguments[0].valid
        for index in 0..<count where isPresent(valid, index) {
            (groups[index] + offset).assumingMemoryBound(to: Int64.self).pointee &+= Int64(
                values[index])
        }
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        (target + offset).assumingMemoryBound(to: Int64.self).pointee &+= (source + offset).load(
            as: Int64.self)
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            buffer.store((groups[index] + offset).load(as: Int64.self), index)
        }
    }
}

/// Sums and means of integers, decimals and intervals: a 128-bit sum and a count.
///
///     [sum Int128][count Int64][overflow Int64]
final class ExactSumAccumulator: Accumulator {
    enum Result { case sum, mean }
    private let result: Result
    private let type: LogicalType
    private let isDecimal: Bool

    init(_ result: Result, type: LogicalType) {
        self.result = result
        self.type = type
        if case .decimal = type { isDecimal = true } else { isDecimal = false }
        super.init(size: 32, alignment: 16)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let vector = arguments[0]
        switch vector.physical {
        case .int32: narrow(vector.pointer(as: Int32.self), vector.valid, groups, count)
        case .int64: narrow(vector.pointer(as: Int64.self), vector.valid, groups, count)
        default:
            let values = vector.pointer(as: Int128.self)
            for index in 0..<count where isPresent(vector.valid, index) {
                addWide(groups[index] + offset, values[index], 1)
            }
        }
    }

    @inline(__always) private func narrow<Value: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeMutablePointer<Value>, _ valid: UnsafeMutablePointer<UInt64>?,
        _ groups: GroupPointers, _ count: Int
    ) {
        let offset = offset
        if valid == nil {
            for index in 0..<count {
                let state = groups[index] + offset
                let sum = state.assumingMemoryBound(to: Int128.self)
                sum.pointee = sum.pointee &+ Int128(truncatingIfNeeded: values[index])
                (state + 16).assumingMemoryBound(to: Int64.self).pointee &+= 1
            }
        } else {
            for index in 0..<count where isPresent(valid, index) {
                let state = groups[index] + offset
                let sum = state.assumingMemoryBound(to: Int128.self)
                sum.pointee = sum.pointee &+ Int128(truncatingIfNeeded: values[index])
                (state + 16).assumingMemoryBound(to: Int64.self).pointee &+= 1
            }
        }
    }

    override func updateOne(
        _ group: UnsafeMutableRawPointer, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let vector = arguments[0]
        let state = group + offset
        switch vector.physical {
        case .int32: sumOne(vector.pointer(as: Int32.self), vector.valid, state, count)
        case .int64: sumOne(vector.pointer(as: Int64.self), vector.valid, state, count)
        default:
            let values = vector.pointer(as: Int128.self)
            for index in 0..<count where isPresent(vector.valid, index) {
                addWide(state, values[index], 1)
            }
        }
    }

    /// Folds into 64-bit halves, so that a vector of any 64-bit values cannot overflow.
    @inline(__always) private func sumOne<Value: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeMutablePointer<Value>, _ valid: UnsafeMutablePointer<UInt64>?,
        _ state: UnsafeMutableRawPointer, _ count: Int
    ) {
        var high: Int64 = 0
        var low: Int64 = 0
        var rows: Int64 = 0
        if valid == nil {
            for index in 0..<count {
                let value = Int64(truncatingIfNeeded: values[index])
                high &+= value &>> 32
                low &+= value & 0xFFFF_FFFF
            }
            rows = Int64(count)
        } else {
            for index in 0..<count where isPresent(valid, index) {
                let value = Int64(truncatingIfNeeded: values[index])
                high &+= value &>> 32
                low &+= value & 0xFFFF_FFFF
                rows &+= 1
            }
        }
        addWide(state, Int128(high) << 32 &+ Int128(low), rows)
    }

    @inline(__always) private func addWide(
        _ state: UnsafeMutableRawPointer, _ value: Int128, _ rows: Int64
    ) {
        let sum = state.assumingMemoryBound(to: Int128.self)
        let (total, overflow) = sum.pointee.addingReportingOverflow(value)
        sum.pointee = total
        (state + 16).assumingMemoryBound(to: Int64.self).pointee &+= rows
        if overflow { (state + 24).storeBytes(of: 1, as: Int64.self) }
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let other = source + offset
        addWide(
            target + offset, other.load(as: Int128.self),
            other.load(fromByteOffset: 16, as: Int64.self))
        if other.load(fromByteOffset: 24, as: Int64.self) != 0 {
            (target + offset + 24).storeBytes(of: 1, as: Int64.self)
        }
    }

    override func mergeAll(_ targets: GroupPointers, _ sources: GroupPointers, _ count: Int) {
        for index in 0..<count { merge(targets[index], sources[index]) }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let state = groups[index] + offset
            let rows = state.load(fromByteOffset: 16, as: Int64.self)
            if rows == 0 {
                buffer.setNull(index)
                continue
            }
            var value = state.load(as: Int128.self)
            if result == .mean { value = divideHalfUp(value, by: Int128(rows)) }
            let limit: Int128
            switch buffer.physical {
            case .int32: limit = 1 << 31
            case .int64 where !isDecimal: limit = 1 << 63
            default:
                if case .decimal(let precision, _) = type {
                    limit = powerOfTen(precision)
                } else {
                    limit = Int128.max
                }
            }
            if value >= limit || value < (isDecimal ? 1 - limit : 0 - limit)
                || state.load(fromByteOffset: 24, as: Int64.self) != 0
            {
                context.fail(
                    QueryFault(
                        .numericValueOutOfRange,
                        isDecimal
                            ? "Decimal overflow"
                            : "\(type) addition overflow: sum of \(rows) values"))
            }
            switch buffer.physical {
            case .int32: buffer.store(Int32(truncatingIfNeeded: value), index)
            case .int64: buffer.store(Int64(truncatingIfNeeded: value), index)
            default: buffer.store(value, index)
            }
        }
    }
}

/// Sums and means of doubles and reals: `[sum][count]`. Geometric means sum logarithms.
final class FloatingSumAccumulator: Accumulator {
    enum Result { case sum, mean, geometricMean }
    private let result: Result
    private let isReal: Bool

    init(_ result: Result, isReal: Bool) {
        self.result = result
        self.isReal = isReal
        super.init(size: 16)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let values = arguments[0].pointer(as: Double.self)
        let valid = arguments[0].valid
        let offset = offset
        if result == .geometricMean {
            for index in 0..<count where isPresent(valid, index) {
                add(logarithm(values[index]), 1, groups[index] + offset)
            }
        } else if let valid {
            for index in 0..<count where isPresent(valid, index) {
                add(values[index], 1, groups[index] + offset)
            }
        } else {
            for index in 0..<count { add(values[index], 1, groups[index] + offset) }
        }
    }

    @inline(__always) private func add(
        _ value: Double, _ rows: Int64, _ state: UnsafeMutableRawPointer
    ) {
        state.assumingMemoryBound(to: Double.self).pointee += value
        (state + 8).assumingMemoryBound(to: Int64.self).pointee &+= rows
    }

    /// In the order of the rows, so that the sum is the one that `update` comes to.
    override func updateOne(
        _ group: UnsafeMutableRawPointer, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let values = arguments[0].pointer(as: Double.self)
        let valid = arguments[0].valid
        let isGeometric = result == .geometricMean
        let state = group + offset
        var sum = state.load(as: Double.self)
        var rows: Int64 = 0
        if valid == nil, !isGeometric {
            for index in 0..<count { sum += values[index] }
            rows = Int64(count)
        } else {
            for index in 0..<count where isPresent(valid, index) {
                sum += isGeometric ? logarithm(values[index]) : values[index]
                rows &+= 1
            }
        }
        state.storeBytes(of: sum, as: Double.self)
        (state + 8).assumingMemoryBound(to: Int64.self).pointee &+= rows
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        (target + offset).assumingMemoryBound(to: Double.self).pointee += (source + offset).load(
            as: Double.self)
        (target + offset + 8).assumingMemoryBound(to: Int64.self).pointee &+= (source + offset + 8)
            .load(as: Int64.self)
    }

    override func mergeAll(_ targets: GroupPointers, _ sources: GroupPointers, _ count: Int) {
        for index in 0..<count { merge(targets[index], sources[index]) }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let state = groups[index] + offset
            let rows = state.load(fromByteOffset: 8, as: Int64.self)
            if rows == 0 {
                buffer.setNull(index)
                continue
            }
            var value = state.load(as: Double.self)
            if result != .sum { value /= Double(rows) }
            if result == .geometricMean { value = exponential(value) }
            buffer.store(isReal ? Double(Float(value)) : value, index)
        }
    }
}

/// bool_and, bool_or and the bitwise aggregates: `[value][count]`.
final class BitsAccumulator: Accumulator {
    enum Operation { case and, or, xor }
    private let operation: Operation
    private let isBoolean: Bool

    init(_ operation: Operation, isBoolean: Bool) {
        self.operation = operation
        self.isBoolean = isBoolean
        super.init(size: 16)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let vector = arguments[0]
        for index in 0..<count where isPresent(vector.valid, index) {
            let value =
                isBoolean
                ? Int64(vector.pointer(as: UInt8.self)[index])
                : vector.pointer(as: Int64.self)[index]
            add(groups[index] + offset, value, 1)
        }
    }

    @inline(__always) private func add(
        _ state: UnsafeMutableRawPointer, _ value: Int64, _ rows: Int64
    ) {
        let present = state.assumingMemoryBound(to: Int64.self)
        if present[1] == 0 {
            present[0] = value
        } else {
            switch operation {
            case .and: present[0] &= value
            case .or: present[0] |= value
            case .xor: present[0] ^= value
            }
        }
        present[1] &+= rows
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let rows = (source + offset + 8).load(as: Int64.self)
        if rows > 0 { add(target + offset, (source + offset).load(as: Int64.self), rows) }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let state = (groups[index] + offset).assumingMemoryBound(to: Int64.self)
            if state[1] == 0 {
                buffer.setNull(index)
            } else if isBoolean {
                buffer.store(UInt8(truncatingIfNeeded: state[0]), index)
            } else {
                buffer.store(state[0], index)
            }
        }
    }
}

/// A sum of hashes, which does not depend on order: `[sum][count]`.
final class ChecksumAccumulator: Accumulator {
    private let type: LogicalType

    init(_ type: LogicalType) {
        self.type = type
        super.init(size: 16)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        var bytes: [UInt8] = []
        for index in 0..<count {
            bytes.removeAll(keepingCapacity: true)
            ValueCodec.encode(type, arguments[0], index, forKeys: .grouping, to: &bytes)
            let hash = bytes.withUnsafeBufferPointer(hashBytes)
            let state = (groups[index] + offset).assumingMemoryBound(to: UInt64.self)
            state[0] &+= hash
            state[1] &+= 1
        }
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let state = (target + offset).assumingMemoryBound(to: UInt64.self)
        let other = (source + offset).assumingMemoryBound(to: UInt64.self)
        state[0] &+= other[0]
        state[1] &+= other[1]
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let state = (groups[index] + offset).assumingMemoryBound(to: UInt64.self)
            if state[1] == 0 {
                buffer.setNull(index)
                continue
            }
            withUnsafeBytes(of: state[0].littleEndian) { raw in
                buffer.store(
                    StringView(raw.baseAddress!.assumingMemoryBound(to: UInt8.self), count: 8),
                    index)
            }
        }
    }
}
