import Vectors

extension ScalarFunction {
    /// Functions over words.
    static let words: [ScalarFunction] = [
        ScalarFunction(
            "word_stem", [.text], .text, "The stem of an English word.",
            example: "word_stem('generally')",
            kernel: unary { (word: Text) in EnglishStemmer.stem(word.string) }),
        ScalarFunction(
            "word_stem", [.text, .text], .text, "The stem of a word of a language: en.",
            example: "word_stem('generally', 'en')", canFail: true,
            kernel: binary { (word: Text, language: Text) -> String in
                guard language.string == "en" else {
                    throw invalid("Unknown stemmer language: \(language.string)")
                }
                return EnglishStemmer.stem(word.string)
            }),
        ScalarFunction(
            "title_case", [.text], .text,
            "The string with the first letter of each word in upper case, the others in lower case.",
            example: "title_case('hello wORLD')",
            kernel: unary { (text: Text) -> String in
                var result = ""
                var isInside = false
                for scalar in text.string.unicodeScalars {
                    let isLetter =
                        scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    result +=
                        isInside
                        ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
                    isInside = isLetter || isInside && scalar == "'"
                }
                return result
            }),
        ScalarFunction(
            "char2hexint", [.text], .text,
            "The UTF-16 units of the string as hexadecimal digits (Teradata).",
            example: "char2hexint('ABC')",
            kernel: unary { (text: Text) -> String in
                text.string.utf16.map { unit in
                    let digits = String(unit, radix: 16, uppercase: true)
                    return String(repeating: "0", count: 4 - digits.utf8.count) + digits
                }.joined()
            }),
        ScalarFunction(
            "index", [.text, .text], .bigint,
            "The place of a string in another, from 1; 0 without one (Teradata).",
            example: "index('teradata', 'data')",
            kernel: binary { (text: Text, part: Text) -> Int64 in
                guard let found = text.find(part) else { return 0 }
                return Int64(CodePoints.count(text.slice(0, found))) + 1
            }),
    ]
}

/// Porter's second stemmer for English. Source: Snowball, "The English (Porter2) stemming algorithm".
struct EnglishStemmer {
    private var letters: [Character]
    /// Where the regions R1 and R2 begin.
    private var r1 = 0
    private var r2 = 0

    static func stem(_ word: String) -> String {
        let lower = word.lowercased()
        guard lower.count > 2 else { return lower }
        if let special = exceptions[lower] { return special }
        var stemmer = EnglishStemmer(lower)
        stemmer.step0()
        stemmer.step1a()
        if afterStep1a.contains(String(stemmer.letters)) { return String(stemmer.letters) }
        stemmer.step1b()
        stemmer.step1c()
        stemmer.step2()
        stemmer.step3()
        stemmer.step4()
        stemmer.step5()
        return String(stemmer.letters.map { $0 == "Y" ? "y" : $0 })
    }

    private init(_ word: String) {
        letters = Array(word)
        if letters.first == "'" { letters.removeFirst() }
        // A y that begins the word or follows a vowel is a consonant, written Y.
        for index in letters.indices
        where letters[index] == "y" && (index == 0 || Self.isVowel(letters[index - 1])) {
            letters[index] = "Y"
        }
        let text = String(letters)
        if let prefix = ["gener", "commun", "arsen"].first(where: { text.hasPrefix($0) }) {
            r1 = prefix.count
        } else {
            r1 = region(from: 0)
        }
        r2 = region(from: r1)
    }

    private static func isVowel(_ letter: Character) -> Bool { "aeiouy".contains(letter) }

    /// Behind the first consonant that follows a vowel.
    private func region(from start: Int) -> Int {
        var index = start + 1
        while index < letters.count {
            if !Self.isVowel(letters[index]), Self.isVowel(letters[index - 1]) { return index + 1 }
            index += 1
        }
        return letters.count
    }

    private func ends(_ suffix: String) -> Bool {
        letters.count >= suffix.count && letters.suffix(suffix.count).elementsEqual(suffix)
    }

    private func longest(_ suffixes: [String]) -> String? {
        suffixes.filter(ends).max { $0.count < $1.count }
    }

    private mutating func replace(_ suffix: String, with text: String) {
        letters.removeLast(suffix.count)
        letters += Array(text)
    }

    /// Whether the suffix lies in the region that begins there.
    private func lies(_ suffix: String, in region: Int) -> Bool {
        letters.count - suffix.count >= region
    }

    private func hasVowel(before end: Int) -> Bool {
        letters[..<max(end, 0)].contains(where: Self.isVowel)
    }

    private var endsInDouble: Bool {
        guard letters.count >= 2, letters[letters.count - 1] == letters[letters.count - 2] else {
            return false
        }
        return "bdfgmnprt".contains(letters[letters.count - 1])
    }

    /// A short syllable at the end of the first `end` letters.
    private func isShortSyllable(_ end: Int) -> Bool {
        if end == 2 { return Self.isVowel(letters[0]) && !Self.isVowel(letters[1]) }
        guard end >= 3 else { return false }
        let (a, b, c) = (letters[end - 3], letters[end - 2], letters[end - 1])
        return !Self.isVowel(c) && !"wxY".contains(c) && Self.isVowel(b) && !Self.isVowel(a)
    }

    private var isShort: Bool { r1 >= letters.count && isShortSyllable(letters.count) }

    private mutating func step0() {
        if let suffix = longest(["'s'", "'s", "'"]) { replace(suffix, with: "") }
    }

    private mutating func step1a() {
        switch longest(["sses", "ied", "ies", "us", "ss", "s"]) {
        case "sses"?: replace("sses", with: "ss")
        case "ied"?, "ies"?: replace("ied", with: letters.count > 4 ? "i" : "ie")
        case "s"?:
            if hasVowel(before: letters.count - 2) { replace("s", with: "") }
        default: break
        }
    }

    private mutating func step1b() {
        switch longest(["eed", "eedly", "ed", "edly", "ing", "ingly"]) {
        case let suffix? where suffix.hasPrefix("eed"):
            if lies(suffix, in: r1) { replace(suffix, with: "ee") }
        case let suffix?:
            guard hasVowel(before: letters.count - suffix.count) else { return }
            replace(suffix, with: "")
            if ends("at") || ends("bl") || ends("iz") {
                letters.append("e")
            } else if endsInDouble {
                letters.removeLast()
            } else if isShort {
                letters.append("e")
            }
        case nil: break
        }
    }

    private mutating func step1c() {
        guard letters.count > 2, let last = letters.last, last == "y" || last == "Y",
            !Self.isVowel(letters[letters.count - 2])
        else { return }
        letters[letters.count - 1] = "i"
    }

    private mutating func step2() {
        let rules = [
            "tional": "tion", "enci": "ence", "anci": "ance", "abli": "able", "entli": "ent",
            "izer": "ize", "ization": "ize", "ational": "ate", "ation": "ate", "ator": "ate",
            "alism": "al", "aliti": "al", "alli": "al", "fulness": "ful", "ousli": "ous",
            "ousness": "ous", "iveness": "ive", "iviti": "ive", "biliti": "ble", "bli": "ble",
            "ogi": "og", "fulli": "ful", "lessli": "less", "li": "",
        ]
        guard let suffix = longest(Array(rules.keys)), lies(suffix, in: r1) else { return }
        let before = letters.count > suffix.count ? letters[letters.count - suffix.count - 1] : " "
        if suffix == "ogi", before != "l" { return }
        if suffix == "li", !"cdeghkmnrt".contains(before) { return }
        replace(suffix, with: rules[suffix] ?? "")
    }

    private mutating func step3() {
        let rules = [
            "tional": "tion", "ational": "ate", "alize": "al", "icate": "ic", "iciti": "ic",
            "ical": "ic", "ful": "", "ness": "", "ative": "",
        ]
        guard let suffix = longest(Array(rules.keys)), lies(suffix, in: r1) else { return }
        if suffix == "ative", !lies(suffix, in: r2) { return }
        replace(suffix, with: rules[suffix] ?? "")
    }

    private mutating func step4() {
        let suffixes = [
            "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism",
            "ate", "iti", "ous", "ive", "ize", "ion",
        ]
        guard let suffix = longest(suffixes), lies(suffix, in: r2) else { return }
        if suffix == "ion" {
            let before = letters.count > 3 ? letters[letters.count - 4] : " "
            guard before == "s" || before == "t" else { return }
        }
        replace(suffix, with: "")
    }

    private mutating func step5() {
        if ends("e") {
            let isInR2 = lies("e", in: r2)
            if isInR2 || lies("e", in: r1) && !isShortSyllable(letters.count - 1) {
                letters.removeLast()
            }
        } else if ends("l"), lies("l", in: r2), letters.count > 1, letters[letters.count - 2] == "l"
        {
            letters.removeLast()
        }
    }

    private static let exceptions = [
        "skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie",
        "idly": "idl", "gently": "gentl", "ugly": "ugli", "early": "earli", "only": "onli",
        "singly": "singl", "sky": "sky", "news": "news", "howe": "howe", "atlas": "atlas",
        "cosmos": "cosmos", "bias": "bias", "andes": "andes",
    ]
    private static let afterStep1a: Set<String> = [
        "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
    ]
}
