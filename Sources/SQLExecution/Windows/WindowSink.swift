import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// What the window functions of one node read.
struct WindowShape: Sendable {
    struct Call: Sendable {
        var call: WindowCall
        var arguments: [Int]
        var filter: Int?
        /// Column of the frame's bounds, where they have one.
        var startColumn: Int?
        var endColumn: Int?
    }

    var partitionKeys: [Int]
    var types: [LogicalType]
    var calls: [Call]
    var orderBy: [SortKey]
    /// The column of the first sort key.
    var orderColumn: Int?
}

/// Keeps all rows by the hash of their partition keys; then computes partition by partition.
final class WindowSink: Sink, PipelineSource {
    let statistics = OperatorStatistics("Window")
    let shape: WindowShape
    /// Partition keys as keys, all columns as payload.
    let layout: RowLayout
    let order: RowOrder
    private let runtime: Runtime
    private let state = Mutex(State())

    struct State: @unchecked Sendable {
        // Safe because stores are only read once all workers have finished.
        var stores: [PartitionedRows] = []
        var files: [Int: [SpillFile]] = [:]
    }

    init(
        partitionBy: [ColumnID], orderBy: [SortKey], calls: [WindowCall], layout input: Layout,
        runtime: Runtime
    ) throws(QueryFault) {
        self.runtime = runtime
        var keys: [Int] = []
        for id in partitionBy { keys.append(try input.require(id)) }
        let types = input.columns.map(\.type)
        var resolved: [WindowShape.Call] = []
        for call in calls {
            var arguments: [Int] = []
            for id in call.arguments { arguments.append(try input.require(id)) }
            func column(_ bound: WindowFrame.Bound) throws(QueryFault) -> Int? {
                switch bound {
                case .preceding(let id), .following(let id): try input.require(id)
                default: nil
                }
            }
            resolved.append(
                WindowShape.Call(
                    call: call, arguments: arguments,
                    filter: try call.filter.map { id throws(QueryFault) in try input.require(id) },
                    startColumn: try column(call.frame.start), endColumn: try column(call.frame.end)
                ))
        }
        shape = WindowShape(
            partitionKeys: keys, types: types, calls: resolved, orderBy: orderBy,
            orderColumn: orderBy.first.flatMap { input.index(of: $0.column) })
        layout = RowLayout(keys: keys.map { types[$0] }, payload: types)
        order = try makeRowOrder(orderBy, input, layout)
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { WindowLocal(self, worker) }

    func add(_ store: PartitionedRows) { state.withLock { $0.stores.append(store) } }

    func spill(_ store: PartitionedRows) throws(QueryFault) {
        let shape = RowShape(width: layout.width, views: layout.viewOffsets)
        for partition in 0..<partitionTotal where store.rowCount(partition) > 0 {
            let writer = RowWriter(try runtime.spill.makeFile(), shape)
            var failure: QueryFault?
            store.forEachBlock(partition) { start, count in
                guard failure == nil else { return }
                do throws(QueryFault) {
                    for index in 0..<count { try writer.write(start + index * layout.width) }
                } catch { failure = error }
            }
            if let failure { throw failure }
            try writer.flush()
            store.clear(partition)
            statistics.addSpilled(Int(writer.file.sizeBytes))
            state.withLock { $0.files[partition, default: []].append(writer.file) }
        }
    }

    func finish(_ runtime: Runtime) throws(QueryFault) {
        statistics.noteMemory(state.withLock { $0.stores.reduce(0) { $0 + $1.reservedBytes } })
    }

    func prepare(_ runtime: Runtime) throws(QueryFault) {}
    var morselCount: Int { partitionTotal }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        try WindowReader(self, state.withLock { $0 }, worker)
    }
}

private final class WindowLocal: Operator {
    private let sink: WindowSink
    private let worker: Worker
    private let packer: KeyPacker
    private let store: PartitionedRows
    private let buffers: [ColumnBuffer]
    private let vectors: UnsafeMutablePointer<Vector>
    private let rows = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: Chunk.capacity)
    private var chunksSinceSpill = 0

    init(_ sink: WindowSink, _ worker: Worker) {
        self.sink = sink
        self.worker = worker
        packer = KeyPacker(sink.layout, budget: worker.budget)
        store = PartitionedRows(
            width: sink.layout.width, partitionCount: partitionTotal, budget: worker.budget)
        buffers = sink.shape.types.map { ColumnBuffer($0) }
        vectors = .allocate(capacity: max(buffers.count, 1))
    }

    deinit {
        vectors.deallocate()
        rows.deallocate()
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let active = ActiveRows(chunk)
        let layout = sink.layout
        packer.pack(chunk.columns, sink.shape.partitionKeys, active)
        for index in 0..<active.active {
            let packed = packer.row(index)
            let row = store.newRow(partition(of: packed.load(as: UInt64.self)))
            row.copyMemory(from: packed, byteCount: layout.keyEnd)
            rows[index] = row
        }
        for field in layout.keys where field.isView {
            for index in 0..<active.active {
                let row = rows[index]
                let view = row.load(fromByteOffset: field.offset, as: StringView.self)
                if view.isInline { continue }
                row.storeBytes(
                    of: store.keep(view, partition(of: row.load(as: UInt64.self))),
                    toByteOffset: field.offset, as: StringView.self)
            }
        }
        for (index, buffer) in buffers.enumerated() {
            let flat = flatten(chunk.columns[index], active, into: buffer)
            vectors[index] = widened(flat, to: buffer.type, rowCount: active.active, into: buffer)
        }
        let scatter = RowScatter(usesHeader: true)
        scatter.clearNulls(layout.payload, rows, active.active)
        scatter.store(layout.payload, vectors, rows, active.active, in: store)
        try relieve()
    }

    private func relieve() throws(QueryFault) {
        let runtime = worker.runtime
        chunksSinceSpill += 1
        let isForced = runtime.settings.verification.forcesSpill && chunksSinceSpill >= 4
        let isLow =
            runtime.isUnderPressure && store.reservedBytes > runtime.budget.limitBytes / 32
        guard isForced || isLow || store.isExceeded else { return }
        guard runtime.spill.isAvailable else {
            if store.isExceeded { throw exceeded(runtime) }
            return
        }
        try sink.spill(store)
        chunksSinceSpill = 0
    }

    override func finish() throws(QueryFault) { sink.add(store) }
}

/// Sorts the rows of one hash partition, and gives them with the functions' values.
private final class WindowReader: MorselReader {
    private let sink: WindowSink
    private let state: WindowSink.State
    private let worker: Worker
    private let comparison: KeyComparison
    private let computer: WindowComputer

    init(_ sink: WindowSink, _ state: WindowSink.State, _ worker: Worker) throws(QueryFault) {
        self.sink = sink
        self.state = state
        self.worker = worker
        comparison = KeyComparison(sink.layout)
        computer = try WindowComputer(sink, worker)
    }

    deinit { comparison.deallocate() }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        var rows: [UnsafeMutableRawPointer] = []
        let width = sink.layout.width
        for store in state.stores {
            store.forEachBlock(morsel) { start, count in
                for index in 0..<count { rows.append(start + index * width) }
            }
        }
        let store = PartitionedRows(width: width, partitionCount: 1, budget: worker.budget)
        let shape = RowShape(width: width, views: sink.layout.viewOffsets)
        for file in state.files[morsel] ?? [] {
            let reader = RowReader(file, shape)
            while try reader.readBlock(
                into: store, partition: 0, wanted: { _ in true },
                {
                    row throws(QueryFault) in
                    rows.append(row)
                })
            {}
            if store.isExceeded, worker.budget.usedBytes > worker.budget.limitBytes * 2 {
                throw exceeded(worker.runtime)
            }
        }
        for partition in partitions(of: rows) {
            if worker.isStopped { return }
            var entries = partition.map { SortEntry(prefix: sink.order.prefix($0), row: $0) }
            if !sink.order.keys.isEmpty { sortEntries(&entries, sink.order, worker.budget) }
            try computer.add(entries, consumer)
        }
        try computer.flush(consumer)
        withExtendedLifetime(store) {}
        // Who took the rows has copied them, and nobody reads them again.
        for store in state.stores { store.giveBack(morsel) }
    }

    /// Rows by equal partition keys.
    private func partitions(of rows: [UnsafeMutableRawPointer]) -> [[UnsafeMutableRawPointer]] {
        if rows.isEmpty { return [] }
        if sink.layout.keys.isEmpty { return [rows] }
        var size = 64
        while size < rows.count * 2 { size *= 2 }
        let mask = size - 1
        var slots = [Int32](repeating: -1, count: size)
        var groups: [[UnsafeMutableRawPointer]] = []
        for row in rows {
            var slot = Int(truncatingIfNeeded: row.load(as: UInt64.self) &>> 16) & mask
            while true {
                let group = Int(slots[slot])
                if group < 0 {
                    slots[slot] = Int32(groups.count)
                    groups.append([row])
                    break
                }
                if keysEqual(groups[group][0], row, comparison) {
                    groups[group].append(row)
                    break
                }
                slot = (slot &+ 1) & mask
            }
        }
        return groups
    }
}
