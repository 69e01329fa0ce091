import CLinux
import Glibc
import Synchronization

/// What a read or write on a socket came to.
package enum SocketResult: Sendable, Hashable {
    case bytes(Int)
    /// Nothing now; the poller will tell.
    case wouldBlock
    /// The peer has sent its last byte.
    case closed
    /// The connection is broken; the system's number.
    case failed(Int32)
}

/// A connected stream socket. Closes when the last reference goes, or by `close`.
package final class Socket: Sendable {
    private let descriptor: Atomic<Int32>
    /// The other end.
    package let peer: SocketAddress

    init(descriptor: Int32, peer: SocketAddress) {
        self.descriptor = Atomic(descriptor)
        self.peer = peer
    }

    deinit { close() }

    /// Connects and blocks until that is done; reads and writes block too, up to the timeout.
    package static func connect(
        to address: SocketAddress, timeout: Duration = .seconds(30)
    ) throws(PlatformError) -> Socket {
        let opened = socket(
            address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard opened >= 0 else {
            throw PlatformError(errno: errno, "make a socket for", "\(address)")
        }
        var wait = timeval(
            tv_sec: Int(timeout.components.seconds),
            tv_usec: Int(timeout.components.attoseconds / 1_000_000_000_000))
        setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        let status = address.withRaw { raw, length in Glibc.connect(opened, raw, length) }
        guard status == 0 else {
            let number = errno == EINPROGRESS ? ETIMEDOUT : errno
            Glibc.close(opened)
            throw PlatformError(errno: number, "connect to", "\(address)")
        }
        let made = Socket(descriptor: opened, peer: address)
        made.setNoDelay()
        return made
    }

    /// The number of the descriptor; -1 when closed.
    package var rawDescriptor: Int32 { descriptor.load(ordering: .acquiring) }

    package func close() {
        let open = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if open >= 0 { Glibc.close(open) }
    }

    /// Ends our side of the stream; the peer may still send.
    package func shutdownWriting() { shutdown(rawDescriptor, Int32(SHUT_WR)) }

    package func setNonBlocking(_ on: Bool) { _ = cl_set_nonblocking(rawDescriptor, on ? 1 : 0) }

    /// Sends small segments at once; for Unix sockets it means nothing.
    package func setNoDelay() {
        var on: Int32 = 1
        setsockopt(
            rawDescriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size)
        )
    }

    /// Limits the kernel's buffers, for tests of slow peers.
    package func setBuffers(sendBytes: Int32? = nil, receiveBytes: Int32? = nil) {
        if var size = sendBytes {
            setsockopt(
                rawDescriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        if var size = receiveBytes {
            setsockopt(
                rawDescriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Makes `close` reset the connection instead of ending it in order.
    package func abortOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            rawDescriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// The user and process at the other end of a Unix socket.
    package func peerCredentials() throws(PlatformError) -> (userID: UInt32, processID: Int32) {
        var user: UInt32 = 0
        var process: Int32 = 0
        guard cl_peer(rawDescriptor, &user, &process) == 0 else {
            throw PlatformError(errno: errno, "ask who is at", "\(peer)")
        }
        return (user, process)
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> SocketResult {
        while true {
            let count = recv(rawDescriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .closed }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .failed(errno)
        }
    }

    /// Writes what the kernel takes. `more` says that other bytes follow at once.
    package func write(_ bytes: UnsafeRawBufferPointer, more: Bool = false) -> SocketResult {
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        while true {
            let count = send(rawDescriptor, bytes.baseAddress, bytes.count, flags)
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .failed(errno)
        }
    }

    /// Writes two buffers with one call.
    package func write(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer)
        -> SocketResult
    {
        var parts = (
            iovec(
                iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count
            ),
            iovec(
                iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress),
                iov_len: second.count)
        )
        return withUnsafeMutablePointer(to: &parts) { parts in
            parts.withMemoryRebound(to: iovec.self, capacity: 2) { vectors in
                var message = msghdr()
                message.msg_iov = vectors
                message.msg_iovlen = 2
                while true {
                    let count = sendmsg(rawDescriptor, &message, Int32(MSG_NOSIGNAL))
                    if count >= 0 { return .bytes(count) }
                    if errno == EINTR { continue }
                    return errno == EAGAIN ? .wouldBlock : .failed(errno)
                }
            }
        }
    }

    /// Writes everything on a blocking socket.
    package func writeAll(_ bytes: [UInt8]) throws(PlatformError) {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes {
                write(UnsafeRawBufferPointer(rebasing: $0[written...]))
            }
            switch result {
            case .bytes(let count): written += count
            case .wouldBlock: throw PlatformError(errno: ETIMEDOUT, "write to", "\(peer)")
            case .closed: throw PlatformError(errno: EPIPE, "write to", "\(peer)")
            case .failed(let number): throw PlatformError(errno: number, "write to", "\(peer)")
            }
        }
    }

    /// Reads up to `limit` bytes on a blocking socket; empty at the end of the stream.
    package func readSome(limit: Int = 65536) throws(PlatformError) -> [UInt8] {
        var result = SocketResult.closed
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            result = read(into: UnsafeMutableRawBufferPointer(buffer))
            if case .bytes(let got) = result { count = got }
        }
        switch result {
        case .bytes, .closed: return bytes
        case .wouldBlock: throw PlatformError(errno: ETIMEDOUT, "read from", "\(peer)")
        case .failed(let number): throw PlatformError(errno: number, "read from", "\(peer)")
        }
    }
}
