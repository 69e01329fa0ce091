import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// Sorts everything: runs a worker, merged when they are read. Runs that do not fit go to disk.
final class SortSink: Sink, PipelineSource {
    let statistics: OperatorStatistics
    let layout: RowLayout
    let order: RowOrder
    private let runtime: Runtime
    private let limit: Range<Int>?
    private let state = Mutex(State())

    struct State: @unchecked Sendable {
        // Safe because runs are only read once all workers have finished.
        var runs: [(entries: [SortEntry], store: PartitionedRows)] = []
        var files: [SpillFile] = []
    }

    /// `limit`: which of the sorted rows are given; nil: all.
    init(_ keys: [SortKey], layout: Layout, limit: Range<Int>?, runtime: Runtime) throws(QueryFault)
    {
        self.runtime = runtime
        self.limit = limit
        self.layout = RowLayout(keys: [], payload: layout.columns.map(\.type))
        order = try makeRowOrder(keys, layout, self.layout)
        statistics = OperatorStatistics("Sort")
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { SortLocal(self, worker) }

    func addRun(_ entries: [SortEntry], _ store: PartitionedRows) {
        state.withLock { $0.runs.append((entries, store)) }
    }

    func addFile(_ file: SpillFile) {
        statistics.addSpilled(Int(file.sizeBytes))
        state.withLock { $0.files.append(file) }
    }

    func finish(_ runtime: Runtime) throws(QueryFault) {
        statistics.noteMemory(state.withLock { $0.runs.reduce(0) { $0 + $1.store.reservedBytes } })
    }

    func prepare(_ runtime: Runtime) throws(QueryFault) {}
    var morselCount: Int { 1 }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        let state = state.withLock { $0 }
        return MergeReader(self, state, limit, worker)
    }
}

private final class SortLocal: Operator {
    private let sink: SortSink
    private let worker: Worker
    private let collector: RowCollector
    private var entries: [SortEntry] = []
    private var chunksSinceSpill = 0

    init(_ sink: SortSink, _ worker: Worker) {
        self.sink = sink
        self.worker = worker
        collector = RowCollector(sink.layout, budget: worker.budget)
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        collector.append(chunk.columns, ActiveRows(chunk))
        for index in 0..<collector.addedCount {
            let row = collector.added[index]
            entries.append(SortEntry(prefix: sink.order.prefix(row), row: row))
        }
        chunksSinceSpill += 1
        let runtime = worker.runtime
        let isForced = runtime.settings.verification.forcesSpill && chunksSinceSpill >= 4
        let isLow =
            runtime.isUnderPressure
            && collector.store.reservedBytes > runtime.budget.limitBytes / 32
        guard isForced || isLow || collector.store.isExceeded else { return }
        guard runtime.spill.isAvailable else {
            if collector.store.isExceeded { throw exceeded(runtime) }
            return
        }
        try spill()
    }

    /// Writes the rows so far as a sorted run.
    private func spill() throws(QueryFault) {
        sortEntries(&entries, sink.order, worker.budget)
        let writer = RowWriter(try worker.runtime.spill.makeFile(), collector.shape)
        for entry in entries { try writer.write(entry.row) }
        try writer.flush()
        sink.addFile(writer.file)
        entries.removeAll(keepingCapacity: true)
        _ = collector.replaceStore()
        chunksSinceSpill = 0
    }

    override func finish() throws(QueryFault) {
        if entries.isEmpty { return }
        sortEntries(&entries, sink.order, worker.budget)
        sink.addRun(entries, collector.store)
    }
}

/// Merges sorted runs from memory and from disk.
private final class MergeReader: MorselReader {
    /// A run as the merge sees it: the rows at hand and where it stands.
    private final class Run {
        var entries: [SortEntry]
        var position = 0
        var store: PartitionedRows?
        let reader: RowReader?

        init(_ entries: [SortEntry], reader: RowReader?) {
            self.entries = entries
            self.reader = reader
        }

        var head: SortEntry { entries[position] }
    }

    private let sink: SortSink
    private let state: SortSink.State
    private let limit: Range<Int>?
    private let worker: Worker

    init(_ sink: SortSink, _ state: SortSink.State, _ limit: Range<Int>?, _ worker: Worker) {
        self.sink = sink
        self.state = state
        self.limit = limit
        self.worker = worker
    }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        var runs = state.runs.map { Run($0.entries, reader: nil) }
        let shape = RowShape(width: sink.layout.width, views: sink.layout.viewOffsets)
        for file in state.files {
            let run = Run([], reader: RowReader(file, shape))
            if try refill(run) { runs.append(run) }
        }
        let emitter = RowEmitter(
            sink.layout, chunkRows: worker.settings.verification.chunkRows,
            isStable: state.files.isEmpty,
            consumer)
        var number = 0
        let lower = limit?.lowerBound ?? 0
        let upper = limit?.upperBound ?? Int.max
        while !runs.isEmpty, number < upper {
            if number & 1023 == 0, worker.isStopped { return }
            var least = 0
            for index in 1..<max(1, runs.count)
            where sink.order.precedes(runs[index].head, runs[least].head) { least = index }
            let run = runs[least]
            if number >= lower { try emitter.emit(run.head.row) }
            number += 1
            run.position += 1
            if run.position == run.entries.count {
                // Rows of the block may be pending: they leave before the block does.
                if run.reader != nil { try emitter.flush() }
                if try !refill(run) { runs.remove(at: least) }
            }
        }
        try emitter.flush()
    }

    /// Reads the next block of a run on disk; false at its end.
    private func refill(_ run: Run) throws(QueryFault) -> Bool {
        guard let reader = run.reader else { return false }
        let store = PartitionedRows(
            width: sink.layout.width, partitionCount: 1, budget: worker.budget)
        var entries: [SortEntry] = []
        let order = sink.order
        var isMore = true
        while isMore, entries.isEmpty {
            isMore = try reader.readBlock(into: store, partition: 0, wanted: { _ in true }) {
                row throws(QueryFault) in
                entries.append(SortEntry(prefix: order.prefix(row), row: row))
            }
        }
        run.store = store
        run.entries = entries
        run.position = 0
        return !entries.isEmpty
    }
}
