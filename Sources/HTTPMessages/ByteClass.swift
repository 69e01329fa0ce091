/// Which bytes may stand where in a head. Source: RFC 9110, section 5.6.2; RFC 9112, section 5.
enum ByteClass {
    /// A bit a byte for 0 to 127: letters, digits and `!#$%&'*+-.^_`|~`.
    private static let tokenLow: UInt64 = {
        var bits: UInt64 = 0
        for byte in Array("!#$%&'*+-.0123456789".utf8) { bits |= 1 << UInt64(byte) }
        return bits
    }()
    private static let tokenHigh: UInt64 = {
        var bits: UInt64 = 0
        for byte in Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~".utf8) {
            bits |= 1 << UInt64(byte - 64)
        }
        return bits
    }()

    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        // Letters, digits and the hyphen first: they are nearly all of every name.
        if (byte | 0x20) &- 0x61 < 26 || byte == 0x2D || byte &- 0x30 < 10 { return true }
        if byte < 64 { return tokenLow >> UInt64(byte) & 1 == 1 }
        return byte < 128 && tokenHigh >> UInt64(byte - 64) & 1 == 1
    }

    /// Control characters but the tab; bytes from 0x80 on are checked as UTF-8.
    @inline(__always)
    static func isForbiddenInValue(_ byte: UInt8) -> Bool {
        (byte < 0x20 && byte != 0x09) || byte == 0x7F
    }

    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    /// Fields that would change how the head was read. Source: RFC 9110, section 6.5.1.
    static let neverInTrailers = [
        "Content-Length", "Transfer-Encoding", "Host", "Connection", "Trailer", "TE", "Expect",
        "Authorization",
        "Cookie", "Content-Type", "Content-Encoding", "Content-Range", "Cache-Control", "Range",
    ]
}
