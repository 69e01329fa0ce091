package import Authority

/// Sees each decision, to keep a trail of it. Must not block: a decision takes microseconds.
package protocol DecisionRecorder: Sendable {
    /// Called for denials and, with `isAllowed`, for what was allowed.
    func record(
        _ context: RequestContext, _ action: Action, _ resource: Resource, _ decision: Decision)

    /// Returns when the denials that were recorded before are durable, or cannot be made so now.
    func settle()
}

/// The product's one decision point, over the grants of roles.
///
/// Nothing is allowed but by a grant; one that denies beats all that allow. Of several grants that
/// allow, the widest counts: a row is seen if any shows it, a column is masked only if all mask it.
package struct PolicyAuthorizer: Authorizer {
    private let registry: IdentityRegistry
    private let recorder: (any DecisionRecorder)?

    init(registry: IdentityRegistry, recorder: (any DecisionRecorder)?) {
        self.registry = registry
        self.recorder = recorder
    }

    package func decide(
        _ context: RequestContext, _ action: Action, _ resource: Resource
    ) -> Decision {
        let decision = judge(context, action, resource)
        recorder?.record(context, action, resource, decision)
        return decision
    }

    package func settleDenials() { recorder?.settle() }

    package func restriction(
        _ context: RequestContext, bucket: String, key: String
    ) -> PlaceRestriction? {
        registry.restriction(
            of: context.audience, tenant: context.tenant, bucket: bucket, key: key, own: nil)
    }

    private func judge(
        _ context: RequestContext, _ action: Action, _ resource: Resource
    ) -> Decision {
        switch context.principal.kind {
        case .system: return Decision(isAllowed: true, reason: "the appliance itself")
        case .anonymous:
            return Decision(isAllowed: false, reason: "log in or send a credential")
        case .user, .service: break
        }
        guard resource.tenant == context.tenant else {
            return Decision(isAllowed: false, reason: "the resource belongs to another tenant")
        }
        guard let snapshot = try? registry.snapshot() else {
            return Decision(isAllowed: false, reason: "the directory of identities cannot be read")
        }
        guard let account = snapshot.accounts[context.principal.id] else {
            return Decision(isAllowed: false, reason: "the account no longer exists")
        }
        guard !account.isDisabled else {
            return Decision(isAllowed: false, reason: "the account is disabled")
        }
        guard account.tenant == context.tenant else {
            return Decision(isAllowed: false, reason: "the account belongs to another tenant")
        }
        var allowing: [DirectorySnapshot.CompiledGrant] = []
        for role in account.principal.roles {
            let name = DirectorySnapshot.TenantName(tenant: context.tenant, name: role)
            for grant in snapshot.grants[name]?[action] ?? [] where grant.pattern.matches(resource)
            {
                if grant.isDenial {
                    return Decision(
                        isAllowed: false,
                        reason: "role \(role) denies it on \(grant.pattern.text)")
                }
                allowing.append(grant)
            }
        }
        guard let first = allowing.first else {
            let roles = account.principal.roles
            return Decision(
                isAllowed: false,
                reason: roles.isEmpty
                    ? "no role is assigned; ask an administrator for one"
                    : "no grant of the roles \(roles.joined(separator: ", ")) allows it")
        }
        if action == .objectRead || action == .objectList, resource.path.count == 2,
            let closed = snapshot.policies(context.tenant).restriction(
                of: account.principal, bucket: resource.path[0], key: resource.path[1])
        {
            return Decision(isAllowed: false, reason: closed.reason)
        }
        return Decision(
            isAllowed: true, reason: "role \(first.role) on \(first.pattern.text)",
            rowFilter: Self.widest(allowing.map(\.rowFilter)),
            columnMasks: Self.common(allowing.map(\.columnMasks)))
    }

    private static func widest(_ filters: [String?]) -> String? {
        let distinct = Set(filters)
        if distinct.contains(nil) { return nil }
        let texts = distinct.compactMap { $0 }.sorted()
        return texts.count == 1 ? texts[0] : texts.map { "(\($0))" }.joined(separator: " OR ")
    }

    private static func common(_ masks: [[String: String]]) -> [String: String] {
        guard var result = masks.first else { return [:] }
        for other in masks.dropFirst() { result = result.filter { other[$0.key] != nil } }
        return result
    }
}
