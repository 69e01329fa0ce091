import SQLFunctions
import SQLPlanning
import Vectors

extension PhysicalPlanner {
    /// A join: the right side is built first, then the left side streams through the probe.
    func join(_ node: JoinNode, _ demand: Demand) throws(QueryFault) -> Stream {
        if node.buildsLeft { return try joinBuildingLeft(node, demand) }
        let leftOutputs = node.left.outputs
        let rightOutputs = node.right.outputs
        let residual = node.residual.map(conjunctsOf) ?? []
        var residualColumns: Set<ColumnID> = []
        for predicate in residual { residualColumns.formUnion(columnsOf(predicate)) }
        let givesRight: Bool
        switch node.kind {
        case .inner, .left, .right, .full, .cross: givesRight = true
        case .semi, .anti, .nullAwareAnti, .mark: givesRight = false
        }
        // Right side first: its pipelines run before those of the left.
        var rightNeeded = residualColumns.intersection(rightOutputs.map(\.id))
        rightNeeded.formUnion(node.equalities.map(\.right))
        if givesRight {
            rightNeeded.formUnion(
                rightOutputs.map(\.id).filter { demand.needed?.contains($0) ?? true })
        }
        var rightDemand = Demand(needed: rightNeeded)
        switch node.kind {
        case .inner, .right, .cross: rightDemand.joinFilters = demand.joinFilters
        default: break
        }
        let right = try build(node.right, rightDemand)
        let position = pipelines.count

        var leftNeeded = residualColumns.intersection(leftOutputs.map(\.id))
        leftNeeded.formUnion(node.equalities.map(\.left))
        leftNeeded.formUnion(leftOutputs.map(\.id).filter { demand.needed?.contains($0) ?? true })
        var leftDemand = Demand(needed: leftNeeded)
        var offers: [(key: Int, offer: FilterOffer)] = []
        switch node.kind {
        case .inner, .right, .semi:
            leftDemand.joinFilters = demand.joinFilters
            for (index, equality) in node.equalities.enumerated() where !equality.matchesNulls {
                let offer = FilterOffer()
                // One filter a column: the nearest join's is as good as any.
                leftDemand.joinFilters[equality.left] = offer
                offers.append((index, offer))
            }
        case .left, .anti, .nullAwareAnti, .mark: leftDemand.joinFilters = demand.joinFilters
        case .cross: leftDemand.joinFilters = demand.joinFilters
        case .full: break
        }
        var left = try build(node.left, leftDemand)

        let shape = try joinShape(node, left.layout, right.layout, residual, demand)
        let build = JoinBuildSink(shape, runtime: runtime, detail: describe(node))
        build.filters = offers.filter(\.offer.isUsed).map {
            JoinFilterSlot(key: $0.key, filter: $0.offer.filter)
        }
        insert(Pipeline(branches: right.branches, sink: build, isSerial: false), at: position)
        left.append(
            JoinProbeFactory(build, statistics: OperatorStatistics("JoinProbe", describe(node))))
        var columns = shape.leftOutput.map { left.layout.columns[$0] }
        if givesRight { columns += shape.rightOutput.map { right.layout.columns[$0] } }
        if case .mark(let id, _) = node.kind {
            columns.append(PlanColumn(id: id, type: .boolean, name: "$mark"))
        }
        left.layout = Layout(columns)
        return left
    }

    /// A semi or anti join whose left side is the smaller one: that is built, the right side marks the
    /// rows that it matches, and the marked rows, or the others, are given at the end.
    private func joinBuildingLeft(_ node: JoinNode, _ demand: Demand) throws(QueryFault) -> Stream {
        let residual = node.residual.map(conjunctsOf) ?? []
        var columns: Set<ColumnID> = []
        for predicate in residual { columns.formUnion(columnsOf(predicate)) }
        let given = node.left.outputs.map(\.id).filter { demand.needed?.contains($0) ?? true }
        var buildDemand = Demand(
            needed: columns.intersection(node.left.outputIDs).union(given)
                .union(node.equalities.map(\.left)))
        buildDemand.joinFilters = demand.joinFilters
        let built = try build(node.left, buildDemand)
        let position = pipelines.count

        var probeDemand = Demand(
            needed: columns.intersection(node.right.outputIDs)
                .union(node.equalities.map(\.right)))
        var offers: [(key: Int, offer: FilterOffer)] = []
        // Rows that match nothing mark nothing, whichever rows are given in the end.
        for (index, equality) in node.equalities.enumerated() where !equality.matchesNulls {
            let offer = FilterOffer()
            probeDemand.joinFilters[equality.right] = offer
            offers.append((index, offer))
        }
        var probe = try build(node.right, probeDemand)

        let shape = try joinShape(node, probe.layout, built.layout, residual, demand)
        let sink = JoinBuildSink(shape, runtime: runtime, detail: describe(node))
        sink.filters = offers.filter(\.offer.isUsed).map {
            JoinFilterSlot(key: $0.key, filter: $0.offer.filter)
        }
        insert(Pipeline(branches: built.branches, sink: sink, isSerial: false), at: position)
        probe.append(
            JoinProbeFactory(sink, statistics: OperatorStatistics("JoinProbe", describe(node))))
        probe.layout = Layout(shape.rightOutput.map { built.layout.columns[$0] })
        return probe
    }

    /// `left` and `right`: of the probe side and the build side.
    private func joinShape(
        _ node: JoinNode, _ left: Layout, _ right: Layout, _ residual: [BoundExpression],
        _ demand: Demand
    ) throws(QueryFault) -> JoinShape {
        let buildsLeft = node.buildsLeft
        var leftKeys: [Int] = []
        var rightKeys: [Int] = []
        for equality in node.equalities {
            leftKeys.append(try left.require(buildsLeft ? equality.right : equality.left))
            rightKeys.append(try right.require(buildsLeft ? equality.left : equality.right))
        }
        let kind: JoinShape.Kind =
            switch node.kind {
            case .semi where buildsLeft: .buildSemi
            case .anti where buildsLeft: .buildAnti
            case .inner, .cross: .inner
            case .left: .left
            case .right: .right
            case .full: .full
            case .semi: .semi
            case .anti: .anti
            case .nullAwareAnti: node.equalities.isEmpty ? .anti : .nullAwareAnti
            case .mark(_, let isNullAware):
                .mark(isNullAware: isNullAware && !node.equalities.isEmpty)
            }
        func wanted(_ layout: Layout) -> [Int] {
            layout.columns.indices.filter { demand.needed?.contains(layout.columns[$0].id) ?? true }
        }
        return JoinShape(
            kind: kind, leftTypes: left.columns.map(\.type), rightTypes: right.columns.map(\.type),
            leftKeys: leftKeys, rightKeys: rightKeys,
            matchesNulls: node.equalities.map(\.matchesNulls),
            keyTypes: leftKeys.map { left.columns[$0].type },
            leftOutput: buildsLeft ? [] : wanted(left),
            rightOutput: wanted(right), residual: residual,
            pairLayout: Layout(left.columns + right.columns))
    }

    private func describe(_ node: JoinNode) -> String {
        let keys = node.equalities.map { "c\($0.left.number) = c\($0.right.number)" }
        return "\(node.kind) " + keys.joined(separator: ", ")
            + (node.buildsLeft ? ", built of the left side" : "")
    }
}

extension JoinNode {
    /// Whether the side whose rows are given is the one to build.
    fileprivate var buildsLeft: Bool {
        guard prefersLeftBuild, !equalities.isEmpty else { return false }
        return kind == .semi || kind == .anti
    }
}
