/// A word, number, quoted text or sign of a question.
struct Token: Hashable {
    enum Kind: Hashable {
        case word
        /// Digits; `isOrdinal` for 1st, 2nd.
        case number(ExactNumber, isOrdinal: Bool)
        /// A date with digits only, such as 2025-03-01.
        case quoted
        case sign
    }

    var kind: Kind
    /// As typed.
    var text: String
    /// In small letters without accents.
    var lower: String
}

/// Takes a question apart. Nothing is lost: every letter is in a token, or is space or an end mark.
enum Tokenizer {
    /// More is not a question.
    static let letterLimit = 1_000

    static func tokens(_ text: String) -> [Token] {
        var tokens: [Token] = []
        let letters = Array(text)
        var at = 0
        func peek(_ offset: Int) -> Character? {
            at + offset < letters.count && at + offset >= 0 ? letters[at + offset] : nil
        }
        while at < letters.count {
            let letter = letters[at]
            if letter.isWhitespace || letter == "?" || letter == "!" && peek(1) != "=" {
                at += 1
            } else if letter == ".", peek(1).map({ $0.isWhitespace }) ?? true {
                at += 1
            } else if let closing = quotes[letter], letter != "'" || !(peek(-1)?.isLetter ?? false)
            {
                at += 1
                var inner = ""
                while at < letters.count, letters[at] != closing {
                    inner.append(letters[at])
                    at += 1
                }
                at += 1
                tokens.append(Token(kind: .quoted, text: inner, lower: folded(inner)))
            } else if isDigit(letter) || (letter == "." && peek(1).map(isDigit) ?? false) {
                tokens += number(letters, &at)
            } else if letter.isLetter || letter == "_" {
                tokens += word(letters, &at)
            } else {
                at += 1
                let text = String(letter)
                if (letter == ">" || letter == "<" || letter == "!"), at < letters.count,
                    letters[at] == "="
                {
                    at += 1
                    tokens.append(Token(kind: .sign, text: text + "=", lower: text + "="))
                } else if letter == "-", isBetweenWords(tokens, letters, at) {
                    continue
                } else {
                    tokens.append(Token(kind: .sign, text: text, lower: text))
                }
            }
        }
        return tokens
    }

    /// A hyphen inside of a word is a space: week-over-week.
    private static func isBetweenWords(
        _ tokens: [Token], _ letters: [Character], _ at: Int
    ) -> Bool {
        guard at >= 2, at < letters.count else { return false }
        return letters[at].isLetter && letters[at - 2].isLetter
            || letters[at - 2].isNumber
                && letters[at].isLetter
    }

    private static let quotes: [Character: Character] = [
        "\"": "\"", "'": "'", "“": "”", "„": "“", "«": "»", "‘": "’",
    ]

    private static func isDigit(_ letter: Character) -> Bool { letter.isASCII && letter.isNumber }

    private static func word(_ letters: [Character], _ at: inout Int) -> [Token] {
        var text = ""
        while at < letters.count,
            letters[at].isLetter || letters[at].isNumber || letters[at] == "_"
        {
            text.append(letters[at])
            at += 1
        }
        // what's, region's: the ending carries no meaning.
        if at + 1 < letters.count, letters[at] == "'" || letters[at] == "’",
            letters[at + 1] == "s" || letters[at + 1] == "S",
            at + 2 >= letters.count || !letters[at + 2].isLetter
        {
            at += 2
        }
        return [Token(kind: .word, text: text, lower: folded(text))]
    }

    /// A number with thousands and decimals, `10k`, `1st`, or a date such as 2025-03-01.
    private static func number(_ letters: [Character], _ at: inout Int) -> [Token] {
        var text = ""
        while at < letters.count, isDigit(letters[at]) || ".,-".contains(letters[at]) {
            let isSign = !isDigit(letters[at])
            if isSign, !(at + 1 < letters.count && isDigit(letters[at + 1])) { break }
            text.append(letters[at])
            at += 1
        }
        // 2025-W12, 2025-Q2: the letter goes on.
        if at + 2 < letters.count, letters[at] == "-", letters[at + 1].isLetter,
            isDigit(letters[at + 2])
        {
            var rest = ""
            at += 1
            while at < letters.count, letters[at].isLetter || isDigit(letters[at]) {
                rest.append(letters[at])
                at += 1
            }
            let whole = text + "-" + rest
            return [Token(kind: .word, text: whole, lower: folded(whole))]
        }
        var suffix = ""
        while at < letters.count, letters[at].isLetter {
            suffix.append(letters[at])
            at += 1
        }
        if text.contains("-") {
            let whole = text + suffix
            return [Token(kind: .word, text: whole, lower: folded(whole))]
        }
        let digits = ungrouped(text)
        guard let digits, let value = ExactNumber(digits) else {
            return [Token(kind: .word, text: text + suffix, lower: folded(text + suffix))]
        }
        switch suffix.lowercased() {
        case "": return [Token(kind: .number(value, isOrdinal: false), text: text, lower: text)]
        case "st", "nd", "rd", "th":
            return [
                Token(kind: .number(value, isOrdinal: true), text: text + suffix, lower: text)
            ]
        case "k", "m":
            if let big = value.shifted(by: suffix.lowercased() == "k" ? 3 : 6) {
                return [
                    Token(kind: .number(big, isOrdinal: false), text: text + suffix, lower: text)
                ]
            }
        default: break
        }
        return [Token(kind: .word, text: text + suffix, lower: folded(text + suffix))]
    }

    /// Without the commas of thousands, or as 5,5 and 1.234,5 and 1.000.000 are meant; nil for others.
    private static func ungrouped(_ text: String) -> String? {
        if let european = Tokenizer.european(text) { return european }
        guard text.contains(",") else { return text }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let whole = index == parts.count - 1 ? part.prefix { $0 != "." } : part[...]
            guard index == 0 ? (1...3).contains(whole.count) : whole.count == 3,
                index == parts.count - 1 || !part.contains(".")
            else { return nil }
        }
        return parts.joined()
    }

    /// A number with a decimal comma, or with points between thousands that can be nothing else.
    static func european(_ text: String) -> String? {
        let halves = text.split(separator: ",", omittingEmptySubsequences: false)
        guard halves.count <= 2, let whole = halves.first else { return nil }
        let groups = whole.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = groups.first, (1...18).contains(first.count),
            groups.count == 1
                || first.count <= 3 && groups.dropFirst().allSatisfy({ $0.count == 3 })
        else { return nil }
        guard halves.count == 2 else { return groups.count > 2 ? groups.joined() : nil }
        // 1,000 is a thousand, as it is read everywhere here; 1.000,500 and 0,500 can only be fractions.
        guard !halves[1].isEmpty, !halves[1].contains("."),
            halves[1].count != 3 || groups.count > 1 || first.first == "0"
        else { return nil }
        return groups.joined() + "." + halves[1]
    }

    /// Whether 10.000 is ten or ten thousand cannot be told: one point, and three digits behind it.
    static func isAmbiguous(_ text: String) -> Bool {
        let parts = text.prefix { isDigit($0) || $0 == "." || $0 == "," }
            .split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && parts[1].count == 3 && (1...3).contains(parts[0].count)
            && parts[0].first != "0" && parts.allSatisfy { $0.allSatisfy(isDigit) }
    }

    /// Small letters without accents.
    static func folded(_ text: String) -> String {
        let lower = text.lowercased()
        guard !lower.utf8.allSatisfy({ $0 < 0x80 }) else { return lower }
        return lower.map { plain[$0] ?? String($0) }.joined()
    }

    private static let plain: [Character: String] = [
        "ä": "a", "á": "a", "à": "a", "â": "a", "ã": "a", "å": "a", "æ": "ae", "ç": "c", "é": "e",
        "è": "e", "ê": "e", "ë": "e", "í": "i", "ì": "i", "î": "i", "ï": "i", "ñ": "n", "ö": "o",
        "ó": "o", "ò": "o", "ô": "o", "õ": "o", "ø": "o", "ü": "u", "ú": "u", "ù": "u", "û": "u",
        "ß": "ss", "ł": "l", "š": "s", "ž": "z", "č": "c", "ý": "y",
    ]

    /// A word without the ending of its plural.
    static func stem(_ word: String) -> String {
        guard word.utf8.count > 3, word.hasSuffix("s"), word.utf8.allSatisfy({ $0 < 0x80 }) else {
            return word
        }
        for ending in ["ss", "us", "is"] where word.hasSuffix(ending) { return word }
        if word.hasSuffix("ies"), word.utf8.count > 4 { return word.dropLast(3) + "y" }
        for ending in ["sses", "ches", "shes", "xes", "zes"] where word.hasSuffix(ending) {
            return String(word.dropLast(2))
        }
        return String(word.dropLast())
    }

    /// A name or synonym as questions are compared with it.
    static func phrase(_ text: String) -> String {
        tokens(text).map { stem($0.lower) }.joined(separator: " ")
    }
}
