import Synchronization

/// How far a query is, in morsels: what clients call splits.
///
/// A source counts as one until it was opened and says how many morsels it has, so the total grows while
/// the query runs; the finished ones never get fewer.
package struct QueryProgress: Sendable, Hashable {
    package var total = 0
    package var finished = 0
    package var running = 0
}

/// Counts a query's progress; all workers write.
final class ProgressCounter: Sendable {
    private let total = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)
    private let running = Atomic<Int>(0)

    func expect(_ morsels: Int) { total.wrappingAdd(morsels, ordering: .relaxed) }
    func begin() { running.wrappingAdd(1, ordering: .relaxed) }
    func end() {
        finished.wrappingAdd(1, ordering: .relaxed)
        running.wrappingSubtract(1, ordering: .relaxed)
    }
    /// Morsels that nobody needs any more: a LIMIT was satisfied.
    func skip(_ morsels: Int) { finished.wrappingAdd(morsels, ordering: .relaxed) }

    var now: QueryProgress {
        QueryProgress(
            total: total.load(ordering: .relaxed), finished: finished.load(ordering: .relaxed),
            running: running.load(ordering: .relaxed))
    }
}
