import COpenSSL

/// A keyed digest. Keeping the value keeps the padded key's state, so that many messages under one
/// key cost two blocks less each. Source: RFC 2104.
package struct HMAC: Sendable {
    private var inner: Digest
    private let outer: Digest

    /// Starts an empty message under the key.
    package init(_ algorithm: Digest.Algorithm, key: UnsafeRawBufferPointer) {
        var inner = Digest(algorithm)
        var outer = Digest(algorithm)
        let block = algorithm.blockByteCount
        withUnsafeTemporaryAllocation(byteCount: block, alignment: 8) { pad in
            pad.initializeMemory(as: UInt8.self, repeating: 0)
            if key.count > block {
                var digest = Digest(algorithm)
                digest.update(key)
                digest.write(to: pad.baseAddress!.assumingMemoryBound(to: UInt8.self))
            } else {
                pad.copyMemory(from: key)
            }
            for index in pad.indices { pad[index] ^= 0x36 }
            inner.update(UnsafeRawBufferPointer(pad))
            for index in pad.indices { pad[index] ^= 0x36 ^ 0x5C }
            outer.update(UnsafeRawBufferPointer(pad))
            OPENSSL_cleanse(pad.baseAddress, block)
        }
        self.inner = inner
        self.outer = outer
    }

    /// Starts an empty message under the key.
    package init(_ algorithm: Digest.Algorithm, key: [UInt8]) {
        self = key.withUnsafeBytes { HMAC(algorithm, key: $0) }
    }

    /// Adds bytes to the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) { inner.update(bytes) }
    /// Adds bytes to the message.
    package mutating func update(_ bytes: [UInt8]) { inner.update(bytes) }
    /// Adds the UTF-8 of a text to the message.
    package mutating func update(_ text: String) { inner.update(text) }

    /// The code of what came so far; more may follow.
    package func value() -> [UInt8] {
        let count = inner.algorithm.byteCount
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            inner.write(to: buffer.baseAddress!)
            var outer = self.outer
            outer.update(UnsafeRawBufferPointer(start: buffer.baseAddress!, count: count))
            outer.write(to: buffer.baseAddress!)
            filled = count
        }
    }
}

extension HMAC {
    /// HMAC-SHA-256 of one message: the step that SigV4 repeats.
    package static func sha256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        code(.sha256, key: key, message)
    }

    /// HMAC-SHA-256 of the UTF-8 of one text.
    package static func sha256(key: [UInt8], _ message: String) -> [UInt8] {
        var hmac = HMAC(.sha256, key: key)
        hmac.update(message)
        return hmac.value()
    }

    /// The code of one message under any of the digests.
    package static func code(
        _ algorithm: Digest.Algorithm, key: [UInt8], _ message: [UInt8]
    ) -> [UInt8] {
        var hmac = HMAC(algorithm, key: key)
        hmac.update(message)
        return hmac.value()
    }
}

/// Whether two byte strings are equal, in a time that tells nothing but their lengths.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return left.withUnsafeBytes { a in
        right.withUnsafeBytes { b in
            a.count == 0 || CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0
        }
    }
}

/// Whether two texts have the same UTF-8, in a time that tells nothing but their lengths.
package func constantTimeEqual(_ left: String, _ right: String) -> Bool {
    constantTimeEqual(Array(left.utf8), Array(right.utf8))
}
