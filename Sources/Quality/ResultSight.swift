import Authority
import Iceberg
import SQLEngine
import SQLPlanning
import TableCatalog

/// What somebody sees of results: rows and figures of tables that they see all of, and of others the counts.
///
/// A run finds rows with the rights of whoever asked for it; who looks later may see less, of the checked
/// table and of those that the check compares it with.
struct ResultSight {
    let context: RequestContext
    let catalog: Catalog
    /// Decides without a trail: who looks at a list asked for none of these tables.
    let authorizer: any Authorizer

    private struct Place: Hashable {
        var name: TableName
        var uuid: String?
        var isChecked: Bool
    }
    private var known: [Place: Bool] = [:]
    private var decisions: [TableName: Decision] = [:]

    init(context: RequestContext, catalog: Catalog, authorizer: any Authorizer) {
        self.context = context
        self.catalog = catalog
        self.authorizer = authorizer
    }

    /// The result as the caller may see it; nil: not at all.
    mutating func shown(_ kept: KeptOutcome) -> CheckOutcome? {
        var outcome = kept.outcome
        let name = TableName(
            catalog: outcome.warehouse, schema: outcome.schema, table: outcome.table)
        guard decision(name).isAllowed else { return nil }
        if !seesAll(Place(name: name, uuid: kept.uuid, isChecked: true)) {
            outcome.samples = "[]"
            outcome.message = "hidden: a policy of the table applies to you"
        } else if !seesOthers(kept) {
            outcome.samples = "[]"
            outcome.message = "hidden: you do not see all of what the check compares the table with"
        }
        return outcome
    }

    private mutating func seesOthers(_ kept: KeptOutcome) -> Bool {
        guard let reads = kept.reads else {
            return kept.outcome.requestedBy == context.principal.name
        }
        for read in reads
        where !seesAll(Place(name: read.name, uuid: read.uuid, isChecked: false)) {
            return false
        }
        return true
    }

    private mutating func decision(_ name: TableName) -> Decision {
        if let decision = decisions[name] { return decision }
        let decision = authorizer.decide(
            context, .tableSelect,
            Resource(tenant: context.tenant, kind: .table, path: TableChecks.path(name)))
        decisions[name] = decision
        return decision
    }

    private mutating func seesAll(_ place: Place) -> Bool {
        if let answer = known[place] { return answer }
        let answer = isWhole(place)
        known[place] = answer
        return answer
    }

    /// Whether nothing of the table, as it is or stood here, is kept from the caller.
    private mutating func isWhole(_ place: Place) -> Bool {
        let decision = decision(place.name)
        guard decision.isAllowed, !decision.isRestricted else { return false }
        let key = TableKey(uuid: place.uuid ?? "", path: TableChecks.path(place.name))
        if let governance = catalog.governance,
            !governance.applied(to: context.audience, tenant: context.tenant, key).isEmpty
        {
            return false
        }
        do {
            let loaded = try catalog.loadTable(
                context, CatalogReference(parsing: place.name.catalog),
                TableChecks.identifier(place.name))
            // Another table at the name says nothing of the one that was read.
            return loaded.isUnrestricted
                && (place.uuid == nil || place.uuid == loaded.metadata.tableUUID)
        } catch let error as CatalogError
            where error.code == .noSuchTable || error.code == .noSuchNamespace
        {
            return place.isChecked
        } catch { return false }
    }
}
