/// What is known of one column's values in a file, a partition or a manifest.
struct ColumnBounds {
    /// No value is below `lower` or above `upper`, NaN aside; nil: not known.
    var lower: Literal?
    var upper: Literal?
    var mayHaveNull = true
    var mayHaveValue = true
    /// nil: not known, or the column is no float.
    var mayHaveNaN = true
    var isAllNaN = false

    static let unknown = ColumnBounds()

    /// Exactly one value, or NULL.
    init(exactly value: Literal?, isFloat: Bool) {
        if let value {
            mayHaveNull = false
            mayHaveNaN = value.isNaN
            isAllNaN = value.isNaN
            if !value.isNaN {
                lower = value
                upper = value
            }
        } else {
            mayHaveValue = false
            mayHaveNaN = false
        }
    }

    init() {}

    /// Of one column of a file, from the manifest's counts and bounds.
    init(of id: Int32, type: PrimitiveType, in file: DataFile) {
        let values = file.valueCounts[id]
        let nulls = file.nullCounts[id]
        let nans = file.nanCounts[id]
        if let nulls { mayHaveNull = nulls > 0 }
        if let values, let nulls { mayHaveValue = values > nulls }
        switch type {
        case .float, .double:
            if let nans { mayHaveNaN = nans > 0 }
            if let nans, let values { isAllNaN = nans > 0 && nans + (nulls ?? 0) >= values }
        default: mayHaveNaN = false
        }
        lower = file.lowerBounds[id].flatMap { Literal(singleValueBytes: $0, type: type) }
        upper = file.upperBounds[id].flatMap { Literal(singleValueBytes: $0, type: type) }
        // Writers that did not know NaN let it into bounds: such bounds say nothing.
        if lower?.isNaN ?? false { lower = nil }
        if upper?.isNaN ?? false { upper = nil }
    }

    init(of summary: ManifestFile.FieldSummary, type: PrimitiveType) {
        mayHaveNull = summary.containsNull
        let isFloat = type == .float || type == .double
        mayHaveNaN = isFloat && summary.containsNaN ?? true
        lower = summary.lowerBound.flatMap { Literal(singleValueBytes: $0, type: type) }
        upper = summary.upperBound.flatMap { Literal(singleValueBytes: $0, type: type) }
        // Without bounds all values are null, or NaN where floats may be.
        mayHaveValue = summary.lowerBound != nil || mayHaveNaN
    }
}

extension ScanPredicate {
    /// Whether a row may satisfy the predicate, which has to be free of `not`. Never false for a
    /// place that has such a row.
    func mayMatch(_ bounds: (Int32) -> ColumnBounds) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .and(let parts): return parts.allSatisfy { $0.mayMatch(bounds) }
        case .or(let parts): return parts.contains { $0.mayMatch(bounds) }
        case .not(let inner): return inner.negatedForEvaluation.mayMatch(bounds)
        case .isNull(let id): return bounds(id).mayHaveNull
        case .isNotNull(let id): return bounds(id).mayHaveValue
        case .isNaN(let id):
            let column = bounds(id)
            return column.mayHaveValue && column.mayHaveNaN
        case .isNotNaN(let id):
            let column = bounds(id)
            return column.mayHaveValue && !column.isAllNaN
        case .compare(let id, let comparison, let value):
            return bounds(id).mayHave(comparison, value)
        case .isIn(let id, let values):
            let column = bounds(id)
            return values.contains { column.mayHave(.equal, $0) }
        case .isNotIn(let id, let values):
            let column = bounds(id)
            return column.mayHaveValue
                && !(column.single.map { single in values.contains { $0 == single } } ?? false)
        case .startsWith(let id, let prefix):
            let column = bounds(id)
            guard column.mayHaveValue else { return false }
            let wanted = Array(prefix.utf8)
            if case .string(let lower) = column.lower,
                wanted.lexicographicallyPrecedes(Array(lower.utf8.prefix(wanted.count)))
            {
                return false
            }
            if case .string(let upper) = column.upper {
                // Cut to the prefix's length: "abc" may lie at "ab…" and above.
                let cut = Array(upper.utf8.prefix(wanted.count))
                if cut.lexicographicallyPrecedes(wanted) { return false }
            }
            return true
        case .notStartsWith(let id, let prefix):
            let column = bounds(id)
            guard column.mayHaveValue else { return false }
            // All values begin with the prefix when both bounds do.
            if case .string(let lower) = column.lower, case .string(let upper) = column.upper {
                return
                    !(lower.utf8.starts(with: prefix.utf8) && upper.utf8.starts(with: prefix.utf8))
            }
            return true
        }
    }

    private var negatedForEvaluation: ScanPredicate { ScanPredicate.not(self).withoutNegation }

    /// Whether every row satisfies the predicate, which has to be free of `not`. Never true for a
    /// place that has a row which does not.
    func mustMatch(_ bounds: (Int32) -> ColumnBounds) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .and(let parts): return parts.allSatisfy { $0.mustMatch(bounds) }
        case .or(let parts): return parts.contains { $0.mustMatch(bounds) }
        case .not(let inner): return inner.negatedForEvaluation.mustMatch(bounds)
        case .isNull(let id): return !bounds(id).mayHaveValue
        case .isNotNull(let id): return !bounds(id).mayHaveNull
        case .isNaN(let id):
            let column = bounds(id)
            return !column.mayHaveNull && column.isAllNaN
        case .isNotNaN(let id):
            let column = bounds(id)
            return !column.mayHaveNull && !column.mayHaveNaN
        case .compare(let id, let comparison, let value):
            return bounds(id).mustHave(comparison, value)
        case .isIn(let id, let values):
            let column = bounds(id)
            guard !column.mayHaveNull, let single = column.single else { return false }
            return values.contains(single)
        case .isNotIn(let id, let values):
            let column = bounds(id)
            return values.allSatisfy { column.mustHave(.notEqual, $0) }
        case .startsWith(let id, let prefix):
            let column = bounds(id)
            guard !column.mayHaveNull, case .string(let lower) = column.lower,
                case .string(let upper) = column.upper
            else { return false }
            return lower.utf8.starts(with: prefix.utf8) && upper.utf8.starts(with: prefix.utf8)
        case .notStartsWith(let id, let prefix):
            let column = bounds(id)
            return !column.mayHaveNull
                && !ScanPredicate.startsWith(id, prefix).mayMatch { _ in column }
        }
    }
}

extension ColumnBounds {
    /// The one value that all rows with a value have, if bounds prove it.
    var single: Literal? {
        guard !mayHaveNaN, let lower, let upper, lower == upper else { return nil }
        // Shortened text bounds may be equal by chance only if they are the whole value; a shortened
        // upper bound is increased, so equality proves the value.
        return lower
    }

    func mayHave(_ comparison: ScanPredicate.Comparison, _ value: Literal) -> Bool {
        guard mayHaveValue else { return false }
        // Doors differ in how NaN compares: keep the file.
        if value.isNaN { return true }
        // A NaN among the values may count as greater than all; bounds are about the others.
        let low = lower.flatMap { value.order(to: $0) }
        let high = upper.flatMap { value.order(to: $0) }
        if isAllNaN {
            return comparison != .equal && comparison != .less && comparison != .lessOrEqual
        }
        switch comparison {
        case .equal: return !((low ?? 0) < 0 && low != nil) && !((high ?? 0) > 0 && high != nil)
        case .notEqual: return single.map { $0 != value } ?? true
        case .less: return low.map { $0 > 0 } ?? true
        case .lessOrEqual: return low.map { $0 >= 0 } ?? true
        case .greater: return mayHaveNaN || high.map { $0 < 0 } ?? true
        case .greaterOrEqual: return mayHaveNaN || high.map { $0 <= 0 } ?? true
        }
    }

    func mustHave(_ comparison: ScanPredicate.Comparison, _ value: Literal) -> Bool {
        guard !mayHaveNull, !mayHaveNaN, !value.isNaN else { return false }
        let low = lower.flatMap { value.order(to: $0) }
        let high = upper.flatMap { value.order(to: $0) }
        switch comparison {
        case .equal: return low == 0 && high == 0
        case .notEqual: return low == -1 || high == 1
        case .less: return high == 1
        case .lessOrEqual: return high.map { $0 >= 0 } ?? false
        case .greater: return low == -1
        case .greaterOrEqual: return low.map { $0 <= 0 } ?? false
        }
    }
}
