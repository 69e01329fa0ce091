import CivilTime

/// Makes frames of a draft: alone, or on top of the frame of the question before.
struct Assembly {
    let model: MetricModel
    let previous: Frame?
    /// Local microseconds.
    let now: Int64

    /// A frame, and what was taken for granted.
    struct Made: Hashable {
        var frame: Frame
        var notes: [String]
    }

    /// More than one where the words are used both ways; throws when there is none.
    func frames(_ draft: Draft) throws(Refusal) -> [Made] {
        let base = try base(draft)
        var made = Made(
            frame: base ?? Frame(model: model.name), notes: draft.notes + yearNotes(draft))
        if let base { made.notes += replacements(draft, base) }
        merge(draft, into: &made.frame, isFresh: base == nil)
        guard !made.frame.metrics.isEmpty || !draft.conditions.isEmpty else { throw noMetric() }
        try conditions(draft, &made)
        guard !made.frame.metrics.isEmpty else { throw noMetric() }
        made.notes += forgotten(draft, base, made.frame)
        if made.frame.breakdowns.isEmpty, !draft.hasTrend, let condition = draft.conditions.first {
            throw Refusal(
                .cannotCombine, "a condition chooses rows, and there is one row only",
                words: [condition.value.text], suggestions: ["say by what: by region"])
        }
        if let words = draft.secondPeriod, !made.frame.thresholds.isEmpty {
            throw Refusal(
                .cannotCombine, "a condition chooses rows of one period", words: [words],
                suggestions: ["say: compared with \(words)", "or ask one after the other"])
        }
        var results: [Made] = []
        for (period, comparison, notes) in try times(draft, base) {
            var result = made
            result.frame.period = period
            result.frame.comparison = comparison
            if draft.hasTrend { try trend(&result) }
            ranking(draft, &result.frame)
            for var one in widened(result, draft, base) {
                one.notes += notes + warnings(one.frame)
                if !results.contains(one) { results.append(one) }
            }
        }
        return results
    }

    /// The frame to go on from; nil for a question that stands alone.
    private func base(_ draft: Draft) throws(Refusal) -> Frame? {
        if let previous, draft.isFollowUp || draft.metrics.isEmpty { return previous }
        if draft.metrics.isEmpty, draft.isFollowUp {
            throw Refusal(
                .noContext, "the question goes on from one that was not asked",
                suggestions: [
                    "ask for a metric: "
                        + model.metrics.prefix(3).map(\.label).joined(
                            separator: ", ")
                ])
        }
        return nil
    }

    private func noMetric() -> Refusal {
        Refusal(
            .noMetric, "no metric is named",
            suggestions: model.metrics.prefix(8).map(\.label))
    }

    private func merge(_ draft: Draft, into frame: inout Frame, isFresh: Bool) {
        if !draft.metrics.isEmpty {
            if draft.adds {
                frame.metrics += draft.metrics.filter { !frame.metrics.contains($0) }
            } else if isFresh || draft.conditions.allSatisfy({ $0.metric == nil })
                || draft.metrics.contains(where: { metric in
                    !draft.conditions.contains { $0.metric == metric }
                })
            {
                frame.metrics = draft.metrics
            } else {
                frame.metrics += draft.metrics.filter { !frame.metrics.contains($0) }
            }
            let metrics = frame.metrics
            frame.thresholds.removeAll { !metrics.contains($0.metric) }
            if let ranking = frame.ranking, !metrics.contains(ranking.metric) {
                frame.ranking?.metric = metrics[0]
            }
        }
        if !draft.breakdowns.isEmpty {
            if draft.adds {
                frame.breakdowns += draft.breakdowns.filter { !frame.breakdowns.contains($0) }
            } else {
                frame.breakdowns = draft.breakdowns
            }
        }
        frame.filters.removeAll { draft.all.contains($0.dimension) && !isFresh }
        for filter in draft.partFilters {
            if !isFresh, joined(filter, draft, &frame) { continue }
            frame.partFilters.removeAll {
                $0.part == filter.part && !isFresh && !draft.partFilters.contains($0)
            }
            if !frame.partFilters.contains(filter) { frame.partFilters.append(filter) }
        }
        if draft.isOverall, draft.breakdowns.isEmpty, !isFresh {
            frame.breakdowns = []
            frame.thresholds = []
            frame.ranking = nil
            frame.hasShare = false
        }
        if let unit = draft.averageUnit { frame.average = unit }
        if draft.hasShare { frame.hasShare = true }
        let breakdowns = frame.breakdowns
        frame.ranking?.within.removeAll { !breakdowns.contains($0) }
        if frame.ranking?.within.count == breakdowns.count { frame.ranking?.within = [] }
        for filter in draft.filters {
            if !isFresh, joined(filter, draft, &frame) { continue }
            frame.filters.removeAll {
                $0.dimension == filter.dimension && !isFresh
                    && !draft.filters.contains($0)
            }
            if !frame.filters.contains(filter) { frame.filters.append(filter) }
        }
    }

    // MARK: Conditions

    private func conditions(_ draft: Draft, _ made: inout Made) throws(Refusal) {
        for condition in draft.conditions {
            guard let name = condition.metric ?? onlyMetric(made.frame),
                let metric = model.metric(name)
            else {
                throw Refusal(
                    .cannotCombine, "it is not clear which metric the condition is about",
                    words: [condition.value.text],
                    suggestions: made.frame.metrics.map {
                        "say: \(model.metric($0)?.label ?? $0) above \(condition.value.text)"
                    })
            }
            if !made.frame.metrics.contains(name) { made.frame.metrics.append(name) }
            let threshold = Threshold(
                metric: name, relation: condition.relation,
                value: try value(condition.value, metric, &made.notes),
                upper: try condition.upper.map2 { (amount) throws(Refusal) in
                    try value(amount, metric, &made.notes)
                })
            made.frame.thresholds.removeAll {
                $0.metric == name && !draft.conditions.contains { other in other.metric == name }
            }
            if !made.frame.thresholds.contains(threshold) {
                if !draft.metrics.contains(name) || previous != nil {
                    // A condition said anew replaces the one before.
                    let others = draft.conditions.filter { $0.metric == name }.count
                    if others <= 1 { made.frame.thresholds.removeAll { $0.metric == name } }
                }
                made.frame.thresholds.append(threshold)
            }
        }
    }

    private func onlyMetric(_ frame: Frame) -> String? {
        frame.metrics.count == 1 ? frame.metrics[0] : nil
    }

    /// The number in the metric's own measure.
    private func value(
        _ amount: Draft.Amount, _ metric: Metric, _ notes: inout [String]
    ) throws(Refusal) -> ExactNumber {
        if let currency = amount.currency, metric.unit != currency {
            throw Refusal(
                .cannotCombine,
                metric.unit.isEmpty
                    ? "\(metric.label) has no currency" : "\(metric.label) is in \(metric.unit)",
                words: [amount.text])
        }
        guard metric.format == .percent else {
            guard !amount.isPercent else {
                throw Refusal(
                    .cannotCombine, "\(metric.label) is no percentage", words: [amount.text])
            }
            return amount.value
        }
        if !amount.isPercent {
            guard amount.value > ExactNumber(1) else {
                throw Refusal(
                    .cannotCombine, "is \(amount.text) a share or a percentage?",
                    words: [amount.text],
                    suggestions: [
                        "\(amount.value.text) %",
                        "\(amount.value.shifted(by: 2)?.text ?? amount.value.text) %",
                    ])
            }
            notes.append("\(amount.text) was read as \(amount.text) %")
        }
        guard let share = amount.value.shifted(by: -2) else {
            throw Refusal(
                .cannotCombine, "the number has too many digits", words: [amount.text])
        }
        return share
    }

    // MARK: Ranking

    private func ranking(_ draft: Draft, _ frame: inout Frame) {
        guard draft.isRanking || draft.count != nil else { return }
        let metric = draft.orderMetric ?? frame.ranking?.metric ?? frame.metrics[0]
        // The top 3, and then: lowest. Three rows still.
        let before = frame.ranking
        frame.ranking = Ranking(
            metric: metric, isDescending: draft.isDescending ?? before?.isDescending ?? true,
            count: draft.count ?? before?.count,
            within: draft.count == nil ? before?.within ?? [] : draft.within)
        if let index = frame.metrics.firstIndex(of: metric), index > 0, draft.orderMetric != nil,
            draft.metrics.first != frame.metrics[0]
        {
            frame.metrics.swapAt(0, index)
        }
    }

    /// A row for each day, week or month, as fits the period.
    private func trend(_ made: inout Made) throws(Refusal) {
        var unit = DateUnit.week
        if let start = made.frame.period?.start, let end = made.frame.period?.end {
            switch (end - start) / Microseconds.perDay {
            case ...2: unit = .hour
            case ...45: unit = .day
            case ...400: unit = .week
            default: unit = .month
            }
        }
        let hasSeries = made.frame.breakdowns.contains {
            if case .series = $0 { true } else { false }
        }
        guard !hasSeries else { return }
        made.frame.breakdowns.insert(.series(unit), at: 0)
        made.notes.append("over time: by \(unit.rawValue)")
    }

    // MARK: Time

    private typealias Times = (period: Period?, comparison: Period?, notes: [String])

    private func times(_ draft: Draft, _ base: Frame?) throws(Refusal) -> [Times] {
        var periods = draft.periods
        var compared = draft.comparedPeriods
        if periods.isEmpty, compared.count == 2 {
            periods = [compared.removeFirst()]
        }
        guard periods.count <= 1, compared.count <= 1,
            draft.neighbours.count + compared.count + (draft.wantsYearEarlier ? 1 : 0)
                + (draft.overUnit == nil ? 0 : 1) <= 1
        else {
            throw Refusal(
                .cannotCombine, "the question has more than one period",
                words: periods.map(\.label),
                suggestions: ["say: compared with", "or ask one after the other"])
        }
        if draft.isSoFar {
            let end = periods.first.map { $0.end ?? .max } ?? .max
            guard end > now else {
                throw Refusal(
                    .cannotCombine, "that period is over", words: ["so far"],
                    suggestions: ["leave out: so far"])
            }
        }
        let hasOther =
            !compared.isEmpty || !draft.neighbours.isEmpty || draft.wantsYearEarlier
        if draft.hasCompare, !hasOther, draft.overUnit == nil {
            throw Refusal(.cannotCombine, "it is not clear what to compare with")
        }
        if draft.isAllTime || draft.isSoFar && periods.isEmpty {
            guard periods.isEmpty, !hasOther else {
                throw Refusal(.cannotCombine, "all time and a period contradict each other")
            }
            return [(nil, nil, [])]
        }
        if let unit = draft.overUnit {
            let last = try lastFull(unit)
            let main = periods.first ?? base?.period ?? last
            return try steps(main, unit, -1, isWhole: false).map { (main, $0, []) }
        }
        let main = periods.first
        if let other = compared.first {
            if let main = main ?? base?.period {
                guard main != other else {
                    throw Refusal(
                        .cannotCombine, "both periods are the same: \(main.label)",
                        suggestions: ["say: compared with the period before"])
                }
                return [(main, other, [])]
            }
            guard other.count == 1, let current = Period.unit(other.unit, holding: now),
                let end = Period.unit(.day, holding: now)?.end
            else { throw needsPeriod() }
            let toDate = Period(
                start: current.start, end: min(current.end ?? end, end),
                unit: other.unit)
            return [
                (toDate, other, ["no period was said: this \(other.unit.rawValue), with today"])
            ]
        }
        if draft.wantsYearEarlier {
            guard let reference = main ?? base?.period else { throw needsPeriod() }
            guard let earlier = yearEarlier(reference) else {
                throw Refusal(.cannotCombine, "there is no such stretch a year earlier")
            }
            return main != nil || draft.hasCompare
                ? [(reference, earlier, [])] : [(earlier, nil, [])]
        }
        if let neighbour = draft.neighbours.first {
            return try neighbours(neighbour, main, draft.hasCompare, base)
        }
        if draft.growth != nil {
            guard let reference = main ?? base?.period, let before = reference.shifted(by: -1)
            else {
                throw needsPeriod()
            }
            return [(reference, before, [])]
        }
        if let main { return [(main, nil, [])] }
        return [(base?.period, base?.comparison, [])]
    }

    private func neighbours(
        _ neighbour: (unit: DateUnit?, steps: Int, text: String), _ main: Period?,
        _ hasCompare: Bool, _ base: Frame?
    ) throws(Refusal) -> [Times] {
        if let reference = main ?? base?.period {
            let text = neighbour.text.lowercased()
            let found = try steps(
                reference, neighbour.unit, neighbour.steps,
                isWhole: !text.hasSuffix("earlier") && !text.hasSuffix("later"))
            return found.map {
                main != nil || hasCompare ? (reference, $0, []) : ($0, nil, [])
            }
        }
        let first = neighbour.text.lowercased().split(separator: " ").first { $0 != "the" }
        guard let unit = neighbour.unit, neighbour.steps < 0,
            ["previous", "prior"].contains(first ?? "")
        else { throw needsPeriod() }
        let last = try lastFull(unit)
        guard hasCompare else { return [(last, nil, [])] }
        return try steps(last, unit, -1, isWhole: false).map { (last, $0, []) }
    }

    private func needsPeriod() -> Refusal {
        Refusal(
            .noContext, "it is not clear which period is meant",
            suggestions: ["say: last week", "say: between 2025-01-01 and 2025-01-31"])
    }

    private func lastFull(_ unit: DateUnit) throws(Refusal) -> Period {
        guard let period = Period.unit(unit, holding: now)?.shifted(by: -1) else {
            throw needsPeriod()
        }
        return period
    }

    /// The neighbours of a period. A unit that is not its own is ambiguous: the same stretch a unit
    /// earlier, or the whole unit before (`isWhole`).
    private func steps(
        _ period: Period, _ unit: DateUnit?, _ steps: Int, isWhole: Bool
    ) throws(Refusal) -> [Period] {
        guard let edge = steps < 0 ? period.start : period.end else { throw needsPeriod() }
        guard let unit, unit != period.unit || period.count != 1 else {
            guard let found = period.shifted(by: steps) else { throw needsPeriod() }
            return [found]
        }
        var found: [Period] = []
        if unit == .year, steps < 0, let earlier = yearEarlier(period) {
            found.append(earlier)
        } else if let shifted = period.shifted(by: steps, unit: unit) {
            found.append(shifted)
            // The week before the last seven days.
            if steps < 0 ? shifted.end == period.start : shifted.start == period.end {
                return found
            }
        }
        let inside = steps < 0 ? edge : edge - 1
        if isWhole, let whole = Period.unit(unit, holding: inside)?.shifted(by: steps),
            !found.contains(where: { $0.start == whole.start && $0.end == whole.end })
        {
            found.append(whole)
        }
        guard !found.isEmpty else { throw needsPeriod() }
        return found
    }

    /// The same stretch a year earlier; an ISO week keeps its number.
    private func yearEarlier(_ period: Period) -> Period? {
        guard period.unit == .week, period.count == 1, let start = period.start,
            let end = period.end, Period.unit(.week, holding: start)?.start == start,
            end - start <= 7 * Microseconds.perDay
        else { return period.shifted(by: -1, unit: .year) }
        let iso = Calendar.isoWeek(Microseconds.day(of: start))
        guard let monday = TimePhrases.monday(ofWeek: iso.week, year: iso.year - 1) else {
            return nil
        }
        let days = Int32((end - start) / Microseconds.perDay)
        return Period(fromDay: monday, toDay: monday + days, unit: .week)
    }
}

extension Optional {
    /// `map` for a typed error.
    fileprivate func map2<Result, Failure: Error>(
        _ body: (Wrapped) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        switch self {
        case .none: nil
        case .some(let value): try body(value)
        }
    }
}
