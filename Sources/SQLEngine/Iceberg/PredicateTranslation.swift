import Iceberg
import Parquet
import SQLExecution
import SQLPlanning
import TableFiles
import Vectors

/// Conjuncts of a scan as conditions that planning can prune files with. What cannot be said is left out:
/// the scan applies every conjunct exactly anyway.
enum PredicateTranslation {
    /// `fields[i]` is the stored field of the request's column `i`; nil for hidden columns.
    static func predicate(_ filters: [PushedFilter], _ fields: [NestedField?]) -> ScanPredicate {
        var parts: [ScanPredicate] = []
        for filter in filters {
            guard let column = filter.column, let field = fields[column],
                let type = field.type.primitive
            else { continue }
            parts += conditions(filter, field.id, type)
        }
        return parts.isEmpty ? .always : parts.count == 1 ? parts[0] : .and(parts)
    }

    private static func conditions(
        _ filter: PushedFilter, _ id: Int32, _ type: PrimitiveType
    ) -> [ScanPredicate] {
        if let range = filter.range, range.onlyNull { return [.isNull(id)] }
        if filter.passesNull { return [] }
        var parts: [ScanPredicate] = []
        if let candidates = filter.candidates {
            let values = candidates.compactMap { storedLiteral($0, type) }
            if values.count == candidates.count { parts.append(.isIn(id, values)) }
        }
        if let lower = filter.range?.lower.flatMap({ storedLiteral($0, type) }) {
            let inclusive = filter.range?.isLowerInclusive ?? true
            // NaN is greater than every number but outside of the bounds.
            if type != .float, type != .double {
                parts.append(.compare(id, inclusive ? .greaterOrEqual : .greater, lower))
            }
        }
        if let upper = filter.range?.upper.flatMap({ storedLiteral($0, type) }) {
            let inclusive = filter.range?.isUpperInclusive ?? true
            parts.append(.compare(id, inclusive ? .lessOrEqual : .less, upper))
        }
        return parts
    }
}

/// An engine's value as a stored literal of exactly the same meaning; nil where there is none.
func storedLiteral(_ value: LiteralValue, _ type: PrimitiveType) -> Literal? {
    switch (value, type) {
    // Stored times are whole microseconds: finer ones have no equal.
    case (.wide(let packed), .timestamptz) where (packed >> 16) & 0xFFFF_FFFF != 0: return nil
    case (.integer(let picoseconds), .time) where picoseconds % 1_000_000 != 0: return nil
    default: break
    }
    guard let sql = IcebergTypes.sqlType(type), let known = parquetValue(value, sql) else {
        return nil
    }
    return IcebergTypes.literal(known, type)
}
