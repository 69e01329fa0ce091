import CivilTime

/// Reads stretches of time: `last week`, `since March`, `Q2 2025`, `between 2025-03-01 and yesterday`.
///
/// Everything is relative to `now`, a local time of the model's zone, and half open. Weeks are ISO
/// weeks. What is counted back (`last 3 months`) is whole units that are over; `this month` goes up to
/// the end of today.
struct TimePhrases {
    let tokens: [Token]
    /// Local microseconds.
    let now: Int64

    /// A stretch with how many tokens say it.
    struct Match {
        /// More than one when the words are used both ways.
        var periods: [Period]
        var length: Int
        /// Whether a year was said.
        var hasYear = true
    }

    /// Words that mean nothing but time.
    static let words: Set<String> = {
        var words: Set<String> = [
            "today", "yesterday", "last", "past", "current", "this", "full", "complete", "since",
            "until", "till", "before", "after", "through", "quarter", "ago", "ytd", "mtd", "wtd",
            "qtd", "onwards", "hours", "days", "weeks", "months", "quarters", "years", "hour",
            "day", "week", "month", "year", "calendar",
        ]
        for name in CivilFormat.monthNames + CivilFormat.weekdayNames {
            words.insert(name.lowercased())
        }
        return words
    }()

    /// The longest stretch of time that begins at a token.
    func match(_ at: Int) -> Match? {
        [range(at), point(at)].compactMap { $0 }.max { $0.length < $1.length }
    }

    func word(_ at: Int) -> String {
        tokens.indices.contains(at) && tokens[at].kind != .quoted ? tokens[at].lower : ""
    }
    func number(_ at: Int) -> Int? {
        guard tokens.indices.contains(at) else { return nil }
        if case .number(let value, _) = tokens[at].kind, value.scale == 0 {
            return Int(value.unscaled)
        }
        return TimePhrases.numberWords[tokens[at].lower]
    }
    var today: Int32 { Microseconds.day(of: now) }
    private var tomorrow: Int64 { Microseconds.timestamp(day: today &+ 1) ?? .max }

    private static let numberWords: [String: Int] = [
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
        "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    ]

    private func unit(_ word: String) -> DateUnit? {
        let name = word.hasSuffix("s") ? String(word.dropLast()) : word
        guard let unit = DateUnit(rawValue: name), unit != .second, unit != .millisecond,
            unit != .minute
        else { return nil }
        return unit
    }

    // MARK: Ranges

    private func range(_ at: Int) -> Match? {
        let first = word(at)
        switch first {
        case "since", "starting":
            let skip = ["from", "in", "on", "with"].contains(word(at + 1)) ? 2 : 1
            if first == "since", let between = fromTo(at + skip - 1, isBetween: false) {
                return Match(
                    periods: between.periods, length: between.length + skip - 1,
                    hasYear: between.hasYear)
            }
            guard let from = point(at + skip, implied: true) ?? sinceWeekday(at + skip) else {
                return nil
            }
            return build(from, length: skip + from.length) { period in
                period.start.map { open(from: $0) }
            }
        case "before", "until", "till", "through":
            guard let to = point(at + 1, implied: true) else { return nil }
            let open = build(to, length: 1 + to.length) { period in
                Period(start: nil, end: first == "before" ? period.start : period.end, unit: .day)
            }
            return first == "through" ? through(to, open) : open
        case "after":
            guard let from = point(at + 1, implied: true) else { return nil }
            return build(from, length: 1 + from.length) { period in
                period.end.map { open(from: $0) }
            }
        case "up" where word(at + 1) == "to":
            guard let to = point(at + 2, implied: true) else { return nil }
            return build(to, length: 2 + to.length) { period in
                Period(start: nil, end: period.end, unit: .day)
            }
        case "from", "between":
            return fromTo(at, isBetween: first == "between") ?? from(at)
        default:
            guard point(at) != nil else { return nil }
            guard let range = fromTo(at - 1, isBetween: false) else { return nil }
            return Match(
                periods: range.periods, length: range.length - 1, hasYear: range.hasYear)
        }
    }

    /// Through October: since ever, or since the year began.
    private func through(_ to: Match, _ open: Match?) -> Match? {
        guard var open else { return nil }
        for period in to.periods {
            guard let start = period.start, let end = period.end,
                let year = Period.unit(.year, holding: start)?.start, year < end
            else { continue }
            open.periods.append(days(year, end))
        }
        return open
    }

    /// From October: bookings of October, or since October.
    private func from(_ at: Int) -> Match? {
        let isWeekday = word(at + 1) == "last" && weekday(word(at + 2)) != nil
        guard word(at) == "from", isWeekday || relative(at + 1) == nil,
            let point = point(at + 1, implied: true)
        else { return nil }
        let open = point.periods.compactMap { period in period.start.map { self.open(from: $0) } }
        let both = point.periods + open.filter { !point.periods.contains($0) }
        return Match(periods: both, length: point.length + 1, hasYear: point.hasYear)
    }

    /// Since Monday: the last one before today.
    private func sinceWeekday(_ at: Int) -> Match? {
        guard let day = weekday(word(at)), day != Calendar.dayOfWeek(today) else { return nil }
        let back = (Calendar.dayOfWeek(today) - day + 7) % 7
        return one(Period.unit(.day, holding: now)?.shifted(by: -back), 1)
    }

    private func fromTo(_ at: Int, isBetween: Bool) -> Match? {
        guard var from = point(at + 1, implied: true) else { return nil }
        let joint = at + 1 + from.length
        if !isBetween, ["on", "onward", "onwards"].contains(word(joint)) {
            return build(from, length: from.length + 2) { period in
                period.start.map { open(from: $0) }
            }
        }
        let words: Set<String> = isBetween ? ["and"] : ["to", "until", "till", "through", "-", "–"]
        guard words.contains(word(joint)),
            let to = point(joint + 1, implied: true), to.periods.count == 1,
            let last = to.periods[0].end
        else { return nil }
        // March to May 2025: the year is said once.
        if to.hasYear, !from.hasYear, let start = to.periods.first?.start,
            let again = point(
                at + 1, implied: true, year: CivilDate(days: Microseconds.day(of: start)).year)
        {
            from = again
        }
        return build(from, length: from.length + to.length + 2) { period in
            guard let start = period.start, start < last else { return nil }
            return days(start, last)
        }
    }

    /// From `start` to the end of today.
    private func open(from start: Int64) -> Period { days(start, max(tomorrow, start)) }

    /// Whole days, which step by their own number; a whole week or month is one.
    private func days(_ start: Int64, _ end: Int64) -> Period {
        for unit in [DateUnit.week, .month, .quarter, .year] {
            if let whole = Period.unit(unit, holding: start), whole.start == start,
                whole.end == end
            {
                return whole
            }
        }
        let count = (end - start) / Microseconds.perDay
        return Period(start: start, end: end, unit: .day, count: Int(max(1, count)))
    }

    private func build(_ match: Match, length: Int, _ make: (Period) -> Period?) -> Match? {
        let periods = match.periods.compactMap(make)
        guard !periods.isEmpty else { return nil }
        return Match(periods: periods, length: length, hasYear: match.hasYear)
    }

    // MARK: Points

    /// A named stretch. `implied`: the words before say that a time follows, so that a bare year is
    /// one; `year` is the year of stretches that do not say theirs.
    private func point(_ at: Int, implied: Bool = false, year: Int? = nil) -> Match? {
        if word(at) == "the" {
            return point(at + 1, implied: implied, year: year).map {
                Match(periods: $0.periods, length: $0.length + 1, hasYear: $0.hasYear)
            }
        }
        return relative(at) ?? named(at, implied: implied, year: year)
            ?? dated(at, implied: implied, year: year)
    }

    func one(_ period: Period?, _ length: Int, hasYear: Bool = true) -> Match? {
        period.map { Match(periods: [$0], length: length, hasYear: hasYear) }
    }

    private func relative(_ at: Int) -> Match? {
        switch word(at) {
        case "today": return one(.unit(.day, holding: now), 1)
        case "now" where ["to", "until", "till", "through"].contains(word(at - 1)):
            return one(.unit(.day, holding: now), 1)
        case "yesterday": return one(Period.unit(.day, holding: now)?.shifted(by: -1), 1)
        case "day" where word(at + 1) == "before" && word(at + 2) == "yesterday":
            return one(Period.unit(.day, holding: now)?.shifted(by: -2), 3)
        case "ytd": return one(toDate(.year), 1)
        case "qtd": return one(toDate(.quarter), 1)
        case "mtd": return one(toDate(.month), 1)
        case "wtd": return one(toDate(.week), 1)
        case "this", "current": return unit(word(at + 1)).flatMap { one(toDate($0), 2) }
        case "last", "past", "previous": return last(at)
        default: break
        }
        if let unit = unit(word(at)) {
            if word(at + 1) == "to", word(at + 2) == "date" { return one(toDate(unit), 3) }
            if word(at + 1) == "before", word(at + 2) == "last" {
                return one(Period.unit(unit, holding: now)?.shifted(by: -2), 3)
            }
        }
        let count = ["a", "an"].contains(word(at)) ? 1 : number(at)
        if let count, (1...10_000).contains(count), let unit = unit(word(at + 1)),
            word(at + 2) == "ago"
        {
            return one(Period.unit(unit, holding: now)?.shifted(by: -count), 3)
        }
        return nil
    }

    /// The unit so far, with today.
    private func toDate(_ unit: DateUnit) -> Period? {
        guard var period = Period.unit(unit, holding: now) else { return nil }
        if unit == .hour { return period }
        period.end = min(period.end ?? tomorrow, tomorrow)
        return period
    }

    private func last(_ at: Int) -> Match? {
        var next = at + 1
        if let count = number(next), let unit = unit(word(next + 1)), (1...10_000).contains(count) {
            return one(rolling(count, unit), 3)
        }
        let first = word(at)
        let isFull = ["full", "complete", "completed", "whole", "calendar", "iso"]
            .contains(word(next))
        if isFull { next += 1 }
        if isFull, let count = number(next), let unit = unit(word(next + 1)) {
            return one(rolling(count, unit), next + 2 - at)
        }
        if let unit = unit(word(next)), !word(next).hasSuffix("s") {
            // The previous week is a neighbour of a period, when there is one.
            guard first != "previous" || isFull,
                let period = Period.unit(unit, holding: now)?.shifted(by: -1)
            else { return nil }
            var periods = [period]
            if first == "past", !isFull, unit != .day, let days = rollingDays(unit) {
                periods.append(days)
            }
            return Match(periods: periods, length: next - at + 1)
        }
        if let day = weekday(word(next)), first == "last" {
            let back = (Calendar.dayOfWeek(today) - day + 6) % 7 + 1
            return one(Period.unit(.day, holding: now)?.shifted(by: -back), 2)
        }
        if first == "last", ["weekend", "weekends"].contains(word(next)),
            let monday = Period.unit(.week, holding: now)?.start
        {
            let first = Microseconds.day(of: monday)
            return one(Period(fromDay: first - 2, toDay: first, unit: .day, count: 2), 2)
        }
        if first == "last", let month = month(word(next)), yearBehind(next + 1) == nil {
            // In November, last October is a month or a year ago; last November a year.
            let date = CivilDate(days: today)
            let years = month < date.month ? [date.year, date.year - 1] : [date.year - 1]
            let found = years.compactMap { named(month: month, year: $0, length: 2)?.periods.first }
            return found.isEmpty ? nil : Match(periods: found, length: 2)
        }
        return nil
    }

    /// Whole units that are over.
    private func rolling(_ count: Int, _ unit: DateUnit) -> Period? {
        guard (1...10_000).contains(count) else { return nil }
        let end = unit.truncate(microseconds: now)
        guard let start = unit.add(Int64(-count), toMicroseconds: end) else { return nil }
        return Period(start: start, end: end, unit: unit, count: count)
    }

    /// The past week as seven days, the past month as 30.
    private func rollingDays(_ unit: DateUnit) -> Period? {
        switch unit {
        case .week: rolling(7, .day)
        case .month: rolling(30, .day)
        case .quarter: rolling(90, .day)
        case .year: rolling(365, .day)
        default: nil
        }
    }

    private func weekday(_ word: String) -> Int? {
        CivilFormat.weekdayNames.firstIndex { $0.lowercased() == word }.map { $0 + 1 }
    }
    func month(_ word: String) -> Int? {
        guard word.utf8.count >= 3 else { return nil }
        return CivilFormat.monthNames.firstIndex { name in
            let lower = name.lowercased()
            return lower == word || (lower.prefix(3) == word && word != "may")
                || (word == "sept" && lower == "september")
        }.map { $0 + 1 }
    }
    func year(_ at: Int) -> Int? {
        guard let value = number(at), (1900...2199).contains(value), tokens[at].text.count == 4
        else { return nil }
        return value
    }

    /// A year behind a name, with `of` or a comma between.
    func yearBehind(_ at: Int) -> (year: Int, length: Int)? {
        if let year = year(at) { return (year, 1) }
        if ["of", ",", "/", "-"].contains(word(at)), let year = year(at + 1) { return (year, 2) }
        if word(at) == "last", word(at + 1) == "year" {
            return (CivilDate(days: today).year - 1, 2)
        }
        if word(at) == "of", ["last", "this"].contains(word(at + 1)), word(at + 2) == "year" {
            return (CivilDate(days: today).year - (word(at + 1) == "last" ? 1 : 0), 3)
        }
        if word(at) == "this", word(at + 1) == "year" { return (CivilDate(days: today).year, 2) }
        return nil
    }

    // MARK: Months, quarters, weeks, years

    private func named(_ at: Int, implied: Bool, year given: Int?) -> Match? {
        let first = word(at)
        if let month = month(first) {
            let before = word(at - 1)
            let isSaid =
                first != "may" || implied
                || tokens[at].text == "May" && !["i", "we", "you"].contains(word(at + 1))
                || number(at + 1) != nil
                || ["in", "of", "during", "for", "and", "last"].contains(before)
            guard isSaid, day(at + 1) == nil || year(at + 1) != nil else { return nil }
            let behind = yearBehind(at + 1)
            return named(
                month: month, year: behind?.year ?? given, length: 1 + (behind?.length ?? 0),
                hasYear: behind != nil)
        }
        if let year = year(at), let quarter = quarterName(at + 1) {
            return named(quarter: quarter, (year, 1), nil, 1)
        }
        if first.utf8.count == 2, first.hasPrefix("q"), let quarter = Int(first.dropFirst()) {
            let behind = yearBehind(at + 1)
            return named(quarter: quarter, behind, given, 1)
        }
        let ordinals = ["first": 1, "second": 2, "third": 3, "fourth": 4]
        if word(at + 1) == "quarter", let quarter = ordinals[first] ?? ordinal(at) {
            return named(quarter: quarter, yearBehind(at + 2), given, 2)
        }
        return week(at, given) ?? calendarYear(at, implied: implied)
    }

    private func quarterName(_ at: Int) -> Int? {
        let name = word(at)
        guard name.utf8.count == 2, name.hasPrefix("q") else { return nil }
        return Int(name.dropFirst()).flatMap { (1...4).contains($0) ? $0 : nil }
    }

    private func ordinal(_ at: Int) -> Int? {
        guard tokens.indices.contains(at), case .number(let value, true) = tokens[at].kind else {
            return nil
        }
        return Int(value.unscaled)
    }

    func named(
        month: Int, year: Int?, length: Int, hasYear: Bool = false
    ) -> Match? {
        let date = CivilDate(days: today)
        let year = year ?? (month <= date.month ? date.year : date.year - 1)
        guard let start = CivilDate(validYear: year, month: month, day: 1),
            let begin = Microseconds.timestamp(day: start.days)
        else { return nil }
        return one(.unit(.month, holding: begin), length, hasYear: hasYear)
    }

    private func named(
        quarter: Int, _ behind: (year: Int, length: Int)?, _ given: Int?, _ length: Int
    ) -> Match? {
        guard (1...4).contains(quarter) else { return nil }
        let date = CivilDate(days: today)
        let latest = quarter <= Calendar.quarter(today) ? date.year : date.year - 1
        guard
            let start = CivilDate(
                validYear: behind?.year ?? given ?? latest, month: quarter * 3 - 2, day: 1),
            let begin = Microseconds.timestamp(day: start.days)
        else { return nil }
        return one(
            .unit(.quarter, holding: begin), length + (behind?.length ?? 0), hasYear: behind != nil)
    }

    /// `week 12 of 2025`, `calendar week 12`, `CW 12`, `2025-W12`.
    private func week(_ at: Int, _ given: Int?) -> Match? {
        var next = at
        if ["calendar", "iso"].contains(word(next)) { next += 1 }
        if ["week", "cw", "kw"].contains(word(next)), let week = number(next + 1) {
            let behind = yearBehind(next + 2)
            return named(
                week: week, year: behind?.year ?? given,
                length: next + 2 - at
                    + (behind?.length ?? 0), hasYear: behind != nil)
        }
        let parts = word(at).split(separator: "-")
        if parts.count == 2, parts[0].utf8.count == 4, let year = Int(parts[0]),
            (1900...2199).contains(year)
        {
            if parts[1].hasPrefix("w"), let week = Int(parts[1].dropFirst()) {
                return named(week: week, year: year, length: 1, hasYear: true)
            }
            if parts[1].hasPrefix("q"), let quarter = Int(parts[1].dropFirst()) {
                return named(quarter: quarter, (year, 0), nil, 1)
            }
        }
        return nil
    }

    private func named(week: Int, year: Int?, length: Int, hasYear: Bool) -> Match? {
        let current = Calendar.isoWeek(today)
        let year = year ?? (week <= current.week ? current.year : current.year - 1)
        guard let monday = TimePhrases.monday(ofWeek: week, year: year),
            let begin = Microseconds.timestamp(day: monday)
        else { return nil }
        return one(.unit(.week, holding: begin), length, hasYear: hasYear)
    }

    /// The Monday of an ISO week; nil when the year has no such week.
    static func monday(ofWeek week: Int, year: Int) -> Int32? {
        guard (1...53).contains(week), let date = CivilDate(validYear: year, month: 1, day: 4)
        else {
            return nil
        }
        let first = date.days - Int32(Calendar.dayOfWeek(date.days)) + 1
        let monday = first + Int32(week - 1) * 7
        return Calendar.isoWeek(monday) == (year, week) ? monday : nil
    }

    private func calendarYear(_ at: Int, implied: Bool) -> Match? {
        let isNamed = word(at) == "year" && year(at + 1) != nil
        let place = isNamed ? at + 1 : at
        let before = word(at - 1)
        let isSaid =
            implied || isNamed
            || ["in", "during", "for", "throughout", "vs", "versus"].contains(before)
        guard isSaid, let year = year(place),
            let start = CivilDate(validYear: year, month: 1, day: 1),
            let begin = Microseconds.timestamp(day: start.days)
        else { return nil }
        return one(.unit(.year, holding: begin), place - at + 1)
    }
}
