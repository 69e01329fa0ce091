import SQLFunctions
import SQLPlanning
import Vectors

/// Top-N over a wide table: the keys and what filters need are read first, and the other columns only of
/// the rows that are among the first.
extension PhysicalPlanner {
    /// Plans it so where that pays; nil elsewhere.
    func lateTopN(
        _ input: LogicalPlan, _ keys: [SortKey], _ count: Int, _ offset: Int, _ withTies: Bool,
        _ demand: Demand
    ) throws(QueryFault) -> Stream? {
        guard count > 0, count + offset <= Limits.lateRows, case .scan(let node) = input,
            node.limit == nil, let table = node.table as? any ExecutableTable, table.fetchesRows,
            mayPay(table, node, count + offset)
        else { return nil }
        var early = Set(keys.map(\.column))
        for filter in node.filters { early.formUnion(columnsOf(filter)) }
        let wanted = node.columns.indices.filter { index in
            let id = node.columns[index].id
            return early.contains(id) || demand.needed?.contains(id) ?? true
        }
        let late = wanted.filter { !early.contains(node.columns[$0].id) }
        guard late.reduce(0, { $0 + weight(node.columns[$1].type) }) >= Limits.lateWeight else {
            return nil
        }

        var inner = Demand(needed: early.intersection(node.columns.map(\.id)))
        let box = BoundBox()
        if let first = keys.first, !first.nullsFirst {
            inner.topN = (first.column, first.isAscending, box)
        }
        let (stream, source) = try openScan(node, inner, late: late.map { node.tableColumns[$0] })
        let top = try TopNSink(
            keys, layout: stream.layout, count: count, offset: offset, withTies: withTies,
            bound: box.bound)
        finish(stream, into: top)

        let columns = stream.layout.columns.dropLast(2) + late.map { node.columns[$0] }
        let rows = LateRowSource(
            top, source, earlyPositions: Array(0..<(columns.count - late.count)),
            latePositions: Array((columns.count - late.count)..<columns.count))
        let layout = Layout(Array(columns))
        // The rows come by row groups: they are put in order again.
        let sort = try SortSink(keys, layout: layout, limit: nil, runtime: runtime)
        finish(Stream(branches: [Branch(source: rows)], layout: layout), into: sort)
        return Stream(branches: [Branch(source: sort)], layout: layout)
    }

    /// Whether there are so many rows that passing over most of them saves more than looking rows up
    /// costs. Verification looks them up always.
    private func mayPay(_ table: any ExecutableTable, _ node: ScanNode, _ kept: Int) -> Bool {
        if runtime.settings.verification.isOn { return true }
        guard let rows = table.statistics?.rowCount else { return false }
        return rows >= Double(max(kept, 1)) * 1000 && rows >= 50_000
    }

    /// What a column costs to read, roughly.
    private func weight(_ type: LogicalType) -> Int {
        switch type.physical {
        case .bool, .int32: 1
        case .int64, .double: 2
        case .int128, .string: 4
        case .list, .row: 8
        }
    }
}
