import SQLFunctions
import Vectors

extension LogicalPlan {
    /// The columns of the node's output, in order.
    package var outputs: [PlanColumn] {
        switch self {
        case .scan(let node): node.columns
        case .values(let node): node.columns
        case .filter(let input, _), .sort(let input, _), .topN(let input, _, _, _, _),
            .limit(let input, _, _), .singleRow(let input), .sample(let input, _):
            input.outputs
        case .project(_, let assignments): assignments.map(\.column)
        case .aggregate(let node): node.outputs
        case .join(let node): node.outputs
        case .window(let node): node.input.outputs + node.calls.map(\.output)
        case .union(_, let columns, _): columns
        case .unnest(let node): node.outputs
        case .rowNumber(let input, let id):
            input.outputs + [PlanColumn(id: id, type: .bigint, name: "$row")]
        }
    }

    package var outputIDs: Set<ColumnID> { Set(outputs.map(\.id)) }

    /// The inputs, left before right.
    package var children: [LogicalPlan] {
        switch self {
        case .scan, .values: []
        case .filter(let input, _), .project(let input, _), .sort(let input, _),
            .topN(let input, _, _, _, _), .limit(let input, _, _), .singleRow(let input),
            .rowNumber(let input, _), .sample(let input, _):
            [input]
        case .aggregate(let node): [node.input]
        case .join(let node): [node.left, node.right]
        case .window(let node): [node.input]
        case .union(let inputs, _, _): inputs
        case .unnest(let node): [node.input]
        }
    }

    /// The same node over inputs that `transform` gives.
    package func mapChildren(_ transform: (LogicalPlan) -> LogicalPlan) -> LogicalPlan {
        switch self {
        case .scan, .values: return self
        case .filter(let input, let predicate):
            return .filter(transform(input), predicate: predicate)
        case .project(let input, let assignments): return .project(transform(input), assignments)
        case .aggregate(var node):
            node.input = transform(node.input)
            return .aggregate(node)
        case .join(var node):
            node.left = transform(node.left)
            node.right = transform(node.right)
            return .join(node)
        case .window(var node):
            node.input = transform(node.input)
            return .window(node)
        case .sort(let input, let keys): return .sort(transform(input), keys)
        case .topN(let input, let keys, let count, let offset, let withTies):
            return .topN(transform(input), keys, count: count, offset: offset, withTies: withTies)
        case .limit(let input, let count, let offset):
            return .limit(transform(input), count: count, offset: offset)
        case .union(let inputs, let columns, let mapping):
            return .union(inputs.map(transform), columns: columns, mapping: mapping)
        case .unnest(var node):
            node.input = transform(node.input)
            return .unnest(node)
        case .singleRow(let input): return .singleRow(transform(input))
        case .rowNumber(let input, let id): return .rowNumber(transform(input), id)
        case .sample(let input, let percent): return .sample(transform(input), percent: percent)
        }
    }

    /// Rewrites from the leaves up.
    package func transformed(_ rewrite: (LogicalPlan) -> LogicalPlan) -> LogicalPlan {
        rewrite(mapChildren { $0.transformed(rewrite) })
    }

    /// The same node with its own expressions rewritten (not those of inputs).
    package func mapExpressions(_ rewrite: (BoundExpression) -> BoundExpression) -> LogicalPlan {
        switch self {
        case .scan(var node):
            node.filters = node.filters.map(rewrite)
            return .scan(node)
        case .values(var node):
            node.rows = node.rows.map { $0.map(rewrite) }
            return .values(node)
        case .filter(let input, let predicate): return .filter(input, predicate: rewrite(predicate))
        case .project(let input, let assignments):
            return .project(
                input,
                assignments.map {
                    Assignment(column: $0.column, expression: rewrite($0.expression))
                })
        case .join(var node):
            node.residual = node.residual.map(rewrite)
            return .join(node)
        default: return self
        }
    }

    /// The expressions of the node itself.
    package var expressions: [BoundExpression] {
        switch self {
        case .scan(let node): node.filters
        case .values(let node): node.rows.flatMap { $0 }
        case .filter(_, let predicate): [predicate]
        case .project(_, let assignments): assignments.map(\.expression)
        case .join(let node): node.residual.map { [$0] } ?? []
        default: []
        }
    }

    /// The columns that the node itself reads from its inputs (for scans: of the table).
    package var usedColumns: Set<ColumnID> {
        var used: Set<ColumnID> = []
        for expression in expressions { expression.collectColumns(into: &used) }
        switch self {
        case .aggregate(let node):
            used.formUnion(node.keys.map(\.id))
            for call in node.calls { used.formUnion(call.usedColumns) }
        case .join(let node):
            for equality in node.equalities { used.formUnion([equality.left, equality.right]) }
        case .window(let node):
            used.formUnion(node.partitionBy)
            used.formUnion(node.orderBy.map(\.column))
            for call in node.calls { used.formUnion(call.usedColumns) }
        case .sort(_, let keys), .topN(_, let keys, _, _, _): used.formUnion(keys.map(\.column))
        case .union(_, _, let mapping): for ids in mapping { used.formUnion(ids) }
        case .unnest(let node): used.formUnion(node.kept + node.collections)
        default: break
        }
        return used
    }

    /// Columns that the plan reads and nothing inside produces: correlated references while binding.
    package var freeColumns: Set<ColumnID> {
        var free = usedColumns
        if case .scan(let node) = self {
            return free.subtracting(node.columns.map(\.id)).subtracting(
                node.filterOnlyColumns.map(\.column.id))
        }
        for child in children { free.subtract(child.outputIDs) }
        for child in children { free.formUnion(child.freeColumns) }
        return free
    }

    /// Every id that the plan produces, at any depth.
    var producedColumns: Set<ColumnID> {
        var produced = outputIDs
        if case .scan(let node) = self {
            produced.formUnion(node.filterOnlyColumns.map(\.column.id))
        }
        for expression in expressions {
            _ = expression.contains { node in
                if case .lambda(let parameters, _) = node {
                    produced.formUnion(parameters.map(\.0))
                }
                return false
            }
        }
        for child in children { produced.formUnion(child.producedColumns) }
        return produced
    }

    /// A copy with fresh ids, and what each id became.
    package func cloned(_ allocator: ColumnAllocator) -> (
        plan: LogicalPlan, ids: [ColumnID: ColumnID]
    ) {
        var ids: [ColumnID: ColumnID] = [:]
        for id in producedColumns.sorted(by: { $0.number < $1.number }) { ids[id] = allocator.id() }
        return (renamed(ids), ids)
    }

    /// Whether any node satisfies a condition.
    package func contains(where condition: (LogicalPlan) -> Bool) -> Bool {
        condition(self) || children.contains { $0.contains(where: condition) }
    }
}

extension AggregateNode {
    package var outputs: [PlanColumn] {
        keys + (groupingSetID.map { [PlanColumn(id: $0, type: .bigint, name: "$set")] } ?? [])
            + calls.map(\.output)
    }
}

extension JoinNode {
    package var outputs: [PlanColumn] {
        switch kind {
        case .semi, .anti, .nullAwareAnti: left.outputs
        case .mark(let id, _): left.outputs + [PlanColumn(id: id, type: .boolean, name: "$mark")]
        default: left.outputs + right.outputs
        }
    }
}

extension UnnestNode {
    package var outputs: [PlanColumn] {
        let inputs = Dictionary(
            input.outputs.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return kept.compactMap { inputs[$0] } + columns.flatMap { $0 }
            + (ordinality.map { [$0] } ?? [])
    }
}

extension AggregateCall {
    var usedColumns: Set<ColumnID> {
        Set(arguments).union(filter.map { [$0] } ?? []).union(order.map(\.column))
    }
}

extension WindowCall {
    var usedColumns: Set<ColumnID> {
        var used = Set(arguments).union(filter.map { [$0] } ?? [])
        for bound in [frame.start, frame.end] {
            switch bound {
            case .preceding(let id), .following(let id): used.insert(id)
            default: break
            }
        }
        return used
    }
}
