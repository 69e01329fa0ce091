import Iceberg
import Parquet
package import Vectors

/// The rows of equality delete files that share their columns and their scope, as a table from the
/// columns' values to the highest sequence number of a file that names them.
///
/// A row of a data file is deleted where its values are here with a higher sequence number than the
/// data file's own. NULL equals NULL, NaN equals NaN, and the zeros differ, as in the reference
/// implementation. Filled by one thread, then read by any number. Source: Iceberg specification,
/// "Equality Delete Files", "Scan Planning".
package final class EqualityDeletes: @unchecked Sendable {
    // Safe because `insert` is over before scans, which only read, begin.

    /// A column to compare; NULL where a file lacks it, or its initial default.
    struct Column {
        var field: NestedField
        var type: LogicalType
    }

    /// Slot 0 of a row is the sequence number, slot 1 the count of the words that follow.
    private typealias Row = UnsafeMutablePointer<UInt64>
    private struct Slot {
        var hash: UInt64
        var row: Row?
    }

    let columns: [Column]
    private let rows: Arena
    private let budget: MemoryBudget
    private var slots: UnsafeMutablePointer<Slot>
    private var slotCount = 1024

    init(_ columns: [Column], budget: MemoryBudget) throws(MemoryLimitFault) {
        self.columns = columns
        self.budget = budget
        rows = Arena(budget: budget)
        try budget.reserve(slotCount * MemoryLayout<Slot>.stride)
        slots = Self.allocate(slotCount)
    }

    deinit {
        slots.deallocate()
        budget.release(slotCount * MemoryLayout<Slot>.stride)
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        slots.initialize(repeating: Slot(hash: 0, row: nil), count: count)
        return slots
    }

    /// How many different rows are deleted.
    package private(set) var count = 0

    /// Takes the active rows of a delete file's chunk, whose columns are `columns` in their order.
    func insert(_ chunk: Chunk, sequenceNumber: Int64) throws(MemoryLimitFault) {
        let key = EqualityKey()
        for index in 0..<chunk.activeCount {
            key.build(UnsafePointer(chunk.columns), columns.count, chunk.row(index))
            let hash = key.hash
            let slot = find(key, hash)
            if let row = slots[slot].row {
                row[0] = UInt64(bitPattern: max(Int64(bitPattern: row[0]), sequenceNumber))
                continue
            }
            let words = key.count
            let row = try rows.allocate((words + 2) * 8).bindMemory(
                to: UInt64.self, capacity: words + 2)
            row[0] = UInt64(bitPattern: sequenceNumber)
            row[1] = UInt64(words)
            (row + 2).update(from: key.words, count: words)
            slots[slot] = Slot(hash: hash, row: row)
            count += 1
            if count * 2 > slotCount { try grow() }
        }
    }

    /// The highest sequence number of a delete of these values; nil: there is none.
    func sequenceNumber(of key: EqualityKey) -> Int64? {
        slots[find(key, key.hash)].row.map { Int64(bitPattern: $0[0]) }
    }

    /// The slot of a key, or the free one where it belongs.
    private func find(_ key: EqualityKey, _ hash: UInt64) -> Int {
        let mask = slotCount &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while let row = slots[slot].row {
            if slots[slot].hash == hash, key.equals(row + 2, count: Int(row[1])) { break }
            slot = (slot &+ 1) & mask
        }
        return slot
    }

    private func grow() throws(MemoryLimitFault) {
        let stride = MemoryLayout<Slot>.stride
        let wider = slotCount * 4
        try budget.reserve(wider * stride)
        let fresh = Self.allocate(wider)
        for old in 0..<slotCount where slots[old].row != nil {
            var slot = Int(truncatingIfNeeded: slots[old].hash) & (wider - 1)
            while fresh[slot].row != nil { slot = (slot + 1) & (wider - 1) }
            fresh[slot] = slots[old]
        }
        slots.deallocate()
        budget.release(slotCount * stride)
        slots = fresh
        slotCount = wider
    }
}

/// One row's values as words: which of them are NULL, then each value. Equal words mean equal rows.
final class EqualityKey {
    private(set) var words = UnsafeMutablePointer<UInt64>.allocate(capacity: 64)
    private(set) var count = 0
    private var capacity = 64

    deinit { words.deallocate() }

    /// Takes one row of the vectors.
    func build(_ vectors: UnsafePointer<Vector>, _ columnCount: Int, _ row: Int) {
        count = 0
        for column in 0..<columnCount {
            let vector = vectors + column
            guard vector.pointee.isValid(row) else {
                append(0)
                continue
            }
            append(1)
            let at = vector.pointee.valueIndex(row)
            switch vector.pointee.physical {
            case .bool: append(UInt64(vector.pointee.pointer(as: UInt8.self)[at] & 1))
            case .int32:
                append(
                    UInt64(bitPattern: Int64(vector.pointee.pointer(as: Int32.self)[at])))
            case .int64:
                append(UInt64(bitPattern: vector.pointee.pointer(as: Int64.self)[at]))
            case .int128:
                let value = UInt128(bitPattern: vector.pointee.pointer(as: Int128.self)[at])
                append(UInt64(truncatingIfNeeded: value))
                append(UInt64(truncatingIfNeeded: value >> 64))
            case .double:
                let value = vector.pointee.pointer(as: Double.self)[at]
                append(value.isNaN ? Double.nan.bitPattern : value.bitPattern)
            case .string:
                append(StringView.bytes(at: vector.pointee.pointer(as: StringView.self) + at))
            // Columns of these types are refused before.
            case .list, .row: append(0)
            }
        }
    }

    var hash: UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for index in 0..<count {
            let wide = (hash ^ words[index]).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
            hash = wide.high ^ wide.low ^ 0xE703_7ED1_A0B4_28DB
        }
        return hash
    }

    func equals(_ other: UnsafePointer<UInt64>, count otherCount: Int) -> Bool {
        guard count == otherCount else { return false }
        for index in 0..<count where words[index] != other[index] { return false }
        return true
    }

    private func append(_ word: UInt64) {
        reserve(1)
        words[count] = word
        count &+= 1
    }

    /// The length, then the bytes, filled up with zeros.
    private func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        let padded = (bytes.count + 7) / 8
        reserve(padded + 1)
        words[count] = UInt64(bytes.count)
        if padded > 0, let start = bytes.baseAddress {
            words[count &+ padded] = 0
            UnsafeMutableRawPointer(words + count + 1).copyMemory(
                from: start, byteCount: bytes.count)
        }
        count &+= padded &+ 1
    }

    private func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let wider = max(capacity * 2, count + more)
        let fresh = UnsafeMutablePointer<UInt64>.allocate(capacity: wider)
        fresh.update(from: words, count: count)
        words.deallocate()
        (words, capacity) = (fresh, wider)
    }
}

/// Drops the rows of one data file that equality deletes name. Belongs to one scan.
package final class EqualityDeleteFilter: RowFilter {
    package let columns: [Int]
    private let deletes: EqualityDeletes
    private let sequenceNumber: Int64
    private let key = EqualityKey()

    /// `columns` are the scan's columns that hold the deletes' columns, in their order.
    package init(_ deletes: EqualityDeletes, columns: [Int], sequenceNumber: Int64) {
        self.deletes = deletes
        self.columns = columns
        self.sequenceNumber = sequenceNumber
    }

    package func select(
        _ vectors: UnsafePointer<Vector>, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        var kept = 0
        for index in 0..<count {
            let row = selection.map { Int($0[index]) } ?? index
            key.build(vectors, columns.count, row)
            output[kept] = UInt32(truncatingIfNeeded: row)
            if deletes.sequenceNumber(of: key).map({ $0 <= sequenceNumber }) ?? true { kept &+= 1 }
        }
        return kept
    }
}
