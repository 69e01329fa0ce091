package import Authority
package import ObjectStorage
import Platform
import SQLite

extension DiskObjectStore {
    /// Puts what the bucket's policy says of the request into the context that is decided about.
    ///
    /// Costs a look into memory where the bucket has no policy.
    func judge(
        _ context: inout RequestContext, _ action: Action, _ resource: Resource,
        version: VersionID? = nil
    ) throws {
        guard context.principal.kind != .system,
            resource.kind == .bucket || resource.kind == .object,
            let bucket = resource.path.first, let state = try state(context.tenant, bucket),
            let policy = state.policy,
            let operation = PolicyActions.name(
                action, facts: context.facts, isOfVersion: version != nil)
        else { return }
        let isAnonymous = context.principal.kind == .anonymous
        // Nobody without a name configures anything, whatever a policy says.
        if isAnonymous, ![.objectRead, .objectWrite, .objectDelete, .objectList].contains(action) {
            return
        }
        // A listing's resource is the bucket; its prefix is a condition.
        let key = resource.kind == .object && resource.path.count > 1 ? resource.path[1] : ""
        var question = PolicyQuestion(
            operation: operation, resource: StorageNames.resource(bucket: bucket, key: key),
            principal: context.principal, assumedRole: context.assumedRole,
            facts: context.facts, nowMicroseconds: clock.now().microseconds)
        if policy.asksForExistingTags, !key.isEmpty {
            question.existingTags = try existingTags(
                tenant: context.tenant, ObjectLocation(bucket: bucket, key: key), version)
        }
        let verdict = policy.judge(question)
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

    /// Throws where the bucket's policy does not let the caller do what an operation does on the side:
    /// `s3:PutObjectTagging` of a write with tags. Grants of roles tell it not apart from the operation,
    /// which is asked about on its own.
    package func require(
        _ context: RequestContext, _ action: Action, as operation: String,
        _ location: ObjectLocation, version: VersionID? = nil
    ) throws(ObjectStoreError) {
        guard hasPolicy(tenant: context.tenant, bucket: location.bucket) else { return }
        let facts = context.facts
        var context = context
        context.facts = RequestFacts(
            operation: operation, sourceAddress: facts?.sourceAddress ?? "",
            isSecure: facts?.isSecure ?? false, values: facts?.values ?? [:])
        try require(context, action, location, version: version)
    }

    /// Throws unless the caller may end a retention of mode GOVERNANCE before its time.
    func requireBypass(
        _ context: RequestContext, _ location: ObjectLocation
    ) throws(ObjectStoreError) {
        try storing("decide") {
            let facts = context.facts
            var context = context
            context.facts = RequestFacts(
                operation: PolicyActions.bypass, sourceAddress: facts?.sourceAddress ?? "",
                isSecure: facts?.isSecure ?? false, values: facts?.values ?? [:])
            // Policies have it as a right on objects, roles as one on buckets.
            try judge(
                &context, .bucketConfigure,
                Resource(
                    tenant: context.tenant, kind: .object, path: [location.bucket, location.key]))
            _ = try authorizer.require(
                context, .bucketConfigure,
                Resource(tenant: context.tenant, kind: .bucket, path: [location.bucket]))
        }
    }

    /// The tags of an object, for policies that ask for them; none where there is no object. Asks for no
    /// right: what is decided with them tells nobody what they are.
    package func existingTags(
        tenant: String, _ location: ObjectLocation, _ version: VersionID?
    ) throws(ObjectStoreError) -> [String: String] {
        try storing("look at the tags of \(location)") {
            try database.read { tx in
                do {
                    return try Self.require(tx, tenant, location, version: version).record
                        .attributes.tags
                } catch let fault as ObjectStoreError
                    where [.noSuchKey, .noSuchVersion, .noSuchBucket].contains(fault.code)
                {
                    return [:]
                }
            }
        }
    }
}
