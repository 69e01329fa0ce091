import Platform
package import Authority
import Bytes
import Cryptography
import SQLite

/// A browser that is logged in.
package struct Session: Sendable {
    package let principal: Principal
    /// What every form and every writing request must carry; derived from the cookie.
    package let csrfToken: String
    package let expiresMicroseconds: Int64
    /// When its owner proved who they are.
    package let authenticatedMicroseconds: Int64
}

/// A session that was just opened, with the cookie's value.
package struct NewSession: Sendable {
    package let cookie: String
    package let session: Session
}

extension IdentityRegistry {
    /// Opens a session for a principal who has just proved who they are.
    package func openSession(
        _ context: RequestContext, for principal: Principal, address: String
    ) throws -> NewSession {
        let current = try activePrincipal(principal.id)
        let cookie = newSecret()
        return try database.write { tx in
            let expires = tx.nowMicroseconds + configuration.sessionLifetime.wholeMicroseconds
            try tx.run(
                """
                INSERT INTO sessions (token_hash, tenant, account_id, address, created_us, expires_us)
                VALUES (?, ?, ?, ?, ?, ?)
                """, hash(cookie), context.tenant, current.id, address, tx.nowMicroseconds, expires)
            var context = context
            context.principal = current
            try emit(tx, context, "identity.session.opened", "users", current.name)
            return NewSession(
                cookie: cookie,
                session: Session(
                    principal: current, csrfToken: csrfToken(cookie: cookie),
                    expiresMicroseconds: expires, authenticatedMicroseconds: tx.nowMicroseconds))
        }
    }

    /// The session of a cookie's value; nil when there is none, it has ended, or its account has.
    package func session(_ context: RequestContext, cookie: String) throws -> Session? {
        guard cookie.utf8.count <= 256 else { return nil }
        let row = try database.read { tx in
            try tx.first(
                "SELECT account_id, created_us, expires_us FROM sessions WHERE token_hash = ?",
                hash(cookie)
            ) { (account: $0.string(0), created: $0.int64(1), expires: $0.int64(2)) }
        }
        guard let row, row.expires > nowMicroseconds,
            let account = try snapshot().accounts[row.account], !account.isDisabled
        else { return nil }
        touch(.account(row.account))
        return Session(
            principal: account.principal, csrfToken: csrfToken(cookie: cookie),
            expiresMicroseconds: row.expires, authenticatedMicroseconds: row.created)
    }

    /// Ends a session; fine when there is none.
    package func closeSession(_ context: RequestContext, cookie: String) throws {
        try database.write { tx in
            if try tx.run("DELETE FROM sessions WHERE token_hash = ?", hash(cookie)) > 0 {
                try emit(
                    tx, context, "identity.session.closed", "users", context.principal.name)
            }
        }
    }

    /// What belongs to the cookie and cannot be made without it.
    package func csrfToken(cookie: String) -> String {
        base64Text(
            HMAC.code(.sha256, key: Array(cookie.utf8), Array("csrf".utf8)), alphabet: .url)
    }

    /// Makes the secret of a login link for an account; it dies at its first use.
    package func createLoginLink(
        _ context: RequestContext, account name: String, lifetime: Duration? = nil
    ) throws -> String {
        let account = try find(name, context.tenant)
        try requireAdministration(context, "users", account.name)
        let token = newSecret()
        try database.write { tx in
            let lifetime = lifetime ?? configuration.loginLinkLifetime
            try tx.run(
                "INSERT INTO login_links VALUES (?, ?, ?)", hash(token), account.id,
                tx.nowMicroseconds + lifetime.wholeMicroseconds)
            try emit(tx, context, "identity.login_link.created", "users", account.name)
        }
        return token
    }

    /// Opens a session by a login link. Throws `.wrongCredentials` for one that was used, that expired
    /// or that never was; of two requests at the same time one wins.
    package func redeemLoginLink(
        _ context: RequestContext, token: String, address: String
    ) throws -> NewSession {
        let refusal = IdentityError(
            code: .wrongCredentials, message: "the login link was used or has expired",
            hint: "make a new one with `lakehouse user login-link NAME`")
        guard token.utf8.count <= 256 else { throw refusal }
        try checkThrottle(name: "link", address: address)
        let accountID = try database.write { tx -> String? in
            let row = try tx.first(
                "SELECT account_id, expires_us FROM login_links WHERE token_hash = ?", hash(token)
            ) { (account: $0.string(0), expires: $0.int64(1)) }
            guard let row else { return nil }
            try tx.run("DELETE FROM login_links WHERE token_hash = ?", hash(token))
            return row.expires > tx.nowMicroseconds ? row.account : nil
        }
        guard let accountID else {
            throttle.recordFailure(name: "link", address: address, now: nowMicroseconds)
            throw refusal
        }
        return try openSession(context, for: activePrincipal(accountID), address: address)
    }
}
