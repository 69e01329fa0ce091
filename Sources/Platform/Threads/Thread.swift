import CLinux
import Glibc
import Synchronization

/// A named thread of our own; blocking in it starves nobody else.
package final class Thread: Sendable {
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let handle: Atomic<UInt>
    private static let none: UInt = 0

    /// Starts at once. The name is cut to the 15 bytes that Linux keeps.
    package init(
        name: String, stackBytes: Int = 4 << 20, _ body: @escaping @Sendable () -> Void
    ) throws(PlatformError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { raw in
                guard let raw else { return nil }
                let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                cl_name_thread(String(decoding: start.name.utf8.prefix(15), as: UTF8.self))
                start.body()
                return nil
            }, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw PlatformError(errno: status, "start the thread", name)
        }
        handle = Atomic(UInt(thread))
    }

    /// Waits until the body has returned. The first call counts, later ones return at once.
    package func join() {
        let thread = handle.exchange(Self.none, ordering: .acquiringAndReleasing)
        if thread != Self.none { pthread_join(pthread_t(thread), nil) }
    }

    deinit {
        let thread = handle.load(ordering: .acquiring)
        if thread != Self.none { pthread_detach(pthread_t(thread)) }
    }

    /// Sleeps the calling thread. For backoff in our own threads, never in tests or pollers.
    package static func sleep(for duration: Duration) {
        let nanoseconds = max(0, duration.wholeNanoseconds)
        var left = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&left, &rest) != 0 && errno == EINTR { left = rest }
    }
}
