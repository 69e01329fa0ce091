import SQLFunctions
import Vectors

/// Attaches subqueries to the plan whose rows they are evaluated for, always as joins.
///
///     scalar, uncorrelated     cross join with one row
///     scalar aggregate         left join on the correlated keys; counts of nothing become 0
///     scalar, other            left join with count and value a key; two rows fail where they are read
///     EXISTS, IN               semi, anti or mark join
///     LATERAL                  inner or left join
struct SubqueryJoins {
    let allocator: ColumnAllocator
    let registry: FunctionRegistry

    // MARK: Scalar subqueries

    /// Adds the value of a one-column subquery to `outer`.
    func scalar(
        _ outer: LogicalPlan, _ subquery: LogicalPlan
    ) throws(QueryFault) -> (plan: LogicalPlan, value: BoundExpression) {
        guard let output = subquery.outputs.first else {
            throw QueryFault(.genericInternalError, "a scalar subquery has no column")
        }
        if subquery.freeColumns.isDisjoint(with: outer.outputIDs) {
            let single: LogicalPlan =
                subquery.isExactlyOneRow ? subquery : .singleRow(subquery)
            return (join(.cross, outer, single, []), output.expression)
        }
        if let chain = AggregateChain(subquery) {
            let (plan, values, condition) = try attach(chain, to: outer)
            let value = values[output.id] ?? output.expression
            guard let condition else { return (plan, value) }
            return (
                plan,
                .caseWhen(
                    [WhenBranch(condition: condition, value: value)], otherwise: nil,
                    type: value.type)
            )
        }
        if case .values(let node) = subquery.strippingOrder, node.rows.count == 1 {
            return (outer, node.rows[0][0])
        }
        if case .project(let input, let assignments) = subquery.strippingOrder, input.isOneEmptyRow
        {
            return (outer, assignments[0].expression)
        }
        // Any other: a row a key with the number of rows and a value.
        let (inner, conditions) = try unnest(outer, subquery)
        if let grouped = try groupedScalar(outer, inner, conditions, output) { return grouped }
        return try numberedScalar(outer, inner, conditions, output)
    }

    /// Equalities only: the subquery is aggregated by its keys, then joined.
    private func groupedScalar(
        _ outer: LogicalPlan, _ inner: LogicalPlan, _ conditions: [BoundExpression],
        _ output: PlanColumn
    ) throws(QueryFault) -> (plan: LogicalPlan, value: BoundExpression)? {
        let node = JoinNode.make(.left, outer, inner, on: conditions, allocator)
        guard node.residual == nil, !node.equalities.isEmpty else { return nil }
        let right = node.right.outputs
        var keys: [PlanColumn] = []
        for equality in node.equalities {
            if let column = right.first(where: { $0.id == equality.right }),
                !keys.contains(where: { $0.id == column.id })
            {
                keys.append(column)
            }
        }
        let count = allocator.column(.bigint, "$rows")
        let value = allocator.column(output.type, output.name)
        let aggregate = AggregateNode(
            input: node.right, keys: keys,
            calls: [
                AggregateCall(
                    output: count, function: try registry.resolveAggregate("count", []),
                    arguments: []),
                AggregateCall(
                    output: value,
                    function: try registry.resolveAggregate("any_value", [output.type]),
                    arguments: [output.id]),
            ])
        let joined = LogicalPlan.join(
            JoinNode(
                kind: .left, left: node.left, right: .aggregate(aggregate),
                equalities: node.equalities))
        return (joined, try checked(value, count))
    }

    /// Other conditions: outer rows are numbered, joined and aggregated back to one a number.
    private func numberedScalar(
        _ outer: LogicalPlan, _ inner: LogicalPlan, _ conditions: [BoundExpression],
        _ output: PlanColumn
    ) throws(QueryFault) -> (plan: LogicalPlan, value: BoundExpression) {
        let number = allocator.column(.bigint, "$row")
        let present = allocator.column(.boolean, "$present")
        let marked = LogicalPlan.project(
            inner,
            inner.outputs.map(\.assignment) + [Assignment(column: present, expression: .true_)])
        let joined = JoinNode.make(
            .left, .rowNumber(outer, number.id), marked, on: conditions, allocator)
        let count = allocator.column(.bigint, "$rows")
        let value = allocator.column(output.type, output.name)
        var calls = [
            AggregateCall(
                output: count, function: try registry.resolveAggregate("count", [.boolean]),
                arguments: [present.id]),
            AggregateCall(
                output: value, function: try registry.resolveAggregate("any_value", [output.type]),
                arguments: [output.id]),
        ]
        var fresh: [PlanColumn] = []
        for column in outer.outputs {
            let copy = allocator.column(column.type, column.name)
            fresh.append(copy)
            calls.append(
                AggregateCall(
                    output: copy,
                    function: try registry.resolveAggregate("any_value", [column.type]),
                    arguments: [column.id]))
        }
        let aggregate = LogicalPlan.aggregate(
            AggregateNode(input: .join(joined), keys: [number], calls: calls))
        let back = LogicalPlan.project(
            aggregate,
            zip(outer.outputs, fresh).map { Assignment(column: $0, expression: $1.expression) }
                + [count.assignment, value.assignment])
        // The numbered copy's columns keep their ids above the projection.
        return (back, try checked(value, count))
    }

    /// The value, with a failure where more than one row was found.
    private func checked(
        _ value: PlanColumn, _ count: PlanColumn
    ) throws(QueryFault) -> BoundExpression {
        let check = try registry.resolveScalar("$check_single_row", [.value(.bigint)])
        return .caseWhen(
            [WhenBranch(condition: .call(check, [count.expression]), value: value.expression)],
            otherwise: nil, type: value.type)
    }

    /// Left joins a scalar aggregate and computes what stands above it. The values are by output id;
    /// the condition is what HAVING said.
    private func attach(
        _ chain: AggregateChain, to outer: LogicalPlan
    ) throws(QueryFault) -> (LogicalPlan, [ColumnID: BoundExpression], BoundExpression?) {
        let pullUp = PredicatePullUp(allocator: allocator, registry: registry)
        var plan: LogicalPlan
        var values: [ColumnID: BoundExpression] = [:]
        if let pulled = pullUp.pullAggregate(chain.aggregate) {
            plan = .join(JoinNode.make(.left, outer, pulled.plan, on: pulled.conditions, allocator))
        } else {
            let columns = correlated(outer, .aggregate(chain.aggregate))
            let push = DomainPushDown(
                outer: outer, columns: columns, allocator: allocator, registry: registry)
            let pushed = try push.push(.aggregate(chain.aggregate))
            plan = join(.left, outer, pushed.plan, equalities(columns, pushed.ids))
        }
        for call in chain.aggregate.calls where call.emptyValue != .null {
            values[call.output.id] = .coalesce(
                [call.output.expression, .literal(call.emptyValue, call.output.type)],
                type: call.output.type)
        }
        var condition: [BoundExpression] = []
        for step in chain.steps {
            switch step {
            case .project(let assignments):
                var next: [ColumnID: BoundExpression] = [:]
                for assignment in assignments {
                    next[assignment.column.id] = assignment.expression.substituting(values)
                }
                values = next
            case .filter(let predicate): condition.append(predicate.substituting(values))
            }
        }
        // Subqueries of steps are columns of joins inside, which a chain does not have.
        return (plan, values, condition.isEmpty ? nil : .all(condition))
    }

    // MARK: EXISTS and IN

    /// How a membership test is used.
    enum Use {
        /// As a condition: rows without a match go.
        case keep
        /// As a negated condition: rows with a match go.
        case drop
        /// As a value.
        case value
    }

    /// EXISTS: nil for the value when the plan says it all.
    func exists(
        _ outer: LogicalPlan, _ subquery: LogicalPlan, _ use: Use
    ) throws(QueryFault) -> (plan: LogicalPlan, value: BoundExpression?) {
        let inner = subquery.strippedForExistence
        if inner.isExactlyOneRow {
            switch use {
            case .keep: return (outer, nil)
            case .drop: return (.filter(outer, predicate: .false_), nil)
            case .value: return (outer, .true_)
            }
        }
        if let chain = AggregateChain(inner), !inner.freeColumns.isDisjoint(with: outer.outputIDs) {
            // HAVING over a correlated aggregate without keys.
            let (plan, _, condition) = try attach(chain, to: outer)
            let value = BoundExpression.coalesce([condition ?? .true_, .false_], type: .boolean)
            switch use {
            case .keep: return (plan.filtered([value]), nil)
            case .drop: return (plan.filtered([.not(value)]), nil)
            case .value: return (plan, value)
            }
        }
        let (plan, conditions) = try unnest(outer, inner)
        return membership(outer, plan, conditions, use)
    }

    private func membership(
        _ outer: LogicalPlan, _ inner: LogicalPlan, _ conditions: [BoundExpression], _ use: Use
    ) -> (plan: LogicalPlan, value: BoundExpression?) {
        switch use {
        case .keep:
            return (.join(JoinNode.make(.semi, outer, inner, on: conditions, allocator)), nil)
        case .drop:
            return (.join(JoinNode.make(.anti, outer, inner, on: conditions, allocator)), nil)
        case .value:
            let mark = allocator.column(.boolean, "$mark")
            let node = JoinNode.make(
                .mark(mark.id, isNullAware: false), outer, inner, on: conditions, allocator)
            return (.join(node), mark.expression)
        }
    }

    /// `values IN (subquery)`: operands and the subquery's columns in pairs, of equal types.
    func membership(
        _ outer: LogicalPlan, _ operands: [BoundExpression], _ subquery: LogicalPlan,
        _ members: [BoundExpression], _ use: Use
    ) throws(QueryFault) -> (plan: LogicalPlan, value: BoundExpression?) {
        let inner = subquery.strippingOrder
        let (plan, conditions) = try unnest(outer, inner)
        let pairs = Array(zip(operands, members))
        let equal = pairs.map { BoundExpression.comparison(.equal, $0, $1) }
        if use == .keep { return membership(outer, plan, conditions + equal, .keep) }
        let isPlain = pairs.count == 1 && conditions.isEmpty
        if isPlain && use == .drop {
            let node = JoinNode.make(.nullAwareAnti, outer, plan, on: equal, allocator)
            if node.equalities.count == 1 && node.residual == nil { return (.join(node), nil) }
        }
        if isPlain && use == .value {
            let mark = allocator.column(.boolean, "$mark")
            let node = JoinNode.make(
                .mark(mark.id, isNullAware: true), outer, plan, on: equal, allocator)
            if node.equalities.count == 1 && node.residual == nil {
                return (.join(node), mark.expression)
            }
        }
        // The comparison of rows may be unknown: neither equal nor different for sure.
        let possible = pairs.map { operand, member in
            BoundExpression.any([
                .comparison(.equal, operand, member), .isNull(operand), .isNull(member),
            ])
        }
        if use == .drop { return membership(outer, plan, conditions + possible, .drop) }
        let (copy, ids) = plan.cloned(allocator)
        let first = membership(outer, plan, conditions + equal, .value)
        let second = membership(
            first.plan, copy, (conditions + possible).map { $0.renaming(ids) }, .value)
        guard let certain = first.value, let maybe = second.value else {
            throw QueryFault(.genericInternalError, "a mark join has no mark")
        }
        return (
            second.plan,
            .caseWhen(
                [
                    WhenBranch(condition: certain, value: .true_),
                    WhenBranch(condition: maybe, value: .null(.boolean)),
                ], otherwise: .false_, type: .boolean)
        )
    }

    // MARK: LATERAL

    /// Joins each row of `outer` with the rows that the subquery gives for it.
    func lateral(
        _ outer: LogicalPlan, _ subquery: LogicalPlan, isLeft: Bool, on condition: [BoundExpression]
    ) throws(QueryFault) -> LogicalPlan {
        if subquery.freeColumns.isDisjoint(with: outer.outputIDs) {
            return .join(
                JoinNode.make(isLeft ? .left : .inner, outer, subquery, on: condition, allocator))
        }
        if !isLeft || condition.isEmpty, let chain = AggregateChain(subquery),
            chain.steps.allSatisfy({ if case .project = $0 { true } else { !isLeft } })
        {
            let (plan, values, having) = try attach(chain, to: outer)
            let assignments = subquery.outputs.map {
                Assignment(column: $0, expression: values[$0.id] ?? $0.expression)
            }
            let filtered = having.map { plan.filtered([$0]) } ?? plan
            let projected = LogicalPlan.project(
                filtered, outer.outputs.map(\.assignment) + assignments)
            return projected.filtered(condition)
        }
        let (inner, conditions) = try unnest(outer, subquery)
        return .join(
            JoinNode.make(
                isLeft ? .left : .inner, outer, inner, on: conditions + condition, allocator))
    }

    // MARK: Unnesting

    /// The subquery without outer columns of `outer`, and the conditions that bind it to them.
    private func unnest(
        _ outer: LogicalPlan, _ subquery: LogicalPlan
    ) throws(QueryFault) -> (LogicalPlan, [BoundExpression]) {
        if subquery.freeColumns.isDisjoint(with: outer.outputIDs) { return (subquery, []) }
        if let pulled = PredicatePullUp(allocator: allocator, registry: registry).pull(subquery) {
            return (pulled.plan, pulled.conditions)
        }
        let columns = correlated(outer, subquery)
        let push = DomainPushDown(
            outer: outer, columns: columns, allocator: allocator, registry: registry)
        let pushed = try push.push(subquery)
        let conditions = columns.compactMap { column in
            pushed.ids[column.id].map {
                BoundExpression.comparison(
                    .notDistinct, column.expression, .column($0, column.type))
            }
        }
        return (pushed.plan, conditions)
    }

    private func correlated(_ outer: LogicalPlan, _ subquery: LogicalPlan) -> [PlanColumn] {
        let free = subquery.freeColumns
        return outer.outputs.filter { free.contains($0.id) }
    }

    private func equalities(
        _ columns: [PlanColumn], _ ids: [ColumnID: ColumnID]
    ) -> [JoinEquality] {
        columns.compactMap { column in
            ids[column.id].map { JoinEquality(left: column.id, right: $0, matchesNulls: true) }
        }
    }

    private func join(
        _ kind: JoinKind, _ left: LogicalPlan, _ right: LogicalPlan, _ equalities: [JoinEquality]
    ) -> LogicalPlan {
        .join(JoinNode(kind: kind, left: left, right: right, equalities: equalities))
    }
}

/// Projections and filters over an aggregate without keys: what a scalar subquery usually is.
private struct AggregateChain {
    enum Step {
        case project([Assignment])
        case filter(BoundExpression)
    }

    var aggregate: AggregateNode
    /// From the aggregate upwards.
    var steps: [Step] = []

    init?(_ plan: LogicalPlan) {
        switch plan {
        case .aggregate(let node) where node.keys.isEmpty && node.groupingSets == nil:
            aggregate = node
        case .project(let input, let assignments):
            guard let chain = AggregateChain(input) else { return nil }
            self = chain
            steps.append(.project(assignments))
        case .filter(let input, let predicate):
            guard let chain = AggregateChain(input) else { return nil }
            self = chain
            steps.append(.filter(predicate))
        case .sort(let input, _), .singleRow(let input):
            guard let chain = AggregateChain(input) else { return nil }
            self = chain
        case .limit(let input, let count, 0) where count ?? 1 >= 1:
            guard let chain = AggregateChain(input) else { return nil }
            self = chain
        default: return nil
        }
    }
}

extension LogicalPlan {
    /// The plan without an order at its top, which means nothing to a set.
    var strippingOrder: LogicalPlan {
        switch self {
        case .sort(let input, _): input.strippingOrder
        case .project(let input, let assignments): .project(input.strippingOrder, assignments)
        default: self
        }
    }

    /// The plan as EXISTS sees it: only whether there is a row.
    var strippedForExistence: LogicalPlan {
        switch self {
        case .sort(let input, _): input.strippedForExistence
        case .project(let input, let assignments):
            // Columns stay, for conditions above that read them; nothing else does.
            assignments.allSatisfy { !$0.expression.canFail } ? input.strippedForExistence : self
        case .limit(let input, let count, 0) where count ?? 1 >= 1: input.strippedForExistence
        case .topN(let input, _, let count, 0, _) where count >= 1: input.strippedForExistence
        case .aggregate(let node) where !node.keys.isEmpty && node.groupingSets == nil:
            node.input.strippedForExistence
        default: self
        }
    }

    /// Whether the plan gives one row, always.
    var isExactlyOneRow: Bool {
        switch self {
        case .aggregate(let node): node.keys.isEmpty && node.groupingSets == nil
        case .values(let node): node.rows.count == 1
        case .singleRow: true
        case .project(let input, _), .sort(let input, _): input.isExactlyOneRow
        case .limit(let input, let count, 0): input.isExactlyOneRow && count ?? 1 >= 1
        default: false
        }
    }

    /// SELECT without FROM.
    var isOneEmptyRow: Bool {
        if case .values(let node) = self {
            node.columns.isEmpty && node.rows.count == 1
        } else {
            false
        }
    }
}
