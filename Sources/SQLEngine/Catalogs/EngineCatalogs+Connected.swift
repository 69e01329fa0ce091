import Authority
import Diagnostics
import SQLExecution
import SQLFunctions
import SQLPlanning

/// Names in connected catalogs.
extension EngineCatalogs {
    private var door: (any CatalogDoor)? { systemTables.doors.catalogs }

    func connectedNames(_ context: RequestContext) -> [String] { door?.names(context) ?? [] }

    /// The connected catalog of that name; nil where there is none, and for warehouses, which go before.
    func connected(
        _ context: RequestContext, _ name: String
    ) throws(QueryFault) -> (any ConnectedCatalog)? {
        guard let door, isConnected(context, name) else { return nil }
        return try door.connected(context, name)
    }

    /// Whether the name is a connected catalog's, reachable or not.
    func isConnected(_ context: RequestContext, _ name: String) -> Bool {
        (door?.isDeclared(name) ?? false) && !isWarehouse(context, name)
    }

    /// The connector's name, for listings.
    func connectorName(_ context: RequestContext, _ name: String) -> String {
        if name == "system" { return "system" }
        return (try? connected(context, name))??.connector ?? "iceberg"
    }

    /// A table of a connected catalog, with what of it the caller may see; nil for other catalogs.
    func resolveConnected(
        _ context: RequestContext, _ name: TableName, _ version: TableVersion, _ span: SourceSpan?
    ) throws(QueryFault) -> ResolvedRelation? {
        guard let found = try connected(context, name.catalog), let door else { return nil }
        var decision = Decision.everything
        if !found.isOpen {
            decision = door.decision(context, name)
            guard decision.isAllowed else {
                throw QueryFault(
                    .permissionDenied,
                    "Access Denied: Cannot select from table \(name.schema).\(name.table)",
                    hint: decision.reason, span: span)
            }
        }
        let table: (any PlannedTable)?
        do throws(QueryFault) { table = try found.table(context, name) } catch {
            var fault = error
            if fault.span == nil { fault.span = span }
            throw fault
        }
        guard let table else { throw unknownTable(context, name, span) }
        guard version == .current else {
            throw QueryFault(
                .notSupported, "Catalog '\(name.catalog)' does not keep versions of tables",
                hint: "only tables of warehouses have versions", span: span)
        }
        return .table(table, decision)
    }
}

/// Subtrees of a plan that their source computes by itself.
struct SourceComputing {
    let find: (String) -> (any ComputingCatalog)?

    /// The plan with the largest such subtrees replaced by scans of their results.
    func rewritten(_ plan: LogicalPlan) -> LogicalPlan {
        switch plan {
        case .scan: return plan
        // The rows of a scan have no order, and so the node stays, over the few rows that it needs.
        case .topN(let input, let keys, let count, let offset, let withTies):
            let (wanted, overflow) = count.addingReportingOverflow(offset)
            if !overflow, !withTies,
                let few = computed(
                    .topN(input, keys, count: wanted, offset: 0, withTies: false))
            {
                return .topN(few, keys, count: count, offset: offset, withTies: false)
            }
        case .limit(let input, let count?, let offset):
            let (wanted, overflow) = count.addingReportingOverflow(offset)
            if !overflow, !Self.isOrdered(input),
                let few = computed(.limit(input, count: wanted, offset: 0))
            {
                return .limit(few, count: count, offset: offset)
            }
        default:
            if !Self.isOrdered(plan), let result = computed(plan) { return result }
        }
        return plan.mapChildren { rewritten($0) }
    }

    /// Whether the plan's rows come in an order that somebody may count on.
    private static func isOrdered(_ plan: LogicalPlan) -> Bool {
        switch plan {
        case .topN, .sort: true
        case .project(let input, _), .filter(let input, _), .limit(let input, _, _):
            isOrdered(input)
        default: false
        }
    }

    private func computed(_ plan: LogicalPlan) -> LogicalPlan? {
        guard let name = Self.catalog(of: plan), let source = find(name),
            let table = source.computed(plan)
        else { return nil }
        let outputs = plan.outputs
        return .scan(
            ScanNode(table: table, columns: outputs, tableColumns: Array(outputs.indices)))
    }

    /// The one catalog whose tables the plan reads; nil when there are several, or none.
    private static func catalog(of plan: LogicalPlan) -> String? {
        if case .scan(let node) = plan { return node.table.name.catalog }
        var found: String?
        for child in plan.children {
            guard let name = catalog(of: child), found == nil || found == name else { return nil }
            found = name
        }
        return found
    }
}

extension BoundStatement {
    /// The statement with what sources compute themselves left to them.
    func leaving(_ work: SourceComputing) -> BoundStatement {
        switch self {
        case .query(var query):
            query.plan = work.rewritten(query.plan)
            return .query(query)
        case .createTableAs(let create, var query):
            query.plan = work.rewritten(query.plan)
            return .createTableAs(create, query)
        case .insert(var insert):
            insert.plan = work.rewritten(insert.plan)
            return .insert(insert)
        case .delete, .update, .merge, .utility: return self
        }
    }
}
