import SQLFunctions
import SQLPlanning
import Vectors

/// Aggregates of aggregates: groups are made once from the rows, coarser ones by merging their states.
extension PhysicalPlanner {
    /// One set of keys. Rows are grouped by the finest level; every other one merges its parent's groups.
    struct GroupingLevel {
        /// Indices into the node's keys, ascending.
        var keys: [Int]
        /// The grouping sets that have these keys.
        var sets: [Int]
        var parent: Int?
        var children: [Int] = []
    }

    /// The levels of ROLLUP, CUBE and whatever else has a set with all keys, finest first; nil where each
    /// row must be seen for each set.
    func groupingLevels(_ node: AggregateNode, _ calls: [AggregateCall]) -> [GroupingLevel]? {
        guard let sets = node.groupingSets, sets.count > 1, node.groupingSetID != nil,
            calls.allSatisfy(mergesStates), !node.keys.contains(where: { hasZone($0.type) })
        else { return nil }
        var levels: [GroupingLevel] = []
        for (number, set) in sets.enumerated() {
            let keys = Set(set).sorted()
            if let known = levels.firstIndex(where: { $0.keys == keys }) {
                levels[known].sets.append(number)
            } else {
                levels.append(GroupingLevel(keys: keys, sets: [number]))
            }
        }
        levels.sort { $0.keys.count > $1.keys.count }
        let used = Set(sets.flatMap { $0 })
        guard levels.count > 1, let first = levels.first, first.keys.count == used.count else {
            return nil
        }
        for index in levels.indices.dropFirst() {
            // The last that has all keys is the coarsest of them.
            guard
                let parent = levels[..<index].lastIndex(where: {
                    Set(levels[index].keys).isStrictSubset(of: $0.keys)
                })
            else { return nil }
            levels[index].parent = parent
            levels[parent].children.append(index)
        }
        return levels
    }

    /// Whether the call's states may be made of some rows, and merged into others that began as zeros.
    private func mergesStates(_ call: AggregateCall) -> Bool {
        guard call.order.isEmpty, !call.isDistinct || ignoresRepeats(call.function) else {
            return false
        }
        switch call.function.function.name {
        case "count", "count_if", "sum", "avg", "bool_and", "every", "bool_or", "bitwise_and_agg",
            "bitwise_or_agg", "bitwise_xor_agg", "checksum", "geometric_mean":
            return true
        case "variance", "var_samp", "var_pop", "stddev", "stddev_samp", "stddev_pop":
            return true
        case "min", "max":
            // Other values lie in a heap, which may be gone when they are read.
            guard call.function.parameters.count == 1 else { return false }
            switch call.function.parameters[0].physical {
            case .bool, .int32, .int64: return true
            default: return false
            }
        default: return false
        }
    }

    /// Plans grouping sets by levels. `keys` are the keys' positions in `input`.
    func aggregate(
        _ node: AggregateNode, _ calls: [AggregateCall], _ shapeCalls: [AggregateShape.Call],
        _ keys: [Int], _ levels: [GroupingLevel], _ input: Stream
    ) throws(QueryFault) -> Stream {
        let outputs =
            node.keys
            + (node.groupingSetID.map { [PlanColumn(id: $0, type: .bigint, name: "$set")] } ?? [])
            + calls.map(\.output)
        let collected = SharedRowsSink(outputs.map(\.type))
        var sinks: [AggregateSink] = []
        var branches: [Branch] = []
        var isCollecting = false
        for level in levels {
            sinks.append(
                try levelSink(level, of: levels, node, shapeCalls, keys, sinks))
        }
        guard let finest = sinks.first else { return input }
        finish(input, into: finest)
        for (index, level) in levels.enumerated() {
            let factories = level.sets.map { set in
                GroupingSetOutputFactory(
                    keys: node.keys.indices.map { level.keys.firstIndex(of: $0) },
                    types: node.keys.map(\.type), set: set,
                    calls: calls.indices.map { level.keys.count + $0 })
            }
            if level.children.isEmpty, let factory = factories.first, factories.count == 1 {
                branches.append(Branch(source: sinks[index], operators: [factory]))
                continue
            }
            isCollecting = true
            let level = GroupingLevelSink(
                level.children.map { sinks[$0] }, outputs: factories, collected: collected,
                detail: "\(level.keys.count) keys, \(level.children.count) coarser sets")
            finish(
                Stream(branches: [Branch(source: sinks[index])], layout: Layout([])), into: level)
        }
        if isCollecting { branches.insert(Branch(source: collected.makeSource()), at: 0) }
        return Stream(branches: branches, layout: Layout(outputs))
    }

    private func levelSink(
        _ level: GroupingLevel, of levels: [GroupingLevel], _ node: AggregateNode,
        _ calls: [AggregateShape.Call], _ keys: [Int], _ sinks: [AggregateSink]
    ) throws(QueryFault) -> AggregateSink {
        let types = level.keys.map { node.keys[$0].type }
        var shape: AggregateShape
        if let parent = level.parent {
            let finer = levels[parent].keys
            let states = try sinks[parent].stateOffsets()
            shape = AggregateShape(
                keys: level.keys.compactMap { finer.firstIndex(of: $0) }, keyTypes: types,
                calls: calls.indices.map { index in
                    AggregateShape.Call(
                        call: calls[index].call, arguments: [], filter: nil, orderTypes: [],
                        mergedState: states[index])
                })
            shape.stateColumn = finer.count + calls.count
        } else {
            shape = AggregateShape(keys: level.keys.map { keys[$0] }, keyTypes: types, calls: calls)
        }
        shape.output = level.children.isEmpty ? .results : .resultsAndStates
        return try AggregateSink(
            shape, outputTypes: types + calls.map(\.call.output.type), runtime: runtime,
            detail: "\(types.count) keys, \(calls.count) calls"
                + (level.parent == nil ? "" : ", of finer groups"))
    }

    /// The calls that take each row, where all others are DISTINCT over the same arguments: then rows are
    /// grouped by keys and arguments first. Nil where that does not help, or cannot be done.
    func distinctBesides(_ node: AggregateNode, _ calls: [AggregateCall]) -> Set<Int>? {
        guard node.groupingSets == nil, !node.keys.contains(where: { hasZone($0.type) }) else {
            return nil
        }
        let plain = Set(calls.indices.filter { mergesStates(calls[$0]) })
        let others = calls.indices.filter { !plain.contains($0) }.map { calls[$0] }
        guard !plain.isEmpty, let first = others.first, !first.arguments.isEmpty,
            !first.function.parameters.contains(where: { hasZone($0) })
        else { return nil }
        let isAlike = others.allSatisfy {
            $0.isDistinct && $0.filter == nil && $0.order.isEmpty && $0.arguments == first.arguments
        }
        return isAlike ? plain : nil
    }

    /// Plans DISTINCT calls beside plain ones. `keys` are the keys' positions in `input`.
    func aggregate(
        _ node: AggregateNode, _ calls: [AggregateCall], _ shapeCalls: [AggregateShape.Call],
        _ keys: [Int], distinctOf plain: Set<Int>, _ input: Stream
    ) throws(QueryFault) -> Stream {
        var finerKeys = keys
        for index in calls.indices where !plain.contains(index) {
            for argument in shapeCalls[index].arguments where !finerKeys.contains(argument) {
                finerKeys.append(argument)
            }
        }
        let plainCalls = calls.indices.filter { plain.contains($0) }
        let finerTypes = finerKeys.map { input.layout.columns[$0].type }
        var finer = AggregateShape(
            keys: finerKeys, keyTypes: finerTypes, calls: plainCalls.map { shapeCalls[$0] })
        finer.output = .states
        let detail = "\(finerKeys.count) keys, \(plainCalls.count) calls"
        let groups = try AggregateSink(
            finer, outputTypes: finerTypes, runtime: runtime, detail: detail + ", for DISTINCT")
        finish(input, into: groups)
        let states = try groups.stateOffsets()
        var outer: [AggregateShape.Call] = []
        for index in calls.indices {
            if let place = plainCalls.firstIndex(of: index) {
                outer.append(
                    AggregateShape.Call(
                        call: calls[index], arguments: [], filter: nil, orderTypes: [],
                        mergedState: states[place]))
                continue
            }
            var call = calls[index]
            call.isDistinct = false
            outer.append(
                AggregateShape.Call(
                    call: call,
                    arguments: shapeCalls[index].arguments.compactMap {
                        finerKeys.firstIndex(of: $0)
                    },
                    filter: nil, orderTypes: []))
        }
        var shape = AggregateShape(
            keys: Array(keys.indices), keyTypes: node.keys.map(\.type), calls: outer)
        shape.stateColumn = finerKeys.count
        let sink = try AggregateSink(
            shape, outputTypes: node.keys.map(\.type) + calls.map(\.output.type), runtime: runtime,
            detail: "\(keys.count) keys, \(calls.count) calls, of distinct groups")
        finish(Stream(branches: [Branch(source: groups)], layout: Layout([])), into: sink)
        return Stream(
            branches: [Branch(source: sink)], layout: Layout(node.keys + calls.map(\.output)))
    }
}
