import Platform
import JSON
package import Authority
import SQLite

/// A named set of grants.
package struct Role: Sendable, Hashable {
    package var id: String
    package var name: String
    package var description: String
    /// Made by the product; cannot be changed or removed.
    package var isBuiltIn: Bool
    package var grants: [Grant]
}

/// What a role allows or denies.
package struct Grant: Sendable, Hashable {
    package enum Effect: String, Sendable { case allow, deny }

    /// Given by the registry.
    package var id: String
    package var effect: Effect
    /// As `ActionPattern` reads them.
    package var actions: [String]
    /// As `ResourcePattern` reads it.
    package var resource: String
    /// A SQL predicate that limits the rows seen.
    package var rowFilter: String?
    /// SQL expressions by column.
    package var columnMasks: [String: String]

    package init(
        id: String = "", effect: Effect = .allow, actions: [String], resource: String,
        rowFilter: String? = nil, columnMasks: [String: String] = [:]
    ) {
        self.id = id
        self.effect = effect
        self.actions = actions
        self.resource = resource
        self.rowFilter = rowFilter
        self.columnMasks = columnMasks
    }
}

/// The roles that every appliance has.
let builtInRoles: [(name: String, description: String, actions: [String])] = [
    ("admin", "Everything, people and keys too.", ["*"]),
    (
        "engineer", "Builds: objects, tables, pipelines and dashboards everywhere.",
        [
            "bucket.*", "object.*", "warehouse.*", "namespace.*", "table.*", "query.*",
            "pipeline.*", "dashboard.*", "model.*",
        ]
    ),
    (
        "analyst", "Reads every table and makes dashboards.",
        [
            "warehouse.use", "namespace.list", "table.list", "table.select", "query.run",
            "dashboard.*", "pipeline.view", "model.use", "model.list",
        ]
    ),
    (
        "viewer", "Looks at tables and dashboards.",
        [
            "warehouse.use", "namespace.list", "table.list", "table.select", "query.run",
            "dashboard.view", "model.use", "model.list",
        ]
    ),
    (
        "steward", "Looks after meaning and access: descriptions, owners, the audit trail.",
        [
            "warehouse.use", "namespace.list", "namespace.alter", "table.list", "table.select",
            "table.alter", "query.run", "dashboard.view", "pipeline.view", "identity.view",
            "ledger.view", "model.use", "model.list", "policy.administer",
        ]
    ),
    (
        "service", "What jobs and applications need to move data.",
        [
            "bucket.list", "object.*", "warehouse.use", "namespace.list", "namespace.create",
            "table.*", "query.run", "pipeline.run", "pipeline.view", "model.*",
        ]
    ),
]

extension IdentityRegistry {
    /// Makes a role, or gives back the one of that name as it is.
    @discardableResult
    package func ensureRole(
        _ context: RequestContext, name: String, id: String? = nil, description: String = "",
        grants: [Grant] = []
    ) throws -> (role: Role, isNew: Bool) {
        try requireAdministration(context, "roles", name)
        try checkName(name, "a role")
        if let id { try checkID(id) }
        try checkText(description)
        try grants.forEach(check)
        return try database.write { tx in
            if let existing = try tx.text(
                "SELECT id FROM roles WHERE tenant = ? AND name = ?", context.tenant, name)
            {
                try requireSameID(id, existing, "role", name)
                return (try role(tx, id: existing), false)
            }
            try requireFreeID(tx, id, "role", in: "roles")
            let id = id ?? newID("rol")
            try tx.run(
                "INSERT INTO roles (id, tenant, name, description, created_us) VALUES (?, ?, ?, ?, ?)",
                id, context.tenant, name, description, tx.nowMicroseconds)
            for grant in grants { try insert(tx, grant, roleID: id) }
            try emit(tx, context, "identity.role.created", "roles", name)
            changed(tx)
            return (try role(tx, id: id), true)
        }
    }

    /// Every role by name.
    package func roles(_ context: RequestContext) throws -> [Role] {
        try requireView(context, "roles")
        return try database.read { tx in
            try tx.query("SELECT id FROM roles WHERE tenant = ? ORDER BY name", context.tenant) {
                $0.string(0)
            }.map { try role(tx, id: $0) }
        }
    }

    /// One role by its name or id.
    package func role(_ context: RequestContext, named name: String) throws -> Role {
        try requireView(context, "roles")
        return try database.read { tx in try role(tx, id: roleID(tx, name, context.tenant)) }
    }

    /// Removes a role and what it allowed.
    package func deleteRole(_ context: RequestContext, _ name: String) throws {
        try requireAdministration(context, "roles", name)
        try database.write { tx in
            let id = try changeableRole(tx, name, context.tenant)
            try tx.run("DELETE FROM roles WHERE id = ?", id)
            try emit(tx, context, "identity.role.deleted", "roles", name)
            changed(tx)
        }
    }

    /// Adds a grant to a role of one's own making; returns it with its id.
    @discardableResult
    package func addGrant(
        _ context: RequestContext, _ grant: Grant, toRole name: String
    ) throws -> Grant {
        try requireAdministration(context, "roles", name)
        try check(grant)
        return try database.write { tx in
            let roleID = try changeableRole(tx, name, context.tenant)
            let count = try tx.number("SELECT count(*) FROM grants WHERE role_id = ?", roleID) ?? 0
            guard count < Limits.grantsPerRole else {
                throw IdentityError(
                    code: .invalidValue,
                    message: "a role has at most \(Limits.grantsPerRole) grants",
                    hint: "use patterns, or a second role")
            }
            let made = try insert(tx, grant, roleID: roleID)
            try emit(
                tx, context, "identity.grant.added", "roles", name,
                [
                    ("effect", .string(grant.effect.rawValue)),
                    ("actions", .array(grant.actions.map { .string($0) })),
                    ("resource", .string(grant.resource)),
                ])
            changed(tx)
            return made
        }
    }

    /// Takes a grant away by its id.
    package func removeGrant(_ context: RequestContext, _ id: String, fromRole name: String) throws
    {
        try requireAdministration(context, "roles", name)
        try database.write { tx in
            let roleID = try changeableRole(tx, name, context.tenant)
            guard try tx.run("DELETE FROM grants WHERE id = ? AND role_id = ?", id, roleID) == 1
            else { throw IdentityError.notFound("grant", id) }
            try emit(
                tx, context, "identity.grant.removed", "roles", name, [("grant", .string(id))])
            changed(tx)
        }
    }

    /// Gives a role to an account; fine when it has it.
    package func assignRole(
        _ context: RequestContext, _ role: String, toAccount name: String
    ) throws {
        let account = try find(name, context.tenant)
        try requireAdministration(context, "users", account.name)
        try database.write { tx in
            try assign(tx, role: role, toAccount: account.id, context.tenant)
            try emit(
                tx, context, "identity.role.assigned", "users", account.name,
                [("role", .string(role))])
            changed(tx)
        }
    }

    /// Takes a role from an account; fine when it lacks it.
    package func unassignRole(
        _ context: RequestContext, _ role: String, fromAccount name: String
    ) throws {
        let account = try find(name, context.tenant)
        try requireAdministration(context, "users", account.name)
        try database.write { tx in
            try tx.run(
                "DELETE FROM account_roles WHERE account_id = ? AND role_id = ?", account.id,
                roleID(tx, role, context.tenant))
            try requireAdministratorLeft(tx, context.tenant)
            try emit(
                tx, context, "identity.role.unassigned", "users", account.name,
                [("role", .string(role))])
            changed(tx)
        }
    }

    /// Gives a role to a group, or takes it.
    package func setRole(
        _ context: RequestContext, _ role: String, ofGroup name: String, isAssigned: Bool
    ) throws {
        try requireAdministration(context, "groups", name)
        try database.write { tx in
            let group = try groupID(tx, name, context.tenant)
            let role = try roleID(tx, role, context.tenant)
            if isAssigned {
                try tx.run("INSERT OR IGNORE INTO group_roles VALUES (?, ?)", group, role)
            } else {
                try tx.run(
                    "DELETE FROM group_roles WHERE group_id = ? AND role_id = ?", group, role)
                try requireAdministratorLeft(tx, context.tenant)
            }
            try emit(
                tx, context, isAssigned ? "identity.role.assigned" : "identity.role.unassigned",
                "groups", name, [("role", .string(role))])
            changed(tx)
        }
    }

    // MARK: Within the module

    func assign(
        _ tx: WriteTransaction, role: String, toAccount id: String, _ tenant: String
    ) throws {
        try tx.run(
            "INSERT OR IGNORE INTO account_roles VALUES (?, ?)", id, roleID(tx, role, tenant))
    }

    /// Makes the built-in roles, or brings them to what this version says.
    func ensureBuiltInRoles(_ tx: WriteTransaction) throws {
        for role in builtInRoles {
            let id = "role_\(role.name)"
            try tx.run(
                """
                INSERT INTO roles (id, name, description, is_built_in, created_us) VALUES (?, ?, ?, 1, ?)
                ON CONFLICT DO UPDATE SET description = excluded.description, is_built_in = 1
                """, id, role.name, role.description, tx.nowMicroseconds)
            try tx.run(
                """
                INSERT INTO grants (id, role_id, effect, actions, resource, created_us)
                VALUES (?, (SELECT id FROM roles WHERE tenant = 'main' AND name = ?), 'allow', ?, '*', ?)
                ON CONFLICT DO UPDATE SET actions = excluded.actions
                """, "grant_\(role.name)", role.name, encodeList(role.actions), tx.nowMicroseconds)
        }
    }

    private func check(_ grant: Grant) throws {
        _ = try ResourcePattern(grant.resource)
        guard !grant.actions.isEmpty else {
            throw IdentityError(code: .invalidValue, message: "a grant needs an action")
        }
        for action in grant.actions { _ = try ActionPattern(action) }
        for text in [grant.rowFilter ?? ""] + grant.columnMasks.keys + grant.columnMasks.values {
            try checkText(text)
        }
    }

    @discardableResult
    func insert(
        _ tx: WriteTransaction, _ grant: Grant, roleID: String, idPrefix: String = "gra"
    ) throws -> Grant {
        var made = grant
        made.id = newID(idPrefix)
        try tx.run(
            """
            INSERT INTO grants (id, role_id, effect, actions, resource, row_filter, column_masks,
                created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """, made.id, roleID, grant.effect.rawValue, encodeList(grant.actions), grant.resource,
            grant.rowFilter, encodeMap(grant.columnMasks), tx.nowMicroseconds)
        return made
    }

    private func roleID(_ tx: ReadTransaction, _ name: String, _ tenant: String) throws -> String {
        guard
            let id = try tx.text(
                "SELECT id FROM roles WHERE tenant = ?1 AND (name = ?2 OR id = ?2)", tenant, name)
        else { throw IdentityError.notFound("role", name) }
        return id
    }

    private func changeableRole(
        _ tx: ReadTransaction, _ name: String, _ tenant: String
    ) throws -> String {
        let id = try roleID(tx, name, tenant)
        guard try tx.number("SELECT is_built_in FROM roles WHERE id = ?", id) == 0 else {
            throw IdentityError(
                code: .builtIn, message: "the role is built in: \(name)",
                hint: "make a role of your own and give it the grants you want")
        }
        return id
    }

    private func role(_ tx: ReadTransaction, id: String) throws -> Role {
        let grants = try tx.query(
            """
            SELECT id, effect, actions, resource, row_filter, column_masks FROM grants
            WHERE role_id = ? ORDER BY created_us, id
            """, id
        ) { row in
            Grant(
                id: row.string(0), effect: Grant.Effect(rawValue: row.string(1)) ?? .deny,
                actions: try decodeList(row.string(2)), resource: row.string(3),
                rowFilter: row.stringOrNil(4), columnMasks: try decodeMap(row.string(5)))
        }
        let role = try tx.first(
            "SELECT id, name, description, is_built_in FROM roles WHERE id = ?", id
        ) {
            Role(
                id: $0.string(0), name: $0.string(1), description: $0.string(2),
                isBuiltIn: $0.bool(3), grants: grants)
        }
        guard let role else { throw IdentityError.notFound("role", id) }
        return role
    }
}
