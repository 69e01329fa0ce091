import CivilTime

/// What a question takes over from the one before, where that is not what everybody means, and what its
/// asker may not have thought of.
extension Assembly {
    /// Overall, by region: with the filters and the period of before, and without them.
    func widened(_ made: Made, _ draft: Draft, _ base: Frame?) -> [Made] {
        guard let base else { return [made] }
        var found = [made]
        if draft.isOverall, draft.breakdowns.isEmpty {
            let filters = base.filters.filter(made.frame.filters.contains)
                .filter { !draft.filters.contains($0) }
            let parts = base.partFilters.filter(made.frame.partFilters.contains)
                .filter { !draft.partFilters.contains($0) }
            var open = made
            if !filters.isEmpty || !parts.isEmpty {
                open.frame.filters.removeAll(where: filters.contains)
                open.frame.partFilters.removeAll(where: parts.contains)
                found.append(open)
            }
            let saysTime =
                !draft.periods.isEmpty || !draft.comparedPeriods.isEmpty
                || !draft.neighbours.isEmpty || draft.wantsYearEarlier || draft.overUnit != nil
                || draft.isAllTime || draft.isSoFar
            if let period = base.period, made.frame.period == period, !saysTime {
                if base.breakdowns.isEmpty {
                    open.frame.period = nil
                    open.frame.comparison = nil
                    found.append(open)
                } else {
                    for index in found.indices {
                        found[index].notes.append(
                            "the period is the one of before: \(period.label)")
                    }
                }
            }
            return found
        }
        for case .dimension(let name) in draft.breakdowns where !draft.all.contains(name) {
            // One value: by region would be a single row.
            guard !draft.filters.contains(where: { $0.dimension == name }),
                let filter = made.frame.filters.first(where: { $0.dimension == name }),
                !filter.isNegated, filter.values.count == 1
            else { continue }
            var open = made
            open.frame.filters.removeAll { $0 == filter }
            found.append(open)
        }
        // In Riga, and then: all regions? Those of Riga, or all there are.
        let kept = made.frame.filters.filter {
            base.filters.contains($0) && !draft.filters.contains($0)
        }
        if !draft.all.isEmpty, !kept.isEmpty {
            var open = made
            open.frame.filters.removeAll(where: kept.contains)
            found.append(open)
        }
        return found
    }

    /// Without Coastal, and without Danube: both are left out.
    func joined(_ filter: ValueFilter, _ draft: Draft, _ frame: inout Frame) -> Bool {
        guard draft.joins, filter.isNegated, !draft.all.contains(filter.dimension),
            let index = frame.filters.firstIndex(where: {
                $0.dimension == filter.dimension && $0.isNegated
            })
        else { return false }
        for value in filter.values where !frame.filters[index].values.contains(value) {
            frame.filters[index].values.append(value)
        }
        return true
    }

    /// Without Sundays, and without Saturdays.
    func joined(_ filter: PartFilter, _ draft: Draft, _ frame: inout Frame) -> Bool {
        guard draft.joins, filter.isNegated,
            let index = frame.partFilters.firstIndex(where: {
                $0.part == filter.part && $0.isNegated
            })
        else { return false }
        for value in filter.values where !frame.partFilters[index].values.contains(value) {
            frame.partFilters[index].values.append(value)
        }
        return true
    }

    /// What takes the place of something of before, where it could also be added to it.
    func replacements(_ draft: Draft, _ base: Frame) -> [String] {
        var notes: [String] = []
        for filter in draft.filters where filter.isNegated {
            guard let old = base.filters.first(where: { $0.dimension == filter.dimension }),
                old != filter, !(draft.joins && old.isNegated)
            else { continue }
            let label = model.dimension(old.dimension)?.label ?? old.dimension
            notes.append(
                "no longer: \(label) is \(old.isNegated ? "not " : "")"
                    + old.values.joined(separator: " or "))
        }
        for filter in draft.partFilters where filter.isNegated && !draft.joins {
            guard base.partFilters.contains(where: { $0.part == filter.part && $0 != filter })
            else { continue }
            notes.append("the times that were chosen or left out before no longer are")
        }
        if draft.joins, !draft.adds, !draft.metrics.isEmpty, !base.metrics.isEmpty,
            draft.conditions.isEmpty, !draft.isRanking,
            base.metrics.allSatisfy({ !draft.metrics.contains($0) })
        {
            func labels(_ names: [String]) -> String {
                names.map { model.metric($0)?.label ?? $0 }.joined(separator: " and ")
            }
            let new = labels(draft.metrics)
            notes.append("\(new) in place of \(labels(base.metrics)); for both say: also \(new)")
        }
        return notes
    }

    /// What the question before said and this one does not take over, where its asker may think it did.
    func forgotten(_ draft: Draft, _ base: Frame?, _ frame: Frame) -> [String] {
        guard let base else {
            guard let previous, draft.periods.isEmpty, draft.breakdowns.isEmpty,
                !draft.filters.isEmpty || !draft.partFilters.isEmpty,
                previous.period != nil || !previous.filters.isEmpty
            else { return [] }
            return ["read as a new question: nothing of the one before was kept"]
        }
        if draft.isOverall { return [] }
        return base.thresholds.filter { old in
            !frame.thresholds.contains { $0.metric == old.metric }
        }.map { "no longer: only rows with \(ReadingText(model: model).label($0))" }
    }

    /// In December: the one that was, which is another year's.
    func yearNotes(_ draft: Draft) -> [String] {
        let year = CivilDate(days: Microseconds.day(of: now)).year
        return draft.impliedYears.compactMap { period in
            guard let edge = period.start ?? period.end.map({ $0 - 1 }),
                CivilDate(days: Microseconds.day(of: edge)).year != year
            else { return nil }
            return "no year was said: \(period.label)"
        }
    }

    /// What an asker may not have thought of: a period that is not over, a comparison of unequal ones, rows
    /// by week or a mean over weeks that the period cuts.
    func warnings(_ frame: Frame) -> [String] {
        let (period, comparison) = (frame.period, frame.comparison)
        var warnings: [String] = []
        let today = Microseconds.timestamp(day: Microseconds.day(of: now)) ?? .min
        let tomorrow = Microseconds.timestamp(day: Microseconds.day(of: now) &+ 1) ?? .max
        for one in [period, comparison].compactMap({ $0 }) {
            if let start = one.start, start >= tomorrow {
                warnings.append("the period lies in the future: \(one.label)")
            } else if let end = one.end, end > tomorrow {
                warnings.append("the period is not over: \(one.label)")
            } else if one.end == tomorrow, one.start == today || comparison != nil {
                warnings.append(
                    "today is not over: it is \(CivilFormat.timestamp(now, precision: 0))")
            }
        }
        func days(_ period: Period?) -> Int64? {
            guard let start = period?.start, let end = period?.end else { return nil }
            return (end - start) / Microseconds.perDay
        }
        if let first = days(period), let second = days(comparison), max(first, second) > 0,
            abs(first - second) * 10 > max(first, second)
        {
            warnings.append("the periods differ in length: \(first) and \(second) days")
        }
        var units = frame.average.map { [$0] } ?? []
        for case .series(let unit) in frame.breakdowns where !units.contains(unit) {
            units.append(unit)
        }
        for unit in units {
            for one in period.map({ [$0, comparison].compactMap { $0 } }) ?? [nil] {
                for cut in cuts(unit, one) where !warnings.contains(cut) { warnings.append(cut) }
            }
        }
        return warnings
    }

    /// Rows by week, or a mean over weeks, where the period begins or ends inside of one, or one is not over.
    private func cuts(_ unit: DateUnit, _ period: Period?) -> [String] {
        var found: [String] = []
        if let start = period?.start, let whole = Period.unit(unit, holding: start)?.start,
            whole < start
        {
            found.append(
                "the period cuts its first \(unit.rawValue), which began on \(Period.text(whole)): "
                    + "it counts from \(Period.text(start)) on")
        }
        let end = period?.end ?? .max
        if (period?.start ?? .min) <= now, end > now {
            let name = unit == .day ? "today" : "this \(unit.rawValue)"
            found.append(
                "\(name) is not over: it is \(CivilFormat.timestamp(now, precision: 0))")
        } else if end <= now, let whole = Period.unit(unit, holding: end - 1)?.end, whole > end {
            found.append(
                "the period cuts its last \(unit.rawValue), which went on until \(Period.text(whole)): "
                    + "it counts before \(Period.text(end))")
        }
        return found
    }
}
