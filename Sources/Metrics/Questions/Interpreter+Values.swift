/// Values that are wanted or left out, and the words that say which.
extension Interpreter {
    /// What leaves values out: `not in Coastal`, `excluding Coastal and Danube`, `except Sundays`.
    mutating func negation(_ here: Int) throws(Refusal) {
        guard var last = exclude(from: here + 1, like: nil) else { throw unexplained(here) }
        let first = kinds[last]
        // The list goes on with what is of the same kind.
        while let joint = significant(from: last + 1), joint == last + 1,
            [.and, .or, .comma].contains(kinds[joint])
        {
            guard let next = exclude(from: joint + 1, like: first) else {
                guard !begins(joint + 1) else { throw unclear(here) }
                return
            }
            used.insert(joint)
            last = next
        }
        if last + 1 < kinds.count, begins(last + 1) { throw unclear(here) }
    }

    /// Leaves out the value or weekday at a place, if there is one of the same kind; where it ended.
    private mutating func exclude(from start: Int, like first: Item.Kind?) -> Int? {
        guard var index = significant(from: start) else { return nil }
        if case .dimension(let name) = kinds[index], let next = significant(from: index + 1),
            isValue(next, of: name), isLike(kinds[next], first)
        {
            used.insert(index)
            index = next
        }
        guard isLike(kinds[index], first) else { return nil }
        switch kinds[index] {
        case .value(let dimension, let value):
            draft.add(value: value, of: dimension, isNegated: true)
        case .parts(let part, let values): draft.add(values, of: part, isNegated: true)
        default: return nil
        }
        used.insert(index)
        return index
    }

    private func isLike(_ kind: Item.Kind, _ first: Item.Kind?) -> Bool {
        switch (kind, first) {
        case (.value(let name, _), .value(let other, _)?): name == other
        case (.parts(let part, _), .parts(let other, _)?): part == other
        case (.value, nil), (.parts, nil): true
        default: false
        }
    }

    /// Whether a value, weekday or named dimension stands right here.
    private func begins(_ index: Int) -> Bool {
        guard kinds.indices.contains(index) else { return false }
        switch kinds[index] {
        case .value, .parts: return true
        case .dimension(let name): return isValue(significant(from: index + 1), of: name)
        default: return false
        }
    }

    private func unclear(_ here: Int) -> Refusal {
        cannot(
            "it is not clear what is left out", here,
            ["say each by itself: excluding …, and excluding …, or: only …"])
    }

    /// All regions but Coastal leaves out; in front it goes on; elsewhere it says nothing clear.
    mutating func but(_ here: Int) throws(Refusal) {
        guard let before = significant(before: here) else { return }
        if here + 1 < kinds.count, kinds[here + 1] == .not { return }
        switch kinds[before] {
        case .dimension, .metric:
            if isEvery(before) { return try negation(here) }
        default: break
        }
        var refusal = unexplained(here)
        refusal.suggestions = ["say: excluding …, or: only …"]
        throw refusal
    }

    /// All, every, any in front of a word.
    private func isEvery(_ index: Int) -> Bool {
        var at = index - 1
        while at >= 0 {
            let text = items[at].text.lowercased()
            switch kinds[at] {
            case .stop where text == "all", .any: return true
            case .by: return text.contains("every") || text.contains("each")
            case .stop where text == "the" || text == "of": at -= 1
            default: return false
            }
        }
        return false
    }

    /// Any region but Coastal; any by itself says nothing.
    func any(_ here: Int) throws(Refusal) {
        guard let next = significant(from: here + 1), let behind = significant(from: next + 1),
            kinds[behind] == .but || kinds[behind] == .not
        else { throw unexplained(here) }
        switch kinds[next] {
        case .dimension, .metric: return
        default: throw unexplained(here)
        }
    }

    /// Coastal and online: rows that are both.
    mutating func noteBoth(_ dimension: String, _ here: Int) {
        guard let joint = significant(before: here), kinds[joint] == .and || kinds[joint] == .comma,
            let before = significant(before: joint),
            case .value(let other, let value) = kinds[before], other != dimension
        else { return }
        draft.notes.append("\(value) and \(items[here].text): only rows that are both")
    }

    /// Berlin or Hamburg: values of one dimension.
    func alternative(_ here: Int) throws(Refusal) {
        guard let before = significant(before: here), let after = significant(from: here + 1) else {
            throw unexplained(here)
        }
        switch (kinds[before], kinds[after]) {
        case (.value(let dimension, _), _) where isValue(after, of: dimension): return
        case (.value(let name, _), .dimension(let other))
        where name == other && isValue(significant(from: after + 1), of: name): return
        case (.parts(let part, _), .parts(let other, _)) where part == other: return
        default: throw cannot("\"or\" stands between values of one dimension only", here)
        }
    }

    /// Words that go on from the last answer, or lay stress on what follows.
    func followUp(_ here: Int) throws(Refusal) {
        let text = items[here].text.lowercased()
        let isFirst = significant(before: here) == nil
        switch text {
        case "instead":
            guard isFirst || significant(from: here + 1) == nil else { throw unexplained(here) }
        case "same", "the same", "same for", "the same for", "what about", "how about":
            guard isFirst || isBehindAnd(here) else { throw unexplained(here) }
        case "just":
            if let next = significant(from: here + 1), case .relation = kinds[next] {
                throw unexplained(here)
            }
        default: break
        }
    }

    private func isBehindAnd(_ here: Int) -> Bool {
        guard let before = significant(before: here), significant(before: before) == nil else {
            return false
        }
        return kinds[before] == .and || kinds[before] == .followUp || kinds[before] == .but
    }
}
