import Compression
package import Vectors

/// A worker's buffers for scans: counted in the budget, and used again for the next column, row group
/// and file, since touching fresh pages costs a tenth of a query. Not shared between threads.
package final class ScanMemory {
    package let budget: MemoryBudget
    let decompressor = Decompressor()
    private var free: [(start: UnsafeMutableRawPointer, capacity: Int)] = []
    private var freeBytes = 0
    private static let keptBytes = 64 << 20

    package init(budget: MemoryBudget) { self.budget = budget }

    deinit { trim() }

    /// Gives the buffers that are not in use back to the system and the budget.
    package func trim() {
        for buffer in free {
            buffer.start.deallocate()
            budget.release(buffer.capacity)
        }
        free.removeAll()
        freeBytes = 0
    }

    /// A buffer of at least `byteCount` bytes, with 64 of slack.
    func take(_ byteCount: Int) throws(ParquetError) -> (
        start: UnsafeMutableRawPointer, capacity: Int
    ) {
        var best = -1
        for index in free.indices where free[index].capacity >= byteCount {
            if best < 0 || free[index].capacity < free[best].capacity { best = index }
        }
        if best >= 0 && free[best].capacity <= max(4 * byteCount, 1 << 16) {
            freeBytes -= free[best].capacity
            return free.remove(at: best)
        }
        // Powers of two and the halves between, so that buffers fit again.
        var capacity = 4096
        while capacity < byteCount { capacity &*= 2 }
        if capacity / 4 * 3 >= byteCount { capacity = capacity / 4 * 3 }
        if !budget.tryReserve(capacity) {
            trim()
            do throws(MemoryLimitFault) { try budget.reserve(capacity) } catch {
                throw .wrapping(error)
            }
        }
        return (allocateBuffer(byteCount: capacity), capacity)
    }

    func give(_ start: UnsafeMutableRawPointer, _ capacity: Int) {
        if freeBytes + capacity > ScanMemory.keptBytes || free.count >= 256 {
            start.deallocate()
            budget.release(capacity)
        } else {
            free.append((start, capacity))
            freeBytes += capacity
        }
    }
}

/// One growing buffer of a scan.
final class ScanBuffer {
    private let memory: ScanMemory
    private(set) var start: UnsafeMutableRawPointer
    private(set) var capacity = 0

    init(_ memory: ScanMemory) {
        self.memory = memory
        // Nothing is read or written before `ensure`.
        start = UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
    }

    deinit { release() }

    /// Makes room for `byteCount` bytes and keeps the first `keeping`.
    func ensure(_ byteCount: Int, keeping: Int = 0) throws(ParquetError) {
        if byteCount <= capacity { return }
        let (fresh, room) = try memory.take(max(byteCount, keeping > 0 ? capacity * 2 : 0))
        if keeping > 0 { fresh.copyMemory(from: start, byteCount: keeping) }
        release()
        start = fresh
        capacity = room
    }

    /// Gives the memory back.
    func release() {
        if capacity > 0 { memory.give(start, capacity) }
        capacity = 0
    }

    @inline(__always)
    func pointer<Value: BitwiseCopyable>(as type: Value.Type) -> UnsafeMutablePointer<Value> {
        start.assumingMemoryBound(to: type)
    }
}
