import SQLFunctions
import Vectors

/// Appends the rows of chunks to a store, all columns as payload: what sorts, top-N and windows keep.
final class RowCollector {
    let layout: RowLayout
    private(set) var store: PartitionedRows
    private let budget: MemoryBudget
    private let buffers: [ColumnBuffer]
    private let vectors: UnsafeMutablePointer<Vector>
    /// The rows added by the last call.
    let added = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: Chunk.capacity)
    private(set) var addedCount = 0

    init(_ layout: RowLayout, budget: MemoryBudget) {
        self.layout = layout
        self.budget = budget
        store = PartitionedRows(width: layout.width, partitionCount: 1, budget: budget)
        buffers = layout.payload.map { ColumnBuffer($0.type) }
        vectors = .allocate(capacity: max(buffers.count, 1))
    }

    deinit {
        vectors.deallocate()
        added.deallocate()
    }

    func append(_ columns: UnsafePointer<Vector>, _ rows: ActiveRows) {
        addedCount = rows.active
        for (index, buffer) in buffers.enumerated() {
            let flat = flatten(columns[index], rows, into: buffer)
            vectors[index] = widened(flat, to: buffer.type, rowCount: rows.active, into: buffer)
        }
        for index in 0..<addedCount {
            let row = store.newRow(0)
            row.storeBytes(of: 0, as: UInt64.self)
            added[index] = row
        }
        let scatter = RowScatter(usesHeader: false)
        scatter.clearNulls(layout.payload, added, addedCount)
        scatter.store(layout.payload, vectors, added, addedCount, in: store)
    }

    /// Gives the store away and begins a new one.
    func replaceStore() -> PartitionedRows {
        let old = store
        store = PartitionedRows(width: layout.width, partitionCount: 1, budget: budget)
        return old
    }

    var shape: RowShape { RowShape(width: layout.width, views: layout.viewOffsets) }
}

/// Turns rows into chunks.
final class RowEmitter {
    private let chunk: Chunk
    private let buffers: [ColumnBuffer]
    private let layout: RowLayout
    private let pending = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: Chunk.capacity)
    private var count = 0
    private let step: Int
    private let consumer: any ChunkConsumer
    private let isStable: Bool

    init(_ layout: RowLayout, chunkRows: Int, isStable: Bool, _ consumer: any ChunkConsumer) {
        self.layout = layout
        self.consumer = consumer
        self.isStable = isStable
        step = max(1, min(chunkRows, Chunk.capacity))
        chunk = Chunk(columnCount: layout.payload.count)
        buffers = layout.payload.map { ColumnBuffer($0.type) }
    }

    deinit { pending.deallocate() }

    func emit(_ row: UnsafeMutableRawPointer) throws(QueryFault) {
        pending[count] = row
        count += 1
        if count == step { try flush() }
    }

    func flush() throws(QueryFault) {
        if count == 0 { return }
        for (index, buffer) in buffers.enumerated() {
            chunk.columns[index] = gatherField(
                layout.payload[index], pending, count, into: buffer, isStable: isStable)
        }
        chunk.count = count
        chunk.selection = nil
        count = 0
        try consumer.push(chunk)
    }
}
