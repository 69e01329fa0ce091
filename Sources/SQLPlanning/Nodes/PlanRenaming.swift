import SQLFunctions

extension LogicalPlan {
    /// The plan with ids replaced everywhere, where they are produced and where they are read.
    package func renamed(_ names: [ColumnID: ColumnID]) -> LogicalPlan {
        if names.isEmpty { return self }
        let plan = mapChildren { $0.renamed(names) }.mapExpressions { $0.renaming(names) }
        func id(_ old: ColumnID) -> ColumnID { names[old] ?? old }
        func column(_ old: PlanColumn) -> PlanColumn {
            PlanColumn(id: id(old.id), type: old.type, name: old.name)
        }
        func keys(_ old: [SortKey]) -> [SortKey] {
            old.map {
                SortKey(
                    column: id($0.column), isAscending: $0.isAscending, nullsFirst: $0.nullsFirst)
            }
        }
        switch plan {
        case .scan(var node):
            node.columns = node.columns.map(column)
            node.filterOnlyColumns = node.filterOnlyColumns.map {
                (column($0.column), $0.tableColumn)
            }
            return .scan(node)
        case .values(var node):
            node.columns = node.columns.map(column)
            return .values(node)
        case .project(let input, let assignments):
            return .project(
                input,
                assignments.map { Assignment(column: column($0.column), expression: $0.expression) }
            )
        case .aggregate(var node):
            node.keys = node.keys.map(column)
            node.groupingSetID = node.groupingSetID.map(id)
            node.calls = node.calls.map { call in
                AggregateCall(
                    output: column(call.output), function: call.function,
                    arguments: call.arguments.map(id), isDistinct: call.isDistinct,
                    filter: call.filter.map(id), order: keys(call.order))
            }
            return .aggregate(node)
        case .join(var node):
            node.equalities = node.equalities.map {
                JoinEquality(left: id($0.left), right: id($0.right), matchesNulls: $0.matchesNulls)
            }
            if case .mark(let mark, let isNullAware) = node.kind {
                node.kind = .mark(id(mark), isNullAware: isNullAware)
            }
            return .join(node)
        case .window(var node):
            node.partitionBy = node.partitionBy.map(id)
            node.orderBy = keys(node.orderBy)
            node.calls = node.calls.map { call in
                var copy = call
                copy.output = column(call.output)
                copy.arguments = call.arguments.map(id)
                copy.filter = call.filter.map(id)
                copy.frame = WindowFrame(
                    unit: call.frame.unit, start: call.frame.start.renamed(id),
                    end: call.frame.end.renamed(id))
                return copy
            }
            return .window(node)
        case .sort(let input, let order): return .sort(input, keys(order))
        case .topN(let input, let order, let count, let offset, let withTies):
            return .topN(input, keys(order), count: count, offset: offset, withTies: withTies)
        case .union(let inputs, let columns, let mapping):
            return .union(inputs, columns: columns.map(column), mapping: mapping.map { $0.map(id) })
        case .unnest(var node):
            node.kept = node.kept.map(id)
            node.collections = node.collections.map(id)
            node.columns = node.columns.map { $0.map(column) }
            node.ordinality = node.ordinality.map(column)
            return .unnest(node)
        case .rowNumber(let input, let number): return .rowNumber(input, id(number))
        case .filter, .limit, .singleRow, .sample: return plan
        }
    }
}

extension WindowFrame.Bound {
    func renamed(_ id: (ColumnID) -> ColumnID) -> WindowFrame.Bound {
        switch self {
        case .preceding(let column): .preceding(id(column))
        case .following(let column): .following(id(column))
        default: self
        }
    }
}
