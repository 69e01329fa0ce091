package import Authority
import JSON
import SQLite

/// Row filters, masks, tags: kept here, asked for at every load of a table and every read of an object.
extension IdentityRegistry: PolicyAdministration {
    // MARK: Decisions

    /// See `TableGovernance`. When the directory cannot be read, nobody but the appliance gets this far:
    /// the authorizer denies.
    package func applied(
        to viewer: Principal, tenant: String, _ table: TableKey
    ) -> [AppliedPolicy] {
        guard viewer.kind != .system, let snapshot = try? snapshot() else { return [] }
        return snapshot.policies(tenant).applied(to: snapshot.present(viewer), table)
    }

    /// See `TableGovernance`.
    package func restriction(
        of viewer: Principal, tenant: String, bucket: String, key: String, own: TableKey?
    ) -> PlaceRestriction? {
        guard viewer.kind != .system, let snapshot = try? snapshot() else { return nil }
        return snapshot.policies(tenant)
            .restriction(of: snapshot.present(viewer), bucket: bucket, key: key, own: own)
    }

    /// See `TableGovernance`.
    package func cover(tenant: String, _ table: TableKey, places: [String]) throws {
        let index = try snapshot().policies(tenant)
        guard index.isGoverned(table) else { return }
        let new = Set(places.map(Self.trimmed)).filter {
            !index.knownPlaces.contains(PolicyIndex.placeKey($0, table))
        }
        guard !new.isEmpty else { return }
        try database.write { tx in
            for place in new {
                try tx.run(
                    """
                    INSERT OR IGNORE INTO governed_places (tenant, uuid, path, place)
                    VALUES (?, ?, ?, ?)
                    """, tenant, table.uuid, encodeList(table.path), place)
            }
            changed(tx)
        }
    }

    private static func trimmed(_ place: String) -> String {
        var place = place
        while place.hasSuffix("/") { place.removeLast() }
        return place
    }

    // MARK: Policies

    /// See `PolicyAdministration`.
    package func define(
        _ context: RequestContext, _ policy: TablePolicy, orReplace: Bool
    ) throws {
        try requirePolicies(context, policy.target)
        try checkName(policy.name, "a policy")
        guard policy.expression.utf8.count <= Limits.policyBytes else {
            throw IdentityError(
                code: .invalidValue,
                message: "a policy's expression has at most \(Limits.policyBytes) bytes")
        }
        try database.write { tx in
            for subject in policy.subjects + policy.exceptions {
                try requireSubject(tx, subject, context.tenant)
            }
            let existing = try tx.first(
                """
                SELECT name, kind, body, created_by, created_us FROM policies
                WHERE tenant = ? AND name = ?
                """, context.tenant, policy.name, row: PolicyRows.policy)
            if let existing {
                guard orReplace, existing.kind == policy.kind else {
                    throw IdentityError(
                        code: .alreadyExists,
                        message: "a \(existing.kind.rawValue) of that name exists: \(policy.name)",
                        hint: existing.kind == policy.kind
                            ? "write CREATE OR REPLACE" : "names are shared by filters and masks")
                }
                // What it was on may be another's to administer.
                try requirePolicies(context, existing.target)
            }
            try tx.run(
                """
                INSERT INTO policies (tenant, name, kind, body, created_by, created_us)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (tenant, name) DO UPDATE SET body = excluded.body,
                    created_by = excluded.created_by
                """, context.tenant, policy.name, policy.kind.rawValue, PolicyRows.body(policy),
                context.principal.name, tx.nowMicroseconds)
            try emit(
                tx, context, "policy.defined", "policies", policy.name,
                [
                    ("kind", .string(policy.kind.rawValue)), ("for", .string(policy.audience)),
                    ("on", .string(Self.text(policy.target))), ("as", .string(policy.expression)),
                ])
            changed(tx)
        }
    }

    /// See `PolicyAdministration`.
    package func drop(
        _ context: RequestContext, _ kind: TablePolicy.Kind, _ name: String
    ) throws -> Bool {
        let policy = try allPolicies(context.tenant).first { $0.name == name && $0.kind == kind }
        guard let policy else { return false }
        try requirePolicies(context, policy.target)
        return try database.write { tx in
            let count = try tx.run(
                "DELETE FROM policies WHERE tenant = ? AND name = ?", context.tenant, name)
            try emit(
                tx, context, "policy.dropped", "policies", name, [("kind", .string(kind.rawValue))])
            changed(tx)
            return count > 0
        }
    }

    /// See `PolicyAdministration`. Who does not administer them sees those that apply to them.
    package func policies(_ context: RequestContext) throws -> [TablePolicy] {
        let viewer = try snapshot().present(context.principal)
        return try allPolicies(context.tenant).filter { policy in
            policy.reach(viewer) != nil
                || authorizer.decide(
                    context, .policyAdminister, Self.resource(context, policy.target)
                ).isAllowed
        }
    }

    private func allPolicies(_ tenant: String) throws -> [TablePolicy] {
        try database.read { tx in
            try tx.query(
                """
                SELECT name, kind, body, created_by, created_us FROM policies WHERE tenant = ?
                ORDER BY name
                """, tenant, row: PolicyRows.policy)
        }
    }

    // MARK: Tags

    /// See `PolicyAdministration`.
    package func setTags(
        _ context: RequestContext, _ table: TableKey, fieldID: Int?, columnName: String?,
        tags: [String]
    ) throws {
        try requirePolicies(context, .table(table))
        for tag in tags { try checkName(tag, "a tag") }
        let field = fieldID ?? -1
        try database.write { tx in
            try tx.run(
                "DELETE FROM tags WHERE tenant = ? AND (uuid = ? OR path = ?) AND field_id = ?",
                context.tenant, table.uuid, encodeList(table.path), field)
            for tag in Set(tags).sorted() {
                try tx.run(
                    """
                    INSERT INTO tags (tenant, uuid, path, field_id, column_name, tag)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """, context.tenant, table.uuid, encodeList(table.path), field,
                    columnName?.lowercased() ?? "", tag)
            }
            try emit(
                tx, context, "policy.tagged", "tables",
                table.name + (columnName.map { ".\($0)" } ?? ""),
                [("tags", .array(tags.map { .string($0) }))])
            changed(tx)
        }
    }

    /// See `PolicyAdministration`.
    package func tags(_ context: RequestContext, _ table: TableKey?) throws -> [TagAssignment] {
        let all = try database.read { tx in
            try tx.query(
                """
                SELECT uuid, path, field_id, column_name, tag FROM tags WHERE tenant = ?
                ORDER BY path, field_id, tag
                """, context.tenant, row: PolicyRows.tag)
        }
        guard let table else { return all }
        return all.filter { $0.table.overlaps(table) }
    }

    // MARK: Explanations

    /// See `PolicyAdministration`.
    package func explainAccess(
        _ context: RequestContext, user: String?, _ table: TableKey
    ) throws -> [AccessFact] {
        let resource = Resource(tenant: context.tenant, kind: .table, path: table.path)
        let (principal, granted) = try explainGrants(context, user: user, resource)
        var facts = granted
        let applied = try snapshot().policies(context.tenant).applied(to: principal, table)
        var masked: Set<String> = []
        for entry in applied {
            let column = entry.columnName
            let isSecond = entry.policy.kind == .mask && !masked.insert(column ?? "").inserted
            facts.append(
                AccessFact(
                    kind: entry.policy.kind.rawValue, name: entry.policy.name, column: column,
                    fieldID: entry.fieldID, through: entry.through,
                    detail: isSecond
                        ? "\(entry.policy.expression) (another mask goes first)"
                        : entry.policy.expression))
        }
        facts.append(
            AccessFact(
                kind: "files", name: table.name, through: applied.first?.through ?? "",
                detail: applied.isEmpty
                    ? "handed out to those whom the grants allow"
                    : "not handed out: S3 and the catalog answer 403"))
        return facts
    }

    /// Why somebody (nil: the caller) may name a view; what it reads is explained table by table.
    package func explainViewAccess(
        _ context: RequestContext, user: String?, _ path: [String]
    ) throws -> [AccessFact] {
        let resource = Resource(tenant: context.tenant, kind: .view, path: path)
        return try explainGrants(context, user: user, resource).facts
    }

    /// Who is meant, and what their roles say of reading a table or view.
    private func explainGrants(
        _ context: RequestContext, user: String?, _ resource: Resource
    ) throws -> (principal: Principal, facts: [AccessFact]) {
        let name = user ?? context.principal.name
        if name != context.principal.name, context.principal.kind != .system {
            let may = [Action.policyAdminister, .identityView].contains {
                authorizer.decide(context, $0, resource).isAllowed
            }
            guard may else { throw try refusal(context, .policyAdminister, resource) }
        }
        let snapshot = try snapshot()
        guard let account = snapshot.account(named: name, tenant: context.tenant) else {
            throw IdentityError.notFound("account", name)
        }
        let principal = account.principal
        let groups = try groupsByRole(of: principal.id)
        var facts: [AccessFact] = []
        if account.isDisabled {
            facts.append(
                AccessFact(
                    kind: "denial", name: name, through: "account", detail: "it is disabled"))
        }
        var isAllowed = false
        for role in principal.roles {
            let key = DirectorySnapshot.TenantName(tenant: context.tenant, name: role)
            let through =
                groups[role].map { "role \(role) of group \($0.joined(separator: ", "))" }
                ?? "role \(role)"
            for grant in snapshot.grants[key]?[.tableSelect] ?? []
            where grant.pattern.matches(resource) {
                if !grant.isDenial { isAllowed = true }
                facts.append(
                    AccessFact(
                        kind: grant.isDenial ? "denial" : "grant", name: role, through: through,
                        detail: "table.select on \(grant.pattern.text)"))
                if let filter = grant.rowFilter {
                    facts.append(
                        AccessFact(
                            kind: "row filter", name: role, through: "grant of \(through)",
                            detail: filter))
                }
                for (column, mask) in grant.columnMasks.sorted(by: { $0.key < $1.key }) {
                    facts.append(
                        AccessFact(
                            kind: "mask", name: role, column: column,
                            through: "grant of \(through)", detail: mask))
                }
            }
        }
        if !isAllowed {
            facts.append(
                AccessFact(
                    kind: "denial", name: name, through: "no grant",
                    detail: "no role allows table.select here"))
        }
        return (principal, facts)
    }

    /// The groups through which an account has a role that it has not itself.
    private func groupsByRole(of accountID: String) throws -> [String: [String]] {
        let rows = try database.read { tx in
            try tx.query(
                """
                SELECT r.name, g.name FROM memberships m
                JOIN groups g ON g.id = m.group_id JOIN group_roles x ON x.group_id = g.id
                JOIN roles r ON r.id = x.role_id
                WHERE m.account_id = ? ORDER BY 1, 2
                """, accountID
            ) { ($0.string(0), $0.string(1)) }
        }
        var result: [String: [String]] = [:]
        for (role, group) in rows { result[role, default: []].append(group) }
        return result
    }

    // MARK: Checks

    private func requirePolicies(
        _ context: RequestContext, _ target: TablePolicy.Target
    ) throws {
        try authorizer.require(context, .policyAdminister, Self.resource(context, target))
    }

    private static func resource(
        _ context: RequestContext, _ target: TablePolicy.Target
    ) -> Resource {
        switch target {
        case .table(let table), .column(let table, _, _):
            Resource(tenant: context.tenant, kind: .table, path: table.path)
        case .tag(let tag):
            Resource(tenant: context.tenant, kind: .system, path: ["tags", tag])
        }
    }

    private func refusal(
        _ context: RequestContext, _ action: Action, _ resource: Resource
    ) throws -> AccessDenied {
        AccessDenied(
            principal: context.principal.name, action: action, resource: resource,
            reason: "you may ask about yourself; about others with policy.administer")
    }

    private func requireSubject(
        _ tx: ReadTransaction, _ subject: PolicySubject, _ tenant: String
    ) throws {
        let table =
            switch subject.kind {
            case .group: "groups"
            case .role: "roles"
            case .user: "accounts"
            }
        guard
            try tx.exists(
                "SELECT 1 FROM \(table) WHERE tenant = ? AND name = ?", tenant, subject.name)
        else { throw IdentityError.notFound(subject.kind.rawValue, subject.name) }
    }

    private static func text(_ target: TablePolicy.Target) -> String {
        switch target {
        case .table(let table): table.name
        case .column(let table, _, let name): "\(table.name).\(name)"
        case .tag(let tag): "tag \(tag)"
        }
    }
}
