import Synchronization
import Platform
package import Authority
import Bytes
import Cryptography
package import JSON
import SQLite

/// What an access token says. Source: RFC 9068.
package struct TokenClaims: Sendable, Hashable {
    package var id: String
    package var issuer: String
    package var subject: String
    package var audience: [String]
    package var issuedSeconds: Int64
    package var expiresSeconds: Int64
    package var clientID: String?
    package var scope: String
    package var preferredUsername: String
    package var groups: [String]
}

/// A verified bearer token: who, and what it says.
package struct BearerIdentity: Sendable {
    package let principal: Principal
    package let claims: TokenClaims
}

/// What the token endpoint gives out.
package struct IssuedTokens: Sendable {
    package let accessToken: String
    package let expiresInSeconds: Int64
    package let scope: String
    package var idToken: String?
    package var refreshToken: String?
}

extension IdentityRegistry {
    /// Issues an access token for a principal. The caller has checked the credential or the grant.
    package func issueToken(
        _ context: RequestContext, for principal: Principal, clientID: String? = nil,
        scope: String = "", lifetime: Duration? = nil
    ) throws -> IssuedTokens {
        let current = try activePrincipal(principal.id)
        let lifetime = lifetime ?? configuration.accessTokenLifetime
        let seconds = lifetime.components.seconds
        let now = clock.now().seconds
        var claims: [(String, JSONValue)] = [
            ("iss", .string(configuration.issuer)), ("sub", .string(current.id)),
            ("aud", .string(configuration.audience)), ("iat", .int(now)),
            ("exp", .int(now + seconds)),
            ("jti", .string(entropy.hex(bytes: 16))),
            ("preferred_username", .string(current.name)),
            ("groups", .array(current.groups.map { .string($0) })), ("scope", .string(scope)),
        ]
        if let clientID { claims.append(("client_id", .string(clientID))) }
        return IssuedTokens(
            accessToken: try sign(claims, type: "at+jwt"), expiresInSeconds: seconds, scope: scope)
    }

    /// Issues an ID token for a client. Source: OpenID Connect Core 1.0 section 2.
    package func issueIDToken(
        _ context: RequestContext, for principal: Principal, clientID: String, nonce: String?,
        authenticatedMicroseconds: Int64, accessToken: String
    ) throws -> String {
        let now = clock.now().seconds
        let half = Digest.sha256(accessToken).prefix(16)
        var claims: [(String, JSONValue)] = [
            ("iss", .string(configuration.issuer)), ("sub", .string(principal.id)),
            ("aud", .string(clientID)), ("iat", .int(now)),
            ("exp", .int(now + configuration.accessTokenLifetime.components.seconds)),
            ("auth_time", .int(authenticatedMicroseconds / 1_000_000)),
            ("at_hash", .string(base64Text(Array(half), alphabet: .url))),
        ]
        if let nonce { claims.append(("nonce", .string(nonce))) }
        claims += try userClaims(principal.id).filter { $0.0 != "sub" }
        return try sign(claims, type: "JWT")
    }

    /// What OpenID clients may know of a person: `sub`, names, email, groups.
    package func userClaims(_ accountID: String) throws -> [(String, JSONValue)] {
        guard let account = try snapshot().accounts[accountID] else {
            throw IdentityError.wrongCredentials
        }
        var claims: [(String, JSONValue)] = [
            ("sub", .string(accountID)), ("preferred_username", .string(account.principal.name)),
            (
                "name",
                .string(account.displayName.isEmpty ? account.principal.name : account.displayName)
            ),
            ("groups", .array(account.principal.groups.map { .string($0) })),
        ]
        if let email = account.email { claims.append(("email", .string(email))) }
        return claims
    }

    /// Who a bearer token stands for. Throws `.invalidToken` or `.expiredToken`.
    package func authenticate(
        _ context: RequestContext, bearer token: String
    ) throws -> BearerIdentity {
        let claims = try verify(token)
        let snapshot = try snapshot()
        guard claims.expiresSeconds > clock.now().seconds else {
            throw IdentityError(
                code: .expiredToken, message: "the access token has expired",
                hint: "ask the token endpoint for a new one")
        }
        guard !snapshot.revokedTokens.contains(claims.id) else {
            throw invalidToken("it was revoked")
        }
        guard TokenScope.opens(context.door, claims.scope) else {
            throw IdentityError(
                code: .invalidToken,
                message: "the access token does not open this door: \(context.door.rawValue)",
                hint: "ask for a token without door: words in its scope, or with "
                    + "door:\(context.door.rawValue)")
        }
        guard let account = snapshot.accounts[claims.subject], !account.isDisabled else {
            throw invalidToken("its account is gone or disabled")
        }
        touch(.account(claims.subject))
        return BearerIdentity(principal: account.principal, claims: claims)
    }

    /// Makes an access token void before its time; other texts are ignored. Source: RFC 7009.
    package func revoke(_ context: RequestContext, accessToken: String) throws {
        guard let claims = try? verify(accessToken) else { return }
        try database.write { tx in
            try tx.run(
                "INSERT OR IGNORE INTO revoked_tokens VALUES (?, ?)", claims.id,
                claims.expiresSeconds &* 1_000_000)
            try emit(tx, context, "identity.token.revoked", "users", claims.preferredUsername)
            changed(tx)
        }
    }

    // MARK: The compact form (RFC 7515)

    private func sign(_ claims: [(String, JSONValue)], type: String) throws -> String {
        guard let key = try snapshot().signingKey else {
            throw IdentityError(code: .notFound, message: "there is no signing key")
        }
        let header: JSONValue = .object([
            ("alg", .string(key.algorithm.rawValue)), ("kid", .string(key.id)),
            ("typ", .string(type)),
        ])
        let text =
            base64Text(header.encoded(), alphabet: .url) + "."
            + base64Text(JSONValue.object(claims).encoded(), alphabet: .url)
        return text + "." + base64Text(try key.sign(Array(text.utf8)), alphabet: .url)
    }

    /// Checks form, key, signature, issuer and audience, but not the times.
    private func verify(_ token: String) throws -> TokenClaims {
        guard token.utf8.count <= Limits.tokenBytes else { throw invalidToken("it is too long") }
        let memoryKey = Digest.sha256(token)
        let snapshot = try snapshot()
        if let known = memory.withLock({ $0.verifiedTokens[memoryKey] }) { return known }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = base64Bytes(parts[0], alphabet: .url),
            let payload = base64Bytes(parts[1], alphabet: .url),
            let signature = base64Bytes(parts[2], alphabet: .url),
            let head = try? JSONValue(parsing: header, depthLimit: 8).cursor
        else { throw invalidToken("it is no signed JWT") }
        // The key decides the algorithm; a token that names another one, or none, is forged.
        guard let id = try? head["kid"].string(), let key = snapshot.verificationKeys[id],
            (try? head["alg"].string()) == key.algorithm.rawValue
        else { throw invalidToken("its key is unknown") }
        let signed = parts[0] + "." + parts[1]
        guard key.isValid(signature: signature, of: Array(signed.utf8)) else {
            throw invalidToken("its signature is wrong")
        }
        guard (try? head["typ"].string()) == "at+jwt",
            let claims = try? readClaims(JSONValue(parsing: payload, depthLimit: 8).cursor)
        else { throw invalidToken("it is no access token") }
        guard claims.issuer == configuration.issuer,
            claims.audience.contains(configuration.audience)
        else { throw invalidToken("it is meant for somebody else") }
        memory.withLock { memory in
            if memory.verifiedTokens.count >= Limits.verifiedTokens { memory.verifiedTokens = [:] }
            memory.verifiedTokens[memoryKey] = claims
        }
        return claims
    }

    private func readClaims(_ cursor: JSONCursor) throws -> TokenClaims {
        TokenClaims(
            id: try cursor["jti"].string(), issuer: try cursor["iss"].string(),
            subject: try cursor["sub"].string(),
            audience: cursor["aud"].isString
                ? [try cursor["aud"].string()] : try cursor["aud"].strings(),
            issuedSeconds: try cursor["iat"].int64(), expiresSeconds: try cursor["exp"].int64(),
            clientID: try cursor["client_id"].optionalString(),
            scope: try cursor["scope"].optionalString() ?? "",
            preferredUsername: try cursor["preferred_username"].string(),
            groups: try cursor["groups"].strings())
    }

    private func invalidToken(_ why: String) -> IdentityError {
        IdentityError(
            code: .invalidToken, message: "the access token is not valid: \(why)",
            hint: "ask the token endpoint for a new one")
    }
}
