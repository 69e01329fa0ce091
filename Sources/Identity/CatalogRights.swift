import Platform
import JSON
package import Authority
import SQLite

/// What a right lets somebody do with a table, a schema or a warehouse: the words of SQL's GRANT.
package enum CatalogPrivilege: String, Sendable, CaseIterable {
    case select = "SELECT"
    case insert = "INSERT"
    case update = "UPDATE"
    case delete = "DELETE"
    case create = "CREATE"
    case alter = "ALTER"
    case drop = "DROP"
    case createBranch = "CREATE BRANCH"

    /// What ALL PRIVILEGES stands for: what is done with data, and to make more tables.
    package static let all: [CatalogPrivilege] = [.select, .insert, .update, .delete, .create]
}

/// What a right is on. Rights on a warehouse or a namespace hold for all that is in it, also for what
/// comes later.
package struct CatalogObject: Sendable, Hashable {
    /// The four sorts of things in a warehouse.
    package enum Kind: String, Sendable, CaseIterable { case warehouse, namespace, table, view }

    package var kind: Kind
    /// Warehouse, levels of the namespace, name of the table or view.
    package var path: [String]

    /// A thing by its kind and path.
    package init(_ kind: Kind, _ path: [String]) {
        self.kind = kind
        self.path = path
    }

    /// Whether it is the same thing: names in the catalog are the same in any case.
    package func isSame(as other: CatalogObject) -> Bool {
        kind == other.kind
            && path.map { $0.lowercased() } == other.path.map { $0.lowercased() }
    }
}

/// One right of somebody, or its denial.
package struct CatalogRight: Sendable, Hashable {
    package var grantee: PolicySubject
    package var privilege: CatalogPrivilege
    package var object: CatalogObject
    package var isDenial: Bool

    /// A right, or a denial.
    package init(
        grantee: PolicySubject, privilege: CatalogPrivilege, object: CatalogObject,
        isDenial: Bool = false
    ) {
        self.grantee = grantee
        self.privilege = privilege
        self.object = object
        self.isDenial = isDenial
    }
}

// A right is kept as grants of a role: the named one, or one that only this person or group has
// (`rights-of:ann`, `rights-of-group:risk`: no name that people give has a colon), and which goes with
// its holder. Each role that may do something in a place may also find the place: those grants are
// derived, carry ids of their own kind and go when the last right goes.
//
//     GRANT SELECT ON SCHEMA silver.sales TO GROUP risk
//        table.select @ table:silver/sales/**      view:silver/sales/**
//        namespace.list, table.list @ namespace:silver/sales/**       (derived)
//        warehouse.use @ warehouse:silver   query.run @ query:*        (derived)

extension IdentityRegistry {
    /// Grants or denies; fine when it is so already. Throws `AccessDenied` for those who neither
    /// administer identities nor, at this place, both policies and the action itself.
    package func grant(_ context: RequestContext, _ right: CatalogRight) throws {
        try grant(context, [right])
    }

    /// The same with several at once: all of them or none.
    package func grant(_ context: RequestContext, _ rights: [CatalogRight]) throws {
        for right in rights { try requireRight(context, right) }
        let wanted = try rights.map { (right: $0, grants: try $0.grants()) }
        try database.write { tx in
            var isChanged = false
            for (right, grants) in wanted {
                guard let role = try rightsRole(tx, context, right.grantee, makes: true) else {
                    continue
                }
                let kept = try keptGrants(tx, role.id)
                let missing = grants.filter { wanted in !kept.contains { $0.isSame(wanted) } }
                if missing.isEmpty { continue }
                guard kept.count + missing.count + 8 <= Limits.grantsPerRole else {
                    throw IdentityError(
                        code: .invalidValue,
                        message: "a role has at most \(Limits.grantsPerRole) grants",
                        hint: "grant on the schema or the warehouse, or use a second role")
                }
                for grant in missing { try insert(tx, grant, roleID: role.id) }
                try derive(tx, role.id)
                try emit(
                    tx, context, "identity.grant.added", "roles", role.name, right.eventDetails)
                isChanged = true
            }
            if isChanged { changed(tx) }
        }
    }

    /// Takes a right back; whether there was one.
    package func revoke(_ context: RequestContext, _ right: CatalogRight) throws -> Bool {
        try !revoke(context, [right]).isEmpty
    }

    /// Takes rights back, all that are there in one transaction; which were.
    package func revoke(
        _ context: RequestContext, _ rights: [CatalogRight]
    ) throws -> [CatalogRight] {
        for right in rights { try requireRight(context, right) }
        let wanted = try rights.map { (right: $0, grants: try $0.grants(withFormer: true)) }
        return try database.write { tx in
            var taken: [CatalogRight] = []
            for (right, grants) in wanted {
                guard let role = try rightsRole(tx, context, right.grantee, makes: false) else {
                    continue
                }
                let gone = try keptGrants(tx, role.id).filter { kept in
                    grants.contains { kept.isSame($0) }
                }
                if gone.isEmpty { continue }
                for grant in gone { try tx.run("DELETE FROM grants WHERE id = ?", grant.id) }
                try derive(tx, role.id)
                try emit(
                    tx, context, "identity.grant.removed", "roles", role.name, right.eventDetails)
                taken.append(right)
            }
            if !taken.isEmpty { changed(tx) }
            return taken
        }
    }

    /// Removes what was granted to a person or a group alone, when they are removed: the next one of the
    /// name starts with nothing.
    func dropRights(_ tx: WriteTransaction, _ tenant: String, of holder: PolicySubject) throws {
        try tx.run(
            "DELETE FROM roles WHERE tenant = ? AND name = ? AND is_built_in = 0", tenant,
            holder.rightsRoleName)
    }

    /// The rights that the caller may know of: all, for who looks at identities; else their own and
    /// those in places whose policies they administer.
    package func catalogRights(_ context: RequestContext) throws -> [CatalogRight] {
        let names = try database.read { tx in
            try tx.query(
                """
                SELECT r.name, g.effect, g.actions, g.resource FROM grants g
                JOIN roles r ON r.id = g.role_id
                WHERE r.tenant = ? AND r.is_built_in = 0 AND g.id NOT LIKE 'grv_%'
                ORDER BY r.name, g.created_us, g.id
                """, context.tenant
            ) { ($0.string(0), $0.string(1), try decodeList($0.string(2)), $0.string(3)) }
        }
        let seesAll =
            context.principal.kind == .system
            || quietAuthorizer.decide(
                context, .identityView,
                Resource(tenant: context.tenant, kind: .identity, path: ["roles"])
            ).isAllowed
        let own = try snapshot().present(context.principal).roles
        var rights: [CatalogRight] = []
        for (role, effect, actions, resource) in names {
            guard let object = CatalogObject(pattern: resource) else { continue }
            for privilege in CatalogPrivilege.allCases
            where actions.contains(where: { privilege.names(action: $0, on: object.kind) }) {
                let right = CatalogRight(
                    grantee: PolicySubject(rightsRoleName: role), privilege: privilege,
                    object: object, isDenial: effect == "deny")
                guard !rights.contains(right) else { continue }
                guard
                    seesAll || own.contains(role)
                        || administers(context, object.resource(context.tenant))
                else { continue }
                rights.append(right)
            }
        }
        return rights
    }

    // MARK: Roles of a warehouse

    /// Makes the built-in roles of these warehouses; harmless when they are there.
    package func ensureCatalogRoles(_ context: RequestContext, warehouses: [String]) throws {
        try requireAdministration(context, "roles", "*")
        let present = try database.read { tx in
            Set(
                try tx.query(
                    "SELECT id FROM roles WHERE tenant = ? AND is_built_in = 1", context.tenant
                ) { $0.string(0) })
        }
        let wanted = warehouses.flatMap { warehouse in
            CatalogRole.allCases.map { (warehouse: warehouse, role: $0) }
        }
        guard wanted.contains(where: { !present.contains($0.role.id(in: $0.warehouse)) }) else {
            return
        }
        try database.write { tx in
            for (warehouse, role) in wanted where !present.contains(role.id(in: warehouse)) {
                let name = role.name(in: warehouse)
                // Somebody's own role of the name keeps it.
                if try tx.exists(
                    "SELECT 1 FROM roles WHERE tenant = ? AND name = ?", context.tenant, name)
                {
                    continue
                }
                try tx.run(
                    """
                    INSERT INTO roles (id, tenant, name, description, is_built_in, created_us)
                    VALUES (?, ?, ?, ?, 1, ?)
                    """, role.id(in: warehouse), context.tenant, name, role.summary,
                    tx.nowMicroseconds)
                for grant in role.grants(in: warehouse) {
                    try insert(tx, grant, roleID: role.id(in: warehouse))
                }
            }
            changed(tx)
        }
    }

    /// Gives a role to a person or a group, or takes it. A role of a warehouse may be given by who
    /// administers policies there and has what the role has.
    package func setRole(
        _ context: RequestContext, _ role: String, of subject: PolicySubject, isAssigned: Bool
    ) throws {
        var caller = context
        if let (warehouse, own) = CatalogRole.parse(role),
            mayGive(context, own.grants(in: warehouse), in: warehouse),
            try isBuiltIn(role, context.tenant)
        {
            // The warehouse's administrator may; the directory is asked no further.
            caller.principal.kind = .system
        }
        switch subject.kind {
        case .user where isAssigned: try assignRole(caller, role, toAccount: subject.name)
        case .user: try unassignRole(caller, role, fromAccount: subject.name)
        case .group: try setRole(caller, role, ofGroup: subject.name, isAssigned: isAssigned)
        case .role:
            throw IdentityError(
                code: .invalidValue, message: "roles cannot be granted to roles: \(subject.name)")
        }
    }

    // MARK: Who may

    private func administers(_ context: RequestContext, _ resource: Resource) -> Bool {
        // A question, not a refusal: the directory is asked next.
        quietAuthorizer.decide(context, .policyAdminister, resource).isAllowed
    }

    private func mayGive(_ context: RequestContext, _ grants: [Grant], in warehouse: String) -> Bool
    {
        let place = Resource(tenant: context.tenant, kind: .warehouse, path: [warehouse])
        guard administers(context, place) else { return false }
        let whole = CatalogObject(.warehouse, [warehouse])
        return grants.allSatisfy { grant in
            // Models follow the tables: there is no kind of object for them.
            let kind = grant.resource.split(separator: ":").first.flatMap {
                CatalogObject.Kind(rawValue: String($0))
            }
            guard let kind else { return true }
            return grant.actions.compactMap { Action(rawValue: $0) }.allSatisfy {
                hasAll(context, $0, whole, kind)
            }
        }
    }

    private func isBuiltIn(_ role: String, _ tenant: String) throws -> Bool {
        try database.read { tx in
            try tx.exists(
                "SELECT 1 FROM roles WHERE tenant = ? AND name = ? AND is_built_in = 1", tenant,
                role)
        }
    }

    /// Whether the caller may the action on everything of a kind in a place: on things that no pattern
    /// singles out, and without a denial, a filter or a mask further down.
    private func hasAll(
        _ context: RequestContext, _ action: Action, _ object: CatalogObject,
        _ kind: CatalogObject.Kind
    ) -> Bool {
        let probes = object.probes(context.tenant, kind)
        let isAllowed = probes.allSatisfy { probe in
            let decision = quietAuthorizer.decide(context, action, probe)
            return decision.isAllowed && !decision.isRestricted
        }
        guard isAllowed, let inside = probes.first?.kind, probes.count > 1 else { return isAllowed }
        return !quietAuthorizer.denies(context, action, inside, inside: object.path)
    }

    /// Nobody gives what they have not: the action is asked for as well as the policies.
    private func requireRight(_ context: RequestContext, _ right: CatalogRight) throws {
        if context.principal.kind == .system { return }
        let object = right.object
        if administers(context, object.resource(context.tenant)),
            right.privilege.actions(on: object.kind).allSatisfy({ action, kind in
                hasAll(context, action, object, kind)
            })
        {
            return
        }
        try requireAdministration(context, "grants", object.path.joined(separator: "/"))
    }

    // MARK: Rows

    /// The role that holds somebody's rights; a person's or a group's own is made if need be.
    private func rightsRole(
        _ tx: WriteTransaction, _ context: RequestContext, _ grantee: PolicySubject, makes: Bool
    ) throws -> (id: String, name: String)? {
        let name = grantee.rightsRoleName
        let row = try tx.first(
            "SELECT id, name, is_built_in FROM roles WHERE tenant = ? AND name = ?",
            context.tenant, name, row: { ($0.string(0), $0.string(1), $0.bool(2)) })
        if let row, !row.2, grantee.kind == .role || !makes { return (row.0, row.1) }
        if grantee.kind == .role {
            guard row != nil else { throw IdentityError.notFound("role", name) }
            throw IdentityError(
                code: .builtIn, message: "the role is built in: \(name)",
                hint: "make a role of your own and give it the grants you want")
        }
        let holder = try holder(tx, context, grantee)
        if row == nil, !makes { return nil }
        let id = row?.0 ?? newID("rol")
        if row == nil {
            try tx.run(
                "INSERT INTO roles (id, tenant, name, description, created_us) VALUES (?, ?, ?, ?, ?)",
                id, context.tenant, name,
                "What was granted to \(grantee.description) alone.", tx.nowMicroseconds)
        }
        try tx.run(
            grantee.kind == .user
                ? "INSERT OR IGNORE INTO account_roles VALUES (?, ?)"
                : "INSERT OR IGNORE INTO group_roles VALUES (?, ?)", holder, id)
        return (id, name)
    }

    private func holder(
        _ tx: ReadTransaction, _ context: RequestContext, _ grantee: PolicySubject
    ) throws -> String {
        if grantee.kind == .group { return try groupID(tx, grantee.name, context.tenant) }
        guard
            let id = try tx.text(
                "SELECT id FROM accounts WHERE tenant = ? AND name = ?", context.tenant,
                grantee.name)
        else { throw IdentityError.notFound("account", grantee.name) }
        return id
    }

    private func keptGrants(_ tx: ReadTransaction, _ roleID: String) throws -> [Grant] {
        try tx.query(
            """
            SELECT id, effect, actions, resource FROM grants
            WHERE role_id = ? AND row_filter IS NULL AND column_masks = '{}'
            """, roleID
        ) {
            Grant(
                id: $0.string(0), effect: Grant.Effect(rawValue: $0.string(1)) ?? .deny,
                actions: try decodeList($0.string(2)), resource: $0.string(3))
        }
    }

    /// Brings the grants that let a role find its places to what its rights need.
    private func derive(_ tx: WriteTransaction, _ roleID: String) throws {
        var wanted: Set<String> = []
        for grant in try keptGrants(tx, roleID)
        where grant.effect == .allow && !grant.id.hasPrefix("grv_") {
            guard let object = CatalogObject(pattern: grant.resource) else { continue }
            wanted.formUnion(object.findable)
        }
        for kept in try keptGrants(tx, roleID) where kept.id.hasPrefix("grv_") {
            if wanted.remove("\(kept.actions.joined(separator: ","))@\(kept.resource)") == nil {
                try tx.run("DELETE FROM grants WHERE id = ?", kept.id)
            }
        }
        for text in wanted.sorted() {
            let halves = text.split(separator: "@", maxSplits: 1).map(String.init)
            try insert(
                tx,
                Grant(
                    actions: halves[0].split(separator: ",").map(String.init),
                    resource: halves[1]), roleID: roleID, idPrefix: "grv")
        }
    }
}

extension Grant {
    fileprivate func isSame(_ other: Grant) -> Bool {
        effect == other.effect && actions == other.actions
            && resource.lowercased() == other.resource.lowercased()
    }
}

extension PolicySubject {
    // No name of a person, a group or a role has a colon: these are nobody else's.
    private static let ofUser = "rights-of:"
    private static let ofGroup = "rights-of-group:"

    /// The role that holds what was granted to them alone.
    package var rightsRoleName: String {
        switch kind {
        case .role: name
        case .user: Self.ofUser + name
        case .group: Self.ofGroup + name
        }
    }

    /// Whose rights a role holds.
    package init(rightsRoleName name: String) {
        if name.hasPrefix(Self.ofGroup) {
            self.init(.group, String(name.dropFirst(Self.ofGroup.count)))
        } else if name.hasPrefix(Self.ofUser) {
            self.init(.user, String(name.dropFirst(Self.ofUser.count)))
        } else {
            self.init(.role, name)
        }
    }
}
