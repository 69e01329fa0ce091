import CivilTime

/// Covers the tokens of a question with items: at each place the longest phrase that anybody knows.
struct ItemReader {
    let tokens: [Token]
    let vocabulary: Vocabulary
    let time: TimePhrases
    /// Whether `average` and `share` are read by themselves, also where a metric's name has them.
    var splitsAverages = false

    /// The items, and the words that nothing explains.
    func read() -> (items: [Item], unexplained: [String]) {
        var items: [Item] = []
        var unexplained: [String] = []
        var at = 0
        while at < tokens.count {
            if let (item, length) = self.item(at) {
                items.append(item)
                at += length
            } else {
                unexplained.append(tokens[at].text)
                at += 1
            }
        }
        return (items, unexplained)
    }

    private func item(_ at: Int) -> (Item, Int)? {
        if tokens[at].kind == .quoted { return (quoted(at), 1) }
        if let (hours, length) = ClockPhrases(tokens: tokens).match(at) {
            let text = tokens[at..<at + length].map(\.text).joined(separator: " ")
            return (Item(kinds: [.parts(.hourOfDay, hours)], text: text), length)
        }
        if let found = number(at) { return found }
        let known = vocabularyMatch(at)
        let phrase = lexiconMatch(at)
        let stretch = time.match(at)
        let lengths = (known?.length ?? 0, phrase?.length ?? 0, stretch?.length ?? 0)
        let longest = max(lengths.0, lengths.1, lengths.2)
        guard longest > 0 else { return nil }
        let text = tokens[at..<at + longest].map(\.text).joined(separator: " ")
        var kinds: [Item.Kind] = []
        if let known, known.length == longest, isMeant(known.kinds, at, phrase, longest) {
            kinds = known.kinds
        }
        let phraseKind = phrase.flatMap { $0.length == longest ? $0.kind : nil }
        if phraseKind == .yearEarlier { return (Item(kinds: [.yearEarlier], text: text), longest) }
        if let stretch, stretch.length == longest {
            kinds += stretch.periods.map { .period($0) }
        } else if kinds.isEmpty, let phraseKind {
            kinds = [phraseKind]
        }
        guard !kinds.isEmpty else { return nil }
        let isPlural = known.map { $0.length == longest && $0.isPlural } ?? false
        var item = Item(kinds: kinds, text: text, isPlural: isPlural)
        item.isYearImplied = stretch.map { $0.length == longest && !$0.hasYear } ?? false
        return (item, longest)
    }

    /// Whether words that a model knows are meant, where the grammar knows them too: a value such as
    /// IN or Top must be written as it is.
    private func isMeant(
        _ kinds: [Item.Kind], _ at: Int, _ phrase: (kind: Item.Kind, length: Int)?, _ length: Int
    ) -> Bool {
        guard phrase?.length == length else { return true }
        let text = tokens[at..<at + length].map(\.text).joined(separator: " ")
        if length == 1, ["it", "i", "we", "our", "you", "they"].contains(tokens[at].lower) {
            return true
        }
        if length == 1, phrase?.kind == .stop, isAfterPreposition(at),
            !Lexicon.prepositions.contains(tokens[at].lower),
            !Lexicon.articles.contains(tokens[at].lower)
        {
            return true
        }
        return kinds.contains { kind in
            guard case .value(_, let value) = kind else { return true }
            // The first word has a capital anyway.
            return value == text && text.first.map(\.isUppercase) ?? false
                && (at > 0 || isName(at))
        }
    }

    /// A stop word is passed over unless it stands where a name does.
    private func isStop(_ at: Int) -> Bool {
        let word = tokens[at].lower
        guard Lexicon.stopWords.contains(word), !isName(at) else { return false }
        return !isAfterPreposition(at) || Lexicon.articles.contains(word)
            || Lexicon.prepositions.contains(word)
    }

    /// Two letters or more, all of them capitals, in a question that is not.
    private func isName(_ at: Int) -> Bool {
        let text = tokens[at].text
        return text.count > 1 && text.allSatisfy(\.isUppercase)
            && tokens.contains { $0.kind == .word && $0.text.contains(where: \.isLowercase) }
    }

    private func isAfterPreposition(_ at: Int) -> Bool {
        at > 0 && tokens[at - 1].kind == .word
            && Lexicon.prepositions.contains(tokens[at - 1].lower)
    }

    /// Words of a ratio that may also ask for each row's share of the total.
    static let shares: Set<String> = ["share", "proportion", "percentage"]

    /// Average transactions: not the average transaction, where transactions are counted.
    private func isAverageOfCounts(_ range: Range<Int>) -> Bool {
        if splitsAverages, range.count > 1,
            [range.lowerBound, range.upperBound - 1].contains(where: {
                ItemReader.shares.contains(tokens[$0].lower)
            })
        {
            return true
        }
        guard range.count > 1, ["average", "mean", "avg"].contains(tokens[range.lowerBound].lower)
        else { return false }
        if splitsAverages { return true }
        let rest = tokens[range.dropFirst()]
        let last = rest[rest.endIndex - 1].lower
        return Tokenizer.stem(last) != last
            && vocabulary.counts.contains(
                rest.map { Tokenizer.stem($0.lower) }.joined(separator: " "))
    }

    private func vocabularyMatch(_ at: Int) -> (kinds: [Item.Kind], length: Int, isPlural: Bool)? {
        var length = min(vocabulary.phraseLimit, tokens.count - at)
        while length > 0 {
            let range = at..<at + length
            if tokens[range].allSatisfy({ $0.kind != .quoted }), !isAverageOfCounts(range) {
                let phrase = tokens[range].map { Tokenizer.stem($0.lower) }.joined(separator: " ")
                let kinds = vocabulary.meanings(of: phrase)
                if !kinds.isEmpty {
                    let last = tokens[at + length - 1].lower
                    return (kinds, length, Tokenizer.stem(last) != last)
                }
            }
            length -= 1
        }
        return nil
    }

    private func lexiconMatch(_ at: Int) -> (kind: Item.Kind, length: Int)? {
        var length = min(Lexicon.phraseLimit, tokens.count - at)
        while length > 0 {
            let range = at..<at + length
            if tokens[range].allSatisfy({ $0.kind != .quoted }) {
                let phrase = tokens[range].map(\.lower).joined(separator: " ")
                if let kind = Lexicon.phrases[phrase] { return (kind, length) }
            }
            length -= 1
        }
        return isStop(at) ? (.stop, 1) : nil
    }

    private func quoted(_ at: Int) -> Item {
        let text = tokens[at].text
        var kinds = vocabulary.values(exactly: text)
        if kinds.isEmpty {
            kinds = vocabulary.meanings(of: Tokenizer.phrase(text)).filter {
                if case .value = $0 { true } else { false }
            }
        }
        return Item(kinds: kinds.isEmpty ? [.quoted(text)] : kinds, text: text)
    }

    // MARK: Numbers

    static let magnitudes = ["thousand": 3, "million": 6, "billion": 9]
    private static let currencies = [
        "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "usd": "USD",
        "dollar": "USD", "dollars": "USD", "£": "GBP", "gbp": "GBP", "chf": "CHF",
    ]
    static let words: [String: Int64] = [
        "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
        "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "twenty": 20, "fifty": 50, "hundred": 100,
    ]

    /// A number with its percent sign or currency. One that begins a stretch of time is none.
    private func number(_ at: Int) -> (Item, Int)? {
        var next = at
        var currency: String?
        if let code = Self.currencies[tokens[at].lower], tokens.indices.contains(at + 1),
            tokens[at].kind == .sign
        {
            currency = code
            next += 1
        }
        guard var value = plainNumber(next), currency != nil || isNoTime(at) else { return nil }
        let isAmbiguous = Tokenizer.isAmbiguous(tokens[next].text)
        next += 1
        func lower(_ index: Int) -> String {
            tokens.indices.contains(index) ? tokens[index].lower : ""
        }
        if let power = Self.magnitudes[lower(next)], let big = value.shifted(by: power) {
            value = big
            next += 1
        }
        var isPercent = false
        if currency == nil {
            if ["%", "percent", "pct"].contains(lower(next)) {
                isPercent = true
                next += 1
            } else if lower(next) == "per", lower(next + 1) == "cent" {
                isPercent = true
                next += 2
            } else if let code = Self.currencies[lower(next)] {
                currency = code
                next += 1
            }
        }
        let text = tokens[at..<next].map(\.text).joined(separator: " ")
        var values = [value]
        if isAmbiguous, let thousands = value.shifted(by: 3) { values.append(thousands) }
        let kinds = values.map {
            Item.Kind.number($0, isPercent: isPercent, currency: currency)
        }
        return (Item(kinds: kinds, text: text), next - at)
    }

    private func plainNumber(_ at: Int) -> ExactNumber? {
        guard tokens.indices.contains(at) else { return nil }
        switch tokens[at].kind {
        case .number(let value, isOrdinal: false): return value
        case .word: return Self.words[tokens[at].lower].map { ExactNumber($0) }
        default: return nil
        }
    }

    /// `3 days ago` and `1 March` are times; so is a year where one is expected; a word that the model
    /// knows is that word.
    private func isNoTime(_ at: Int) -> Bool {
        time.match(at) == nil && vocabularyMatch(at) == nil
    }
}
