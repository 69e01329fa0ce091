import Testing

@testable import HTTPMessages

@Suite("Field values")
struct FieldValueTests {
    @Test(
        arguments: [
            (nil, ByteRange.whole), ("bytes=0-0", .part(0..<1)), ("bytes=2-", .part(2..<10)),
            ("bytes=-3", .part(7..<10)),
            ("bytes=-30", .part(0..<10)), ("bytes=5-99", .part(5..<10)),
            ("bytes=10-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable), ("bytes=4-2", .whole), ("bytes=0-1,3-4", .whole),
            ("lines=0-1", .whole),
            ("bytes=a-b", .whole), ("bytes=0-99999999999999999999999", .part(0..<10)),
        ] as [(String?, ByteRange)])
    func `a byte range is read against the size`(field: String?, wanted: ByteRange) {
        #expect(ByteRange(field, sizeBytes: 10) == wanted)
    }

    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func `dates are written and read`(seconds: Int64, text: String) {
        #expect(HTTPDate.format(seconds) == text)
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test func `malformed dates are not read`() {
        for text in [
            "", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "1994-11-06",
        ] {
            #expect(HTTPDate.parse(text) == nil)
        }
    }

    @Test func `percent escapes are decoded and encoded`() {
        #expect(PercentCoding.decode("a%20b%C3%A9") == "a b\u{E9}")
        #expect(PercentCoding.decode("a%2") == nil)
        #expect(PercentCoding.decode("a%zz") == nil)
        #expect(PercentCoding.decode("%FF") == nil)
        #expect(PercentCoding.decode("%00") == nil)
        #expect(PercentCoding.encode("a b/\u{E9}~") == "a%20b%2F%C3%A9~")
        #expect(PercentCoding.encode("a b/c", .path) == "a%20b/c")
    }

    @Test func `queries, forms and cookies are read`() throws {
        let request = Request(
            method: .post, rawPath: "/", rawQuery: "a=1&b=x+y%2B&a=2&flag&=&e=",
            fields: Fields([("Cookie", "s=abc; t=\"q\""), ("Cookie", "u=1=2")]),
            body: Bytes(Array("k=v&w=%41".utf8)))
        #expect(request.queryItems["a"] == "1")
        #expect(request.queryItems.values("a") == ["1", "2"])
        #expect(request.queryItems["b"] == "x y+")
        #expect(request.queryItems["flag"] == "")
        #expect(request.queryItems["none"] == nil)
        #expect(request.cookie("s") == "abc")
        #expect(request.cookie("t") == "q")
        #expect(request.cookie("u") == "1=2")
        #expect(request.cookie("v") == nil)
        #expect(try request.readForm()?["w"] == "A")
    }

    final class Bytes: RequestBody {
        let bytes: [UInt8]
        nonisolated(unsafe) var given = false  // Safe because one thread reads it.
        init(_ bytes: [UInt8]) { self.bytes = bytes }
        var declaredLength: Int64? { Int64(bytes.count) }
        func next() throws(HTTPBodyError) -> [UInt8]? {
            defer { given = true }
            return given ? nil : bytes
        }
    }

    @Test func `a set cookie is safe by default`() {
        var cookie = SetCookie("session_8080", "a b")
        #expect(cookie.field == "session_8080=a%20b; Path=/; SameSite=Lax; HttpOnly")
        cookie.maxAgeSeconds = 0
        cookie.isSecure = true
        #expect(
            cookie.field == "session_8080=a%20b; Path=/; SameSite=Lax; Max-Age=0; HttpOnly; Secure")
    }

    @Test(
        arguments: [
            ("", "text/html"), ("*/*", "text/html"), ("application/json", "application/json"),
            ("text/html;q=0.5, application/json", "application/json"),
            ("text/*;q=0.1, */*;q=0", "text/html"),
            ("image/png", nil),
        ] as [(String, String?)])
    func `content is negotiated by weight`(accept: String, wanted: String?) {
        let request = Request(
            method: .get, rawPath: "/",
            fields: accept.isEmpty ? Fields() : Fields([("Accept", accept)]))
        #expect(request.preferredType(among: ["text/html", "application/json"]) == wanted)
    }

    @Test func `a field with a line break cannot begin another`() {
        var bytes: [UInt8] = []
        ResponseHead.append(
            status: 200, fields: Fields([("X", "a\r\nSet-Cookie: b"), ("Content-Length", "9")]),
            framing: .length(0),
            keepsAlive: true, minorVersion: 1, date: "D", requestID: "1", to: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nServer: lakehouse\r\nDate: D\r\nX-Request-Id: 1\r\nContent-Length: 0\r\nX: a  Set-Cookie: b\r\n\r\n"
        )
    }
}
