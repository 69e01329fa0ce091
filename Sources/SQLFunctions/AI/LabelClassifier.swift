/// Chooses the label whose words a text has, without a model and without a network.
///
/// A label is its name, or `name: word, phrase, …` with words that speak for it (those of the name
/// count too). Text and labels are cut into words, lower-cased and shortened by English endings. Each
/// word of a label looks for its best partner in the text: 1 for the same stem, else the Dice
/// coefficient of their letter trigrams where it is at least 0.6, so that "refunded" meets "refund" and
/// "acount" meets "account". The label's score is the sum of its partners over the square root of its
/// word count; of equal scores the label named first wins, and without any partner the answer is NULL.
///
/// Labels that are all of `positive`, `negative`, `neutral` are decided by the sentiment, at VADER's
/// usual limits of ±0.05.
struct LabelClassifier {
    private struct Label {
        var name: [UInt8]
        var words: [Word]
    }

    private struct Word: Hashable {
        var stem: [UInt8]
        /// Three letters each, with a mark at both ends, sorted.
        var trigrams: [UInt32]
    }

    private var given: [[UInt8]]?
    private var labels: [Label] = []
    private var isMood = false
    private var analyzer = SentimentAnalyzer()
    private static let near = 0.6

    /// Reads labels; those of the row before are kept.
    mutating func use(_ texts: [[UInt8]]) throws(QueryFault) {
        if given == texts { return }
        guard !texts.isEmpty else { throw invalid("ai_classify needs at least one label") }
        var labels: [Label] = []
        for text in texts {
            let halves = text.split(
                separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.trimmed(halves[0])
            guard !name.isEmpty else { throw invalid("a label of ai_classify has no name") }
            var seen: Set<[UInt8]> = []
            let words = text.withUnsafeBufferPointer { Self.words($0) }
                .filter { seen.insert($0.stem).inserted }
            labels.append(Label(name: name, words: words))
        }
        self.labels = labels
        given = texts
        let moods: Set<String> = ["positive", "negative", "neutral"]
        isMood = labels.allSatisfy { moods.contains(Self.text($0).lowercased()) }
    }

    mutating func label(for text: Text) -> [UInt8]? {
        if isMood { return mood(text) }
        let words = Self.words(text)
        var best: (score: Double, name: [UInt8])?
        for label in labels where !label.words.isEmpty {
            var sum = 0.0
            for word in label.words { sum += Self.partner(word, words) }
            let score = sum / Double(label.words.count).squareRoot()
            if score > best?.score ?? 0 { best = (score, label.name) }
        }
        return best?.name
    }

    private mutating func mood(_ text: Text) -> [UInt8]? {
        let compound = analyzer.sentiment(of: text).compound
        let name = compound >= 0.05 ? "positive" : compound <= -0.05 ? "negative" : "neutral"
        return labels.first { Self.text($0).lowercased() == name }?.name
    }

    private static func text(_ label: Label) -> String {
        String(decoding: label.name, as: UTF8.self)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var rest = bytes
        while rest.first == 0x20 { rest.removeFirst() }
        while rest.last == 0x20 { rest.removeLast() }
        return Array(rest)
    }

    // MARK: Words

    private static func partner(_ word: Word, _ words: [Word]) -> Double {
        var best = 0.0
        for other in words {
            if other.stem == word.stem { return 1 }
            let likeness = dice(word.trigrams, other.trigrams)
            if likeness >= near, likeness > best { best = likeness }
        }
        return best
    }

    private static func dice(_ left: [UInt32], _ right: [UInt32]) -> Double {
        // Words of very different length cannot be near.
        let (few, many) = (min(left.count, right.count), max(left.count, right.count))
        guard few >= 3, 2 * Double(few) / Double(few + many) >= near else { return 0 }
        var (i, j, common) = (0, 0, 0)
        while i < left.count, j < right.count {
            if left[i] == right[j] {
                common += 1
                i += 1
                j += 1
            } else if left[i] < right[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return 2 * Double(common) / Double(left.count + right.count)
    }

    private static let fillers: Set<String> = [
        "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "my",
        "of",
        "on", "or", "our", "that", "the", "this", "to", "was", "we", "with", "you", "your",
    ]

    /// The words of a text, without those that say nothing.
    private static func words(_ text: Text) -> [Word] {
        var found: [Word] = []
        let lowered = text.string.lowercased()
        for piece in lowered.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "'" }) {
            let plain = piece.hasSuffix("'s") ? piece.dropLast(2) : piece
            guard !plain.isEmpty, !fillers.contains(String(plain)) else { continue }
            let stem = stem(Array(plain.utf8))
            found.append(Word(stem: stem, trigrams: trigrams(stem)))
        }
        return found
    }

    /// The word without common English endings: plural, past, gerund; at least three letters stay.
    private static func stem(_ word: [UInt8]) -> [UInt8] {
        func ends(_ ending: String, leaving: Int) -> Bool {
            word.count >= ending.utf8.count + leaving
                && word.suffix(ending.utf8.count).elementsEqual(ending.utf8)
        }
        if ends("ies", leaving: 2) { return word.dropLast(3) + [UInt8(ascii: "y")] }
        if ends("ments", leaving: 3) { return Array(word.dropLast(5)) }
        if ends("ment", leaving: 3) { return Array(word.dropLast(4)) }
        if ends("ings", leaving: 3) { return Array(word.dropLast(4)) }
        if ends("ing", leaving: 3) { return Array(word.dropLast(3)) }
        if ends("sses", leaving: 1) { return Array(word.dropLast(2)) }
        if ends("ed", leaving: 3) { return Array(word.dropLast(2)) }
        if ends("es", leaving: 3) { return Array(word.dropLast(2)) }
        if ends("s", leaving: 3), !ends("ss", leaving: 0) { return Array(word.dropLast(1)) }
        if ends("e", leaving: 3) { return Array(word.dropLast(1)) }
        return word
    }

    private static func trigrams(_ stem: [UInt8]) -> [UInt32] {
        let marked = [1] + stem.map { UInt32($0) } + [2]
        guard marked.count >= 3 else { return [] }
        return (0...(marked.count - 3)).map {
            marked[$0] << 16 | marked[$0 + 1] << 8 | marked[$0 + 2]
        }.sorted()
    }
}
