import SQLFunctions
import SQLPlanning
import Vectors

extension PhysicalPlanner {
    /// Grouping and aggregates.
    func aggregate(_ original: AggregateNode, _ demand: Demand) throws(QueryFault) -> Stream {
        let node = splitDistinct(original) ?? original
        let calls = node.calls.filter { demand.needed?.contains($0.output.id) ?? true }
        var needed = Set(node.keys.map(\.id))
        for call in calls {
            needed.formUnion(call.arguments)
            needed.formUnion(call.order.map(\.column))
            if let filter = call.filter { needed.insert(filter) }
        }
        var inner = Demand(needed: needed)
        if node.groupingSets == nil {
            // Dropping rows of groups that nobody wants is fine.
            for key in node.keys { inner.joinFilters[key.id] = demand.joinFilters[key.id] }
        }
        inner.narrow = narrowArguments(node, calls)
        inner.summary = summaryDemand(node, calls)
        var stream = try build(node.input, inner)

        var keys: [Int] = []
        for key in node.keys { keys.append(try stream.layout.require(key.id)) }
        var shapeCalls: [AggregateShape.Call] = []
        for call in calls { shapeCalls.append(try resolve(call, stream.layout)) }
        var keyTypes = node.keys.map(\.type)
        var outputs = node.keys
        var emptySets: [[LiteralValue]] = []
        if let levels = groupingLevels(node, calls) {
            return try aggregate(node, calls, shapeCalls, keys, levels, stream)
        }
        if let plain = distinctBesides(node, calls) {
            return try aggregate(node, calls, shapeCalls, keys, distinctOf: plain, stream)
        }
        if let sets = node.groupingSets, let setID = node.groupingSetID {
            let width = stream.layout.columns.count
            stream.append(GroupingSetsFactory(keys: keys, types: keyTypes, sets: sets))
            keys = Array(width..<(width + keys.count + 1))
            keyTypes.append(.bigint)
            outputs.append(PlanColumn(id: setID, type: .bigint, name: "$set"))
            for (index, set) in sets.enumerated() where set.isEmpty {
                emptySets.append(
                    Array(repeating: .null, count: node.keys.count) + [.integer(Int64(index))])
            }
        }
        // Keys with zones are compared by their instant; some row's own value is what is shown.
        var representatives: [(key: Int, call: Int)] = []
        for (index, type) in keyTypes.enumerated() where hasZone(type) {
            representatives.append((index, shapeCalls.count))
            shapeCalls.append(representative(keys[index], type))
        }
        let callOutputs = calls.map(\.output)
        let shape = AggregateShape(
            keys: keys, keyTypes: keyTypes, calls: shapeCalls, emptySetKeys: emptySets)
        let sink = try AggregateSink(
            shape, outputTypes: keyTypes + shapeCalls.map(\.call.output.type), runtime: runtime,
            detail: "\(keys.count) keys, \(calls.count) calls")
        finish(stream, into: sink)
        var result = Stream(branches: [Branch(source: sink)], layout: Layout(outputs + callOutputs))
        if !representatives.isEmpty {
            var positions = Array(0..<(keyTypes.count + calls.count))
            for (key, call) in representatives { positions[key] = keyTypes.count + call }
            result.append(ReorderFactory(positions, statistics: OperatorStatistics("Reorder")))
        }
        return result
    }

    func hasZone(_ type: LogicalType) -> Bool {
        switch type {
        case .timestampWithTimeZone, .timeWithTimeZone: true
        default: false
        }
    }

    private func representative(_ column: Int, _ type: LogicalType) -> AggregateShape.Call {
        let function = AggregateFunction(
            name: "any_value", signature: .fixed([type], result: type), summary: "", example: "")
        let call = AggregateCall(
            output: PlanColumn(id: ColumnID(-1), type: type, name: ""),
            function: ResolvedAggregate(function: function, parameters: [type], result: type),
            arguments: [])
        return AggregateShape.Call(call: call, arguments: [column], filter: nil, orderTypes: [])
    }

    private func resolve(_ call: AggregateCall, _ layout: Layout) throws(QueryFault)
        -> AggregateShape.Call
    {
        var arguments: [Int] = []
        for id in call.arguments { arguments.append(try layout.require(id)) }
        var orderTypes: [LogicalType] = []
        for key in call.order {
            let position = try layout.require(key.column)
            arguments.append(position)
            orderTypes.append(layout.columns[position].type)
        }
        guard arguments.count <= 16 else {
            throw QueryFault(.notSupported, "an aggregate takes at most 16 arguments and sort keys")
        }
        return AggregateShape.Call(
            call: call, arguments: arguments,
            filter: try call.filter.map { id throws(QueryFault) in
                try layout.require(id)
            }, orderTypes: orderTypes)
    }

    /// What least and greatest values and counts want, if there is nothing else to compute.
    private func summaryDemand(
        _ node: AggregateNode, _ calls: [AggregateCall]
    ) -> SummaryDemand? {
        guard node.keys.isEmpty, node.groupingSets == nil, !calls.isEmpty else { return nil }
        var demand = SummaryDemand()
        for call in calls {
            guard call.filter == nil, call.order.isEmpty, call.arguments.count < 2 else {
                return nil
            }
            switch (call.function.function.name, call.arguments.first) {
            case ("count", nil): demand.countsRows = true
            case ("count", let column?) where !call.isDistinct: demand.counts.insert(column)
            case ("min", let column?) where hasPlainOrder(call): demand.minimums.insert(column)
            case ("max", let column?) where hasPlainOrder(call): demand.maximums.insert(column)
            default: return nil
            }
        }
        return demand
    }

    private func hasPlainOrder(_ call: AggregateCall) -> Bool {
        call.function.parameters.first.map(SummaryWish.hasPlainOrder) ?? false
    }

    /// Columns that only sums, means and counts read: their decimals may stay in 64 bits.
    private func narrowArguments(_ node: AggregateNode, _ calls: [AggregateCall]) -> Set<ColumnID> {
        var narrow: Set<ColumnID> = []
        var others = Set(node.keys.map(\.id))
        for call in calls {
            let isSum = ["sum", "avg", "count"].contains(call.function.function.name)
            if isSum && !call.isDistinct && call.order.isEmpty {
                narrow.formUnion(call.arguments)
            } else {
                others.formUnion(call.arguments)
            }
            others.formUnion(call.order.map(\.column))
        }
        return narrow.subtracting(others)
    }

    /// All calls DISTINCT over the same arguments: group by those first, then aggregate plainly.
    private func splitDistinct(_ node: AggregateNode) -> AggregateNode? {
        guard let first = node.calls.first, node.groupingSets == nil, !first.arguments.isEmpty
        else {
            return nil
        }
        for call in node.calls {
            guard call.isDistinct, call.filter == nil, call.order.isEmpty,
                call.arguments == first.arguments
            else { return nil }
        }
        var keys = node.keys
        let known = node.input.outputs
        for id in first.arguments where !keys.contains(where: { $0.id == id }) {
            guard let column = known.first(where: { $0.id == id }) else { return nil }
            keys.append(column)
        }
        var outer = node
        outer.input = .aggregate(AggregateNode(input: node.input, keys: keys, calls: []))
        outer.calls = node.calls.map { call in
            var plain = call
            plain.isDistinct = false
            return plain
        }
        return outer
    }
}
