import Synchronization

/// A flag that long work looks at between two steps: each morsel, each SQLite step, each page.
///
/// One writer or many; the first reason wins. Reading costs one relaxed load.
package final class Cancellation: Sendable {
    /// Why work was stopped.
    package enum Reason: UInt8, Sendable {
        case clientCancelled = 1, deadline, shutdown, killed, failed
    }

    private let state = Atomic<UInt8>(0)

    package init() {}

    /// Whether somebody asked to stop.
    package var isCancelled: Bool { state.load(ordering: .relaxed) != 0 }

    /// The first reason given, if any.
    package var reason: Reason? { Reason(rawValue: state.load(ordering: .acquiring)) }

    /// Asks to stop; later calls do not change the reason.
    package func cancel(_ reason: Reason) {
        _ = state.compareExchange(
            expected: 0, desired: reason.rawValue, ordering: .acquiringAndReleasing)
    }
}
