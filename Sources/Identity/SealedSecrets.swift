import Cryptography

extension IdentityRegistry {
    /// Seals a secret of another domain under the master key. `label` says what the secret belongs to
    /// and is bound in.
    package func seal(_ secret: [UInt8], label: String) throws -> [UInt8] {
        try sealingKey.seal(secret, label: label)
    }

    /// Opens what `seal` made under the same label.
    package func unseal(_ sealed: [UInt8], label: String) throws -> [UInt8] {
        try sealingKey.open(sealed, label: label)
    }
}
