import SQLFunctions
import SQLPlanning
import Vectors

extension PhysicalPlanner {
    /// A table scan with its conjuncts, the join filters that reach it, and a top-N bound.
    func scan(_ node: ScanNode, _ demand: Demand) throws(QueryFault) -> Stream {
        try openScan(node, demand, late: []).stream
    }

    /// The same, and its source. `late` are columns of the table that shall be fetched of single rows:
    /// the stream then has two columns more, which say where a row is.
    func openScan(
        _ node: ScanNode, _ demand: Demand, late: [Int]
    ) throws(QueryFault) -> (stream: Stream, source: TableScanSource) {
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
        var wish: SummaryWish?
        if node.filters.isEmpty, uses.isEmpty, bound == nil, node.limit == nil {
            wish = demand.summary.map { self.wish($0, columns) }
        }
        let request = ScanRequest(
            columns: tableColumns, lateColumns: late,
            filters: conjuncts.map { pushedFilter($0, columns) },
            joinFilters: uses, limit: node.limit, topN: bound, budget: runtime.budget,
            settings: runtime.settings, session: runtime.session,
            isCancelled: { runtime.isStopped })
        var outputs = wanted.map { node.columns[$0] }
        var positions = Array(wanted.indices)
        if !late.isEmpty {
            positions += [columns.count, columns.count + 1]
            columns += PhysicalPlanner.placeColumns
            outputs += PhysicalPlanner.placeColumns
        }
        let source = TableScanSource(
            table, request, layout: Layout(columns), outputPositions: positions, wish: wish,
            detail: table.name.description)
        return (Stream(branches: [Branch(source: source)], layout: Layout(outputs)), source)
    }

    /// Where a row is: in which file, and where in that.
    static let placeColumns = [
        PlanColumn(id: ColumnID(-2), type: .bigint, name: "$file"),
        PlanColumn(id: ColumnID(-3), type: .bigint, name: "$position"),
    ]

    /// A wish in terms of the scan's columns.
    private func wish(_ demand: SummaryDemand, _ columns: [PlanColumn]) -> SummaryWish {
        func positions(_ ids: Set<ColumnID>) -> Set<Int> {
            Set(columns.indices.filter { ids.contains(columns[$0].id) })
        }
        return SummaryWish(
            minimums: positions(demand.minimums), maximums: positions(demand.maximums),
            counts: positions(demand.counts), countsRows: demand.countsRows)
    }
}

/// Joins a zip and an array of pairs.
private func + (
    left: Zip2Sequence<[PlanColumn], [Int]>, right: [(PlanColumn, Int)]
) -> [(PlanColumn, Int)] { left.map { ($0.0, $0.1) } + right }
