import SQLFunctions
import Vectors

/// The rows of a training query as doubles, row after row, brought into an order of their own.
///
/// A row with a NULL, a NaN or an infinity is left out and counted. The memory comes from the engine's
/// budget. Not shared between threads.
final class TrainingRows {
    let columnCount: Int
    private(set) var values: [Double] = []
    private(set) var count = 0
    private(set) var skippedCount = 0
    private let budget: MemoryBudget
    private var reservedBytes = 0

    init(columnCount: Int, budget: MemoryBudget) {
        self.columnCount = columnCount
        self.budget = budget
    }

    deinit { budget.release(reservedBytes) }

    /// Takes the active rows of a chunk of doubles.
    func append(_ chunk: Chunk) throws(QueryFault) {
        let active = chunk.activeCount
        try reserve(rows: active)
        for index in 0..<active {
            let row = chunk.row(index)
            let start = values.count
            for column in 0..<columnCount {
                let vector = chunk.columns[column]
                let value = vector.isValid(row) ? vector.value(row, as: Double.self) : .nan
                guard value.isFinite else { break }
                // Negative zero becomes zero: equal values must have equal bits.
                values.append(value + 0)
            }
            if values.count - start == columnCount {
                count += 1
            } else {
                values.removeLast(values.count - start)
                skippedCount += 1
            }
        }
    }

    /// Takes rows that are at hand already.
    func append(_ rows: [[Double]]) {
        for row in rows {
            guard row.count == columnCount, row.allSatisfy(\.isFinite) else {
                skippedCount += 1
                continue
            }
            values += row.map { $0 + 0 }
            count += 1
        }
    }

    /// Growing an array may hold it twice, and ordering needs a key a row.
    private func reserve(rows: Int) throws(QueryFault) {
        let needed = (count + rows) * (columnCount * 8 * 2 + 16)
        guard needed > reservedBytes else { return }
        let wanted = max(needed, reservedBytes * 3 / 2) - reservedBytes
        do throws(MemoryLimitFault) { try budget.reserve(wanted) } catch {
            throw QueryFault(
                .exceededMemoryLimit, "the training rows do not fit: \(error.message)",
                hint: "train on a sample, such as TABLESAMPLE BERNOULLI (10)", cause: error)
        }
        reservedBytes += wanted
    }

    /// Orders the rows by a hash of their values, ties by the values: the same rows are in the same
    /// order however they came, and the order says nothing of the values.
    func order() {
        var keys: [(hash: UInt64, row: Int)] = []
        keys.reserveCapacity(count)
        let width = columnCount
        values.withUnsafeBufferPointer { values in
            for row in 0..<count {
                var hash: UInt64 = 0x6C61_6B65
                for column in 0..<width {
                    hash = SeededNumbers.mixed(
                        hash &+ values[row &* width &+ column].bitPattern
                            &+ 0x9E37_79B9_7F4A_7C15)
                }
                keys.append((hash, row))
            }
            keys.sort { left, right in
                if left.hash != right.hash { return left.hash < right.hash }
                for column in 0..<width {
                    let (a, b) = (
                        values[left.row &* width &+ column], values[right.row &* width &+ column]
                    )
                    if a != b { return a < b }
                }
                return false
            }
        }
        let ordered = [Double](unsafeUninitializedCapacity: values.count) { target, written in
            values.withUnsafeBufferPointer { values in
                for (place, key) in keys.enumerated() {
                    for column in 0..<width {
                        target[place &* width &+ column] = values[key.row &* width &+ column]
                    }
                }
            }
            written = values.count
        }
        values = ordered
    }

    /// Takes one column out of the rows: the label.
    func removeColumn(_ column: Int) -> (features: [Double], label: [Double]) {
        var features: [Double] = []
        var label: [Double] = []
        features.reserveCapacity(count * (columnCount - 1))
        label.reserveCapacity(count)
        for row in 0..<count {
            for index in 0..<columnCount {
                let value = values[row * columnCount + index]
                if index == column { label.append(value) } else { features.append(value) }
            }
        }
        return (features, label)
    }
}
