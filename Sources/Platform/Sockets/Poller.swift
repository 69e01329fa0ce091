import CLinux
import Glibc

/// Tells which sockets are worth a read or write: epoll, edge-triggered.
///
/// Each socket is registered once for everything; its owner remembers "may read" and "may write" until a
/// call would block. `wake` ends a `wait` from any thread.
package final class Poller: Sendable {
    /// What happened to the socket of a token.
    package struct Event: Sendable {
        package var token: UInt64
        package var isReadable: Bool
        package var isWritable: Bool
        /// The peer sent its last byte, or the connection broke.
        package var isHangup: Bool
        package var isBroken: Bool
    }

    private static let wakeToken = UInt64.max
    private static let readable: UInt32 = 0x1
    private static let writable: UInt32 = 0x4
    private static let broken: UInt32 = 0x8 | 0x10
    private static let peerEnded: UInt32 = 0x2000
    private static let exclusive: UInt32 = 1 << 28
    private static let edge: UInt32 = 1 << 31

    private let poll: Int32
    private let bell: Int32

    package init() throws(PlatformError) {
        poll = cl_epoll_create()
        guard poll >= 0 else { throw PlatformError(errno: errno, "make", "a poller") }
        bell = cl_eventfd()
        guard bell >= 0 else {
            let number = errno
            Glibc.close(poll)
            throw PlatformError(errno: number, "make", "a poller's bell")
        }
        guard cl_epoll_control(poll, 1, bell, Self.readable | Self.edge, Self.wakeToken) == 0 else {
            throw PlatformError(errno: errno, "watch", "a poller's bell")
        }
    }

    deinit {
        Glibc.close(bell)
        Glibc.close(poll)
    }

    /// Watches a connection, edge-triggered. Closing the socket ends it.
    package func add(_ socket: Socket, token: UInt64) throws(PlatformError) {
        let events = Self.readable | Self.writable | Self.peerEnded | Self.edge
        if cl_epoll_control(poll, 1, socket.rawDescriptor, events, token) != 0 {
            throw PlatformError(errno: errno, "watch the connection of", "\(socket.peer)")
        }
    }

    /// Watches a listener that other pollers may watch too: one of them wakes for a connection.
    package func add(_ listener: ListeningSocket, token: UInt64) throws(PlatformError) {
        if cl_epoll_control(poll, 1, listener.rawDescriptor, Self.readable | Self.exclusive, token)
            != 0
        {
            throw PlatformError(errno: errno, "watch", "\(listener.address)")
        }
    }

    package func remove(_ listener: ListeningSocket) {
        _ = cl_epoll_control(poll, 2, listener.rawDescriptor, 0, 0)
    }

    /// Ends the current or the next `wait`.
    package func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(bell, &one, 8)
    }

    /// Waits for events and calls `body` for each; nil waits for ever. Returns whether it was woken.
    @discardableResult
    package func wait(timeout: Duration?, _ body: (Event) -> Void) -> Bool {
        let milliseconds: Int32 =
            timeout.map { duration in
                // Up, or a deadline within the millisecond would spin.
                let nanoseconds = max(0, duration.wholeNanoseconds)
                return Int32(
                    clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1))
            } ?? -1
        return withUnsafeTemporaryAllocation(of: cl_event.self, capacity: 256) { events in
            guard let base = events.baseAddress else { return false }
            let count = cl_epoll_wait(poll, base, 256, milliseconds)
            var woken = false
            for index in 0..<max(0, Int(count)) {
                let event = events[index]
                if event.token == Self.wakeToken {
                    woken = true
                    continue
                }
                body(
                    Event(
                        token: event.token, isReadable: event.events & Self.readable != 0,
                        isWritable: event.events & Self.writable != 0,
                        isHangup: event.events & (Self.peerEnded | Self.broken) != 0,
                        isBroken: event.events & Self.broken != 0))
            }
            return woken
        }
    }
}
