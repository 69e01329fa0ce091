import SQLFunctions
import Vectors

/// Collects which rows of which files a statement deletes, and writes the rows that come instead.
///
/// Chunks have `$path` and `$pos`, then what `Layout` says.
final class ChangeCollector: @unchecked Sendable {
    // Safe because the engine hands over one chunk at a time, under a lock, and the results are read on
    // the query's own thread after the run.
    enum Layout {
        /// Nothing more: DELETE.
        case positions
        /// The new values: UPDATE.
        case values
        /// The operation, the number of the source row, then the new values: MERGE.
        case operations
    }

    private static let insertion: Int32 = 1
    private static let deletion: Int32 = 2

    private let layout: Layout
    private let writer: RowWriter?
    private let budget: MemoryBudget
    private var reservedBytes = 0
    private(set) var positions: [String: [Int64]] = [:]
    /// Rows that were inserted, updated or deleted.
    private(set) var rowCount: Int64 = 0
    private let values: Chunk
    private let selection = UnsafeMutablePointer<UInt32>.allocate(capacity: Chunk.capacity)

    /// `valueCount`: how many columns the new values have.
    init(_ layout: Layout, writer: RowWriter?, valueCount: Int, budget: MemoryBudget) {
        self.layout = layout
        self.writer = writer
        self.budget = budget
        values = Chunk(columnCount: valueCount)
    }

    deinit {
        budget.release(reservedBytes)
        selection.deallocate()
    }

    /// Where the new values begin.
    private var firstValue: Int { layout == .operations ? 4 : 2 }

    func append(_ chunk: Chunk) throws(QueryFault) {
        let count = chunk.activeCount
        rowCount += Int64(count)
        var written = 0
        var path = ""
        var isPathKnown = false
        var fresh: [Int64] = []
        let paths = chunk.columns[0]
        for index in 0..<count {
            let row = chunk.row(index)
            if layout == .operations {
                let operation = chunk.columns[2].value(row, as: Int32.self)
                if operation != Self.deletion {
                    selection[written] = UInt32(truncatingIfNeeded: row)
                    written += 1
                }
                if operation == Self.insertion { continue }
            }
            if !isPathKnown || paths.form != .constant {
                let next = paths.string(row).string
                if next != path || !isPathKnown {
                    try take(fresh, of: path)
                    fresh.removeAll(keepingCapacity: true)
                    path = next
                    isPathKnown = true
                }
            }
            fresh.append(chunk.columns[1].value(row, as: Int64.self))
        }
        try take(fresh, of: path)
        guard let writer, layout != .positions else { return }
        for column in 0..<values.columnCount {
            values.columns[column] = chunk.columns[firstValue + column]
        }
        values.count = chunk.count
        values.selection = chunk.selection
        values.selectedCount = chunk.selectedCount
        if layout == .operations {
            values.selection = selection
            values.selectedCount = written
        }
        try writer.append(values)
    }

    private func take(_ fresh: [Int64], of path: String) throws(QueryFault) {
        if fresh.isEmpty { return }
        let bytes = fresh.count * MemoryLayout<Int64>.stride
        do throws(MemoryLimitFault) { try budget.reserve(bytes) } catch {
            throw QueryFault(.exceededMemoryLimit, error.message, hint: error.hint, cause: error)
        }
        reservedBytes += bytes
        positions[path, default: []] += fresh
    }

    /// Sorts each file's positions and takes out what came twice; whether there was any.
    func sortPositions() -> Bool {
        var foundTwice = false
        for path in positions.keys {
            var sorted = positions[path] ?? []
            positions[path] = nil
            sorted.sort()
            var kept = 0
            for index in sorted.indices where index == 0 || sorted[index] != sorted[kept - 1] {
                sorted[kept] = sorted[index]
                kept += 1
            }
            if kept < sorted.count {
                foundTwice = true
                sorted.removeLast(sorted.count - kept)
            }
            positions[path] = sorted
        }
        return foundTwice
    }
}
