import Bytes
import COpenSSL

/// How JSON Web Signatures are made. Source: RFC 7518 section 3.1.
package enum SignatureAlgorithm: String, Sendable, CaseIterable {
    /// RSA 2048 with SHA-256, PKCS #1 v1.5: what every client can verify.
    case rs256 = "RS256"
    /// P-256 with SHA-256.
    case es256 = "ES256"
}

/// A private key that signs tokens.
package struct SigningKey: Sendable {
    private let key: PrivateKey
    /// The half that others get.
    package let verificationKey: VerificationKey

    package var algorithm: SignatureAlgorithm { verificationKey.algorithm }
    /// The `kid` of tokens: the key's thumbprint.
    package var id: String { verificationKey.id }

    /// Makes a new key. RS256 takes tens of milliseconds.
    package static func generate(
        _ algorithm: SignatureAlgorithm
    ) throws(CryptographyError) -> SigningKey {
        switch algorithm {
        case .rs256: try SigningKey(key: .rsa(bits: 2048))
        case .es256: try SigningKey(key: .p256())
        }
    }

    /// Reads a key that was kept.
    package init(privateKeyPEM: String) throws(CryptographyError) {
        try self.init(key: PrivateKey(pem: privateKeyPEM))
    }

    private init(key: PrivateKey) throws(CryptographyError) {
        self.key = key
        verificationKey = try VerificationKey(key: key)
    }

    /// PKCS #8, unencrypted: seal it before it is kept.
    package func privateKeyPEM() throws(CryptographyError) -> String { try key.privatePEM() }

    /// The signature as JWS wants it: ES256 as two numbers of 32 bytes, not as DER.
    package func sign(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .openSSL("no memory for a signature") }
        defer { EVP_MD_CTX_free(context) }
        var count = 0
        guard
            EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key.pointer) == 1,
            EVP_DigestSign(context, nil, &count, message, message.count) == 1
        else { throw .openSSL("cannot sign") }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            throw .openSSL("cannot sign")
        }
        signature.removeLast(signature.count - count)
        return algorithm == .rs256 ? signature : try Self.joined(signature)
    }

    /// Turns the DER form of an ECDSA signature into its two numbers.
    private static func joined(_ der: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let numbers = der.withUnsafeBufferPointer { buffer -> [UInt8]? in
            var next = buffer.baseAddress
            guard let parsed = d2i_ECDSA_SIG(nil, &next, der.count) else { return nil }
            defer { ECDSA_SIG_free(parsed) }
            var numbers = [UInt8](repeating: 0, count: 64)
            let isPadded = numbers.withUnsafeMutableBufferPointer { target in
                BN_bn2binpad(ECDSA_SIG_get0_r(parsed), target.baseAddress, 32) == 32
                    && BN_bn2binpad(ECDSA_SIG_get0_s(parsed), target.baseAddress! + 32, 32) == 32
            }
            return isPadded ? numbers : nil
        }
        guard let numbers else { throw .openSSL("cannot sign") }
        return numbers
    }
}

/// A public key that verifies tokens.
package struct VerificationKey: Sendable {
    private let key: PrivateKey
    package let algorithm: SignatureAlgorithm
    /// The thumbprint of RFC 7638: base64url of SHA-256 over the required members.
    package let id: String
    /// The members that JWK requires for the kind of key, by name: `e`, `kty`, `n` or `crv`, `kty`,
    /// `x`, `y`. Source: RFC 7518 section 6.
    package let members: [(name: String, value: String)]

    /// Reads a public key in PEM form.
    package init(publicKeyPEM: String) throws(CryptographyError) {
        try self.init(key: .publicKey(pem: publicKeyPEM))
    }

    init(key: PrivateKey) throws(CryptographyError) {
        self.key = key
        func text(_ name: String, byteCount: Int = 0) throws(CryptographyError) -> String {
            guard let number = key.number(name, byteCount: byteCount) else {
                throw .openSSL("the key has no \(name)", code: .badKey)
            }
            return base64Text(number, alphabet: .url)
        }
        if EVP_PKEY_is_a(key.pointer, "RSA") == 1 {
            guard EVP_PKEY_get_bits(key.pointer) >= 2048 else {
                throw CryptographyError(
                    code: .badKey, message: "an RSA key must have at least 2048 bits",
                    hint: "make a new key")
            }
            algorithm = .rs256
            members = [("e", try text("e")), ("kty", "RSA"), ("n", try text("n"))]
        } else if EVP_PKEY_is_a(key.pointer, "EC") == 1, EVP_PKEY_get_bits(key.pointer) == 256 {
            algorithm = .es256
            members = [
                ("crv", "P-256"), ("kty", "EC"), ("x", try text("qx", byteCount: 32)),
                ("y", try text("qy", byteCount: 32)),
            ]
        } else {
            throw CryptographyError(
                code: .badKey, message: "the key is neither RSA nor P-256",
                hint: "make a key with RS256 or ES256")
        }
        // The names are in order and the values need no escapes, so this is the canonical JSON.
        let canonical = members.map { "\"\($0.name)\":\"\($0.value)\"" }.joined(separator: ",")
        id = base64Text(Digest.sha256("{\(canonical)}"), alphabet: .url)
    }

    /// The key in PEM form.
    package func publicKeyPEM() throws(CryptographyError) -> String { try key.publicPEM() }

    /// Whether the JWS signature belongs to the message. Never throws: a broken one is a wrong one.
    package func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let wire = algorithm == .rs256 ? signature : Self.encoded(signature),
            let context = EVP_MD_CTX_new()
        else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key.pointer) == 1
            && EVP_DigestVerify(context, wire, wire.count, message, message.count) == 1
    }

    /// Turns the two numbers of an ECDSA signature into the DER form that OpenSSL reads.
    private static func encoded(_ numbers: [UInt8]) -> [UInt8]? {
        guard numbers.count == 64, let parsed = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(parsed) }
        guard let r = BN_bin2bn(Array(numbers[..<32]), 32, nil) else { return nil }
        guard let s = BN_bin2bn(Array(numbers[32...]), 32, nil) else {
            BN_free(r)
            return nil
        }
        // Takes both numbers.
        guard ECDSA_SIG_set0(parsed, r, s) == 1 else {
            BN_free(r)
            BN_free(s)
            return nil
        }
        let count = i2d_ECDSA_SIG(parsed, nil)
        guard count > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            var next = buffer.baseAddress
            filled = Int(max(0, i2d_ECDSA_SIG(parsed, &next)))
        }
    }
}
