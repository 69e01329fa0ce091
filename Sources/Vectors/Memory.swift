import Diagnostics
import Synchronization

/// Why memory could not be had.
package struct MemoryLimitFault: Fault {
    package enum Code: String, Sendable { case exceeded = "memory.limit_exceeded" }
    package let code: Code = .exceeded
    package let message: String
    package let hint: String? = "raise --memory-limit, or the setting engine.memory_limit"
}

/// How much memory a query, or all of them, may hold. Everything that grows reserves here first; an
/// operator that is refused spills and tries again.
package final class MemoryBudget: Sendable {
    package let limitBytes: Int
    private let parent: MemoryBudget?
    private let used = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)

    /// A budget of at most `limitBytes`, taken out of the parent's as well.
    package init(limitBytes: Int, parent: MemoryBudget? = nil) {
        self.limitBytes = limitBytes
        self.parent = parent
    }

    package var usedBytes: Int { used.load(ordering: .relaxed) }
    package var peakBytes: Int { peak.load(ordering: .relaxed) }

    /// Takes `bytes` if they are to be had.
    package func tryReserve(_ bytes: Int) -> Bool {
        let after = used.wrappingAdd(bytes, ordering: .relaxed).newValue
        guard after <= limitBytes, parent?.tryReserve(bytes) ?? true else {
            used.wrappingSubtract(bytes, ordering: .relaxed)
            return false
        }
        peak.max(after, ordering: .relaxed)
        return true
    }

    /// Takes `bytes` or throws.
    package func reserve(_ bytes: Int) throws(MemoryLimitFault) {
        guard tryReserve(bytes) else {
            throw MemoryLimitFault(
                message: "the query needs more memory than its limit of \(limitBytes) bytes: "
                    + "\(usedBytes) in use, \(bytes) more wanted")
        }
    }

    /// Takes `bytes` although the limit may be passed: for small unavoidable buffers.
    package func reserveAlways(_ bytes: Int) {
        let after = used.wrappingAdd(bytes, ordering: .relaxed).newValue
        peak.max(after, ordering: .relaxed)
        parent?.reserveAlways(bytes)
    }

    /// Gives `bytes` back to the budget.
    package func release(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .relaxed)
        parent?.release(bytes)
    }
}

/// Aligned memory for a vector's buffers: 64-aligned, with 64 bytes of slack behind.
@inlinable package func allocateBuffer(byteCount: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer.allocate(byteCount: byteCount &+ 64, alignment: 64)
}

/// Bump allocation in blocks that are freed together.
///
/// Not shared between threads while it grows. Blocks are reserved from the budget; `allocate` throws
/// when the budget is exhausted, and the owner spills.
package final class Arena {
    package let budget: MemoryBudget
    private var blocks: [(start: UnsafeMutableRawPointer, size: Int)] = []
    private var cursor: UnsafeMutableRawPointer
    private var room = 0
    private var nextBlockSize: Int
    private static let largestBlock = 1 << 20

    package init(budget: MemoryBudget, firstBlockSize: Int = 64 << 10) {
        self.budget = budget
        nextBlockSize = firstBlockSize
        cursor = UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
    }

    deinit { reset() }

    /// Bytes taken from the budget.
    package private(set) var reservedBytes = 0

    /// Uninitialised memory aligned to 16 bytes that lives as long as the arena, or until `reset`.
    package func allocate(_ byteCount: Int) throws(MemoryLimitFault) -> UnsafeMutableRawPointer {
        let rounded = (byteCount &+ 15) & ~15
        if rounded > room { try grow(rounded) }
        let start = cursor
        cursor += rounded
        room &-= rounded
        return start
    }

    /// Copies a string into the arena; short ones stay in the view.
    package func copy(_ view: StringView) throws(MemoryLimitFault) -> StringView {
        if view.isInline { return view }
        let start = try allocate(view.count)
        start.copyMemory(from: view.pointer, byteCount: view.count)
        return StringView(start.assumingMemoryBound(to: UInt8.self), count: view.count)
    }

    private func grow(_ wanted: Int) throws(MemoryLimitFault) {
        let size = max(wanted, nextBlockSize)
        try budget.reserve(size)
        nextBlockSize = min(nextBlockSize * 2, Arena.largestBlock)
        reservedBytes += size
        cursor = allocateBuffer(byteCount: size)
        room = size
        blocks.append((cursor, size))
    }

    /// Empties it but keeps the last block, for heaps that are filled anew for every chunk.
    package func rewind() {
        guard let last = blocks.last else { return }
        for block in blocks.dropLast() {
            block.start.deallocate()
            budget.release(block.size)
            reservedBytes -= block.size
        }
        blocks = [last]
        cursor = last.start
        room = last.size
    }

    /// Gives everything back.
    package func reset() {
        for block in blocks { block.start.deallocate() }
        blocks.removeAll()
        budget.release(reservedBytes)
        reservedBytes = 0
        room = 0
    }
}
