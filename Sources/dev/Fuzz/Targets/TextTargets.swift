import JSON
import Regex
import TestSupport
import XML
import YAML

extension FuzzTarget {
    /// JSON texts: what is read and written comes back equal.
    static let json: FuzzTarget = {
        var target = FuzzTarget(name: "json", summary: "JSON texts, read, written and read again") {
            TextSeeds.json.map { Array($0.utf8) }
                + (try SourceFiles.contents(
                    below: "Tests/IcebergTests/Fixtures", endings: [".json"], upTo: 16 * 1024))
        } prepare: {
            { input in
                guard let value = try answer({ try JSONValue(parsing: input) }) else { return }
                for style in [JSONWriter.Style.compact, .pretty] {
                    let text = value.encoded(style)
                    let again = try answer { try JSONValue(parsing: text) }
                    try hold(again == value, "what was written reads differently")
                }
                try TextTrial.walk(value.cursor, 0)
            }
        }
        target.tokens = TextSeeds.jsonTokens
        target.generate = { random in Array(TextSeeds.jsonText(&random, 5).utf8) }
        return target
    }()

    /// The XML that S3 clients send.
    static let xml: FuzzTarget = {
        var target = FuzzTarget(name: "xml", summary: "XML documents, read, written and read again")
        {
            TextSeeds.xml.map { Array($0.utf8) }
        } prepare: {
            { input in
                guard let root = try answer({ try XMLElement(parsing: input) }) else { return }
                var writer = XMLWriter()
                TextTrial.write(root, &writer)
                let text = writer.bytes
                guard let again = try answer({ try XMLElement(parsing: text) }) else {
                    throw Finding("what was written is refused")
                }
                try hold(TextTrial.isEqual(again, root), "what was written reads differently")
            }
        }
        target.tokens = [
            "<", ">", "</", "/>", "<a>", "</a>", "<a/>", "<!--", "-->", "<![CDATA[", "]]>", "<?",
            "?>", "&amp;", "&lt;", "&#x41;", "&#0;", "&#x110000;", "&x;", "<!DOCTYPE a>",
            "xmlns:a=\"b\"",
            " a=\"b\"", "'", "\"", "a:b", "\u{FEFF}", "\0", "\r\n",
        ]
        return target
    }()

    /// Pipelines, demos, seeds and configuration.
    static let yaml: FuzzTarget = {
        var target = FuzzTarget(name: "yaml", summary: "YAML documents") {
            TextSeeds.yaml.map { Array($0.utf8) }
                + (try SourceFiles.contents(
                    below: "seeds", endings: [".yml", ".yaml"], upTo: 16 * 1024))
                + (try SourceFiles.contents(
                    below: "demos", endings: [".yml", ".yaml"], upTo: 16 * 1024))
        } prepare: {
            { input in
                let text = String(decoding: input, as: UTF8.self)
                guard let root = try answer({ try YAMLDocument.parse(text) }) else { return }
                var count = 0
                try TextTrial.walk(root, 0, &count)
            }
        }
        target.tokens = [
            "- ", ": ", "? ", "\n", "  ", "\t", "[", "]", "{", "}", ", ", "&a ", "*a", "<<: *a",
            "!!str ",
            "! ", "|\n", ">-\n", "\"", "'", "# ", "---\n", "...\n", "%YAML 1.1\n", "~", "null",
            "true",
            "0x1F", "0o17", "1e9", ".inf", "\\u0041", "é", "\u{FEFF}", "\0", "1:2:3", "name: a\n",
            "steps:\n  - {id: a, kind: sql}\n",
        ]
        return target
    }()

    /// A pattern, NUL, a subject: compiling and matching within limits.
    static let regex: FuzzTarget = {
        var target = FuzzTarget(
            name: "regex", summary: "regular expressions, compiled and matched under limits"
        ) {
            TextSeeds.regex.map { Array($0.utf8) }
        } prepare: {
            { input in try TextTrial.match(input) }
        }
        target.tokens = [
            "(", ")", "(?:", "(?<a>", "(?=", "(?!", "(?<=", "(?>", "(?R)", "(?1)", "[", "]", "[^",
            "a-z",
            "\\d", "\\w+", "\\b", "\\p{L}", "\\x{110000}", "\\1", "\\k<a>", "\\Q", "\\E", "*", "+",
            "?",
            "{2,3}", "{1000}", "{0,65535}", "*?", "++", "|", ".", "^", "$", "(?i)", "(?s)",
            "(a+)+$",
            "(a|a)*", "\\C", "(*UTF8)", "(*ACCEPT)", "(?C1)", "\0", "aaaaaaaa", "é", "$1", "${a}",
        ]
        target.sizeLimit = 4096
        return target
    }()
}

private enum TextTrial {
    static func walk(_ value: JSONCursor, _ depth: Int) throws {
        _ = try? value.int64()
        _ = try? value.double()
        _ = try? value.strings()
        if let elements = try? value.elements() {
            for element in elements.prefix(50) { try walk(element, depth + 1) }
        }
    }

    static func walk(_ node: YAMLNode, _ depth: Int, _ count: inout Int) throws {
        try hold(depth < 10_000, "a tree without end")
        count += 1
        _ = try answer { try node.integer() }
        _ = try answer { try node.double() }
        _ = try answer { try node.boolean() }
        guard count < 10_000 else { return }
        switch node.kind {
        case .scalar: break
        case .sequence(let nodes): for node in nodes { try walk(node, depth + 1, &count) }
        case .mapping(let entries):
            for entry in entries {
                let found = node[entry.key]
                try hold(found != nil, "a key that is not found: \(entry.key)")
                try walk(entry.value, depth + 1, &count)
            }
        }
    }

    static func write(_ element: XMLElement, _ writer: inout XMLWriter) {
        writer.begin(
            element.name, attributes: element.attributes.sorted { $0.key < $1.key }.map { ($0, $1) }
        )
        writer.text(element.text)
        for child in element.children { write(child, &writer) }
        writer.end()
    }

    /// Equal trees; white space between children is nobody's text.
    static func isEqual(_ left: XMLElement, _ right: XMLElement) -> Bool {
        left.name == right.name && left.text == right.text && left.attributes == right.attributes
            && left.children.count == right.children.count
            && zip(left.children, right.children).allSatisfy { isEqual($0, $1) }
    }

    static func match(_ input: [UInt8]) throws {
        let parts = input.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        let text = String(decoding: parts[0], as: UTF8.self)
        guard let pattern = try answer({ try RegexPattern(text) }) else { return }
        let subject = Array(
            String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self).utf8)
        let template = String(decoding: parts.count > 2 ? parts[2] : [], as: UTF8.self)
        let matcher = RegexMatcher(pattern)
        try subject.withUnsafeBufferPointer { bytes in
            let isFound = try answer { try matcher.firstMatch(in: bytes) }
            // A match that reached its limits would do so again below.
            guard let isFound else { return }
            if isFound {
                for group in 0...pattern.groupCount {
                    guard let range = matcher.range(of: group) else { continue }
                    try hold(
                        range.lowerBound >= 0 && range.upperBound <= bytes.count,
                        "group \(group) is outside")
                }
            }
            var output: [UInt8] = []
            _ = try answer {
                let replacement = try RegexReplacement(template, for: pattern)
                try matcher.replace(in: bytes, with: replacement, into: &output)
            }
            let count = try answer { try matcher.count(in: bytes) }
            try hold((count ?? 0) <= bytes.count + 1, "more matches than places")
        }
    }
}

private enum TextSeeds {
    static let json = [
        #"{"a": [1, -2.5e10, true, null, "x\ud83d\ude00\n"], "b": {"c": {}}, "": []}"#,
        #"[0.1, 1E400, -0, 12345678901234567890123456789012345678]"#, #" "text" "#, "[[[[[[]]]]]]",
    ]

    static let jsonTokens = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "\\ud83d\\ude00", "null",
        "true",
        "false", "-", "0", "1e5", "1E400", "0.1", "\"a\":", "\"a\"", "\n", "\t", " ", "\u{FEFF}",
        "NaN", "// x", "é", "{\"a\":[", "[[",
    ]

    static func jsonText(_ random: inout SeededGenerator, _ depth: Int) -> String {
        switch random.below(depth > 0 ? 7 : 5) {
        case 0: return "null"
        case 1: return random.pick(["true", "false"])
        case 2: return random.pick(["0", "-1", "1.5e-7", "1e400", "9223372036854775808", "-0.0"])
        case 3, 4:
            return "\"" + random.pick(["", "a", "\\n", "\\u00e9", "\\ud83d\\ude00", "é"]) + "\""
        case 5:
            let elements = (0..<random.below(5)).map { _ in jsonText(&random, depth - 1) }
            return "[" + elements.joined(separator: random.pick([",", " , "])) + "]"
        default:
            let members = (0..<random.below(5)).map { number in
                "\"\(random.pick(["a", "b", "k\(number)"]))\":" + jsonText(&random, depth - 1)
            }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    static let xml = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + "<Object><Key>a &amp; b</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;abc&quot;</ETag></Part>"
            + "</CompleteMultipartUpload>",
        "<a b='c' d=\"e&#x41;\"><!-- x --><![CDATA[<&>]]><e/></a>",
    ]

    static let yaml = [
        "name: p\nschedule: {cron: '@daily', zone: Europe/Vienna}\nsteps:\n  - id: a\n    kind: sql\n"
            + "    with: {sql: |-\n      select 1\n    }\n",
        "a: &x {b: 1, c: [1, 2.5, ~, yes, 0x1F]}\nd: *x\ne: {<<: *x, f: \"g\\n\"}\n",
        "- 'it''s'\n- >\n  folded\n  text\n- ? complex\n  : value\n",
    ]

    static let regex = [
        "a(b|c)*d\0xabcbcd\0[$1]", "(?<year>\\d{4})-(?<m>\\d\\d)\0on 2024-05-06\0${m}/${year}",
        "(a+)+$\0aaaaaaaaaaaaaab\0x", "[[:alpha:]]+|\\p{Lu}\0Été\0\\$0", "^$\0\0",
        "(?i)é\\b\0É é\0$0$0", "(x(?1)?y)\0xxyy\0", "\\bword\\b.{0,10}?end\0a word and the end\0",
    ]
}
