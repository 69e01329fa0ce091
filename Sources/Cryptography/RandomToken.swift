import COpenSSL

/// So many unpredictable bytes, from the generator that getrandom(2) seeds.
package func randomBytes(_ count: Int) throws(CryptographyError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else {
        throw .openSSL("the system gives no randomness")
    }
    return bytes
}

/// Base64 in the alphabet of URLs, without padding. Source: RFC 4648 section 5.
package enum Base64URL {
    /// The text of the bytes.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        let alphabet: StaticString =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var window: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes {
            window = window << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet.utf8Start[Int(window >> bits & 63)])
            }
            window &= (1 << bits) - 1
        }
        if bits > 0 { text.append(alphabet.utf8Start[Int(window << (6 - bits) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of the text; nil for any foreign character, padding, or bits left over.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count * 3 / 4)
        var window: UInt32 = 0
        var bits: UInt32 = 0
        for letter in text.utf8 {
            let value: UInt8
            switch letter {
            case 0x41...0x5A: value = letter - 0x41
            case 0x61...0x7A: value = letter - 0x61 + 26
            case 0x30...0x39: value = letter - 0x30 + 52
            case 0x2D: value = 62
            case 0x5F: value = 63
            default: return nil
            }
            window = window << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: window >> bits))
                window &= (1 << bits) - 1
            }
        }
        // One letter too many, or bits that no encoder sets: not canonical, so two texts would be one.
        return bits >= 6 || window != 0 ? nil : bytes
    }
}
