import Bytes
import COpenSSL

/// What is kept of a password or a client's secret: enough to check it, not to know it.
///
/// The text form is `$scrypt$ln=15,r=8,p=1$salt$key` for what people choose, and `$sha256$key` for
/// secrets of at least 128 random bits, where a slow function would only slow us down.
/// Source: RFC 7914; the form follows the PHC string format.
package struct PasswordHash: Sendable, Hashable {
    /// What scrypt costs: memory is 128 · r · 2^ln bytes.
    package struct Cost: Sendable, Hashable {
        package var logN: Int
        package var r: Int
        package var p: Int

        package init(logN: Int, r: Int, p: Int) {
            self.logN = logN
            self.r = r
            self.p = p
        }

        /// 32 MiB and some 60 ms.
        package static let standard = Cost(logN: 15, r: 8, p: 1)
        /// For tests, where thousands are made.
        package static let weak = Cost(logN: 4, r: 1, p: 1)

        /// A kept text must not make us work for minutes.
        var isBearable: Bool {
            (1...20).contains(logN) && (1...32).contains(r) && (1...16).contains(p)
        }
    }

    private enum Scheme: Hashable, Sendable {
        case scrypt(Cost, salt: [UInt8], key: [UInt8])
        case sha256([UInt8])
    }

    private let scheme: Scheme

    /// Hashes a password under a salt of 16 random bytes.
    package init(
        password: String, salt: [UInt8], cost: Cost = .standard
    ) throws(CryptographyError) {
        let key = try Self.scrypt(
            Array(password.utf8), salt: salt, cost: cost, byteCount: 32)
        scheme = .scrypt(cost, salt: salt, key: key)
    }

    /// Digests a secret that a generator made.
    package init(generatedSecret: String) { scheme = .sha256(Digest.sha256(generatedSecret)) }

    /// Reads the text form.
    package init(text: String) throws(CryptographyError) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        if parts.count == 3, parts[1] == "sha256",
            let key = base64Bytes(parts[2], alphabet: .url), key.count == 32
        {
            scheme = .sha256(key)
            return
        }
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
            let cost = Self.cost(parts[2]), cost.isBearable,
            let salt = base64Bytes(parts[3], alphabet: .url),
            let key = base64Bytes(parts[4], alphabet: .url), key.count == 32
        else {
            throw CryptographyError(
                code: .badPasswordHash, message: "a kept password cannot be read",
                hint: "set the password again")
        }
        scheme = .scrypt(cost, salt: salt, key: key)
    }

    /// The form that is kept.
    package var text: String {
        switch scheme {
        case .scrypt(let cost, let salt, let key):
            "$scrypt$ln=\(cost.logN),r=\(cost.r),p=\(cost.p)$"
                + base64Text(salt, alphabet: .url) + "$" + base64Text(key, alphabet: .url)
        case .sha256(let key): "$sha256$" + base64Text(key, alphabet: .url)
        }
    }

    /// Whether this is the password. Takes as long as its making did.
    package func matches(_ password: String) -> Bool {
        switch scheme {
        case .scrypt(let cost, let salt, let key):
            guard
                let candidate = try? Self.scrypt(
                    Array(password.utf8), salt: salt, cost: cost, byteCount: key.count)
            else { return false }
            return constantTimeEqual(candidate, key)
        case .sha256(let key): return constantTimeEqual(Digest.sha256(password), key)
        }
    }

    /// Derives a key from a password.
    package static func scrypt(
        _ password: [UInt8], salt: [UInt8], cost: Cost, byteCount: Int
    ) throws(CryptographyError) -> [UInt8] {
        guard cost.isBearable, (1...1024).contains(byteCount) else {
            throw CryptographyError(
                code: .badPasswordHash, message: "scrypt parameters are out of range")
        }
        var key = [UInt8](repeating: 0, count: byteCount)
        let memory = 256 * UInt64(cost.r) * (UInt64(1) << UInt64(cost.logN)) + (1 << 20)
        let status = password.withUnsafeBytes { raw in
            // OpenSSL takes no password for another call, so an empty one needs an address.
            withUnsafeBytes(of: UInt8(0)) { empty in
                EVP_PBE_scrypt(
                    (raw.baseAddress ?? empty.baseAddress!).assumingMemoryBound(to: CChar.self),
                    raw.count, salt, salt.count, UInt64(1) << UInt64(cost.logN), UInt64(cost.r),
                    UInt64(cost.p), memory, &key, byteCount)
            }
        }
        guard status == 1 else { throw .openSSL("scrypt failed") }
        return key
    }

    /// Reads `ln=15,r=8,p=1`.
    private static func cost(_ text: Substring) -> Cost? {
        let numbers = text.split(separator: ",").map { $0.split(separator: "=") }
        guard numbers.count == 3, numbers.allSatisfy({ $0.count == 2 }),
            numbers.map({ $0[0] }) == ["ln", "r", "p"],
            let logN = Int(numbers[0][1]), let r = Int(numbers[1][1]), let p = Int(numbers[2][1])
        else { return nil }
        return Cost(logN: logN, r: r, p: p)
    }
}
