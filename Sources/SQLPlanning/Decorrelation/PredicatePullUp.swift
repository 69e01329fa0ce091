import SQLFunctions
import Vectors

/// A subquery's plan without the correlated conditions that were taken out of it.
struct PulledPlan {
    var plan: LogicalPlan
    /// Conditions over outputs of `plan` and outer columns.
    var conditions: [BoundExpression]
}

/// Takes correlated conditions out of a plan, so that they become the condition of a join.
///
/// Works for filters, projections, inner joins, the left side of outer joins, DISTINCT and grouped
/// aggregates, windows and LIMIT under equalities. Answers nil for other forms: those go the general
/// way of `DomainPushDown`. Source: Neumann and Kemper, "Unnesting Arbitrary Queries".
struct PredicatePullUp {
    let allocator: ColumnAllocator
    let registry: FunctionRegistry

    func pull(_ plan: LogicalPlan) -> PulledPlan? {
        let free = plan.freeColumns
        if free.isEmpty { return PulledPlan(plan: plan, conditions: []) }
        switch plan {
        case .filter(let input, let predicate):
            let conjuncts = predicate.conjuncts
            let correlated = conjuncts.filter { !$0.columns.isDisjoint(with: free) }
            guard correlated.allSatisfy(\.isDeterministic), let pulled = pull(input) else {
                return nil
            }
            let rest = conjuncts.filter { $0.columns.isDisjoint(with: free) }
            return PulledPlan(
                plan: pulled.plan.filtered(rest), conditions: pulled.conditions + correlated)
        case .project(let input, let assignments):
            guard assignments.allSatisfy({ $0.expression.columns.isDisjoint(with: free) }),
                let pulled = pull(input)
            else { return nil }
            var result = assignments
            var present = Set(assignments.map(\.column.id))
            // Conditions need their inner columns in the output.
            let inner = pulled.plan.outputs
            let needed = pulled.conditions.reduce(into: Set<ColumnID>()) {
                $1.collectColumns(into: &$0)
            }
            for column in inner
            where needed.contains(column.id) && present.insert(column.id).inserted {
                result.append(column.assignment)
            }
            return PulledPlan(
                plan: .project(pulled.plan, result), conditions: pulled.conditions)
        case .sort(let input, _): return pull(input)
        case .sample(let input, let percent):
            guard let pulled = pull(input) else { return nil }
            return PulledPlan(
                plan: .sample(pulled.plan, percent: percent), conditions: pulled.conditions)
        case .rowNumber(let input, let id):
            guard let pulled = pull(input) else { return nil }
            return PulledPlan(plan: .rowNumber(pulled.plan, id), conditions: pulled.conditions)
        case .join(let node): return pull(node, free)
        case .aggregate(let node): return pull(node)
        case .window(let node): return pull(node)
        case .topN(let input, let keys, let count, let offset, withTies: false):
            return pullLimit(input, keys, count, offset)
        case .limit(.project(let input, let assignments), let count, let offset):
            // The order may use columns that the projection drops.
            return pull(.project(.limit(input, count: count, offset: offset), assignments))
        case .limit(let input, let count, let offset):
            return pullLimit(input, [], count ?? .max, offset)
        case .unnest(let node):
            guard let pulled = pull(node.input) else { return nil }
            var copy = node
            copy.input = pulled.plan
            copy.kept += missing(pulled, besides: Set(node.kept))
            if node.isOuter && !pulled.conditions.isEmpty { return nil }
            return PulledPlan(plan: .unnest(copy), conditions: pulled.conditions)
        case .scan, .values, .union, .singleRow, .topN: return nil
        }
    }

    /// Columns of the plan that its conditions read and that are not in `present`.
    private func missing(_ pulled: PulledPlan, besides present: Set<ColumnID>) -> [ColumnID] {
        let needed = pulled.conditions.reduce(into: Set<ColumnID>()) {
            $1.collectColumns(into: &$0)
        }
        return pulled.plan.outputs.map(\.id).filter { needed.contains($0) && !present.contains($0) }
    }

    private func pull(_ node: JoinNode, _ free: Set<ColumnID>) -> PulledPlan? {
        var copy = node
        var conditions: [BoundExpression] = []
        switch node.kind {
        case .inner, .cross:
            guard let left = pull(node.left), let right = pull(node.right) else { return nil }
            copy.left = left.plan
            copy.right = right.plan
            conditions = left.conditions + right.conditions
            let residual = node.residual?.conjuncts ?? []
            conditions += residual.filter { !$0.columns.isDisjoint(with: free) }
            let rest = residual.filter { $0.columns.isDisjoint(with: free) }
            copy.residual = rest.isEmpty ? nil : .all(rest)
            if copy.equalities.isEmpty && rest.isEmpty { copy.kind = .cross }
        case .left, .semi, .anti, .nullAwareAnti, .mark:
            guard node.right.freeColumns.isEmpty,
                node.residual?.columns.isDisjoint(with: free) ?? true,
                let left = pull(node.left)
            else { return nil }
            copy.left = left.plan
            conditions = left.conditions
        case .right:
            guard node.left.freeColumns.isEmpty,
                node.residual?.columns.isDisjoint(with: free) ?? true,
                let right = pull(node.right)
            else { return nil }
            copy.right = right.plan
            conditions = right.conditions
        case .full: return nil
        }
        return PulledPlan(plan: .join(copy), conditions: conditions)
    }

    /// The inner columns that equalities bind to outer values; nil when a condition is none.
    private func boundKeys(_ pulled: inout PulledPlan) -> [PlanColumn]? {
        var keys: [PlanColumn] = []
        var seen: Set<ColumnID> = []
        var conditions: [BoundExpression] = []
        for condition in pulled.conditions {
            guard case .comparison(let op, let first, let second) = condition,
                op == .equal || op == .notDistinct
            else { return nil }
            let inner = pulled.plan.outputIDs
            let (own, outer): (BoundExpression, BoundExpression)
            if first.columns.isSubset(of: inner) && second.columns.isDisjoint(with: inner)
                && !first.columns.isEmpty
            {
                (own, outer) = (first, second)
            } else if second.columns.isSubset(of: inner) && first.columns.isDisjoint(with: inner)
                && !second.columns.isEmpty
            {
                (own, outer) = (second, first)
            } else {
                return nil
            }
            let id = pulled.plan.provide(own, allocator)
            if seen.insert(id).inserted {
                keys.append(PlanColumn(id: id, type: own.type, name: "key"))
            }
            conditions.append(.comparison(op, .column(id, own.type), outer))
        }
        pulled.conditions = conditions
        return keys
    }

    /// A grouped aggregate keeps the bound columns as further keys. One without keys is the caller's.
    private func pull(_ node: AggregateNode) -> PulledPlan? {
        guard !node.keys.isEmpty, node.groupingSets == nil else { return nil }
        return pullAggregate(node)
    }

    /// The aggregate with the bound columns as keys: one row a combination that occurs.
    func pullAggregate(_ node: AggregateNode) -> PulledPlan? {
        guard node.groupingSets == nil, var pulled = pull(node.input),
            let keys = boundKeys(&pulled)
        else { return nil }
        var copy = node
        copy.input = pulled.plan
        let present = Set(node.keys.map(\.id))
        copy.keys += keys.filter { !present.contains($0.id) }
        return PulledPlan(plan: .aggregate(copy), conditions: pulled.conditions)
    }

    private func pull(_ node: WindowNode) -> PulledPlan? {
        guard var pulled = pull(node.input), let keys = boundKeys(&pulled) else { return nil }
        var copy = node
        copy.input = pulled.plan
        let present = Set(node.partitionBy)
        copy.partitionBy += keys.map(\.id).filter { !present.contains($0) }
        return PulledPlan(plan: .window(copy), conditions: pulled.conditions)
    }

    /// The first rows a combination of bound columns, by their number.
    private func pullLimit(
        _ input: LogicalPlan, _ keys: [SortKey], _ count: Int64, _ offset: Int64
    ) -> PulledPlan? {
        var order = keys
        var inner = input
        if order.isEmpty, case .sort(let below, let sortKeys) = input {
            order = sortKeys
            inner = below
        }
        guard var pulled = pull(inner), let partition = boundKeys(&pulled) else { return nil }
        pulled.plan = pulled.plan.numberedLimit(
            partition.map(\.id), order, count, offset, allocator, registry)
        return pulled
    }
}

extension LogicalPlan {
    /// LIMIT within each partition: rows are numbered and filtered.
    func numberedLimit(
        _ partition: [ColumnID], _ order: [SortKey], _ count: Int64, _ offset: Int64,
        _ allocator: ColumnAllocator, _ registry: FunctionRegistry
    ) -> LogicalPlan {
        guard let rowNumber = try? registry.resolveAggregate("row_number", []) else { return self }
        let number = allocator.column(.bigint, "$number")
        let window = LogicalPlan.window(
            WindowNode(
                input: self, partitionBy: partition, orderBy: order,
                calls: [
                    WindowCall(
                        output: number, function: rowNumber, arguments: [],
                        frame: WindowFrame(
                            unit: .rows, start: .unboundedPreceding, end: .currentRow))
                ]))
        var conditions: [BoundExpression] = []
        if offset > 0 {
            conditions.append(.comparison(.greater, number.expression, .integer(offset)))
        }
        let (last, overflow) = offset.addingReportingOverflow(count)
        if !overflow {
            conditions.append(.comparison(.lessOrEqual, number.expression, .integer(last)))
        }
        return window.filtered(conditions)
    }
}
