import HTTPMessages
import Platform
import Telemetry
import Testing

@testable import HTTPServer

/// An answer that ends the connection is heard, whatever the peer is still sending.
@Suite("HTTP server closing")
struct ClosingTests {
    private static func tooLarge(_ request: Request) -> Response {
        .text(413, "too large")
    }

    @Test(arguments: [1 << 20, 16 << 20])
    func `an early answer to an upload is heard after the whole upload`(bytes: Int) throws {
        let server = try TestServer { Self.tooLarge($0) }
        let client = try server.connect()
        try client.send("PUT /a HTTP/1.1\r\nHost: t\r\nContent-Length: \(bytes)\r\n\r\n")
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 0..<(bytes >> 20) { try client.socket.writeAll(piece) }
        let answer = try client.answer()
        #expect(answer.status == 413)
        #expect(answer.field("Connection") == "close")
        #expect(try client.readToEnd() == "")
    }

    @Test func `an early answer to a chunked upload is heard, and then the connection ends`() throws
    {
        let server = try TestServer { Self.tooLarge($0) }
        let client = try server.connect()
        try client.send("PUT /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        let piece =
            Array("10000\r\n".utf8) + [UInt8](repeating: 7, count: 65_536) + Array("\r\n".utf8)
        for _ in 0..<64 { try client.socket.writeAll(piece) }
        #expect(try client.answer().status == 413)
        #expect(try client.readToEnd() == "")
    }

    @Test func `a refusal reaches a peer that sent more and half-closed`() throws {
        let server = try TestServer { Self.tooLarge($0) }
        for _ in 0..<20 {
            let client = try server.connect()
            let rest = [UInt8](repeating: 65, count: 300_000)
            try client.socket.writeAll(Array("GET / HTTP/1.1\r\nHost : a\r\n\r\n".utf8) + rest)
            client.socket.shutdownWriting()
            #expect(try client.answer().status == 400)
            #expect(try client.readToEnd() == "")
        }
    }

    @Test func `what a closed connection may still send is bounded in bytes and in time`() throws {
        var limits = HTTPServerLimits()
        limits.lingerBytes = 100_000
        let clock = SettableClock()
        let server = try TestServer(limits: limits, clock: clock) { Self.tooLarge($0) }
        let many = try server.connect()
        let piece = [UInt8](repeating: 65, count: 1 << 16)
        #expect(throws: PlatformError.self) {
            try many.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n")
            while true { try many.socket.writeAll(piece) }
        }
        let silent = try server.connect()
        try silent.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n")
        #expect(try silent.answer().status == 400)
        #expect(try silent.readToEnd() == "")
        // The half-close was heard, so the linger deadline stands.
        clock.advance(by: .seconds(6))
        server.service.checkDeadlines()
        let end = SystemMonotonicClock().now() + .seconds(120)
        #expect(server.service.waitForNoConnection(until: end))
    }

    @Test func `a connection after a long silence has its whole time`() throws {
        let clock = SettableClock()
        var limits = HTTPServerLimits()
        limits.loopCount = 1
        let server = try TestServer(limits: limits, clock: clock) { .text(200, $0.rawPath) }
        #expect(try server.connect().get("/a").text == "/a")
        clock.advance(by: .seconds(60))
        for _ in 0..<8 {
            let client = try server.connect()
            try client.send("GET /b HTTP/1.1\r\nHo")
            // By the time the other is answered, the loop has been through its deadlines.
            #expect(try server.connect().get("/c").text == "/c")
            try client.send("st: t\r\n\r\n")
            #expect(try client.answer().text == "/b")
            clock.advance(by: .seconds(9))
        }
    }

    @Test func `a peer that went away is no error`() throws {
        let lines = Monitor<[String]>([])
        let log = LogDestination(minimum: .debug) { line in lines.notify { $0.append(line) } }
        let endless = HTTPServerTests.Endless()
        let server = try TestServer(log: Logger(log)) { _ in
            Response(status: 200, body: .chunked(endless))
        }
        let client = try server.connect()
        try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        #expect(try client.fill())
        client.socket.abortOnClose()
        client.socket.close()
        #expect(endless.closed.wait())
        let seen = lines.withLock { $0 }
        #expect(seen.contains { $0.contains("debug http.peer_gone:") })
        #expect(!seen.contains { $0.contains(" error ") })
    }
}
