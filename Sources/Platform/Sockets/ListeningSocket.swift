import CLinux
import Glibc
import Synchronization

/// A socket that accepts connections, never blocking.
package final class ListeningSocket: Sendable {
    private let descriptor: Atomic<Int32>
    /// Where it listens, with the port that the system chose if 0 was asked for.
    package let address: SocketAddress
    private let path: String?

    /// Binds and listens. A Unix socket replaces a stale one at its path and has mode 0600; the caller
    /// holds the directory's lock, so nobody listens there.
    package init(_ address: SocketAddress, backlog: Int32 = 1024) throws(PlatformError) {
        let opened = socket(
            address.family,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
                | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard opened >= 0 else {
            throw PlatformError(errno: errno, "make a socket for", "\(address)")
        }
        let isPath = address.family == AF_UNIX
        if isPath {
            unlink(address.host)
        } else {
            // So that a restart does not wait for old connections; a live listener still refuses us.
            var on: Int32 = 1
            setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        var status = address.withRaw { raw, length in bind(opened, raw, length) }
        if status == 0, isPath { status = chmod(address.host, 0o600) }
        if status == 0 { status = listen(opened, backlog) }
        guard status == 0 else {
            let number = errno
            Glibc.close(opened)
            guard number == EADDRINUSE else {
                throw PlatformError(errno: number, "listen on", "\(address)")
            }
            let holder = PortHolder.find(port: address.port)
            throw PlatformError(
                code: .addressInUse,
                message: "port \(address.port) is taken"
                    + (holder.map { " by \($0.program) (process \($0.processID))" } ?? "")
                    + ": \(address)",
                hint: "stop the other program, or choose other ports", systemCode: number)
        }
        var bound = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let actual = withUnsafeMutablePointer(to: &bound) { pointer -> SocketAddress? in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                getsockname(opened, raw, &length) == 0 && !isPath ? SocketAddress(raw: raw) : nil
            }
        }
        descriptor = Atomic(opened)
        self.address = actual ?? address
        path = isPath ? address.host : nil
    }

    deinit { close() }

    package var rawDescriptor: Int32 { descriptor.load(ordering: .acquiring) }

    package func close() {
        let open = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        guard open >= 0 else { return }
        Glibc.close(open)
        if let path { unlink(path) }
    }

    /// The next connection, non-blocking; nil when none waits. `.tooManyOpenFiles` when the process
    /// may not open another: the caller rests before it asks again.
    package func accept() throws(PlatformError) -> Socket? {
        var storage = sockaddr_storage()
        var length = UInt32(MemoryLayout<sockaddr_storage>.size)
        while true {
            let accepted = cl_accept(rawDescriptor, &storage, &length)
            guard accepted >= 0 else {
                switch errno {
                case EINTR, ECONNABORTED, EPROTO: continue
                case EAGAIN, EBADF, EINVAL: return nil
                default: throw PlatformError(errno: errno, "accept a connection on", "\(address)")
                }
            }
            let peer = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { SocketAddress(raw: $0) }
            }
            return Socket(descriptor: accepted, peer: peer ?? address)
        }
    }
}

/// The process that listens on a TCP port, as far as `/proc` tells this user.
package struct PortHolder: Sendable, Hashable {
    package let processID: Int32
    package let program: String

    /// Looks through the listeners and then through the open files of every process.
    package static func find(port: Int) -> PortHolder? {
        let files = LocalFileSystem()
        var inodes: Set<String> = []
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let bytes = try? files.readAll(table, limit: 16 << 20) else { continue }
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ")
                // sl, local address, remote address, state (0A is LISTEN), …, inode.
                guard words.count > 9, words[3] == "0A", let colon = words[1].lastIndex(of: ":"),
                    Int(words[1][words[1].index(after: colon)...], radix: 16) == port
                else { continue }
                inodes.insert("socket:[\(words[9])]")
            }
        }
        guard !inodes.isEmpty, let processes = try? files.list("/proc") else { return nil }
        for process in processes {
            guard let id = Int32(process), let open = try? files.list("/proc/\(process)/fd") else {
                continue
            }
            for number in open {
                var text = [CChar](repeating: 0, count: 64)
                let count = readlink("/proc/\(process)/fd/\(number)", &text, 63)
                guard count > 0 else { continue }
                let target = String(
                    decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                guard inodes.contains(target) else { continue }
                let name = (try? files.readAll("/proc/\(process)/comm", limit: 256)) ?? []
                let program = String(decoding: name.prefix { $0 != 0x0A }, as: UTF8.self)
                return PortHolder(processID: id, program: program.isEmpty ? "?" : program)
            }
        }
        return nil
    }
}
