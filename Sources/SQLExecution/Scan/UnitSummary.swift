import SQLFunctions
package import SQLPlanning
import Vectors

/// What a source knows, without reading them, of some of its morsels: of a row group, say.
package struct UnitSummary: Sendable {
    /// What is known of one column. Bounds hold even where they are not exact.
    package struct Column: Sendable {
        /// nil: unknown, or not exact.
        package var nullCount: Int?
        package var lower: LiteralValue?
        package var upper: LiteralValue?
        /// Whether some row has the bound as its value.
        package var isLowerExact = false
        package var isUpperExact = false

        package init() {}
    }

    package var morsels: Range<Int>
    /// nil: unknown, or not exact.
    package var rowCount: Int?
    /// By position in `ScanRequest.columns`.
    package var columns: [Column]

    package init(morsels: Range<Int>, rowCount: Int?, columns: [Column]) {
        self.morsels = morsels
        self.rowCount = rowCount
        self.columns = columns
    }
}

/// What an aggregate over the whole of a table wants of a scan: least and greatest values and counts,
/// which summaries may answer.
struct SummaryWish {
    /// Positions in `ScanRequest.columns`.
    var minimums: Set<Int> = []
    var maximums: Set<Int> = []
    var counts: Set<Int> = []
    /// Whether rows are counted.
    var countsRows = false

    /// Rows that stand for those of some units: they have the same counts, least and greatest values.
    struct Answer {
        var rowCount = 0
        /// By column; without a value for columns of which nothing is wanted.
        var columns: [Column]
        /// Morsels that need not be read.
        var answered: Set<Int> = []
    }

    /// The values of one column over the rows of an answer.
    struct Column {
        var valueCount = 0
        var lower: LiteralValue?
        var upper: LiteralValue?
    }

    /// What the units say; nil when not one of them can be left unread.
    func answer(_ units: [UnitSummary]) -> Answer? {
        guard let width = units.first?.columns.count else { return nil }
        var answer = Answer(columns: Array(repeating: Column(), count: width))
        var open: [UnitSummary] = []
        for unit in units {
            if !isExact(unit) { open.append(unit) } else { add(unit, to: &answer) }
        }
        // What cannot beat what is known need not be read; how many rows it has must not matter then.
        if !countsRows && counts.isEmpty {
            for unit in open where cannotWin(unit, against: answer) {
                answer.answered.formUnion(unit.morsels)
            }
        }
        return answer.answered.isEmpty ? nil : answer
    }

    private func isExact(_ unit: UnitSummary) -> Bool {
        guard let rows = unit.rowCount else { return false }
        if rows == 0 { return true }
        for column in minimums.union(maximums).union(counts) {
            let known = unit.columns[column]
            guard let nulls = known.nullCount else { return false }
            if nulls == rows { continue }
            if minimums.contains(column), !known.isLowerExact || known.lower == nil { return false }
            if maximums.contains(column), !known.isUpperExact || known.upper == nil { return false }
        }
        return true
    }

    private func add(_ unit: UnitSummary, to answer: inout Answer) {
        answer.answered.formUnion(unit.morsels)
        let rows = unit.rowCount ?? 0
        answer.rowCount += rows
        for column in minimums.union(maximums).union(counts) {
            let known = unit.columns[column]
            let values = rows - (known.nullCount ?? 0)
            if values == 0 { continue }
            answer.columns[column].valueCount += values
            if let lower = known.lower, precedes(lower, answer.columns[column].lower) ?? true {
                answer.columns[column].lower = lower
            }
            if let upper = known.upper, follows(upper, answer.columns[column].upper) ?? true {
                answer.columns[column].upper = upper
            }
        }
    }

    private func cannotWin(_ unit: UnitSummary, against answer: Answer) -> Bool {
        for column in minimums {
            guard let bound = unit.columns[column].lower,
                precedes(bound, answer.columns[column].lower) == false
            else { return false }
        }
        for column in maximums {
            guard let bound = unit.columns[column].upper,
                follows(bound, answer.columns[column].upper) == false
            else { return false }
        }
        return true
    }

    /// Whether a value is less than another; nil where there is no other, or no order between them.
    private func precedes(_ value: LiteralValue, _ other: LiteralValue?) -> Bool? {
        other.flatMap { order(value, $0) }.map { $0 < 0 }
    }

    private func follows(_ value: LiteralValue, _ other: LiteralValue?) -> Bool? {
        other.flatMap { order(value, $0) }.map { $0 > 0 }
    }

    private func order(_ left: LiteralValue, _ right: LiteralValue) -> Int? {
        func compare<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
            left < right ? -1 : left == right ? 0 : 1
        }
        switch (left, right) {
        case (.boolean(let left), .boolean(let right)): return compare(left ? 1 : 0, right ? 1 : 0)
        case (.integer(let left), .integer(let right)): return compare(left, right)
        case (.wide(let left), .wide(let right)): return compare(left, right)
        case (.bytes(let left), .bytes(let right)):
            if left == right { return 0 }
            return left.lexicographicallyPrecedes(right) ? -1 : 1
        default: return nil
        }
    }
}

extension SummaryWish {
    /// Whether the least and greatest of a type are its bounds: not where NaN or padding matter.
    static func hasPlainOrder(_ type: LogicalType) -> Bool {
        switch type {
        case .boolean, .tinyint, .smallint, .integer, .bigint, .decimal, .date, .varchar,
            .varbinary, .timestamp, .timestampWithTimeZone, .time:
            // Stored instants all have the same zone.
            true
        default: false
        }
    }
}

/// Gives the rows of an answer: the first has every least value, the others the greatest, and as many
/// have no value as there are NULLs.
final class SummaryReader: MorselReader {
    private let answer: SummaryWish.Answer
    private let types: [LogicalType]
    private let wish: SummaryWish
    private let worker: Worker

    init(
        _ answer: SummaryWish.Answer, _ types: [LogicalType], _ wish: SummaryWish,
        _ worker: Worker
    ) {
        self.answer = answer
        self.types = types
        self.wish = wish
        self.worker = worker
    }

    func run(_ morsel: Int, into consumer: any ChunkConsumer) throws(QueryFault) {
        let chunk = Chunk(columnCount: types.count)
        let nulls = types.map { NullColumn($0) }
        let lowers = constants(\.lower)
        let uppers = constants(\.upper)
        // Where nobody counts, two rows are enough.
        let total =
            wish.countsRows || !wish.counts.isEmpty ? answer.rowCount : min(answer.rowCount, 2)
        var ends = Set(answer.columns.map(\.valueCount))
        ends.formUnion([1, total])
        var start = 0
        for end in ends.sorted() where end > 0 && end <= total {
            for index in types.indices {
                let hasValue = answer.columns[index].valueCount >= end
                let constant = start == 0 ? lowers[index] : uppers[index]
                chunk.columns[index] =
                    hasValue ? constant?.vector ?? nulls[index].vector : nulls[index].vector
            }
            while start < end {
                if worker.isStopped { return }
                let step = max(1, min(worker.settings.verification.chunkRows, Chunk.capacity))
                chunk.count = min(end - start, step)
                chunk.selection = nil
                try consumer.push(chunk)
                start += chunk.count
            }
        }
        withExtendedLifetime((nulls, lowers, uppers)) {}
    }

    /// A column's bound; where only the other one is wanted, that stands for it.
    private func constants(
        _ bound: KeyPath<SummaryWish.Column, LiteralValue?>
    ) -> [ConstantStore?] {
        types.indices.map { index in
            let column = answer.columns[index]
            let value = column[keyPath: bound] ?? column.lower ?? column.upper
            return (value ?? anyValue(types[index])).map { ConstantStore($0, types[index]) }
        }
    }

    /// Of a column that is only counted.
    private func anyValue(_ type: LogicalType) -> LiteralValue? {
        switch type.physical {
        case .bool: .boolean(false)
        case .int32, .int64, .int128: .integer(0)
        case .double: .double(bits: 0)
        case .string: .bytes([])
        case .list, .row: nil
        }
    }
}
