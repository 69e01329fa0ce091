import SQLFunctions
import Vectors

/// Keeps the argument rows of each group as a list of records, for functions that need all of them.
///
///     state [head 8][tail 8][count 8]; record [next 8][NULL bits][slots]
final class CollectingAccumulator: Accumulator {
    /// Turns the collected arguments of one group (vectors of `count` rows) into row `row` of `output`.
    typealias Finisher = (
        _ arguments: UnsafePointer<Vector>, _ count: Int, _ output: ColumnBuffer, _ row: Int,
        _ context: EvaluationContext, _ heap: Arena
    ) -> Void

    private let layout: RowLayout
    private let types: [LogicalType]
    /// Arguments that must not be NULL for a row to be kept.
    private let required: [Int]
    private let keepsEmpty: Bool
    private let finisher: Finisher
    private let buffers: [ColumnBuffer]
    private let vectors: UnsafeMutablePointer<Vector>
    private let records = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: Chunk.capacity)
    private let scatter = RowScatter(usesHeader: true)

    /// `keepsEmpty`: whether a group without rows is finished too instead of giving NULL.
    init(
        _ types: [LogicalType], required: [Int], keepsEmpty: Bool = false,
        finisher: @escaping Finisher
    ) {
        self.types = types
        self.required = required
        self.keepsEmpty = keepsEmpty
        self.finisher = finisher
        layout = RowLayout(keys: [], payload: types)
        buffers = types.map { ColumnBuffer($0) }
        vectors = .allocate(capacity: max(types.count, 1))
        super.init(size: 24)
    }

    deinit {
        vectors.deallocate()
        records.deallocate()
    }

    override var lists: [RowShape.ListShape] {
        [
            RowShape.ListShape(
                offset: 0,
                element: RowShape.RecordShape(width: layout.width, views: layout.viewOffsets))
        ]
    }

    override func update(
        _ groups: GroupPointers, _ arguments: UnsafePointer<Vector>, _ count: Int,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        for index in 0..<count {
            let partition = storePartition(groups[index], store)
            let record = store.newText(partition, layout.width)
            // Lent to the scatter, which finds the partition of text in it.
            record.storeBytes(of: UInt64(partition) << 59, as: UInt64.self)
            records[index] = record
        }
        scatter.clearNulls(layout.payload, records, count)
        scatter.store(layout.payload, arguments, records, count, in: store)
        for index in 0..<count {
            let record = records[index]
            record.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
            var isKept = true
            for position in required {
                isKept = isKept && isPresent(arguments[position].valid, index)
            }
            if isKept { append(record, record, 1, to: groups[index] + offset) }
        }
    }

    private func append(
        _ head: UnsafeMutableRawPointer, _ tail: UnsafeMutableRawPointer, _ count: Int,
        to state: UnsafeMutableRawPointer
    ) {
        let list = state.assumingMemoryBound(to: RecordList.self)
        if let last = list.pointee.tail {
            last.storeBytes(of: head, as: UnsafeMutableRawPointer?.self)
        } else {
            list.pointee.head = head
        }
        list.pointee.tail = tail
        list.pointee.count &+= count
    }

    override func merge(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
        let other = (source + offset).load(as: RecordList.self)
        guard let head = other.head, let tail = other.tail else { return }
        append(head, tail, other.count, to: target + offset)
    }

    override func finalize(
        _ groups: GroupPointers, _ count: Int, into buffer: ColumnBuffer,
        _ context: EvaluationContext,
        _ heap: Arena
    ) {
        for index in 0..<count {
            let list = (groups[index] + offset).load(as: RecordList.self)
            if list.count == 0 && !keepsEmpty {
                buffer.setNull(index)
                continue
            }
            var pointers: [UnsafeMutableRawPointer] = []
            pointers.reserveCapacity(list.count)
            var record = list.head
            while let current = record {
                pointers.append(current)
                record = current.load(as: UnsafeMutableRawPointer?.self)
            }
            pointers.withUnsafeBufferPointer { raw in
                for (position, field) in layout.payload.enumerated() {
                    guard let base = raw.baseAddress else {
                        vectors[position] = buffers[position].vector
                        continue
                    }
                    vectors[position] = gatherField(
                        field, base, raw.count, into: buffers[position], isStable: true)
                }
            }
            finisher(vectors, list.count, buffer, index, context, heap)
        }
    }
}

/// DISTINCT or ORDER BY of any aggregate: the rows are kept, and fed to it in order when a group is
/// finished. Keys of the order stand behind the arguments.
func bufferedAccumulator(
    _ inner: Accumulator, arguments: [LogicalType],
    order: [(type: LogicalType, key: SortDirection)],
    isDistinct: Bool, result: LogicalType, budget: MemoryBudget
) -> Accumulator {
    inner.offset = 16
    let types = arguments + order.map(\.type)
    let argumentCount = arguments.count
    let scratch = ColumnBuffer(result, capacity: 1)
    return CollectingAccumulator(types, required: [], keepsEmpty: true) {
        vectors, count, output, row, context, heap in
        var rows = (0..<count).map { UInt32($0) }
        if isDistinct {
            var seen: Set<[UInt8]> = []
            rows = rows.filter { index in
                var bytes: [UInt8] = []
                for column in 0..<argumentCount {
                    ValueCodec.encode(
                        arguments[column], vectors[column], Int(index), forKeys: .grouping,
                        to: &bytes)
                }
                return seen.insert(bytes).inserted
            }
        }
        if !order.isEmpty {
            // Stable, so that equal keys keep the order they came in.
            rows = rows.enumerated().sorted { left, right in
                for (position, key) in order.enumerated() {
                    let column = vectors[argumentCount + position]
                    let result = key.key.compare(
                        key.type, column, Int(left.element), column, Int(right.element))
                    if result != 0 { return result < 0 }
                }
                return left.offset < right.offset
            }.map(\.element)
        }
        let store = PartitionedRows(width: 16, partitionCount: 1, budget: budget)
        let state = UnsafeMutableRawPointer.allocate(byteCount: 32 + inner.size, alignment: 16)
        defer { state.deallocate() }
        state.initializeMemory(as: UInt8.self, repeating: 0, count: 32 + inner.size)
        let dense = UnsafeMutablePointer<Vector>.allocate(capacity: max(argumentCount, 1))
        defer { dense.deallocate() }
        let buffers = arguments.map { ColumnBuffer($0) }
        var start = 0
        while start < rows.count {
            let step = min(Chunk.capacity, rows.count - start)
            rows.withUnsafeBufferPointer { raw in
                let active = ActiveRows(
                    count: count, selection: raw.baseAddress.map { $0 + start }, active: step)
                for column in 0..<argumentCount {
                    dense[column] = flatten(vectors[column], active, into: buffers[column])
                }
            }
            inner.updateOne(state, dense, step, store, context)
            start += step
        }
        scratch.clear()
        var pointer = state
        withUnsafePointer(to: &pointer) { inner.finalize($0, 1, into: scratch, context, heap) }
        do throws(MemoryLimitFault) {
            try output.copyValue(from: scratch.vector, row: 0, to: row, heap: heap)
        } catch { context.fail(QueryFault(error)) }
    }
}

/// The direction of a sort key, and how its values compare.
struct SortDirection: Sendable {
    var isAscending: Bool
    var nullsFirst: Bool

    func compare(
        _ type: LogicalType, _ left: Vector, _ i: Int, _ right: Vector, _ j: Int
    ) -> Int {
        let a = left.isValid(i)
        let b = right.isValid(j)
        if a && b {
            let order = compareValues(type, left, i, right, j)
            return isAscending ? order : 0 - order
        }
        if a == b { return 0 }
        return a == nullsFirst ? 1 : -1
    }
}
