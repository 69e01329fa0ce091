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
    var hasTrend = false
    var orderMetric: String?
    var isDescending: Bool?
    var count: Int?
    var isFollowUp = false
    var adds = false
    /// A superlative with a single thing asked for: one row.
    var wantsOne = false
    var notes: [String] = []

    var isRanking: Bool { isDescending != nil || orderMetric != nil }

    mutating func add(metric: String) {
        if !metrics.contains(metric) { metrics.append(metric) }
    }
    mutating func add(breakdown: Breakdown) {
        if !breakdowns.contains(breakdown) { breakdowns.append(breakdown) }
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
