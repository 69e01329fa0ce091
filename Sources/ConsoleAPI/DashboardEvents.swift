import HTTPMessages
import Synchronization

/// Server-sent events of one open dashboard: an event when the fingerprint of its tables is
/// another.
///
/// Holds no thread while nothing happens. A wake-up that comes between an empty `next` and
/// `whenReady` is remembered, so that none is lost; many commits in a row become one event. The
/// event's id is the fingerprint, so that a browser that comes back is told what it missed. Source:
/// WHATWG HTML, "Server-sent events".
final class DashboardEvents: ResponseStream {
    private struct State {
        var isWoken = true
        var hasBegun = false
        var isClosed = false
        var known: String?
        var wake: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>
    private let subscription = Mutex<(any WatchSubscription)?>(nil)
    private let fingerprint: @Sendable () -> String

    /// `known` is what the page shows already; nil takes the present state for known.
    init(
        known: String?, watch: any TableWatch, fingerprint: @escaping @Sendable () -> String
    ) {
        self.fingerprint = fingerprint
        state = Mutex(State(known: known ?? fingerprint()))
        let held = watch.subscribe { [weak self] in self?.signal() }
        subscription.withLock { $0 = held }
    }

    func next() throws -> [UInt8]? {
        let (isFirst, isWoken, isClosed) = state.withLock { state in
            defer {
                state.hasBegun = true
                state.isWoken = false
            }
            return (!state.hasBegun, state.isWoken, state.isClosed)
        }
        if isClosed { return nil }
        // The first bytes open the stream for the browser, and tell it how soon to come back.
        var text = isFirst ? "retry: 2000\n\n" : ""
        if isWoken {
            let present = fingerprint()
            let isNew = state.withLock { state in
                defer { state.known = present }
                return state.known != present
            }
            if isNew { text += "id: \(present)\nevent: tables\ndata: \(present)\n\n" }
        }
        return Array(text.utf8)
    }

    func whenReady(_ wake: @escaping @Sendable () -> Void) {
        let isReady = state.withLock { state in
            if state.isWoken || state.isClosed { return true }
            state.wake = wake
            return false
        }
        if isReady { wake() }
    }

    func close() {
        let wake = state.withLock { state in
            state.isClosed = true
            defer { state.wake = nil }
            return state.wake
        }
        subscription.withLock { held in
            held?.cancel()
            held = nil
        }
        wake?()
    }

    /// A commit happened somewhere; on the committing thread.
    private func signal() {
        let wake = state.withLock { state in
            state.isWoken = true
            defer { state.wake = nil }
            return state.wake
        }
        wake?()
    }
}
