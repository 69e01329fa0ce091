import TestSupport
import Testing

@testable import HTTPMessages

/// What the parser said, with body pieces joined: the same however the input was cut.
private enum Said: Equatable {
    case head(String)
    case body([UInt8])
    case end(String)
    case refused(Int, String)
}

private func parse(_ bytes: [UInt8], cuts: [Int]) -> [Said] {
    var parser = RequestParser()
    var said: [Said] = []
    var start = 0
    for cut in cuts + [bytes.count] {
        let piece = Array(bytes[start..<cut])
        start = cut
        var offset = 0
        let isOver: Bool = piece.withUnsafeBytes { raw in
            while true {
                switch parser.next(raw, from: &offset) {
                case .needsMore: return false
                case .head(let head):
                    let fields = head.fields.all.map { "\($0.name)=\($0.value)" }.joined(
                        separator: "|")
                    said.append(
                        .head(
                            "\(head.method.rawValue) \(head.rawPath)?\(head.rawQuery) \(head.framing) \(head.keepsAlive) \(fields)"
                        ))
                case .body(let range):
                    if case .body(let before)? = said.last {
                        said[said.count - 1] = .body(before + raw[range])
                    } else {
                        said.append(.body(Array(raw[range])))
                    }
                case .end(let trailers):
                    said.append(
                        .end(trailers.all.map { "\($0.name)=\($0.value)" }.joined(separator: "|")))
                case .refused(let refusal):
                    said.append(.refused(refusal.status, refusal.reason))
                    return true
                }
            }
        }
        if isOver { break }
    }
    return said
}

@Suite("Request parser")
struct RequestParserTests {
    private static let good: [String] = [
        "GET /a/b?x=1&y=%20 HTTP/1.1\r\nHost: lake.example:8080\r\nAccept: */*\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "PUT /b/k HTTP/1.1\r\nHost: [::1]:9000\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-T: v\r\n\r\n",
        "\r\nDELETE /x HTTP/1.1\r\nhost: a\r\nConnection: close\r\n\r\n",
        "GET http://a/z?q HTTP/1.1\r\nHost: a\r\nX-Text:  caf\u{E9} \t\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    ]

    @Test func `a head is read into its parts`() {
        let said = parse(Array(Self.good[0].utf8), cuts: [])
        #expect(
            said == [
                .head("GET /a/b?x=1&y=%20 none true Host=lake.example:8080|Accept=*/*"), .end(""),
            ])
        let chunked = parse(Array(Self.good[2].utf8), cuts: [])
        #expect(
            chunked == [
                .head("PUT /b/k? chunked true Host=[::1]:9000|Transfer-Encoding=chunked"),
                .body(Array("hello0123456789".utf8)), .end("X-T=v"),
            ])
    }

    @Test(
        arguments: [
            ("5 \r\nhello\r\n0\r\n\r\n", "a chunk size is malformed"),
            ("0x5\r\nhello\r\n0\r\n\r\n", "a chunk size is malformed"),
            ("\r\nhello\r\n", "a chunk size is not hexadecimal"),
            ("-5\r\nhello\r\n", "a chunk size is not hexadecimal"),
            ("FFFFFFFFFFFFFFFFF\r\n", "a chunk size is too large"),
            ("5\nhello\r\n", "a line ends in LF without CR"),
            ("5\r\nhelloX\r\n", "a chunk does not end where its size says"),
            ("5\r\nhello\n0\r\n\r\n", "a chunk does not end where its size says"),
            (
                "0\r\nContent-Length: 5\r\n\r\n",
                "a field that belongs into the head is in the trailers"
            ),
        ])
    func `bad chunks are refused`(body: String, reason: String) {
        let text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body
        #expect(parse(Array(text.utf8), cuts: []).last == .refused(400, reason))
    }

    @Test func `many tiny chunks are refused`() {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + String(repeating: "1;\(String(repeating: "e", count: 200))\r\nx\r\n", count: 1000)
        #expect(parse(Array(text.utf8), cuts: []).last == .refused(400, "too many tiny chunks"))
    }

    /// Mutates good requests; cut anywhere, the parser must say the same, and never crash.
    @Test(arguments: 0..<24)
    func `a mutated request has one reading however it is cut`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let spice: [[UInt8]] = [
            [0], [0x0A], [0x0D], [0x0D, 0x0A], [0x20], [0x3A], [0x09], [0x80], [0xFF],
            Array("Content-Length: 3\r\n".utf8),
            Array("Transfer-Encoding: chunked\r\n".utf8), Array("Host: b\r\n".utf8),
            Array("0\r\n\r\n".utf8),
            Array("GET / HTTP/1.1\r\n".utf8), Array(String(repeating: "a", count: 17_000).utf8),
        ]
        for _ in 0..<150 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes += Array(Self.good.randomElement(using: &random)!.utf8)
            }
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(contentsOf: spice.randomElement(using: &random)!, at: at)
                case 2: bytes.remove(at: at)
                default:
                    bytes.removeSubrange(
                        at..<min(bytes.count, at + Int.random(in: 1...9, using: &random)))
                }
                if bytes.isEmpty { bytes = [0x0D] }
            }
            let whole = parse(bytes, cuts: [])
            #expect(whole == parse(bytes, cuts: Array(1..<max(1, bytes.count))), "seed \(seed)")
            let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            #expect(whole == parse(bytes, cuts: cuts), "seed \(seed)")
            for case .head(let head) in whole {
                #expect(
                    !(head.contains(" length(") && head.lowercased().contains("transfer-encoding="))
                )
            }
        }
    }
}
