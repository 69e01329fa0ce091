import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// Rows that several parts of a plan read: collected once, read as often as it takes.
///
/// Rows stay in memory until the query ends, or on disk where memory is short.
final class SharedRowsSink: Sink {
    let statistics = OperatorStatistics("Shared")
    let layout: RowLayout
    private let state = Mutex(State())

    struct State: @unchecked Sendable {
        // Safe because stores are only read once all workers have finished, and never changed then.
        var stores: [PartitionedRows] = []
        var files: [SpillFile] = []
    }

    init(_ types: [LogicalType]) { layout = RowLayout(keys: [], payload: types) }

    var rows: State { state.withLock { $0 } }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        SharedRowsLocal(self, worker)
    }

    func add(_ store: PartitionedRows) { state.withLock { $0.stores.append(store) } }

    func add(_ file: SpillFile) {
        statistics.addSpilled(Int(file.sizeBytes))
        state.withLock { $0.files.append(file) }
    }

    func finish(_ runtime: Runtime) throws(QueryFault) {
        statistics.noteMemory(rows.stores.reduce(0) { $0 + $1.reservedBytes })
    }

    /// One reader of the rows, with numbers of its own.
    func makeSource() -> SharedRowsSource { SharedRowsSource(self) }
}

private final class SharedRowsLocal: Operator {
    private let sink: SharedRowsSink
    private let worker: Worker
    private let collector: RowCollector
    private var chunksSinceSpill = 0

    init(_ sink: SharedRowsSink, _ worker: Worker) {
        self.sink = sink
        self.worker = worker
        collector = RowCollector(sink.layout, budget: worker.budget)
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        collector.append(chunk.columns, ActiveRows(chunk))
        chunksSinceSpill += 1
        let runtime = worker.runtime
        let isForced = runtime.settings.verification.forcesSpill && chunksSinceSpill >= 2
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

    private func spill() throws(QueryFault) {
        let writer = RowWriter(try worker.runtime.spill.makeFile(), collector.shape)
        let width = sink.layout.width
        var failure: QueryFault?
        collector.store.forEachBlock(0) { start, count in
            guard failure == nil else { return }
            do throws(QueryFault) {
                for index in 0..<count { try writer.write(start + index * width) }
            } catch { failure = error }
        }
        if let failure { throw failure }
        try writer.flush()
        sink.add(writer.file)
        _ = collector.replaceStore()
        chunksSinceSpill = 0
    }

    override func finish() throws(QueryFault) {
        if collector.store.rowCount > 0 { sink.add(collector.store) }
    }
}

/// Gives shared rows: a morsel is what one worker collected, or one file.
final class SharedRowsSource: PipelineSource {
    let statistics = OperatorStatistics("SharedRead")
    private let sink: SharedRowsSink

    init(_ sink: SharedRowsSink) { self.sink = sink }

    func prepare(_ runtime: Runtime) throws(QueryFault) {}

    var morselCount: Int {
        let rows = sink.rows
        return rows.stores.count + rows.files.count
    }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        Reader(sink.layout, sink.rows, worker)
    }

    private final class Reader: MorselReader {
        private let layout: RowLayout
        private let rows: SharedRowsSink.State
        private let worker: Worker

        init(_ layout: RowLayout, _ rows: SharedRowsSink.State, _ worker: Worker) {
            self.layout = layout
            self.rows = rows
            self.worker = worker
        }

        func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
            let isInMemory = morsel < rows.stores.count
            let emitter = RowEmitter(
                layout, chunkRows: worker.settings.verification.chunkRows, isStable: isInMemory,
                consumer)
            if isInMemory {
                try emit(rows.stores[morsel], emitter)
            } else {
                let shape = RowShape(width: layout.width, views: layout.viewOffsets)
                let reader = RowReader(rows.files[morsel - rows.stores.count], shape)
                var isMore = true
                while isMore, !worker.isStopped {
                    let store = PartitionedRows(
                        width: layout.width, partitionCount: 1, budget: worker.budget)
                    isMore = try reader.readBlock(into: store, partition: 0, wanted: { _ in true })
                    {
                        row throws(QueryFault) in
                        try emitter.emit(row)
                    }
                    // The block's rows leave before its memory does.
                    try emitter.flush()
                    withExtendedLifetime(store) {}
                }
            }
        }

        private func emit(
            _ store: PartitionedRows, _ emitter: RowEmitter
        ) throws(QueryFault) {
            var blocks: [(start: UnsafeMutableRawPointer, count: Int)] = []
            store.forEachBlock(0) { start, count in blocks.append((start, count)) }
            for block in blocks {
                for index in 0..<block.count {
                    if index & 2047 == 0, worker.isStopped { return }
                    try emitter.emit(block.start + index * layout.width)
                }
            }
            try emitter.flush()
        }
    }
}
