/// What somebody wants to do, in the product's own words; doors translate theirs.
package enum Action: String, Sendable, CaseIterable {
    // Objects.
    case bucketList = "bucket.list"
    case bucketCreate = "bucket.create"
    case bucketDelete = "bucket.delete"
    case bucketConfigure = "bucket.configure"
    case objectRead = "object.read"
    case objectWrite = "object.write"
    case objectDelete = "object.delete"
    case objectList = "object.list"
    // Catalog.
    case warehouseUse = "warehouse.use"
    case warehouseBranch = "warehouse.branch"
    case namespaceCreate = "namespace.create"
    case namespaceDrop = "namespace.drop"
    case namespaceAlter = "namespace.alter"
    case namespaceList = "namespace.list"
    case tableCreate = "table.create"
    case tableDrop = "table.drop"
    case tableAlter = "table.alter"
    case tableSelect = "table.select"
    case tableInsert = "table.insert"
    case tableUpdate = "table.update"
    case tableDelete = "table.delete"
    case tableList = "table.list"
    // Models: a new version needs `create`, calls need `use`.
    case modelCreate = "model.create"
    case modelUse = "model.use"
    case modelDrop = "model.drop"
    case modelList = "model.list"
    // Engine and jobs.
    case queryRun = "query.run"
    case queryKill = "query.kill"
    case pipelineRun = "pipeline.run"
    case pipelineEdit = "pipeline.edit"
    case pipelineView = "pipeline.view"
    case dashboardView = "dashboard.view"
    case dashboardEdit = "dashboard.edit"
    // Administration.
    case identityAdminister = "identity.administer"
    case identityView = "identity.view"
    case ledgerView = "ledger.view"
    case policyAdminister = "policy.administer"
    case systemAdminister = "system.administer"
    case impersonate = "impersonate"
}

/// What an action is about. The path begins below the tenant: bucket and key; warehouse, namespace
/// levels and table; pipeline name.
package struct Resource: Sendable, Hashable {
    /// What sort of thing is decided about; part of the resource's path.
    package enum Kind: String, Sendable {
        case bucket, object, warehouse, namespace, table, view, query, pipeline, dashboard, identity
        case ledger, system, model
    }

    package var tenant: String
    package var kind: Kind
    package var path: [String]

    package init(tenant: String = "main", kind: Kind, path: [String]) {
        self.tenant = tenant
        self.kind = kind
        self.path = path
    }
}

/// The answer to "may this principal do that here?".
package struct Decision: Sendable {
    package var isAllowed: Bool
    /// For people: which grant or policy decided.
    package var reason: String
    /// A SQL predicate that limits the rows seen; nil: all rows.
    package var rowFilter: String?
    /// SQL expressions by column name that replace the column's value.
    package var columnMasks: [String: String]
    /// Row filters of policies: a row is seen if all let it through.
    package var filters: [PolicyExpression] = []
    /// Masks of policies by the column's present name, in lower case.
    package var masks: [String: PolicyExpression] = [:]
    /// The policies that apply, for people: also those whose column this state of the table lacks.
    package var policies: [String] = []

    package init(
        isAllowed: Bool, reason: String, rowFilter: String? = nil,
        columnMasks: [String: String] = [:]
    ) {
        self.isAllowed = isAllowed
        self.reason = reason
        self.rowFilter = rowFilter
        self.columnMasks = columnMasks
    }
}

/// The one decision point. Implementations decide from memory: a decision costs microseconds and
/// blocks on nothing.
package protocol Authorizer: Sendable {
    /// Decides and records a denial; never throws, an unknown resource is decided by its path.
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision

    /// Returns when the denials that were decided before are on the disk. Called before a refusal is
    /// answered; not for lists, which ask about many things and refuse nothing.
    func settleDenials()

    /// Why the caller may not have the object although grants would allow it: it belongs to a table of
    /// which they see only a part. Listings leave such keys out.
    func restriction(
        _ context: RequestContext, bucket: String, key: String
    ) -> PlaceRestriction?
}

extension Authorizer {
    /// Nothing to wait for, where no trail is kept.
    package func settleDenials() {}

    /// Nothing is restricted, where there are no policies.
    package func restriction(
        _ context: RequestContext, bucket: String, key: String
    ) -> PlaceRestriction? { nil }
}

extension Authorizer {
    /// Throws `AccessDenied` unless the action is allowed; returns the decision for its filters.
    @discardableResult
    package func require(
        _ context: RequestContext, _ action: Action, _ resource: Resource
    ) throws(AccessDenied) -> Decision {
        let decision = decide(context, action, resource)
        guard decision.isAllowed else {
            settleDenials()
            throw AccessDenied(
                principal: context.principal.name, action: action, resource: resource,
                reason: decision.reason)
        }
        return decision
    }
}
