import CIntrinsics
import Vectors

/// Finds build rows by key: an array where integer keys lie densely, else slots a partition.
///
/// Rows of equal keys chain through `next`. Built by several workers at once, each with its own
/// partitions; read-only afterwards but for the match flags.
final class JoinTable: @unchecked Sendable {
    // Safe because building ends before probing begins; match flags are only ever set to one.
    let layout: JoinLayout
    private let comparison: KeyComparison
    private let budget: MemoryBudget
    /// Slots `[salt 16][address 48]` and their mask, a partition.
    private let slots: UnsafeMutablePointer<UnsafeMutablePointer<UInt64>?>
    private let masks: UnsafeMutablePointer<Int>
    private let repeats: UnsafeMutablePointer<Bool>
    /// Dense keys: the row of `key - minimum`.
    private var dense: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    private var denseCount = 0
    private var denseMinimum: Int64 = 0
    private var reserved = 0
    /// All rows, when there are no keys.
    private(set) var all: [UnsafeMutableRawPointer] = []

    init(_ layout: JoinLayout, budget: MemoryBudget) {
        self.layout = layout
        self.budget = budget
        comparison = KeyComparison(layout.row)
        slots = .allocate(capacity: partitionTotal)
        slots.initialize(repeating: nil, count: partitionTotal)
        masks = .allocate(capacity: partitionTotal)
        masks.initialize(repeating: 0, count: partitionTotal)
        repeats = .allocate(capacity: partitionTotal)
        repeats.initialize(repeating: false, count: partitionTotal)
    }

    deinit {
        for partition in 0..<partitionTotal {
            guard let table = slots[partition] else { continue }
            table.deallocate()
            budget.release((masks[partition] + 1) * 8)
        }
        slots.deallocate()
        masks.deallocate()
        repeats.deallocate()
        dense?.deallocate()
        budget.release(reserved)
        comparison.deallocate()
    }

    /// Whether no two rows have equal keys.
    var isUnique: Bool { !(0..<partitionTotal).contains { repeats[$0] } }
    var isDense: Bool { dense != nil }

    /// Sets the rows of a join without keys.
    func setAll(_ rows: [UnsafeMutableRawPointer]) { all = rows }

    /// Makes room for keys `minimum...maximum`; false when memory is short.
    func makeDense(minimum: Int64, maximum: Int64) -> Bool {
        let count = Int(maximum - minimum) + 1
        guard budget.tryReserve(count * 8) else { return false }
        reserved += count * 8
        let rows = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: count)
        rows.initialize(repeating: nil, count: count)
        dense = rows
        denseCount = count
        denseMinimum = minimum
        return true
    }

    /// Enters the rows of one partition; `blocks` are stretches of rows.
    func build(_ partition: Int, _ blocks: [(start: UnsafeMutableRawPointer, count: Int)]) {
        let total = blocks.reduce(0) { $0 + $1.count }
        if total == 0 { return }
        let width = layout.row.width
        let nextOffset = layout.nextOffset
        if let dense {
            let minimum = denseMinimum
            let offset = layout.row.keys[0].offset
            var hasRepeats = false
            for block in blocks {
                var row = block.start
                for _ in 0..<block.count {
                    if !layout.hasStrictNull(row) {
                        let entry =
                            dense + Int(row.load(fromByteOffset: offset, as: Int64.self) &- minimum)
                        hasRepeats = hasRepeats || entry.pointee != nil
                        row.storeBytes(
                            of: entry.pointee, toByteOffset: nextOffset,
                            as: UnsafeMutableRawPointer?.self)
                        entry.pointee = row
                    }
                    row += width
                }
            }
            repeats[partition] = hasRepeats
            return
        }
        var size = 16
        while size < total * 2 { size *= 2 }
        budget.reserveAlways(size * 8)
        let table = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
        table.initialize(repeating: 0, count: size)
        let mask = size - 1
        var hasRepeats = false
        for block in blocks {
            var row = block.start
            for _ in 0..<block.count {
                if !layout.hasStrictNull(row) { insert(row, table, mask, nextOffset, &hasRepeats) }
                row += width
            }
        }
        slots[partition] = table
        masks[partition] = mask
        repeats[partition] = hasRepeats
    }

    @inline(__always) private func insert(
        _ row: UnsafeMutableRawPointer, _ table: UnsafeMutablePointer<UInt64>, _ mask: Int,
        _ nextOffset: Int, _ hasRepeats: inout Bool
    ) {
        let header = row.load(as: UInt64.self)
        // The top five bits chose the partition; the salt takes the sixteen below.
        let salt = header << 5 & 0xFFFF_0000_0000_0000
        var slot = Int(truncatingIfNeeded: header &>> 16) & mask
        row.storeBytes(of: nil, toByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self)
        while true {
            let entry = table[slot]
            if entry == 0 {
                table[slot] = salt | UInt64(UInt(bitPattern: row))
                return
            }
            if entry & 0xFFFF_0000_0000_0000 == salt {
                let head = address(entry)
                if keysEqual(head, row, comparison) {
                    hasRepeats = true
                    row.storeBytes(
                        of: head.load(
                            fromByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self),
                        toByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self)
                    head.storeBytes(
                        of: row, toByteOffset: nextOffset, as: UnsafeMutableRawPointer?.self)
                    return
                }
            }
            slot = (slot &+ 1) & mask
        }
    }

    @inline(__always) private func address(_ entry: UInt64) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(entry & 0x0000_FFFF_FFFF_FFFF)).unsafelyUnwrapped
    }

    /// Finds the first row of each packed key; nil where there is none.
    func find(_ packer: KeyPacker, into heads: UnsafeMutablePointer<UnsafeMutableRawPointer?>) {
        let count = packer.count
        let stride = packer.stride
        let slots = slots
        let masks = masks
        // First all slots are touched, so that their misses overlap.
        var packed = packer.scratch
        for _ in 0..<count {
            let header = packed.load(as: UInt64.self)
            let partition = SQLExecution.partition(of: header)
            if let table = slots[partition] {
                ci_prefetch(table + (Int(truncatingIfNeeded: header &>> 16) & masks[partition]))
            }
            packed += stride
        }
        packed = packer.scratch
        for index in 0..<count {
            heads[index] = layout.hasStrictNull(packed) ? nil : find(packed)
            packed += stride
        }
    }

    @inline(__always) private func find(_ packed: UnsafeMutableRawPointer)
        -> UnsafeMutableRawPointer?
    {
        let header = packed.load(as: UInt64.self)
        let partition = SQLExecution.partition(of: header)
        guard let table = slots[partition] else { return nil }
        let mask = masks[partition]
        let salt = header << 5 & 0xFFFF_0000_0000_0000
        var slot = Int(truncatingIfNeeded: header &>> 16) & mask
        while true {
            let entry = table[slot]
            if entry == 0 { return nil }
            if entry & 0xFFFF_0000_0000_0000 == salt {
                let head = address(entry)
                if keysEqual(head, packed, comparison) { return head }
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// The same for dense keys, straight from the key's vector of active rows.
    func findDense(
        _ vector: Vector, _ count: Int, into heads: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    ) {
        if vector.physical == .int32 {
            findDense(vector.pointer(as: Int32.self), count, heads)
        } else {
            findDense(vector.pointer(as: Int64.self), count, heads)
        }
        guard let valid = vector.valid else { return }
        for index in 0..<count where !isPresent(valid, index) { heads[index] = nil }
    }

    @inline(__always) private func findDense<Value: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeMutablePointer<Value>, _ count: Int,
        _ heads: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    ) {
        let dense = dense.unsafelyUnwrapped
        let minimum = denseMinimum
        let limit = UInt64(denseCount)
        for index in 0..<count {
            let position = UInt64(bitPattern: Int64(truncatingIfNeeded: values[index]) &- minimum)
            heads[index] = position < limit ? dense[Int(truncatingIfNeeded: position)] : nil
        }
    }
}
