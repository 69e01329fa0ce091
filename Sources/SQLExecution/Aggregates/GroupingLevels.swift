import SQLFunctions
import SQLPlanning
import Vectors

/// Takes the groups of one set of keys: hands their states to coarser sets, and keeps the results.
final class GroupingLevelSink: Sink {
    let statistics: OperatorStatistics
    private let coarser: [AggregateSink]
    private let outputs: [GroupingSetOutputFactory]
    private let collected: SharedRowsSink

    init(
        _ coarser: [AggregateSink], outputs: [GroupingSetOutputFactory], collected: SharedRowsSink,
        detail: String
    ) {
        self.coarser = coarser
        self.outputs = outputs
        self.collected = collected
        statistics = OperatorStatistics("GroupingLevel", detail)
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        var ends: [Operator] = []
        for sink in coarser { ends.append(try sink.makeLocal(worker)) }
        var inputs = ends
        if !outputs.isEmpty {
            let rows = try collected.makeLocal(worker)
            ends.append(rows)
            for factory in outputs {
                let shaped = try factory.makeLocal(worker)
                shaped.next = rows
                inputs.append(shaped)
            }
        }
        return GroupingLevelLocal(inputs: inputs, ends: ends)
    }

    func finish(_ runtime: Runtime) throws(QueryFault) {
        for sink in coarser { try sink.finish(runtime) }
        try collected.finish(runtime)
    }
}

private final class GroupingLevelLocal: Operator {
    private let inputs: [Operator]
    private let ends: [Operator]

    /// Chunks go to all `inputs`; each of the `ends`, where they arrive, is finished once.
    init(inputs: [Operator], ends: [Operator]) {
        self.inputs = inputs
        self.ends = ends
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        for input in inputs { try input.push(chunk) }
    }

    override func finish() throws(QueryFault) {
        for end in ends { try end.finish() }
    }
}

/// Groups of one set of keys as rows of the whole: keys that are not in the set are NULL, and the set's
/// number is a column.
final class GroupingSetOutputFactory: OperatorFactory {
    let statistics = OperatorStatistics("GroupingSet")
    private let keys: [Int?]
    private let types: [LogicalType]
    private let set: Int
    private let calls: [Int]

    /// `keys`: where each key is in the input, nil for those that the set lacks.
    init(keys: [Int?], types: [LogicalType], set: Int, calls: [Int]) {
        self.keys = keys
        self.types = types
        self.set = set
        self.calls = calls
    }

    func makeLocal(_ worker: Worker) throws(QueryFault) -> Operator {
        GroupingSetOutput(keys, types, set, calls)
    }
}

private final class GroupingSetOutput: Operator {
    private let keys: [Int?]
    private let nulls: [NullColumn]
    private let number: ConstantStore
    private let calls: [Int]
    private let output: Chunk

    init(_ keys: [Int?], _ types: [LogicalType], _ set: Int, _ calls: [Int]) {
        self.keys = keys
        self.calls = calls
        nulls = types.map { NullColumn($0) }
        number = ConstantStore(.integer(Int64(set)), .bigint)
        output = Chunk(columnCount: keys.count + 1 + calls.count)
    }

    override func push(_ chunk: Chunk) throws(QueryFault) {
        for (index, key) in keys.enumerated() {
            output.columns[index] = key.map { chunk.columns[$0] } ?? nulls[index].vector
        }
        output.columns[keys.count] = number.vector
        for (index, call) in calls.enumerated() {
            output.columns[keys.count + 1 + index] = chunk.columns[call]
        }
        output.count = chunk.count
        output.selection = chunk.selection
        output.selectedCount = chunk.selectedCount
        try next.push(output)
    }
}
