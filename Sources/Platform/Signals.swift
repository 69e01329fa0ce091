import CLinux
import Glibc

/// Signals that ask the process to end, or to read its configuration again.
package enum Signal: Int32, Sendable, Hashable, CaseIterable {
    case hangup = 1
    case interrupt = 2
    case terminate = 15
}

/// Delivers signals to a callback on a thread of its own, where anything may be called.
package enum Signals {
    /// Writing to a closed socket is an error code, not the end of the process.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Blocks the signals for this thread and all it starts, then waits for them on a new thread.
    ///
    /// Call once, from the first thread, before any other thread is started.
    package static func watch(
        _ signals: [Signal], _ callback: @escaping @Sendable (Signal) -> Void
    ) throws(PlatformError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal.rawValue) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let waited = SignalSet(set: set)
        _ = try Thread(name: "signals", stackBytes: 256 << 10) {
            var set = waited.set
            while true {
                var number: Int32 = 0
                if sigwait(&set, &number) == 0, let signal = Signal(rawValue: number) {
                    callback(signal)
                }
            }
        }
    }

    private struct SignalSet: @unchecked Sendable {
        // Safe because it is a plain bit set that is copied.
        let set: sigset_t
    }
}
