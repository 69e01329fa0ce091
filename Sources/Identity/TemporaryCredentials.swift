import Synchronization
import Platform
package import Authority
import Bytes
import Cryptography
import JSON

/// What a temporary credential is limited to, beyond what its principal may do.
package struct CredentialScope: Sendable, Hashable {
    /// One bucket with a prefix of keys; an empty prefix means the whole bucket.
    package struct Area: Sendable, Hashable {
        package var bucket: String
        package var prefix: String
        /// Whether the right to the scope's table stands for the right to what is here. Not so where
        /// the table's owner chose the place: there the principal's own grants decide.
        package var isOwn: Bool

        package init(bucket: String, prefix: String, isOwn: Bool = false) {
            self.bucket = bucket
            self.prefix = prefix
            self.isOwn = isOwn
        }

        /// A prefix stands for a folder: `a/b` must not open `a/bc`.
        func holds(bucket: String, key: String) -> Bool {
            guard self.bucket == bucket else { return false }
            return prefix.isEmpty || key == prefix
                || key.hasPrefix(prefix.hasSuffix("/") ? prefix : prefix + "/")
        }
    }

    /// Where it counts.
    package var areas: [Area]
    /// Whether objects may be written and deleted, or only read and listed.
    package var isReadOnly: Bool
    /// The table whose files these are: warehouse, levels, name. Who may read the table may read those in
    /// its own areas, without a grant on objects. Empty: grants alone decide.
    package var table: [String]

    package init(areas: [Area], isReadOnly: Bool, table: [String] = []) {
        self.areas = areas
        self.isReadOnly = isReadOnly
        self.table = table
    }

    /// Whether the credential reaches that far. For listings `key` is the prefix asked for.
    package func allows(_ action: Action, bucket: String, key: String) -> Bool {
        switch action {
        case .objectRead, .objectList: break
        case .objectWrite, .objectDelete: if isReadOnly { return false }
        default: return false
        }
        return areas.contains { $0.holds(bucket: bucket, key: key) }
    }

    /// Whether the table's right speaks for the place.
    package func isOwn(bucket: String, key: String) -> Bool {
        areas.contains { $0.isOwn && $0.holds(bucket: bucket, key: key) }
    }
}

/// What a session was narrowed to when it was made by STS.
package struct SessionLimits: Sendable, Hashable {
    /// The only role that counts; nil: all of the principal's.
    package var role: String?
    /// The text of a policy, which the door of S3 evaluates.
    package var policy: String?
    /// For people and `GetCallerIdentity`.
    package var name: String?

    package init(role: String? = nil, policy: String? = nil, name: String? = nil) {
        self.role = role
        self.policy = policy
        self.name = name
    }
}

/// Three strings for an S3 client, and until when they count.
package struct TemporaryCredential: Sendable {
    package let accessKeyID: String
    package let secretAccessKey: String
    package let sessionToken: String
    package let expiresMicroseconds: Int64
}

/// Temporary credentials are not kept: the session token is the sealed statement of who, where and
/// until when, and the secret is an HMAC of the key's id. Disabling the account ends them.
extension IdentityRegistry {
    private static let temporaryPrefix = "LHT"

    /// Makes a credential that acts for the context's principal, for tables that a catalog hands out
    /// and for STS. The caller has asked the authorizer before. Lifetime: 60 seconds to 12 hours.
    package func temporaryCredential(
        _ context: RequestContext, scope: CredentialScope? = nil, lifetime: Duration? = nil,
        session: SessionLimits = SessionLimits()
    ) throws -> TemporaryCredential {
        let lifetime = lifetime ?? configuration.temporaryCredentialLifetime
        guard lifetime >= .seconds(60), lifetime <= .seconds(12 * 3600) else {
            throw IdentityError(
                code: .invalidValue,
                message: "a temporary credential lives between 60 and 43200 seconds")
        }
        let expires = nowMicroseconds + lifetime.wholeMicroseconds
        let id = Self.temporaryPrefix + entropy.hex(bytes: 9).uppercased().prefix(17)
        var members: [(String, JSONValue)] = [
            ("k", .string(id)), ("p", .string(context.principal.id)), ("e", .int(expires)),
        ]
        if context.principal.kind == .system { members.append(("s", true)) }
        if let scope {
            members.append(("r", .bool(scope.isReadOnly)))
            members.append(
                (
                    "a",
                    .array(
                        scope.areas.map { area in
                            .array(
                                [.string(area.bucket), .string(area.prefix)]
                                    + (area.isOwn ? [.string("own")] : []))
                        })
                ))
        }
        if let table = scope?.table, !table.isEmpty {
            members.append(("t", .array(table.map { .string($0) })))
        }
        if let role = session.role { members.append(("o", .string(role))) }
        if let policy = session.policy { members.append(("y", .string(policy))) }
        if let name = session.name { members.append(("n", .string(name))) }
        let statement = JSONValue.object(members).encoded()
        let token = try sealingKey.seal(statement, label: "session token")
        return TemporaryCredential(
            accessKeyID: id, secretAccessKey: secretText(id),
            sessionToken: base64Text(token, alphabet: .url), expiresMicroseconds: expires)
    }

    static func isTemporary(_ accessKeyID: String) -> Bool {
        accessKeyID.hasPrefix(temporaryPrefix)
    }

    func temporarySecret(
        forAccessKey id: String, sessionToken: String?
    ) throws -> SigningSecret {
        let refusal = IdentityError(
            code: .invalidToken, message: "the session token does not belong to the access key",
            hint: "send the three strings of one temporary credential")
        guard let sessionToken, sessionToken.utf8.count <= Limits.tokenBytes,
            let sealed = base64Bytes(sessionToken, alphabet: .url),
            let statement = try? sealingKey.open(sealed, label: "session token")
        else { throw refusal }
        let cursor = try JSONValue(parsing: statement).cursor
        guard try cursor["k"].string() == id else { throw refusal }
        let expires = try cursor["e"].int64()
        guard expires > nowMicroseconds else {
            throw IdentityError(
                code: .expiredToken, message: "the session token has expired",
                hint: "ask for a new temporary credential")
        }
        let scope = try cursor["a"].optionalElements().map { areas in
            CredentialScope(
                areas: try areas.map { area in
                    let parts = try area.strings()
                    guard parts.count == 2 || parts.count == 3 else { throw refusal }
                    return CredentialScope.Area(
                        bucket: parts[0], prefix: parts[1], isOwn: parts.count == 3)
                }, isReadOnly: try cursor["r"].bool(),
                table: try cursor["t"].isPresent ? cursor["t"].strings() : [])
        }
        let principal =
            try cursor["s"].optionalBool() == true
            ? Principal.system : try activePrincipal(cursor["p"].string())
        return SigningSecret(
            secret: secretText(id), principal: principal, scope: scope,
            expiresMicroseconds: expires,
            session: SessionLimits(
                role: try cursor["o"].optionalString(), policy: try cursor["y"].optionalString(),
                name: try cursor["n"].optionalString()))
    }

    private func secretText(_ id: String) -> String {
        base64Text(HMAC.sha256(key: temporaryKey, id))
    }
}
