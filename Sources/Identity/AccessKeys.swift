import JSON
import Cryptography
import Synchronization
import Platform
package import Authority
import Bytes
import SQLite

/// An S3 access key without its secret.
package struct AccessKey: Sendable, Hashable {
    package var id: String
    /// Name of the account it acts for.
    package var accountName: String
    package var description: String
    package var isDisabled: Bool
    package var createdMicroseconds: Int64
    package var expiresMicroseconds: Int64?
    package var lastUsedMicroseconds: Int64?
}

/// An access key with its secret, which is shown once.
package struct NewAccessKey: Sendable {
    package let accessKeyID: String
    package let secretAccessKey: String
    /// Name of the account it acts for.
    package let accountName: String
    package let expiresMicroseconds: Int64?
    /// False for one that was there already.
    package var isNew = true
}

/// What a signature is checked with, and whom it proves.
package struct SigningSecret: Sendable {
    /// The secret access key.
    package let secret: String
    package let principal: Principal
    /// What a temporary credential is limited to; nil: to what its principal may do.
    package let scope: CredentialScope?
    package let expiresMicroseconds: Int64?
    /// What the session of a temporary credential was narrowed to; nil for an access key.
    package var session: SessionLimits?
}

/// A kept key as it is remembered between requests.
struct KeptAccessKey: Sendable {
    let secret: String
    let accountID: String
    let expiresMicroseconds: Int64?
}

extension IdentityRegistry {
    /// Makes an access key for an account; id and secret given or generated. With `createAccount`, an
    /// absent account is made with the roles given. Repeating it with the same id and secret is fine.
    ///
    /// An account has at most 100 keys that have not expired. A key for `connect` takes the place of the
    /// account's longest unused one that was made for it too, as soon as it has 100: whoever connects
    /// in every shell never runs out. Keys that people made stay, whatever they call them.
    package func createAccessKey(
        _ context: RequestContext, account name: String, createAccount: Bool = false,
        roles: [String] = ["engineer"], id: String? = nil, secret: String? = nil,
        description: String = "", lifetime: Duration? = nil, isForConnect: Bool = false
    ) throws -> NewAccessKey {
        if createAccount { try ensureAccount(context, name: name, roles: roles) }
        let account = try find(name, context.tenant)
        try requireAdministrationUnlessOwn(context, accountID: account.id, "keys", account.name)
        try checkText(description)
        if let id, !Self.isAccessKeyID(id) {
            throw IdentityError(
                code: .invalidValue, message: "not an access key id: \(id.prefix(200))",
                hint: "use 3 to 128 ASCII letters, digits, _ and -")
        }
        if let secret,
            !(8...256).contains(secret.utf8.count)
                || !secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        {
            throw IdentityError(
                code: .invalidValue, message: "the secret access key cannot be used",
                hint: "use 8 to 256 printable ASCII characters")
        }
        let keyID = id ?? "LHK" + entropy.hex(bytes: 9).uppercased().prefix(17)
        let secret = secret ?? String(base64Text(entropy.bytes(30)))
        let sealed = try sealingKey.seal(Array(secret.utf8), label: "access key \(keyID)")
        let expires = lifetime.map { nowMicroseconds + $0.wholeMicroseconds }
        return try database.write { tx in
            if let kept = try tx.first(
                """
                SELECT account_id, sealed_secret, is_disabled, expires_us FROM access_keys
                WHERE id = ?
                """, keyID,
                row: {
                    (
                        account: $0.string(0), sealed: $0.bytes(1), isDisabled: $0.bool(2),
                        expires: $0.int64OrNil(3)
                    )
                })
            {
                let old = try sealingKey.open(kept.sealed, label: "access key \(keyID)")
                guard kept.account == account.id, old == Array(secret.utf8) else {
                    throw IdentityError(
                        code: .alreadyExists, message: "an access key has this id: \(keyID)",
                        hint: kept.account == account.id
                            ? "its secret is another one: `lakehouse key rotate \(keyID)` makes a new "
                                + "secret, `lakehouse key delete \(keyID)` removes the key"
                            : "it belongs to somebody else: give another id")
                }
                try requireUsable(
                    "access key", keyID, isDisabled: kept.isDisabled, expires: kept.expires)
                return NewAccessKey(
                    accessKeyID: keyID, secretAccessKey: secret, accountName: account.name,
                    expiresMicroseconds: kept.expires, isNew: false)
            }
            try makeRoom(tx, context, account, isForConnect: isForConnect)
            try tx.run(
                """
                INSERT INTO access_keys (id, tenant, account_id, sealed_secret, description, created_us,
                    expires_us, maker) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """, keyID, context.tenant, account.id, sealed, description, tx.nowMicroseconds,
                expires, isForConnect ? Self.connectMaker : "")
            try emit(
                tx, context, "identity.key.created", "keys", keyID,
                [("account", .string(account.name))])
            changed(tx)
            return NewAccessKey(
                accessKeyID: keyID, secretAccessKey: secret, accountName: account.name,
                expiresMicroseconds: expires)
        }
    }

    /// The maker of keys for `lakehouse connect`.
    private static let connectMaker = "connect"

    /// Throws where an account has its limit of keys; for `connect`, the longest unused key that it made
    /// goes instead. Keys without an end stay.
    private func makeRoom(
        _ tx: WriteTransaction, _ context: RequestContext, _ account: Account, isForConnect: Bool
    ) throws {
        let count =
            try tx.number(
                """
                SELECT count(*) FROM access_keys
                WHERE account_id = ? AND coalesce(expires_us > ?, TRUE)
                """, account.id, tx.nowMicroseconds) ?? 0
        guard count >= Limits.accessKeysPerAccount else { return }
        let idle =
            isForConnect
            ? try tx.first(
                """
                SELECT id FROM access_keys
                WHERE account_id = ? AND maker = ? AND expires_us > ?
                ORDER BY coalesce(last_used_us, created_us), created_us, id LIMIT 1
                """, account.id, Self.connectMaker, tx.nowMicroseconds, row: { $0.string(0) }) : nil
        guard let idle else {
            throw IdentityError(
                code: .invalidValue,
                message: "an account has at most \(Limits.accessKeysPerAccount) access keys: "
                    + account.name,
                hint: "`lakehouse key list` shows when each was last used, "
                    + "`lakehouse key delete ID` removes one")
        }
        try tx.run("DELETE FROM access_keys WHERE id = ?", idle)
        try emit(tx, context, "identity.key.deleted", "keys", idle)
    }

    /// Access keys of one account, or of all, newest first.
    package func accessKeys(
        _ context: RequestContext, of name: String? = nil
    ) throws -> [AccessKey] {
        let account = try name.map { try find($0, context.tenant) }
        if account == nil || account?.id != context.principal.id {
            try requireView(context, "keys")
        }
        return try database.read { tx in
            try tx.query(
                """
                SELECT k.id, a.name, k.description, k.is_disabled, k.created_us, k.expires_us,
                    k.last_used_us
                FROM access_keys k JOIN accounts a ON a.id = k.account_id
                WHERE k.tenant = ?1 AND (?2 IS NULL OR k.account_id = ?2)
                ORDER BY k.created_us DESC, k.id
                """, context.tenant, account?.id
            ) { row in
                AccessKey(
                    id: row.string(0), accountName: row.string(1), description: row.string(2),
                    isDisabled: row.bool(3), createdMicroseconds: row.int64(4),
                    expiresMicroseconds: row.int64OrNil(5), lastUsedMicroseconds: row.int64OrNil(6))
            }
        }
    }

    /// Gives an access key a new secret; the old one is void at once.
    package func rotateAccessKey(_ context: RequestContext, _ id: String) throws -> NewAccessKey {
        let owner = try accessKeyOwner(context, id)
        let secret = base64Text(entropy.bytes(30))
        let sealed = try sealingKey.seal(Array(secret.utf8), label: "access key \(id)")
        return try database.write { tx in
            try tx.run("UPDATE access_keys SET sealed_secret = ? WHERE id = ?", sealed, id)
            try emit(tx, context, "identity.key.rotated", "keys", id)
            changed(tx)
            return NewAccessKey(
                accessKeyID: id, secretAccessKey: secret, accountName: owner.name,
                expiresMicroseconds: try tx.number(
                    "SELECT expires_us FROM access_keys WHERE id = ?", id))
        }
    }

    /// Switches an access key off or on.
    package func setAccessKey(
        _ context: RequestContext, _ id: String, isDisabled: Bool
    ) throws {
        _ = try accessKeyOwner(context, id)
        try database.write { tx in
            try tx.run("UPDATE access_keys SET is_disabled = ? WHERE id = ?", isDisabled, id)
            try emit(
                tx, context, isDisabled ? "identity.key.disabled" : "identity.key.enabled", "keys",
                id)
            changed(tx)
        }
    }

    /// Removes an access key.
    package func deleteAccessKey(_ context: RequestContext, _ id: String) throws {
        _ = try accessKeyOwner(context, id)
        try database.write { tx in
            try tx.run("DELETE FROM access_keys WHERE id = ?", id)
            try emit(tx, context, "identity.key.deleted", "keys", id)
            changed(tx)
        }
    }

    /// The secret behind an access key and whom it stands for. Throws `.wrongCredentials` for an unknown
    /// or disabled key, `.expired`, `.disabled` for its account, `.invalidToken` for a session token that
    /// does not belong to the key. Costs a look into memory.
    package func secret(
        _ context: RequestContext, forAccessKey id: String, sessionToken: String? = nil
    ) throws -> SigningSecret {
        if Self.isTemporary(id) || sessionToken != nil {
            return try temporarySecret(forAccessKey: id, sessionToken: sessionToken)
        }
        let kept = try keptAccessKey(id)
        if let expires = kept.expiresMicroseconds, expires <= nowMicroseconds {
            throw IdentityError(
                code: .expired, message: "the access key has expired: \(id)",
                hint: "make a new one with `lakehouse key create`")
        }
        let principal = try activePrincipal(kept.accountID)
        touch(.accessKey(id))
        return SigningSecret(
            secret: kept.secret, principal: principal, scope: nil,
            expiresMicroseconds: kept.expiresMicroseconds)
    }

    /// The principal of an account as it is now; throws `.disabled` or `.wrongCredentials`.
    func activePrincipal(_ accountID: String) throws -> Principal {
        guard let account = try snapshot().accounts[accountID] else {
            throw IdentityError.wrongCredentials
        }
        guard !account.isDisabled else {
            throw IdentityError(
                code: .disabled, message: "the account is disabled: \(account.principal.name)",
                hint: "ask an administrator to enable it")
        }
        return account.principal
    }

    private static func isAccessKeyID(_ id: String) -> Bool {
        (3...128).contains(id.utf8.count) && !isTemporary(id)
            && id.utf8.allSatisfy { byte in
                (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
                    || byte == 0x2D || byte == 0x5F
            }
    }

    private func keptAccessKey(_ id: String) throws -> KeptAccessKey {
        let now = generation.load(ordering: .acquiring)
        let remembered = memory.withLock { memory -> KeptAccessKey? in
            if memory.accessKeysGeneration != now {
                memory.accessKeys = [:]
                memory.accessKeysGeneration = now
            }
            return memory.accessKeys[id]
        }
        if let remembered { return remembered }
        let row = try database.read { tx in
            try tx.first(
                """
                SELECT account_id, sealed_secret, expires_us FROM access_keys
                WHERE id = ? AND is_disabled = 0
                """, id
            ) { (account: $0.string(0), sealed: $0.bytes(1), expires: $0.int64OrNil(2)) }
        }
        guard let row else {
            throw IdentityError(
                code: .wrongCredentials, message: "no such access key: \(id.prefix(128))",
                hint: "make one with `lakehouse key create --user NAME`")
        }
        let secret = try sealingKey.open(row.sealed, label: "access key \(id)")
        let kept = KeptAccessKey(
            secret: String(decoding: secret, as: UTF8.self), accountID: row.account,
            expiresMicroseconds: row.expires)
        memory.withLock { memory in
            if memory.accessKeysGeneration == now { memory.accessKeys[id] = kept }
        }
        return kept
    }

    /// The account of a key, after asking whether the caller may change the key.
    private func accessKeyOwner(
        _ context: RequestContext, _ id: String
    ) throws -> (id: String, name: String) {
        let owner = try database.read { tx in
            try tx.first(
                """
                SELECT a.id, a.name FROM access_keys k JOIN accounts a ON a.id = k.account_id
                WHERE k.id = ? AND k.tenant = ?
                """, id, context.tenant
            ) { (id: $0.string(0), name: $0.string(1)) }
        }
        guard let owner else {
            try requireAdministration(context, "keys", id)
            throw IdentityError.notFound("access key", id)
        }
        try requireAdministrationUnlessOwn(context, accountID: owner.id, "keys", id)
        return owner
    }
}
