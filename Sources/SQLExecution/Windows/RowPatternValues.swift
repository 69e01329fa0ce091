import SQLFunctions
import SQLPlanning
import Vectors

/// Takes the values of output rows and conditions from the rows of a match.
final class RowPatternValues {
    private let values: [RowPatternValue]
    private let arguments: [Vector?]
    private let names: RowPatternLabels
    private let heap: Arena
    /// By value: its aggregate, where it is one.
    private let aggregates: [RowPatternAggregate?]

    init(
        _ values: [RowPatternValue], _ arguments: [Vector?], _ names: RowPatternLabels,
        _ heap: Arena, _ worker: Worker
    ) throws(QueryFault) {
        self.values = values
        self.arguments = arguments
        self.names = names
        self.heap = heap
        var aggregates: [RowPatternAggregate?] = []
        for value in values {
            switch value.kind {
            case .aggregate(let function, let columns, let filter, let labels, let isFinal):
                aggregates.append(
                    try RowPatternAggregate(
                        function, columns.map { arguments[$0] }, filter.flatMap { arguments[$0] },
                        labels, isFinal, heap, worker))
            case .matchAggregate(let function, let computed, let labels, let isFinal):
                let aggregate = try RowPatternAggregate(
                    function, [], nil, labels, isFinal, heap, worker)
                aggregate.computed = RowPatternArgumentProgram(
                    computed, arguments, names, heap, worker)
                aggregates.append(aggregate)
            default: aggregates.append(nil)
            }
        }
        self.aggregates = aggregates
    }

    /// Forgets what aggregates have added up.
    func beginMatch() { for aggregate in aggregates { aggregate?.clear() } }

    /// Writes a value as seen from row `current` of the match; nil: the row is of no match.
    func write(
        _ index: Int, of row: Int, _ current: Int?, _ match: RowPatternPlace,
        to buffer: ColumnBuffer, _ target: Int
    ) throws(QueryFault) {
        do throws(MemoryLimitFault) {
            switch values[index].kind {
            case .column(let argument): try copy(arguments[argument], row, buffer, target)
            case .isMatched:
                valid(buffer, target)
                buffer.store(UInt8(current == nil ? 0 : 1), target)
            case .matchNumber:
                guard current != nil else { return buffer.setNull(target) }
                valid(buffer, target)
                buffer.store(match.number, target)
            case .navigation(let argument, let navigation):
                let place = current.flatMap { match.row(navigation, from: $0) }
                try copy(place == nil ? nil : arguments[argument], place ?? 0, buffer, target)
            case .classifier(let navigation):
                let place = current.flatMap { match.row(navigation, from: $0) }
                let label = place.map { $0 - match.start }.flatMap {
                    match.labels.indices.contains($0) ? match.labels[$0] : nil
                }
                try copy(label.map(names.vector), 0, buffer, target)
            case .aggregate, .matchAggregate: break
            }
        } catch { throw QueryFault(error) }
        guard let aggregate = aggregates[index] else { return }
        guard let current else { return buffer.setNull(target) }
        try aggregate.write(current, match, to: buffer, target)
    }

    private func copy(
        _ vector: Vector?, _ row: Int, _ buffer: ColumnBuffer, _ target: Int
    ) throws(MemoryLimitFault) {
        guard let vector else { return buffer.setNull(target) }
        try buffer.copyValue(from: vector, row: row, to: target, heap: heap)
    }

    private func valid(_ buffer: ColumnBuffer, _ target: Int) {
        if buffer.hasNulls { ValidityBits.set(buffer.validBits, target) }
    }
}

/// The condition of a label. Where it looks at the row and its neighbours only, it is evaluated for all
/// rows of a partition at once, before the first match is looked for.
final class RowPatternConditionCheck {
    private let condition: RowPatternCondition
    private let label: Int
    private let values: RowPatternValues
    private let worker: Worker
    private let program: ExpressionProgram
    private let buffers: [ColumnBuffer]
    private let chunk: Chunk
    private let result = UnsafeMutablePointer<Vector>.allocate(capacity: 1)
    private let isLocal: Bool
    private var range = 0..<0
    /// Whether each row of the partition fulfils it; empty when rows are asked one by one.
    private var known: [Bool] = []

    init(
        _ condition: RowPatternCondition, _ label: Int, _ arguments: [Vector?],
        _ names: RowPatternLabels, _ heap: Arena, _ worker: Worker
    ) throws(QueryFault) {
        self.condition = condition
        self.label = label
        self.worker = worker
        values = try RowPatternValues(condition.values, arguments, names, heap, worker)
        let columns = condition.values.map(\.column)
        program = ExpressionProgram(
            [condition.predicate], layout: Layout(columns), context: worker.context,
            budget: worker.budget)
        buffers = columns.map { ColumnBuffer($0.type) }
        chunk = Chunk(columnCount: columns.count)
        isLocal = condition.values.allSatisfy { value in
            switch value.kind {
            case .navigation(_, let navigation), .classifier(let navigation):
                // The last row with the label is the row itself, which gets the label.
                !navigation.isFirst && navigation.offset == 0
                    && (navigation.labels?.contains(label) ?? true)
                    && (!value.isClassifier || navigation.shift == 0)
            case .column, .isMatched, .matchNumber, .aggregate, .matchAggregate: false
            }
        }
    }

    deinit { result.deallocate() }

    /// Whether the answer for a row is the same whatever was matched before.
    var looksAtNeighboursOnly: Bool { isLocal }

    /// Begins with the rows of a partition.
    func begin(_ range: Range<Int>) throws(QueryFault) {
        self.range = range
        known.removeAll(keepingCapacity: true)
        guard isLocal else { return }
        do throws(QueryFault) {
            var row = range.lowerBound
            while row < range.upperBound {
                let count = min(Chunk.capacity, range.upperBound - row)
                try evaluate(row, count)
                for index in 0..<count { known.append(truth(result[0], index) == 1) }
                row += count
            }
        } catch {
            // A row that fails may never be asked: then each is asked when its turn comes.
            known.removeAll(keepingCapacity: true)
        }
    }

    private func evaluate(_ first: Int, _ count: Int) throws(QueryFault) {
        for (index, buffer) in buffers.enumerated() {
            buffer.clear()
            for offset in 0..<count {
                let place = RowPatternPlace(start: first + offset, labels: [label], range: range)
                try values.write(index, of: first + offset, 0, place, to: buffer, offset)
            }
            buffer.count = count
            chunk.columns[index] = buffer.vector
        }
        chunk.count = count
        chunk.selection = nil
        try program.evaluate(chunk, into: result)
    }

    /// Whether the row may have the label, after the rows that the match has taken.
    func holds(at row: Int, _ place: RowPatternPlace) throws(QueryFault) -> Bool {
        if !known.isEmpty { return known[row - range.lowerBound] }
        if isLocal {
            try evaluate(row, 1)
            return truth(result[0], 0) == 1
        }
        var match = place
        match.labels.append(label)
        values.beginMatch()
        for (index, buffer) in buffers.enumerated() {
            buffer.clear()
            try values.write(index, of: row, match.labels.count - 1, match, to: buffer, 0)
            buffer.count = 1
            chunk.columns[index] = buffer.vector
        }
        chunk.count = 1
        chunk.selection = nil
        try program.evaluate(chunk, into: result)
        return truth(result[0], 0) == 1
    }
}

extension RowPatternValue {
    fileprivate var isClassifier: Bool { if case .classifier = kind { true } else { false } }
}
