import SQLFunctions
import Vectors

/// Removes columns that nobody reads, down to the scans.
struct ColumnPruning {
    /// Whether projections are put in that drop columns above joins: they would hide joins from the
    /// ordering.
    let narrows: Bool

    /// A plan whose outputs hold at least the required columns.
    func pruned(_ plan: LogicalPlan, _ required: Set<ColumnID>) -> LogicalPlan {
        switch plan {
        case .scan(var node):
            var filterColumns: Set<ColumnID> = []
            for filter in node.filters { filter.collectColumns(into: &filterColumns) }
            var columns: [PlanColumn] = []
            var tableColumns: [Int] = []
            var filterOnly: [(column: PlanColumn, tableColumn: Int)] = []
            for (column, index) in zip(node.columns, node.tableColumns) {
                if required.contains(column.id) {
                    columns.append(column)
                    tableColumns.append(index)
                } else if filterColumns.contains(column.id) {
                    filterOnly.append((column, index))
                }
            }
            for entry in node.filterOnlyColumns where filterColumns.contains(entry.column.id) {
                filterOnly.append(entry)
            }
            node.columns = columns
            node.tableColumns = tableColumns
            node.filterOnlyColumns = filterOnly
            return .scan(node)
        case .values(var node):
            let kept = node.columns.indices.filter { required.contains(node.columns[$0].id) }
            node.columns = kept.map { node.columns[$0] }
            node.rows = node.rows.map { row in kept.map { row[$0] } }
            return .values(node)
        case .filter(let input, let predicate):
            return .filter(pruned(input, required.union(predicate.columns)), predicate: predicate)
        case .project(let input, let assignments):
            let kept = assignments.filter { required.contains($0.column.id) }
            var needed: Set<ColumnID> = []
            for assignment in kept { assignment.expression.collectColumns(into: &needed) }
            return .project(pruned(input, needed), kept)
        case .aggregate(var node):
            node.calls = node.calls.filter { required.contains($0.output.id) }
            var needed = Set(node.keys.map(\.id))
            for call in node.calls { needed.formUnion(call.usedColumns) }
            node.input = pruned(node.input, needed)
            return .aggregate(node)
        case .join(var node):
            var needed = required
            for equality in node.equalities { needed.formUnion([equality.left, equality.right]) }
            node.residual?.collectColumns(into: &needed)
            node.left = narrowed(node.left, needed)
            node.right = narrowed(node.right, needed)
            return .join(node)
        case .window(var node):
            node.calls = node.calls.filter { required.contains($0.output.id) }
            if node.calls.isEmpty { return pruned(node.input, required) }
            var needed = required.union(node.partitionBy).union(node.orderBy.map(\.column))
            for call in node.calls { needed.formUnion(call.usedColumns) }
            node.input = narrowed(node.input, needed)
            return .window(node)
        case .sort(let input, let keys):
            return .sort(narrowed(input, required.union(keys.map(\.column))), keys)
        case .topN(let input, let keys, let count, let offset, let withTies):
            return .topN(
                narrowed(input, required.union(keys.map(\.column))), keys, count: count,
                offset: offset, withTies: withTies)
        case .limit(let input, let count, let offset):
            return .limit(pruned(input, required), count: count, offset: offset)
        case .union(let inputs, let columns, let mapping):
            let kept = columns.indices.filter { required.contains(columns[$0].id) }
            let maps = mapping.map { ids in kept.map { ids[$0] } }
            return .union(
                zip(inputs, maps).map { pruned($0, Set($1)) }, columns: kept.map { columns[$0] },
                mapping: maps)
        case .unnest(var node):
            node.kept = node.kept.filter { required.contains($0) }
            if let ordinality = node.ordinality, !required.contains(ordinality.id) {
                node.ordinality = nil
            }
            node.input = pruned(node.input, Set(node.kept + node.collections))
            return .unnest(node)
        case .singleRow(let input): return .singleRow(pruned(input, required))
        case .rowNumber(let input, let id):
            return required.contains(id)
                ? .rowNumber(pruned(input, required), id) : pruned(input, required)
        case .sample(let input, let percent):
            return .sample(pruned(input, required), percent: percent)
        }
    }

    /// A pruned input of an operator that keeps rows: columns that are left over do not go in.
    private func narrowed(_ input: LogicalPlan, _ needed: Set<ColumnID>) -> LogicalPlan {
        let own = pruned(input, needed)
        guard narrows else { return own }
        let outputs = own.outputs
        let kept = outputs.filter { needed.contains($0.id) }
        guard kept.count < outputs.count else { return own }
        if case .project = own { return own }
        return .project(own, kept.map(\.assignment))
    }
}
