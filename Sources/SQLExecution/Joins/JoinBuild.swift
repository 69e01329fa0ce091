import CIntrinsics
import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// A join filter to publish, and which key it is of.
struct JoinFilterSlot: Sendable {
    var key: Int
    var filter: JoinFilter
}

/// Collects the build side of a join, makes its table and publishes its filters.
final class JoinBuildSink: Sink {
    let statistics: OperatorStatistics
    let shape: JoinShape
    let layout: JoinLayout
    /// Set by the planner when it has seen who can use them, before anything runs.
    // Safe because planning ends before running.
    nonisolated(unsafe) var filters: [JoinFilterSlot] = []
    private let runtime: Runtime
    private let state = Mutex(State())

    struct State: @unchecked Sendable {
        // Safe because stores and the table are only read once all workers have finished.
        var stores: [PartitionedRows] = []
        var table: JoinTable?
        /// Partitions that are on disk, and their files.
        var spilled: Set<Int> = []
        var files: [Int: [SpillFile]] = [:]
        var rowCount = 0
        var hasNullKey = false
        var minimum = Int64.max
        var maximum = Int64.min
        var nullRows: [UnsafeMutableRawPointer] = []
    }

    init(_ shape: JoinShape, runtime: Runtime, detail: String) {
        self.shape = shape
        self.runtime = runtime
        layout = JoinLayout(shape)
        statistics = OperatorStatistics("JoinBuild", detail)
    }

    /// Whether there is one integer key, so that bounds are worth keeping.
    var hasIntegerKey: Bool {
        guard layout.row.keys.count == 1, let field = layout.row.keys.first, !field.isView,
            shape.matchesNulls.first == false
        else { return false }
        return field.physical == .int32 || field.physical == .int64
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { JoinBuildLocal(self, worker) }

    func finishLocal(
        _ store: PartitionedRows, rows: Int, hasNullKey: Bool, minimum: Int64, maximum: Int64
    ) {
        state.withLock { state in
            state.stores.append(store)
            state.rowCount += rows
            state.hasNullKey = state.hasNullKey || hasNullKey
            state.minimum = min(state.minimum, minimum)
            state.maximum = max(state.maximum, maximum)
        }
    }

    /// Chooses more partitions to live on disk; all that do so far.
    func chooseVictims() -> [Int] {
        state.withLock { state in
            let inMemory = (0..<partitionTotal).filter { !state.spilled.contains($0) }
            for partition in inMemory.prefix(max(4, inMemory.count / 4)) {
                state.spilled.insert(partition)
            }
            return state.spilled.sorted()
        }
    }

    var victims: [Int] { state.withLock { $0.spilled.sorted() } }

    /// Writes partitions of a worker's rows to disk.
    func spill(_ store: PartitionedRows, _ partitions: [Int]) throws(QueryFault) {
        for partition in partitions where store.rowCount(partition) > 0 {
            let writer = RowWriter(try runtime.spill.makeFile(), layout.shape)
            var failure: QueryFault?
            store.forEachBlock(partition) { start, count in
                guard failure == nil else { return }
                do throws(QueryFault) {
                    for index in 0..<count { try writer.write(start + index * layout.row.width) }
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
        var snapshot = state.withLock { $0 }
        if !snapshot.spilled.isEmpty {
            for store in snapshot.stores { try spill(store, snapshot.spilled.sorted()) }
            snapshot = state.withLock { $0 }
            statistics.note("\(snapshot.spilled.count) of \(partitionTotal) partitions spilled")
        }
        statistics.noteMemory(snapshot.stores.reduce(0) { $0 + $1.reservedBytes })
        let table = JoinTable(layout, budget: runtime.budget)
        let stores = snapshot.stores
        if shape.keyTypes.isEmpty || shape.isNullAware && !shape.residual.isEmpty {
            table.setAll(stores.flatMap { rows(of: $0) })
        }
        if !shape.keyTypes.isEmpty {
            if hasIntegerKey, snapshot.spilled.isEmpty, snapshot.minimum <= snapshot.maximum {
                let (range, overflow) = snapshot.maximum.subtractingReportingOverflow(
                    snapshot.minimum)
                if !overflow, range < Int64(max(snapshot.rowCount * 8, 1024)) {
                    _ = table.makeDense(minimum: snapshot.minimum, maximum: snapshot.maximum)
                }
            }
            let builders = prepareFilters(snapshot)
            let collected = snapshot
            let next = SharedCounter()
            let limit = snapshot.rowCount < Limits.smallInput ? 1 : runtime.settings.threadCount
            try runtime.runWorkers(limit: limit) { [self] _ throws(QueryFault) in
                while true {
                    let partition = next.take()
                    guard partition < partitionTotal, !runtime.isStopped else { return }
                    var blocks: [(start: UnsafeMutableRawPointer, count: Int)] = []
                    for store in stores {
                        store.forEachBlock(partition) { start, count in
                            blocks.append((start, count))
                        }
                    }
                    table.build(partition, blocks)
                    for builder in builders { builder.add(blocks, layout) }
                    try addSpilled(partition, collected, to: builders)
                }
            }
            for builder in builders { builder.publish() }
            statistics.note(table.isDense ? "dense" : "hashed")
        }
        if shape.isNullAware, !shape.residual.isEmpty {
            let nullRows = table.all.filter { layout.hasStrictNull($0) }
            state.withLock { $0.nullRows = nullRows }
        }
        state.withLock { $0.table = table }
    }

    private func rows(of store: PartitionedRows) -> [UnsafeMutableRawPointer] {
        var rows: [UnsafeMutableRawPointer] = []
        for partition in 0..<partitionTotal {
            store.forEachBlock(partition) { start, count in
                for index in 0..<count { rows.append(start + index * layout.row.width) }
            }
        }
        return rows
    }

    private func prepareFilters(_ snapshot: State) -> [JoinFilterBuilder] {
        filters.map { slot in
            JoinFilterBuilder(
                slot.filter, field: layout.row.keys[slot.key], rowCount: snapshot.rowCount,
                bounds: hasIntegerKey && snapshot.minimum <= snapshot.maximum
                    ? snapshot.minimum...snapshot.maximum : nil)
        }
    }

    /// Keys on disk count for the filters as well.
    private func addSpilled(
        _ partition: Int, _ snapshot: State, to builders: [JoinFilterBuilder]
    ) throws(QueryFault) {
        guard !builders.isEmpty else { return }
        for file in snapshot.files[partition] ?? [] {
            let reader = RowReader(file, layout.shape)
            while true {
                let store = PartitionedRows(
                    width: layout.row.width, partitionCount: 1, budget: runtime.budget)
                let isMore = try reader.readBlock(
                    into: store, partition: 0, wanted: { _ in true }, { _ throws(QueryFault) in })
                store.forEachBlock(0) { start, count in
                    for builder in builders { builder.add([(start, count)], layout) }
                }
                if !isMore { break }
            }
        }
    }

    // What the probe needs.

    var table: JoinTable { state.withLock { $0.table }.unsafelyUnwrapped }
    var spilledPartitions: Set<Int> { state.withLock { $0.spilled } }
    func spillFiles(_ partition: Int) -> [SpillFile] {
        state.withLock { $0.files[partition] ?? [] }
    }
    var hasNullKey: Bool { state.withLock { $0.hasNullKey } }
    var isEmpty: Bool { state.withLock { $0.rowCount == 0 } }
    var nullRows: [UnsafeMutableRawPointer] { state.withLock { $0.nullRows } }
    var stores: [PartitionedRows] { state.withLock { $0.stores } }
}

/// One worker's part of a build.
private final class JoinBuildLocal: Operator {
    private let sink: JoinBuildSink
    private let worker: Worker
    private let packer: KeyPacker
    private let store: PartitionedRows
    private let buffers: [ColumnBuffer]
    private let vectors: UnsafeMutablePointer<Vector>
    private let rows = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: Chunk.capacity)
    private let kept = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private var rowCount = 0
    private var hasNullKey = false
    private var minimum = Int64.max
    private var maximum = Int64.min
    private var chunksSinceSpill = 0

    init(_ sink: JoinBuildSink, _ worker: Worker) {
        self.sink = sink
        self.worker = worker
        packer = KeyPacker(
            sink.layout.row, budget: worker.budget, roles: sink.shape.roles(.build))
        store = PartitionedRows(
            width: sink.layout.row.width, partitionCount: partitionTotal, budget: worker.budget)
        buffers = sink.layout.row.payload.map { ColumnBuffer($0.type) }
        vectors = .allocate(capacity: max(buffers.count, 1))
    }

    deinit {
        vectors.deallocate()
        rows.deallocate()
        kept.deallocate()
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        var active = ActiveRows(chunk)
        let layout = sink.layout
        packer.pack(chunk.columns, sink.shape.rightKeys, active)
        rowCount += active.active
        if packer.hasNullKeys, dropNullKeys(&active) {
            packer.pack(chunk.columns, sink.shape.rightKeys, active)
        }
        if active.active == 0 { return }
        let count = active.active
        let keyEnd = layout.row.keyEnd
        for index in 0..<count {
            let packed = packer.row(index)
            if layout.row.keys.isEmpty {
                // Without keys rows are spread over the partitions by their number.
                packed.storeBytes(
                    of: mix(UInt64(truncatingIfNeeded: rowCount &+ index)), as: UInt64.self)
            }
            let row = store.newRow(partition(of: packed.load(as: UInt64.self)))
            row.copyMemory(from: packed, byteCount: keyEnd)
            row.storeBytes(of: 0, toByteOffset: layout.nextOffset, as: UInt64.self)
            row.storeBytes(of: 0, toByteOffset: layout.matchedOffset, as: UInt64.self)
            rows[index] = row
        }
        keepKeyText(count)
        if sink.hasIntegerKey { noteBounds(count) }
        for (position, column) in layout.payloadColumns.enumerated() {
            let vector = flatten(chunk.columns[column], active, into: buffers[position])
            vectors[position] = vector
        }
        let scatter = RowScatter(usesHeader: true)
        scatter.clearNulls(layout.row.payload, rows, count)
        scatter.store(layout.row.payload, vectors, rows, count, in: store)
        try relieve()
    }

    /// Drops rows with keys that match nothing, where nobody asks for them later; whether any were.
    private func dropNullKeys(_ active: inout ActiveRows) -> Bool {
        var count = 0
        let keepsAll =
            sink.shape.keepsRight || (sink.shape.isNullAware && !sink.shape.residual.isEmpty)
        var found = false
        for index in 0..<active.active {
            let isNull = sink.layout.hasStrictNull(packer.row(index))
            found = found || isNull
            kept[count] = UInt32(truncatingIfNeeded: active.row(index))
            count &+= bit(!isNull)
        }
        hasNullKey = hasNullKey || found
        guard found, !keepsAll else { return false }
        active = ActiveRows(count: active.count, selection: kept, active: count)
        return true
    }

    private func keepKeyText(_ count: Int) {
        for (position, field) in sink.layout.row.keys.enumerated()
        where field.isView && !packer.isStable[position] {
            for index in 0..<count {
                let row = rows[index]
                let view = row.load(fromByteOffset: field.offset, as: StringView.self)
                if view.isInline { continue }
                row.storeBytes(
                    of: store.keep(view, partition(of: row.load(as: UInt64.self))),
                    toByteOffset: field.offset, as: StringView.self)
            }
        }
    }

    private func noteBounds(_ count: Int) {
        let offset = sink.layout.row.keys[0].offset
        for index in 0..<count where !sink.layout.hasStrictNull(rows[index]) {
            let key = rows[index].load(fromByteOffset: offset, as: Int64.self)
            minimum = min(minimum, key)
            maximum = max(maximum, key)
        }
    }

    private func relieve() throws(QueryFault) {
        let runtime = worker.runtime
        chunksSinceSpill += 1
        let canSpill =
            !sink.shape.keyTypes.isEmpty
            && !(sink.shape.isNullAware && !sink.shape.residual.isEmpty)
        let isForced = runtime.settings.verification.forcesSpill && chunksSinceSpill >= 2
        let isLow =
            runtime.isUnderPressure && store.reservedBytes > runtime.budget.limitBytes / 32
        guard isForced || isLow || store.isExceeded else { return }
        guard runtime.spill.isAvailable, canSpill else {
            if store.isExceeded { throw exceeded(runtime) }
            return
        }
        try sink.spill(store, sink.chooseVictims())
        chunksSinceSpill = 0
        if store.isExceeded, runtime.budget.usedBytes > runtime.budget.limitBytes * 2 {
            throw exceeded(runtime)
        }
    }

    override func finish() throws(QueryFault) {
        sink.finishLocal(
            store, rows: rowCount, hasNullKey: hasNullKey, minimum: minimum, maximum: maximum)
    }
}

/// Fills one join filter from build rows; several workers at once.
final class JoinFilterBuilder: @unchecked Sendable {
    // Safe because bits are set atomically.
    private let filter: JoinFilter
    private let field: RowLayout.Field
    private var contents = JoinFilter.Contents()
    private let isWorthwhile: Bool

    init(
        _ filter: JoinFilter, field: RowLayout.Field, rowCount: Int, bounds: ClosedRange<Int64>?
    ) {
        self.filter = filter
        self.field = field
        contents.isEmpty = rowCount == 0
        contents.isText = field.isView
        isWorthwhile = rowCount > 0 && rowCount < 1 << 26
        guard isWorthwhile else { return }
        if let bounds {
            contents.hasBounds = true
            contents.minimum = bounds.lowerBound
            contents.maximum = bounds.upperBound
            let (range, overflow) = bounds.upperBound.subtractingReportingOverflow(
                bounds.lowerBound)
            if !overflow, range < Int64(max(1 << 20, rowCount * 64)) {
                let words = Int(range) / 64 + 1
                contents.bitmap = .allocate(capacity: words)
                contents.bitmap?.initialize(repeating: 0, count: words)
                contents.bitmapBits = Int(range) + 1
                return
            }
        }
        // Sixteen bits a key: one word for four keys.
        var words = 64
        while words * 4 < rowCount { words *= 2 }
        contents.bloom = .allocate(capacity: words)
        contents.bloom?.initialize(repeating: 0, count: words)
        contents.bloomMask = words - 1
    }

    func add(_ blocks: [(start: UnsafeMutableRawPointer, count: Int)], _ layout: JoinLayout) {
        guard isWorthwhile else { return }
        for block in blocks {
            var row = block.start
            for _ in 0..<block.count {
                if !isNull(field, row) { add(row) }
                row += layout.row.width
            }
        }
    }

    @inline(__always) private func add(_ row: UnsafeMutableRawPointer) {
        if let bitmap = contents.bitmap {
            let bit = row.load(fromByteOffset: field.offset, as: Int64.self) &- contents.minimum
            ci_atomic_or64(bitmap + Int(bit &>> 6), 1 &<< UInt64(bit & 63))
            return
        }
        let hash: UInt64
        if field.isView {
            hash = mix(hashView(row.load(fromByteOffset: field.offset, as: StringView.self)))
        } else {
            hash = mix(row.load(fromByteOffset: field.offset, as: UInt64.self))
        }
        guard let bloom = contents.bloom else { return }
        ci_atomic_or64(
            bloom + (Int(truncatingIfNeeded: hash &>> 20) & contents.bloomMask),
            JoinFilter.bloomBits(hash))
    }

    func publish() {
        filter.publish(contents)
    }
}
