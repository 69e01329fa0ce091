import TestSupport
import Testing

@testable import HTTPMessages

/// What makes a head ambiguous, and where it stands.
struct Ambiguity: Sendable, CustomTestStringConvertible {
    let name: String
    /// The request line.
    var first = "POST / HTTP/1.1\r\n"
    /// Field lines that belong together, in this order; others may stand between them.
    var lines: [String] = []
    /// Whether `Host: a` is added.
    var hasHost = true
    var status = 400
    var testDescription: String { name }

    init(
        _ name: String, _ lines: String..., first: String? = nil, hasHost: Bool = true,
        status: Int = 400
    ) {
        self.name = name
        self.lines = lines
        if let first { self.first = first }
        self.hasHost = hasHost
        self.status = status
    }

    static let all: [Ambiguity] = [
        Ambiguity("two lengths", "Content-Length: 1\r\n", "Content-Length: 2\r\n"),
        Ambiguity("two equal lengths", "Content-Length: 1\r\n", "Content-Length: 1\r\n"),
        Ambiguity("a list of lengths", "Content-Length: 1, 1\r\n"),
        Ambiguity("a signed length", "Content-Length: +1\r\n"),
        Ambiguity("a negative length", "Content-Length: -1\r\n"),
        Ambiguity("a length with blanks", "Content-Length: 1 0\r\n"),
        Ambiguity("a hexadecimal length", "Content-Length: 0x1\r\n"),
        Ambiguity("no length", "Content-Length:\r\n"),
        Ambiguity("a length past 64 bits", "Content-Length: 99999999999999999999\r\n"),
        Ambiguity("length and chunked", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n"),
        Ambiguity("chunked and length", "Transfer-Encoding: chunked\r\n", "Content-Length: 1\r\n"),
        Ambiguity("chunked twice", "Transfer-Encoding: chunked, chunked\r\n"),
        Ambiguity(
            "chunked in two fields", "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n"),
        Ambiguity("chunked not last", "Transfer-Encoding: chunked, gzip\r\n"),
        Ambiguity("an obscured chunked", "Transfer-Encoding: xchunked\r\n"),
        Ambiguity("another coding", "Transfer-Encoding: gzip, chunked\r\n", status: 501),
        Ambiguity(
            "chunked in HTTP/1.0", "Transfer-Encoding: chunked\r\n", first: "POST / HTTP/1.0\r\n"),
        Ambiguity("a bare LF", "X: a\n"),
        Ambiguity("a bare CR", "X: a\rb\r\n"),
        Ambiguity("space before the colon", "X : a\r\n"),
        Ambiguity("a tab before the colon", "X\t: a\r\n"),
        Ambiguity("a folded line", "X: a\r\n b\r\n"),
        Ambiguity("a NUL in a value", "X: a\0b\r\n"),
        Ambiguity("a NUL in a name", "X\0: b\r\n"),
        Ambiguity("a field without a name", ": b\r\n"),
        Ambiguity("a field without a colon", "X\r\n"),
        Ambiguity("no Host", hasHost: false),
        Ambiguity("two Hosts", "Host: a\r\n"),
        Ambiguity("a Host with a path", "Host: a/b\r\n", hasHost: false),
        Ambiguity("a Host that contradicts", first: "GET http://b/ HTTP/1.1\r\n"),
        Ambiguity("two spaces", first: "GET  / HTTP/1.1\r\n"),
        Ambiguity("a bare LF after the request line", first: "GET / HTTP/1.1\n"),
        Ambiguity("another version", first: "GET / HTTP/2.0\r\n", status: 505),
        Ambiguity(
            "too much of a field", "X: \(String(repeating: "a", count: 20_000))\r\n", status: 431),
    ]
}

/// A refused head is refused wherever its fault stands, whatever stands around it, and however it comes.
@Suite("Ambiguous heads")
struct AmbiguousHeadTests {
    private static let harmless = [
        "Accept: */*\r\n", "User-Agent: test/1.0 (x)\r\n", "Cookie: a=b; c=d\r\n", "X-Empty:\r\n",
        "Connection: keep-alive\r\n", "Accept-Encoding: gzip, chunked\r\n", "X-Length: 5\r\n",
    ]
    private static let before = [
        "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    ]

    @Test(arguments: Ambiguity.all)
    func `is refused in every surrounding, and nothing behind it is read`(bad: Ambiguity) {
        var random = SeededGenerator(
            seed: UInt64(bad.name.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xFFFF))
        for _ in 0..<60 {
            let good = (0..<random.below(3)).map { _ in random.pick(Self.before) }
            // Its own lines keep their order; harmless ones come anywhere between.
            var lines = bad.lines
            if bad.hasHost { lines.insert("Host: a\r\n", at: random.below(lines.count + 1)) }
            for _ in 0..<random.below(4) {
                lines.insert(random.pick(Self.harmless), at: random.below(lines.count + 1))
            }
            lines = lines.map { line in
                // Names have no case.
                guard random.below(2) == 0, let colon = line.firstIndex(of: ":") else {
                    return line
                }
                let name = line[..<colon]
                return (random.below(2) == 0 ? name.uppercased() : name.lowercased())
                    + line[colon...]
            }
            let text = good.joined() + bad.first + lines.joined() + "\r\n"
            let bytes = Array((text + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n").utf8)
            var cuts = (0..<random.below(6)).map { _ in random.below(bytes.count + 1) }.sorted()
            if random.below(8) == 0, bytes.count < 2000 { cuts = Array(0..<bytes.count) }
            let (heads, status) = Self.read(bytes, cuts)
            #expect(heads == good.map { _ in "/ok" }, "\(text.debugDescription)")
            #expect(status == bad.status, "\(text.debugDescription)")
        }
    }

    /// The paths of the heads, and the status of the refusal that ended it.
    private static func read(_ bytes: [UInt8], _ cuts: [Int]) -> (heads: [String], status: Int?) {
        var parser = RequestParser()
        var heads: [String] = []
        var start = 0
        for end in cuts + [bytes.count] {
            let piece = Array(bytes[start..<end])
            start = end
            let status = piece.withUnsafeBytes { raw -> Int? in
                var offset = 0
                while true {
                    switch parser.next(raw, from: &offset) {
                    case .needsMore: return nil
                    case .head(let head): heads.append(head.rawPath)
                    case .body, .end: continue
                    case .refused(let refusal): return refusal.status
                    }
                }
            }
            if let status { return (heads, status) }
        }
        return (heads, nil)
    }
}
