import SQLFunctions
import Vectors

/// min and max of integers, dates, times and narrow decimals: `[value][count]`.
final class IntegerExtremeAccumulator: Accumulator {
    private let isMinimum: Bool

    init(isMinimum: Bool) {
        self.isMinimum = isMinimum
        super.init(size: 16)
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let vector = arguments[0]
        switch vector.physical {
        case .bool: loop(vector.pointer(as: UInt8.self), vector.valid, groups, count)
        case .int32: loop(vector.pointer(as: Int32.self), vector.valid, groups, count)
        default: loop(vector.pointer(as: Int64.self), vector.valid, groups, count)
        }
    }

    @inline(__always) private func loop<Value: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeMutablePointer<Value>, _ valid: UnsafeMutablePointer<UInt64>?,
        _ groups: GroupPointers, _ count: Int
    ) {
        let offset = offset
        let isMinimum = isMinimum
        for index in 0..<count where isPresent(valid, index) {
            let state = (groups[index] + offset).assumingMemoryBound(to: Int64.self)
            let value = Int64(truncatingIfNeeded: values[index])
            if state[1] == 0 || (isMinimum ? value < state[0] : value > state[0]) {
                state[0] = value
            }
            state[1] = 1
        }
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let state = (target + offset).assumingMemoryBound(to: Int64.self)
        let other = (source + offset).assumingMemoryBound(to: Int64.self)
        guard other[1] != 0 else { return }
        if state[1] == 0 || (isMinimum ? other[0] < state[0] : other[0] > state[0]) {
            state[0] = other[0]
        }
        state[1] = 1
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
                continue
            }
            switch buffer.physical {
            case .bool: buffer.store(UInt8(truncatingIfNeeded: state[0]), index)
            case .int32: buffer.store(Int32(truncatingIfNeeded: state[0]), index)
            case .int128: buffer.store(Int128(state[0]), index)
            default: buffer.store(state[0], index)
            }
        }
    }
}

/// One value of any type within a state: `[words 16][present 8]`, text and nested values in the heap.
struct ValueSlot {
    static let size = 24
    let type: LogicalType
    let isView: Bool
    let isNested: Bool

    init(_ type: LogicalType) {
        self.type = type
        isNested = !type.children.isEmpty
        isView = isNested || type.physical == .string
    }

    /// Writes a row's value; a NULL is kept as one (`present` 2).
    func write(
        _ vector: Vector, _ row: Int, to slot: UnsafeMutableRawPointer, _ store: PartitionedRows,
        _ partition: Int
    ) {
        guard vector.isValid(row) else {
            clear(slot)
            slot.storeBytes(of: 2, toByteOffset: 16, as: Int64.self)
            return
        }
        slot.storeBytes(of: 1, toByteOffset: 16, as: Int64.self)
        if isNested {
            var bytes: [UInt8] = []
            ValueCodec.encode(type, vector, row, to: &bytes)
            slot.storeBytes(of: store.keepBytes(bytes, partition), as: StringView.self)
            return
        }
        let index = vector.valueIndex(row)
        switch type.physical {
        case .bool: setWord(slot, UInt64(vector.pointer(as: UInt8.self)[index]))
        case .int32: setWord(slot, UInt64(bitPattern: Int64(vector.pointer(as: Int32.self)[index])))
        case .int64, .double: setWord(slot, vector.pointer(as: UInt64.self)[index])
        case .int128:
            let value = wideValue(vector, index)
            slot.storeBytes(of: UInt64(truncatingIfNeeded: value), as: UInt64.self)
            slot.storeBytes(
                of: UInt64(truncatingIfNeeded: value >> 64), toByteOffset: 8, as: UInt64.self)
        case .string, .list, .row:
            let view = vector.pointer(as: StringView.self)[index]
            slot.storeBytes(
                of: vector.isStable ? view : store.keep(view, partition), as: StringView.self)
        }
    }

    private func setWord(_ slot: UnsafeMutableRawPointer, _ word: UInt64) {
        slot.storeBytes(of: word, as: UInt64.self)
        slot.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
    }

    func clear(_ slot: UnsafeMutableRawPointer) {
        for at in [0, 8, 16] { slot.storeBytes(of: 0, toByteOffset: at, as: UInt64.self) }
    }

    /// 0: nothing yet, 1: a value, 2: NULL.
    @inline(__always) func presence(_ slot: UnsafeMutableRawPointer) -> Int64 {
        slot.load(fromByteOffset: 16, as: Int64.self)
    }

    /// Reads the value into a row of a buffer.
    func read(_ slot: UnsafeMutableRawPointer, into buffer: ColumnBuffer, row: Int) {
        guard presence(slot) == 1 else { return buffer.setNull(row) }
        if buffer.hasNulls { ValidityBits.set(buffer.validBits, row) }
        if isNested {
            let view = slot.load(as: StringView.self)
            _ = ValueCodec.decode(view.pointer, into: buffer, row: row)
            return
        }
        switch type.physical {
        case .bool: buffer.store(slot.load(as: UInt8.self), row)
        case .int32: buffer.store(slot.load(as: Int32.self), row)
        case .int64, .double: buffer.store(slot.load(as: Int64.self), row)
        case .int128, .string, .list, .row:
            buffer.store(slot.loadUnaligned(as: StringView.self), row)
        }
    }

    /// The order of a row's value and the slot's; both are present.
    func compare(
        _ vector: Vector, _ row: Int, _ slot: UnsafeMutableRawPointer, _ scratch: ColumnBuffer
    ) -> Int {
        let index = vector.valueIndex(row)
        if !isNested {
            switch type.physical {
            case .string:
                if case .char = type { break }
                return StringView.compare(
                    vector.pointer(as: StringView.self)[index], slot.load(as: StringView.self))
            case .double:
                return orderDoubles(
                    vector.pointer(as: Double.self)[index], slot.load(as: Double.self))
            default: break
            }
        }
        scratch.clear()
        read(slot, into: scratch, row: 0)
        return compareValues(type, vector, row, scratch.vector, 0)
    }
}

/// min, max, any_value of any type: a value slot.
final class ValueAccumulator: Accumulator {
    enum Kind { case minimum, maximum, any }
    private let kind: Kind
    private let slot: ValueSlot
    private let scratch: ColumnBuffer
    private let other: ColumnBuffer

    init(_ kind: Kind, _ type: LogicalType) {
        self.kind = kind
        slot = ValueSlot(type)
        scratch = ColumnBuffer(type, capacity: 1)
        other = ColumnBuffer(type, capacity: 1)
        super.init(size: ValueSlot.size)
    }

    override var viewOffsets: [Int] { slot.isView ? [0] : [] }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let vector = arguments[0]
        for index in 0..<count where isPresent(vector.valid, index) {
            let state = groups[index] + offset
            if slot.presence(state) == 0 || isBetter(vector, index, state) {
                slot.write(vector, index, to: state, store, storePartition(groups[index], store))
            }
        }
    }

    private func isBetter(_ vector: Vector, _ row: Int, _ state: UnsafeMutableRawPointer) -> Bool {
        switch kind {
        case .any: false
        case .minimum: slot.compare(vector, row, state, scratch) < 0
        case .maximum: slot.compare(vector, row, state, scratch) > 0
        }
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let from = source + offset
        guard slot.presence(from) == 1 else { return }
        let to = target + offset
        var takes = slot.presence(to) == 0
        if !takes, kind != .any {
            other.clear()
            slot.read(from, into: other, row: 0)
            takes = isBetter(other.vector, 0, to)
        }
        if takes { to.copyMemory(from: from, byteCount: ValueSlot.size) }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count { slot.read(groups[index] + offset, into: buffer, row: index) }
    }
}

/// The heap partition of a group's text.
@inline(__always) func storePartition(
    _ group: UnsafeMutableRawPointer, _ store: PartitionedRows
) -> Int {
    store.partitionCount == 1 ? 0 : partition(of: group.load(as: UInt64.self))
}

/// min_by and max_by: the value of the row with the extreme key. `[key slot][value slot]`
final class ByAccumulator: Accumulator {
    private let isMinimum: Bool
    private let value: ValueSlot
    private let key: ValueSlot
    private let scratch: ColumnBuffer
    private let other: ColumnBuffer

    init(isMinimum: Bool, value: LogicalType, key: LogicalType) {
        self.isMinimum = isMinimum
        self.value = ValueSlot(value)
        self.key = ValueSlot(key)
        scratch = ColumnBuffer(key, capacity: 1)
        other = ColumnBuffer(key, capacity: 1)
        super.init(size: ValueSlot.size * 2)
    }

    override var viewOffsets: [Int] {
        (key.isView ? [0] : []) + (value.isView ? [ValueSlot.size] : [])
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        let keys = arguments[1]
        for index in 0..<count where isPresent(keys.valid, index) {
            let state = groups[index] + offset
            guard key.presence(state) == 0 || isBetter(keys, index, state) else { continue }
            let partition = storePartition(groups[index], store)
            key.write(keys, index, to: state, store, partition)
            value.write(arguments[0], index, to: state + ValueSlot.size, store, partition)
        }
    }

    private func isBetter(_ keys: Vector, _ row: Int, _ state: UnsafeMutableRawPointer) -> Bool {
        let order = key.compare(keys, row, state, scratch)
        return isMinimum ? order < 0 : order > 0
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let from = source + offset
        guard key.presence(from) == 1 else { return }
        other.clear()
        key.read(from, into: other, row: 0)
        if key.presence(target + offset) == 0 || isBetter(other.vector, 0, target + offset) {
            (target + offset).copyMemory(from: from, byteCount: size)
        }
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            value.read(groups[index] + offset + ValueSlot.size, into: buffer, row: index)
        }
    }
}
