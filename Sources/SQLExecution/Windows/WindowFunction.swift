import SQLFunctions
import SQLPlanning
import Vectors

/// One window function over partitions of a batch.
final class WindowFunction {
    private let call: WindowShape.Call
    private let name: String
    private let vectors: [Int: Vector]
    private let result: ColumnBuffer
    private let heap: Arena
    private let worker: Worker
    private let order: RowOrder
    private let frames: FrameFinder

    init(
        _ call: WindowShape.Call, _ vectors: [Int: Vector], _ result: ColumnBuffer, _ heap: Arena,
        _ worker: Worker, _ order: RowOrder, orderColumn: Int?
    ) {
        self.call = call
        name = call.call.function.function.name
        self.vectors = vectors
        self.result = result
        self.heap = heap
        self.worker = worker
        self.order = order
        frames = FrameFinder(call, vectors, order, keyColumn: orderColumn)
    }

    private func argument(_ index: Int) -> Vector? {
        index < call.arguments.count ? vectors[call.arguments[index]] : nil
    }

    func compute(_ partition: WindowPartition) throws(QueryFault) {
        let range = partition.range
        let count = Double(range.count)
        switch name {
        case "row_number": for row in range { result.store(Int64(row - range.lowerBound + 1), row) }
        case "rank":
            for row in range {
                result.store(Int64(partition.firstPeer(row) - range.lowerBound + 1), row)
            }
        case "dense_rank":
            var rank: Int64 = 0
            for row in range {
                if partition.firstPeer(row) == row { rank += 1 }
                result.store(rank, row)
            }
        case "percent_rank":
            for row in range {
                let rank = Double(partition.firstPeer(row) - range.lowerBound)
                result.store(count > 1 ? rank / (count - 1) : 0.0, row)
            }
        case "cume_dist":
            for row in range {
                result.store(Double(partition.endOfPeers(row) - range.lowerBound) / count, row)
            }
        case "ntile": ntile(range)
        case "lag", "lead": try shift(range)
        case "first_value", "last_value", "nth_value": try valueOfFrame(partition)
        default: try aggregate(partition)
        }
    }

    private func ntile(_ range: Range<Int>) {
        guard let buckets = argument(0) else { return }
        for row in range {
            guard buckets.isValid(row) else {
                result.setNull(row)
                continue
            }
            let wanted = buckets.value(row, as: Int64.self)
            guard wanted > 0 else {
                worker.context.fail(
                    QueryFault(.invalidFunctionArgument, "Buckets must be greater than 0"))
                return
            }
            let number = Int64(row - range.lowerBound)
            let total = Int64(range.count)
            let size = total / wanted
            let larger = total % wanted
            // The first buckets hold one row more.
            let bucket =
                number < larger * (size + 1)
                ? number / (size + 1) : (number - larger * (size + 1)) / max(size, 1) + larger
            result.store(bucket + 1, row)
        }
    }

    private func copy(_ vector: Vector, _ source: Int, _ row: Int) throws(QueryFault) {
        do throws(MemoryLimitFault) {
            try result.copyValue(from: vector, row: source, to: row)
        } catch { throw QueryFault(error) }
    }

    private func shift(_ range: Range<Int>) throws(QueryFault) {
        guard let values = argument(0) else { return }
        for row in range {
            var offset: Int64 = 1
            if let offsets = argument(1) {
                guard offsets.isValid(row) else {
                    throw QueryFault(.invalidFunctionArgument, "Offset must not be null")
                }
                offset = offsets.value(row, as: Int64.self)
                guard offset >= 0 else {
                    throw QueryFault(.invalidFunctionArgument, "Offset must be at least 0")
                }
            }
            let direction = name == "lag" ? -1 : 1
            if let source = target(row, Int(clamping: offset), direction, range, values) {
                try copy(values, source, row)
            } else if let fallback = argument(2) {
                try copy(fallback, row, row)
            } else {
                result.setNull(row)
            }
        }
    }

    /// The row so many steps away, counting only values where NULLs are ignored.
    private func target(
        _ row: Int, _ offset: Int, _ direction: Int, _ range: Range<Int>, _ values: Vector
    ) -> Int? {
        guard call.call.ignoresNulls, offset > 0 else {
            let (moved, overflow) = row.addingReportingOverflow(offset &* direction)
            return !overflow && offset <= range.count && range.contains(moved) ? moved : nil
        }
        var position = row
        var left = offset
        while left > 0 {
            position += direction
            guard range.contains(position) else { return nil }
            if values.isValid(position) { left -= 1 }
        }
        return position
    }

    private func valueOfFrame(_ partition: WindowPartition) throws(QueryFault) {
        guard let values = argument(0) else { return }
        let ignoresNulls = call.call.ignoresNulls
        for row in partition.range {
            let frame = try frames.frame(row, partition)
            var wanted = 1
            if name == "nth_value", let numbers = argument(1) {
                guard numbers.isValid(row) else {
                    result.setNull(row)
                    continue
                }
                let number = numbers.value(row, as: Int64.self)
                guard number > 0 else {
                    throw QueryFault(.invalidFunctionArgument, "Offset must be at least 1")
                }
                wanted = Int(clamping: number)
            }
            var found: Int?
            if !ignoresNulls {
                if name == "last_value" {
                    found = frame.isEmpty ? nil : frame.upperBound - 1
                } else {
                    found = wanted <= frame.count ? frame.lowerBound + wanted - 1 : nil
                }
            } else if name == "last_value" {
                found = frame.last { values.isValid($0) }
            } else {
                for position in frame where values.isValid(position) {
                    wanted -= 1
                    if wanted == 0 {
                        found = position
                        break
                    }
                }
            }
            if let found { try copy(values, found, row) } else { result.setNull(row) }
        }
    }

    /// An aggregate over each row's frame: a running state where frames only grow, else anew a frame.
    private func aggregate(_ partition: WindowPartition) throws(QueryFault) {
        let accumulator = try plainAccumulator(call.call.function)
        accumulator.offset = 16
        let store = PartitionedRows(width: 16, partitionCount: 1, budget: worker.budget)
        let state = UnsafeMutableRawPointer.allocate(
            byteCount: 32 + accumulator.size, alignment: 16)
        defer { state.deallocate() }
        let scratch = ColumnBuffer(call.call.output.type, capacity: 1)
        var covered: Range<Int>?
        let feeder = FrameFeeder(call, vectors)
        for row in partition.range {
            let frame = try frames.frame(row, partition)
            if let held = covered, held == frame {
                try copy(scratch.vector, 0, row)
                continue
            }
            if let held = covered, held.lowerBound == frame.lowerBound,
                held.upperBound <= frame.upperBound
            {
                feeder.feed(
                    held.upperBound..<frame.upperBound, accumulator, state, store, worker.context)
            } else {
                state.initializeMemory(as: UInt8.self, repeating: 0, count: 32 + accumulator.size)
                feeder.feed(frame, accumulator, state, store, worker.context)
            }
            covered = frame
            scratch.clear()
            var pointer = state
            withUnsafePointer(to: &pointer) {
                accumulator.finalize($0, 1, into: scratch, worker.context, heap)
            }
            scratch.count = 1
            try copy(scratch.vector, 0, row)
            if worker.isStopped { return }
        }
        keepAlive.append(store)
    }

    /// Results point into these until the batch has been given.
    private var keepAlive: [PartitionedRows] = []
}

/// Hands stretches of rows to an accumulator.
final class FrameFeeder {
    private let call: WindowShape.Call
    private let vectors: [Int: Vector]
    private let buffers: [ColumnBuffer]
    private let arguments: UnsafeMutablePointer<Vector>
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    init(_ call: WindowShape.Call, _ vectors: [Int: Vector]) {
        self.call = call
        self.vectors = vectors
        buffers = call.call.function.parameters.map { ColumnBuffer($0) }
        arguments = .allocate(capacity: max(call.arguments.count, 1))
    }

    deinit {
        arguments.deallocate()
        selection.deallocate()
    }

    func feed(
        _ rows: Range<Int>, _ accumulator: Accumulator, _ state: UnsafeMutableRawPointer,
        _ store: PartitionedRows, _ context: EvaluationContext
    ) {
        var start = rows.lowerBound
        while start < rows.upperBound {
            let end = min(start + Chunk.capacity, rows.upperBound)
            var count = 0
            for row in start..<end {
                selection[count] = UInt32(row)
                let passes = call.filter.flatMap { vectors[$0] }.map { truth($0, row) == 1 } ?? true
                count += bit(passes)
            }
            start = end
            if count == 0 { continue }
            let active = ActiveRows(count: end, selection: selection, active: count)
            for (index, column) in call.arguments.enumerated() {
                guard let vector = vectors[column] else { continue }
                arguments[index] = flatten(vector, active, into: buffers[index])
            }
            accumulator.updateOne(state, arguments, count, store, context)
        }
    }
}

/// Finds the frame of each row.
final class FrameFinder {
    private let call: WindowShape.Call
    private let vectors: [Int: Vector]
    private let order: RowOrder
    /// The input column of the first sort key.
    private let keyColumn: Int?

    init(
        _ call: WindowShape.Call, _ vectors: [Int: Vector], _ order: RowOrder, keyColumn: Int?
    ) {
        self.call = call
        self.vectors = vectors
        self.order = order
        self.keyColumn = keyColumn
    }

    /// The rows of the frame, empty where the bounds cross.
    func frame(_ row: Int, _ partition: WindowPartition) throws(QueryFault) -> Range<Int> {
        let frame = call.call.frame
        let range = partition.range
        let start: Int
        let end: Int
        switch frame.start {
        case .unboundedPreceding: start = range.lowerBound
        case .unboundedFollowing: start = range.upperBound
        case .currentRow: start = frame.unit == .rows ? row : partition.firstPeer(row)
        case .preceding: start = try bound(row, partition, call.startColumn, -1, isStart: true)
        case .following: start = try bound(row, partition, call.startColumn, 1, isStart: true)
        }
        switch frame.end {
        case .unboundedPreceding: end = range.lowerBound
        case .unboundedFollowing: end = range.upperBound
        case .currentRow: end = frame.unit == .rows ? row + 1 : partition.endOfPeers(row)
        case .preceding: end = try bound(row, partition, call.endColumn, -1, isStart: false)
        case .following: end = try bound(row, partition, call.endColumn, 1, isStart: false)
        }
        let lower = min(max(start, range.lowerBound), range.upperBound)
        return lower..<max(lower, min(end, range.upperBound))
    }

    private func bound(
        _ row: Int, _ partition: WindowPartition, _ column: Int?, _ direction: Int, isStart: Bool
    ) throws(QueryFault) -> Int {
        guard let column, let vector = vectors[column] else { return row }
        if call.call.frame.unit == .range { return rangeBound(row, partition, vector, isStart) }
        guard vector.isValid(row) else {
            throw QueryFault(.invalidWindowFrame, "Window frame offset must not be null")
        }
        let offset = vector.value(row, as: Int64.self)
        guard offset >= 0 else {
            throw QueryFault(.invalidWindowFrame, "Window frame offset must not be negative")
        }
        let steps = Int(min(offset, Int64(partition.range.count)))
        if call.call.frame.unit == .rows {
            return row + direction * steps + (isStart ? 0 : 1)
        }
        // Groups: peer groups are counted.
        var first = partition.firstPeer(row)
        var end = partition.endOfPeers(row)
        for _ in 0..<steps {
            if direction < 0 {
                guard first > partition.range.lowerBound else { return partition.range.lowerBound }
                end = first
                first = partition.firstPeer(first - 1)
            } else {
                guard end < partition.range.upperBound else { return partition.range.upperBound }
                first = end
                end = partition.endOfPeers(end)
            }
        }
        return isStart ? first : end
    }

    /// RANGE with a bounding value: the first row at or past it, or the row behind the last at or before.
    private func rangeBound(
        _ row: Int, _ partition: WindowPartition, _ bounds: Vector, _ isStart: Bool
    ) -> Int {
        guard bounds.isValid(row), let key = order.keys.first,
            let keyVector = keyColumn.flatMap({ vectors[$0] })
        else {
            // A NULL key has its peers for a frame.
            return isStart ? partition.firstPeer(row) : partition.endOfPeers(row)
        }
        let direction = key.direction
        var low = partition.range.lowerBound
        var high = partition.range.upperBound
        while low < high {
            let middle = (low + high) / 2
            let compared = direction.compare(key.field.type, keyVector, middle, bounds, row)
            if isStart ? compared < 0 : compared <= 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
