/// What sounds like one thing and would be computed as another: refused, or remembered for a note.
extension Interpreter {
    /// At least 3 regions: a number of rows, and no threshold of a metric.
    func checkCount(
        _ value: Draft.Amount, at number: Int, behind: Int, _ here: Int
    ) throws(Refusal) {
        guard !value.isPercent, value.currency == nil else { return }
        var next = behind + 1
        while kinds.indices.contains(next), kinds[next] == .stop,
            ["of", "the", "all", "our"].contains(items[next].text.lowercased())
        {
            next += 1
        }
        guard kinds.indices.contains(next) else { return }
        switch kinds[next] {
        case .dimension(let name):
            guard !isValue(significant(from: next + 1), of: name) else { return }
        case .parts(.weekday, _):
            let text = items[next].text.lowercased()
            guard next == behind + 1, !text.hasPrefix("on "), !text.hasPrefix("at ") else { return }
        default: return
        }
        throw Refusal(
            .cannotCombine,
            "\(items[number].text) \(items[next].text) is a number of rows, not a condition",
            words: [items[here].text, items[number].text],
            suggestions: ["say: top \(value.value.text) \(items[next].text)"])
    }

    /// The biggest payments: single rows are not shown, and their number is not their size.
    func checkSize(_ here: Int) throws(Refusal) {
        let word = items[here].text.lowercased()
        guard !["most", "the most", "least", "the least", "fewest"].contains(word) else { return }
        let isTop = if case .top = kinds[here] { true } else { false }
        var next = significant(from: here + 1)
        if let index = next, case .number = kinds[index] { next = significant(from: index + 1) }
        if let index = next, case .metric(let name) = kinds[index] {
            return try checkSize(of: name, index, here)
        }
        // Which payments were biggest: the word stands behind.
        guard !isTop, next.map({ kinds[$0] == .by || kinds[$0] == .per }) ?? true,
            let before = significant(before: here), case .metric(let name) = kinds[before]
        else { return }
        try checkSize(of: name, before, here)
    }

    private func checkSize(of name: String, _ index: Int, _ here: Int) throws(Refusal) {
        guard let metric = model.metric(name), metric.counts(in: model) else { return }
        let words = items[index].text.lowercased().split(separator: " ")
        guard !words.contains("count"), !words.contains("number"), !words.contains("volume") else {
            return
        }
        let most = if case .superlative(false) = kinds[here] { "fewest" } else { "most" }
        throw cannot(
            "\(items[index].text) are counted, and a number has no size of its own", here,
            ["say: the \(most) \(items[index].text)", "or name a metric of amounts"])
    }

    /// All regions: what was left out or chosen before no longer is.
    mutating func noteAll(_ name: String, _ here: Int) {
        var index = here - 1
        while index >= 0, kinds[index] == .stop {
            let word = items[index].text.lowercased()
            if word == "all" {
                draft.all.insert(name)
                return
            }
            guard word == "the" || word == "of" else { return }
            index -= 1
        }
    }

    /// Last week and the week before: two periods.
    mutating func noteSecondPeriod(_ here: Int) {
        guard let joint = significant(before: here), kinds[joint] == .and,
            kinds[..<joint].contains(where: { if case .period = $0 { true } else { false } })
        else { return }
        draft.secondPeriod = items[here].text
    }
}
