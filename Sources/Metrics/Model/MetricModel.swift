package import CivilTime

/// A set of metrics over certified tables, as one file declares it.
package struct MetricModel: Sendable {
    /// Unique among the models; `--model` names it.
    package var name: String
    /// The author's number of this text; shown with every answer.
    package var version: Int
    /// For people.
    package var title: String
    /// Sixteen hexadecimal digits over the file's text: which wording of the version was used.
    package var digest: String
    /// Where the file is.
    package var path: String
    /// The zone of every period and breakdown by time.
    package var zone: TimeZoneKey
    package var tables: [ModelTable]
    package var joins: [ModelJoin]
    package var dimensions: [Dimension]
    package var metrics: [Metric]

    /// The table of that name.
    package func table(_ name: String) -> ModelTable? { tables.first { $0.name == name } }
    /// The metric of that name.
    package func metric(_ name: String) -> Metric? { metrics.first { $0.name == name } }
    /// The dimension of that name.
    package func dimension(_ name: String) -> Dimension? { dimensions.first { $0.name == name } }
}

/// A certified table: only those are ever read.
package struct ModelTable: Sendable, Hashable {
    /// The name that expressions use.
    package var name: String
    /// Catalog, schema levels, table.
    package var source: [String]
    /// Columns that tell rows apart; a join to this table must cover them.
    package var key: [String]
    package var time: TimeColumn?
    package var description: String
}

/// The column that periods are about.
package struct TimeColumn: Sendable, Hashable {
    /// How the column is stored.
    package enum Kind: String, Sendable, CaseIterable {
        case date
        /// Without a zone; the moment in UTC.
        case timestamp
        case timestampWithZone = "timestamp with time zone"
    }

    package var column: String
    package var kind: Kind
    /// The finest unit that a period may have.
    package var grain: DateUnit
}

/// A way from many rows of one table to at most one row of another.
package struct ModelJoin: Sendable, Hashable {
    /// Whether rows without a partner stay.
    package enum Kind: String, Sendable, CaseIterable { case left, inner }

    package var from: String
    package var to: String
    /// Columns that must be equal: of `from`, of `to`.
    package var columns: [Pair]
    package var kind: Kind

    /// Two columns that must be equal.
    package struct Pair: Sendable, Hashable {
        package var from: String
        package var to: String
    }
}

/// What a metric can be broken down by.
package struct Dimension: Sendable, Hashable {
    /// What values are.
    package enum Kind: String, Sendable, CaseIterable { case text, number, boolean, date }

    /// Where the words for values come from.
    package enum Values: Sendable, Hashable {
        /// From the data: the distinct values, as the asker may see them.
        case index
        /// Too many or too private to list: values are given in quotes.
        case none
        case listed([String])
    }

    package var name: String
    package var label: String
    package var table: String
    /// SQL over `table.column`.
    package var expression: String
    package var kind: Kind
    package var synonyms: [String]
    package var values: Values
    /// Further words for a value.
    package var valueSynonyms: [String: [String]]
    package var description: String
}

/// A number that people ask for.
package struct Metric: Sendable, Hashable {
    /// How the number behaves when groups are put together.
    package enum Kind: String, Sendable, CaseIterable {
        /// Sums and counts: totals of parts are the total.
        case additive
        /// A sum over a sum; both are summed before the division.
        case ratio
        /// An average, a distinct count: each group is computed from its rows.
        case other
    }

    /// How values are shown.
    package enum Format: String, Sendable, CaseIterable { case number, percent, currency }

    package var name: String
    package var label: String
    package var table: String
    package var kind: Kind
    /// An aggregate, or the numerator of a ratio.
    package var expression: String
    /// The denominator of a ratio.
    package var denominator: String?
    /// SQL conditions on the rows that count.
    package var filters: [String]
    package var format: Format
    package var unit: String
    package var decimals: Int?
    /// Groups with fewer rows are shown, and are neither compared with a number nor ranked; nil: any are.
    package var minimumRows: Int?
    package var synonyms: [String]
    package var description: String
}

extension Metric {
    /// Whether the metric is a number of something, and not a sum of something.
    func counts(in model: MetricModel) -> Bool {
        guard kind != .ratio else { return false }
        let scan = try? SQLScan(expression, known: model.tables.map(\.name))
        return ["count", "count_if", "approx_distinct"].contains(scan?.outermostCall ?? "")
    }
}
