package import Authority

/// Who the runs of a pipeline act as, before it is asked whether they still may.
package enum PipelineActor: Sendable {
    /// Who declared it, as known then.
    case owner(Principal)
    /// The account that it names under `run-as`.
    case named(String)

    /// Takes the owner as it was stored and knows nobody by name: for schedulers without accounts.
    package static let asStored: @Sendable (PipelineActor) throws -> Principal? = { actor in
        if case .owner(let principal) = actor { principal } else { nil }
    }
}

extension JobScheduler {
    /// Who a step acts as: the account that the pipeline names, or who declared it, as it is now.
    func actor(of claim: Claim) throws(JobError) -> Principal {
        let runAs = document(claim.pipeline)?.runAs
        let name = runAs ?? claim.ownerName
        do {
            guard !claim.ownerID.isEmpty else {
                throw JobError(.noSuchPipeline, "pipeline not found: \(claim.pipeline.name)")
            }
            let owner = Principal(
                id: claim.ownerID, name: claim.ownerName,
                kind: Principal.Kind(rawValue: claim.ownerKind) ?? .user)
            let actor: PipelineActor = runAs.map { .named($0) } ?? .owner(owner)
            if let principal = try principals(actor) { return principal }
        } catch {
            throw JobError(
                .principalRefused,
                "\(claim.pipeline.name) cannot run as \(name): \(Self.describe(error))",
                cause: error)
        }
        throw JobError(
            .principalRefused, "\(claim.pipeline.name) cannot run as \(name), who is gone",
            hint: "declare it again, or name somebody else under run-as")
    }
}
