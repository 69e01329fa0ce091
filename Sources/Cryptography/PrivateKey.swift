import COpenSSL

/// An OpenSSL key with its owner count; reading and signing are safe from many threads.
final class PrivateKey: Sendable {
    // Safe because the key is never changed after `init`, and OpenSSL locks its own caches.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Takes ownership.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    /// Reads an unencrypted private key.
    convenience init(pem: String) throws(CryptographyError) {
        let key = pem.withMemoryBIO { PEM_read_bio_PrivateKey($0, nil, nil, nil) }
        guard let key else {
            throw .openSSL(
                "the private key cannot be read", code: .badKey,
                hint: "it must be an unencrypted PEM block")
        }
        self.init(owning: key)
    }

    /// Reads a public key.
    static func publicKey(pem: String) throws(CryptographyError) -> PrivateKey {
        let key = pem.withMemoryBIO { PEM_read_bio_PUBKEY($0, nil, nil, nil) }
        guard let key else { throw .openSSL("the public key cannot be read", code: .badKey) }
        return PrivateKey(owning: key)
    }

    static func rsa(bits: UInt32) throws(CryptographyError) -> PrivateKey {
        guard let key = lakehouse_rsa_generate(bits) else {
            throw .openSSL("cannot generate an RSA key")
        }
        return PrivateKey(owning: key)
    }

    static func p256() throws(CryptographyError) -> PrivateKey {
        guard let key = lakehouse_p256_generate() else {
            throw .openSSL("cannot generate a P-256 key")
        }
        return PrivateKey(owning: key)
    }

    deinit { EVP_PKEY_free(pointer) }

    /// PKCS #8, unencrypted.
    func privatePEM() throws(CryptographyError) -> String {
        let text = textOfMemoryBIO {
            PEM_write_bio_PKCS8PrivateKey($0, pointer, nil, nil, 0, nil, nil) == 1
        }
        guard let text else { throw .openSSL("cannot write the private key") }
        return text
    }

    /// SubjectPublicKeyInfo.
    func publicPEM() throws(CryptographyError) -> String {
        guard let text = textOfMemoryBIO({ PEM_write_bio_PUBKEY($0, pointer) == 1 }) else {
            throw .openSSL("cannot write the public key")
        }
        return text
    }

    /// A number of the key, big-endian, padded to `byteCount` if that is longer.
    func number(_ name: String, byteCount: Int = 0) -> [UInt8]? {
        var value: OpaquePointer?
        guard EVP_PKEY_get_bn_param(pointer, name, &value) == 1, let value else { return nil }
        defer { BN_free(value) }
        let size = max(byteCount, Int(BN_num_bits(value) + 7) / 8)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = Int(max(0, BN_bn2binpad(value, buffer.baseAddress, Int32(size))))
        }
    }
}

extension String {
    /// Runs `body` on a read-only OpenSSL stream over the text.
    func withMemoryBIO<Result>(_ body: (OpaquePointer) -> Result?) -> Result? {
        var text = self
        return text.withUTF8 { utf8 -> Result? in
            guard utf8.count <= Int(Int32.max),
                let bio = BIO_new_mem_buf(utf8.baseAddress, Int32(utf8.count))
            else { return nil }
            defer { BIO_free(bio) }
            return body(bio)
        }
    }
}

/// What `write` puts on an OpenSSL stream, as text; nil when it says that it failed.
func textOfMemoryBIO(_ write: (OpaquePointer) -> Bool) -> String? {
    guard let bio = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(bio) }
    guard write(bio) else { return nil }
    let waiting = BIO_ctrl_pending(bio)
    let bytes = [UInt8](unsafeUninitializedCapacity: waiting) { buffer, count in
        var read = 0
        count = BIO_read_ex(bio, buffer.baseAddress, waiting, &read) == 1 ? read : 0
    }
    return String(decoding: bytes, as: UTF8.self)
}
