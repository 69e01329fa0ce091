import SQLFunctions
import SQLPlanning
import Vectors

extension PhysicalPlanner {
    /// A table scan with its conjuncts, the join filters that reach it, and a top-N bound.
    func scan(_ node: ScanNode, _ demand: Demand) throws(QueryFault) -> Stream {
        guard let table = node.table as? any ExecutableTable else {
            throw QueryFault(.notSupported, "table cannot be read: \(node.table.name)")
        }
        let wanted = node.columns.indices.filter {
            demand.needed?.contains(node.columns[$0].id) ?? true
        }
        // Columns of filters that nobody else needs come behind.
        var columns = wanted.map { node.columns[$0] }
        var tableColumns = wanted.map { node.tableColumns[$0] }
        var filterColumns: Set<ColumnID> = []
        for filter in node.filters { filterColumns.formUnion(columnsOf(filter)) }
        for (column, tableColumn) in zip(node.columns, node.tableColumns)
            + node.filterOnlyColumns.map({ ($0.column, $0.tableColumn) })
        where filterColumns.contains(column.id) || demand.joinFilters[column.id] != nil {
            if !columns.contains(where: { $0.id == column.id }) {
                columns.append(column)
                tableColumns.append(tableColumn)
            }
        }
        var uses: [JoinFilterUse] = []
        for (index, column) in columns.enumerated() {
            if let offer = demand.joinFilters[column.id] {
                offer.isUsed = true
                uses.append(JoinFilterUse(column: index, filter: offer.filter))
            }
        }
        var bound: TopNBound?
        if let topN = demand.topN, let index = columns.firstIndex(where: { $0.id == topN.column }) {
            switch columns[index].type.physical {
            case .int32, .int64:
                bound = TopNBound(column: index, isAscending: topN.isAscending)
                topN.box.bound = bound
            default: break
            }
        }
        let conjuncts = node.filters.flatMap(conjunctsOf)
        let runtime = runtime
        let request = ScanRequest(
            columns: tableColumns, filters: conjuncts.map { pushedFilter($0, columns) },
            joinFilters: uses, limit: node.limit, topN: bound, budget: runtime.budget,
            settings: runtime.settings, session: runtime.session,
            isCancelled: { runtime.isStopped })
        let source = TableScanSource(
            table, request, layout: Layout(columns), outputPositions: Array(wanted.indices),
            detail: table.name.description)
        return Stream(
            branches: [Branch(source: source)], layout: Layout(wanted.map { node.columns[$0] }))
    }
}

/// Joins a zip and an array of pairs.
private func + (
    left: Zip2Sequence<[PlanColumn], [Int]>, right: [(PlanColumn, Int)]
) -> [(PlanColumn, Int)] { left.map { ($0.0, $0.1) } + right }
