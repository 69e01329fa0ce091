import Synchronization
package import Authority
package import Cryptography
package import JSON
import SQLite

extension IdentityRegistry {
    /// Makes a new signing key. Old ones verify what they signed until it has expired.
    package func rotateSigningKey(_ context: RequestContext) throws {
        try requireAdministration(context, "signing-keys", "current")
        let key = try SigningKey.generate(configuration.signatureAlgorithm)
        try database.write { tx in
            try tx.run(
                "UPDATE signing_keys SET retired_us = ? WHERE retired_us IS NULL",
                tx.nowMicroseconds)
            try keep(key, tx)
            try emit(tx, context, "identity.signing_key.rotated", "signing-keys", key.id)
            changed(tx)
        }
    }

    /// The keys that verify tokens.
    package func verificationKeys() throws -> [VerificationKey] {
        try snapshot().verificationKeys.values.sorted { $0.id < $1.id }
    }

    /// The JSON Web Key Set. Source: RFC 7517 section 5.
    package func keySet() throws -> JSONValue {
        let keys = try verificationKeys().map { key -> JSONValue in
            .object(
                key.members.map { ($0.name, .string($0.value)) } + [
                    ("alg", .string(key.algorithm.rawValue)), ("kid", .string(key.id)),
                    ("use", "sig"),
                ])
        }
        return .object([("keys", .array(keys))])
    }

    // MARK: Within the module

    func keep(_ key: SigningKey, _ tx: WriteTransaction) throws {
        let sealed = try sealingKey.seal(
            Array(key.privateKeyPEM().utf8), label: "signing key \(key.id)")
        try tx.run(
            "INSERT INTO signing_keys (id, algorithm, sealed_key, created_us) VALUES (?, ?, ?, ?)",
            key.id, key.algorithm.rawValue, sealed, tx.nowMicroseconds)
    }

    func openSigningKey(id: String, sealed: [UInt8]) throws -> SigningKey {
        if let known = memory.withLock({ $0.signingKeys[id] }) { return known }
        let pem = try sealingKey.open(sealed, label: "signing key \(id)")
        let key = try SigningKey(privateKeyPEM: String(decoding: pem, as: UTF8.self))
        memory.withLock { $0.signingKeys[id] = key }
        return key
    }
}
