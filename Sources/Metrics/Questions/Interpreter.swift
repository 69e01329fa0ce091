import CivilTime

/// Reads items from left to right into a draft. Each item must find its use; one that does not is
/// named in the refusal.
struct Interpreter {
    let model: MetricModel
    let items: [Item]
    /// The meaning chosen for each item.
    let kinds: [Item.Kind]
    private var at = 0
    var draft = Draft()
    /// Items that were used by an earlier one.
    var used: Set<Int> = []

    init(model: MetricModel, items: [Item], kinds: [Item.Kind]) {
        self.model = model
        self.items = items
        self.kinds = kinds
    }

    /// The draft; throws when an item has no use.
    mutating func read() throws(Refusal) -> Draft {
        if let first = significant(from: 0) {
            switch kinds[first] {
            case .and, .followUp, .but:
                draft.isFollowUp = true
                draft.adds = items[first].text.lowercased() == "also"
                draft.joins = kinds[first] != .followUp || draft.adds
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
        try finish()
        return draft
    }

    private mutating func read(_ here: Int) throws(Refusal) {
        switch kinds[here] {
        case .metric(let name): try metric(name, here)
        case .dimension(let name): try dimension(name, here)
        case .value(let dimension, let value):
            draft.add(value: value, of: dimension, isNegated: false)
            noteBoth(dimension, here)
        case .parts(let part, let values): draft.add(values, of: part, isNegated: false)
        case .period(let period): try add(period, here)
        case .number(let value, let isPercent, let currency):
            try number(
                Draft.Amount(
                    value: value, isPercent: isPercent, currency: currency, text: items[here].text),
                here)
        case .neighbour(let unit, let steps):
            if let next = significant(from: here + 1), case .period = kinds[next] {
                throw cannot("it is not clear which period is meant", here)
            }
            draft.neighbours.append((unit, steps, items[here].text))
            noteSecondPeriod(here)
        case .yearEarlier:
            draft.wantsYearEarlier = true
            noteSecondPeriod(here)
        case .allTime: draft.isAllTime = true
        case .soFar: draft.isSoFar = true
        case .last: try last(here)
        case .unit(let unit):
            guard isAfterWhich(here) || isAfterTop(here) else { throw unexplained(here) }
            draft.add(breakdown: unit == .hour ? .part(.hourOfDay) : .series(unit))
        case .part(let part):
            guard isAfterWhich(here) || isAfterTop(here) else { throw unexplained(here) }
            draft.add(breakdown: .part(part))
        case .series(let unit):
            draft.add(breakdown: .series(unit))
            draft.each.append(.series(unit))
        case .trend: draft.hasTrend = true
        case .by, .per, .orderBy: try list(here)
        case .relation(let relation): try condition(relation, here)
        case .between: try between(here)
        case .top(let isDescending): try top(isDescending, here)
        case .superlative(let isDescending): try superlative(isDescending, here)
        case .direction(let isDescending): try direct(isDescending, here)
        case .average:
            guard draft.average == nil else { throw unexplained(here) }
            draft.average = items[here].text
        case .share: try share(here)
        case .growth: draft.growth = items[here].text
        case .overall: draft.isOverall = true
        case .but: try but(here)
        case .any: try any(here)
        case .compare: compare(here)
        case .unitOverUnit(let unit): draft.overUnit = unit
        case .not: try negation(here)
        case .or: try alternative(here)
        case .sum: try sum(here)
        case .howMany: try howMany(here)
        case .followUp: try followUp(here)
        case .and:
            guard significant(from: here + 1) != nil else { throw unexplained(here) }
        case .stop, .comma: break
        case .quoted, .orMore, .orLess: throw unexplained(here)
        }
    }

    // MARK: Looking around

    func significant(from start: Int) -> Int? {
        kinds.indices.first { $0 >= start && kinds[$0] != .stop }
    }
    func significant(before end: Int) -> Int? {
        kinds.indices.last { $0 < end && kinds[$0] != .stop }
    }
    func isAfterWhich(_ here: Int) -> Bool {
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
    func unexplained(_ here: Int) -> Refusal {
        Refusal(
            .unexplained, "I do not know what this means here: \(items[here].text)",
            words: [items[here].text])
    }
    func cannot(_ message: String, _ here: Int, _ suggestions: [String] = []) -> Refusal {
        Refusal(.cannotCombine, message, words: [items[here].text], suggestions: suggestions)
    }

    // MARK: Dimensions

    private mutating func dimension(_ name: String, _ here: Int) throws(Refusal) {
        let found = model.dimension(name)
        if let next = significant(from: here + 1) {
            switch kinds[next] {
            case .value(dimension: name, _): return
            case .not, .but:
                let value = significant(from: next + 1)
                if isValue(value, of: name) || isNamed(value, name) {
                    // Which regions other than Coastal: rows by region.
                    if isSubject(here) { draft.add(breakdown: .dimension(name)) }
                    return
                }
            case .quoted(let text) where found?.kind != .number:
                used.insert(next)
                return draft.add(value: text, of: name, isNegated: false)
            case .number(let value, isPercent: false, currency: nil)
            where found?.kind == .number && next == here + 1:
                guard Tokenizer.european(items[next].text) == nil else {
                    throw cannot("is \(items[next].text) one number, or two?", next)
                }
                used.insert(next)
                return draft.add(value: value.text, of: name, isNegated: false)
            case .relation
            where found?.kind == .number && (!hasMetric(before: here) || next == here + 1)
                && !isMetric(next + 2):
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
        if !items[here].isPlural, !isInList(here) {
            try checkOne(found, here)
            draft.wantsOne = true
        }
        noteAll(name, here)
        if !isInList(here), isNarrowing(here) { draft.narrowing = items[here].text }
        draft.add(breakdown: .dimension(name))
    }

    /// In regions with …, only products with …: which rows count, and not how they are shown.
    private func isNarrowing(_ here: Int) -> Bool {
        guard !isAfterWhich(here), !isAfterTop(here), here > 0 else { return false }
        let word = items[here - 1].text.lowercased()
        return kinds[here - 1] == .followUp || Lexicon.prepositions.contains(word)
    }

    /// In the region, for that customer: which one?
    private func checkOne(_ dimension: Dimension?, _ here: Int) throws(Refusal) {
        var index = here - 1
        while index >= 0, kinds[index] == .stop {
            let word = items[index].text.lowercased()
            if Lexicon.prepositions.contains(word), word != "with" {
                throw cannot(
                    "it is not clear which \(dimension?.label ?? items[here].text)", here,
                    ["name it, or say: by \(dimension?.label ?? items[here].text)"])
            }
            guard ["the", "a", "an", "that", "its", "their", "our"].contains(word) else { return }
            index -= 1
        }
    }

    /// Region Coastal, behind a word that leaves it out.
    private func isNamed(_ index: Int?, _ name: String) -> Bool {
        guard let index, kinds[index] == .dimension(name) else { return false }
        return isValue(significant(from: index + 1), of: name)
    }

    /// Whether the question is about rows of this dimension.
    private func isSubject(_ here: Int) -> Bool {
        guard let before = significant(before: here) else { return !isBehindPreposition(here) }
        return isAfterWhich(here) || isAfterTop(here)
            || kinds[before] == .any
                && significant(before: before) == nil
    }

    private func isBehindPreposition(_ here: Int) -> Bool {
        kinds[..<here].indices.contains {
            kinds[$0] == .stop && Lexicon.prepositions.contains(items[$0].text.lowercased())
        }
    }

    func isInList(_ here: Int) -> Bool {
        guard let before = significant(before: here) else { return false }
        switch kinds[before] {
        case .by, .per: return true
        case .and, .comma: return significant(before: before) != nil
        default: return false
        }
    }

    func isValue(_ index: Int?, of dimension: String) -> Bool {
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
                note(.dimension(name), here)
                noteAll(name, index)
                if case .stop = kinds[index - 1], items[index - 1].text.lowercased() == "all" {
                    try dimension(name, index)
                }
                draft.add(breakdown: .dimension(name))
            case .unit(let unit) where kinds[here] != .orderBy:
                let breakdown: Breakdown =
                    unit == .hour && kinds[here] == .by && !isEach(here)
                    ? .part(.hourOfDay) : .series(unit)
                note(breakdown, here)
                draft.add(breakdown: breakdown)
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

    /// Remembers what was said with each or per.
    private mutating func note(_ breakdown: Breakdown, _ here: Int) {
        if kinds[here] == .per || isEach(here) { draft.each.append(breakdown) }
    }

    private func isEach(_ here: Int) -> Bool {
        let text = items[here].text.lowercased()
        return text.contains("each") || text.contains("every")
    }

    private func isListed(_ index: Int) -> Bool {
        switch kinds[index] {
        case .dimension, .unit, .part: true
        default: false
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

    /// 5,5 was read as 5.5.
    mutating func noteNumbers() {
        for index in kinds.indices {
            guard case .number = kinds[index] else { continue }
            for word in items[index].text.split(separator: " ") {
                guard let digits = Tokenizer.european(String(word)) else { continue }
                draft.notes.append("\(word) was read as \(digits)")
            }
        }
    }

    private mutating func condition(
        _ relation: Threshold.Relation, _ here: Int
    ) throws(Refusal) {
        guard let next = significant(from: here + 1) else { throw unexplained(here) }
        if case .period = kinds[next], ["over", "beyond"].contains(items[here].text.lowercased()) {
            return
        }
        try checkRows(here)
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
        try checkCount(value, at: next, behind: next, here)
        used.insert(next)
        draft.conditions.append(
            Draft.Condition(
                metric: target(before: here, after: next, value), relation: relation, value: value))
    }

    /// How many transactions above 500: single ones cannot be chosen by a number.
    private func checkRows(_ here: Int) throws(Refusal) {
        guard let metric = significant(before: here), case .metric = kinds[metric],
            let sum = significant(before: metric), [.sum, .howMany].contains(kinds[sum]),
            !kinds[..<sum].contains(where: { if case .dimension = $0 { true } else { false } })
        else { return }
        throw cannot(
            "a condition chooses rows of the answer, not single \(items[metric].text)", here,
            ["say: regions with more than …, with a dimension of the model"])
    }

    private mutating func between(_ here: Int) throws(Refusal) {
        guard let first = significant(from: here + 1), let lower = amount(first),
            let joint = significant(from: first + 1), kinds[joint] == .and,
            let second = significant(from: joint + 1), let upper = amount(second)
        else { throw unexplained(here) }
        try checkCount(upper, at: second, behind: second, here)
        used.formUnion([first, joint, second])
        // Between 1 and 2 million: one million, or one?
        guard isLarge(second) == isLarge(first) || lower.value == ExactNumber(0) else {
            throw cannot(
                "is \(lower.text) as large as it is written?", first,
                ["write both numbers out: between 1 million and 2 million"])
        }
        if isSmall(lower) && isSmall(upper) {
            draft.notes.append(
                "\(lower.text) and \(upper.text) were read as values, not as hours or days")
        }
        var from = lower
        from.isPercent = lower.isPercent || upper.isPercent
        draft.conditions.append(
            Draft.Condition(
                metric: target(before: here, after: second, upper), relation: .between,
                value: from, upper: upper))
    }

    /// A plain number that could be an hour or a day.
    private func isSmall(_ amount: Draft.Amount) -> Bool {
        guard amount.value.scale == 0, !amount.isPercent, amount.currency == nil else {
            return false
        }
        return amount.value.unscaled <= 24
    }

    private func isLarge(_ index: Int) -> Bool {
        items[index].text.lowercased().split(separator: " ").contains {
            ItemReader.magnitudes[String($0)] != nil
        } || items[index].text.last.map { "kKmM".contains($0) } ?? false
    }

    /// A number by itself: `5 % or more`, `3 highest`.
    private mutating func number(_ value: Draft.Amount, _ here: Int) throws(Refusal) {
        guard let next = significant(from: here + 1) else { throw unexplained(here) }
        switch kinds[next] {
        case .orMore, .orLess:
            try checkCount(value, at: here, behind: next, here)
            used.insert(next)
            draft.conditions.append(
                Draft.Condition(
                    metric: target(before: here, after: next, value),
                    relation: kinds[next] == .orMore ? .atLeast : .atMost, value: value))
        case .superlative where next == here + 1 && value.value.scale == 0 && !value.isPercent:
            draft.count = Int(value.value.unscaled)
        case .dimension
        where next == here + 1 && value.value.scale == 0 && !value.isPercent
            && value.currency == nil && items[next].isPlural && hasSuperlative:
            // The 3 regions with the lowest fraud rate.
            draft.count = Int(value.value.unscaled)
        default: throw unexplained(here)
        }
    }

    private var hasSuperlative: Bool {
        kinds.contains { if case .superlative = $0 { true } else { false } }
    }

    /// The metric that a condition is about: the one right before it, the one right behind its
    /// number, or the last one said.
    private mutating func target(
        before here: Int, after number: Int, _ value: Draft.Amount
    ) -> String? {
        func fits(_ name: String) -> Bool {
            !value.isPercent || model.metric(name)?.format == .percent
        }
        let next = number + 1 < kinds.count ? kinds[number + 1] : .stop
        if let index = significant(before: here), case .metric(let name) = kinds[index], fits(name)
        {
            // Fraud rate with at least 100 transactions: what stands behind the number is meant.
            guard case .metric(let other) = next, other != name, fits(other) else { return name }
            return index == here - 1 ? nil : other
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

    /// One order only: highest and lowest in one question contradict each other.
    private mutating func direct(_ isDescending: Bool, _ here: Int) throws(Refusal) {
        if let other = draft.isDescending, other != isDescending {
            throw cannot("the rows have one order", here, ["ask one after the other"])
        }
        draft.isDescending = isDescending
    }

    private mutating func top(_ isDescending: Bool, _ here: Int) throws(Refusal) {
        try direct(isDescending, here)
        try checkSize(here)
        if let next = significant(from: here + 1), let value = amount(next), !value.isPercent,
            value.value.scale == 0, value.currency == nil
        {
            used.insert(next)
            draft.count = Int(value.value.unscaled)
            if next + 1 < kinds.count, kinds[next + 1] == .per { throw unexplained(here) }
        } else if let next = significant(from: here + 1), case .dimension = kinds[next],
            !items[next].isPlural
        {
            // Top product: one.
            return
        } else {
            draft.count = 10
            draft.notes.append("\(items[here].text) without a number: 10 rows")
        }
    }

    private mutating func superlative(_ isDescending: Bool, _ here: Int) throws(Refusal) {
        try direct(isDescending, here)
        if let next = significant(from: here + 1), let value = amount(next), !value.isPercent,
            value.value.scale == 0, value.currency == nil
        {
            used.insert(next)
            draft.count = Int(value.value.unscaled)
        }
        try checkSize(here)
        let next = kinds.indices.first {
            $0 > here && !used.contains($0) && kinds[$0] != .stop && kinds[$0] != .sum
        }
        if let next, case .metric(let name) = kinds[next] {
            if let other = draft.orderMetric, other != name {
                throw cannot("the rows have one order", here, ["ask one after the other"])
            }
            draft.orderMetric = name
        }
    }
}
