import JSON
import Platform
package import Authority
import Cryptography
import SQLite

/// How a client may get tokens.
package enum GrantType: String, Sendable, CaseIterable {
    case authorizationCode = "authorization_code"
    case refreshToken = "refresh_token"
    case clientCredentials = "client_credentials"
    case tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    case deviceCode = "urn:ietf:params:oauth:grant-type:device_code"
    case password
}

/// A program that asks for tokens.
package struct Client: Sendable, Hashable {
    /// Whether a client can keep a secret (RFC 6749 section 2.1) or acts for itself.
    package enum Kind: String, Sendable {
        /// Keeps a secret: a server.
        case confidential
        /// Keeps none: a browser page, a command line; must use PKCE.
        case `public`
        /// A credential of one account for one tool, from `lakehouse connect`; expires.
        case application
    }

    package var id: String
    package var name: String
    package var kind: Kind
    /// Name of the account that it acts for by itself (`client_credentials`).
    package var accountName: String?
    package var redirectURIs: [String]
    package var grantTypes: [GrantType]
    package var isDisabled: Bool
    package var createdMicroseconds: Int64
    package var expiresMicroseconds: Int64?
    package var lastUsedMicroseconds: Int64?
}

/// A client with its secret, which is shown once.
package struct NewClient: Sendable {
    package let client: Client
    package let secret: String?
    /// False for one that was there already.
    package var isNew = true
}

extension IdentityRegistry {
    /// Makes an OAuth client; id and secret given or generated. One that exists under the id is given back
    /// without a secret when nothing given contradicts it.
    package func ensureClient(
        _ context: RequestContext, id: String? = nil, name: String, kind: Client.Kind,
        secret: String? = nil, account: String? = nil, redirectURIs: [String] = [],
        grantTypes: [GrantType]? = nil, lifetime: Duration? = nil
    ) throws -> NewClient {
        let account = try account.map { try find($0, context.tenant) }
        if kind == .application, let account {
            try requireAdministrationUnlessOwn(context, accountID: account.id, "clients", name)
        } else {
            try requireAdministration(context, "clients", name)
        }
        try checkText(name)
        if let id { try checkID(id) }
        try redirectURIs.forEach(checkRedirectURI)
        let types = grantTypes ?? Self.usualGrantTypes(kind)
        guard redirectURIs.count <= Limits.redirectURIs,
            kind != .public || secret == nil && !types.contains(.clientCredentials),
            kind != .application || account != nil,
            !types.contains(.clientCredentials) || account != nil
        else {
            throw IdentityError(
                code: .invalidValue, message: "the client contradicts itself: \(name)",
                hint: "a public client has no secret and no client_credentials; "
                    + "client_credentials needs an account to act for")
        }
        if let secret, secret.utf8.count < 16 || secret.utf8.count > Limits.passwordBytes {
            throw IdentityError(
                code: .weakPassword, message: "a client's secret has at least 16 bytes")
        }
        let id = id ?? newID(kind == .application ? "app" : "cli")
        let plain = kind == .public ? nil : secret ?? newSecret("lhs_")
        let hashed = plain.map { PasswordHash(generatedSecret: $0).text }
        return try database.write { tx in
            if let existing = try self.client(tx, id: id) {
                var wanted = existing
                wanted.kind = kind
                wanted.name = name
                if let account { wanted.accountName = account.name }
                if !redirectURIs.isEmpty { wanted.redirectURIs = redirectURIs }
                if let grantTypes { wanted.grantTypes = grantTypes }
                try requireSame(tx, wanted, existing, secret: secret)
                return NewClient(client: existing, secret: nil, isNew: false)
            }
            let expires = lifetime.map { tx.nowMicroseconds + $0.wholeMicroseconds }
            try tx.run(
                """
                INSERT INTO clients (id, tenant, name, kind, secret, account_id, redirect_uris,
                    grant_types, created_us, expires_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, id, context.tenant, name, kind.rawValue, hashed, account?.id,
                encodeList(redirectURIs), encodeList(types.map(\.rawValue)), tx.nowMicroseconds,
                expires)
            try emit(
                tx, context, "identity.client.created", "clients", id,
                [("name", .string(name)), ("kind", .string(kind.rawValue))])
            changed(tx)
            guard let made = try self.client(tx, id: id) else {
                throw IdentityError.notFound("client", id)
            }
            return NewClient(client: made, secret: plain)
        }
    }

    /// Makes a credential of an account for one tool: a client id and secret that also work as a
    /// password of the account. Expires, by default after 30 days.
    package func createApplicationCredential(
        _ context: RequestContext, account: String, tool: String, lifetime: Duration? = nil
    ) throws -> NewClient {
        try ensureClient(
            context, name: tool, kind: .application, account: account,
            lifetime: lifetime ?? configuration.applicationCredentialLifetime)
    }

    /// Clients and application credentials; of one account, or all.
    package func clients(
        _ context: RequestContext, of name: String? = nil
    ) throws -> [Client] {
        let account = try name.map { try find($0, context.tenant) }
        if account == nil || account?.id != context.principal.id {
            try requireView(context, "clients")
        }
        return try database.read { tx in
            try tx.query(
                """
                SELECT id FROM clients WHERE tenant = ?1 AND (?2 IS NULL OR account_id = ?2)
                ORDER BY created_us DESC, id
                """, context.tenant, account?.id
            ) { $0.string(0) }.compactMap { try client(tx, id: $0) }
        }
    }

    /// One client by its id.
    package func client(_ context: RequestContext, id: String) throws -> Client {
        try requireView(context, "clients")
        guard let found = try registeredClient(id) else {
            throw IdentityError.notFound("client", id)
        }
        return found
    }

    /// Gives a client a new secret; the old one is void at once.
    package func rotateClientSecret(_ context: RequestContext, _ id: String) throws -> NewClient {
        let client = try changeableClient(context, id)
        guard client.kind != .public else {
            throw IdentityError(
                code: .invalidValue, message: "a public client has no secret: \(id)")
        }
        let secret = newSecret("lhs_")
        try database.write { tx in
            try tx.run(
                "UPDATE clients SET secret = ? WHERE id = ?",
                PasswordHash(generatedSecret: secret).text, id)
            try emit(tx, context, "identity.client.rotated", "clients", id)
            changed(tx)
        }
        return NewClient(client: client, secret: secret)
    }

    /// Switches a client off or on.
    package func setClient(_ context: RequestContext, _ id: String, isDisabled: Bool) throws {
        _ = try changeableClient(context, id)
        try database.write { tx in
            try tx.run("UPDATE clients SET is_disabled = ? WHERE id = ?", isDisabled, id)
            if isDisabled { try tx.run("DELETE FROM refresh_tokens WHERE client_id = ?", id) }
            try emit(
                tx, context, isDisabled ? "identity.client.disabled" : "identity.client.enabled",
                "clients", id)
            changed(tx)
        }
    }

    /// Removes a client with its codes and refresh tokens.
    package func deleteClient(_ context: RequestContext, _ id: String) throws {
        _ = try changeableClient(context, id)
        try database.write { tx in
            try tx.run("DELETE FROM clients WHERE id = ?", id)
            try emit(tx, context, "identity.client.deleted", "clients", id)
            changed(tx)
        }
    }

    // MARK: For the token endpoint

    /// A client as it was registered; nil when there is none.
    package func registeredClient(_ id: String) throws -> Client? {
        guard id.utf8.count <= Limits.nameBytes else { return nil }
        return try database.read { tx in try client(tx, id: id) }
    }

    /// Checks a client's secret; a public client proves itself by PKCE and has none.
    /// Throws `.invalidClient`, `.throttled`.
    package func authenticateClient(
        _ context: RequestContext, id: String, secret: String?, address: String
    ) throws -> Client {
        try checkThrottle(name: "client " + id, address: address)
        let refusal = IdentityError(
            code: .invalidClient, message: "unknown client or wrong secret: \(id.prefix(128))",
            hint: "look at `lakehouse client list`")
        guard let client = try registeredClient(id), !client.isDisabled else {
            throttle.recordFailure(name: "client " + id, address: address, now: nowMicroseconds)
            throw refusal
        }
        let kept = try database.read { tx in
            try tx.text("SELECT secret FROM clients WHERE id = ?", id)
        }
        if client.kind == .public {
            guard secret == nil || secret == "" else { throw refusal }
        } else {
            guard let kept, let secret, try PasswordHash(text: kept).matches(secret) else {
                throttle.recordFailure(name: "client " + id, address: address, now: nowMicroseconds)
                throw refusal
            }
        }
        if let expires = client.expiresMicroseconds, expires <= nowMicroseconds {
            throw IdentityError(
                code: .invalidClient, message: "the credential has expired: \(id)",
                hint: "make a new one with `lakehouse connect`")
        }
        touch(.client(id))
        return client
    }

    /// The account that a client acts for by itself.
    package func principal(of client: Client) throws -> Principal {
        let id = try database.read { tx in
            try tx.text("SELECT account_id FROM clients WHERE id = ?", client.id)
        }
        guard let id else {
            throw IdentityError(
                code: .unauthorizedClient, message: "the client acts for no account: \(client.id)")
        }
        return try activePrincipal(id)
    }

    /// The client whose secret this is, if it is an application credential that counts.
    func applicationClient(secret: String) throws -> (client: Client, accountID: String)? {
        let hashed = PasswordHash(generatedSecret: secret).text
        return try database.read { tx in
            let row = try tx.first(
                "SELECT id, account_id FROM clients WHERE secret = ? AND account_id IS NOT NULL",
                hashed
            ) { (id: $0.string(0), account: $0.string(1)) }
            guard let row, let client = try client(tx, id: row.id), !client.isDisabled,
                client.expiresMicroseconds.map({ $0 > nowMicroseconds }) ?? true
            else { return nil }
            return (client, row.account)
        }
    }

    func client(_ tx: ReadTransaction, id: String) throws -> Client? {
        try tx.first(
            """
            SELECT c.id, c.name, c.kind, a.name, c.redirect_uris, c.grant_types, c.is_disabled,
                c.created_us, c.expires_us, c.last_used_us
            FROM clients c LEFT JOIN accounts a ON a.id = c.account_id WHERE c.id = ?
            """, id
        ) { row in
            Client(
                id: row.string(0), name: row.string(1),
                kind: Client.Kind(rawValue: row.string(2)) ?? .confidential,
                accountName: row.stringOrNil(3), redirectURIs: try decodeList(row.string(4)),
                grantTypes: try decodeList(row.string(5)).compactMap(GrantType.init(rawValue:)),
                isDisabled: row.bool(6), createdMicroseconds: row.int64(7),
                expiresMicroseconds: row.int64OrNil(8), lastUsedMicroseconds: row.int64OrNil(9))
        }
    }

    private func changeableClient(_ context: RequestContext, _ id: String) throws -> Client {
        let accountID = try database.read { tx in
            try tx.text("SELECT account_id FROM clients WHERE id = ?", id)
        }
        guard let client = try registeredClient(id) else {
            try requireAdministration(context, "clients", id)
            throw IdentityError.notFound("client", id)
        }
        if client.kind == .application, let accountID {
            try requireAdministrationUnlessOwn(context, accountID: accountID, "clients", id)
        } else {
            try requireAdministration(context, "clients", id)
        }
        return client
    }

    private static func usualGrantTypes(_ kind: Client.Kind) -> [GrantType] {
        switch kind {
        case .confidential: [.authorizationCode, .refreshToken]
        case .public: [.authorizationCode, .refreshToken, .deviceCode]
        case .application: [.clientCredentials, .tokenExchange]
        }
    }

    /// Redirects go to https, or to this machine; never with a fragment. Source: RFC 8252 section 7.
    private func checkRedirectURI(_ uri: String) throws {
        let isLocal = ["http://localhost", "http://127.0.0.1", "http://[::1]"].contains { prefix in
            guard uri.hasPrefix(prefix) else { return false }
            let next = uri.dropFirst(prefix.count).first
            return next == nil || next == ":" || next == "/" || next == "?"
        }
        let isPlain = uri.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x23 && $0 != 0x5C }
        guard uri.utf8.count <= Limits.textBytes, isPlain, isLocal || uri.hasPrefix("https://"),
            !uri.contains("@")
        else {
            throw IdentityError(
                code: .invalidValue, message: "not a redirect URI: \(uri.prefix(200))",
                hint: "use https, or http to localhost; no fragment")
        }
    }
}
