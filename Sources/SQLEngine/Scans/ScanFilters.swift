import Parquet
import SQLExecution
import SQLPlanning
import Vectors

/// A pushed-down conjunct as the Parquet scan wants it.
final class PushedColumnFilter: ColumnFilter {
    private let filter: PushedFilter
    private let selector: VectorSelector
    private let lower: ParquetValue?
    private let upper: ParquetValue?
    let equalityCandidates: [ParquetValue]?

    init(_ filter: PushedFilter, _ type: LogicalType, _ worker: Worker) {
        self.filter = filter
        selector = filter.makeSelector(worker)
        lower = filter.range?.lower.flatMap { parquetValue($0, type) }
        upper = filter.range?.upper.flatMap { parquetValue($0, type) }
        let candidates = filter.candidates?.map { parquetValue($0, type) }
        equalityCandidates =
            candidates.flatMap { values in
                let known = values.compactMap { $0 }
                return known.count == values.count ? known : nil
            }
    }

    var isDictionaryCapable: Bool { filter.isDictionaryCapable }
    var passesNull: Bool { filter.passesNull }

    func mayMatch(_ bounds: ColumnBounds) -> Bool {
        if filter.passesNull, !bounds.hasNoNull { return true }
        if let range = filter.range, range.onlyNull { return !bounds.hasNoNull }
        // NaN is outside of any bounds, yet greater than every number.
        if case .double? = lower ?? upper, bounds.nanCount != 0 { return true }
        if let lower, let upperBound = bounds.upper,
            let order = ParquetValue.compare(upperBound, lower),
            order < 0 || (order == 0 && filter.range?.isLowerInclusive == false)
        {
            return false
        }
        if let upper, let lowerBound = bounds.lower,
            let order = ParquetValue.compare(lowerBound, upper),
            order > 0 || (order == 0 && filter.range?.isUpperInclusive == false)
        {
            return false
        }
        guard let equalityCandidates else { return true }
        return equalityCandidates.contains { candidate in
            if let low = bounds.lower, let order = ParquetValue.compare(candidate, low), order < 0 {
                return false
            }
            if let high = bounds.upper, let order = ParquetValue.compare(candidate, high), order > 0
            {
                return false
            }
            return true
        }
    }

    func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int { selector.select(vector, selection, count, into: output) }
}

/// A pushed-down conjunct over several columns.
final class PushedRowFilter: RowFilter {
    let columns: [Int]
    private let selector: VectorSelector

    init(_ filter: PushedFilter, _ worker: Worker) {
        columns = filter.columns
        selector = filter.makeSelector(worker)
    }

    func select(
        _ vectors: UnsafePointer<Vector>, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int { selector.select(vectors, selection, count, into: output) }
}

/// What a join's build side says, inside the probe side's scan.
final class JoinColumnFilter: ColumnFilter {
    private let filter: JoinFilter

    init(_ filter: JoinFilter) { self.filter = filter }

    var origin: String { "join" }

    func mayMatch(_ bounds: ColumnBounds) -> Bool {
        if filter.isEmpty { return false }
        guard let keys = filter.bounds else { return true }
        if let low = integer(bounds.lower), low > keys.upperBound { return false }
        if let high = integer(bounds.upper), high < keys.lowerBound { return false }
        return true
    }

    func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int { filter.select(vector, selection, count, into: output) }
}

/// The bound of a top-N above the scan: drops what cannot be among the first.
final class TopNColumnFilter: ColumnFilter {
    private let bound: TopNBound

    init(_ bound: TopNBound) { self.bound = bound }

    var isDictionaryCapable: Bool { false }
    var passesNull: Bool { true }
    var origin: String { "top-N" }

    func mayMatch(_ bounds: ColumnBounds) -> Bool {
        guard let limit = bound.current, bounds.hasNoNull else { return true }
        if bound.isAscending, let low = integer(bounds.lower) { return low <= limit }
        if !bound.isAscending, let high = integer(bounds.upper) { return high >= limit }
        return true
    }

    func select(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        into output: UnsafeMutablePointer<UInt32>
    ) -> Int {
        if let limit = bound.current, vector.form == .flat {
            let (low, high) = bound.isAscending ? (Int64.min, limit) : (limit, Int64.max)
            switch vector.physical {
            case .int32:
                let values = vector.pointer(as: Int32.self)
                return narrow(vector, selection, count, output) { row in
                    low <= Int64(values[row]) && Int64(values[row]) <= high
                }
            case .int64:
                let values = vector.pointer(as: Int64.self)
                return narrow(vector, selection, count, output) { row in
                    low <= values[row] && values[row] <= high
                }
            default: break
            }
        }
        return narrow(vector, selection, count, output) { _ in true }
    }

    /// Keeps the rows that pass, and those without a value.
    @inline(__always) private func narrow(
        _ vector: Vector, _ selection: UnsafePointer<UInt32>?, _ count: Int,
        _ output: UnsafeMutablePointer<UInt32>, _ passes: (Int) -> Bool
    ) -> Int {
        let hasNulls = vector.valid != nil
        var kept = 0
        for index in 0..<count {
            let row = selection?[index] ?? UInt32(truncatingIfNeeded: index)
            output[kept] = row
            let keeps = passes(Int(row)) || hasNulls && !vector.isValid(Int(row))
            kept &+= Int(unsafeBitCast(keeps, to: UInt8.self))
        }
        return kept
    }
}

private func integer(_ value: ParquetValue?) -> Int64? {
    switch value {
    case .int32(let value): Int64(value)
    case .int64(let value): value
    default: nil
    }
}

/// A literal of a type as the Parquet reader's value; nil for NULL and nested values.
func parquetValue(_ literal: LiteralValue, _ type: LogicalType) -> ParquetValue? {
    switch (literal, type.physical) {
    case (.boolean(let value), _): .boolean(value)
    case (.integer(let value), .int32): Int32(exactly: value).map { .int32($0) }
    case (.integer(let value), .int64): .int64(value)
    case (.integer(let value), .int128), (.integer(let value), .list), (.integer(let value), .row):
        .int128(Int128(value))
    case (.wide(let value), .int128): .int128(value)
    case (.wide(let value), .int64): Int64(exactly: value).map { .int64($0) }
    case (.double(let bits), _): .double(Double(bitPattern: bits))
    case (.bytes(let bytes), _): .bytes(bytes)
    default: nil
    }
}

/// A value of the Parquet reader as a literal.
func literalValue(_ value: ParquetValue) -> LiteralValue {
    switch value {
    case .boolean(let value): .boolean(value)
    case .int32(let value): .integer(Int64(value))
    case .int64(let value): .integer(value)
    case .int128(let value): .wide(value)
    case .double(let value): .double(bits: value.bitPattern)
    case .bytes(let bytes): .bytes(bytes)
    }
}
