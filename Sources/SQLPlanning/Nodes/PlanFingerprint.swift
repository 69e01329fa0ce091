import SQLFunctions

extension LogicalPlan {
    /// A text that two plans have in common only when they give the same rows, column by column in the
    /// order of their outputs; nil for plans that are not the same twice (dice, LIMIT) or hold what has no
    /// text of its own (lambdas, models).
    ///
    /// Columns are numbered in the order in which they are first met, from the leaves up, so that a common
    /// table expression that is bound twice, with ids of its own each time, reads the same.
    package var fingerprint: String? {
        var writer = FingerprintWriter()
        return writer.text(self)
    }
}

private struct FingerprintWriter {
    private var numbers: [ColumnID: ColumnID] = [:]

    mutating func text(_ plan: LogicalPlan) -> String? {
        var inputs: [String] = []
        for child in plan.children {
            guard let text = text(child) else { return nil }
            inputs.append(text)
        }
        guard let own = node(plan) else { return nil }
        return "\(own)(\(inputs.joined(separator: "|")))"
    }

    private mutating func node(_ plan: LogicalPlan) -> String? {
        switch plan {
        case .scan(let node): return scan(node)
        case .values(let node):
            let columns = list(node.columns.map(\.id))
            var rows: [String] = []
            for row in node.rows {
                guard let text = texts(row) else { return nil }
                rows.append(text)
            }
            return "values \(columns) \(types(node.columns)) \(rows.joined(separator: ";"))"
        case .filter(_, let predicate): return text(predicate).map { "filter \($0)" }
        case .project(_, let assignments):
            guard let values = texts(assignments.map(\.expression)) else { return nil }
            return "project \(list(assignments.map(\.column.id))) \(values)"
        case .aggregate(let node): return aggregate(node)
        case .join(let node): return join(node)
        case .union(_, let columns, let mapping):
            let sources = mapping.map { list($0) }.joined(separator: ";")
            return "union \(list(columns.map(\.id))) \(types(columns)) \(sources)"
        default: return nil
        }
    }

    private mutating func scan(_ node: ScanNode) -> String? {
        guard node.limit == nil else { return nil }
        // The order of a scan's columns says nothing of what it reads; that of the table does.
        var columns = Array(zip(node.columns.map(\.id), node.tableColumns))
        columns += node.filterOnlyColumns.map { ($0.column.id, $0.tableColumn) }
        columns.sort { $0.1 < $1.1 }
        let ids = list(columns.map(\.0))
        guard let filters = texts(node.filters) else { return nil }
        let only = list(node.filterOnlyColumns.map(\.column.id).sorted { $0.number < $1.number })
        return "scan \(node.table.stateIdentity) \(columns.map(\.1)) \(ids) \(only) \(filters)"
    }

    private mutating func aggregate(_ node: AggregateNode) -> String? {
        var parts = ["aggregate \(list(node.keys.map(\.id)))"]
        if let sets = node.groupingSets { parts.append("sets \(sets)") }
        if let id = node.groupingSetID { parts.append("set \(list([id]))") }
        for call in node.calls {
            let function = call.function
            parts.append(
                "\(list([call.output.id])) \(function.function.name) \(function.parameters) "
                    + "\(function.result) \(list(call.arguments)) \(call.isDistinct) "
                    + "\(list(call.filter.map { [$0] } ?? [])) "
                    + call.order.map {
                        "\(list([$0.column])) \($0.isAscending) \($0.nullsFirst)"
                    }.joined(separator: ","))
        }
        return parts.joined(separator: ";")
    }

    private mutating func join(_ node: JoinNode) -> String? {
        var kind = "\(node.kind)"
        if case .mark(let id, let isNullAware) = node.kind {
            kind = "mark \(list([id])) \(isNullAware)"
        }
        let keys = node.equalities.map {
            "\(list([$0.left])) \(list([$0.right])) \($0.matchesNulls)"
        }
        guard let residual = texts(node.residual.map { [$0] } ?? []) else { return nil }
        return "join \(kind) \(keys.joined(separator: ",")) \(residual)"
    }

    private mutating func list(_ ids: [ColumnID]) -> String {
        ids.map { "#\(number($0).number)" }.joined(separator: ",")
    }

    private func types(_ columns: [PlanColumn]) -> String { "\(columns.map(\.type))" }

    private mutating func number(_ id: ColumnID) -> ColumnID {
        if let known = numbers[id] { return known }
        let fresh = ColumnID(Int32(numbers.count + 1))
        numbers[id] = fresh
        return fresh
    }

    private mutating func texts(_ expressions: [BoundExpression]) -> String? {
        var parts: [String] = []
        for expression in expressions {
            guard let text = text(expression) else { return nil }
            parts.append(text)
        }
        return parts.joined(separator: ",")
    }

    private mutating func text(_ expression: BoundExpression) -> String? {
        let isPlain = !expression.contains { part in
            switch part {
            case .lambda: true
            case .call(let resolved, _):
                !resolved.function.isDeterministic
                    || ExpressionBinder.modelFunctions.contains(resolved.function.name)
            default: false
            }
        }
        guard isPlain else { return nil }
        var used: Set<ColumnID> = []
        expression.collectColumns(into: &used)
        for id in used.sorted(by: { $0.number < $1.number }) { _ = number(id) }
        return expression.renaming(numbers).identity
    }
}
