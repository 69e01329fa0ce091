/// Finds the word that was meant by one that nobody knows. Never silent: whoever uses a correction
/// shows it.
struct Spelling {
    let vocabulary: Vocabulary

    /// Whether the word needs no correction.
    func knows(_ word: String) -> Bool {
        Lexicon.words.contains(word) || Spelling.numbers.contains(word)
            || Hints.words[word] != nil || vocabulary.words.contains(word)
            || vocabulary.words.contains(Tokenizer.stem(word))
    }

    private static let numbers = Set(ItemReader.words.keys)
        .union(["eleven", "thirteen", "fifteen", "thirty", "forty", "sixty", "ninety"])

    /// The nearest words, all at the same distance; empty when none is near.
    ///
    /// Short words are not touched; those of up to seven letters may have one wrong, longer ones two.
    /// The first letter must be right in words below eight letters.
    func candidates(for word: String) -> [String] {
        let letters = Array(word.unicodeScalars)
        guard letters.count >= 4, letters.allSatisfy({ $0.properties.isAlphabetic }) else {
            return []
        }
        let limit = letters.count < 8 ? 1 : 2
        var best: [String] = []
        var bestDistance = limit + 1
        func weigh(_ candidate: String) {
            let other = Array(candidate.unicodeScalars)
            // Currently is no way to write current.
            guard !(word.hasSuffix("ly") && !candidate.hasSuffix("ly")) else { return }
            guard other.count >= 4, abs(other.count - letters.count) <= limit,
                letters.count >= 8 || other.first == letters.first,
                !Spelling.isOpposite(letters, other)
            else { return }
            let distance = Spelling.distance(letters, other)
            if distance < bestDistance {
                best = [candidate]
                bestDistance = distance
            } else if distance == bestDistance, distance <= limit, !best.contains(candidate) {
                best.append(candidate)
            }
        }
        for candidate in vocabulary.words { weigh(candidate) }
        // The typed word may be a plural, its stem the misspelt name.
        let stem = Tokenizer.stem(word)
        if stem != word {
            let shorter = Array(stem.unicodeScalars)
            for candidate in vocabulary.words where shorter.count >= 4 {
                let other = Array(candidate.unicodeScalars)
                guard abs(other.count - shorter.count) <= limit, other.first == shorter.first,
                    !Spelling.isOpposite(shorter, other)
                else { continue }
                let distance = Spelling.distance(shorter, other)
                guard distance <= (shorter.count < 8 ? 1 : 2) else { continue }
                if distance < bestDistance {
                    best = [candidate]
                    bestDistance = distance
                } else if distance == bestDistance, !best.contains(candidate) {
                    best.append(candidate)
                }
            }
        }
        // Nothing is corrected into a word that is passed over.
        for candidate in Lexicon.words.subtracting(Lexicon.stopWords)
        where candidate.utf8.count >= 5 && letters.count >= 5 {
            weigh(candidate)
        }
        return bestDistance <= limit ? best.sorted() : []
    }

    /// What in front of a word turns its meaning round.
    private static let prefixes = [
        "un", "in", "im", "non", "de", "re", "dis", "anti", "il", "ir", "mis", "ex",
    ].map { Array($0.unicodeScalars) }

    /// Whether one word is the other with such letters in front: inactive is not active.
    private static func isOpposite(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Bool {
        let full = distance(left, right)
        func drops(_ long: [Unicode.Scalar], _ short: [Unicode.Scalar]) -> Bool {
            prefixes.contains { prefix in
                long.starts(with: prefix) && !short.starts(with: prefix)
                    && distance(Array(long.dropFirst(prefix.count)), short) < full
            }
        }
        return drops(left, right) || drops(right, left)
    }

    /// Damerau's distance with neighbours exchanged (optimal string alignment). O(n·m).
    static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [row]
            current.reserveCapacity(right.count + 1)
            for column in 1...right.count {
                let cost = left[row - 1] == right[column - 1] ? 0 : 1
                var value = min(
                    last[column] + 1, current[column - 1] + 1, last[column - 1] + cost)
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    value = min(value, beforeLast[column - 2] + 1)
                }
                current.append(value)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
