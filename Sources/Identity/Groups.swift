import Platform
import JSON
package import Authority
import SQLite

/// A named set of accounts; its name is in the `groups` claim of their tokens.
package struct Group: Sendable, Hashable {
    package var id: String
    package var name: String
    package var description: String
    /// Names of the accounts in it.
    package var members: [String]
    /// Names of the roles that its members have through it.
    package var roles: [String]
}

extension IdentityRegistry {
    /// Makes a group, or gives back the one of that name.
    @discardableResult
    package func ensureGroup(
        _ context: RequestContext, name: String, id: String? = nil, description: String = ""
    ) throws -> (group: Group, isNew: Bool) {
        try requireAdministration(context, "groups", name)
        try checkName(name, "a group")
        if let id { try checkID(id) }
        try checkText(description)
        return try database.write { tx in
            if let existing = try tx.text(
                "SELECT id FROM groups WHERE tenant = ? AND name = ?", context.tenant, name)
            {
                try requireSameID(id, existing, "group", name)
                return (try group(tx, id: existing), false)
            }
            try requireFreeID(tx, id, "group", in: "groups")
            let id = id ?? newID("grp")
            try tx.run(
                """
                INSERT INTO groups (id, tenant, name, description, created_us)
                VALUES (?, ?, ?, ?, ?)
                """, id, context.tenant, name, description, tx.nowMicroseconds)
            try emit(tx, context, "identity.group.created", "groups", name)
            changed(tx)
            return (try group(tx, id: id), true)
        }
    }

    /// Every group by name.
    package func groups(_ context: RequestContext) throws -> [Group] {
        try requireView(context, "groups")
        return try database.read { tx in
            try tx.query("SELECT id FROM groups WHERE tenant = ? ORDER BY name", context.tenant) {
                $0.string(0)
            }.map { try group(tx, id: $0) }
        }
    }

    /// One group by its name or id.
    package func group(_ context: RequestContext, named name: String) throws -> Group {
        try requireView(context, "groups")
        return try database.read { tx in
            try group(tx, id: groupID(tx, name, context.tenant))
        }
    }

    /// Removes a group; its members stay and lose what they had through it.
    package func deleteGroup(_ context: RequestContext, _ name: String) throws {
        try requireAdministration(context, "groups", name)
        try database.write { tx in
            let id = try groupID(tx, name, context.tenant)
            let own = try tx.text("SELECT name FROM groups WHERE id = ?", id) ?? name
            try tx.run("DELETE FROM groups WHERE id = ?", id)
            try dropRights(tx, context.tenant, of: PolicySubject(.group, own))
            try requireAdministratorLeft(tx, context.tenant)
            try emit(tx, context, "identity.group.deleted", "groups", name)
            changed(tx)
        }
    }

    /// Puts an account into a group; fine when it is there.
    package func addMember(
        _ context: RequestContext, _ account: String, toGroup name: String
    ) throws {
        try requireAdministration(context, "groups", name)
        let account = try find(account, context.tenant)
        try database.write { tx in
            try tx.run(
                "INSERT OR IGNORE INTO memberships VALUES (?, ?)",
                groupID(tx, name, context.tenant), account.id)
            try emit(
                tx, context, "identity.group.member_added", "groups", name,
                [("member", .string(account.name))])
            changed(tx)
        }
    }

    /// Takes an account out of a group; fine when it is not in it.
    package func removeMember(
        _ context: RequestContext, _ account: String, fromGroup name: String
    ) throws {
        try requireAdministration(context, "groups", name)
        let account = try find(account, context.tenant)
        try database.write { tx in
            try tx.run(
                "DELETE FROM memberships WHERE group_id = ? AND account_id = ?",
                groupID(tx, name, context.tenant), account.id)
            try requireAdministratorLeft(tx, context.tenant)
            try emit(
                tx, context, "identity.group.member_removed", "groups", name,
                [("member", .string(account.name))])
            changed(tx)
        }
    }

    func groupID(_ tx: ReadTransaction, _ name: String, _ tenant: String) throws -> String {
        guard
            let id = try tx.text(
                "SELECT id FROM groups WHERE tenant = ?1 AND (name = ?2 OR id = ?2)", tenant, name)
        else { throw IdentityError.notFound("group", name) }
        return id
    }

    private func group(_ tx: ReadTransaction, id: String) throws -> Group {
        let members = try tx.query(
            """
            SELECT a.name FROM memberships m JOIN accounts a ON a.id = m.account_id
            WHERE m.group_id = ? ORDER BY a.name
            """, id
        ) { $0.string(0) }
        let roles = try tx.query(
            """
            SELECT r.name FROM group_roles g JOIN roles r ON r.id = g.role_id
            WHERE g.group_id = ? ORDER BY r.name
            """, id
        ) { $0.string(0) }
        let group = try tx.first("SELECT id, name, description FROM groups WHERE id = ?", id) {
            Group(
                id: $0.string(0), name: $0.string(1), description: $0.string(2), members: members,
                roles: roles)
        }
        guard let group else { throw IdentityError.notFound("group", id) }
        return group
    }
}
