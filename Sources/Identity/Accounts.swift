import Platform
import JSON
package import Authority
import Cryptography
import SQLite

/// A person or a service account.
package struct Account: Sendable, Hashable {
    package enum Kind: String, Sendable { case user, service }

    package var id: String
    package var name: String
    package var kind: Kind
    package var displayName: String
    package var email: String?
    package var hasPassword: Bool
    package var isDisabled: Bool
    package var createdMicroseconds: Int64
    package var lastUsedMicroseconds: Int64?
    /// Names of its groups.
    package var groups: [String]
    /// Names of the roles assigned to it directly.
    package var roles: [String]
}

extension IdentityRegistry {
    /// Makes an account with roles; ids given or generated. Throws `.alreadyExists` for a taken name.
    @discardableResult
    package func createAccount(
        _ context: RequestContext, name: String, id: String? = nil, kind: Account.Kind = .user,
        displayName: String = "", email: String? = nil, password: String? = nil,
        roles: [String] = []
    ) throws -> Account {
        try requireAdministration(context, "users", name)
        try checkName(name, "an account")
        if let id { try checkID(id) }
        try checkText(displayName)
        try checkText(email ?? "")
        let hashed = try password.map { try hashPassword($0) }
        let id = id ?? newID(kind == .user ? "usr" : "svc")
        return try database.write { tx in
            if try tx.exists(
                "SELECT 1 FROM accounts WHERE (tenant = ? AND name = ?) OR id = ?", context.tenant,
                name, id)
            {
                throw IdentityError(
                    code: .alreadyExists, message: "an account has this name or id: \(name)")
            }
            try tx.run(
                """
                INSERT INTO accounts (id, tenant, name, kind, display_name, email, password, created_us)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """, id, context.tenant, name, kind.rawValue, displayName, email, hashed,
                tx.nowMicroseconds)
            for role in roles { try assign(tx, role: role, toAccount: id, context.tenant) }
            try emit(
                tx, context, "identity.user.created", "users", name,
                [("id", .string(id)), ("roles", .array(roles.map { .string($0) }))])
            changed(tx)
            return try account(tx, id: id)
        }
    }

    /// The account of the name, made if it is absent; one that exists is left as it is.
    @discardableResult
    package func ensureAccount(
        _ context: RequestContext, name: String, id: String? = nil, kind: Account.Kind = .user,
        displayName: String = "", email: String? = nil, password: String? = nil,
        roles: [String] = []
    ) throws -> (account: Account, isNew: Bool) {
        try requireAdministration(context, "users", name)
        let existing = try database.read { tx in
            try tx.text(
                "SELECT id FROM accounts WHERE tenant = ? AND name = ?", context.tenant, name
            ).map { try self.account(tx, id: $0) }
        }
        if let existing {
            try requireSameID(id, existing.id, "account", name)
            return (existing, false)
        }
        let made = try createAccount(
            context, name: name, id: id, kind: kind, displayName: displayName, email: email,
            password: password, roles: roles)
        return (made, true)
    }

    /// Every account, or those of one kind, by name.
    package func accounts(
        _ context: RequestContext, kind: Account.Kind? = nil
    ) throws -> [Account] {
        try requireView(context, "users")
        return try database.read { tx in
            try tx.query(
                "SELECT id FROM accounts WHERE tenant = ? AND kind LIKE ? ORDER BY name",
                context.tenant, kind?.rawValue ?? "%"
            ) { $0.string(0) }.map { try account(tx, id: $0) }
        }
    }

    /// One account by its name or id.
    package func account(_ context: RequestContext, named name: String) throws -> Account {
        let found = try find(name, context.tenant)
        if found.id != context.principal.id { try requireView(context, "users") }
        return found
    }

    /// Changes what is given and leaves the rest.
    @discardableResult
    package func updateAccount(
        _ context: RequestContext, _ name: String, displayName: String? = nil,
        email: String? = nil, isDisabled: Bool? = nil
    ) throws -> Account {
        let found = try find(name, context.tenant)
        if isDisabled != nil {
            try requireAdministration(context, "users", found.name)
        } else {
            try requireAdministrationUnlessOwn(
                context, accountID: found.id, "users", found.name)
        }
        try checkText(displayName ?? "")
        try checkText(email ?? "")
        return try database.write { tx in
            try tx.run(
                """
                UPDATE accounts SET display_name = ifnull(?, display_name),
                    email = ifnull(?, email), is_disabled = ifnull(?, is_disabled) WHERE id = ?
                """, displayName, email, isDisabled, found.id)
            if isDisabled == true {
                try requireAdministratorLeft(tx, context.tenant)
                try endAccess(tx, accountID: found.id)
            }
            try emit(
                tx, context, "identity.user.changed", "users", found.name,
                isDisabled.map { [("disabled", .bool($0))] } ?? [])
            changed(tx)
            return try account(tx, id: found.id)
        }
    }

    /// Removes the account with its keys, sessions, credentials and rights.
    package func deleteAccount(_ context: RequestContext, _ name: String) throws {
        let found = try find(name, context.tenant)
        try requireAdministration(context, "users", found.name)
        try database.write { tx in
            try tx.run("DELETE FROM accounts WHERE id = ?", found.id)
            try dropRights(tx, context.tenant, of: PolicySubject(.user, found.name))
            try requireAdministratorLeft(tx, context.tenant)
            try emit(tx, context, "identity.user.deleted", "users", found.name)
            changed(tx)
        }
    }

    /// Sets a password and ends the sessions that the old one opened. People who change their own have
    /// to give the present one, if there is one.
    package func setPassword(
        _ context: RequestContext, of name: String, to password: String, present: String? = nil,
        address: String = ""
    ) throws {
        let found = try find(name, context.tenant)
        let isOwn = found.id == context.principal.id
        try requireAdministrationUnlessOwn(context, accountID: found.id, "users", found.name)
        if isOwn, found.hasPassword {
            _ = try authenticate(
                context, name: found.name, password: present ?? "", address: address)
        }
        let hashed = try hashPassword(password)
        try database.write { tx in
            try tx.run("UPDATE accounts SET password = ? WHERE id = ?", hashed, found.id)
            try endAccess(tx, accountID: found.id)
            try emit(tx, context, "identity.user.password_set", "users", found.name)
            changed(tx)
        }
    }

    // MARK: Within the module

    func find(_ name: String, _ tenant: String) throws -> Account {
        try database.read { tx in
            guard
                let id = try tx.text(
                    """
                    SELECT id FROM accounts WHERE tenant = ?1 AND (name = ?2 OR id = ?2)
                    ORDER BY name = ?2 DESC
                    """, tenant, name)
            else { throw IdentityError.notFound("account", name) }
            return try account(tx, id: id)
        }
    }

    func account(_ tx: ReadTransaction, id: String) throws -> Account {
        let groups = try tx.query(
            """
            SELECT g.name FROM memberships m JOIN groups g ON g.id = m.group_id
            WHERE m.account_id = ? ORDER BY g.name
            """, id
        ) { $0.string(0) }
        let roles = try tx.query(
            """
            SELECT r.name FROM account_roles a JOIN roles r ON r.id = a.role_id
            WHERE a.account_id = ? ORDER BY r.name
            """, id
        ) { $0.string(0) }
        let account = try tx.first(
            """
            SELECT id, name, kind, display_name, email, password IS NOT NULL, is_disabled, created_us,
                last_used_us FROM accounts WHERE id = ?
            """, id
        ) { row in
            Account(
                id: row.string(0), name: row.string(1),
                kind: Account.Kind(rawValue: row.string(2)) ?? .user,
                displayName: row.string(3), email: row.stringOrNil(4), hasPassword: row.bool(5),
                isDisabled: row.bool(6), createdMicroseconds: row.int64(7),
                lastUsedMicroseconds: row.int64OrNil(8), groups: groups, roles: roles)
        }
        guard let account else { throw IdentityError.notFound("account", id) }
        return account
    }

    func hashPassword(_ password: String) throws -> String {
        guard password.utf8.count >= configuration.minimumPasswordLength else {
            throw IdentityError(
                code: .weakPassword,
                message:
                    "the password is shorter than \(configuration.minimumPasswordLength) bytes",
                hint: "a few unrelated words make a good one")
        }
        guard password.utf8.count <= Limits.passwordBytes else {
            throw IdentityError(
                code: .invalidValue,
                message: "the password is longer than \(Limits.passwordBytes) bytes")
        }
        hashing.acquire()
        defer { hashing.release() }
        return try PasswordHash(
            password: password, salt: entropy.bytes(16), cost: configuration.passwordCost
        ).text
    }

    func checkText(_ text: String) throws {
        guard text.utf8.count <= Limits.textBytes else {
            throw IdentityError(
                code: .invalidValue, message: "a text is longer than \(Limits.textBytes) bytes")
        }
    }

    /// Ends everything that a password or a session opened; keys and application credentials stay.
    func endAccess(_ tx: WriteTransaction, accountID: String) throws {
        for table in ["sessions", "login_links", "refresh_tokens", "authorization_codes"] {
            try tx.run("DELETE FROM \(table) WHERE account_id = ?", accountID)
        }
    }

    /// Refuses to commit a change that leaves nobody who could undo it.
    func requireAdministratorLeft(_ tx: WriteTransaction, _ tenant: String) throws {
        let isLeft = try tx.exists(
            """
            SELECT 1 FROM accounts a WHERE a.tenant = ?1 AND a.is_disabled = 0 AND EXISTS (
                SELECT 1 FROM roles r WHERE r.tenant = ?1 AND r.name = 'admin' AND (
                    EXISTS (SELECT 1 FROM account_roles x WHERE x.account_id = a.id AND x.role_id = r.id)
                    OR EXISTS (SELECT 1 FROM memberships m JOIN group_roles g ON g.group_id = m.group_id
                        WHERE m.account_id = a.id AND g.role_id = r.id)))
            """, tenant)
        guard isLeft else {
            throw IdentityError(
                code: .lastAdministrator, message: "this would leave no administrator",
                hint: "give the role admin to another account first")
        }
    }
}
