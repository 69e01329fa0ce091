import Vectors

/// Where the next row and the next text of a partition go.
struct RowCursor {
    var next: UnsafeMutableRawPointer
    var end: UnsafeMutableRawPointer
    var text: UnsafeMutableRawPointer
    var textEnd: UnsafeMutableRawPointer
}

/// Rows of one layout in partitions, each with blocks of rows and a heap of its own, so that a partition
/// can be given back or spilled alone. Belongs to one worker while it grows.
///
/// Growing never fails on the spot: a refused reservation is remembered, and the owner asks
/// `isExceeded` once a chunk, when it spills or gives up.
final class PartitionedRows: @unchecked Sendable {
    // Safe because one worker fills it, and others read it only when that one has finished.
    struct Block {
        var start: UnsafeMutableRawPointer
        var size: Int
    }

    let width: Int
    let partitionCount: Int
    let cursors: UnsafeMutablePointer<RowCursor>
    private(set) var isExceeded = false
    private(set) var reservedBytes = 0
    private let budget: MemoryBudget
    // Plain memory, so that several workers may read and give back partitions of their own.
    private let rowBlocks: UnsafeMutablePointer<[Block]>
    private let textBlocks: UnsafeMutablePointer<[Block]>
    private let reservedBytesOf: UnsafeMutablePointer<Int>
    private var nextRowSize: [Int]
    private var nextTextSize: [Int]
    private let largestBlock: Int

    init(width: Int, partitionCount: Int, budget: MemoryBudget) {
        self.width = width
        self.partitionCount = partitionCount
        self.budget = budget
        largestBlock = partitionCount > 1 ? 256 << 10 : 1 << 20
        cursors = .allocate(capacity: partitionCount)
        let nowhere = UnsafeMutableRawPointer(cursors)
        cursors.initialize(
            repeating: RowCursor(next: nowhere, end: nowhere, text: nowhere, textEnd: nowhere),
            count: partitionCount)
        rowBlocks = .allocate(capacity: partitionCount)
        rowBlocks.initialize(repeating: [], count: partitionCount)
        textBlocks = .allocate(capacity: partitionCount)
        textBlocks.initialize(repeating: [], count: partitionCount)
        reservedBytesOf = .allocate(capacity: partitionCount)
        reservedBytesOf.initialize(repeating: 0, count: partitionCount)
        nextRowSize = Array(repeating: 4096, count: partitionCount)
        nextTextSize = nextRowSize
    }

    deinit {
        for partition in 0..<partitionCount { clear(partition) }
        cursors.deallocate()
        for blocks in [rowBlocks, textBlocks] {
            blocks.deinitialize(count: partitionCount)
            blocks.deallocate()
        }
        reservedBytesOf.deallocate()
    }

    /// Memory for a row; its contents are undefined.
    @inline(__always) func newRow(_ partition: Int) -> UnsafeMutableRawPointer {
        let cursor = cursors + partition
        if cursor.pointee.next + width > cursor.pointee.end { growRows(partition) }
        let row = cursor.pointee.next
        cursor.pointee.next = row + width
        return row
    }

    /// Memory for text or records, 8-aligned.
    @inline(__always) func newText(_ partition: Int, _ count: Int) -> UnsafeMutableRawPointer {
        let rounded = (count &+ 7) & ~7
        let cursor = cursors + partition
        if cursor.pointee.text + rounded > cursor.pointee.textEnd { growText(partition, rounded) }
        let start = cursor.pointee.text
        cursor.pointee.text = start + rounded
        return start
    }

    /// The view with its bytes in the partition's heap.
    @inline(__always) func keep(_ view: StringView, _ partition: Int) -> StringView {
        if view.isInline { return view }
        let start = newText(partition, view.count)
        start.copyMemory(from: view.pointer, byteCount: view.count)
        return StringView(start.assumingMemoryBound(to: UInt8.self), count: view.count)
    }

    /// Bytes in the partition's heap, never inline: for encoded values.
    func keepBytes(_ bytes: [UInt8], _ partition: Int) -> StringView {
        let start = newText(partition, max(bytes.count, 16))
        bytes.withUnsafeBytes { raw in
            if let base = raw.baseAddress { start.copyMemory(from: base, byteCount: raw.count) }
        }
        return StringView(
            low: UInt64(max(bytes.count, 16)), high: UInt64(UInt(bitPattern: start)))
    }

    private func growRows(_ partition: Int) {
        let fitting = max(nextRowSize[partition] / width, 1) * width
        let block = take(partition, fitting)
        nextRowSize[partition] = min(nextRowSize[partition] * 2, largestBlock)
        closeLast(partition)
        rowBlocks[partition].append(block)
        cursors[partition].next = block.start
        cursors[partition].end = block.start + fitting
    }

    /// Keeps in the block's size only what has been filled.
    private func closeLast(_ partition: Int) {
        guard let last = rowBlocks[partition].last else { return }
        rowBlocks[partition][rowBlocks[partition].count - 1].size =
            cursors[partition].next - last.start
    }

    private func growText(_ partition: Int, _ wanted: Int) {
        let block = take(partition, max(wanted, nextTextSize[partition]))
        nextTextSize[partition] = min(nextTextSize[partition] * 2, largestBlock)
        textBlocks[partition].append(block)
        cursors[partition].text = block.start
        cursors[partition].textEnd = block.start + block.size
    }

    private func take(_ partition: Int, _ size: Int) -> Block {
        if !budget.tryReserve(size) {
            budget.reserveAlways(size)
            isExceeded = true
        }
        reservedBytes += size
        reservedBytesOf[partition] += size
        return Block(start: allocateBuffer(byteCount: size), size: size)
    }

    /// Calls `body` with each stretch of rows of the partition.
    func forEachBlock(_ partition: Int, _ body: (UnsafeMutableRawPointer, _ rowCount: Int) -> Void)
    {
        closeLast(partition)
        for block in rowBlocks[partition] where block.size > 0 {
            body(block.start, block.size / width)
        }
    }

    /// Bytes that the partition holds.
    func reservedBytes(_ partition: Int) -> Int { reservedBytesOf[partition] }

    func rowCount(_ partition: Int) -> Int {
        closeLast(partition)
        return rowBlocks[partition].reduce(0) { $0 + $1.size / width }
    }

    /// Rows of all partitions.
    var rowCount: Int { (0..<partitionCount).reduce(0) { $0 + rowCount($1) } }

    /// Gives back the memory of a partition that has been read and is not needed any more. Several workers
    /// may do so at once, each with partitions of its own; nothing is added afterwards.
    func giveBack(_ partition: Int) {
        for block in rowBlocks[partition] + textBlocks[partition] { block.start.deallocate() }
        budget.release(reservedBytesOf[partition])
        reservedBytesOf[partition] = 0
        rowBlocks[partition] = []
        textBlocks[partition] = []
    }

    /// Gives the partition's memory back.
    func clear(_ partition: Int) {
        for block in rowBlocks[partition] + textBlocks[partition] { block.start.deallocate() }
        budget.release(reservedBytesOf[partition])
        reservedBytes -= reservedBytesOf[partition]
        reservedBytesOf[partition] = 0
        rowBlocks[partition] = []
        textBlocks[partition] = []
        let nowhere = UnsafeMutableRawPointer(cursors)
        cursors[partition] = RowCursor(next: nowhere, end: nowhere, text: nowhere, textEnd: nowhere)
        isExceeded = false
    }
}
