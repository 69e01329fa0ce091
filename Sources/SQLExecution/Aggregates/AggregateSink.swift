import SQLFunctions
import SQLPlanning
import Synchronization
import Vectors

/// What an aggregate computes, resolved to positions in its input.
struct AggregateShape: Sendable {
    struct Call: Sendable {
        var call: AggregateCall
        /// Positions of the arguments, then of the sort keys.
        var arguments: [Int]
        var filter: Int?
        var orderTypes: [LogicalType]
        /// Where the call's state begins in the rows of `stateColumn`: it is merged, and no argument read.
        var mergedState: Int?
    }

    /// What is given of each group besides its keys.
    enum Output { case results, states, resultsAndStates }

    var keys: [Int]
    var keyTypes: [LogicalType]
    var calls: [Call]
    /// Without keys there is one group, also over no rows.
    var isGlobal: Bool { keys.isEmpty }
    /// Rows to give for grouping sets without keys when there was no input: values of the key columns.
    var emptySetKeys: [[LiteralValue]] = []
    /// The input's column with addresses of another aggregate's group rows, valid for a chunk.
    var stateColumn: Int?
    var output = Output.results

    var givesResults: Bool { output != .states }
    var givesStates: Bool { output != .results }
}

/// Groups rows; first each worker by itself, then partition by partition over all workers.
final class AggregateSink: Sink, PipelineSource {
    let statistics: OperatorStatistics
    let sourceStatistics: OperatorStatistics
    let shape: AggregateShape
    let layout: RowLayout
    let rowShape: RowShape
    let outputTypes: [LogicalType]
    private let runtime: Runtime
    private let state = Mutex(State())

    struct State: @unchecked Sendable {
        // Safe because tables are only read once all workers have finished.
        var tables: [GroupTable] = []
        /// Spilled rows of each partition.
        var spilled: [Int: [SpillFile]] = [:]
    }

    init(
        _ shape: AggregateShape, outputTypes: [LogicalType], runtime: Runtime, detail: String
    ) throws(QueryFault) {
        self.shape = shape
        self.runtime = runtime
        self.outputTypes = outputTypes
        statistics = OperatorStatistics("Aggregate", detail)
        sourceStatistics = OperatorStatistics("AggregateResult", detail)
        let accumulators = try AggregateSink.makeAccumulators(shape, runtime.budget)
        let extra = accumulators.map { $0.offset + $0.size }.max() ?? 0
        let layout = RowLayout(keys: shape.keyTypes, payload: [], extraBytes: max(extra, 16))
        self.layout = layout
        rowShape = RowShape(
            width: layout.width,
            views: layout.viewOffsets
                + accumulators.flatMap { part in
                    part.viewOffsets.map { layout.extraOffset + part.offset + $0 }
                },
            lists: accumulators.flatMap { part in
                part.lists.map {
                    RowShape.ListShape(
                        offset: layout.extraOffset + part.offset + $0.offset, element: $0.element)
                }
            })
    }

    /// Accumulators with offsets from the beginning of the extra bytes.
    private static func makeAccumulators(
        _ shape: AggregateShape, _ budget: MemoryBudget
    ) throws(QueryFault) -> [Accumulator] {
        var made: [Accumulator] = []
        var at = 0
        for call in shape.calls {
            let accumulator = try makeAccumulator(
                call.call, orderTypes: call.orderTypes, budget: budget)
            at = (at + accumulator.alignment - 1) / accumulator.alignment * accumulator.alignment
            accumulator.offset = at
            at += accumulator.size
            made.append(accumulator)
        }
        return made
    }

    /// Accumulators with offsets from the beginning of the row: one set a worker.
    func makeAccumulators() throws(QueryFault) -> [Accumulator] {
        let made = try AggregateSink.makeAccumulators(shape, runtime.budget)
        for accumulator in made { accumulator.offset += layout.extraOffset }
        return made
    }

    /// Where each call's state begins within a group row.
    func stateOffsets() throws(QueryFault) -> [Int] { try makeAccumulators().map(\.offset) }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        try AggregateLocal(self, worker)
    }

    func add(_ table: GroupTable) { state.withLock { $0.tables.append(table) } }

    /// Writes partitions of a table to disk and gives their memory back.
    func spill(_ table: GroupTable, _ partitions: [Int]) throws(QueryFault) {
        for partition in partitions where table.store.rowCount(partition) > 0 {
            let writer = RowWriter(try runtime.spill.makeFile(), rowShape)
            var failure: QueryFault?
            table.store.forEachBlock(partition) { start, count in
                guard failure == nil else { return }
                do throws(QueryFault) {
                    for index in 0..<count { try writer.write(start + index * layout.width) }
                } catch { failure = error }
            }
            if let failure { throw failure }
            try writer.flush()
            table.store.clear(partition)
            statistics.addSpilled(Int(writer.file.sizeBytes))
            state.withLock { $0.spilled[partition, default: []].append(writer.file) }
        }
    }

    func finish(_ runtime: Runtime) throws(QueryFault) {
        let tables = state.withLock { $0.tables }
        statistics.noteMemory(tables.reduce(0) { $0 + $1.store.reservedBytes })
    }

    // Source

    func prepare(_ runtime: Runtime) throws(QueryFault) {}

    var morselCount: Int { shape.isGlobal ? 1 : partitionTotal }

    func makeReader(_ worker: Worker) throws(QueryFault) -> any MorselReader {
        try AggregateReader(self, state.withLock { $0 }, worker)
    }
}

/// One worker's part: packs keys, finds groups, updates states.
private final class AggregateLocal: Operator {
    private let sink: AggregateSink
    private let worker: Worker
    private let accumulators: [Accumulator]
    private let packer: KeyPacker
    private let table: GroupTable
    private let domain: SmallDomain?
    private var globalGroup: UnsafeMutableRawPointer?
    /// Arguments laid out flat, by input column; valid for the chunk at hand.
    private var flattened: [Int: ColumnBuffer] = [:]
    private var present: [Int: Vector] = [:]
    private let arguments: UnsafeMutablePointer<Vector>
    private let chosen = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private let chosenGroups = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
        capacity: Chunk.capacity)
    private var chunksSinceSpill = 0

    init(_ sink: AggregateSink, _ worker: Worker) throws(QueryFault) {
        self.sink = sink
        self.worker = worker
        accumulators = try sink.makeAccumulators()
        packer = KeyPacker(sink.layout, budget: worker.budget)
        table = GroupTable(sink.layout, budget: worker.budget)
        domain = SmallDomain(sink.layout)
        arguments = .allocate(capacity: 16)
        super.init()
        if sink.shape.isGlobal { globalGroup = table.makeGlobalGroup() }
    }

    deinit {
        arguments.deallocate()
        chosen.deallocate()
        chosenGroups.deallocate()
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        let rows = ActiveRows(chunk)
        present.removeAll(keepingCapacity: true)
        if globalGroup == nil { findGroups(chunk, rows) }
        if let states = sink.shape.stateColumn { mergeStates(chunk.columns[states], rows) }
        for (index, call) in sink.shape.calls.enumerated() where call.mergedState == nil {
            update(accumulators[index], call, chunk, rows)
        }
        if let fault = worker.context.takeFault() { throw fault }
        try relieve()
    }

    private func findGroups(_ chunk: Chunk, _ rows: ActiveRows) {
        if let domain, !domain.isOff {
            let found = domain.find(chunk.columns, sink.shape.keys, rows, table.groups) { row in
                // The table writes the single group it finds to its first entry: keep that entry.
                let kept = table.groups[0]
                var one = UInt32(row)
                withUnsafePointer(to: &one) { pointer in
                    packer.pack(
                        chunk.columns, sink.shape.keys,
                        ActiveRows(count: rows.count, selection: pointer, active: 1))
                }
                table.find(packer)
                let group = table.groups[0]
                table.groups[0] = kept
                return group
            }
            if found { return }
        }
        packer.pack(chunk.columns, sink.shape.keys, rows)
        table.find(packer)
    }

    /// Adds the states of the group rows that the column points to.
    private func mergeStates(_ vector: Vector, _ rows: ActiveRows) {
        let addresses = vector.pointer(as: UInt.self)
        let sources = chosenGroups
        if let globalGroup { table.groups.update(repeating: globalGroup, count: rows.active) }
        for (index, call) in sink.shape.calls.enumerated() {
            guard let state = call.mergedState else { continue }
            let accumulator = accumulators[index]
            let shift = UInt(bitPattern: state - accumulator.offset)
            for place in 0..<rows.active {
                let address = addresses[vector.valueIndex(rows.row(place))] &+ shift
                sources[place] = UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
            }
            accumulator.mergeAll(
                UnsafePointer(table.groups), UnsafePointer(sources), rows.active)
        }
    }

    private func update(
        _ accumulator: Accumulator, _ call: AggregateShape.Call, _ chunk: Chunk, _ rows: ActiveRows
    ) {
        var active = rows
        var groups = UnsafePointer(table.groups)
        if let filter = call.filter {
            let condition = chunk.columns[filter]
            var kept = 0
            for index in 0..<rows.active {
                let row = rows.row(index)
                chosen[kept] = UInt32(truncatingIfNeeded: row)
                chosenGroups[kept] = globalGroup ?? table.groups[index]
                kept &+= bit(truth(condition, row) == 1)
            }
            if kept == 0 { return }
            active = ActiveRows(count: rows.count, selection: chosen, active: kept)
            groups = UnsafePointer(chosenGroups)
        }
        var isShared = call.filter == nil
        if globalGroup != nil, isShared, call.arguments.count == 1,
            chunk.columns[call.arguments[0]].form == .constant, ignoresRepeats(call.call.function)
        {
            // The least of equal values is any of them.
            active = ActiveRows(count: 1, selection: nil, active: 1)
            isShared = false
        }
        for (position, column) in call.arguments.enumerated() {
            arguments[position] = argument(column, chunk, active, isShared: isShared)
        }
        if let globalGroup {
            accumulator.updateOne(
                globalGroup, arguments, active.active, table.store, worker.context)
        } else {
            accumulator.update(groups, arguments, active.active, table.store, worker.context)
        }
    }

    private func argument(
        _ column: Int, _ chunk: Chunk, _ rows: ActiveRows, isShared: Bool
    ) -> Vector {
        if isShared, let vector = present[column] { return vector }
        let source = chunk.columns[column]
        let key = isShared ? column : -1 - column
        let buffer = flattened[key] ?? makeBuffer(source)
        flattened[key] = buffer
        let vector = flatten(
            source, rows,
            into: buffer.physical == source.physical ? buffer : makeBuffer(source, key))
        if isShared { present[column] = vector }
        return vector
    }

    private func makeBuffer(_ vector: Vector, _ key: Int? = nil) -> ColumnBuffer {
        // Nested vectors bring their own children: any type of the physical layout will do.
        let buffer = ColumnBuffer(bufferType(vector), physical: vector.physical)
        if let key { flattened[key] = buffer }
        return buffer
    }

    private func bufferType(_ vector: Vector) -> LogicalType {
        switch vector.physical {
        case .bool: .boolean
        case .int32: .integer
        case .int64: .bigint
        case .double: .double
        case .int128: .uuid
        default: .text
        }
    }

    /// Spills everything when memory runs low.
    private func relieve() throws(QueryFault) {
        guard !sink.shape.isGlobal else { return }
        let runtime = worker.runtime
        chunksSinceSpill += 1
        let isForced = runtime.settings.verification.forcesSpill && chunksSinceSpill >= 4
        let isLow =
            runtime.isUnderPressure
            && table.store.reservedBytes > runtime.budget.limitBytes / 32
        guard isForced || isLow || table.store.isExceeded else { return }
        guard runtime.spill.isAvailable else {
            if table.store.isExceeded { throw exceeded(runtime) }
            return
        }
        try sink.spill(table, Array(0..<partitionTotal))
        table.clearSlots()
        domain?.reset()
        chunksSinceSpill = 0
    }

    override func finish() throws(QueryFault) {
        sink.statistics.note(domain.map { $0.isOff ? "hashed" : "small domain" } ?? "hashed")
        sink.add(table)
    }
}

/// The fault of a query that holds all it may and cannot spill.
func exceeded(_ runtime: Runtime) -> QueryFault {
    QueryFault(
        .exceededMemoryLimit,
        "Query exceeded its memory limit of \(runtime.budget.limitBytes) bytes",
        hint: "raise engine.memory_limit, or set engine.spill_directory")
}

/// Merges one partition of all workers at a time and gives its groups.
private final class AggregateReader: MorselReader {
    private let sink: AggregateSink
    private let tables: [GroupTable]
    private let spilled: [Int: [SpillFile]]
    private let worker: Worker
    private let accumulators: [Accumulator]
    private let comparison: KeyComparison
    private let chunk: Chunk
    private let buffers: [ColumnBuffer]
    private let addresses: ColumnBuffer?
    private let heap: Arena

    init(_ sink: AggregateSink, _ state: AggregateSink.State, _ worker: Worker) throws(QueryFault) {
        self.sink = sink
        tables = state.tables
        spilled = state.spilled
        self.worker = worker
        accumulators = try sink.makeAccumulators()
        comparison = KeyComparison(sink.layout)
        let types = sink.shape.givesResults ? sink.outputTypes : sink.layout.keys.map(\.type)
        addresses = sink.shape.givesStates ? ColumnBuffer(.bigint) : nil
        chunk = Chunk(columnCount: types.count + (addresses == nil ? 0 : 1))
        buffers = types.map { ColumnBuffer($0) }
        heap = Arena(budget: worker.budget, firstBlockSize: 16 << 10)
    }

    deinit { comparison.deallocate() }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        if sink.shape.isGlobal { return try runGlobal(into: consumer) }
        if morsel == 0 { try emitEmptySets(into: consumer) }
        let files = spilled[morsel] ?? []
        if files.isEmpty {
            let rows = try mergeMemory(morsel)
            try emit(rows, isStable: true, into: consumer)
            return
        }
        try mergeSpilled(morsel, files, into: consumer)
    }

    private func runGlobal(into consumer: any ChunkConsumer) throws(QueryFault) {
        var target: UnsafeMutableRawPointer?
        for table in tables {
            table.store.forEachBlock(0) { start, _ in
                if let target {
                    for accumulator in accumulators { accumulator.merge(target, start) }
                } else {
                    target = start
                }
            }
        }
        var own: PartitionedRows?
        if target == nil {
            // Nobody saw a row: the group is made here.
            let store = PartitionedRows(
                width: sink.layout.width, partitionCount: 1, budget: worker.budget)
            let row = store.newRow(0)
            row.initializeMemory(as: UInt8.self, repeating: 0, count: sink.layout.width)
            target = row
            own = store
        }
        if let target { try emit([target], into: consumer) }
        withExtendedLifetime(own) {}
    }

    /// The groups of a partition when all of it is in memory.
    private func mergeMemory(_ partition: Int) throws(QueryFault) -> [UnsafeMutableRawPointer] {
        var rows: [UnsafeMutableRawPointer] = []
        let width = sink.layout.width
        var total = 0
        for table in tables { total += table.store.rowCount(partition) }
        rows.reserveCapacity(total)
        for table in tables {
            table.store.forEachBlock(partition) { start, count in
                for index in 0..<count { rows.append(start + index * width) }
            }
        }
        let isUnique = tables.count == 1 && !(tables.first?.hasRepeats ?? false)
        return isUnique ? rows : merge(rows)
    }

    /// Merges rows of equal keys into the first of them.
    private func merge(_ rows: [UnsafeMutableRawPointer]) -> [UnsafeMutableRawPointer] {
        if rows.count < 2 { return rows }
        let merger = GroupMerger(accumulators, comparison, rowCount: rows.count)
        return rows.withUnsafeBufferPointer { merger.merge($0) }
    }

    /// A partition with spilled rows is read in passes over further hash bits, as many as it takes for a
    /// pass to fit.
    private func mergeSpilled(
        _ partition: Int, _ files: [SpillFile], into consumer: any ChunkConsumer
    ) throws(QueryFault) {
        let width = sink.layout.width
        var bytes = files.reduce(0) { $0 + $1.rowCount * width * 2 }
        for table in tables { bytes += table.store.reservedBytes(partition) }
        let room = max(worker.budget.limitBytes / 8, 1 << 20)
        var passBits: UInt64 = 0
        while bytes >> passBits > room, passBits < 8 { passBits += 1 }
        for pass in 0..<(UInt64(1) << passBits) {
            if worker.isStopped { return }
            let store = PartitionedRows(width: width, partitionCount: 1, budget: worker.budget)
            var rows: [UnsafeMutableRawPointer] = []
            let mine: (UInt64) -> Bool = { header in
                passBits == 0 || (header << 5) >> (64 - passBits) == pass
            }
            for file in files {
                let reader = RowReader(file, sink.rowShape)
                while try reader.readBlock(
                    into: store, partition: 0, wanted: mine,
                    { row throws(QueryFault) in
                        rows.append(row)
                    })
                {}
            }
            for table in tables {
                table.store.forEachBlock(partition) { start, count in
                    for index in 0..<count {
                        let row = start + index * width
                        if mine(row.load(as: UInt64.self)) { rows.append(row) }
                    }
                }
            }
            if store.isExceeded, worker.budget.usedBytes > worker.budget.limitBytes * 2 {
                throw exceeded(worker.runtime)
            }
            try emit(merge(rows), into: consumer)
            withExtendedLifetime(store) {}
        }
    }

    /// Pushes groups as chunks: keys, then results, then addresses for who merges the states.
    /// `isStable`: the rows stay until the query ends.
    private func emit(
        _ rows: [UnsafeMutableRawPointer], isStable: Bool = false,
        into consumer: any ChunkConsumer
    ) throws(QueryFault) {
        let step = min(Chunk.capacity, max(1, worker.settings.verification.chunkRows))
        var start = 0
        while start < rows.count, !worker.isStopped {
            let count = min(step, rows.count - start)
            heap.rewind()
            rows.withUnsafeBufferPointer { raw in
                guard let base = raw.baseAddress else { return }
                for (index, field) in sink.layout.keys.enumerated() {
                    chunk.columns[index] = gatherField(
                        field, base + start, count, into: buffers[index], isStable: isStable)
                }
                if let addresses {
                    for index in 0..<count {
                        addresses.store(UInt(bitPattern: base[start + index]), index)
                    }
                    chunk.columns[chunk.columnCount - 1] = addresses.vector
                }
                guard sink.shape.givesResults else { return }
                for (index, accumulator) in accumulators.enumerated() {
                    let position = sink.layout.keys.count + index
                    let buffer = buffers[position]
                    buffer.clear()
                    accumulator.finalize(base + start, count, into: buffer, worker.context, heap)
                    buffer.count = count
                    chunk.columns[position] = buffer.vector
                }
            }
            if let fault = worker.context.takeFault() { throw fault }
            chunk.count = count
            chunk.selection = nil
            try consumer.push(chunk)
            start += count
        }
    }

    /// Grouping sets without keys have a group even over no rows.
    private func emitEmptySets(into consumer: any ChunkConsumer) throws(QueryFault) {
        guard !sink.shape.emptySetKeys.isEmpty else { return }
        let hasRows =
            !spilled.isEmpty || tables.contains { $0.store.rowCount > 0 }
        if hasRows { return }
        for keys in sink.shape.emptySetKeys {
            let store = PartitionedRows(
                width: sink.layout.width, partitionCount: 1, budget: worker.budget)
            let row = store.newRow(0)
            row.initializeMemory(as: UInt8.self, repeating: 0, count: sink.layout.width)
            var header: UInt64 = 0
            for (index, field) in sink.layout.keys.enumerated() {
                if case .integer(let value) = keys[index] {
                    row.storeBytes(of: value, toByteOffset: field.offset, as: Int64.self)
                } else if field.nullOffset == 0 {
                    header |= field.nullBit
                } else {
                    let word = row.load(fromByteOffset: field.nullOffset, as: UInt64.self)
                    row.storeBytes(
                        of: word | field.nullBit, toByteOffset: field.nullOffset, as: UInt64.self)
                }
            }
            row.storeBytes(of: header, as: UInt64.self)
            try emit([row], into: consumer)
            withExtendedLifetime(store) {}
        }
    }
}
