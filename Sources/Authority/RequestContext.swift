/// The way by which a request came in.
package enum Door: String, Sendable, CaseIterable {
    case console, sql, catalog, s3, sts, oidc, api, cli, job, event, mcp, kafka
}

/// What accompanies a request through all layers: who, by which door, until when.
///
/// The explicit first argument of every verb of a domain.
package struct RequestContext: Sendable {
    package var principal: Principal
    /// Who sees the result, where `principal` lends its grants: a view that runs with its owner's
    /// rights. Policies follow the viewer.
    package var viewer: Principal?
    /// Unique a request; appears in answers, logs and the ledger.
    package var requestID: String
    package var door: Door
    /// The tenant whose resources are meant; `main` while one tenant is exposed.
    package var tenant: String
    /// Nanoseconds of the monotonic clock after which the answer is of no use; nil: no limit.
    package var deadlineNanoseconds: UInt64?
    package var cancellation: Cancellation
    /// W3C trace id, when the client sent one.
    package var traceID: String?
    /// The only role that counts, of those that the principal holds; nil: all of them.
    package var assumedRole: String?
    /// What the door knows of the request, for policies with conditions.
    package var facts: RequestFacts?
    /// What the policy of the resource itself says; filled in by the domain that keeps such policies,
    /// before it asks the authorizer.
    package var verdict: ResourceVerdict = .silent

    package init(
        principal: Principal, requestID: String, door: Door, tenant: String = "main",
        deadlineNanoseconds: UInt64? = nil, cancellation: Cancellation = Cancellation(),
        traceID: String? = nil
    ) {
        self.principal = principal
        self.requestID = requestID
        self.door = door
        self.tenant = tenant
        self.deadlineNanoseconds = deadlineNanoseconds
        self.cancellation = cancellation
        self.traceID = traceID
    }

    /// Who sees what comes of the request.
    package var audience: Principal { viewer ?? principal }
}
