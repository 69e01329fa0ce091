import Bytes

/// What VADER says of a text: shares of negative, neutral and positive words (three decimals), and the
/// compound score from -1 to 1 (four decimals).
struct Sentiment: Sendable {
    var negative = 0.0
    var neutral = 0.0
    var positive = 0.0
    var compound = 0.0
}

/// The rules of VADER over one text after another; keeps its buffers.
///
/// Follows vaderSentiment 3.3.2 step by step, with its order of floating-point operations and its
/// oddities (the check for "but" changes the first equal score of the list), so that results are equal.
struct SentimentAnalyzer {
    private struct Word {
        var entry: SentimentLexicon.Entry
        var isUpper: Bool
        var isNegation: Bool
        var role: SentimentLexicon.Role { entry.role }
        var isValued: Bool { entry.traits.contains(.valued) }
        var isBooster: Bool { entry.traits.contains(.booster) }
    }

    private let lexicon = SentimentLexicon.standard
    private var words: [Word] = []
    private var scores: [Double] = []
    private var lowered: [UInt8] = []
    private var replaced: [UInt8] = []
    private var isCapDifferent = false

    private static let capsIncrease = 0.733
    private static let negationFactor = -0.74

    mutating func sentiment(of text: Text) -> Sentiment {
        if CodePoints.isASCII(text) { return score(text) }
        replaceEmoji(text)
        let copy = replaced
        return copy.withUnsafeBufferPointer { score($0) }
    }

    private mutating func score(_ text: Text) -> Sentiment {
        split(text)
        scores.removeAll(keepingCapacity: true)
        for index in words.indices {
            let isKindOf =
                words[index].role == .kind && index + 1 < words.count
                && words[index + 1].role == .of
            scores.append(words[index].isBooster || isKindOf ? 0 : valence(index))
        }
        checkBut()
        return summed(text)
    }

    // MARK: Words

    /// Emoji become their descriptions, with a blank before where there is none.
    private mutating func replaceEmoji(_ text: Text) {
        replaced.removeAll(keepingCapacity: true)
        var followsBlank = true
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if let words = lexicon.description(ofEmoji: scalar.value) {
                if !followsBlank { replaced.append(UInt8(ascii: " ")) }
                replaced += words
                followsBlank = false
            } else {
                replaced += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
                followsBlank = scalar == " "
            }
        }
    }

    private mutating func split(_ text: Text) {
        words.removeAll(keepingCapacity: true)
        var upperCount = 0
        var at = 0
        while at < text.count {
            let blank = Self.blankLength(text, at)
            if blank > 0 {
                at += blank
                continue
            }
            let start = at
            while at < text.count, Self.blankLength(text, at) == 0 {
                at = CodePoints.next(text, at)
            }
            let word = self.word(Self.stripped(text.slice(start, at)))
            upperCount += word.isUpper ? 1 : 0
            words.append(word)
        }
        isCapDifferent = upperCount > 0 && upperCount < words.count
    }

    /// Bytes of the white space at `at`, as Python's `str.split` sees it; 0: none.
    private static func blankLength(_ text: Text, _ at: Int) -> Int {
        switch text[at] {
        case 0x09...0x0D, 0x1C...0x20: return 1
        case 0xC2:
            return at + 1 < text.count && (text[at + 1] == 0x85 || text[at + 1] == 0xA0) ? 2 : 0
        case 0xE1:
            return at + 2 < text.count && text[at + 1] == 0x9A && text[at + 2] == 0x80 ? 3 : 0
        case 0xE2:
            guard at + 2 < text.count else { return 0 }
            switch (text[at + 1], text[at + 2]) {
            case (0x80, 0x80...0x8A), (0x80, 0xA8), (0x80, 0xA9), (0x80, 0xAF), (0x81, 0x9F):
                return 3
            default: return 0
            }
        case 0xE3:
            return at + 2 < text.count && text[at + 1] == 0x80 && text[at + 2] == 0x80 ? 3 : 0
        default: return 0
        }
    }

    /// The token without punctuation around it, unless at most two characters were left: an emoticon.
    private static func stripped(_ token: Text) -> Text {
        var start = 0
        var end = token.count
        while start < end, isPunctuation(token[start]) { start += 1 }
        while end > start, isPunctuation(token[end - 1]) { end -= 1 }
        let inner = token.slice(start, end)
        return CodePoints.count(inner) <= 2 ? token : inner
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    private mutating func word(_ token: Text) -> Word {
        lowered.removeAll(keepingCapacity: true)
        var hasUpper = false
        var hasLower = false
        if CodePoints.isASCII(token) {
            for byte in token {
                let isUpper = byte >= 0x41 && byte <= 0x5A
                hasUpper = hasUpper || isUpper
                hasLower = hasLower || byte >= 0x61 && byte <= 0x7A
                lowered.append(isUpper ? byte | 0x20 : byte)
            }
        } else {
            for scalar in CodePoints.scalars(token) {
                let properties = scalar.properties
                hasUpper = hasUpper || properties.isUppercase
                hasLower =
                    hasLower || properties.isLowercase
                    || properties.generalCategory == .titlecaseLetter
                lowered += properties.lowercaseMapping.utf8
            }
        }
        return lowered.withUnsafeBufferPointer { text in
            let entry = lexicon.entry(text)
            return Word(
                entry: entry, isUpper: hasUpper && !hasLower,
                isNegation: entry.traits.contains(.negation) || Self.hasContractedNot(text))
        }
    }

    /// Whether "n't" is in the word.
    private static func hasContractedNot(_ text: Text) -> Bool {
        guard text.count >= 3 else { return false }
        for at in 0...(text.count - 3)
        where text[at] == UInt8(ascii: "n") && text[at + 1] == UInt8(ascii: "'")
            && text[at + 2] == UInt8(ascii: "t")
        {
            return true
        }
        return false
    }

    // MARK: Valences

    private func valence(_ i: Int) -> Double {
        let word = words[i]
        guard word.isValued else { return 0 }
        var valence = word.entry.valence
        if word.role == .no, i + 1 < words.count, words[i + 1].isValued { valence = 0 }
        let followsNo =
            i > 0 && words[i - 1].role == .no || i > 1 && words[i - 2].role == .no
            || i > 2 && words[i - 3].role == .no && [.or, .nor].contains(words[i - 1].role)
        if followsNo { valence = word.entry.valence * Self.negationFactor }
        if word.isUpper && isCapDifferent {
            valence += valence > 0 ? Self.capsIncrease : -Self.capsIncrease
        }
        for distance in 0..<3 where i > distance && !words[i - distance - 1].isValued {
            var boost = self.boost(words[i - distance - 1], valence)
            if distance == 1 { boost *= 0.95 }
            if distance == 2 { boost *= 0.9 }
            valence += boost
            valence = negated(valence, distance, i)
            if distance == 2 { valence = idiomatic(valence, i) }
        }
        return leastChecked(valence, i)
    }

    /// What a booster before the word adds.
    private func boost(_ word: Word, _ valence: Double) -> Double {
        guard word.isBooster else { return 0 }
        var boost = valence < 0 ? -word.entry.boost : word.entry.boost
        if word.isUpper && isCapDifferent {
            boost += valence > 0 ? Self.capsIncrease : -Self.capsIncrease
        }
        return boost
    }

    private func negated(_ valence: Double, _ distance: Int, _ i: Int) -> Double {
        func isSoOrThis(_ index: Int) -> Bool {
            words[index].role == .so || words[index].role == .this
        }
        if distance == 1 {
            if words[i - 2].role == .never, isSoOrThis(i - 1) { return valence * 1.25 }
            if words[i - 2].role == .without, words[i - 1].role == .doubt { return valence }
        }
        if distance == 2 {
            if words[i - 3].role == .never && isSoOrThis(i - 2) || isSoOrThis(i - 1) {
                return valence * 1.25
            }
            if words[i - 3].role == .without,
                words[i - 2].role == .doubt || words[i - 1].role == .doubt
            {
                return valence
            }
        }
        return words[i - distance - 1].isNegation ? valence * Self.negationFactor : valence
    }

    /// Phrases whose valence is not that of their words.
    private static let special: [(phrase: [SentimentLexicon.Role], valence: Double)] = [
        ([.the, .shit], 3), ([.the, .bomb], 3), ([.bad, .ass], 1.5), ([.bus, .stop], 0),
        ([.yeah, .right], -2), ([.kiss, .of, .death], -1.5), ([.to, .die, .for], 3),
        ([.beating, .heart], 3.5),
    ]

    /// The valence of the words from `start` to `end`, where they are a special phrase.
    private func special(_ start: Int, _ end: Int) -> Double? {
        guard words[start].role != .other else { return nil }
        for (phrase, valence) in Self.special
        where phrase.count == end - start + 1
            && phrase.indices.allSatisfy({ words[start + $0].role == phrase[$0] })
        {
            return valence
        }
        return nil
    }

    private func idiomatic(_ before: Double, _ i: Int) -> Double {
        var valence =
            special(i - 1, i) ?? special(i - 2, i) ?? special(i - 2, i - 1)
            ?? special(i - 3, i - 1) ?? special(i - 3, i - 2) ?? before
        if i + 1 < words.count, let other = special(i, i + 1) { valence = other }
        if i + 2 < words.count, let other = special(i, i + 2) { valence = other }
        for start in [i - 3, i - 2] {
            switch (words[start].role, words[start + 1].role) {
            case (.just, .enough), (.kind, .of), (.sort, .of): valence += -0.293
            default: break
            }
        }
        return valence
    }

    private func leastChecked(_ valence: Double, _ i: Int) -> Double {
        guard i > 0, !words[i - 1].isValued, words[i - 1].role == .least else { return valence }
        if i > 1, words[i - 2].role == .at || words[i - 2].role == .very { return valence }
        return valence * Self.negationFactor
    }

    /// What stands before "but" counts half, what stands behind it one and a half times.
    private mutating func checkBut() {
        guard let but = words.firstIndex(where: { $0.role == .but }) else { return }
        for index in scores.indices {
            let score = scores[index]
            guard let first = scores.firstIndex(of: score) else { continue }
            if first < but { scores[first] = score * 0.5 }
            if first > but { scores[first] = score * 1.5 }
        }
    }

    // MARK: The sum

    private func summed(_ text: Text) -> Sentiment {
        guard !scores.isEmpty else { return Sentiment() }
        var sum = 0.0
        var positive = 0.0
        var negative = 0.0
        var neutral = 0.0
        for score in scores {
            sum += score
            if score > 0 { positive += score + 1 }
            if score < 0 { negative += score - 1 }
            if score == 0 { neutral += 1 }
        }
        let emphasis = Self.emphasis(text)
        if sum > 0 { sum += emphasis }
        if sum < 0 { sum -= emphasis }
        if positive > abs(negative) {
            positive += emphasis
        } else if positive < abs(negative) {
            negative -= emphasis
        }
        let total = positive + abs(negative) + neutral
        let compound = sum / (sum * sum + 15).squareRoot()
        return Sentiment(
            negative: Self.rounded(abs(negative / total), 1000),
            neutral: Self.rounded(abs(neutral / total), 1000),
            positive: Self.rounded(abs(positive / total), 1000),
            compound: Self.rounded(max(-1, min(1, compound)), 10_000))
    }

    private static func emphasis(_ text: Text) -> Double {
        var exclamations = 0
        var questions = 0
        for byte in text {
            if byte == UInt8(ascii: "!") { exclamations += 1 }
            if byte == UInt8(ascii: "?") { questions += 1 }
        }
        let raised = Double(min(exclamations, 4)) * 0.292
        let asked = questions > 3 ? 0.96 : questions > 1 ? Double(questions) * 0.18 : 0
        return raised + asked
    }

    /// The nearest decimal of the exact value, ties to even, as Python's `round` gives it.
    private static func rounded(_ value: Double, _ scale: Double) -> Double {
        let product = value * scale
        let rest = (-product).addingProduct(value, scale)
        var nearest = product.rounded(.toNearestOrEven)
        let distance = product - nearest
        // The product is a tie only by its own rounding: the rest says which side is nearer.
        if abs(distance) == 0.5, rest != 0 {
            nearest = (rest > 0) ? product.rounded(.up) : product.rounded(.down)
        }
        return nearest / scale
    }
}
