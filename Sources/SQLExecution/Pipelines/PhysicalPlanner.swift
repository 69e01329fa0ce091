import SQLFunctions
import SQLPlanning
import Vectors

/// Rows on their way: sources with the operators behind them, and the columns that come out.
struct Stream {
    var branches: [Branch]
    var layout: Layout

    mutating func append(_ factory: any OperatorFactory) {
        for index in branches.indices { branches[index].operators.append(factory) }
    }
}

/// Turns a logical plan into pipelines, in the order in which they must run.
///
/// Works from the root down with the columns that are needed above, so that joins and scans carry no
/// others. The build side of a join is planned, and run, before its probe side, whose scans use the
/// filters that the build publishes.
final class PhysicalPlanner {
    /// What the nodes above tell a node.
    struct Demand {
        /// Columns wanted; nil: all.
        var needed: Set<ColumnID>?
        /// Join filters by the column of this node they are on.
        var joinFilters: [ColumnID: FilterOffer] = [:]
        /// A top-N bound on a column of this node.
        var topN: (column: ColumnID, isAscending: Bool, box: BoundBox)?
        /// Decimals that may stay in 64 bits.
        var narrow: Set<ColumnID> = []
        /// Nothing but this is wanted to be known of the columns.
        var summary: SummaryDemand?

        /// The same for an input of which other columns are needed, and that changes which rows are
        /// there: filters and bounds end.
        func only(_ needed: Set<ColumnID>?) -> Demand { Demand(needed: needed) }

        func adding(_ columns: some Sequence<ColumnID>) -> Demand {
            var result = self
            result.needed?.formUnion(columns)
            result.summary = nil
            return result
        }
    }

    /// What an aggregate of the whole input wants to know of its columns.
    struct SummaryDemand {
        var minimums: Set<ColumnID> = []
        var maximums: Set<ColumnID> = []
        var counts: Set<ColumnID> = []
        var countsRows = false

        /// The same of the columns that these come from.
        func renamed(_ names: [ColumnID: ColumnID]) -> SummaryDemand {
            SummaryDemand(
                minimums: Set(minimums.compactMap { names[$0] }),
                maximums: Set(maximums.compactMap { names[$0] }),
                counts: Set(counts.compactMap { names[$0] }), countsRows: countsRows)
        }
    }

    /// A join filter on offer, and whether a scan took it.
    final class FilterOffer {
        let filter = JoinFilter()
        var isUsed = false
    }

    /// Where a scan leaves the bound that top-N shall tighten.
    final class BoundBox {
        var bound: TopNBound?
    }

    let runtime: Runtime
    private(set) var pipelines: [Pipeline] = []
    /// Parts of the plan that stand in it more than once, and those of them that are planned.
    var repeatedParts: Set<String> = []
    var sharedParts: [String: SharedRowsSink] = [:]

    init(_ runtime: Runtime) { self.runtime = runtime }

    /// Plans the query into `sink`, with the columns `outputs` in order.
    func plan(_ plan: LogicalPlan, into sink: any Sink, columns: [PlanColumn]) throws(QueryFault) {
        repeatedParts = PhysicalPlanner.repeatedParts(of: plan)
        var stream = try build(plan, Demand(needed: Set(columns.map(\.id))))
        try reorder(&stream, columns)
        pipelines.append(Pipeline(branches: stream.branches, sink: sink, isSerial: false))
    }

    /// Makes the stream have exactly these columns.
    func reorder(_ stream: inout Stream, _ columns: [PlanColumn]) throws(QueryFault) {
        if stream.layout.columns.map(\.id) == columns.map(\.id) { return }
        var positions: [Int] = []
        for column in columns { positions.append(try stream.layout.require(column.id)) }
        stream.append(ReorderFactory(positions, statistics: OperatorStatistics("Reorder")))
        stream.layout = Layout(columns)
    }

    func finish(_ stream: Stream, into sink: any Sink) {
        pipelines.append(Pipeline(branches: stream.branches, sink: sink, isSerial: false))
    }

    /// Puts a pipeline before those that were planned since `position`.
    func insert(_ pipeline: Pipeline, at position: Int) { pipelines.insert(pipeline, at: position) }

    /// A number of rows that can be added to others: no table has the eighth of what an integer holds,
    /// and some tools write the largest integer for "no limit".
    private static func rowCount(_ wanted: Int64) -> Int { Int(min(wanted, .max / 8)) }

    func build(_ plan: LogicalPlan, _ demand: Demand) throws(QueryFault) -> Stream {
        switch plan {
        case .scan(let node): return try scan(node, demand)
        case .values(let node):
            return Stream(
                branches: [Branch(source: ValuesSource(node))], layout: Layout(node.columns))
        case .filter(let input, let predicate):
            var stream = try build(input, demand.adding(columnsOf(predicate)))
            stream.append(
                FilterFactory(
                    [predicate], layout: stream.layout, statistics: OperatorStatistics("Filter")))
            return stream
        case .project(let input, let assignments): return try project(input, assignments, demand)
        case .aggregate(let node):
            if let shared = try sharedPart(plan) { return shared }
            return try aggregate(node, demand)
        case .join(let node): return try join(node, demand)
        case .window(let node): return try window(node, demand)
        case .sort(let input, let keys):
            return try sort(input, keys, limit: nil, demand)
        case .topN(let input, let keys, let count, let offset, let withTies):
            return try topN(
                input, keys, Self.rowCount(count), Self.rowCount(offset), withTies, demand)
        case .limit(let input, let count, let offset):
            var stream = try build(input, demand.only(demand.needed))
            if count == 0 {
                return Stream(branches: [Branch(source: EmptySource())], layout: stream.layout)
            }
            stream.append(
                LimitFactory(count: count.map(Self.rowCount), offset: Self.rowCount(offset)))
            return stream
        case .union(let inputs, let columns, let mapping):
            return try union(inputs, columns, mapping, demand)
        case .unnest(let node): return try unnest(node, demand)
        case .singleRow(let input):
            let stream = try build(input, demand.only(demand.needed))
            let sink = SingleRowSink(stream.layout)
            finish(stream, into: sink)
            return Stream(branches: [Branch(source: sink)], layout: stream.layout)
        case .rowNumber(let input, let id):
            var stream = try build(input, demand.only(demand.needed))
            stream.append(RowNumberFactory())
            stream.layout.columns.append(PlanColumn(id: id, type: .bigint, name: "$row"))
            return stream
        case .sample(let input, let percent):
            var stream = try build(input, demand.only(demand.needed))
            stream.append(SampleFactory(percent: percent, seed: runtime.session.randomSeed))
            return stream
        }
    }

    func columnsOf(_ expression: BoundExpression) -> Set<ColumnID> {
        var columns: Set<ColumnID> = []
        visitColumns(expression) { id, _ in columns.insert(id) }
        return columns
    }

    private func project(
        _ input: LogicalPlan, _ assignments: [Assignment], _ demand: Demand
    ) throws(QueryFault) -> Stream {
        let wanted = assignments.filter { demand.needed?.contains($0.column.id) ?? true }
        var inner = Demand(needed: [])
        for assignment in wanted {
            inner.needed?.formUnion(columnsOf(assignment.expression))
            guard case .column(let source, _) = assignment.expression else { continue }
            // What holds of a column here holds of the column it comes from.
            if let offer = demand.joinFilters[assignment.column.id] {
                inner.joinFilters[source] = offer
            }
            if let topN = demand.topN, topN.column == assignment.column.id {
                inner.topN = (source, topN.isAscending, topN.box)
            }
        }
        if let summary = demand.summary {
            var names: [ColumnID: ColumnID] = [:]
            for assignment in wanted {
                if case .column(let source, _) = assignment.expression {
                    names[assignment.column.id] = source
                }
            }
            if names.count == wanted.count { inner.summary = summary.renamed(names) }
        }
        var stream = try build(input, inner)
        let narrow = Set(wanted.indices.filter { demand.narrow.contains(wanted[$0].column.id) })
        let positions = wanted.map { assignment -> Int? in
            guard case .column(let id, _) = assignment.expression else { return nil }
            return stream.layout.index(of: id)
        }
        if positions.allSatisfy({ $0 != nil }) {
            stream.append(
                ReorderFactory(
                    positions.compactMap { $0 }, statistics: OperatorStatistics("Reorder")))
        } else {
            stream.append(
                ProjectFactory(
                    wanted.map(\.expression), layout: stream.layout, narrow: narrow,
                    statistics: OperatorStatistics("Project")))
        }
        stream.layout = Layout(wanted.map(\.column))
        return stream
    }

    private func sort(
        _ input: LogicalPlan, _ keys: [SortKey], limit: Range<Int>?, _ demand: Demand
    ) throws(QueryFault) -> Stream {
        let inner = demand.only(demand.needed).adding(keys.map(\.column))
        let stream = try build(input, inner)
        let sink = try SortSink(keys, layout: stream.layout, limit: limit, runtime: runtime)
        finish(stream, into: sink)
        return Stream(branches: [Branch(source: sink)], layout: stream.layout)
    }

    private func topN(
        _ input: LogicalPlan, _ keys: [SortKey], _ count: Int, _ offset: Int, _ withTies: Bool,
        _ demand: Demand
    ) throws(QueryFault) -> Stream {
        let (total, overflow) = count.addingReportingOverflow(offset)
        if !withTies, overflow || total > 100_000 {
            return try sort(input, keys, limit: offset..<(overflow ? Int.max : total), demand)
        }
        if let late = try lateTopN(input, keys, count, offset, withTies, demand) { return late }
        var inner = demand.only(demand.needed).adding(keys.map(\.column))
        let box = BoundBox()
        if let first = keys.first, !first.nullsFirst {
            inner.topN = (first.column, first.isAscending, box)
        }
        let stream = try build(input, inner)
        let sink = try TopNSink(
            keys, layout: stream.layout, count: count, offset: offset, withTies: withTies,
            bound: box.bound)
        finish(stream, into: sink)
        return Stream(branches: [Branch(source: sink)], layout: stream.layout)
    }

    private func union(
        _ inputs: [LogicalPlan], _ columns: [PlanColumn], _ mapping: [[ColumnID]], _ demand: Demand
    ) throws(QueryFault) -> Stream {
        let wanted = columns.indices.filter { demand.needed?.contains(columns[$0].id) ?? true }
        var branches: [Branch] = []
        for (index, input) in inputs.enumerated() {
            let ids = wanted.map { mapping[index][$0] }
            var stream = try build(input, Demand(needed: Set(ids)))
            var positions: [Int] = []
            for id in ids { positions.append(try stream.layout.require(id)) }
            stream.append(ReorderFactory(positions, statistics: OperatorStatistics("Union")))
            branches += stream.branches
        }
        return Stream(branches: branches, layout: Layout(wanted.map { columns[$0] }))
    }

    private func unnest(_ node: UnnestNode, _ demand: Demand) throws(QueryFault) -> Stream {
        let kept = node.kept.filter { demand.needed?.contains($0) ?? true }
        var stream = try build(node.input, Demand(needed: Set(kept + node.collections)))
        var positions: [Int] = []
        for id in kept { positions.append(try stream.layout.require(id)) }
        var collections: [UnnestFactory.Collection] = []
        for (index, id) in node.collections.enumerated() {
            let position = try stream.layout.require(id)
            collections.append(
                UnnestFactory.Collection(
                    column: position, type: stream.layout.columns[position].type,
                    outputTypes: node.columns[index].map(\.type)))
        }
        let keptColumns = positions.map { stream.layout.columns[$0] }
        stream.append(
            UnnestFactory(
                kept: positions, keptTypes: keptColumns.map(\.type), collections: collections,
                hasOrdinality: node.ordinality != nil, isOuter: node.isOuter))
        stream.layout = Layout(
            keptColumns + node.columns.flatMap { $0 } + (node.ordinality.map { [$0] } ?? []))
        return stream
    }
}
