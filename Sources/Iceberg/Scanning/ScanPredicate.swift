/// A condition on columns, by field id, that planning can use. NULL compares to nothing, as in SQL:
/// a row for which a condition is unknown is not wanted.
package indirect enum ScanPredicate: Sendable, Hashable {
    /// How a column is compared with one literal.
    package enum Comparison: Sendable, Hashable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    }

    case always
    case never
    case compare(Int32, Comparison, Literal)
    case isIn(Int32, [Literal])
    case isNotIn(Int32, [Literal])
    case isNull(Int32)
    case isNotNull(Int32)
    case isNaN(Int32)
    case isNotNaN(Int32)
    case startsWith(Int32, String)
    case notStartsWith(Int32, String)
    case and([ScanPredicate])
    case or([ScanPredicate])
    case not(ScanPredicate)

    /// The same condition without `not`: leaves turn into their opposites.
    ///
    /// Opposites stay false for NULL, as SQL's three values demand of a filter.
    package var withoutNegation: ScanPredicate {
        switch self {
        case .and(let parts): .and(parts.map(\.withoutNegation))
        case .or(let parts): .or(parts.map(\.withoutNegation))
        case .not(let inner): inner.negated
        default: self
        }
    }

    private var negated: ScanPredicate {
        switch self {
        case .always: return .never
        case .never: return .always
        case .compare(let id, let comparison, let value):
            let opposite: Comparison =
                switch comparison {
                case .equal: .notEqual
                case .notEqual: .equal
                case .less: .greaterOrEqual
                case .lessOrEqual: .greater
                case .greater: .lessOrEqual
                case .greaterOrEqual: .less
                }
            return .compare(id, opposite, value)
        case .isIn(let id, let values): return .isNotIn(id, values)
        case .isNotIn(let id, let values): return .isIn(id, values)
        case .isNull(let id): return .isNotNull(id)
        case .isNotNull(let id): return .isNull(id)
        case .isNaN(let id): return .isNotNaN(id)
        case .isNotNaN(let id): return .isNaN(id)
        case .startsWith(let id, let prefix): return .notStartsWith(id, prefix)
        case .notStartsWith(let id, let prefix): return .startsWith(id, prefix)
        case .and(let parts): return .or(parts.map(\.negated))
        case .or(let parts): return .and(parts.map(\.negated))
        case .not(let inner): return inner.withoutNegation
        }
    }

    /// The columns it is about.
    package var fieldIDs: Set<Int32> {
        switch self {
        case .always, .never: []
        case .compare(let id, _, _), .isIn(let id, _), .isNotIn(let id, _), .isNull(let id),
            .isNotNull(let id), .isNaN(let id), .isNotNaN(let id), .startsWith(let id, _),
            .notStartsWith(let id, _):
            [id]
        case .and(let parts), .or(let parts):
            parts.reduce(into: []) { $0.formUnion($1.fieldIDs) }
        case .not(let inner): inner.fieldIDs
        }
    }
}
