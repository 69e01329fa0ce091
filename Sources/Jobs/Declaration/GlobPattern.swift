/// A pattern for keys: `*` and `?` within a part, `**` across `/`, `{csv,json}` for one of several.
package struct GlobPattern: Sendable, Hashable {
    package let text: String
    private let alternatives: [[UInt8]]
    private static let limit = 256

    /// nil for unbalanced braces and for patterns with too many alternatives.
    package init?(_ text: String) {
        self.text = text
        guard let expanded = Self.expand(text), expanded.count <= Self.limit else { return nil }
        alternatives = expanded.map { Array($0.utf8) }
    }

    private static func expand(_ text: String) -> [String]? {
        guard let open = text.firstIndex(of: "{") else { return text.contains("}") ? nil : [text] }
        guard let close = text[open...].firstIndex(of: "}") else { return nil }
        let inside = text[text.index(after: open)..<close]
        guard !inside.contains("{"), let rests = expand(String(text[text.index(after: close)...]))
        else { return nil }
        var result: [String] = []
        for choice in inside.split(separator: ",", omittingEmptySubsequences: false) {
            for rest in rests { result.append(text[..<open] + choice + rest) }
            if result.count > limit { return nil }
        }
        return result
    }

    /// Whether the whole key matches.
    package func matches(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        return alternatives.contains { Self.matches($0, bytes) }
    }

    /// Goes back to the last star only, and to the last double star, so that it is O(pattern · key) for
    /// each kind.
    private static func matches(_ pattern: [UInt8], _ key: [UInt8]) -> Bool {
        let (star, question, slash) = (UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "/"))
        var (p, k) = (0, 0)
        var single: (pattern: Int, key: Int)?
        var double: (pattern: Int, key: Int)?
        while true {
            if p < pattern.count, pattern[p] == star {
                if p + 1 < pattern.count, pattern[p + 1] == star {
                    p += 2
                    double = (p, k)
                    single = nil
                } else {
                    p += 1
                    single = (p, k)
                }
                continue
            }
            if p == pattern.count, k == key.count { return true }
            if p < pattern.count, k < key.count,
                pattern[p] == key[k] || (pattern[p] == question && key[k] != slash)
            {
                p += 1
                k += 1
                continue
            }
            if let back = single, back.key < key.count, key[back.key] != slash {
                single = (back.pattern, back.key + 1)
                (p, k) = (back.pattern, back.key + 1)
            } else if let back = double, back.key < key.count {
                double = (back.pattern, back.key + 1)
                single = nil
                (p, k) = (back.pattern, back.key + 1)
            } else {
                return false
            }
        }
    }
}
