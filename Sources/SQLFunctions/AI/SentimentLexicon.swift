import Bytes
import CLexicons

/// The words that VADER knows, found by their lower-case bytes.
///
/// Built once a process from the embedded files: open addressing over one array of slots, keys where
/// the binary has them. Source: vaderSentiment 3.3.2 (Hutto and Gilbert, ICWSM 2014), MIT.
struct SentimentLexicon: Sendable {
    static let standard = SentimentLexicon()

    /// What a word does to a sentence.
    struct Traits: OptionSet, Sendable {
        let rawValue: UInt16
        /// It has a valence of its own.
        static let valued = Traits(rawValue: 1 << 0)
        /// It raises or dampens what follows.
        static let booster = Traits(rawValue: 1 << 1)
        /// It negates what follows.
        static let negation = Traits(rawValue: 1 << 2)
    }

    /// Words that rules name.
    enum Role: UInt8, Sendable {
        case other, no, or, nor, never, so, this, without, doubt, least, at, very, but, kind, of
        case the, shit, bomb, bad, ass, bus, stop, yeah, right, kiss, death, to, die, `for`, beating
        case heart, just, enough, sort
    }

    /// What is known of one word.
    struct Entry: Sendable {
        var valence = 0.0
        var boost = 0.0
        var traits: Traits = []
        var role = Role.other
    }

    private struct Key {
        var offset: Int
        var length: Int
        var hash: UInt64
        var entry: Entry
    }

    private var bytes: [UInt8] = []
    private var keys: [Key] = []
    private var slots: [UInt32]
    private let mask: Int
    /// Descriptions of emoji by their code point.
    private var emoji: [UInt32: [UInt8]] = [:]

    private init() {
        slots = [UInt32](repeating: 0, count: 1 << 15)
        mask = slots.count - 1
        Self.eachLine(lexicon_vader_words()) { word, text in
            guard let valence = Double(String(decoding: text, as: UTF8.self)) else { return }
            change(word) {
                $0.valence = valence
                $0.traits.insert(.valued)
            }
        }
        for (words, boost) in [(Self.raising, 0.293), (Self.dampening, -0.293)] {
            for word in words.split(separator: " ") {
                change(word.utf8) {
                    $0.boost = boost
                    $0.traits.insert(.booster)
                }
            }
        }
        for word in Self.negations.split(separator: " ") {
            change(word.utf8) { $0.traits.insert(.negation) }
        }
        for (word, role) in Self.roles { change(word.utf8) { $0.role = role } }
        Self.eachLine(lexicon_vader_emoji()) { sign, text in
            guard let scalar = String(decoding: sign, as: UTF8.self).unicodeScalars.first else {
                return
            }
            emoji[scalar.value] = Array(text)
        }
    }

    /// What is known of a word in lower case; nothing in particular for one that is not here.
    func entry(_ word: Text) -> Entry {
        let hash = xxHash64(UnsafeRawBufferPointer(word))
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let key = keys[Int(slots[slot]) - 1]
            if key.hash == hash, key.length == word.count, isEqual(key, word) { return key.entry }
            slot = (slot + 1) & mask
        }
        return Entry()
    }

    /// The words for an emoji; nil for every other character.
    func description(ofEmoji scalar: UInt32) -> [UInt8]? { emoji[scalar] }

    private func isEqual(_ key: Key, _ word: Text) -> Bool {
        for index in 0..<key.length where bytes[key.offset + index] != word[index] { return false }
        return true
    }

    private mutating func change(_ word: some Sequence<UInt8>, _ body: (inout Entry) -> Void) {
        let wanted = Array(word)
        let hash = xxHash64(wanted)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            let isSame = wanted.withUnsafeBufferPointer {
                keys[index].length == $0.count && isEqual(keys[index], $0)
            }
            if isSame { return body(&keys[index].entry) }
            slot = (slot + 1) & mask
        }
        var entry = Entry()
        body(&entry)
        keys.append(Key(offset: bytes.count, length: wanted.count, hash: hash, entry: entry))
        bytes += wanted
        slots[slot] = UInt32(keys.count)
    }

    /// Calls `body` with both sides of the tab of each line.
    private static func eachLine(
        _ lexicon: lexicon, _ body: (Slice<Text>, Slice<Text>) -> Void
    ) {
        let text = Text(start: lexicon.bytes, count: lexicon.size)
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else { continue }
            body(line[..<tab], line[(tab + 1)...])
        }
    }

    private static let raising = """
        absolutely amazingly awfully completely considerable considerably decidedly deeply effing \
        enormous enormously entirely especially exceptional exceptionally extreme extremely \
        fabulously flipping flippin frackin fracking fricking frickin frigging friggin fully fuckin \
        fucking fuggin fugging greatly hella highly hugely incredible incredibly intensely major \
        majorly more most particularly purely quite really remarkably so substantially thoroughly \
        total totally tremendous tremendously uber unbelievably unusually utter utterly very
        """
    /// "just enough", "kind of" and "sort of" are matched as phrases.
    private static let dampening = """
        almost barely hardly kinda kindof kind-of less little marginal marginally occasional \
        occasionally partly scarce scarcely slight slightly somewhat sorta sortof sort-of
        """
    private static let negations = """
        aint arent cannot cant couldnt darent didnt doesnt ain't aren't can't couldn't daren't \
        didn't doesn't dont hadnt hasnt havent isnt mightnt mustnt neither don't hadn't hasn't \
        haven't isn't mightn't mustn't neednt needn't never none nope nor not nothing nowhere \
        oughtnt shant shouldnt uhuh wasnt werent oughtn't shan't shouldn't uh-uh wasn't weren't \
        without wont wouldnt won't wouldn't rarely seldom despite
        """
    private static let roles: [(String, Role)] = [
        ("no", .no), ("or", .or), ("nor", .nor), ("never", .never), ("so", .so), ("this", .this),
        ("without", .without), ("doubt", .doubt), ("least", .least), ("at", .at), ("very", .very),
        ("but", .but), ("kind", .kind), ("of", .of), ("the", .the), ("shit", .shit),
        ("bomb", .bomb), ("bad", .bad), ("ass", .ass), ("bus", .bus), ("stop", .stop),
        ("yeah", .yeah), ("right", .right), ("kiss", .kiss), ("death", .death), ("to", .to),
        ("die", .die), ("for", .for), ("beating", .beating), ("heart", .heart), ("just", .just),
        ("enough", .enough), ("sort", .sort),
    ]
}
