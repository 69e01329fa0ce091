import SQLFunctions
import SQLPlanning
import Vectors

/// Rows of one partition within the batch at hand, and which of them are peers.
struct WindowPartition {
    var range: Range<Int>
    /// First peer of each row and the row behind the last, by row number in the batch.
    var peerStart: [Int]
    var peerEnd: [Int]

    func firstPeer(_ row: Int) -> Int { peerStart[row - range.lowerBound] }
    func endOfPeers(_ row: Int) -> Int { peerEnd[row - range.lowerBound] }
}

/// Computes window functions over whole partitions; small partitions are gathered to batches.
final class WindowComputer {
    private let sink: WindowSink
    private let worker: Worker
    private var rows: [UnsafeMutableRawPointer] = []
    private var partitions: [WindowPartition] = []
    private let inputs: [Int: ColumnBuffer]
    private var vectors: [Int: Vector] = [:]
    private let results: [ColumnBuffer]
    private let heap: Arena
    private let chunk: Chunk
    private let buffers: [ColumnBuffer]
    private let sliced: [CompactColumn]

    init(_ sink: WindowSink, _ worker: Worker) throws(QueryFault) {
        self.sink = sink
        self.worker = worker
        let types = sink.shape.types
        var inputs: [Int: ColumnBuffer] = [:]
        func want(_ column: Int?) {
            if let column, inputs[column] == nil { inputs[column] = ColumnBuffer(types[column]) }
        }
        for call in sink.shape.calls {
            call.arguments.forEach { want($0) }
            want(call.filter)
            want(call.startColumn)
            want(call.endColumn)
            if call.startColumn != nil || call.endColumn != nil { want(sink.shape.orderColumn) }
        }
        self.inputs = inputs
        results = sink.shape.calls.map { ColumnBuffer($0.call.output.type) }
        sliced = sink.shape.calls.map { CompactColumn($0.call.output.type) }
        buffers = types.map { ColumnBuffer($0) }
        chunk = Chunk(columnCount: types.count + results.count)
        heap = Arena(budget: worker.budget, firstBlockSize: 16 << 10)
    }

    /// Takes one sorted partition.
    func add(_ entries: [SortEntry], _ consumer: any ChunkConsumer) throws(QueryFault) {
        let start = rows.count
        let count = entries.count
        var peerStart = [Int](repeating: start, count: count)
        var peerEnd = [Int](repeating: start + count, count: count)
        if !sink.order.keys.isEmpty {
            var first = 0
            for index in 1..<max(1, count)
            where sink.order.compare(entries[index - 1].row, entries[index].row) != 0 {
                for row in first..<index { peerEnd[row] = start + index }
                first = index
                peerStart[index] = start + index
            }
            var current = start
            for index in 0..<count {
                if peerStart[index] > current { current = peerStart[index] }
                peerStart[index] = current
            }
        }
        for entry in entries { rows.append(entry.row) }
        partitions.append(
            WindowPartition(range: start..<(start + count), peerStart: peerStart, peerEnd: peerEnd))
        if rows.count >= Chunk.capacity { try flush(consumer) }
    }

    /// Computes and gives the batch.
    func flush(_ consumer: any ChunkConsumer) throws(QueryFault) {
        if rows.isEmpty { return }
        heap.rewind()
        rows.withUnsafeBufferPointer { raw in
            for (column, buffer) in inputs {
                vectors[column] = gatherField(
                    sink.layout.payload[column], raw.baseAddress!, raw.count, into: buffer,
                    isStable: true)
            }
        }
        // Functions hold memory that results point into: they live until the batch is given.
        var functions: [WindowFunction] = []
        for (index, call) in sink.shape.calls.enumerated() {
            let result = results[index]
            result.clear()
            result.ensure(rows.count)
            result.count = rows.count
            if let pattern = call.call.pattern {
                let matches = try RowPatternFunction(
                    pattern, call, vectors, result, heap, worker)
                for partition in partitions { try matches.compute(partition) }
                if let fault = worker.context.takeFault() { throw fault }
                if worker.isStopped { return }
                continue
            }
            let function = WindowFunction(
                call, vectors, result, heap, worker, sink.order, orderColumn: sink.shape.orderColumn
            )
            functions.append(function)
            for partition in partitions {
                try function.compute(partition)
                if worker.isStopped { return }
            }
            if let fault = worker.context.takeFault() { throw fault }
        }
        try emit(consumer)
        functions.removeAll()
        rows.removeAll(keepingCapacity: true)
        partitions.removeAll(keepingCapacity: true)
    }

    private func emit(_ consumer: any ChunkConsumer) throws(QueryFault) {
        let step = max(1, min(worker.settings.verification.chunkRows, Chunk.capacity))
        let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
        defer { selection.deallocate() }
        var start = 0
        while start < rows.count {
            let count = min(step, rows.count - start)
            rows.withUnsafeBufferPointer { raw in
                for (index, buffer) in buffers.enumerated() {
                    chunk.columns[index] = gatherField(
                        sink.layout.payload[index], raw.baseAddress! + start, count, into: buffer,
                        isStable: false)
                }
            }
            for index in 0..<count { selection[index] = UInt32(start + index) }
            let picked = ActiveRows(count: rows.count, selection: selection, active: count)
            for (index, result) in results.enumerated() {
                chunk.columns[buffers.count + index] = sliced[index].pick(result.vector, picked)
            }
            chunk.count = count
            chunk.selection = nil
            try consumer.push(chunk)
            start += count
        }
    }
}
