import SQLFunctions
import SQLPlanning
import Vectors

/// An aggregate over the rows of a match that have certain labels; rows are added as the match goes on.
final class RowPatternAggregate {
    private let accumulator: Accumulator
    private let columns: [Vector?]
    private let filter: Vector?
    private let labels: Set<Int>?
    private let isFinal: Bool
    private let heap: Arena
    private let worker: Worker
    private let buffers: [ColumnBuffer]
    private let vectors: UnsafeMutablePointer<Vector>
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private let state: UnsafeMutableRawPointer
    private let scratch: ColumnBuffer
    private let store: PartitionedRows
    /// Arguments that are known with the match; the columns are not used then.
    var computed: RowPatternArgumentProgram?
    /// How many rows of the match have been looked at.
    private var covered = 0

    init(
        _ function: ResolvedAggregate, _ columns: [Vector?], _ filter: Vector?,
        _ labels: Set<Int>?, _ isFinal: Bool, _ heap: Arena, _ worker: Worker
    ) throws(QueryFault) {
        accumulator = try plainAccumulator(function)
        accumulator.offset = 16
        self.columns = columns
        self.filter = filter
        self.labels = labels
        self.isFinal = isFinal
        self.heap = heap
        self.worker = worker
        buffers = function.parameters.map { ColumnBuffer($0) }
        vectors = .allocate(capacity: max(function.parameters.count, 1))
        state = .allocate(byteCount: 32 + accumulator.size, alignment: 16)
        scratch = ColumnBuffer(function.result, capacity: 1)
        store = PartitionedRows(width: 16, partitionCount: 1, budget: worker.budget)
        clear()
    }

    deinit {
        vectors.deallocate()
        selection.deallocate()
        state.deallocate()
    }

    func clear() {
        covered = 0
        state.initializeMemory(as: UInt8.self, repeating: 0, count: 32 + accumulator.size)
    }

    /// Writes the aggregate of the rows up to `current`, or of the whole match.
    func write(
        _ current: Int, _ match: RowPatternPlace, to buffer: ColumnBuffer, _ target: Int
    ) throws(QueryFault) {
        let end = isFinal ? match.labels.count : min(current + 1, match.labels.count)
        if end < covered { clear() }
        var count = 0
        for index in covered..<max(covered, end) {
            let row = match.start + index
            guard labels?.contains(match.labels[index]) ?? true,
                filter.map({ truth($0, row) == 1 }) ?? true
            else { continue }
            selection[count] = UInt32(row)
            count += 1
            if count == Chunk.capacity {
                try feed(count, row + 1, match)
                count = 0
            }
        }
        if count > 0 { try feed(count, match.start + end, match) }
        covered = max(covered, end)
        if let fault = worker.context.takeFault() { throw fault }
        scratch.clear()
        var pointer = state
        withUnsafePointer(to: &pointer) {
            accumulator.finalize($0, 1, into: scratch, worker.context, heap)
        }
        scratch.count = 1
        do throws(MemoryLimitFault) {
            try buffer.copyValue(from: scratch.vector, row: 0, to: target, heap: heap)
        } catch { throw QueryFault(error) }
    }

    private func feed(
        _ count: Int, _ end: Int, _ match: RowPatternPlace
    ) throws(QueryFault) {
        if let computed {
            let active = try computed.evaluate(selection, count, end, match)
            if active.active == 0 { return }
            for (index, buffer) in buffers.enumerated() {
                vectors[index] = flatten(computed.result(index), active, into: buffer)
            }
            accumulator.updateOne(state, vectors, active.active, store, worker.context)
            return
        }
        let active = ActiveRows(count: end, selection: selection, active: count)
        for (index, column) in columns.enumerated() {
            guard let column else { continue }
            vectors[index] = flatten(column, active, into: buffers[index])
        }
        accumulator.updateOne(state, vectors, count, store, worker.context)
    }
}

/// Computes arguments of an aggregate for rows of a match: of their columns, their labels and the
/// number of the match.
final class RowPatternArgumentProgram {
    private let values: [RowPatternValue]
    private let columns: [Vector?]
    private let names: RowPatternLabels
    private let heap: Arena
    private let program: ExpressionProgram
    private let buffers: [ColumnBuffer]
    private let chunk: Chunk
    private let results: UnsafeMutablePointer<Vector>
    private let argumentCount: Int
    private let hasFilter: Bool
    private let kept = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(
        _ arguments: RowPatternArguments, _ columns: [Vector?], _ names: RowPatternLabels,
        _ heap: Arena, _ worker: Worker
    ) {
        values = arguments.values
        self.columns = columns
        self.names = names
        self.heap = heap
        argumentCount = arguments.arguments.count
        hasFilter = arguments.filter != nil
        let expressions = arguments.arguments + (arguments.filter.map { [$0] } ?? [])
        program = ExpressionProgram(
            expressions, layout: Layout(values.map(\.column)), context: worker.context,
            budget: worker.budget)
        buffers = values.map { ColumnBuffer($0.column.type) }
        chunk = Chunk(columnCount: values.count)
        results = .allocate(capacity: max(expressions.count, 1))
    }

    deinit {
        results.deallocate()
        kept.deallocate()
    }

    /// Computes them for the chosen rows, at most a chunk's; gives those that the filter lets pass.
    func evaluate(
        _ selection: UnsafeMutablePointer<UInt32>, _ count: Int, _ end: Int,
        _ match: RowPatternPlace
    ) throws(QueryFault) -> ActiveRows {
        let rows = ActiveRows(count: end, selection: selection, active: count)
        for (index, value) in values.enumerated() {
            let buffer = buffers[index]
            buffer.clear()
            switch value.kind {
            case .column(let argument):
                if let column = columns[argument] {
                    chunk.columns[index] = flatten(column, rows, into: buffer)
                    continue
                }
                for place in 0..<count { buffer.setNull(place) }
            case .classifier:
                for place in 0..<count {
                    let label = match.labels[Int(selection[place]) - match.start]
                    do throws(MemoryLimitFault) {
                        try buffer.copyValue(
                            from: names.vector(label), row: 0, to: place, heap: heap)
                    } catch { throw QueryFault(error) }
                }
            default:
                for place in 0..<count { buffer.store(match.number, place) }
            }
            buffer.count = count
            chunk.columns[index] = buffer.vector
        }
        chunk.count = count
        chunk.selection = nil
        try program.evaluate(chunk, into: results)
        guard hasFilter else { return ActiveRows(count: count) }
        var passed = 0
        for place in 0..<count where truth(results[argumentCount], place) == 1 {
            kept[passed] = UInt32(place)
            passed += 1
        }
        return ActiveRows(count: count, selection: kept, active: passed)
    }

    /// The `index`th argument of the rows that were last computed.
    func result(_ index: Int) -> Vector { results[index] }
}
