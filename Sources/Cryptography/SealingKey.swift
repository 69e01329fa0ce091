import COpenSSL

/// Seals secrets that must come back, such as S3 secret keys, under one key kept apart from them.
///
/// A sealed value is a version byte, 12 random bytes, the AES-256-GCM ciphertext, a tag of 16 bytes.
/// The label (what the secret belongs to) is bound in, so that two rows cannot trade their values.
/// Source: NIST SP 800-38D.
package struct SealingKey: Sendable {
    /// How long the key is.
    package static let byteCount = 32
    private static let version: UInt8 = 1
    private static let nonceByteCount = 12
    private static let tagByteCount = 16

    private let key: [UInt8]

    /// Takes exactly 32 bytes.
    package init(_ key: [UInt8]) throws(CryptographyError) {
        guard key.count == Self.byteCount else {
            throw CryptographyError(
                code: .badKey, message: "the master key must have 32 bytes, not \(key.count)",
                hint: "restore the file master.key from the backup of keys")
        }
        self.key = key
    }

    /// Seals bytes under a label.
    package func seal(
        _ secret: [UInt8], label: String
    ) throws(CryptographyError) -> [UInt8] {
        let nonce = try randomBytes(Self.nonceByteCount)
        guard let context = EVP_CIPHER_CTX_new() else { throw .openSSL("no memory to seal") }
        defer { EVP_CIPHER_CTX_free(context) }
        let label = Array(label.utf8)
        var ciphertext = [UInt8](repeating: 0, count: secret.count)
        var tag = [UInt8](repeating: 0, count: Self.tagByteCount)
        var count: Int32 = 0
        guard
            EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &count, label, Int32(label.count)) == 1,
            EVP_EncryptUpdate(context, &ciphertext, &count, secret, Int32(secret.count)) == 1,
            EVP_EncryptFinal_ex(context, nil, &count) == 1,
            lakehouse_gcm_get_tag(context, Int32(tag.count), &tag) == 1
        else { throw .openSSL("cannot seal a secret") }
        return [Self.version] + nonce + ciphertext + tag
    }

    /// Opens what `seal` made under the same label; throws `.cannotUnseal` for anything else.
    package func open(
        _ sealed: [UInt8], label: String
    ) throws(CryptographyError) -> [UInt8] {
        let overhead = 1 + Self.nonceByteCount + Self.tagByteCount
        guard sealed.count >= overhead, sealed[0] == Self.version else {
            throw Self.refusal
        }
        let nonce = Array(sealed[1...Self.nonceByteCount])
        let ciphertext = Array(
            sealed[(1 + Self.nonceByteCount)..<(sealed.count - Self.tagByteCount)])
        var tag = Array(sealed[(sealed.count - Self.tagByteCount)...])
        guard let context = EVP_CIPHER_CTX_new() else { throw .openSSL("no memory to unseal") }
        defer { EVP_CIPHER_CTX_free(context) }
        let label = Array(label.utf8)
        var secret = [UInt8](repeating: 0, count: ciphertext.count)
        var count: Int32 = 0
        guard
            EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &count, label, Int32(label.count)) == 1,
            EVP_DecryptUpdate(context, &secret, &count, ciphertext, Int32(ciphertext.count)) == 1,
            lakehouse_gcm_set_tag(context, Int32(tag.count), &tag) == 1,
            EVP_DecryptFinal_ex(context, nil, &count) == 1
        else {
            ERR_clear_error()
            throw Self.refusal
        }
        return secret
    }

    private static let refusal = CryptographyError(
        code: .cannotUnseal, message: "a sealed secret does not open",
        hint: "the file master.key is not the one it was sealed with; restore that one")
}
