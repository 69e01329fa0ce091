/// What belongs together. A frame's values hold for all of its metrics and periods, so that words which
/// pair them up, `online in Baltic and pos in Danube`, would be answered with every pair of them.
extension Interpreter {
    /// A metric, value or period, where it stands.
    private struct Mention {
        enum Family: Hashable {
            case metric, time
            case dimension(String)
            case part(TimePart)

            var isValue: Bool { self != .metric && self != .time }
        }

        var family: Family
        var kind: Item.Kind
        var index: Int
    }

    /// Refuses values that are said with something of their own between them.
    mutating func checkPairs() throws(Refusal) {
        try checkBreakdowns()
        let mentions = self.mentions
        for (place, mention) in mentions.enumerated() where mention.family.isValue {
            guard
                let other = mentions.indices.first(where: {
                    $0 > place && mentions[$0].family == mention.family
                }), mentions[other].kind != mention.kind
            else { continue }
            let joint = kinds[mention.index..<mentions[other].index].contains(.compare)
            for between in mentions[place + 1..<other] {
                let alike = mentions.filter { $0.family == between.family }
                let isSame = alike.allSatisfy { $0.kind == between.kind }
                let isSaidAgain = alike.contains { $0.index > mentions[other].index }
                let isClear =
                    switch between.family {
                    case .time:
                        // Behind the joint it is the second value's own.
                        alike.count == 1
                            && !kinds[mention.index..<between.index].contains {
                                [.and, .or, .comma].contains($0)
                            }
                    case .metric: isSame && joint
                    case .dimension, .part: isSame && (joint || isSaidAgain)
                    }
                guard isClear else { throw unclear([mention, between, mentions[other]]) }
                if between.family == .time {
                    let values = mentions.filter { $0.family == mention.family }
                        .map { items[$0.index].text }
                    let all =
                        values.dropLast().joined(separator: ", ") + " and "
                        + values[values.count - 1]
                    draft.notes.append("\(items[between.index].text) was read for \(all)")
                }
            }
        }
    }

    /// Refuses metrics with breakdowns of their own: orders by region and revenue by channel.
    private func checkBreakdowns() throws(Refusal) {
        guard draft.breakdowns.count > 1 else { return }
        var runs: [(isMetric: Bool, index: Int)] = []
        var metrics: Set<Item.Kind> = []
        for index in kinds.indices {
            switch kinds[index] {
            case .metric where !used.contains(index):
                metrics.insert(kinds[index])
                if runs.last?.isMetric != true { runs.append((true, index)) }
            case .by, .per, .series:
                if let next = significant(from: index + 1), case .metric = kinds[next],
                    kinds[index] == .by
                {
                    continue
                }
                if runs.last?.isMetric != false { runs.append((false, index)) }
            default: break
            }
        }
        guard runs.count > 3, metrics.count > 1 else { return }
        let words = runs.filter(\.isMetric).map { items[$0.index].text }
        throw Refusal(
            .cannotCombine, "all metrics of a question have the same rows", words: words,
            suggestions: ["ask one after the other"])
    }

    /// Refuses the part and the whole as one: fraud in Danube of all fraud.
    func checkWhole(_ name: String, _ here: Int) throws(Refusal) {
        var index = here - 1
        var words: [String] = []
        while index >= 0, kinds[index] == .stop || kinds[index] == .sum {
            words.append(items[index].text.lowercased())
            index -= 1
        }
        guard index >= 0, words.contains(where: { $0 == "of" || $0 == "from" }) else { return }
        let earlier = kinds[..<here].indices.compactMap { index -> String? in
            if case .metric(let other) = kinds[index] { other } else { nil }
        }
        guard earlier.contains(name) || !earlier.isEmpty && words.contains("all") else { return }
        let isFiltered = kinds[..<here].contains {
            switch $0 {
            case .value, .parts, .quoted: true
            default: false
            }
        }
        guard earlier.contains(name) || isFiltered else { return }
        let label = model.metric(name)?.label ?? name
        throw cannot(
            "a part of all \(items[here].text) is not computed for some values only", here,
            ["say by what: share of \(label) by region, with a dimension of the model"])
    }

    private var mentions: [Mention] {
        kinds.indices.compactMap { index in
            let family: Mention.Family
            switch kinds[index] {
            case .metric: family = .metric
            case .value(let dimension, _): family = .dimension(dimension)
            case .parts(let part, _): family = .part(part)
            case .period, .neighbour, .yearEarlier, .last: family = .time
            default: return nil
            }
            // Values that are left out, numbers of a condition: read by another word.
            guard !used.contains(index) else { return nil }
            return Mention(family: family, kind: kinds[index], index: index)
        }
    }

    private func unclear(_ mentions: [Mention]) -> Refusal {
        let words = mentions.map { items[$0.index].text }
        return Refusal(
            .cannotCombine,
            "what belongs together is not clear: " + words.joined(separator: ", "), words: words,
            suggestions: [
                "ask one after the other",
                "or say the values of one dimension next to each other, for every pair of them",
            ])
    }
}
