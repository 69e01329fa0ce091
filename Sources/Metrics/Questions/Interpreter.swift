import CivilTime

/// Reads items from left to right into a draft. Each item must find its use; one that does not is
/// named in the refusal.
struct Interpreter {
    let model: MetricModel
    let items: [Item]
    /// The meaning chosen for each item.
    let kinds: [Item.Kind]
    private var at = 0
    private var draft = Draft()
    /// Items that were used by an earlier one.
    private var used: Set<Int> = []

    init(model: MetricModel, items: [Item], kinds: [Item.Kind]) {
        self.model = model
        self.items = items
        self.kinds = kinds
    }

    /// The draft; throws when an item has no use.
    mutating func read() throws(Refusal) -> Draft {
        if let first = significant(from: 0) {
            switch kinds[first] {
            case .and, .followUp:
                draft.isFollowUp = true
                draft.adds = items[first].text.lowercased() == "also"
            default: break
            }
        }
        while at < kinds.count {
            let here = at
            at += 1
            if !used.contains(here) { try read(here) }
        }
        if draft.wantsOne, draft.isRanking, draft.count == nil {
            draft.count = 1
        }
        return draft
    }

    private mutating func read(_ here: Int) throws(Refusal) {
        switch kinds[here] {
        case .metric(let name): draft.add(metric: name)
        case .dimension(let name): try dimension(name, here)
        case .value(let dimension, let value):
            draft.add(value: value, of: dimension, isNegated: false)
        case .period(let period): add(period)
        case .number(let value, let isPercent, let currency):
            try number(
                Draft.Amount(
                    value: value, isPercent: isPercent, currency: currency, text: items[here].text),
                here)
        case .neighbour(let unit, let steps):
            draft.neighbours.append((unit, steps, items[here].text))
        case .yearEarlier: draft.wantsYearEarlier = true
        case .allTime: draft.isAllTime = true
        case .unit(let unit):
            guard isAfterWhich(here) || isAfterTop(here) else { throw unexplained(here) }
            draft.add(breakdown: unit == .hour ? .part(.hourOfDay) : .series(unit))
        case .part(let part):
            guard isAfterWhich(here) || isAfterTop(here) else { throw unexplained(here) }
            draft.add(breakdown: .part(part))
        case .series(let unit): draft.add(breakdown: .series(unit))
        case .trend: draft.hasTrend = true
        case .by, .per, .orderBy: try list(here)
        case .relation(let relation): try condition(relation, here)
        case .between: try between(here)
        case .top(let isDescending): top(isDescending, here)
        case .superlative(let isDescending): superlative(isDescending, here)
        case .direction(let isDescending): draft.isDescending = isDescending
        case .compare: compare(here)
        case .unitOverUnit(let unit): draft.overUnit = unit
        case .not: try negation(here)
        case .or: try alternative(here)
        case .sum: try sum(here)
        case .howMany: try howMany(here)
        case .followUp, .stop, .and, .comma: break
        case .quoted, .orMore, .orLess: throw unexplained(here)
        }
    }

    // MARK: Looking around

    private func significant(from start: Int) -> Int? {
        kinds.indices.first { $0 >= start && kinds[$0] != .stop }
    }
    private func significant(before end: Int) -> Int? {
        kinds.indices.last { $0 < end && kinds[$0] != .stop }
    }
    private func isAfterWhich(_ here: Int) -> Bool {
        guard here > 0, kinds[here - 1] == .stop else { return false }
        let word = items[here - 1].text.lowercased()
        return word == "which" || word == "what"
            || (word == "the" && isAfterWhich(here - 1))
    }
    private func isAfterTop(_ here: Int) -> Bool {
        guard let before = significant(before: here) else { return false }
        switch kinds[before] {
        case .top, .superlative: return true
        case .number:
            guard let first = significant(before: before) else { return false }
            if case .top = kinds[first] { return true }
            return false
        default: return false
        }
    }
    private func unexplained(_ here: Int) -> Refusal {
        Refusal(
            .unexplained, "I do not know what this means here: \(items[here].text)",
            words: [items[here].text])
    }
    private func cannot(_ message: String, _ here: Int, _ suggestions: [String] = []) -> Refusal {
        Refusal(.cannotCombine, message, words: [items[here].text], suggestions: suggestions)
    }

    // MARK: Dimensions

    private mutating func dimension(_ name: String, _ here: Int) throws(Refusal) {
        let found = model.dimension(name)
        if let next = significant(from: here + 1) {
            switch kinds[next] {
            case .value(dimension: name, _): return
            case .not where isValue(significant(from: next + 1), of: name): return
            case .quoted(let text) where found?.kind != .number:
                used.insert(next)
                return draft.add(value: text, of: name, isNegated: false)
            case .number(let value, isPercent: false, currency: nil)
            where found?.kind == .number && next == here + 1:
                used.insert(next)
                return draft.add(value: value.text, of: name, isNegated: false)
            case .relation
            where found?.kind == .number && !hasMetric(before: here) && !isMetric(next + 2):
                throw cannot("conditions are on metrics, not on \(found?.label ?? name)", next)
            default: break
            }
        }
        if here > 0, case .value(dimension: name, _) = kinds[here - 1] { return }
        if here > 1, kinds[here - 1] == .stop, items[here - 1].text.lowercased() == "all",
            kinds[here - 2] == .by, items[here - 2].text.lowercased() == "across"
        {
            throw cannot(
                "it is not clear whether rows by \(found?.label ?? name) are wanted", here,
                ["say: by \(found?.label ?? name), or leave it out"])
        }
        if !items[here].isPlural, !isInList(here) { draft.wantsOne = true }
        draft.add(breakdown: .dimension(name))
    }

    private func isInList(_ here: Int) -> Bool {
        guard let before = significant(before: here) else { return false }
        switch kinds[before] {
        case .by, .per, .and, .comma: return true
        default: return false
        }
    }

    private func isValue(_ index: Int?, of dimension: String) -> Bool {
        guard let index, case .value(let name, _) = kinds[index] else { return false }
        return name == dimension
    }

    private func isMetric(_ index: Int) -> Bool {
        guard kinds.indices.contains(index), case .metric = kinds[index] else { return false }
        return true
    }

    private func hasMetric(before here: Int) -> Bool {
        kinds[..<here].contains { if case .metric = $0 { true } else { false } }
    }

    /// By region and month; by amount; per customer.
    private mutating func list(_ here: Int) throws(Refusal) {
        var next = significant(from: here + 1)
        var count = 0
        while let index = next {
            switch kinds[index] {
            case .dimension(let name) where kinds[here] != .orderBy:
                if case .stop = kinds[index - 1], items[index - 1].text.lowercased() == "all" {
                    try dimension(name, index)
                }
                draft.add(breakdown: .dimension(name))
            case .unit(let unit) where kinds[here] != .orderBy:
                draft.add(
                    breakdown: unit == .hour && kinds[here] == .by
                        ? .part(.hourOfDay) : .series(unit))
            case .part(let part) where kinds[here] != .orderBy: draft.add(breakdown: .part(part))
            case .metric(let name) where count == 0:
                guard kinds[here] != .per else {
                    throw cannot(
                        "there is no metric of something per \(items[index].text)", index)
                }
                draft.orderMetric = name
                draft.add(metric: name)
                used.insert(index)
                return
            default:
                guard count > 0 else { throw unexplained(here) }
                return
            }
            used.insert(index)
            count += 1
            at = max(at, index + 1)
            // The list goes on where a comma or and is followed by one more of its kind.
            guard let joint = significant(from: index + 1), joint == index + 1,
                kinds[joint] == .and || kinds[joint] == .comma,
                let following = significant(from: joint + 1), isListed(following)
            else { return }
            used.insert(joint)
            next = following
        }
        guard count > 0 else { throw unexplained(here) }
    }

    private func isListed(_ index: Int) -> Bool {
        switch kinds[index] {
        case .dimension, .unit, .part: true
        default: false
        }
    }

    // MARK: Values

    private mutating func negation(_ here: Int) throws(Refusal) {
        var next = significant(from: here + 1)
        if let index = next, case .dimension(let name) = kinds[index],
            isValue(significant(from: index + 1), of: name)
        {
            used.insert(index)
            next = significant(from: index + 1)
        }
        var count = 0
        while let index = next, case .value(let dimension, let value) = kinds[index] {
            draft.add(value: value, of: dimension, isNegated: true)
            used.insert(index)
            count += 1
            guard let joint = significant(from: index + 1),
                [.and, .or, .comma].contains(kinds[joint]),
                isValue(significant(from: joint + 1), of: dimension)
            else { break }
            used.insert(joint)
            next = significant(from: joint + 1)
        }
        guard count > 0 else { throw unexplained(here) }
    }

    /// Berlin or Hamburg: values of one dimension.
    private func alternative(_ here: Int) throws(Refusal) {
        guard let before = significant(before: here), let after = significant(from: here + 1),
            case .value(let dimension, _) = kinds[before], isValue(after, of: dimension)
        else {
            throw cannot("\"or\" stands between values of one dimension only", here)
        }
    }

    // MARK: Numbers and conditions

    private func amount(_ index: Int?) -> Draft.Amount? {
        guard let index, case .number(let value, let isPercent, let currency) = kinds[index] else {
            return nil
        }
        return Draft.Amount(
            value: value, isPercent: isPercent, currency: currency, text: items[index].text)
    }

    private mutating func condition(
        _ relation: Threshold.Relation, _ here: Int
    ) throws(Refusal) {
        guard let next = significant(from: here + 1) else { throw unexplained(here) }
        if case .period = kinds[next], ["over", "beyond"].contains(items[here].text.lowercased()) {
            return
        }
        // Exceeded a fraud rate of 5 %.
        if case .metric(let name) = kinds[next], let number = significant(from: next + 1),
            let value = amount(number)
        {
            used.formUnion([next, number])
            draft.add(metric: name)
            draft.conditions.append(
                Draft.Condition(metric: name, relation: relation, value: value))
            return
        }
        guard let value = amount(next) else { throw unexplained(here) }
        used.insert(next)
        draft.conditions.append(
            Draft.Condition(
                metric: target(before: here, after: next, value), relation: relation, value: value))
    }

    private mutating func between(_ here: Int) throws(Refusal) {
        guard let first = significant(from: here + 1), let lower = amount(first),
            let joint = significant(from: first + 1), kinds[joint] == .and,
            let second = significant(from: joint + 1), let upper = amount(second)
        else { throw unexplained(here) }
        used.formUnion([first, joint, second])
        var from = lower
        from.isPercent = lower.isPercent || upper.isPercent
        draft.conditions.append(
            Draft.Condition(
                metric: target(before: here, after: second, upper), relation: .between,
                value: from, upper: upper))
    }

    /// A number by itself: `5 % or more`, `3 highest`.
    private mutating func number(_ value: Draft.Amount, _ here: Int) throws(Refusal) {
        guard let next = significant(from: here + 1) else { throw unexplained(here) }
        switch kinds[next] {
        case .orMore, .orLess:
            used.insert(next)
            draft.conditions.append(
                Draft.Condition(
                    metric: target(before: here, after: next, value),
                    relation: kinds[next] == .orMore ? .atLeast : .atMost, value: value))
        case .superlative where next == here + 1 && value.value.scale == 0 && !value.isPercent:
            draft.count = Int(value.value.unscaled)
        default: throw unexplained(here)
        }
    }

    /// The metric that a condition is about: the one right before it, the one right behind its
    /// number, or the last one said.
    private mutating func target(
        before here: Int, after number: Int, _ value: Draft.Amount
    ) -> String? {
        func fits(_ name: String) -> Bool {
            !value.isPercent || model.metric(name)?.format == .percent
        }
        if let index = significant(before: here), case .metric(let name) = kinds[index], fits(name)
        {
            return name
        }
        if let index = significant(from: number + 1), case .metric(let name) = kinds[index],
            fits(name)
        {
            return name
        }
        for index in kinds[..<here].indices.reversed() {
            if case .metric(let name) = kinds[index], fits(name) { return name }
        }
        for index in kinds.indices where index > number {
            if case .metric(let name) = kinds[index], fits(name) { return name }
        }
        return nil
    }

    // MARK: Ranking

    private mutating func top(_ isDescending: Bool, _ here: Int) {
        draft.isDescending = isDescending
        if let next = significant(from: here + 1), let value = amount(next), !value.isPercent,
            value.value.scale == 0, value.currency == nil
        {
            used.insert(next)
            draft.count = Int(value.value.unscaled)
        } else {
            draft.count = 10
            draft.notes.append("\(items[here].text) without a number: 10 rows")
        }
    }

    private mutating func superlative(_ isDescending: Bool, _ here: Int) {
        draft.isDescending = isDescending
        if let next = significant(from: here + 1), let value = amount(next), !value.isPercent,
            value.value.scale == 0, value.currency == nil
        {
            used.insert(next)
            draft.count = Int(value.value.unscaled)
        }
        let next = kinds.indices.first {
            $0 > here && !used.contains($0) && kinds[$0] != .stop && kinds[$0] != .sum
        }
        if let next, case .metric(let name) = kinds[next] { draft.orderMetric = name }
    }

    // MARK: Time and comparison

    private mutating func add(_ period: Period) {
        if draft.hasCompare {
            draft.comparedPeriods.append(period)
        } else {
            draft.periods.append(period)
        }
    }

    private mutating func compare(_ here: Int) {
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

    private func sum(_ here: Int) throws(Refusal) {
        guard let next = significant(from: here + 1), case .metric(let name) = kinds[next],
            let metric = model.metric(name)
        else { throw unexplained(here) }
        guard metric.kind == .additive || counts(metric, items[here].text.lowercased()) else {
            throw cannot("\(metric.label) has no sum", here, ["leave out: \(items[here].text)"])
        }
    }

    /// The number of customers: a count of distinct ones has no sum, but it is a number of something.
    private func counts(_ metric: Metric, _ words: String) -> Bool {
        guard words.contains("number") || words.contains("count"), metric.kind == .other else {
            return false
        }
        let scan = try? SQLScan(metric.expression, known: model.tables.map(\.name))
        return ["count", "approx_distinct"].contains(scan?.outermostCall ?? "")
    }

    private func howMany(_ here: Int) throws(Refusal) {
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
