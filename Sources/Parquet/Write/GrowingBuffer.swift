/// Plain values that grow at the end, behind a pointer: writing into an Array that a class holds costs
/// ten times as much. Belongs to one writer.
final class GrowingBuffer<Element: BitwiseCopyable> {
    private(set) var start: UnsafeMutablePointer<Element>
    private(set) var capacity: Int
    /// How many of the values count.
    private(set) var count = 0

    init(capacity: Int = 0) {
        self.capacity = max(capacity, 16)
        start = .allocate(capacity: self.capacity)
    }

    deinit { start.deallocate() }

    /// Room for `more` values behind the last one; `advance` says how many became values.
    func reserve(_ more: Int) -> UnsafeMutablePointer<Element> {
        if count + more > capacity {
            let wider = max(capacity * 2, count + more)
            let fresh = UnsafeMutablePointer<Element>.allocate(capacity: wider)
            fresh.update(from: start, count: count)
            start.deallocate()
            (start, capacity) = (fresh, wider)
        }
        return start + count
    }

    /// Counts `more` values that were written behind the last one.
    func advance(_ more: Int) { count += more }

    /// Appends one value.
    func append(_ value: Element) {
        reserve(1).pointee = value
        count += 1
    }

    /// Appends the same value many times.
    func append(_ value: Element, count more: Int) {
        reserve(more).update(repeating: value, count: more)
        count += more
    }

    /// Appends a copy of values.
    func append(_ values: UnsafePointer<Element>, count more: Int) {
        reserve(more).update(from: values, count: more)
        count += more
    }

    /// Forgets the values and keeps the room.
    func removeAll() { count = 0 }
}
