import Authority
import Identity
import Jobs

/// Who the runs of pipelines act as: accounts with the groups and roles that they have now.
struct PipelinePrincipals {
    let registry: IdentityRegistry

    /// The account as it is now; throws when it is gone or disabled. What the appliance declared itself
    /// (seeds, the operator's folder) acts as the appliance.
    func principal(_ actor: PipelineActor) throws -> Principal? {
        switch actor {
        case .named(let name):
            return try registry.principal(Appliance.systemContext, named: name)
        case .owner(let owner) where owner.kind == .system: return .system
        case .owner(let owner): return try registry.principal(id: owner.id)
        }
    }
}
