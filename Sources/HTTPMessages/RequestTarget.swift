/// The second word of a request line. Source: RFC 9112, section 3.2.
enum RequestTarget {
    static func parse(
        _ bytes: UnsafeRawBufferPointer, method: Method
    ) throws(RequestRefusal) -> (path: String, query: String, authority: String?) {
        guard let first = bytes.first else { throw RequestRefusal(400, "the target is empty") }
        try check(bytes)
        if method.rawValue == "CONNECT" { throw RequestRefusal(501, "CONNECT is not offered") }
        if first == 0x2F {
            let (path, query) = split(bytes)
            return (path, query, nil)
        }
        if first == 0x2A, bytes.count == 1, method == .options { return ("*", "", nil) }
        // The absolute form, as proxies send it.
        for scheme in ["http://", "https://"] where startsIgnoringCase(bytes, scheme) {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[scheme.utf8.count...])
            let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F } ?? rest.count
            let authority = String(decoding: rest[..<end], as: UTF8.self)
            guard HostName.isValid(authority) else {
                throw RequestRefusal(400, "the target's host is malformed")
            }
            let (path, query) = split(UnsafeRawBufferPointer(rebasing: rest[end...]))
            return (path.isEmpty ? "/" : path, query, authority)
        }
        throw RequestRefusal(400, "the target is neither a path nor a URL")
    }

    /// Visible ASCII without a fragment, every escape complete.
    private static func check(_ bytes: UnsafeRawBufferPointer) throws(RequestRefusal) {
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte <= 0x20 || byte >= 0x7F {
                throw RequestRefusal(400, "the target has a forbidden character")
            }
            if byte == 0x23 { throw RequestRefusal(400, "the target has a fragment") }
            if byte == 0x25 {
                guard at + 2 < bytes.count, ByteClass.hexValue(bytes[at + 1]) != nil,
                    ByteClass.hexValue(bytes[at + 2]) != nil
                else { throw RequestRefusal(400, "the target has a broken percent escape") }
            }
            at += 1
        }
    }

    private static func split(_ bytes: UnsafeRawBufferPointer) -> (String, String) {
        guard let mark = bytes.firstIndex(of: 0x3F) else {
            return (String(decoding: bytes, as: UTF8.self), "")
        }
        return (
            String(decoding: bytes[..<mark], as: UTF8.self),
            String(decoding: bytes[(mark + 1)...], as: UTF8.self)
        )
    }

    private static func startsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ prefix: String)
        -> Bool
    {
        bytes.count >= prefix.utf8.count
            && zip(bytes, prefix.utf8).allSatisfy {
                $0 == $1 || ($0 | 0x20) == $1 && (0x61...0x7A).contains($1)
            }
    }
}

/// What may stand in a Host field. Source: RFC 3986, section 3.2.2, without user names.
package enum HostName {
    /// A name, an IPv4 address, or an IPv6 address in brackets, and maybe a port.
    package static func isValid(_ text: String) -> Bool {
        guard let (host, port) = split(text) else { return false }
        if let port, !port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) || port.utf8.count > 5 {
            return false
        }
        let bytes = host.utf8
        guard let first = bytes.first else { return false }
        if first == 0x5B {
            return bytes.count > 3
                && bytes.dropFirst().dropLast().allSatisfy {
                    ByteClass.hexValue($0) != nil || $0 == 0x3A || $0 == 0x2E
                }
        }
        // Names as resolvers take them, and the underscore that container networks use.
        return bytes.count <= 255
            && bytes.allSatisfy {
                ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x2E
                    || $0 == 0x5F
            }
    }

    /// Takes the port off; nil when the brackets do not match.
    package static func split(_ text: String) -> (host: String, port: String?)? {
        if text.utf8.first == 0x5B {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            let after = text.index(after: bracket)
            if after == text.endIndex { return (text, nil) }
            guard text[after] == ":" else { return nil }
            return (String(text[..<after]), String(text[text.index(after: after)...]))
        }
        guard let colon = text.firstIndex(of: ":") else { return (text, nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}
