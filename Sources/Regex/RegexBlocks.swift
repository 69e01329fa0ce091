/// Java's names of Unicode blocks, `\p{InGreek}`, which PCRE2 does not know: as ranges of characters.
///
/// Case, blanks, `_` and `-` do not count in names; `\p{block=Greek}` and `\p{blk=Greek}` are the same.
/// Source: java.util.regex.Pattern, "Unicode support"; Unicode Character Database, Blocks.txt.
enum RegexBlocks {
    /// The pattern with ranges instead of blocks. What is no block is left to PCRE2 to refuse.
    static func expanded(_ pattern: String) -> String {
        let text = Array(pattern.utf8)
        guard pattern.contains("\\p{") || pattern.contains("\\P{") else { return pattern }
        var result: [UInt8] = []
        var at = 0
        var isInClass = false
        while at < text.count {
            let byte = text[at]
            guard byte == UInt8(ascii: "\\"), at + 1 < text.count else {
                if isInClass, byte == UInt8(ascii: "["), at + 1 < text.count,
                    text[at + 1] == UInt8(ascii: ":"),
                    let end = text[(at + 2)...].firstIndex(of: UInt8(ascii: "]"))
                {
                    // A class of POSIX within the class.
                    result.append(contentsOf: text[at...end])
                    at = end + 1
                    continue
                }
                if byte == UInt8(ascii: "[") { isInClass = true }
                if byte == UInt8(ascii: "]") { isInClass = false }
                result.append(byte)
                at += 1
                continue
            }
            if text[at + 1] == UInt8(ascii: "Q") {
                // A quotation goes on to its end, or to that of the pattern.
                var end = at + 2
                while end < text.count {
                    if text[end] == UInt8(ascii: "\\"), end + 1 < text.count,
                        text[end + 1] == UInt8(ascii: "E")
                    {
                        break
                    }
                    end += 1
                }
                let stop = min(end + 2, text.count)
                result.append(contentsOf: text[at..<stop])
                at = stop
                continue
            }
            if let (block, end) = block(text, at) {
                result.append(contentsOf: block.text(isInClass: isInClass).utf8)
                at = end
                continue
            }
            result.append(contentsOf: text[at..<(at + 2)])
            at += 2
        }
        return String(decoding: result, as: UTF8.self)
    }

    private struct Block {
        var range: ClosedRange<UInt32>
        var isNegated: Bool

        func text(isInClass: Bool) -> String {
            func hexadecimal(_ value: UInt32) -> String {
                "\\x{\(String(value, radix: 16))}"
            }
            let own = "\(hexadecimal(range.lowerBound))-\(hexadecimal(range.upperBound))"
            guard isInClass else { return "[\(isNegated ? "^" : "")\(own)]" }
            guard isNegated else { return own }
            var others = ""
            if range.lowerBound > 0 { others = "\\x{0}-\(hexadecimal(range.lowerBound - 1))" }
            if range.upperBound < 0x10FFFF {
                others += "\(hexadecimal(range.upperBound + 1))-\\x{10ffff}"
            }
            return others
        }
    }

    /// The block that a `\p{…}` at the place names, and where the text goes on.
    private static func block(_ text: [UInt8], _ start: Int) -> (Block, Int)? {
        let letter = text[start + 1]
        guard letter | 0x20 == UInt8(ascii: "p"), start + 2 < text.count,
            text[start + 2] == UInt8(ascii: "{"),
            let close = text[start...].firstIndex(of: UInt8(ascii: "}"))
        else { return nil }
        var name = String(decoding: text[(start + 3)..<close], as: UTF8.self).lowercased()
        var isNegated = letter == UInt8(ascii: "P")
        if name.hasPrefix("^") {
            isNegated.toggle()
            name.removeFirst()
        }
        if let mark = name.firstIndex(of: "=") {
            guard ["block", "blk"].contains(name[..<mark]) else { return nil }
            name = String(name[name.index(after: mark)...])
        } else {
            guard name.hasPrefix("in") else { return nil }
            name = String(name.dropFirst(2))
        }
        name.removeAll { $0 == " " || $0 == "_" || $0 == "-" }
        guard let range = ranges[name] else { return nil }
        return (Block(range: range, isNegated: isNegated), close + 1)
    }

    /// By name without blanks, in lower case.
    private static let ranges: [String: ClosedRange<UInt32>] = {
        var ranges: [String: ClosedRange<UInt32>] = [:]
        for (name, lower, upper) in blocks {
            ranges[name.filter { $0 != " " && $0 != "-" }.lowercased()] = lower...upper
        }
        for (other, name) in aliases { ranges[other] = ranges[name] }
        return ranges
    }()

    /// Other names that Java has for them.
    private static let aliases = [
        "greek": "greekandcoptic", "ascii": "basiclatin", "latin1": "latin1supplement",
        "cyrillicsupplementary": "cyrillicsupplement",
        "combiningmarksforsymbols": "combiningdiacriticalmarksforsymbols",
    ]

    private static let blocks: [(String, UInt32, UInt32)] = [
        ("Basic Latin", 0x0000, 0x007F), ("Latin-1 Supplement", 0x0080, 0x00FF),
        ("Latin Extended-A", 0x0100, 0x017F), ("Latin Extended-B", 0x0180, 0x024F),
        ("IPA Extensions", 0x0250, 0x02AF), ("Spacing Modifier Letters", 0x02B0, 0x02FF),
        ("Combining Diacritical Marks", 0x0300, 0x036F), ("Greek and Coptic", 0x0370, 0x03FF),
        ("Cyrillic", 0x0400, 0x04FF), ("Cyrillic Supplement", 0x0500, 0x052F),
        ("Armenian", 0x0530, 0x058F), ("Hebrew", 0x0590, 0x05FF), ("Arabic", 0x0600, 0x06FF),
        ("Syriac", 0x0700, 0x074F), ("Arabic Supplement", 0x0750, 0x077F),
        ("Thaana", 0x0780, 0x07BF), ("NKo", 0x07C0, 0x07FF), ("Samaritan", 0x0800, 0x083F),
        ("Mandaic", 0x0840, 0x085F), ("Arabic Extended-A", 0x08A0, 0x08FF),
        ("Devanagari", 0x0900, 0x097F), ("Bengali", 0x0980, 0x09FF),
        ("Gurmukhi", 0x0A00, 0x0A7F), ("Gujarati", 0x0A80, 0x0AFF), ("Oriya", 0x0B00, 0x0B7F),
        ("Tamil", 0x0B80, 0x0BFF), ("Telugu", 0x0C00, 0x0C7F), ("Kannada", 0x0C80, 0x0CFF),
        ("Malayalam", 0x0D00, 0x0D7F), ("Sinhala", 0x0D80, 0x0DFF), ("Thai", 0x0E00, 0x0E7F),
        ("Lao", 0x0E80, 0x0EFF), ("Tibetan", 0x0F00, 0x0FFF), ("Myanmar", 0x1000, 0x109F),
        ("Georgian", 0x10A0, 0x10FF), ("Hangul Jamo", 0x1100, 0x11FF),
        ("Ethiopic", 0x1200, 0x137F), ("Ethiopic Supplement", 0x1380, 0x139F),
        ("Cherokee", 0x13A0, 0x13FF), ("Unified Canadian Aboriginal Syllabics", 0x1400, 0x167F),
        ("Ogham", 0x1680, 0x169F), ("Runic", 0x16A0, 0x16FF), ("Tagalog", 0x1700, 0x171F),
        ("Hanunoo", 0x1720, 0x173F), ("Buhid", 0x1740, 0x175F), ("Tagbanwa", 0x1760, 0x177F),
        ("Khmer", 0x1780, 0x17FF), ("Mongolian", 0x1800, 0x18AF), ("Limbu", 0x1900, 0x194F),
        ("Tai Le", 0x1950, 0x197F), ("New Tai Lue", 0x1980, 0x19DF),
        ("Khmer Symbols", 0x19E0, 0x19FF), ("Buginese", 0x1A00, 0x1A1F),
        ("Tai Tham", 0x1A20, 0x1AAF), ("Balinese", 0x1B00, 0x1B7F),
        ("Sundanese", 0x1B80, 0x1BBF), ("Lepcha", 0x1C00, 0x1C4F), ("Ol Chiki", 0x1C50, 0x1C7F),
        ("Vedic Extensions", 0x1CD0, 0x1CFF), ("Phonetic Extensions", 0x1D00, 0x1D7F),
        ("Phonetic Extensions Supplement", 0x1D80, 0x1DBF),
        ("Combining Diacritical Marks Supplement", 0x1DC0, 0x1DFF),
        ("Latin Extended Additional", 0x1E00, 0x1EFF), ("Greek Extended", 0x1F00, 0x1FFF),
        ("General Punctuation", 0x2000, 0x206F),
        ("Superscripts and Subscripts", 0x2070, 0x209F), ("Currency Symbols", 0x20A0, 0x20CF),
        ("Combining Diacritical Marks for Symbols", 0x20D0, 0x20FF),
        ("Letterlike Symbols", 0x2100, 0x214F), ("Number Forms", 0x2150, 0x218F),
        ("Arrows", 0x2190, 0x21FF), ("Mathematical Operators", 0x2200, 0x22FF),
        ("Miscellaneous Technical", 0x2300, 0x23FF), ("Control Pictures", 0x2400, 0x243F),
        ("Optical Character Recognition", 0x2440, 0x245F),
        ("Enclosed Alphanumerics", 0x2460, 0x24FF), ("Box Drawing", 0x2500, 0x257F),
        ("Block Elements", 0x2580, 0x259F), ("Geometric Shapes", 0x25A0, 0x25FF),
        ("Miscellaneous Symbols", 0x2600, 0x26FF), ("Dingbats", 0x2700, 0x27BF),
        ("Miscellaneous Mathematical Symbols-A", 0x27C0, 0x27EF),
        ("Supplemental Arrows-A", 0x27F0, 0x27FF), ("Braille Patterns", 0x2800, 0x28FF),
        ("Supplemental Arrows-B", 0x2900, 0x297F),
        ("Miscellaneous Mathematical Symbols-B", 0x2980, 0x29FF),
        ("Supplemental Mathematical Operators", 0x2A00, 0x2AFF),
        ("Miscellaneous Symbols and Arrows", 0x2B00, 0x2BFF), ("Glagolitic", 0x2C00, 0x2C5F),
        ("Latin Extended-C", 0x2C60, 0x2C7F), ("Coptic", 0x2C80, 0x2CFF),
        ("Georgian Supplement", 0x2D00, 0x2D2F), ("Tifinagh", 0x2D30, 0x2D7F),
        ("Ethiopic Extended", 0x2D80, 0x2DDF), ("Cyrillic Extended-A", 0x2DE0, 0x2DFF),
        ("Supplemental Punctuation", 0x2E00, 0x2E7F),
        ("CJK Radicals Supplement", 0x2E80, 0x2EFF), ("Kangxi Radicals", 0x2F00, 0x2FDF),
        ("Ideographic Description Characters", 0x2FF0, 0x2FFF),
        ("CJK Symbols and Punctuation", 0x3000, 0x303F), ("Hiragana", 0x3040, 0x309F),
        ("Katakana", 0x30A0, 0x30FF), ("Bopomofo", 0x3100, 0x312F),
        ("Hangul Compatibility Jamo", 0x3130, 0x318F), ("Kanbun", 0x3190, 0x319F),
        ("Bopomofo Extended", 0x31A0, 0x31BF), ("CJK Strokes", 0x31C0, 0x31EF),
        ("Katakana Phonetic Extensions", 0x31F0, 0x31FF),
        ("Enclosed CJK Letters and Months", 0x3200, 0x32FF),
        ("CJK Compatibility", 0x3300, 0x33FF),
        ("CJK Unified Ideographs Extension A", 0x3400, 0x4DBF),
        ("Yijing Hexagram Symbols", 0x4DC0, 0x4DFF),
        ("CJK Unified Ideographs", 0x4E00, 0x9FFF), ("Yi Syllables", 0xA000, 0xA48F),
        ("Yi Radicals", 0xA490, 0xA4CF), ("Lisu", 0xA4D0, 0xA4FF), ("Vai", 0xA500, 0xA63F),
        ("Cyrillic Extended-B", 0xA640, 0xA69F), ("Bamum", 0xA6A0, 0xA6FF),
        ("Modifier Tone Letters", 0xA700, 0xA71F), ("Latin Extended-D", 0xA720, 0xA7FF),
        ("Hangul Jamo Extended-A", 0xA960, 0xA97F), ("Javanese", 0xA980, 0xA9DF),
        ("Hangul Syllables", 0xAC00, 0xD7AF), ("Hangul Jamo Extended-B", 0xD7B0, 0xD7FF),
        ("Private Use Area", 0xE000, 0xF8FF), ("CJK Compatibility Ideographs", 0xF900, 0xFAFF),
        ("Alphabetic Presentation Forms", 0xFB00, 0xFB4F),
        ("Arabic Presentation Forms-A", 0xFB50, 0xFDFF), ("Variation Selectors", 0xFE00, 0xFE0F),
        ("Vertical Forms", 0xFE10, 0xFE1F), ("Combining Half Marks", 0xFE20, 0xFE2F),
        ("CJK Compatibility Forms", 0xFE30, 0xFE4F), ("Small Form Variants", 0xFE50, 0xFE6F),
        ("Arabic Presentation Forms-B", 0xFE70, 0xFEFF),
        ("Halfwidth and Fullwidth Forms", 0xFF00, 0xFFEF), ("Specials", 0xFFF0, 0xFFFF),
        ("Gothic", 0x10330, 0x1034F), ("Deseret", 0x10400, 0x1044F),
        ("Egyptian Hieroglyphs", 0x13000, 0x1342F), ("Musical Symbols", 0x1D100, 0x1D1FF),
        ("Mathematical Alphanumeric Symbols", 0x1D400, 0x1D7FF),
        ("Miscellaneous Symbols and Pictographs", 0x1F300, 0x1F5FF),
        ("Emoticons", 0x1F600, 0x1F64F), ("Transport and Map Symbols", 0x1F680, 0x1F6FF),
        ("CJK Unified Ideographs Extension B", 0x20000, 0x2A6DF), ("Tags", 0xE0000, 0xE007F),
    ]
}
