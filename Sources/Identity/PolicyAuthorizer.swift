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

    /// Whether a role of the caller denies the action on something below a place. When the directory
    /// cannot be read it is taken so.
    func denies(
        _ context: RequestContext, _ action: Action, _ kind: Resource.Kind, inside place: [String]
    ) -> Bool {
        if context.principal.kind == .system { return false }
        guard let snapshot = try? registry.snapshot(),
            let account = snapshot.accounts[context.principal.id]
        else { return true }
        return account.principal.roles.contains { role in
            guard context.assumedRole.map({ $0 == role }) ?? true else { return false }
            let name = DirectorySnapshot.TenantName(tenant: context.tenant, name: role)
            return (snapshot.grants[name]?[action] ?? []).contains {
                $0.isDenial && $0.pattern.reaches(kind, inside: place)
            }
        }
    }

    private func judge(
        _ context: RequestContext, _ action: Action, _ resource: Resource
    ) -> Decision {
        let isAppliance = context.principal.kind == .system
        if registry.configuration.refusesChanges, !isAppliance, !action.onlyLooks {
            return Decision(isAllowed: false, reason: "this lakehouse is open for reading only")
        }
        switch context.principal.kind {
        case .system: return Decision(isAllowed: true, reason: "the appliance itself")
        case .anonymous: return judgeAnonymous(context, resource)
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
        if case .denies(let reason) = context.verdict {
            return Decision(isAllowed: false, reason: reason)
        }
        var allowing: [DirectorySnapshot.CompiledGrant] = []
        for role in account.principal.roles where context.assumedRole.map({ $0 == role }) ?? true {
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
        let closed =
            (action == .objectRead || action == .objectList) && resource.path.count == 2
            ? snapshot.policies(context.tenant).restriction(
                of: account.principal, bucket: resource.path[0], key: resource.path[1]) : nil
        guard let first = allowing.first else {
            if case .allows(let reason) = context.verdict {
                return Decision(isAllowed: closed == nil, reason: closed?.reason ?? reason)
            }
            let roles = account.principal.roles
            return Decision(
                isAllowed: false,
                reason: roles.isEmpty
                    ? "no role is assigned; ask an administrator for one"
                    : "no grant of the roles \(roles.joined(separator: ", ")) allows it")
        }
        if let closed { return Decision(isAllowed: false, reason: closed.reason) }
        return Decision(
            isAllowed: true, reason: "role \(first.role) on \(first.pattern.text)",
            rowFilter: Self.widest(allowing.map(\.rowFilter)),
            columnMasks: Self.common(allowing.map(\.columnMasks)))
    }

    /// Nobody may what a resource's own policy opens to everybody, but never the files of a table that
    /// has policies of its own.
    private func judgeAnonymous(_ context: RequestContext, _ resource: Resource) -> Decision {
        let refusal = Decision(isAllowed: false, reason: "log in or send a credential")
        guard case .allows(let reason) = context.verdict, resource.tenant == context.tenant,
            resource.kind == .bucket || resource.kind == .object, !resource.path.isEmpty,
            let snapshot = try? registry.snapshot()
        else { return refusal }
        let closed =
            resource.path.count < 2
            ? nil
            : snapshot.policies(context.tenant).restriction(
                of: context.principal, bucket: resource.path[0], key: resource.path[1])
        return closed != nil ? refusal : Decision(isAllowed: true, reason: reason)
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
