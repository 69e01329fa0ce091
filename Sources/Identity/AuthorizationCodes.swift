import JSON
import Platform
package import Authority
import Bytes
import Cryptography
import SQLite

/// What a code or a refresh token was given for.
package struct GrantedAccess: Sendable {
    package let principal: Principal
    package let scope: String
    package let nonce: String?
    package let authenticatedMicroseconds: Int64
    /// The next refresh token, when the client may have one.
    package let refreshToken: String?
}

extension IdentityRegistry {
    /// Makes an authorization code for a person who is logged in. The caller has checked the client,
    /// the redirect URI and the consent. `challenge` is the S256 challenge of PKCE.
    package func createAuthorizationCode(
        _ context: RequestContext, client: Client, redirectURI: String, scope: String,
        nonce: String?, challenge: String?, authenticatedMicroseconds: Int64
    ) throws -> String {
        let code = newSecret()
        try database.write { tx in
            try tx.run(
                """
                INSERT INTO authorization_codes (code_hash, family, client_id, account_id,
                    redirect_uri, scope, nonce, challenge, authenticated_us, expires_us)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, hash(code), newID("fam"), client.id, context.principal.id, redirectURI, scope,
                nonce, challenge, authenticatedMicroseconds,
                tx.nowMicroseconds + configuration.authorizationCodeLifetime.wholeMicroseconds)
            try emit(
                tx, context, "identity.code.issued", "clients", client.id,
                [("account", .string(context.principal.name))])
        }
        return code
    }

    /// Takes a code in. A second use revokes what the first gave: somebody has stolen one of the two.
    /// Throws `.invalidGrant`. Sources: RFC 6749 section 4.1.2, RFC 7636 section 4.6.
    package func redeemAuthorizationCode(
        _ context: RequestContext, code: String, client: Client, redirectURI: String,
        verifier: String?
    ) throws -> GrantedAccess {
        let outcome = try database.write { tx -> Result<GrantedAccess, IdentityError> in
            let row = try tx.first(
                """
                SELECT family, client_id, account_id, redirect_uri, scope, nonce, challenge,
                    authenticated_us, expires_us, used_us
                FROM authorization_codes WHERE code_hash = ?
                """, hash(code)
            ) { row in
                (
                    family: row.string(0), client: row.string(1), account: row.string(2),
                    redirect: row.string(3), scope: row.string(4), nonce: row.stringOrNil(5),
                    challenge: row.stringOrNil(6), authenticated: row.int64(7),
                    expires: row.int64(8), isUsed: !row.isNull(9)
                )
            }
            guard let row else { return .failure(Self.invalidGrant("the code is not known")) }
            guard row.client == client.id else {
                return .failure(Self.invalidGrant("the code belongs to another client"))
            }
            if row.isUsed {
                try tx.run("DELETE FROM refresh_tokens WHERE family = ?", row.family)
                try emit(tx, context, "identity.code.reused", "clients", client.id)
                return .failure(Self.invalidGrant("the code was used before"))
            }
            // Used up even when what follows fails: one try is all there is.
            try tx.run(
                "UPDATE authorization_codes SET used_us = ? WHERE code_hash = ?",
                tx.nowMicroseconds, hash(code))
            guard row.expires > tx.nowMicroseconds else {
                return .failure(Self.invalidGrant("the code has expired"))
            }
            guard row.redirect == redirectURI else {
                return .failure(Self.invalidGrant("the redirect URI is another one"))
            }
            guard Self.provesKey(verifier: verifier, challenge: row.challenge) else {
                return .failure(Self.invalidGrant("the code verifier does not fit the challenge"))
            }
            guard let principal = try? activePrincipal(row.account) else {
                return .failure(Self.invalidGrant("the account is gone or disabled"))
            }
            let refresh =
                client.grantTypes.contains(.refreshToken)
                ? try insertRefreshToken(
                    tx, family: row.family, clientID: client.id, accountID: row.account,
                    scope: row.scope, nonce: row.nonce, authenticated: row.authenticated) : nil
            return .success(
                GrantedAccess(
                    principal: principal, scope: row.scope, nonce: row.nonce,
                    authenticatedMicroseconds: row.authenticated, refreshToken: refresh))
        }
        return try outcome.get()
    }

    /// Trades a refresh token for the next one. A token that was traded before revokes its family.
    /// Throws `.invalidGrant`.
    package func refresh(
        _ context: RequestContext, token: String, client: Client, scope: String?
    ) throws -> GrantedAccess {
        let outcome = try database.write { tx -> Result<GrantedAccess, IdentityError> in
            let row = try tx.first(
                """
                SELECT family, client_id, account_id, scope, nonce, authenticated_us, expires_us, used_us
                FROM refresh_tokens WHERE token_hash = ?
                """, hash(token)
            ) { row in
                (
                    family: row.string(0), client: row.string(1), account: row.string(2),
                    scope: row.string(3), nonce: row.stringOrNil(4), authenticated: row.int64(5),
                    expires: row.int64(6), isUsed: !row.isNull(7)
                )
            }
            guard let row, row.client == client.id else {
                return .failure(Self.invalidGrant("the refresh token is not known"))
            }
            if row.isUsed {
                try tx.run("DELETE FROM refresh_tokens WHERE family = ?", row.family)
                try emit(tx, context, "identity.refresh_token.reused", "clients", client.id)
                return .failure(
                    Self.invalidGrant("the refresh token was used before; log in again"))
            }
            guard row.expires > tx.nowMicroseconds else {
                return .failure(Self.invalidGrant("the refresh token has expired"))
            }
            let granted = Set(row.scope.split(separator: " "))
            if let scope, !granted.isSuperset(of: scope.split(separator: " ")) {
                return .failure(Self.invalidGrant("the scope is wider than the one granted"))
            }
            guard let principal = try? activePrincipal(row.account) else {
                return .failure(Self.invalidGrant("the account is gone or disabled"))
            }
            try tx.run(
                "UPDATE refresh_tokens SET used_us = ? WHERE token_hash = ?", tx.nowMicroseconds,
                hash(token))
            let next = try insertRefreshToken(
                tx, family: row.family, clientID: client.id, accountID: row.account,
                scope: row.scope, nonce: row.nonce, authenticated: row.authenticated)
            return .success(
                GrantedAccess(
                    principal: principal, scope: scope ?? row.scope, nonce: row.nonce,
                    authenticatedMicroseconds: row.authenticated, refreshToken: next))
        }
        return try outcome.get()
    }

    /// Makes a first refresh token for a grant without a code (device, password).
    package func createRefreshToken(
        _ context: RequestContext, client: Client, principal: Principal, scope: String
    ) throws -> String? {
        guard client.grantTypes.contains(.refreshToken) else { return nil }
        return try database.write { tx in
            try insertRefreshToken(
                tx, family: newID("fam"), clientID: client.id, accountID: principal.id,
                scope: scope, nonce: nil, authenticated: tx.nowMicroseconds)
        }
    }

    /// Ends a refresh token with its whole family; fine when there is none.
    package func revoke(
        _ context: RequestContext, refreshToken: String, client: Client
    ) throws {
        try database.write { tx in
            let family = try tx.text(
                "SELECT family FROM refresh_tokens WHERE token_hash = ? AND client_id = ?",
                hash(refreshToken), client.id)
            guard let family else { return }
            try tx.run("DELETE FROM refresh_tokens WHERE family = ?", family)
            try emit(tx, context, "identity.refresh_token.revoked", "clients", client.id)
        }
    }

    private func insertRefreshToken(
        _ tx: WriteTransaction, family: String, clientID: String, accountID: String, scope: String,
        nonce: String?, authenticated: Int64
    ) throws -> String {
        let token = newSecret()
        try tx.run(
            """
            INSERT INTO refresh_tokens (token_hash, family, client_id, account_id, scope, nonce,
                authenticated_us, expires_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """, hash(token), family, clientID, accountID, scope, nonce, authenticated,
            tx.nowMicroseconds + configuration.refreshTokenLifetime.wholeMicroseconds)
        return token
    }

    /// The S256 check of PKCE.
    private static func provesKey(verifier: String?, challenge: String?) -> Bool {
        guard let challenge else { return verifier == nil }
        guard let verifier, (43...128).contains(verifier.utf8.count) else { return false }
        return constantTimeEqual(
            base64Text(Digest.sha256(verifier), alphabet: .url), challenge)
    }

    private static func invalidGrant(_ why: String) -> IdentityError {
        IdentityError(code: .invalidGrant, message: why)
    }
}
