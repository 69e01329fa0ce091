/// The kinds of checks, by the names that people write.
package enum CheckKind: String, Sendable, CaseIterable {
    case uniqueness
    case notNull = "not_null"
    case acceptedValues = "accepted_values"
    case positive
    case range
    case rowCountRange = "row_count_range"
    case noFutureDates = "no_future_dates"
    case relationships
    case regex
    case freshness
    case reconcile
    case customSQL = "custom_sql"
    case schema
    case volumeAnomaly = "volume_anomaly"

    /// The options of the kind, besides `severity`, `description` and `where`.
    var options: [String] {
        switch self {
        case .uniqueness, .notNull: ["column", "columns"]
        case .acceptedValues: ["column", "values"]
        case .positive, .noFutureDates: ["column"]
        case .range: ["column", "min", "max"]
        case .rowCountRange: ["min", "max"]
        case .relationships: ["column", "to", "field"]
        case .regex: ["column", "pattern"]
        case .freshness: ["column", "within"]
        case .reconcile: ["expression", "sql", "tolerance"]
        case .customSQL: ["sql", "condition"]
        case .schema: ["columns", "exact"]
        case .volumeAnomaly: ["column", "days", "sensitivity"]
        }
    }

    /// The option that a value alone means: `not_null: amount`.
    var mainOption: String? {
        switch self {
        case .uniqueness, .notNull: "columns"
        case .positive, .noFutureDates, .volumeAnomaly: "column"
        case .schema: "columns"
        case .customSQL: "sql"
        default: nil
        }
    }

    /// Options that every kind has.
    static let shared = ["severity", "description", "where"]
}

/// What a failed check means.
package enum CheckSeverity: String, Sendable, CaseIterable {
    /// It is told.
    case warn
    /// A gate is red.
    case fail
}
