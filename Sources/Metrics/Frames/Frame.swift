package import CivilTime

/// What a question means: typed, checked, and the only thing that SQL is made of.
package struct Frame: Sendable, Hashable {
    /// The model whose names are used.
    package var model: String
    /// Names of metrics; the first one orders the rows.
    package var metrics: [String]
    package var breakdowns: [Breakdown]
    package var filters: [ValueFilter]
    package var period: Period?
    /// nil: no comparison.
    package var comparison: Period?
    package var thresholds: [Threshold]
    package var ranking: Ranking?
    /// Rows of some weekdays, hours or months.
    package var partFilters: [PartFilter]
    /// Metrics are computed for each such unit, and the mean over the units that have rows is shown.
    package var average: DateUnit?
    /// Whether each row shows its share of the total of all rows.
    package var hasShare: Bool
    /// The zone of periods and units of time, where it is not the model's.
    package var zone: TimeZoneKey?

    /// A frame; everything but a metric may be missing.
    package init(
        model: String, metrics: [String] = [], breakdowns: [Breakdown] = [],
        filters: [ValueFilter] = [], period: Period? = nil, comparison: Period? = nil,
        thresholds: [Threshold] = [], ranking: Ranking? = nil, partFilters: [PartFilter] = [],
        average: DateUnit? = nil, hasShare: Bool = false, zone: TimeZoneKey? = nil
    ) {
        self.model = model
        self.metrics = metrics
        self.breakdowns = breakdowns
        self.filters = filters
        self.period = period
        self.comparison = comparison
        self.thresholds = thresholds
        self.ranking = ranking
        self.partFilters = partFilters
        self.average = average
        self.hasShare = hasShare
        self.zone = zone
    }
}

/// One way in which rows are told apart.
package enum Breakdown: Sendable, Hashable {
    case dimension(String)
    /// A row for each day, week, month …
    case series(DateUnit)
    /// A row for each hour of the day, each weekday …
    case part(TimePart)

    /// The column of the result.
    package var column: String {
        switch self {
        case .dimension(let name): name
        case .series(let unit): unit.rawValue
        case .part(let part): part.rawValue
        }
    }
}

/// A field of the clock or the calendar that repeats.
package enum TimePart: String, Sendable, CaseIterable {
    case hourOfDay = "hour_of_day"
    /// 1 = Monday.
    case weekday
    case monthOfYear = "month_of_year"

    /// What the part can be.
    package var values: ClosedRange<Int> {
        switch self {
        case .hourOfDay: 0...23
        case .weekday: 1...7
        case .monthOfYear: 1...12
        }
    }

    /// As people say it.
    package var label: String {
        switch self {
        case .hourOfDay: "hour of the day"
        case .weekday: "weekday (1 = Monday)"
        case .monthOfYear: "month of the year"
        }
    }
}

/// Rows of some weekdays, hours of the day or months, or of all others.
package struct PartFilter: Sendable, Hashable {
    package var part: TimePart
    /// In the order in which they were said.
    package var values: [Int]
    package var isNegated: Bool

    /// A filter; `isNegated` keeps everything else.
    package init(part: TimePart, values: [Int], isNegated: Bool = false) {
        self.part = part
        self.values = values
        self.isNegated = isNegated
    }
}

/// Rows of some values of a dimension, or of all others.
package struct ValueFilter: Sendable, Hashable {
    package var dimension: String
    package var values: [String]
    package var isNegated: Bool

    /// A filter; `isNegated` keeps everything else.
    package init(dimension: String, values: [String], isNegated: Bool = false) {
        self.dimension = dimension
        self.values = values
        self.isNegated = isNegated
    }
}

/// A condition on a metric of each row of the answer.
package struct Threshold: Sendable, Hashable {
    /// How the metric stands to the number.
    package enum Relation: String, Sendable, CaseIterable {
        case above, atLeast = "at_least", below, atMost = "at_most", equal, between
    }

    package var metric: String
    package var relation: Relation
    /// A share, not a percentage, for metrics that are shares.
    package var value: ExactNumber
    /// The upper end of `between`, included.
    package var upper: ExactNumber?

    /// A condition; `upper` belongs to `between`.
    package init(
        metric: String, relation: Relation, value: ExactNumber, upper: ExactNumber? = nil
    ) {
        self.metric = metric
        self.relation = relation
        self.value = value
        self.upper = upper
    }
}

/// The order of the rows, and perhaps how many of them.
package struct Ranking: Sendable, Hashable {
    package var metric: String
    package var isDescending: Bool
    package var count: Int?
    /// Breakdowns that each have their own first `count` rows; empty: all rows together.
    package var within: [Breakdown]

    /// Rows in the order of `metric`; the first `count` of them, of each group of `within`.
    package init(
        metric: String, isDescending: Bool, count: Int? = nil, within: [Breakdown] = []
    ) {
        self.metric = metric
        self.isDescending = isDescending
        self.count = count
        self.within = within
    }
}
