import CIntrinsics
import Vectors

/// One worker's groups: rows in partitions by hash, and slots that find them.
///
///     slot = [salt 16][row address 48], linear probing, at most half full
///
/// When half full: if a quarter of the lookups since the last time found an older group, the slots grow
/// fourfold; else they are cleared and the rows kept, to be merged later, so that random input does not
/// miss the cache twice.
final class GroupTable {
    let layout: RowLayout
    let store: PartitionedRows
    let comparison: KeyComparison
    private let extraOffset: Int
    private let width: Int
    /// Of each view among the keys, whether its text outlives the chunk at hand.
    private let stableViews: UnsafeMutablePointer<Bool>
    private var slots: UnsafeMutablePointer<UInt64>
    private var mask: Int
    private var used = 0
    private var lookups = 0
    private var hits = 0
    /// Whether rows of equal keys may exist.
    private(set) var hasRepeats = false
    private let budget: MemoryBudget
    /// The group of each row of the last lookup.
    let groups = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: Chunk.capacity)

    init(_ layout: RowLayout, budget: MemoryBudget) {
        self.layout = layout
        extraOffset = layout.extraOffset
        width = layout.width
        stableViews = .allocate(capacity: max(layout.keys.count, 1))
        self.budget = budget
        store = PartitionedRows(width: layout.width, partitionCount: partitionTotal, budget: budget)
        comparison = KeyComparison(layout)
        let count = 8192
        slots = .allocate(capacity: count)
        slots.initialize(repeating: 0, count: count)
        mask = count - 1
        budget.reserveAlways(count * 8)
    }

    deinit {
        slots.deallocate()
        budget.release((mask + 1) * 8)
        comparison.deallocate()
        groups.deallocate()
        stableViews.deallocate()
    }

    /// Finds or makes the group of each packed row.
    func find(_ packer: KeyPacker) {
        let count = packer.count
        var view = 0
        for (position, field) in layout.keys.enumerated() where field.isView {
            stableViews[view] = packer.isStable[position]
            view += 1
        }
        var index = 0
        var previous: UnsafeMutableRawPointer?
        // Rows are looked up in stretches, since making groups may change the slots.
        while index < count {
            if used &* 2 >= mask { adapt() }
            var end = min(count, index + (mask + 1) / 2 - used + 1)
            if mask >= Limits.cachedSlots {
                end = min(end, index + 256)
                prefetch(packer, index, end)
            }
            index =
                layout.hasKeyViews || layout.keyWords != 1
                ? findGeneral(packer, index, end, &previous)
                : findWord(packer, index, end, &previous)
        }
        lookups += count
    }

    /// Asks for the slots of some rows, then for the groups that they may lead to, so that the misses
    /// of a stretch overlap.
    private func prefetch(_ packer: KeyPacker, _ start: Int, _ end: Int) {
        let slots = slots
        let mask = mask
        let stride = packer.stride
        let first = packer.scratch + start &* stride
        var packed = first
        for _ in start..<end {
            let header = packed.load(as: UInt64.self)
            ci_prefetch(slots + (Int(truncatingIfNeeded: header &>> 16) & mask))
            packed += stride
        }
        packed = first
        for _ in start..<end {
            let header = packed.load(as: UInt64.self)
            let entry = slots[Int(truncatingIfNeeded: header &>> 16) & mask]
            if entry != 0, (entry ^ header) & 0xFFFF_0000_0000_0000 == 0 {
                ci_prefetch(address(entry))
            }
            packed += stride
        }
    }

    /// One plain word: the frequent case.
    private func findWord(
        _ packer: KeyPacker, _ start: Int, _ end: Int, _ previous: inout UnsafeMutableRawPointer?
    ) -> Int {
        let slots = slots
        let mask = mask
        let stride = packer.stride
        var packed = packer.scratch + start &* stride
        var last = previous
        var found = 0
        for index in start..<end {
            let header = packed.load(as: UInt64.self)
            let word = packed.load(fromByteOffset: 8, as: UInt64.self)
            if let group = last, group.load(as: UInt64.self) == header,
                group.load(fromByteOffset: 8, as: UInt64.self) == word
            {
                groups[index] = group
                found &+= 1
                packed += stride
                continue
            }
            var slot = Int(truncatingIfNeeded: header &>> 16) & mask
            let salt = header & 0xFFFF_0000_0000_0000
            var group: UnsafeMutableRawPointer
            while true {
                let entry = slots[slot]
                if entry == 0 {
                    group = makeGroup(packed, header)
                    slots[slot] = salt | UInt64(UInt(bitPattern: group))
                    used &+= 1
                    break
                }
                if entry & 0xFFFF_0000_0000_0000 == salt {
                    group = address(entry)
                    if group.load(as: UInt64.self) == header,
                        group.load(fromByteOffset: 8, as: UInt64.self) == word
                    {
                        found &+= 1
                        break
                    }
                }
                slot = (slot &+ 1) & mask
            }
            groups[index] = group
            last = group
            packed += stride
        }
        hits &+= found
        previous = last
        return end
    }

    private func findGeneral(
        _ packer: KeyPacker, _ start: Int, _ end: Int, _ previous: inout UnsafeMutableRawPointer?
    ) -> Int {
        let slots = slots
        let mask = mask
        let stride = packer.stride
        var packed = packer.scratch + start &* stride
        var last = previous
        var found = 0
        for index in start..<end {
            if let group = last, keysEqual(packed, group, comparison) {
                groups[index] = group
                found &+= 1
                packed += stride
                continue
            }
            let header = packed.load(as: UInt64.self)
            var slot = Int(truncatingIfNeeded: header &>> 16) & mask
            let salt = header & 0xFFFF_0000_0000_0000
            var group: UnsafeMutableRawPointer
            while true {
                let entry = slots[slot]
                if entry == 0 {
                    group = makeGroup(packed, header)
                    slots[slot] = salt | UInt64(UInt(bitPattern: group))
                    used &+= 1
                    break
                }
                if entry & 0xFFFF_0000_0000_0000 == salt {
                    group = address(entry)
                    if keysEqual(packed, group, comparison) {
                        found &+= 1
                        break
                    }
                }
                slot = (slot &+ 1) & mask
            }
            groups[index] = group
            last = group
            packed += stride
        }
        hits &+= found
        previous = last
        return end
    }

    @inline(__always) private func address(_ entry: UInt64) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(entry & 0x0000_FFFF_FFFF_FFFF)).unsafelyUnwrapped
    }

    /// Copies the key into a new row and makes its states.
    @inline(never) private func makeGroup(
        _ packed: UnsafeMutableRawPointer, _ header: UInt64
    ) -> UnsafeMutableRawPointer {
        let partition = partition(of: header)
        let row = store.newRow(partition)
        row.copyMemory(from: packed, byteCount: layout.keyEnd)
        if let views = comparison.views {
            for index in 0..<comparison.viewCount where !stableViews[index] {
                let offset = views[index]
                let view = row.load(fromByteOffset: offset, as: StringView.self)
                row.storeBytes(
                    of: store.keep(view, partition), toByteOffset: offset, as: StringView.self)
            }
        }
        clearStates(row)
        return row
    }

    /// New states are zeros.
    @inline(__always) private func clearStates(_ row: UnsafeMutableRawPointer) {
        var offset = extraOffset
        while offset < width {
            row.storeBytes(of: 0, toByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
    }

    /// Makes the only group of an aggregate without keys.
    func makeGlobalGroup() -> UnsafeMutableRawPointer {
        let row = store.newRow(0)
        row.initializeMemory(as: UInt8.self, repeating: 0, count: layout.width)
        return row
    }

    /// Grows or clears the slots; see above.
    private func adapt() {
        let grows = hits * 4 >= lookups && (mask + 1) * 4 <= Limits.largestGroupTable
        if grows, budget.tryReserve((mask + 1) * 24) {
            let count = (mask + 1) * 4
            let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
            larger.initialize(repeating: 0, count: count)
            for slot in 0...mask where slots[slot] != 0 {
                let entry = slots[slot]
                var target =
                    Int(truncatingIfNeeded: address(entry).load(as: UInt64.self) &>> 16)
                    & (count - 1)
                while larger[target] != 0 { target = (target &+ 1) & (count - 1) }
                larger[target] = entry
            }
            slots.deallocate()
            slots = larger
            mask = count - 1
        } else {
            clearSlots()
        }
        lookups = 0
        hits = 0
    }

    /// Forgets where groups are; later rows make new ones.
    func clearSlots() {
        slots.update(repeating: 0, count: mask + 1)
        used = 0
        hasRepeats = true
    }
}
