import COpenSSL

/// A digest that is fed piece by piece. A plain value: a copy continues on its own.
///
/// Source: RFC 1321 (MD5), FIPS 180-4 (SHA).
package struct Digest: Sendable {
    /// Which function. MD5 and SHA-1 are for wires that demand them (ETags, checksums), never secrets.
    package enum Algorithm: Sendable, CaseIterable {
        case md5, sha1, sha256, sha512

        /// How long a digest is.
        package var byteCount: Int {
            switch self {
            case .md5: 16
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        }

        /// How long a block is, which HMAC pads keys to.
        var blockByteCount: Int { self == .sha512 ? 128 : 64 }
    }

    private enum State {
        case md5(MD5_CTX)
        case sha1(SHA_CTX)
        case sha256(SHA256_CTX)
        case sha512(SHA512_CTX)
    }

    package let algorithm: Algorithm
    private var state: State

    /// Starts an empty message.
    package init(_ algorithm: Algorithm) {
        self.algorithm = algorithm
        switch algorithm {
        case .md5:
            var context = MD5_CTX()
            MD5_Init(&context)
            state = .md5(context)
        case .sha1:
            var context = SHA_CTX()
            SHA1_Init(&context)
            state = .sha1(context)
        case .sha256:
            var context = SHA256_CTX()
            SHA256_Init(&context)
            state = .sha256(context)
        case .sha512:
            var context = SHA512_CTX()
            SHA512_Init(&context)
            state = .sha512(context)
        }
    }

    /// Adds bytes to the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        switch state {
        case .md5(var context):
            MD5_Update(&context, base, bytes.count)
            state = .md5(context)
        case .sha1(var context):
            SHA1_Update(&context, base, bytes.count)
            state = .sha1(context)
        case .sha256(var context):
            SHA256_Update(&context, base, bytes.count)
            state = .sha256(context)
        case .sha512(var context):
            SHA512_Update(&context, base, bytes.count)
            state = .sha512(context)
        }
    }

    /// Adds bytes to the message.
    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Adds bytes to the message.
    package mutating func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Adds the UTF-8 of a text to the message.
    package mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The digest of what came so far; more may follow.
    package func value() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { buffer, count in
            write(to: buffer.baseAddress!)
            count = algorithm.byteCount
        }
    }

    /// Writes `algorithm.byteCount` bytes to `target`.
    func write(to target: UnsafeMutablePointer<UInt8>) {
        switch state {
        case .md5(var context): MD5_Final(target, &context)
        case .sha1(var context): SHA1_Final(target, &context)
        case .sha256(var context): SHA256_Final(target, &context)
        case .sha512(var context): SHA512_Final(target, &context)
        }
    }
}

extension Digest {
    /// The digest of one message.
    package static func hash(_ algorithm: Algorithm, _ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = Digest(algorithm)
        digest.update(bytes)
        return digest.value()
    }

    /// The digest of one message.
    package static func hash(_ algorithm: Algorithm, _ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { hash(algorithm, $0) }
    }

    /// The digest of the UTF-8 of one text.
    package static func hash(_ algorithm: Algorithm, _ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { hash(algorithm, UnsafeRawBufferPointer($0)) }
    }

    /// MD5 of one message, for ETags.
    package static func md5(_ bytes: [UInt8]) -> [UInt8] { hash(.md5, bytes) }
    /// SHA-1 of one message.
    package static func sha1(_ bytes: [UInt8]) -> [UInt8] { hash(.sha1, bytes) }
    /// SHA-256 of one message.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { hash(.sha256, bytes) }
    /// SHA-256 of the UTF-8 of one text.
    package static func sha256(_ text: String) -> [UInt8] { hash(.sha256, text) }
    /// SHA-512 of one message.
    package static func sha512(_ bytes: [UInt8]) -> [UInt8] { hash(.sha512, bytes) }
}
