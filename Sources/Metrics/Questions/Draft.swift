import CivilTime

/// What the items of a question add up to, before it is a frame.
struct Draft {
    /// A condition whose metric may be said later.
    struct Condition {
        var metric: String?
        var relation: Threshold.Relation
        var value: Amount
        var upper: Amount?
    }

    /// A number with its sign.
    struct Amount {
        var value: ExactNumber
        var isPercent: Bool
        var currency: String?
        var text: String
    }

    var metrics: [String] = []
    var breakdowns: [Breakdown] = []
    var filters: [ValueFilter] = []
    var conditions: [Condition] = []
    var periods: [Period] = []
    /// Periods behind `compared with`.
    var comparedPeriods: [Period] = []
    var neighbours: [(unit: DateUnit?, steps: Int, text: String)] = []
    var wantsYearEarlier = false
    var overUnit: DateUnit?
    var hasCompare = false
    var isAllTime = false
    var isSoFar = false
    var hasTrend = false
    var orderMetric: String?
    var isDescending: Bool?
    var count: Int?
    var isFollowUp = false
    var adds = false
    /// A superlative with a single thing asked for: one row.
    var wantsOne = false
    var notes: [String] = []
    var partFilters: [PartFilter] = []
    /// The words of a mean over units of time.
    var average: String?
    var averageUnit: DateUnit?
    /// The words of a dimension that says which rows count: in regions with …
    var narrowing: String?
    /// Groups that each have their own first rows.
    var within: [Breakdown] = []
    var hasShare = false
    /// The words of a growth.
    var growth: String?
    /// All together: the breakdowns of before go.
    var isOverall = false
    /// Breakdowns that were said with each or per.
    var each: [Breakdown] = []

    /// In front: and, also, but.
    var joins = false
    /// Dimensions that were said with `all`.
    var all: Set<String> = []
    /// The words of a second period: last week and the week before.
    var secondPeriod: String?
    /// Periods whose year was not said.
    var impliedYears: [Period] = []

    var isRanking: Bool { isDescending != nil || orderMetric != nil }

    mutating func add(metric: String) {
        if !metrics.contains(metric) { metrics.append(metric) }
    }
    mutating func add(breakdown: Breakdown) {
        if !breakdowns.contains(breakdown) { breakdowns.append(breakdown) }
    }
    mutating func add(_ values: [Int], of part: TimePart, isNegated: Bool) {
        let same = partFilters.firstIndex { $0.part == part && $0.isNegated == isNegated }
        guard let same else {
            return partFilters.append(
                PartFilter(part: part, values: values, isNegated: isNegated))
        }
        for value in values where !partFilters[same].values.contains(value) {
            partFilters[same].values.append(value)
        }
    }
    mutating func add(value: String, of dimension: String, isNegated: Bool) {
        let same = filters.firstIndex {
            $0.dimension == dimension && $0.isNegated == isNegated
        }
        if let same {
            if !filters[same].values.contains(value) { filters[same].values.append(value) }
        } else {
            filters.append(
                ValueFilter(dimension: dimension, values: [value], isNegated: isNegated))
        }
    }
}
