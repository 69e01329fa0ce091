import SQLFunctions
import Vectors

/// Checks what every plan must satisfy: operators read columns that their inputs give, of the types
/// that are said; joins compare equal types; conditions are boolean.
package struct PlanChecker {
    package init() {}

    /// What is wrong with the plan; nil when it is sound.
    package func problem(in plan: LogicalPlan) -> String? {
        for child in plan.children {
            if let problem = problem(in: child) { return problem }
        }
        var types: [ColumnID: LogicalType] = [:]
        var inputs = plan.children.flatMap(\.outputs)
        if case .scan(let node) = plan {
            inputs = node.columns + node.filterOnlyColumns.map(\.column)
        }
        for column in inputs { types[column.id] = column.type }
        for id in plan.usedColumns.sorted(by: { $0.number < $1.number }) where types[id] == nil {
            return "\(name(plan)) reads #\(id.number), which its input does not give"
        }
        for expression in plan.expressions {
            if let problem = problem(in: expression, types) { return "\(name(plan)): \(problem)" }
        }
        var seen: Set<ColumnID> = []
        for column in plan.outputs where !seen.insert(column.id).inserted {
            return "\(name(plan)) gives #\(column.id.number) twice"
        }
        return nodeProblem(plan, types)
    }

    private func nodeProblem(_ plan: LogicalPlan, _ types: [ColumnID: LogicalType]) -> String? {
        switch plan {
        case .filter(_, let predicate):
            return predicate.type == .boolean ? nil : "a condition is \(predicate.type)"
        case .scan(let node):
            return node.filters.allSatisfy { $0.type == .boolean }
                ? nil : "a scan's filter is not boolean"
        case .project(_, let assignments):
            for assignment in assignments where assignment.column.type != assignment.expression.type
            {
                if !assignment.expression.type.hasSameValues(as: assignment.column.type) {
                    return
                        "column \(assignment.column.name) is \(assignment.column.type) but computed as "
                        + "\(assignment.expression.type)"
                }
            }
        case .values(let node):
            for row in node.rows where row.count != node.columns.count {
                return "a row of VALUES has \(row.count) cells for \(node.columns.count) columns"
            }
        case .join(let node): return joinProblem(node, types)
        case .union(let inputs, let columns, let mapping):
            for (input, ids) in zip(inputs, mapping) {
                let given = input.outputIDs
                guard ids.count == columns.count, ids.allSatisfy({ given.contains($0) }) else {
                    return "an input of a union does not fit its columns"
                }
                for (id, column) in zip(ids, columns) {
                    guard let type = types[id], type.hasSameValues(as: column.type) else {
                        return "a union takes \(types[id] ?? .unknown) for \(column.type)"
                    }
                }
            }
        case .aggregate(let node):
            for call in node.calls where call.arguments.count != call.function.parameters.count {
                return "\(call.function.function.name) has \(call.arguments.count) arguments"
            }
        default: break
        }
        return nil
    }

    private func joinProblem(_ node: JoinNode, _ types: [ColumnID: LogicalType]) -> String? {
        let left = node.left.outputIDs
        let right = node.right.outputIDs
        for equality in node.equalities {
            guard left.contains(equality.left), right.contains(equality.right) else {
                return
                    "a join's equality #\(equality.left.number) = #\(equality.right.number) is not "
                    + "between its sides"
            }
            guard let one = types[equality.left], let other = types[equality.right],
                one.isJoinable(with: other)
            else { return "a join compares different types" }
        }
        let isNullAware: Bool
        switch node.kind {
        case .nullAwareAnti, .mark(_, isNullAware: true): isNullAware = true
        case .cross where node.residual != nil || !node.equalities.isEmpty:
            return "a cross join has a condition"
        default: isNullAware = false
        }
        if isNullAware && (node.equalities.count != 1 || node.residual != nil) {
            return "a NULL-aware join has other than one equality"
        }
        return node.residual.map { $0.type == .boolean } ?? true ? nil : "a residual is not boolean"
    }

    private func problem(
        in expression: BoundExpression, _ types: [ColumnID: LogicalType]
    ) -> String? {
        var types = types
        switch expression {
        case .column(let id, let type):
            guard let given = types[id] else { return "#\(id.number) is not given" }
            return given.hasSameValues(as: type) || type.hasSameValues(as: given)
                ? nil : "#\(id.number) is \(given), read as \(type)"
        case .lambda(let parameters, _): for (id, type) in parameters { types[id] = type }
        case .comparison(_, let left, let right):
            if !left.type.isJoinable(with: right.type) {
                return "compares \(left.type) with \(right.type)"
            }
        case .and(let terms), .or(let terms):
            if terms.contains(where: { $0.type != .boolean }) {
                return "a term of AND or OR is not boolean"
            }
        default: break
        }
        for child in expression.children {
            if let problem = problem(in: child, types) { return problem }
        }
        return nil
    }

    private func name(_ plan: LogicalPlan) -> String { PlanPrinter.title(plan) }
}
