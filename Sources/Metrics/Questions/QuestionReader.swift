import CivilTime

/// Reads a question: words to items to drafts to frames, over every meaning that the words can have.
/// Pure: the same question, model, values and clock give the same answer.
package struct QuestionReader: Sendable {
    let model: MetricModel
    let values: [String: [String]]
    /// Local microseconds in the model's zone.
    let now: Int64

    /// `values` are the words for values, by dimension; `now` is local time in the model's zone.
    package init(model: MetricModel, values: [String: [String]], now: Int64) {
        self.model = model
        self.values = values
        self.now = now
    }

    /// What came of reading.
    package enum Outcome: Sendable {
        case read(Reading)
        /// Two or more; the asker chooses.
        case ambiguous([Reading])
        case refused(Refusal)
    }

    /// Meanings of one question that are tried.
    static let variantLimit = 24

    /// Reads a question; `previous` is the frame that it may go on from.
    package func read(_ question: String, previous: Frame? = nil) -> Outcome {
        if let refusal = NotAQuestion.refusal(of: question) { return .refused(refusal) }
        let tokens = Tokenizer.tokens(question)
        guard !tokens.isEmpty else {
            return .refused(Refusal(.notAQuestion, "there is no question"))
        }
        let vocabulary = Vocabulary(model, values: values)
        var readings: [Reading] = []
        var refusals: [Refusal] = []
        for variant in spelt(tokens, vocabulary) {
            for splitsAverages in splits(variant.tokens) {
                let items = ItemReader(
                    tokens: variant.tokens, vocabulary: vocabulary,
                    time: TimePhrases(tokens: variant.tokens, now: now),
                    splitsAverages: splitsAverages
                ).read()
                guard items.unexplained.isEmpty else {
                    refusals.append(unexplained(items.unexplained, vocabulary))
                    continue
                }
                let meant = narrowed(items.items)
                guard let choices = combinations(meant) else {
                    refusals.append(
                        Refusal(
                            .cannotCombine, "too many words have more than one meaning",
                            words: meant.filter { $0.kinds.count > 1 }.map(\.text),
                            suggestions: ["name the dimension with each value"]))
                    continue
                }
                for kinds in choices {
                    do throws(Refusal) {
                        for reading in try interpret(
                            items.items, kinds, previous, variant.corrections)
                        where !readings.contains(where: { $0.frame == reading.frame }) {
                            readings.append(reading)
                        }
                    } catch { refusals.append(error) }
                }
            }
        }
        if readings.count == 1 { return .read(readings[0]) }
        if readings.count > 1 { return .ambiguous(readings) }
        return .refused(
            refusals.min { weight($0) < weight($1) }
                ?? Refusal(.notAQuestion, "there is no question"))
    }

    /// The average amount per day: by day, or over days; the share of fraud: a rate, or each row's part.
    private func splits(_ tokens: [Token]) -> [Bool] {
        let words = ItemReader.shares.union(["average", "mean", "avg"])
        return tokens.contains { words.contains($0.lower) } ? [false, true] : [false]
    }

    /// The refusal that comes nearest to an answer is shown.
    private func weight(_ refusal: Refusal) -> Int {
        (refusal.code == .notAnswerable ? 0 : refusal.code == .unexplained ? 20 : 10)
            + refusal.words.count
    }

    private func interpret(
        _ items: [Item], _ kinds: [Item.Kind], _ previous: Frame?, _ corrections: [Correction]
    ) throws(Refusal) -> [Reading] {
        var interpreter = Interpreter(model: model, items: items, kinds: kinds)
        let draft = try interpreter.read()
        var readings: [Reading] = []
        var problem: MetricError?
        let assembly = Assembly(
            model: model, previous: previous?.model == model.name ? previous : nil, now: now)
        for made in try assembly.frames(draft) {
            do throws(MetricError) {
                try FrameCheck(model: model, values: values).check(made.frame)
                readings.append(
                    Reading(
                        frame: made.frame, text: ReadingText(model: model).text(made.frame),
                        corrections: corrections, notes: made.notes))
            } catch { problem = error }
        }
        if readings.isEmpty, let problem {
            throw Refusal(
                .notAnswerable, problem.message, suggestions: problem.hint.map { [$0] } ?? [])
        }
        return readings
    }

    // MARK: Spelling

    private typealias Variant = (tokens: [Token], corrections: [Correction])

    /// The tokens with unknown words replaced by what was probably meant; more than one where two words
    /// are equally near.
    private func spelt(_ tokens: [Token], _ vocabulary: Vocabulary) -> [Variant] {
        let spelling = Spelling(vocabulary: vocabulary)
        var variants: [Variant] = [(tokens, [])]
        for (index, token) in tokens.enumerated() where token.kind == .word {
            guard !spelling.knows(token.lower), variants.count < 4 else { continue }
            let candidates = spelling.candidates(for: token.lower)
            guard !candidates.isEmpty, candidates.count <= 4 else { continue }
            variants = variants.flatMap { variant in
                candidates.map { candidate in
                    var changed = variant
                    changed.tokens[index].lower = candidate
                    changed.corrections.append(Correction(typed: token.text, read: candidate))
                    return changed
                }
            }
        }
        return variants
    }

    // MARK: Meanings

    /// Drops meanings that the neighbours of a word rule out.
    private func narrowed(_ items: [Item]) -> [Item] {
        var result = items
        for index in items.indices where items[index].kinds.count > 1 {
            let before = index > 0 ? items[index - 1] : nil
            var kinds = items[index].kinds
            func isDimension(_ kind: Item.Kind) -> Bool {
                if case .dimension = kind { true } else { false }
            }
            if kinds.contains(where: isDimension), wantsDimension(before, items, index) {
                kinds = kinds.filter(isDimension)
            } else if let before, before.kinds == [.sum] || before.kinds == [.howMany] {
                let metrics = kinds.filter { if case .metric = $0 { true } else { false } }
                if !metrics.isEmpty { kinds = metrics }
            }
            let named = [index - 1, index + 1].filter(items.indices.contains)
                .flatMap { items[$0].kinds }
                .compactMap { if case .dimension(let name) = $0 { name } else { nil } }
            let values = kinds.filter {
                if case .value(let dimension, _) = $0 { named.contains(dimension) } else { false }
            }
            if !values.isEmpty { kinds = values }
            result[index].kinds = kinds
        }
        return result
    }

    /// Which …, by …, top 10 …: a dimension follows.
    private func wantsDimension(_ before: Item?, _ items: [Item], _ index: Int) -> Bool {
        guard let before, let kind = before.kinds.first else { return false }
        switch kind {
        case .by, .per, .top: return true
        case .number where index > 1:
            if case .top? = items[index - 2].kinds.first { return true }
            return false
        case .stop: return ["which", "what"].contains(before.text.lowercased())
        default: return false
        }
    }

    /// Every choice of meanings; nil when they are too many to be tried.
    private func combinations(_ items: [Item]) -> [[Item.Kind]]? {
        var found: [[Item.Kind]] = [[]]
        for item in items {
            found = found.flatMap { prefix in item.kinds.map { prefix + [$0] } }
            if found.count > QuestionReader.variantLimit { return nil }
        }
        // Whoever writes 10.000 for ten thousand does so throughout.
        let numbers = items.indices.filter {
            if case .number = items[$0].kinds[0] { items[$0].kinds.count > 1 } else { false }
        }
        return found.filter { kinds in
            Set(numbers.map { items[$0].kinds.firstIndex(of: kinds[$0]) }).count <= 1
        }
    }

    // MARK: Words that nobody knows

    private func unexplained(_ words: [String], _ vocabulary: Vocabulary) -> Refusal {
        var suggestions: [String] = []
        for word in words {
            let lower = Tokenizer.folded(word)
            if let hint = Hints.words[lower] {
                suggestions.append("\(word): \(hint)")
                continue
            }
            let letters = Array(lower.unicodeScalars)
            guard letters.count > 3 else { continue }
            let near = vocabulary.words.map { name in
                (name, Spelling.distance(letters, Array(name.unicodeScalars)))
            }.filter { $0.0.count > 2 && $0.1 <= max(1, letters.count / 3) }
                .min { ($0.1, $0.0) < ($1.1, $1.0) }
            if let near, near.0 != lower { suggestions.append("\(word): did you mean \(near.0)?") }
        }
        suggestions.append(
            "metrics: " + model.metrics.prefix(12).map(\.label).joined(separator: ", "))
        if !model.dimensions.isEmpty {
            suggestions.append(
                "by: " + model.dimensions.prefix(12).map(\.label).joined(separator: ", "))
        }
        let list = words.map { "\"\($0)\"" }.joined(separator: ", ")
        return Refusal(
            .unexplained,
            "I do not know \(words.count == 1 ? "the word" : "the words") \(list), so I do not answer",
            words: words, suggestions: suggestions)
    }
}

/// Tells questions from commands and SQL.
enum NotAQuestion {
    private static let verbs: Set<String> = [
        "drop", "delete", "remove", "truncate", "update", "insert", "alter", "create", "grant",
        "revoke", "merge", "replace", "rename", "kill", "cancel", "call", "execute", "exec", "run",
        "set", "write", "store", "save", "destroy", "erase", "wipe", "overwrite", "vacuum",
        "optimize", "purge", "reset", "shutdown", "stop", "start",
    ]
    private static let courtesies: Set<String> = [
        "please", "can", "could", "would", "you", "will", "now", "just", "then", "and", "go",
        "ahead", "i", "want", "to", "let", "us", "kindly",
    ]
    /// Verbs that ask for a change wherever a part of the sentence begins with one.
    private static let changes: Set<String> = [
        "drop", "delete", "truncate", "destroy", "erase", "wipe", "purge", "overwrite", "revoke",
    ]
    private static let clauses: Set<String> = ["from", "into", "where", "set", "values", "join"]

    /// Why the text is not answered; nil for what may be a question.
    static func refusal(of text: String) -> Refusal? {
        guard text.count <= Tokenizer.letterLimit else {
            return Refusal(
                .notAQuestion, "a question has at most \(Tokenizer.letterLimit) letters")
        }
        let words = Tokenizer.tokens(text).filter { $0.kind == .word }.map(\.lower)
        if let verb = words.first(where: { !courtesies.contains($0) }), verbs.contains(verb) {
            return Refusal(
                .notAQuestion, "that is not a question, and asking changes nothing: \(verb)",
                words: [verb], suggestions: ["ask about a metric"])
        }
        if let verb = laterOrder(text) {
            return Refusal(
                .notAQuestion, "asking changes nothing: \(verb)", words: [verb],
                suggestions: ["ask about a metric, and nothing else"])
        }
        let isSQL =
            words.first == "explain"
            || (words.contains("select") && words.contains { clauses.contains($0) })
        let hasSigns = text.contains(";") || text.contains("--") || text.contains("/*")
        if isSQL || hasSigns || words.first == "select" {
            return Refusal(
                .notAQuestion, "that is SQL, not a question",
                suggestions: ["run SQL with `lakehouse sql`, or in the console's editor"])
        }
        return nil
    }

    /// The verb of an order that stands behind a question: "… by region, and then drop the table".
    private static func laterOrder(_ text: String) -> String? {
        for part in text.split(whereSeparator: { ",.:!?\n".contains($0) }) {
            var begins = true
            for token in Tokenizer.tokens(String(part)) where token.kind == .word {
                if begins, changes.contains(token.lower) { return token.lower }
                begins =
                    token.lower == "and" || token.lower == "then"
                    || begins && courtesies.contains(token.lower)
            }
        }
        return nil
    }
}
