import Testing

/// A request that could be read in two ways, or is too much.
struct BadHead: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let status: Int
    var testDescription: String { name }

    init(_ name: String, _ text: String, _ status: Int = 400) {
        self.name = name
        bytes = Array(text.utf8)
        self.status = status
    }
}

enum BadHeads {
    static let all: [BadHead] = [
        BadHead(
            "two lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        BadHead(
            "two equal lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"),
        BadHead("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na"),
        BadHead("a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na"),
        BadHead(
            "a length past 64 bits",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\na"),
        BadHead(
            "length and chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        BadHead(
            "chunked twice",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        BadHead(
            "chunked not last",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
        BadHead(
            "an obscured chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        BadHead(
            "another coding before chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        BadHead(
            "chunked in HTTP/1.0",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        BadHead("a bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
        BadHead("a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
        BadHead("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        BadHead("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
        BadHead("a space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        BadHead("a NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
        BadHead("a NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"),
        BadHead("no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n"),
        BadHead("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        BadHead("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        BadHead("a Host that contradicts the target", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
        BadHead("two spaces in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        BadHead("no version", "GET /\r\nHost: a\r\n\r\n"),
        BadHead("another version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        BadHead("a broken escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
        BadHead("a fragment", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"),
        BadHead(
            "an unknown expectation",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", 417),
        BadHead("a field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
        BadHead(
            "a request line too long", "GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\n",
            414),
        BadHead(
            "a field too long",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 20_000))\r\n", 431),
        BadHead(
            "too many fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + (0..<200).map { "X\($0): a\r\n" }.joined() + "\r\n",
            431),
    ]
}
