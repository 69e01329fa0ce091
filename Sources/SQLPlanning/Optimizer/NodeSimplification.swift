import SQLFunctions
import Vectors

/// Small rules on single nodes: orders that nobody sees, DISTINCT of what is distinct, NULL-aware joins
/// of columns without NULL, counts of what is never NULL.
struct NodeSimplification {
    let registry: FunctionRegistry

    func simplified(_ plan: LogicalPlan) -> LogicalPlan {
        ordered(plan).transformed(step)
    }

    /// Keeps sorts where the order reaches the result or a LIMIT.
    private func ordered(_ plan: LogicalPlan) -> LogicalPlan {
        switch plan {
        case .project(let input, let assignments): return .project(ordered(input), assignments)
        case .filter(let input, let predicate): return .filter(ordered(input), predicate: predicate)
        case .limit(let input, let count, let offset):
            return .limit(ordered(input), count: count, offset: offset)
        case .sort(let input, let keys): return .sort(unordered(input), keys)
        default: return plan.mapChildren { unordered($0) }
        }
    }

    private func unordered(_ plan: LogicalPlan) -> LogicalPlan {
        switch plan {
        case .sort(let input, _): return unordered(input)
        case .project(let input, let assignments): return .project(unordered(input), assignments)
        case .filter(let input, let predicate):
            return .filter(unordered(input), predicate: predicate)
        case .limit: return ordered(plan)
        default: return plan.mapChildren { unordered($0) }
        }
    }

    private func step(_ node: LogicalPlan) -> LogicalPlan {
        switch node {
        case .aggregate(var aggregate):
            if aggregate.calls.isEmpty, aggregate.groupingSets == nil, !aggregate.keys.isEmpty,
                aggregate.input.isDistinct(by: Set(aggregate.keys.map(\.id)))
            {
                return .project(aggregate.input, aggregate.keys.map(\.assignment))
            }
            let input = aggregate.input
            for index in aggregate.calls.indices {
                let call = aggregate.calls[index]
                guard call.function.function.name == "count", call.arguments.count == 1,
                    !call.isDistinct, input.isNeverNull(call.arguments[0]),
                    let count = try? registry.resolveAggregate("count", [])
                else { continue }
                aggregate.calls[index].function = count
                aggregate.calls[index].arguments = []
            }
            return .aggregate(aggregate)
        case .join(var join):
            let isKnown = join.equalities.allSatisfy {
                join.left.isNeverNull($0.left) && join.right.isNeverNull($0.right)
            }
            switch join.kind {
            case .nullAwareAnti where isKnown: join.kind = .anti
            case .mark(let id, isNullAware: true) where isKnown:
                join.kind = .mark(id, isNullAware: false)
            default: break
            }
            switch join.kind {
            case .semi, .anti, .mark(_, isNullAware: false):
                // Whether there is one match or many is the same.
                if case .aggregate(let inner) = join.right, inner.calls.isEmpty,
                    inner.groupingSets == nil, !inner.keys.isEmpty
                {
                    join.right = inner.input
                }
            default: break
            }
            return .join(join)
        case .singleRow(let input): return input.isExactlyOneRow ? input : node
        default: return node
        }
    }
}

extension LogicalPlan {
    /// Whether no two rows agree in all these columns, by the form of the plan.
    func isDistinct(by columns: Set<ColumnID>) -> Bool {
        switch self {
        case .aggregate(let node):
            return node.groupingSets == nil && Set(node.keys.map(\.id)).isSubset(of: columns)
        case .project(let input, let assignments):
            let passed = assignments.filter { columns.contains($0.column.id) }.compactMap(
                \.expression.columnID)
            return input.isDistinct(by: Set(passed))
        case .filter(let input, _), .sort(let input, _), .limit(let input, _, _),
            .topN(let input, _, _, _, _):
            return input.isDistinct(by: columns)
        case .join(let node):
            switch node.kind {
            case .semi, .anti, .nullAwareAnti, .mark: return node.left.isDistinct(by: columns)
            default: return false
            }
        case .rowNumber(_, let id): return columns.contains(id)
        default: return isSingleRow
        }
    }

    /// Whether a column of the output is never NULL, by tables and the form of the plan.
    func isNeverNull(_ id: ColumnID) -> Bool {
        switch self {
        case .scan(let node):
            guard let index = node.columns.firstIndex(where: { $0.id == id }) else { return false }
            return !node.table.columns[node.tableColumns[index]].isNullable
                || node.filters.contains { $0.rejectsNulls(of: [id]) }
        case .values(let node):
            guard let index = node.columns.firstIndex(where: { $0.id == id }) else { return false }
            return node.rows.allSatisfy { $0[index].literalValue.map { $0 != .null } ?? false }
        case .filter(let input, let predicate):
            return input.isNeverNull(id) || predicate.rejectsNulls(of: [id])
        case .project(let input, let assignments):
            guard let expression = assignments.first(where: { $0.column.id == id })?.expression
            else { return false }
            if let column = expression.columnID { return input.isNeverNull(column) }
            return expression.literalValue.map { $0 != .null } ?? false
        case .aggregate(let node):
            if let call = node.calls.first(where: { $0.output.id == id }) {
                return call.emptyValue != .null
            }
            return node.groupingSets == nil && node.input.isNeverNull(id)
        case .join(let node):
            switch node.kind {
            case .inner, .cross:
                return node.left.isNeverNull(id) || node.right.isNeverNull(id)
                    || node.equalities.contains {
                        !$0.matchesNulls && ($0.left == id || $0.right == id)
                    }
            case .left, .semi, .anti, .nullAwareAnti, .mark: return node.left.isNeverNull(id)
            case .right: return node.right.isNeverNull(id)
            case .full: return false
            }
        case .window(let node): return node.input.isNeverNull(id)
        case .sort(let input, _), .topN(let input, _, _, _, _), .limit(let input, _, _),
            .sample(let input, _):
            return input.isNeverNull(id)
        case .rowNumber(let input, let number): return id == number || input.isNeverNull(id)
        case .union, .unnest, .singleRow: return false
        }
    }
}
