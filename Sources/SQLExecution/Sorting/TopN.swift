import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// Keeps the first rows in an order.
final class TopNSink: Sink, PipelineSource {
    let statistics = OperatorStatistics("TopN")
    let layout: RowLayout
    let order: RowOrder
    let keep: Int
    let offset: Int
    let withTies: Bool
    let bound: TopNBound?
    /// Where the first key is in a chunk.
    let firstKey: Int?
    private let state = Mutex(State())

    struct State: @unchecked Sendable {
        // Safe because rows are only read once all workers have finished.
        var entries: [SortEntry] = []
        var stores: [PartitionedRows] = []
    }

    init(
        _ keys: [SortKey], layout: Layout, count: Int, offset: Int, withTies: Bool,
        bound: TopNBound?
    ) throws(QueryFault) {
        self.layout = RowLayout(keys: [], payload: layout.columns.map(\.type))
        order = try makeRowOrder(keys, layout, self.layout)
        keep = count + offset
        self.offset = offset
        self.withTies = withTies
        self.bound = bound
        firstKey = try keys.first.map { key throws(QueryFault) in try layout.require(key.column) }
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { TopNLocal(self, worker) }

    func add(_ entries: [SortEntry], _ store: PartitionedRows) {
        state.withLock { state in
            state.entries += entries
            state.stores.append(store)
        }
    }

    /// Cuts sorted entries to those that are kept, with ties if they are wanted.
    func cut(_ entries: inout [SortEntry]) {
        guard entries.count > keep else { return }
        var end = keep
        if withTies, keep > 0 {
            let last = entries[keep - 1]
            while end < entries.count, !order.precedes(last, entries[end]) { end += 1 }
        }
        entries.removeLast(entries.count - end)
    }

    func finish(_ runtime: Runtime) throws(QueryFault) {
        state.withLock { state in
            sortEntries(&state.entries, order, runtime.budget)
            cut(&state.entries)
        }
    }

    /// The rows that are given, in order, once all workers have finished.
    var winners: [UnsafeMutableRawPointer] {
        state.withLock { $0.entries.dropFirst(offset).map(\.row) }
    }

    func prepare(_ runtime: Runtime) throws(QueryFault) {}
    var morselCount: Int { 1 }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        let state = state.withLock { $0 }
        return EntriesReader(state.entries, state.stores, layout, offset, worker)
    }
}

private final class TopNLocal: Operator {
    private let sink: TopNSink
    private let worker: Worker
    private var collector: RowCollector
    private var entries: [SortEntry] = []
    /// The worst row kept, once there are enough; rows behind it need not be looked at.
    private var worst: SortEntry?
    /// So many rows are collected before they are cut: as many as are kept at first, so that scans soon
    /// have a bound, then more and more, but few, since each cut lets fewer in.
    private var room: Int
    private var slack: Int
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(_ sink: TopNSink, _ worker: Worker) {
        self.sink = sink
        self.worker = worker
        collector = RowCollector(sink.layout, budget: worker.budget)
        room = sink.keep
        slack = max(16, sink.keep / 2)
    }

    deinit { selection.deallocate() }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        if sink.keep == 0 { return }
        var rows = ActiveRows(chunk)
        if let worst, let firstKey = sink.firstKey {
            // Most rows are ruled out by the first key, before anything of them is copied.
            let kept = sink.order.select(
                chunk.columns[firstKey], rows, upTo: worst.prefix, into: selection)
            if kept == 0 { return }
            rows = ActiveRows(count: rows.count, selection: selection, active: kept)
        }
        collector.append(chunk.columns, rows)
        for index in 0..<collector.addedCount {
            let row = collector.added[index]
            let entry = SortEntry(prefix: sink.order.prefix(row), row: row)
            if let worst {
                if entry.prefix > worst.prefix { continue }
                if entry.prefix == worst.prefix, sink.order.precedes(worst, entry) { continue }
            }
            entries.append(entry)
        }
        if entries.count >= room || collector.store.reservedBytes > 16 << 20 { try prune() }
        if collector.store.isExceeded { throw exceeded(worker.runtime) }
    }

    /// Sorts, cuts, and moves what is left to new memory.
    private func prune() throws(QueryFault) {
        sortEntries(&entries, sink.order, worker.budget)
        sink.cut(&entries)
        let old = collector.replaceStore()
        let store = collector.store
        for index in entries.indices {
            let row = store.newRow(0)
            row.copyMemory(from: entries[index].row, byteCount: sink.layout.width)
            for offset in sink.layout.viewOffsets {
                let view = row.load(fromByteOffset: offset, as: StringView.self)
                row.storeBytes(of: store.keep(view, 0), toByteOffset: offset, as: StringView.self)
            }
            entries[index].row = row
        }
        withExtendedLifetime(old) {}
        room = sink.keep + slack
        slack = min(slack * 2, max(sink.keep, 256))
        if entries.count >= sink.keep, let last = entries.last {
            worst = last
            publish(last.row)
        }
    }

    private func publish(_ row: UnsafeMutableRawPointer) {
        guard let bound = sink.bound, let key = sink.order.keys.first, !isNull(key.field, row)
        else { return }
        bound.tighten(row.load(fromByteOffset: key.field.offset, as: Int64.self))
    }

    override func finish() throws(QueryFault) {
        sortEntries(&entries, sink.order, worker.budget)
        sink.cut(&entries)
        sink.add(entries, collector.store)
    }
}

/// Gives sorted entries from an offset on.
private final class EntriesReader: MorselReader {
    private let entries: [SortEntry]
    private let stores: [PartitionedRows]
    private let layout: RowLayout
    private let offset: Int
    private let worker: Worker

    init(
        _ entries: [SortEntry], _ stores: [PartitionedRows], _ layout: RowLayout, _ offset: Int,
        _ worker: Worker
    ) {
        self.entries = entries
        self.stores = stores
        self.layout = layout
        self.offset = offset
        self.worker = worker
    }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        let emitter = RowEmitter(
            layout, chunkRows: worker.settings.verification.chunkRows, isStable: true, consumer)
        for entry in entries.dropFirst(offset) { try emitter.emit(entry.row) }
        try emitter.flush()
    }
}
