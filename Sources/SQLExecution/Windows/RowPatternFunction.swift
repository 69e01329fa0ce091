import SQLFunctions
import SQLPlanning
import Vectors

/// Computes a `RowPatternCall` over partitions of a batch: for each row an array with the output rows of
/// the match that begins there.
final class RowPatternFunction {
    private let pattern: RowPatternCall
    /// By place among the call's arguments.
    private let arguments: [Vector?]
    private let result: ColumnBuffer
    private let worker: Worker
    private let matcher: RowPatternMatcher
    private let values: RowPatternValues
    private let conditions: [RowPatternConditionCheck?]

    init(
        _ pattern: RowPatternCall, _ call: WindowShape.Call, _ vectors: [Int: Vector],
        _ result: ColumnBuffer, _ heap: Arena, _ worker: Worker
    ) throws(QueryFault) {
        self.pattern = pattern
        self.result = result
        self.worker = worker
        arguments = call.arguments.map { vectors[$0] }
        matcher = RowPatternMatcher(pattern.program)
        let names = RowPatternLabels(pattern.labels)
        values = try RowPatternValues(pattern.values, arguments, names, heap, worker)
        var conditions: [RowPatternConditionCheck?] = []
        for (label, condition) in pattern.conditions.enumerated() {
            if let condition {
                conditions.append(
                    try RowPatternConditionCheck(condition, label, arguments, names, heap, worker))
            } else {
                conditions.append(nil)
            }
        }
        self.conditions = conditions
    }

    private var rows: ColumnBuffer { result.childBuffers[0] }

    func compute(_ partition: WindowPartition) throws(QueryFault) {
        let range = partition.range
        for row in range { result.store(ListEntry(offset: 0, count: 0), row) }
        for condition in conditions { try condition?.begin(range) }
        matcher.begin(
            range, remembers: conditions.allSatisfy { $0?.looksAtNeighboursOnly ?? true })
        var position = range.lowerBound
        var number: Int64 = 0
        var lastTaken = range.lowerBound - 1
        while position < range.upperBound {
            if worker.isStopped { return }
            let isMatch = try matcher.match(at: position, isStopped: { worker.isStopped }) {
                label, row throws(QueryFault) in
                guard let condition = conditions[label] else { return true }
                return try condition.holds(
                    at: row,
                    RowPatternPlace(
                        start: position, labels: matcher.labels, number: number + 1, range: range))
            }
            guard isMatch else {
                if case .allWithUnmatched = pattern.output, position > lastTaken {
                    try begin(position)
                    try add(position, nil, RowPatternPlace(start: position, range: range))
                    end(position)
                }
                position += 1
                continue
            }
            number += 1
            let match = RowPatternPlace(
                start: position, labels: matcher.labels, number: number, range: range)
            try give(match)
            if match.labels.isEmpty {
                position += 1
            } else {
                lastTaken = max(lastTaken, position + match.labels.count - 1)
                position = try next(after: match)
            }
        }
    }

    // MARK: Output rows

    private var firstEntry = 0

    private func begin(_ row: Int) throws(QueryFault) {
        firstEntry = rows.count
        values.beginMatch()
    }

    private func end(_ row: Int) {
        result.store(
            ListEntry(offset: UInt32(firstEntry), count: UInt32(rows.count - firstEntry)), row)
    }

    /// Adds the output rows of a match to the row where it begins.
    private func give(_ match: RowPatternPlace) throws(QueryFault) {
        try begin(match.start)
        switch pattern.output {
        case .oneRow:
            try add(
                match.start + max(match.labels.count - 1, 0), match.labels.count - 1, match)
        case .all, .allWithoutEmpty, .allWithUnmatched:
            if match.labels.isEmpty {
                if case .allWithoutEmpty = pattern.output { break }
                try add(match.start, -1, match)
            }
            let excluded = matcher.excluded(from: match.start)
            for index in match.labels.indices where !excluded[index] {
                try add(match.start + index, index, match)
            }
        }
        end(match.start)
    }

    /// One output row; `current` counts the match's rows up to it, -1 for an empty match, nil for a row
    /// that no match has.
    private func add(
        _ row: Int, _ current: Int?, _ match: RowPatternPlace
    ) throws(QueryFault) {
        let target = rows.count
        rows.ensure(target + 1)
        for (index, field) in rows.childBuffers.enumerated() {
            try values.write(index, of: row, current, match, to: field, target)
            field.count = target + 1
        }
        rows.count = target + 1
        if rows.hasNulls { ValidityBits.set(rows.validBits, target) }
    }

    // MARK: Where to go on

    private func next(after match: RowPatternPlace) throws(QueryFault) -> Int {
        let wanted: Set<Int>
        let found: Int?
        let name: String
        switch pattern.skip {
        case .toNextRow: return match.start + 1
        case .pastLastRow: return match.start + match.labels.count
        case .toFirst(let labels, let text):
            (wanted, name) = (labels, text)
            found = match.labels.firstIndex { wanted.contains($0) }
        case .toLast(let labels, let text):
            (wanted, name) = (labels, text)
            found = match.labels.lastIndex { wanted.contains($0) }
        }
        guard let found else {
            throw QueryFault(
                .invalidArguments,
                "AFTER MATCH SKIP failed: pattern variable is not present in match",
                hint: "a match has no row of \(name): write AFTER MATCH SKIP PAST LAST ROW")
        }
        guard found > 0 else {
            throw QueryFault(
                .invalidArguments, "AFTER MATCH SKIP failed: cannot skip to first row of match",
                hint: "write AFTER MATCH SKIP TO NEXT ROW")
        }
        return match.start + found
    }
}

/// A match, or what there is of one.
struct RowPatternPlace {
    /// Its first row, counted in the batch.
    var start: Int
    var labels: [Int] = []
    var number: Int64 = 0
    /// The rows of the partition.
    var range: Range<Int>

    /// The row that a navigation leads to, as seen from row `current` of the match.
    func row(_ navigation: RowPatternNavigation, from current: Int) -> Int? {
        // FIRST counts over the whole match in either mode, as in Trino; RUNNING ends LAST at the row.
        let isWhole = navigation.isFinal || navigation.isFirst
        let last = isWhole ? labels.count - 1 : min(current, labels.count - 1)
        guard last >= 0, let index = index(navigation, last) else { return nil }
        let row = start + index + navigation.shift
        return range.contains(row) ? row : nil
    }

    private func index(_ navigation: RowPatternNavigation, _ last: Int) -> Int? {
        guard let wanted = navigation.labels else {
            let index = navigation.isFirst ? navigation.offset : last - navigation.offset
            return (0...last).contains(index) ? index : nil
        }
        var left = navigation.offset
        let all = 0...last
        for step in all {
            let index = navigation.isFirst ? step : last - step
            guard wanted.contains(labels[index]) else { continue }
            if left == 0 { return index }
            left -= 1
        }
        return nil
    }
}

/// The names of labels as constants.
final class RowPatternLabels {
    private let stores: [ConstantStore]

    init(_ names: [String]) {
        stores = names.map { ConstantStore(.bytes(Array($0.utf8)), .text) }
    }

    func vector(_ label: Int) -> Vector { stores[label].vector }
}
