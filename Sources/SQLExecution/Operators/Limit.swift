import SQLFunctions
import Synchronization
import Vectors

/// Lets so many rows through after an offset; any rows, in the order they come.
final class LimitFactory: OperatorFactory {
    let statistics = OperatorStatistics("Limit")
    private let offset: Int
    private let count: Int?
    private let seen = Atomic<Int>(0)

    init(count: Int?, offset: Int) {
        self.count = count
        self.offset = offset
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator { LimitOperator(self, worker) }

    /// Claims the next `rows` rows; which of them pass.
    func claim(_ rows: Int) -> (range: Range<Int>, isDone: Bool) {
        let start = seen.wrappingAdd(rows, ordering: .relaxed).oldValue
        let end = count.map { offset + $0 } ?? Int.max
        let lower = min(max(offset - start, 0), rows)
        let upper = min(max(end - start, lower), rows)
        return (lower..<upper, start + rows >= end)
    }
}

private final class LimitOperator: Operator {
    private let factory: LimitFactory
    private let worker: Worker
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)
    private var chunk: Chunk?

    init(_ factory: LimitFactory, _ worker: Worker) {
        self.factory = factory
        self.worker = worker
    }

    deinit { selection.deallocate() }

    override func push(_ input: Chunk) throws(QueryFault) {
        let rows = ActiveRows(input)
        let (range, isDone) = factory.claim(rows.active)
        if isDone { worker.region.end() }
        if range.isEmpty { return }
        if range.count == rows.active { return try next.push(input) }
        let output = chunk ?? Chunk(columnCount: input.columnCount)
        chunk = output
        output.columns.update(from: input.columns, count: input.columnCount)
        var kept = 0
        for index in range {
            selection[kept] = UInt32(truncatingIfNeeded: rows.row(index))
            kept += 1
        }
        output.count = input.count
        output.selection = selection
        output.selectedCount = kept
        try next.push(output)
    }
}
