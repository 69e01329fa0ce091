package import CivilTime
import Diagnostics

/// The five fields of a crontab line and the time zone that they are about.
///
/// Follows Debian's cron, its rule for daylight saving too. A schedule whose minute and hour are fixed:
/// times that a clock change of less than three hours skips run right after it, times that it repeats
/// run once. A schedule with `*` in minute or hour follows the new time at once.
/// Source: Debian, crontab(5) and cron(8), "Notes".
package struct CronSchedule: Sendable, Hashable {
    /// The text as given.
    package let text: String
    package let zone: TimeZoneKey
    private let minutes: [Int]
    private let hours: [Int]
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    /// Whether day of month and day of week are both restricted: then either of them will do.
    private let eitherDay: Bool
    /// Whether minute or hour begins with `*`.
    private let isWildcard: Bool

    private static let macros = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    ]
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// Reads five fields or a name such as `@daily`; throws `.invalidSchedule`.
    package init(_ text: String, zone: TimeZoneKey = .utc) throws(JobError) {
        self.text = text
        self.zone = zone
        let lower = text.lowercased()
        let line = Self.macros[lower] ?? lower
        if lower.hasPrefix("@"), Self.macros[lower] == nil {
            throw JobError(
                .invalidSchedule, "unknown schedule: \(text)",
                hint: nearestName(to: lower, among: Self.macros.keys).map { "did you mean \($0)?" }
                    ?? "names: \(Self.macros.keys.sorted().joined(separator: ", "))")
        }
        let fields = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        guard fields.count == 5 else {
            throw JobError(
                .invalidSchedule, "a schedule has five fields, this one \(fields.count): \(text)",
                hint: "minute hour day-of-month month day-of-week, for example 0 6 * * mon-fri")
        }
        minutes = try Self.field(fields[0], 0...59, "minute").sorted()
        hours = try Self.field(fields[1], 0...23, "hour").sorted()
        days = try Self.field(fields[2], 1...31, "day of month")
        months = try Self.field(fields[3], 1...12, "month", names: Self.monthNames, first: 1)
        weekdays = Set(
            try Self.field(fields[4], 0...7, "day of week", names: Self.weekdayNames, first: 0)
                .map { $0 % 7 })
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        isWildcard = fields[0].hasPrefix("*") || fields[1].hasPrefix("*")
    }

    /// One field: a list of `*`, numbers, names, ranges, each with an optional step.
    private static func field(
        _ text: String, _ range: ClosedRange<Int>, _ what: String, names: [String] = [],
        first: Int = 0
    ) throws(JobError) -> Set<Int> {
        func fault(_ part: Substring) -> JobError {
            JobError(
                .invalidSchedule, "not a \(what): \(part)",
                hint:
                    "\(range.lowerBound) to \(range.upperBound), a list 1,2, a range 1-5, a step */10"
            )
        }
        func number(_ part: Substring, _ whole: Substring) throws(JobError) -> Int {
            if let index = names.firstIndex(of: String(part)) { return index + first }
            guard let value = Int(part), range.contains(value), part.allSatisfy(\.isNumber) else {
                throw fault(whole)
            }
            return value
        }
        var values: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let body = pieces.first, !body.isEmpty else {
                throw fault(part)
            }
            var step = 1
            if pieces.count == 2 {
                guard let value = Int(pieces[1]), value > 0, value <= range.upperBound else {
                    throw fault(part)
                }
                step = value
            }
            var bounds = range
            if body != "*" {
                let ends = body.split(separator: "-", omittingEmptySubsequences: false)
                guard ends.count <= 2 else { throw fault(part) }
                let low = try number(ends[0], part)
                let high = ends.count == 2 ? try number(ends[1], part) : low
                guard low <= high, pieces.count == 1 || ends.count == 2 else { throw fault(part) }
                bounds = low...high
            }
            for value in stride(from: bounds.lowerBound, through: bounds.upperBound, by: step) {
                values.insert(value)
            }
        }
        return values
    }

    /// The first moment after `second` (of UTC) at which it is due; nil when there is none within
    /// eight years, such as on the 30th of February.
    package func next(after second: Int64, rules: TimeZoneRules) -> Int64? {
        isWildcard ? nextByMinute(second, rules) : nextFixed(second, rules)
    }

    private func matches(day: Int32) -> Bool {
        let date = CivilDate(days: day)
        guard months.contains(date.month) else { return false }
        let byDay = days.contains(date.day)
        // `Calendar.dayOfWeek` counts from Monday 1 to Sunday 7.
        let byWeekday = weekdays.contains(Calendar.dayOfWeek(day) % 7)
        return eitherDay ? byDay || byWeekday : byDay && byWeekday
    }

    /// Walks the minutes of the days that match, in real time.
    private func nextByMinute(_ second: Int64, _ rules: TimeZoneRules) -> Int64? {
        var moment = floorDivide(second, 60) * 60 + 60
        let end = moment + Self.horizonSeconds
        while moment <= end {
            let local = moment + Int64(rules.offset(atUTCSecond: moment))
            let day = Int32(clamping: floorDivide(local, 86_400))
            guard matches(day: day) else {
                let midnight = rules.utcSecond(ofLocalSecond: (Int64(day) + 1) * 86_400)
                moment = max(moment + 60, midnight)
                continue
            }
            let minute = Int(floorDivide(floorRemainder(local, 86_400), 60))
            if hours.contains(minute / 60), minutes.contains(minute % 60) { return moment }
            moment += 60
        }
        return nil
    }

    private func nextFixed(_ second: Int64, _ rules: TimeZoneRules) -> Int64? {
        let today = floorDivide(second + Int64(rules.offset(atUTCSecond: second)), 86_400)
        // A day earlier, since times of a skipped hour run after it; one that began with it may be due.
        for day in (today - 1)...(today + Self.horizonSeconds / 86_400) {
            guard matches(day: Int32(clamping: day)) else { continue }
            var best: Int64?
            for hour in hours {
                for minute in minutes {
                    let local = day * 86_400 + Int64(hour * 3600 + minute * 60)
                    guard let moment = moment(ofLocal: local, rules), moment > second else {
                        continue
                    }
                    best = min(best ?? moment, moment)
                }
            }
            if let best { return best }
        }
        return nil
    }

    /// When a local time happens: the first time if twice, at the end of the gap if never.
    private func moment(ofLocal local: Int64, _ rules: TimeZoneRules) -> Int64? {
        let moment = rules.utcSecond(ofLocalSecond: local)
        let shown = moment + Int64(rules.offset(atUTCSecond: moment))
        if shown == local { return moment }
        // The local time lies in a gap, and `shown` is moved forward by its length.
        guard shown - local < Self.largestChange else { return nil }
        let after = rules.offset(atUTCSecond: moment)
        var (low, high) = (moment - Self.largestChange, moment)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if rules.offset(atUTCSecond: middle) == after { high = middle } else { low = middle }
        }
        return high
    }

    private static let horizonSeconds: Int64 = 8 * 366 * 86_400
    /// Changes of three hours and more are corrections of the clock, not daylight saving.
    private static let largestChange: Int64 = 3 * 3600
}
