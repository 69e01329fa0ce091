import HTTPMessages
import TestSupport

extension FuzzTarget {
    /// Request heads, framing and what handlers read out of fields.
    static let http: FuzzTarget = {
        var target = FuzzTarget(
            name: "http", summary: "HTTP/1.1 heads and framing, whole and in pieces"
        ) {
            HTTPSeeds.texts.map { Array($0.utf8) }
        } prepare: {
            { input in try HTTPTrial.run(input) }
        }
        target.tokens = HTTPSeeds.tokens
        target.sizeLimit = 80 * 1024
        target.generate = { random in HTTPSeeds.request(&random) }
        return target
    }()
}

private enum HTTPTrial {
    static func run(_ input: [UInt8]) throws {
        let whole = try transcript(input, cuts: [])
        try hold(
            try transcript(input, cuts: Array(1..<max(1, input.count))) == whole,
            "byte by byte the events differ")
        // The cuts depend on the input alone, so that the input repeats the failure.
        var random = SeededGenerator(
            seed: input.reduce(UInt64(input.count)) { $0 &* 31 &+ UInt64($1) })
        for _ in 0..<3 {
            let cuts = (0...random.below(4)).map { _ in random.below(input.count + 1) }.sorted()
            try hold(try transcript(input, cuts: cuts) == whole, "cut at \(cuts) the events differ")
        }
    }

    /// The events as lines; a body is one line, however it came.
    private static func transcript(_ input: [UInt8], cuts: [Int]) throws -> [String] {
        var parser = RequestParser()
        var lines: [String] = []
        var body: [UInt8] = []
        var steps = 0
        func flushBody() {
            if !body.isEmpty { lines.append("body \(body.count) \(body.hashValue)") }
            body = []
        }
        var start = 0
        for end in cuts + [input.count] where end >= start {
            let isOver: Bool = try input[start..<end].withUnsafeBytes { bytes in
                var offset = 0
                while true {
                    steps += 1
                    try hold(
                        steps <= 2 * input.count + cuts.count + 8, "the parser goes in circles")
                    let before = offset
                    switch parser.next(bytes, from: &offset) {
                    case .needsMore:
                        try hold(offset == bytes.count, "input is left that nobody wanted")
                        return false
                    case .head(let head):
                        flushBody()
                        try check(head)
                        lines.append("head " + describe(head))
                    case .body(let range):
                        try hold(
                            !range.isEmpty && range.lowerBound >= before
                                && range.upperBound == offset, "a body piece out of place")
                        body += bytes[range]
                    case .end(let trailers):
                        flushBody()
                        lines.append("end \(trailers.all)")
                    case .refused(let refusal):
                        flushBody()
                        try hold((400...599).contains(refusal.status), "a refusal's status")
                        lines.append("refused \(refusal.status) \(refusal.reason)")
                        return true
                    }
                }
            }
            if isOver { break }
            start = end
        }
        flushBody()
        return lines
    }

    private static func describe(_ head: RequestHead) -> String {
        "\(head.method.rawValue) \(head.rawPath) ? \(head.rawQuery) 1.\(head.minorVersion) "
            + "\(head.fields.all) \(head.framing) \(head.expectsContinue) \(head.keepsAlive)"
    }

    /// What handlers take for granted.
    private static func check(_ head: RequestHead) throws {
        for (name, value) in head.fields.all {
            try hold(
                !name.isEmpty && !(name + value).utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 },
                "a field with a line end or NUL")
        }
        let lengths = head.fields.values("Content-Length")
        let codings = head.fields.values("Transfer-Encoding")
        try hold(
            lengths.count + codings.count <= 1, "two framings: \(lengths), \(codings)")
        try hold(
            head.fields.values("Host").count == 1 || head.minorVersion == 0, "no or two Hosts")
        try hold(
            head.rawPath.hasPrefix("/") || head.rawPath == "*" || head.method.rawValue == "CONNECT",
            "a path without a slash: \(head.rawPath)")
        try readFields(head)
    }

    /// What handlers do with a request.
    private static func readFields(_ head: RequestHead) throws {
        let request = Request(
            method: head.method, rawPath: head.rawPath, rawQuery: head.rawQuery,
            fields: head.fields, body: EmptyBody(), requestID: "fuzz")
        _ = request.path
        _ = request.contentType
        _ = request.preferredType(among: ["text/html", "application/json"])
        _ = request.acceptsEncoding("gzip")
        _ = request.cookie("session")
        for (_, value) in head.fields.all {
            _ = MediaType(parsing: value)
            _ = HTTPDate.parse(value)
            if case .part(let range) = ByteRange(value, sizeBytes: 1000) {
                try hold(range.lowerBound >= 0 && range.upperBound <= 1000, "a range outside")
            }
        }
        if let items = QueryItems(parsing: head.rawQuery) {
            let again = QueryItems(parsing: items.encoded)
            try hold(
                again.map { "\($0.all)" } == "\(items.all)", "query items do not come back")
        }
    }
}

private enum HTTPSeeds {
    static let tokens = [
        "\r\n", "\n", "\r", "\r\n\r\n", ": ", ":", " ", "\t", "\0", "HTTP/1.1", "HTTP/1.0",
        "HTTP/2.0", "GET", "POST", "PUT", "OPTIONS", "CONNECT", "*", "Host: a\r\n",
        "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n",
        "chunked", "gzip", "identity", "Expect: 100-continue\r\n", "Connection: close\r\n",
        "Connection: keep-alive\r\n", "5\r\nhello\r\n", "0\r\n\r\n", "0\r\n", ";a=b", "%2F", "%zz",
        "?a=b&c", "http://a/", "//", "[::1]:80", "a@b", "#", "X-Long: ", ",", "a",
        "Range: bytes=0-9\r\n", "Cookie: session=a; b=c\r\n", "é", "\u{FEFF}",
    ]

    static let texts = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a%20b/c?x=1&y=%C3%A9 HTTP/1.1\r\nHost: localhost:8080\r\nAccept: text/html;q=0.8, */*\r\n"
            + "Cookie: session=abc; theme=dark\r\nRange: bytes=0-99\r\n"
            + "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + "Content-Length: 11\r\n\r\na=1&b=2&c=3GET /next HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT /b/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
            + "6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nHEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "GET http://example.com:80/x?y HTTP/1.1\r\nHost: example.com:80\r\nConnection: close\r\n\r\n",
    ]

    /// A request by the grammar, with now and then a rule broken.
    static func request(_ random: inout SeededGenerator) -> [UInt8] {
        var text = random.pick(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "x!#$"]) + " "
        text += random.pick(["/", "/a/b", "*", "http://a/", "/%41", "/?", "/a?b=c&d", "//", "a:80"])
        text += random.pick([" HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/1.1\n", "  HTTP/1.1\r\n"])
        let names = [
            "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "X", "Cookie",
            "Range", "Accept", "Content-Type", "host", "TRANSFER-ENCODING",
        ]
        let values = [
            "a", "0", "5", "chunked", "gzip, chunked", "close", "keep-alive, te", "100-continue",
            "", " ", "bytes=0-0,5-", "text/*;q=0.1", "a=b; c=\"d\"", "\t x ", "a\u{0}b", "5, 5",
        ]
        for _ in 0..<random.below(8) {
            text += random.pick(names) + random.pick([": ", ":", " : ", ":\t"])
            text += random.pick(values) + random.pick(["\r\n", "\r\n", "\r\n", "\n", "\r\n "])
        }
        text += "\r\n"
        for _ in 0..<random.below(5) {
            let size = random.below(20)
            text += String(size, radix: 16) + random.pick(["\r\n", ";a\r\n", "\n", " \r\n"])
            text += String(repeating: "x", count: size) + random.pick(["\r\n", "\r\n", "", "\n"])
        }
        text += random.pick(["", "0\r\n\r\n", "0\r\nA: b\r\n\r\n", "0\r\nHost: b\r\n\r\n"])
        return Array(text.utf8)
    }
}
