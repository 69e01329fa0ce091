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
        ScalarFunction(
            "contains", [.text, .ipaddress], .boolean,
            "Whether the network, written as address/prefix length, has the address.",
            example: "contains('10.0.0.0/8', IPADDRESS '10.255.255.255')", canFail: true,
            kernel: binary { (network: Text, address: Text) -> Bool in
                try Network(network.string).contains([UInt8](address))
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

/// A network of IPv4 or IPv6 addresses. Source: Trino, IpAddressFunctions; RFC 4632, section 3.1.
private struct Network {
    /// The first address in 16 bytes, and how many bits of them count.
    private let base: [UInt8]
    private let bitCount: Int
    private let isShort: Bool

    init(_ text: String) throws {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { throw invalid("Invalid CIDR") }
        guard let base = IPAddressText.bytes(of: halves[0].utf8) else {
            throw invalid("Invalid network IP address")
        }
        guard let length = Int(halves[1]), length >= 0 else {
            throw invalid("Invalid prefix length")
        }
        self.base = base
        isShort = base[..<12].elementsEqual(IPAddressText.mapped)
        guard length <= (isShort ? 32 : 128) else {
            throw invalid("Prefix length exceeds address length")
        }
        bitCount = isShort ? 96 + length : length
        // A network of IPv4 begins where its prefix says.
        guard !isShort || Network.bits(base, from: bitCount).isEmpty else {
            throw invalid("Invalid CIDR")
        }
    }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == 16,
            address[..<12].elementsEqual(IPAddressText.mapped) == isShort
        else { return false }
        let whole = bitCount / 8
        guard address[..<whole].elementsEqual(base[..<whole]) else { return false }
        let rest = bitCount % 8
        return rest == 0 || (address[whole] ^ base[whole]) >> UInt8(8 - rest) == 0
    }

    /// The places of bits that are set behind a prefix.
    private static func bits(_ bytes: [UInt8], from start: Int) -> [Int] {
        (start..<128).filter { bytes[$0 / 8] >> UInt8(7 - $0 % 8) & 1 == 1 }
    }
}
