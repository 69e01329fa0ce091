import SQLFunctions
import Vectors

/// A subquery's plan with the outer columns that it needs among its outputs.
struct DomainPlan {
    var plan: LogicalPlan
    /// For each outer column: which output holds its value.
    var ids: [ColumnID: ColumnID]
}

/// The general way to unnest: joins the subquery with the distinct values of the outer columns
/// (the domain) at its leaves and carries them up through every operator.
///
/// Source: Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015.
struct DomainPushDown {
    /// What the outer columns come from.
    let outer: LogicalPlan
    /// The outer columns that the subquery reads.
    let columns: [PlanColumn]
    let allocator: ColumnAllocator
    let registry: FunctionRegistry

    /// The distinct combinations of the outer columns, each time under new ids.
    private func domain() -> DomainPlan {
        let (copy, ids) = outer.cloned(allocator)
        var names: [ColumnID: ColumnID] = [:]
        var keys: [PlanColumn] = []
        for column in columns {
            let id = ids[column.id] ?? column.id
            names[column.id] = id
            keys.append(PlanColumn(id: id, type: column.type, name: column.name))
        }
        return DomainPlan(
            plan: .aggregate(
                AggregateNode(input: .project(copy, keys.map(\.assignment)), keys: keys, calls: [])),
            ids: names)
    }

    private func key(_ ids: [ColumnID: ColumnID]) -> [PlanColumn] {
        columns.compactMap { column in
            ids[column.id].map { PlanColumn(id: $0, type: column.type, name: column.name) }
        }
    }

    private func equalities(
        _ left: [ColumnID: ColumnID], _ right: [ColumnID: ColumnID]
    ) -> [JoinEquality] {
        columns.compactMap { column in
            guard let one = left[column.id], let other = right[column.id] else { return nil }
            return JoinEquality(left: one, right: other, matchesNulls: true)
        }
    }

    private func reads(_ plan: LogicalPlan) -> Bool {
        let free = plan.freeColumns
        return columns.contains { free.contains($0.id) }
    }

    func push(_ plan: LogicalPlan) throws(QueryFault) -> DomainPlan {
        guard reads(plan) else {
            let domain = domain()
            return DomainPlan(
                plan: .join(
                    JoinNode(kind: .cross, left: domain.plan, right: plan, equalities: [])),
                ids: domain.ids)
        }
        switch plan {
        case .filter(let input, let predicate):
            let below = try push(input)
            return DomainPlan(
                plan: .filter(below.plan, predicate: predicate.renaming(below.ids)), ids: below.ids)
        case .project(let input, let assignments):
            let below = try push(input)
            return DomainPlan(
                plan: .project(
                    below.plan,
                    key(below.ids).map(\.assignment)
                        + assignments.map {
                            Assignment(
                                column: $0.column, expression: $0.expression.renaming(below.ids))
                        }), ids: below.ids)
        case .aggregate(let node): return try push(node)
        case .join(let node): return try push(node)
        case .window(var node):
            let below = try push(node.input)
            node.input = below.plan
            node.partitionBy += key(below.ids).map(\.id)
            return DomainPlan(plan: .window(node), ids: below.ids)
        case .sort(let input, _): return try push(input)
        case .topN(let input, let keys, let count, let offset, let withTies):
            guard !withTies else { throw Self.unsupported("FETCH FIRST … WITH TIES") }
            let below = try push(input)
            return DomainPlan(
                plan: below.plan.numberedLimit(
                    key(below.ids).map(\.id), keys, count, offset, allocator, registry),
                ids: below.ids)
        case .limit(.project(let input, let assignments), let count, let offset):
            // The order may use columns that the projection drops.
            return try push(.project(.limit(input, count: count, offset: offset), assignments))
        case .limit(.sort(let input, let keys), let count, let offset):
            let below = try push(input)
            return DomainPlan(
                plan: below.plan.numberedLimit(
                    key(below.ids).map(\.id), keys, count ?? .max, offset, allocator, registry),
                ids: below.ids)
        case .limit(let input, let count, let offset):
            let below = try push(input)
            return DomainPlan(
                plan: below.plan.numberedLimit(
                    key(below.ids).map(\.id), [], count ?? .max, offset, allocator, registry),
                ids: below.ids)
        case .union(let inputs, let outputs, let mapping):
            return try push(inputs, outputs, mapping)
        case .unnest(var node):
            let below = try push(node.input)
            node.input = below.plan
            node.collections = node.collections.map { below.ids[$0] ?? $0 }
            node.kept =
                key(below.ids).map(\.id)
                + node.kept.filter { id in !columns.contains { $0.id == id } }
            return DomainPlan(plan: .unnest(node), ids: below.ids)
        case .rowNumber(let input, let id):
            let below = try push(input)
            return DomainPlan(plan: .rowNumber(below.plan, id), ids: below.ids)
        case .sample(let input, let percent):
            let below = try push(input)
            return DomainPlan(plan: .sample(below.plan, percent: percent), ids: below.ids)
        case .values(let node):
            // Rows that compute with outer columns: each becomes a projection of the domain.
            let rows = node.rows.map { row in
                LogicalPlan.project(
                    .oneRow,
                    zip(node.columns, row).map { column, expression in
                        Assignment(
                            column: allocator.column(column.type, column.name),
                            expression: expression)
                    })
            }
            guard rows.count > 1 else {
                let domain = domain()
                guard let row = node.rows.first else { throw Self.unsupported("an empty VALUES") }
                return DomainPlan(
                    plan: .project(
                        domain.plan,
                        key(domain.ids).map(\.assignment)
                            + zip(node.columns, row).map {
                                Assignment(column: $0, expression: $1.renaming(domain.ids))
                            }), ids: domain.ids)
            }
            return try push(rows, node.columns, rows.map { $0.outputs.map(\.id) })
        case .singleRow(let input):
            if input.isSingleRow { return try push(input, leftJoined: true) }
            throw Self.unsupported("a scalar subquery with several rows in this place")
        case .scan: throw Self.unsupported("a correlated table")
        }
    }

    /// `singleRow`: the domain's values that have no row get one of NULLs.
    private func push(_ input: LogicalPlan, leftJoined: Bool) throws(QueryFault) -> DomainPlan {
        let below = try push(input)
        let domain = domain()
        return DomainPlan(
            plan: .join(
                JoinNode(
                    kind: .left, left: domain.plan, right: below.plan,
                    equalities: equalities(domain.ids, below.ids))), ids: domain.ids)
    }

    private func push(_ node: AggregateNode) throws(QueryFault) -> DomainPlan {
        let below = try push(node.input)
        var copy = node
        copy.input = below.plan
        let keys = key(below.ids)
        guard node.keys.isEmpty, node.groupingSets == nil else {
            if let sets = node.groupingSets {
                let extra = node.keys.count..<(node.keys.count + keys.count)
                copy.groupingSets = sets.map { $0 + extra }
            }
            copy.keys = node.keys + keys
            return DomainPlan(plan: .aggregate(copy), ids: below.ids)
        }
        // Without keys every value of the domain has a row, also when nothing was counted.
        copy.keys = keys
        let domain = domain()
        let joined = LogicalPlan.join(
            JoinNode(
                kind: .left, left: domain.plan, right: .aggregate(copy),
                equalities: equalities(domain.ids, below.ids)))
        let counts = node.calls.filter { $0.emptyValue != .null }
        guard !counts.isEmpty else { return DomainPlan(plan: joined, ids: domain.ids) }
        // The counted outputs keep their ids above: below they get new ones.
        var fresh: [ColumnID: ColumnID] = [:]
        for call in counts { fresh[call.output.id] = allocator.id() }
        let assignments =
            key(domain.ids).map(\.assignment)
            + node.calls.map { call in
                guard let id = fresh[call.output.id] else { return call.output.assignment }
                return Assignment(
                    column: call.output,
                    expression: .coalesce(
                        [
                            .column(id, call.output.type),
                            .literal(call.emptyValue, call.output.type),
                        ],
                        type: call.output.type))
            }
        return DomainPlan(plan: .project(joined.renamed(fresh), assignments), ids: domain.ids)
    }

    private func push(_ node: JoinNode) throws(QueryFault) -> DomainPlan {
        var copy = node
        let rightReads = reads(node.right)
        let leftReads = reads(node.left)
        switch node.kind {
        case .inner, .cross:
            if !leftReads && rightReads {
                let right = try push(node.right)
                copy.right = right.plan
                copy.rename(right.ids)
                return DomainPlan(plan: .join(copy), ids: right.ids)
            }
            if !rightReads { return try pushLeft(copy) }
        case .left, .semi, .anti, .mark, .nullAwareAnti:
            if !rightReads { return try pushLeft(copy) }
            if node.kind == .nullAwareAnti {
                throw Self.unsupported("NOT IN over correlated sides")
            }
            if case .mark(_, isNullAware: true) = node.kind {
                throw Self.unsupported("IN over correlated sides")
            }
        case .right:
            guard !leftReads else { throw Self.unsupported("a RIGHT join of correlated sides") }
            let right = try push(node.right)
            copy.right = right.plan
            copy.rename(right.ids)
            return DomainPlan(plan: .join(copy), ids: right.ids)
        case .full: throw Self.unsupported("a FULL join of correlated sides")
        }
        let left = try push(node.left)
        let right = try push(node.right)
        copy.left = left.plan
        copy.right = right.plan
        copy.rename(left.ids)
        copy.equalities += equalities(left.ids, right.ids)
        if copy.kind == .cross { copy.kind = .inner }
        return DomainPlan(plan: .join(copy), ids: left.ids)
    }

    /// Only the left side and the condition read outer columns.
    private func pushLeft(_ node: JoinNode) throws(QueryFault) -> DomainPlan {
        var copy = node
        let left = try push(node.left)
        copy.left = left.plan
        copy.rename(left.ids)
        if copy.kind == .cross, copy.residual != nil { copy.kind = .inner }
        return DomainPlan(plan: .join(copy), ids: left.ids)
    }

    private func push(
        _ inputs: [LogicalPlan], _ outputs: [PlanColumn], _ mapping: [[ColumnID]]
    ) throws(QueryFault) -> DomainPlan {
        var plans: [LogicalPlan] = []
        var maps: [[ColumnID]] = []
        for (input, map) in zip(inputs, mapping) {
            let below = try push(input)
            plans.append(below.plan)
            maps.append(key(below.ids).map(\.id) + map)
        }
        var ids: [ColumnID: ColumnID] = [:]
        var keys: [PlanColumn] = []
        for column in columns {
            let fresh = allocator.column(column.type, column.name)
            ids[column.id] = fresh.id
            keys.append(fresh)
        }
        return DomainPlan(plan: .union(plans, columns: keys + outputs, mapping: maps), ids: ids)
    }

    private static func unsupported(_ what: String) -> QueryFault {
        QueryFault(
            .notSupported, "Given correlated subquery is not supported: \(what)",
            hint: "rewrite the subquery as a join")
    }
}

extension JoinNode {
    /// Renames the columns that the condition reads.
    mutating func rename(_ ids: [ColumnID: ColumnID]) {
        residual = residual.map { $0.renaming(ids) }
        equalities = equalities.map {
            JoinEquality(
                left: ids[$0.left] ?? $0.left, right: ids[$0.right] ?? $0.right,
                matchesNulls: $0.matchesNulls)
        }
    }
}

extension AggregateCall {
    /// What the function gives over no rows.
    var emptyValue: LiteralValue {
        switch function.function.name {
        case "count", "count_if", "approx_distinct", "regr_count": .integer(0)
        default: .null
        }
    }
}
