import Authority
import ObjectStorage
import Platform

extension DiskObjectStore {
    /// Puts what the bucket's policy says of the request into the context that is decided about.
    ///
    /// Costs a look into memory where the bucket has no policy.
    func judge(
        _ context: inout RequestContext, _ action: Action, _ resource: Resource
    ) throws {
        guard context.principal.kind != .system,
            resource.kind == .bucket || resource.kind == .object,
            let bucket = resource.path.first, let state = try state(context.tenant, bucket),
            let policy = state.policy,
            let operation = PolicyActions.name(action, facts: context.facts)
        else { return }
        let isAnonymous = context.principal.kind == .anonymous
        // Nobody without a name configures anything, whatever a policy says.
        if isAnonymous, ![.objectRead, .objectWrite, .objectDelete, .objectList].contains(action) {
            return
        }
        // A listing's resource is the bucket; its prefix is a condition.
        let key = resource.kind == .object && resource.path.count > 1 ? resource.path[1] : ""
        let verdict = policy.judge(
            PolicyQuestion(
                operation: operation, resource: StorageNames.resource(bucket: bucket, key: key),
                principal: context.principal, assumedRole: context.assumedRole,
                facts: context.facts, nowMicroseconds: clock.now().microseconds))
        switch verdict {
        case .allows:
            if isAnonymous, state.publicAccess?.restrictsBuckets == true, policy.isPublic { return }
        case .denies:
            // Or a policy that shuts everybody out could never be taken back.
            let ownActions = ["s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteBucketPolicy"]
            if ownActions.contains(operation) { return }
        case .silent: return
        }
        context.verdict = verdict
    }
}
