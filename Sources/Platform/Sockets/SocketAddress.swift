import CLinux
import Glibc

/// Where a socket listens or connects to: IPv4, IPv6, or a path.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    private enum Form: Sendable, Hashable {
        case internet(bytes: [UInt8], port: UInt16, scope: UInt32)
        case path(String)
    }
    private let form: Form

    private init(form: Form) { self.form = form }

    /// A Unix socket at a path of at most 107 bytes.
    package static func unix(_ path: String) throws(PlatformError) -> SocketAddress {
        guard path.utf8.count <= 107, !path.utf8.contains(0), !path.isEmpty else {
            throw PlatformError(
                code: .invalidArgument, message: "a socket's path has 1 to 107 bytes: \(path)",
                hint: "use a data directory with a shorter path")
        }
        return SocketAddress(form: .path(path))
    }

    /// What the name stands for: a numeric address without asking anybody, otherwise by the resolver
    /// (which may block). `*` and the empty host mean every interface.
    package static func resolve(host: String, port: Int) throws(PlatformError) -> [SocketAddress] {
        guard let port = UInt16(exactly: port) else {
            throw PlatformError(code: .invalidArgument, message: "a port is 0 to 65535: \(port)")
        }
        let wanted = host.isEmpty || host == "*" ? "0.0.0.0" : host
        let bare =
            wanted.hasPrefix("[") && wanted.hasSuffix("]")
            ? String(wanted.dropFirst().dropLast()) : wanted
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        var status = getaddrinfo(bare, nil, &hints, &list)
        if status == EAI_NONAME {
            hints.ai_flags = 0
            status = getaddrinfo(bare, nil, &hints, &list)
        }
        guard status == 0 else {
            throw PlatformError(
                code: .notFound, message: "cannot resolve the host name: \(host)",
                hint: "give an address or a name that the resolver knows")
        }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let raw = entry.pointee.ai_addr, let address = SocketAddress(raw: raw, port: port) {
                found.append(address)
            }
            next = entry.pointee.ai_next
        }
        return found
    }

    init?(raw: UnsafePointer<sockaddr>, port: UInt16? = nil) {
        switch Int32(raw.pointee.sa_family) {
        case AF_INET:
            let address = UnsafeRawPointer(raw).loadUnaligned(as: sockaddr_in.self)
            let bytes = withUnsafeBytes(of: address.sin_addr) { Array($0) }
            form = .internet(
                bytes: bytes, port: port ?? UInt16(bigEndian: address.sin_port), scope: 0)
        case AF_INET6:
            let address = UnsafeRawPointer(raw).loadUnaligned(as: sockaddr_in6.self)
            let bytes = withUnsafeBytes(of: address.sin6_addr) { Array($0) }
            form = .internet(
                bytes: bytes, port: port ?? UInt16(bigEndian: address.sin6_port),
                scope: address.sin6_scope_id)
        case AF_UNIX: form = .path("")
        default: return nil
        }
    }

    var family: Int32 {
        switch form {
        case .internet(let bytes, _, _): bytes.count == 4 ? AF_INET : AF_INET6
        case .path: AF_UNIX
        }
    }

    /// The port; 0 for a path.
    package var port: Int {
        if case .internet(_, let port, _) = form { Int(port) } else { 0 }
    }

    /// The address without the port: numeric, or the path. IPv4 in IPv6 is given as IPv4.
    package var host: String {
        switch form {
        case .path(let path): return path
        case .internet(var bytes, _, _):
            if bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 255,
                bytes[11] == 255
            {
                bytes = Array(bytes[12...])
            }
            if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
            var text = [CChar](repeating: 0, count: 64)
            guard inet_ntop(AF_INET6, bytes, &text, 64) != nil else { return "?" }
            return String(
                decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    package var isLoopback: Bool {
        switch form {
        case .path: return true
        case .internet(let bytes, _, _):
            if bytes.count == 4 { return bytes[0] == 127 }
            return host == "::1" || host.hasPrefix("127.")
        }
    }

    package var description: String {
        switch form {
        case .path(let path): path
        case .internet: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// Lends the address in the system's form.
    func withRaw<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { raw -> Int in
            switch form {
            case .internet(let bytes, let port, let scope):
                if bytes.count == 4 {
                    var address = sockaddr_in()
                    address.sin_family = sa_family_t(AF_INET)
                    address.sin_port = port.bigEndian
                    withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
                    raw.storeBytes(of: address, as: sockaddr_in.self)
                    return MemoryLayout<sockaddr_in>.size
                }
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                address.sin6_scope_id = scope
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
                raw.storeBytes(of: address, as: sockaddr_in6.self)
                return MemoryLayout<sockaddr_in6>.size
            case .path(let path):
                raw.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
                let start = MemoryLayout<sa_family_t>.size
                // `unix` has checked the length; the rest of the storage is zero.
                UnsafeMutableRawBufferPointer(rebasing: raw[start...]).copyBytes(
                    from: path.utf8.prefix(107))
                return start + path.utf8.count + 1
            }
        }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }
}
