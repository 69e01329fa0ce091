import Regex
import Testing

@Suite struct RegexTests {
    @Test(arguments: [
        ("a+b", "xaab", true), ("^b", "ab", false), (#"\d{3}"#, "a123", true), ("", "", true),
        ("(?i)ABC", "xabc", true), ("ü.ö", "üäö", true), (#"\p{Lu}"#, "abÄ", true),
    ])
    func matches(pattern: String, text: String, expected: Bool) throws {
        #expect(try RegexMatcher(RegexPattern(pattern)).matches(text) == expected)
    }

    @Test func allMatchesIncludeEmptyOnes() throws {
        #expect(try RegexMatcher(RegexPattern(#"\d*"#)).all("12a3") == ["12", "", "3", ""])
        #expect(try RegexMatcher(RegexPattern("")).all("aü").count == 3)
        #expect(
            try RegexMatcher(RegexPattern("(a)|(b)")).all("ab", group: 2) == [nil, "b"])
        #expect(try RegexMatcher(RegexPattern(#"x*"#)).all("") == [""])
    }

    @Test(arguments: [
        (#"(\d+)-(\d+)"#, "10-20, 3-4", "$2-$1", "20-10, 4-3"),
        ("(?<first>a)(b)?", "ab a", "<${first}${2}>", "<ab> <a>"),
        ("a", "banana", #"\$"#, "b$n$n$"), ("", "ab", "-", "-a-b-"), ("x", "abc", "y", "abc"),
        ("(a)", "a", "$12", "a2"),
    ])
    func replaces(pattern: String, text: String, template: String, expected: String) throws {
        #expect(
            try RegexMatcher(RegexPattern(pattern)).replacing(text, with: template) == expected)
    }

    @Test(arguments: ["$", "$x", "$3", "${none}", "${1", #"end\"#])
    func badReplacementsAreFaults(template: String) throws {
        let matcher = RegexMatcher(try RegexPattern("(a)(b)"))
        let error = #expect(throws: RegexError.self) {
            try matcher.replacing("ab", with: template)
        }
        #expect(error?.code == .invalidReplacement)
    }

    @Test(arguments: [("(", 1), ("a**b(", 2), ("[z-a]", 3)])
    func badPatternsTellWhere(pattern: String, offset: Int) {
        let error = #expect(throws: RegexError.self) { try RegexPattern(pattern) }
        #expect(error?.code == .invalidPattern)
        #expect((error?.offset ?? -1) >= offset - 1)
    }

    @Test func catastrophicPatternsEnd() throws {
        let matcher = RegexMatcher(try RegexPattern("(x+x+)+(y|z)"))
        let error = #expect(throws: RegexError.self) {
            try matcher.matches(String(repeating: "x", count: 60))
        }
        #expect(error?.code == .limitExceeded)
    }

    /// What java.util.regex finds: behind an empty match it goes on with the next character.
    @Test(arguments: [
        ("|()d", "d", 2), ("a*", "baab", 4), ("x*", "äö", 3), ("", "", 1), ("b?", "abb", 4),
    ])
    func emptyMatchesAreLeftBehind(pattern: String, subject: String, count: Int) throws {
        let matcher = RegexMatcher(try RegexPattern(pattern))
        let found = try Array(subject.utf8).withUnsafeBufferPointer { try matcher.count(in: $0) }
        #expect(found == count)
    }

    /// Few places to turn back to, much to go over between them: the items count as well.
    @Test func longWorkWithoutBacktrackingEnds() throws {
        let matcher = RegexMatcher(
            try RegexPattern("(?:a|a|a)+?" + String(repeating: "a", count: 300) + "[cd]"))
        let error = #expect(throws: RegexError.self) {
            try matcher.matches(String(repeating: "a", count: 2_000))
        }
        #expect(error?.code == .limitExceeded)
    }

    @Test func cancellationStopsAMatch() throws {
        let matcher = RegexMatcher(try RegexPattern("(x+x+)+(y|z)"), isCancelled: { true })
        let error = #expect(throws: RegexError.self) {
            try matcher.matches(String(repeating: "x", count: 60))
        }
        #expect(error?.code == .cancelled)
    }

    @Test func bytesThatAreNotTextAreFaults() throws {
        let matcher = RegexMatcher(try RegexPattern("a"))
        let error = #expect(throws: RegexError.self) {
            try [UInt8]([0x61, 0xff]).withUnsafeBufferPointer { try matcher.firstMatch(in: $0) }
        }
        #expect(error?.code == .invalidSubject)
    }

    @Test func theCacheReturnsOnePattern() throws {
        let cache = RegexCache()
        #expect(try cache.pattern("a+") === cache.pattern("a+"))
        for number in 0..<1000 { _ = try cache.pattern("a{\(number)}") }
        #expect(throws: RegexError.self) { try cache.pattern("(") }
    }

    @Test func randomPatternsNeverCrash() {
        var seed: UInt64 = 7
        func random(_ limit: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % limit
        }
        let pieces = Array("ab(){}[]^$.*+?|\\dKQE<>=!:,09ü-")
        for _ in 0..<5000 {
            let pattern = String((0..<random(12)).map { _ in pieces[random(pieces.count)] })
            guard let compiled = try? RegexPattern(pattern) else { continue }
            let matcher = RegexMatcher(compiled)
            _ = try? matcher.all("abba üab00")
            _ = try? matcher.replacing("abba üab00", with: "<$0>")
        }
    }
}
