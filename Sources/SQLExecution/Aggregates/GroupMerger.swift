import CIntrinsics
import Vectors

/// Merges group rows of equal keys into the first of them; for the rows of one partition.
///
///     slot = [salt 16][row address 48], linear probing, at most half full
///
/// Rows are taken in stretches: their slots are asked for, then the groups that these lead to, then keys
/// are compared, then each accumulator merges all pairs found. So misses overlap.
struct GroupMerger {
    private static let stretch = 64
    private let accumulators: [Accumulator]
    private let comparison: KeyComparison
    private let mask: Int

    init(_ accumulators: [Accumulator], _ comparison: KeyComparison, rowCount: Int) {
        self.accumulators = accumulators
        self.comparison = comparison
        var size = 64
        while size < rowCount * 2 { size *= 2 }
        mask = size - 1
    }

    /// All rows of a partition share the top bits: the slot comes from below them.
    @inline(__always) private func slot(of header: UInt64) -> Int {
        Int(truncatingIfNeeded: header &>> 16) & mask
    }

    /// The first row of each key, in the order of the rows. At most as many rows as were announced.
    func merge(_ rows: UnsafeBufferPointer<UnsafeMutableRawPointer>) -> [UnsafeMutableRawPointer] {
        let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: mask + 1)
        slots.initialize(repeating: 0, count: mask + 1)
        let targets = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(
            capacity: 2 * GroupMerger.stretch)
        let sources = targets + GroupMerger.stretch
        defer {
            slots.deallocate()
            targets.deallocate()
        }
        return [UnsafeMutableRawPointer](unsafeUninitializedCapacity: rows.count) { unique, count in
            var start = 0
            while start < rows.count {
                let end = min(rows.count, start + GroupMerger.stretch)
                let part = UnsafeBufferPointer(rebasing: rows[start..<end])
                prefetch(part, slots)
                var pairs = 0
                for row in part {
                    if let group = find(row, slots) {
                        targets[pairs] = group
                        sources[pairs] = row
                        pairs &+= 1
                    } else {
                        unique[count] = row
                        count &+= 1
                    }
                }
                if pairs > 0 {
                    for accumulator in accumulators {
                        accumulator.mergeAll(UnsafePointer(targets), UnsafePointer(sources), pairs)
                    }
                }
                start = end
            }
        }
    }

    private func prefetch(
        _ rows: UnsafeBufferPointer<UnsafeMutableRawPointer>, _ slots: UnsafeMutablePointer<UInt64>
    ) {
        for row in rows { ci_prefetch(slots + slot(of: row.load(as: UInt64.self))) }
        for row in rows {
            let header = row.load(as: UInt64.self)
            let entry = slots[slot(of: header)]
            if entry != 0, (entry ^ header) & 0xFFFF_0000_0000_0000 == 0 {
                ci_prefetch(address(entry))
            }
        }
    }

    /// The group of the row's key; nil when the row is the first of it.
    @inline(__always) private func find(
        _ row: UnsafeMutableRawPointer, _ slots: UnsafeMutablePointer<UInt64>
    ) -> UnsafeMutableRawPointer? {
        let header = row.load(as: UInt64.self)
        let salt = header & 0xFFFF_0000_0000_0000
        var slot = slot(of: header)
        while true {
            let entry = slots[slot]
            if entry == 0 {
                slots[slot] = salt | UInt64(UInt(bitPattern: row))
                return nil
            }
            if entry & 0xFFFF_0000_0000_0000 == salt {
                let group = address(entry)
                if keysEqual(group, row, comparison) { return group }
            }
            slot = (slot &+ 1) & mask
        }
    }

    @inline(__always) private func address(_ entry: UInt64) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(entry & 0x0000_FFFF_FFFF_FFFF)).unsafelyUnwrapped
    }
}
