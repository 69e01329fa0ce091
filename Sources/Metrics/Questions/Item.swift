import CivilTime

/// What a stretch of words was found to be.
struct Item {
    /// A meaning.
    enum Kind: Hashable {
        case metric(String)
        case dimension(String)
        case value(dimension: String, value: String)
        case quoted(String)
        /// `isPercent`: a % follows.
        case number(ExactNumber, isPercent: Bool, currency: String?)
        case period(Period)
        /// The week before: a neighbour of a period that stands elsewhere; nil: of its own unit.
        case neighbour(DateUnit?, Int)
        /// The same stretch a year earlier.
        case yearEarlier
        case allTime, soFar
        case unit(DateUnit)
        case part(TimePart)
        /// Daily, per month as one word.
        case series(DateUnit)
        case trend
        case by, per, orderBy
        case relation(Threshold.Relation)
        case between
        /// `or more`, behind a number.
        case orMore, orLess
        case top(isDescending: Bool)
        case superlative(isDescending: Bool)
        case direction(isDescending: Bool)
        case compare
        case unitOverUnit(DateUnit)
        case not, and, or, comma
        /// In front: goes on from the last answer; behind `all`: leaves out.
        case but
        /// `any region but …`.
        case any
        /// A mean over units of time.
        case average
        /// A share of the total.
        case share
        /// Against the period before.
        case growth
        /// Some weekdays, or hours of the day.
        case parts(TimePart, [Int])
        /// All together, without a breakdown.
        case overall
        /// `vs last`.
        case last
        /// Total, number of: says that parts are put together.
        case sum
        case howMany
        /// What about, only: goes on from the last answer.
        case followUp
        case stop
    }

    /// More than one: the words mean several things.
    var kinds: [Kind]
    /// As typed.
    var text: String
    /// Whether the last word was a plural where the vocabulary has a singular.
    var isPlural = false
    /// A time that does not say its year.
    var isYearImplied = false
}
