import Bytes
import Vectors

/// Functions over URLs. Source: RFC 3986, appendix B.
enum URLFunctions {
    static let all: [ScalarFunction] = [
        part("url_extract_protocol", "The scheme.") { $0.scheme },
        part("url_extract_host", "The host.") { $0.host },
        part("url_extract_path", "The path.") { $0.path },
        part("url_extract_query", "The query, without the question mark.") { $0.query ?? "" },
        part("url_extract_fragment", "What follows the hash sign.") { $0.fragment ?? "" },
        ScalarFunction(
            "url_extract_port", [.text], .bigint, "The port; NULL when none is written.",
            example: "url_extract_port('http://example.com:8080/a')",
            kernel: unary { (text: Text) -> Int64? in
                URLParts(text.string)?.port.flatMap { Int64($0) }
            }),
        ScalarFunction(
            "url_extract_parameter", [.text, .text], .text,
            "The first value of a parameter in the query; NULL without one.",
            example: "url_extract_parameter('http://example.com/?a=1&b=2', 'b')",
            kernel: binary { (text: Text, name: Text) -> String? in
                guard let query = URLParts(text.string)?.query else { return nil }
                let wanted = name.string
                for pair in query.split(separator: "&") {
                    let halves = pair.split(
                        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    guard percentDecoded(halves[0], plusIsSpace: true) == wanted else { continue }
                    return halves.count > 1 ? percentDecoded(halves[1], plusIsSpace: true) : ""
                }
                return nil
            }),
        ScalarFunction(
            "url_encode", [.text], .text, "The string escaped for a query parameter.",
            example: "url_encode('a b/c')",
            kernel: unary { (text: Text) in
                // Java's URLEncoder: a blank is a plus, the star stays, the tilde does not.
                var result: [UInt8] = []
                for byte in percentEncoded(text.string, allowed: "* ").utf8 {
                    switch byte {
                    case UInt8(ascii: " "): result.append(UInt8(ascii: "+"))
                    case UInt8(ascii: "~"): result.append(contentsOf: "%7E".utf8)
                    default: result.append(byte)
                    }
                }
                return result
            }),
        ScalarFunction(
            "url_decode", [.text], .text, "The string of an escaped query parameter.",
            example: "url_decode('a+b%2Fc')", canFail: true,
            kernel: unary { (text: Text) -> String in
                guard let decoded = percentDecoded(text.string, plusIsSpace: true) else {
                    throw invalid("Illegal escape in URL text: \(text.string.prefix(80))")
                }
                return decoded
            }),
    ]

    private static func part(
        _ name: String, _ summary: String, _ body: @escaping @Sendable (URLParts) -> String?
    ) -> ScalarFunction {
        ScalarFunction(
            name, [.text], .text, summary + " NULL for what is no URL.",
            example: "\(name)('http://example.com:8080/a?b=c#d')",
            kernel: unary { (text: Text) in URLParts(text.string).flatMap(body) })
    }
}

/// The pieces of a URL.
private struct URLParts {
    var scheme: String?
    var host: String?
    var port: String?
    var path = ""
    var query: String?
    var fragment: String?

    /// Nil for characters that no URI has.
    init?(_ text: String) {
        let isClean = text.utf8.allSatisfy { byte in
            byte > 0x20 && byte != 0x7F && !"<>\"{}|\\^`".utf8.contains(byte)
        }
        guard isClean else { return nil }
        var rest = Substring(text)
        if let mark = rest.firstIndex(of: "#") {
            fragment = percentDecoded(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: ":"),
            rest[..<mark].utf8.allSatisfy({ byte in
                (byte | 0x20 >= 97 && byte | 0x20 <= 122) || (byte >= 48 && byte <= 57)
                    || "+-.".utf8.contains(byte)
            }), !rest[..<mark].isEmpty
        {
            scheme = String(rest[..<mark])
            rest = rest[rest.index(after: mark)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            var authority = rest[..<end]
            rest = rest[end...]
            if let at = authority.lastIndex(of: "@") {
                authority = authority[authority.index(after: at)...]
            }
            let isBracketed = authority.first == "["
            let hostEnd = isBracketed ? authority.firstIndex(of: "]") : authority.startIndex
            if let hostEnd, let colon = authority[hostEnd...].lastIndex(of: ":") {
                port = String(authority[authority.index(after: colon)...])
                authority = authority[..<colon]
            }
            host = String(authority)
        }
        path = percentDecoded(rest) ?? String(rest)
    }
}
