/// The 300 MiB of prose that comments are cut from, kept as one byte a word (about 45 MB) and an index.
///
/// The reference lays the text out. A comment is some hundred bytes at a random place, so the words are
/// kept instead, with the place of every 256th byte: a comment walks at most that far to its first
/// letter. Made when the first comment is read, which takes most of a second.
final class TextPool: @unchecked Sendable {
    // Safe because nothing changes after init.

    static let shared = TextPool()

    /// Bytes of the text.
    static let byteCount = 300 * 1024 * 1024
    private static let blockBits = 8
    /// Bytes a piece of text takes in `pieces`; no piece is longer.
    static let pieceBytes = 16

    /// A byte a piece.
    private let tokens: [UInt8]
    /// For each block: the piece that its first byte is in, and where that piece begins.
    private let blocks: [(token: UInt32, start: UInt32)]
    /// The text of each piece, padded; words begin with the space before them.
    private let pieces: [UInt8]
    private let lengths: [UInt8]

    /// Copies `count` bytes from `offset` on to `target`, which has `pieceBytes` more than that.
    func copy(_ offset: Int, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
        // The text begins with a word, the stream of pieces with the space before it.
        let begin = offset + 1
        let block = blocks[begin >> Self.blockBits]
        var token = Int(block.token)
        var start = Int(block.start)
        while start + Int(lengths[Int(tokens[token])]) <= begin {
            start += Int(lengths[Int(tokens[token])])
            token += 1
        }
        pieces.withUnsafeBufferPointer { pieces in
            guard let base = pieces.baseAddress else { return }
            var written = 0
            var skipped = begin - start
            while written < count {
                let piece = Int(tokens[token])
                // Always whole, whatever is wanted of it: what is too much is overwritten or slack.
                (target + written).update(
                    from: base + piece * Self.pieceBytes + skipped,
                    count: Self.pieceBytes - skipped)
                written += Int(lengths[piece]) - skipped
                skipped = 0
                token += 1
            }
        }
    }

    private init() {
        var maker = Maker()
        var tokens: [UInt8] = []
        tokens.reserveCapacity(48 << 20)
        var blocks: [(token: UInt32, start: UInt32)] = []
        blocks.reserveCapacity(Self.byteCount >> Self.blockBits + 2)
        var offset = 0
        var counted = 0
        while offset <= Self.byteCount {
            maker.sentence(into: &tokens)
            while counted < tokens.count {
                let end = offset + Int(maker.lengths[Int(tokens[counted])])
                while blocks.count << Self.blockBits < end {
                    blocks.append((UInt32(counted), UInt32(offset)))
                }
                offset = end
                counted += 1
            }
        }
        self.tokens = tokens
        self.blocks = blocks
        pieces = maker.pieces
        lengths = maker.lengths
    }

    /// Writes sentences as pieces.
    private struct Maker {
        private(set) var pieces: [UInt8] = []
        private(set) var lengths: [UInt8] = []
        private var random = RowRandom(933_588_178)
        private let sentences, nounPhrases, verbPhrases: [[UInt8]]
        private var articles: [UInt8] = []
        private var nouns: [UInt8] = []
        private var verbs: [UInt8] = []
        private var adverbs: [UInt8] = []
        private var adjectives: [UInt8] = []
        private var prepositions: [UInt8] = []
        private var auxiliaries: [UInt8] = []
        private var terminators: [UInt8] = []
        private var comma: UInt8 = 0

        init() {
            func rules(_ list: [(word: String, weight: Int)]) -> [[UInt8]] {
                list.flatMap { Array(repeating: Array($0.word.utf8), count: $0.weight) }
            }
            sentences = rules(WordLists.sentences)
            nounPhrases = rules(WordLists.nounPhrases)
            verbPhrases = rules(WordLists.verbPhrases)
            articles = add(WordLists.articles)
            nouns = add(WordLists.nouns)
            verbs = add(WordLists.verbs)
            adverbs = add(WordLists.adverbs)
            adjectives = add(WordLists.adjectives)
            prepositions = add(WordLists.prepositions)
            auxiliaries = add(WordLists.auxiliaries)
            terminators = add(WordLists.terminators, space: "")
            comma = add([(",", 1)], space: "")[0]
        }

        /// The list as pieces, each as often as it weighs.
        private mutating func add(
            _ list: [(word: String, weight: Int)], space: String = " "
        ) -> [UInt8] {
            var slots: [UInt8] = []
            for entry in list {
                let text = Array((space + entry.word).utf8)
                slots += Array(repeating: UInt8(lengths.count), count: entry.weight)
                lengths.append(UInt8(text.count))
                pieces += text + Array(repeating: 0, count: TextPool.pieceBytes - text.count)
            }
            return slots
        }

        @inline(__always) private mutating func pick<Element>(_ slots: [Element]) -> Element {
            slots[random.next(0, slots.count - 1)]
        }

        mutating func sentence(into tokens: inout [UInt8]) {
            for letter in pick(sentences) {
                switch letter {
                case UInt8(ascii: "V"): verbPhrase(into: &tokens)
                case UInt8(ascii: "N"): nounPhrase(into: &tokens)
                case UInt8(ascii: "P"):
                    tokens.append(pick(prepositions))
                    tokens.append(articles[0])  // Always "the".
                    nounPhrase(into: &tokens)
                case UInt8(ascii: "T"): tokens.append(pick(terminators))
                default: break
                }
            }
        }

        private mutating func verbPhrase(into tokens: inout [UInt8]) {
            for letter in pick(verbPhrases) {
                switch letter {
                case UInt8(ascii: "D"): tokens.append(pick(adverbs))
                case UInt8(ascii: "V"): tokens.append(pick(verbs))
                case UInt8(ascii: "X"): tokens.append(pick(auxiliaries))
                default: break
                }
            }
        }

        private mutating func nounPhrase(into tokens: inout [UInt8]) {
            for letter in pick(nounPhrases) {
                switch letter {
                case UInt8(ascii: "J"): tokens.append(pick(adjectives))
                case UInt8(ascii: "D"): tokens.append(pick(adverbs))
                case UInt8(ascii: "N"): tokens.append(pick(nouns))
                case UInt8(ascii: ","): tokens.append(comma)
                default: break
                }
            }
        }
    }
}
