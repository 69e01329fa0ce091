import CivilTime

/// Periods, comparisons, means, shares and growth.
extension Interpreter {
    mutating func add(_ period: Period, _ here: Int) throws(Refusal) {
        if items[here].isYearImplied { draft.impliedYears.append(period) }
        guard draft.hasCompare else { return draft.periods.append(period) }
        // The previous 3 months: those before the other 3.
        let words = items[here].text.lowercased().split(separator: " ").filter { $0 != "the" }
        if let first = words.first, ["previous", "prior", "preceding"].contains(first),
            let main = draft.periods.last
        {
            guard main.unit == period.unit, main.count == period.count else {
                throw cannot("it is not clear which period is meant", here)
            }
            draft.neighbours.append((nil, -1, items[here].text))
            return
        }
        draft.comparedPeriods.append(period)
    }

    /// This year vs last: the same stretch, one step before.
    mutating func last(_ here: Int) throws(Refusal) {
        guard let before = significant(before: here), kinds[before] == .compare,
            significant(from: here + 1) == nil
        else { throw unexplained(here) }
        draft.neighbours.append((nil, -1, items[here].text))
    }

    mutating func compare(_ here: Int) {
        if let before = significant(before: here), let after = significant(from: here + 1),
            case .value(let dimension, _) = kinds[before], isValue(after, of: dimension)
        {
            return draft.add(breakdown: .dimension(dimension))
        }
        // Compare Berlin and Hamburg.
        if let next = significant(from: here + 1), case .value(let dimension, _) = kinds[next],
            significant(before: here) == nil
        {
            return draft.add(breakdown: .dimension(dimension))
        }
        draft.hasCompare = true
    }

    // MARK: Words about numbers

    /// A metric. Two of them side by side are no list: orders with returns.
    mutating func metric(_ name: String, _ here: Int) throws(Refusal) {
        let before = kinds[..<here].indices.last { index in
            switch kinds[index] {
            case .stop, .sum, .howMany, .value, .parts, .period: false
            default: true
            }
        }
        try checkWhole(name, here)
        if let before, case .metric(let other) = kinds[before] {
            guard other != name else {
                throw cannot(
                    "\(items[here].text) is said twice", here, ["leave out one of both"])
            }
            let labels = [other, name].map { model.metric($0)?.label ?? $0 }
            throw cannot(
                "\(items[before].text) and \(items[here].text) stand side by side", here,
                ["say: \(labels[0]) and \(labels[1])", "or one of them"])
        }
        draft.add(metric: name)
    }

    /// Share of amount by region.
    mutating func share(_ here: Int) throws(Refusal) {
        let text = items[here].text.lowercased()
        if text.hasSuffix(" of") {
            guard let next = significant(from: here + 1) else { throw unexplained(here) }
            switch kinds[next] {
            case .metric, .sum: break
            case .value:
                throw cannot(
                    "shares are shown of all parts, not of \(items[next].text)", here,
                    ["say by what, and leave out: \(items[next].text)"])
            default: throw unexplained(here)
            }
        }
        draft.hasShare = true
    }

    // MARK: The whole question

    /// What can only be said once everything is read.
    mutating func finish() throws(Refusal) {
        try checkPairs()
        noteNumbers()
        try finishAverage()
        finishCompare()
        if draft.hasShare, let filter = draft.filters.first {
            throw Refusal(
                .cannotCombine, "a share of what? with a filter that is not clear",
                words: filter.values, suggestions: ["leave out: \(filter.values[0])"])
        }
        if let growth = draft.growth {
            let isRange = kinds.indices.contains { index in
                guard case .period = kinds[index] else { return false }
                let text = items[index].text.lowercased()
                return text.hasPrefix("between ") || text.hasPrefix("from ")
            }
            guard !isRange else {
                throw Refusal(
                    .cannotCombine, "growth is from one period to the next", words: [growth],
                    suggestions: ["say: October compared with September"])
            }
            guard draft.conditions.isEmpty, !draft.isRanking, draft.count == nil else {
                throw Refusal(
                    .cannotCombine, "rows are not chosen or ordered by growth", words: [growth],
                    suggestions: ["leave out the order or the condition"])
            }
        }
        if let words = draft.narrowing, draft.breakdowns.count > 1, !draft.conditions.isEmpty {
            throw Refusal(
                .cannotCombine, "a condition on \(words) cannot choose what is counted elsewhere",
                words: [words], suggestions: ["ask for \(words) first, then name them"])
        }
        let each = draft.each.filter(draft.breakdowns.contains)
        if draft.count != nil, draft.breakdowns.count > 1 {
            if each.count < draft.breakdowns.count, !each.isEmpty {
                draft.within = each
            } else {
                draft.notes.append("all rows are ranked together; say \"in each\" for groups")
            }
        }
    }

    /// Compare the amount in Berlin and Hamburg: rows by city.
    private mutating func finishCompare() {
        guard draft.hasCompare, draft.periods.count <= 1, draft.comparedPeriods.isEmpty,
            draft.neighbours.isEmpty, !draft.wantsYearEarlier, draft.overUnit == nil
        else { return }
        let several = draft.filters.filter { $0.values.count > 1 && !$0.isNegated }
        guard several.count == 1 else { return }
        draft.hasCompare = false
        draft.add(breakdown: .dimension(several[0].dimension))
    }

    /// The unit that a mean is over: the finest one that was said with per, each or daily.
    private mutating func finishAverage() throws(Refusal) {
        guard let words = draft.average else { return }
        let units = draft.each.compactMap { if case .series(let unit) = $0 { unit } else { nil } }
        let order = DateUnit.allCases
        guard
            let unit = units.min(by: {
                (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0)
            })
        else {
            let label = draft.metrics.first.flatMap(model.metric)?.label ?? "it"
            throw Refusal(
                .unexplained, "an average over what: days, weeks, months?", words: [words],
                suggestions: [
                    "say: average \(label) per day", "or name a metric that is an average",
                ])
        }
        draft.breakdowns.removeAll { $0 == .series(unit) }
        draft.each.removeAll { $0 == .series(unit) }
        draft.averageUnit = unit
    }

    // MARK: Sums and counts

    func sum(_ here: Int) throws(Refusal) {
        guard let next = significant(from: here + 1), case .metric(let name) = kinds[next],
            let metric = model.metric(name)
        else { throw unexplained(here) }
        let words = items[here].text.lowercased()
        let isNumber =
            (words.contains("number") || words.contains("count")) && metric.kind == .other
        guard metric.kind == .additive || isNumber && metric.counts(in: model) else {
            throw cannot("\(metric.label) has no sum", here, ["leave out: \(items[here].text)"])
        }
    }

    func howMany(_ here: Int) throws(Refusal) {
        guard let next = significant(from: here + 1) else { throw unexplained(here) }
        switch kinds[next] {
        case .metric(let name) where model.metric(name)?.kind != .ratio: return
        case .dimension(let name):
            let label = model.dimension(name)?.label ?? name
            throw cannot(
                "counting \(items[next].text) is not a metric", next,
                ["ask which \(label), or declare a metric that counts them"])
        default: throw unexplained(here)
        }
    }
}
