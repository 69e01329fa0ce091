import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// Keeps each row with a probability: `TABLESAMPLE BERNOULLI`.
final class SampleFactory: OperatorFactory {
    let statistics = OperatorStatistics("Sample")
    private let threshold: UInt64
    private let seed: UInt64

    init(percent: Double, seed: UInt64) {
        let share = min(max(percent / 100, 0), 1)
        threshold = share >= 1 ? .max : UInt64(share * 18_446_744_073_709_549_568)
        self.seed = seed
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        SampleOperator(threshold, seed: mix(seed ^ UInt64(worker.index + 1)))
    }
}

private final class SampleOperator: Operator {
    private let threshold: UInt64
    private var state: UInt64
    private var output: Chunk?
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(_ threshold: UInt64, seed: UInt64) {
        self.threshold = threshold
        state = seed
    }

    deinit { selection.deallocate() }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let rows = ActiveRows(chunk)
        var kept = 0
        for index in 0..<rows.active {
            state &+= 0x9E37_79B9_7F4A_7C15
            selection[kept] = UInt32(truncatingIfNeeded: rows.row(index))
            kept += bit(mix(state) < threshold)
        }
        if kept == 0 { return }
        let target = output ?? Chunk(columnCount: chunk.columnCount)
        output = target
        target.columns.update(from: chunk.columns, count: chunk.columnCount)
        target.count = chunk.count
        target.selection = selection
        target.selectedCount = kept
        try next.push(target)
    }
}

/// Adds a bigint that no other row of the operator has.
final class RowNumberFactory: OperatorFactory {
    let statistics = OperatorStatistics("RowNumber")
    private let counter = Atomic<Int>(0)

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { RowNumberOperator(self) }

    func claim(_ rows: Int) -> Int { counter.wrappingAdd(rows, ordering: .relaxed).oldValue }
}

private final class RowNumberOperator: Operator {
    private let factory: RowNumberFactory
    private var output: Chunk?
    private let buffer = ColumnBuffer(.bigint)

    init(_ factory: RowNumberFactory) { self.factory = factory }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let target = output ?? Chunk(columnCount: chunk.columnCount + 1)
        output = target
        let rows = ActiveRows(chunk)
        var number = Int64(factory.claim(rows.active))
        rows.forEach { row in
            buffer.store(number, row)
            number &+= 1
        }
        target.columns.update(from: chunk.columns, count: chunk.columnCount)
        target.columns[chunk.columnCount] = buffer.vector
        target.count = chunk.count
        target.selection = chunk.selection
        target.selectedCount = chunk.selectedCount
        try next.push(target)
    }
}

/// Lets at most one row pass; none becomes a row of NULLs.
final class SingleRowSink: Sink, PipelineSource {
    let statistics = OperatorStatistics("SingleRow")
    private let layout: RowLayout
    private let state = Mutex(State())

    struct State: @unchecked Sendable {
        // Safe because the row is only read once all workers have finished.
        var count = 0
        var row: UnsafeMutableRawPointer?
        var stores: [PartitionedRows] = []
    }

    init(_ layout: Layout) {
        self.layout = RowLayout(keys: [], payload: layout.columns.map(\.type))
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        SingleRowLocal(self, RowCollector(layout, budget: worker.budget))
    }

    func add(_ collector: RowCollector) throws(QueryFault) {
        let count = state.withLock { state -> Int in
            state.count += collector.addedCount
            if collector.addedCount > 0 { state.row = collector.added[0] }
            return state.count
        }
        guard count <= 1 else {
            throw QueryFault(.subqueryMultipleRows, "Scalar sub-query has returned multiple rows")
        }
    }

    func keep(_ store: PartitionedRows) { state.withLock { $0.stores.append(store) } }

    func finish(_ runtime: Runtime) throws(QueryFault) {}
    func prepare(_ runtime: Runtime) throws(QueryFault) {}
    var morselCount: Int { 1 }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        SingleRowReader(state.withLock { $0.row }, layout)
    }
}

private final class SingleRowLocal: Operator {
    private let sink: SingleRowSink
    private let collector: RowCollector

    init(_ sink: SingleRowSink, _ collector: RowCollector) {
        self.sink = sink
        self.collector = collector
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        collector.append(chunk.columns, ActiveRows(chunk))
        try sink.add(collector)
    }

    override func finish() throws(QueryFault) { sink.keep(collector.store) }
}

private final class SingleRowReader: MorselReader {
    private let row: UnsafeMutableRawPointer?
    private let layout: RowLayout

    init(_ row: UnsafeMutableRawPointer?, _ layout: RowLayout) {
        self.row = row
        self.layout = layout
    }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        if let row {
            let emitter = RowEmitter(layout, chunkRows: 1, isStable: true, consumer)
            return try emitter.emit(row)
        }
        let nulls = layout.payload.map { NullColumn($0.type) }
        let chunk = Chunk(columnCount: nulls.count)
        for (index, null) in nulls.enumerated() { chunk.columns[index] = null.vector }
        chunk.count = 1
        try consumer.push(chunk)
        withExtendedLifetime(nulls) {}
    }
}

/// Rows of expressions that read no column.
final class ValuesSource: PipelineSource {
    let statistics = OperatorStatistics("Values")
    private let node: ValuesNode

    init(_ node: ValuesNode) { self.node = node }

    func prepare(_ runtime: Runtime) throws(QueryFault) {}
    var morselCount: Int { node.rows.isEmpty ? 0 : 1 }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        ValuesReader(node, worker)
    }
}

private final class ValuesReader: MorselReader {
    private let node: ValuesNode
    private let worker: Worker

    init(_ node: ValuesNode, _ worker: Worker) {
        self.node = node
        self.worker = worker
    }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        let types = node.columns.map(\.type)
        let input = Chunk(columnCount: 0)
        input.count = 1
        let output = Chunk(columnCount: types.count)
        let buffers = types.map { ColumnBuffer($0) }
        let results = UnsafeMutablePointer<Vector>.allocate(capacity: max(types.count, 1))
        defer { results.deallocate() }
        let heap = Arena(budget: worker.budget, firstBlockSize: 16 << 10)
        let step = max(1, min(worker.settings.verification.chunkRows, Chunk.capacity))
        var filled = 0
        func flush() throws(QueryFault) {
            if filled == 0 { return }
            for (index, buffer) in buffers.enumerated() { output.columns[index] = buffer.vector }
            output.count = filled
            try consumer.push(output)
            for buffer in buffers { buffer.clear() }
            filled = 0
        }
        for row in node.rows {
            if worker.isStopped { return }
            let program = ExpressionProgram(
                row, layout: Layout([]), context: worker.context, budget: worker.budget)
            try program.evaluate(input, into: results)
            do throws(MemoryLimitFault) {
                for (index, buffer) in buffers.enumerated() {
                    try buffer.copyValue(from: results[index], row: 0, to: filled, heap: heap)
                }
            } catch { throw QueryFault(error) }
            filled += 1
            if filled == step { try flush() }
        }
        try flush()
    }
}

/// Repeats every chunk for each grouping set: keys outside of the set are NULL, the set's number is a
/// column. Output: the input, the keys of the set, the number.
final class GroupingSetsFactory: OperatorFactory {
    let statistics = OperatorStatistics("GroupingSets")
    private let keys: [Int]
    private let types: [LogicalType]
    private let sets: [[Int]]

    init(keys: [Int], types: [LogicalType], sets: [[Int]]) {
        self.keys = keys
        self.types = types
        self.sets = sets
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        GroupingSetsOperator(keys, types, sets)
    }
}

private final class GroupingSetsOperator: Operator {
    private let keys: [Int]
    private let sets: [[Int]]
    private let nulls: [NullColumn]
    private let numbers: [ConstantStore]
    private var output: Chunk?

    init(_ keys: [Int], _ types: [LogicalType], _ sets: [[Int]]) {
        self.keys = keys
        self.sets = sets
        nulls = types.map { NullColumn($0) }
        numbers = sets.indices.map { ConstantStore(.integer(Int64($0)), .bigint) }
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let count = chunk.columnCount
        let target = output ?? Chunk(columnCount: count + keys.count + 1)
        output = target
        for (number, set) in sets.enumerated() {
            target.columns.update(from: chunk.columns, count: count)
            for (index, key) in keys.enumerated() {
                target.columns[count + index] =
                    set.contains(index) ? chunk.columns[key] : nulls[index].vector
            }
            target.columns[count + keys.count] = numbers[number].vector
            target.count = chunk.count
            target.selection = chunk.selection
            target.selectedCount = chunk.selectedCount
            try next.push(target)
        }
    }
}
