package import Cryptography
import Diagnostics

/// What an operator may set about people, tokens and sessions.
package struct IdentityConfiguration: Sendable {
    /// The `iss` of tokens: the public URL with `/oidc`.
    package var issuer = "http://localhost:8080/oidc"
    /// The `aud` of access tokens.
    package var audience = "lakehouse"
    package var accessTokenLifetime: Duration = .seconds(3600)
    package var refreshTokenLifetime: Duration = .seconds(30 * 86_400)
    package var sessionLifetime: Duration = .seconds(12 * 3600)
    package var authorizationCodeLifetime: Duration = .seconds(60)
    package var deviceCodeLifetime: Duration = .seconds(600)
    package var loginLinkLifetime: Duration = .seconds(15 * 60)
    package var applicationCredentialLifetime: Duration = .seconds(30 * 86_400)
    package var temporaryCredentialLifetime: Duration = .seconds(3600)
    package var signatureAlgorithm = SignatureAlgorithm.rs256
    package var passwordCost = PasswordHash.Cost.standard
    package var minimumPasswordLength = 8
    /// Nobody but the appliance itself may change anything: a backup that somebody looks into.
    package var refusesChanges = false

    package init() {}

    /// The settings that cannot work.
    package func validate() -> [IdentityError] {
        var faults: [IdentityError] = []
        if !issuer.hasPrefix("http://") && !issuer.hasPrefix("https://") || issuer.hasSuffix("/") {
            faults.append(
                IdentityError(
                    code: .invalidValue,
                    message: "the issuer is not a plain http(s) URL: \(issuer)",
                    hint: "set public-url to something like https://lake.example.org"))
        }
        let lifetimes: [(String, Duration)] = [
            ("access token", accessTokenLifetime), ("refresh token", refreshTokenLifetime),
            ("session", sessionLifetime), ("login link", loginLinkLifetime),
        ]
        for (name, lifetime) in lifetimes where lifetime < .seconds(10) {
            faults.append(
                IdentityError(
                    code: .invalidValue, message: "the \(name) lifetime is under 10 seconds",
                    hint: "give a longer one"))
        }
        return faults
    }
}

/// The module's limits.
enum Limits {
    static let nameBytes = 128
    static let textBytes = 1024
    static let passwordBytes = 1024
    static let tokenBytes = 16 * 1024
    static let redirectURIs = 32
    static let grantsPerRole = 256
    static let policyBytes = 64 * 1024
    static let accessKeysPerAccount = 100
    /// How long an expired key or application credential is still known by its name.
    static let expiredKeptMicroseconds: Int64 = 7 * 86_400 * 1_000_000
    /// Verified tokens that are remembered, so that a request costs no RSA.
    static let verifiedTokens = 4096
    /// Names and addresses that the throttle remembers.
    static let throttleEntries = 16 * 1024
    /// Hashings of passwords at one time: each takes 32 MiB.
    static let concurrentHashes = 2
}
