import Cryptography
import HTTPMessages
import Platform
import Telemetry
import Testing

@testable import HTTPServer

@Suite("HTTP server")
struct HTTPServerTests {
    private static func echo(_ request: Request) -> Response {
        switch request.rawPath {
        case "/echo":
            do {
                return Response(
                    status: 200, contentType: "application/octet-stream",
                    bytes: try request.body.readAll(limit: 64 << 20))
            } catch { return .text(400, "\(error)") }
        case "/count":
            var total = 0
            do {
                while let piece = try request.body.next() { total += piece.count }
            } catch { return .text(400, "\(error)") }
            return .text(200, "\(total)")
        case "/chunks":
            return Response(
                status: 200, body: .chunked(PieceStream((0..<5).map { Array("piece \($0);".utf8) }))
            )
        case "/stream":
            let pieces = (0..<64).map { [UInt8](repeating: UInt8($0), count: 65_536) }
            return Response(status: 200, body: .stream(length: 64 * 65_536, PieceStream(pieces)))
        case "/ignore": return .text(200, "ignored")
        default:
            return .text(200, "\(request.method.rawValue) \(request.rawPath)?\(request.rawQuery)")
        }
    }

    @Test func `requests on one connection are answered in order, with id, server and date`() throws
    {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        var ids: Set<String> = []
        for index in 0..<20 {
            let answer = try client.get("/page\(index)?a=b")
            #expect(answer.status == 200)
            #expect(answer.text == "GET /page\(index)?a=b")
            #expect(answer.field("Server") == "lakehouse")
            #expect(answer.field("Date")?.hasSuffix("GMT") == true)
            ids.insert(answer.field("X-Request-Id") ?? "")
        }
        #expect(ids.count == 20)
    }

    @Test func `pipelined requests are answered in order`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        var text = ""
        for index in 0..<200 {
            text +=
                index % 3 == 0
                ? "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n\(index + 10000)"
                : "GET /\(index) HTTP/1.1\r\nHost: t\r\n\r\n"
        }
        try client.send(text)
        for index in 0..<200 {
            let answer = try client.answer()
            #expect(answer.text == (index % 3 == 0 ? "\(index + 10000)" : "GET /\(index)?"))
        }
    }

    @Test func `a client that half-closes still gets its answers`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        try client.send("GET /a HTTP/1.1\r\nHost: t\r\n\r\nGET /b HTTP/1.1\r\nHost: t\r\n\r\n")
        client.socket.shutdownWriting()
        #expect(try client.answer().text == "GET /a?")
        #expect(try client.answer().text == "GET /b?")
        #expect(try client.readToEnd() == "")
    }

    @Test func `chunked bodies go both ways`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        try client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        try client.send("4\r\nlake\r\n5;x=y\r\nhouse\r\n0\r\nX-Sum: 1\r\n\r\n")
        #expect(try client.answer().text == "lakehouse")
        let answer = try client.get("/chunks")
        #expect(answer.field("Transfer-Encoding") == "chunked")
        #expect(answer.text == "piece 0;piece 1;piece 2;piece 3;piece 4;")
        #expect(try client.get("/after").status == 200)
    }

    @Test func `large bodies stream both ways under backpressure`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        try client.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: \(20 << 20)\r\n\r\n")
        for _ in 0..<20 { try client.socket.writeAll(piece) }
        #expect(try client.answer().text == "\(20 << 20)")
        let answer = try client.get("/stream")
        #expect(answer.body.count == 64 * 65_536)
        #expect(answer.body.last == 63)
    }

    @Test func `100 Continue is sent when the handler reads, and not when it does not`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        try client.send(
            "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        #expect(try client.answer().status == 100)
        try client.send("body")
        #expect(try client.answer().text == "body")
        try client.send(
            "POST /ignore HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        let answer = try client.answer()
        #expect(answer.text == "ignored")
        #expect(answer.field("Connection") == "close")
        #expect(try client.readToEnd() == "")
    }

    @Test func `an unread body is thrown away, a long one ends the connection`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        try client.send("POST /ignore HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n")
        try client.socket.writeAll([UInt8](repeating: 65, count: 100_000))
        #expect(try client.answer().text == "ignored")
        #expect(try client.get("/next").status == 200)
        try client.send("POST /ignore HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000\r\n\r\n")
        #expect(try client.answer().field("Connection") == "close")
    }

    @Test func `HEAD has no body, and Connection close closes`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        try client.send("HEAD /stream HTTP/1.1\r\nHost: t\r\n\r\n")
        #expect(try client.answer(isHead: true).field("Content-Length") == "\(64 * 65_536)")
        try client.send("GET /x HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        #expect(try client.answer().field("Connection") == "close")
        #expect(try client.readToEnd() == "")
    }

    @Test func `HTTP 1.0 ends after the answer and gets no chunks`() throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        try client.send("GET /chunks HTTP/1.0\r\n\r\n")
        let text = try client.readToEnd()
        #expect(text.hasSuffix("\r\n\r\npiece 0;piece 1;piece 2;piece 3;piece 4;"))
        #expect(!text.contains("chunked"))
    }

    @Test(arguments: BadHeads.all)
    func `an ambiguous head is refused and the connection ends`(bad: BadHead) throws {
        let server = try TestServer { Self.echo($0) }
        let client = try server.connect()
        try? client.socket.writeAll(bad.bytes)
        let answer = try client.answer()
        #expect(answer.status == bad.status, "\(bad.name)")
        #expect(try client.readToEnd() == "", "\(bad.name)")
    }

    @Test func `half-open heads, silent readers and stalled uploads delay nobody`() throws {
        var limits = HTTPServerLimits()
        limits.handlerThreads = 4
        let server = try TestServer(limits: limits) { Self.echo($0) }
        var others: [TestClient] = []
        for _ in 0..<64 {
            let half = try server.connect()
            try half.send("GET / HTTP/1.1\r\nHos")
            let reader = try server.connect()
            reader.socket.setBuffers(receiveBytes: 4096)
            try reader.send("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n")
            let uploader = try server.connect()
            try uploader.send(
                "POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 10000000\r\n\r\nbeginning")
            others += [half, reader, uploader]
        }
        let client = try server.connect()
        for index in 0..<20 { #expect(try client.get("/\(index)").text == "GET /\(index)?") }
        #expect(server.service.connectionCount == 64 * 3 + 1)
    }

    @Test func `a full queue answers 503 with Retry-After`() throws {
        var limits = HTTPServerLimits()
        limits.handlerThreads = 1
        limits.handlerQueue = 1
        let gate = Latch<Bool>()
        let entered = Latch<Bool>()
        let queued = Latch<Bool>()
        let server = try TestServer(limits: limits, onQueued: { if $0 == 1 { queued.open(true) } })
        {
            request in
            if request.rawPath == "/first" { entered.open(true) }
            _ = gate.wait()
            return .text(200, "late")
        }
        let first = try server.connect()
        try first.send("GET /first HTTP/1.1\r\nHost: t\r\n\r\n")
        _ = entered.wait()
        var waiting: [TestClient] = []
        var statuses: [Int] = []
        // One waits in the queue; a refusal comes as soon as there are two.
        let second = try server.connect()
        try second.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        #expect(queued.wait(until: SystemMonotonicClock().now() + .seconds(120)) == true)
        for _ in 0..<3 {
            let client = try server.connect()
            let answer = try client.get("/")
            statuses.append(answer.status)
            #expect(answer.field("Retry-After") == "1")
            waiting.append(client)
        }
        #expect(statuses == [503, 503, 503])
        gate.open(true)
        #expect(try first.answer().text == "late")
        #expect(try second.answer().text == "late")
    }

    @Test func `draining lets requests end and closes idle connections`() throws {
        let gate = Latch<Bool>()
        let entered = Latch<Bool>()
        let server = try TestServer { request in
            guard request.rawPath == "/slow" else { return .text(200, "quick") }
            entered.open(true)
            _ = gate.wait()
            return .text(200, "slow")
        }
        let idle = try server.connect()
        #expect(try idle.get("/").text == "quick")
        let busy = try server.connect()
        try busy.send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n")
        _ = entered.wait()
        let drained = Latch<Bool>()
        let service = server.service
        let thread = try Thread(name: "drain") {
            service.drain(until: SystemMonotonicClock().now() + .seconds(20))
            drained.open(true)
        }
        #expect(try idle.readToEnd() == "")
        #expect(drained.current == nil)
        gate.open(true)
        let answer = try busy.answer()
        #expect(answer.text == "slow")
        #expect(answer.field("Connection") == "close")
        busy.socket.close()
        #expect(drained.wait())
        thread.join()
        #expect(throws: PlatformError.self) { try server.connect() }
    }

    @Test
    func `deadlines end slow heads with 408 and stalled bodies with an error for the handler`()
        throws
    {
        let clock = SettableClock()
        let outcome = Latch<String>()
        let reading = Latch<Bool>()
        let server = try TestServer(clock: clock) { request in
            guard request.method == .post else { return .text(200, "first") }
            do {
                // The piece comes only after the loop was asked for it, and has set the deadline.
                _ = try request.body.next()
                reading.open(true)
                _ = try request.body.readAll(limit: 1 << 30)
            } catch { outcome.open("\(error)") }
            return .text(400, "stalled")
        }
        // The answer to the first request says that the half head behind it was seen.
        let half = try server.connect()
        try half.send("GET /first HTTP/1.1\r\nHost: t\r\n\r\nGET / HTTP/1.1\r\nHo")
        #expect(try half.answer().text == "first")
        let upload = try server.connect()
        try upload.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\nabc")
        _ = reading.wait()
        clock.advance(by: .seconds(21))
        server.service.checkDeadlines()
        #expect(outcome.wait(until: SystemMonotonicClock().now() + .seconds(120)) == "timedOut")
        #expect(try half.answer().status == 408)
        #expect(try upload.answer().status == 400)
    }

    @Test func `TLS and plain HTTP share a port`() throws {
        let kept = try CertificateAuthority.generate(
            commonName: "test authority", now: SystemWallClock().now().seconds)
        let leaf = try kept.issue(
            names: ["localhost", "127.0.0.1"], now: SystemWallClock().now().seconds)
        let context = try TLSContext(
            certificateChainPEM: leaf.chainPEM, privateKeyPEM: leaf.privateKeyPEM)
        let server = try TestServer(tls: { context }) { request in
            request.rawPath == "/big"
                ? Response(status: 200, body: .bytes([UInt8](repeating: 9, count: 3 << 20)))
                : .text(200, request.isSecure ? "secure" : "plain")
        }
        #expect(try server.connect().get("/").text == "plain")
        let client = try server.connect()
        let session = try TLSContext(trustingPEM: kept.kept().chainPEM).makeSession(
            serverName: "localhost")
        var plain: [UInt8] = []
        func pump() throws {
            try client.socket.writeAll(session.takeCiphertext())
            let received = try client.socket.readSome()
            try received.withUnsafeBytes { try session.receive($0) }
        }
        while try !session.handshake() { try pump() }
        func request(_ path: String, bytes: Int) throws {
            plain = []
            try Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8).withUnsafeBytes {
                try session.write($0)
            }
            try client.socket.writeAll(session.takeCiphertext())
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while plain.count < bytes {
                switch try buffer.withUnsafeMutableBytes({ try session.read(into: $0) }) {
                case .bytes(let count): plain += buffer[..<count]
                case .wantsInput: try pump()
                case .closed: return
                }
            }
        }
        try request("/", bytes: 100)
        #expect(String(decoding: plain, as: UTF8.self).hasSuffix("secure"))
        try request("/big", bytes: 3 << 20)
        #expect(plain.count > 3 << 20)
    }

    @Test func `a taken port is a fault that names the holder`() throws {
        let server = try TestServer { _ in .noContent }
        let second = HTTPService(
            doors: [
                HTTPDoor(
                    name: "again", port: server.port,
                    handler: TestServer.Handler { _ in .noContent })
            ],
            metrics: server.metrics)
        let error = try #require(throws: HTTPServerError.self) { try second.start() }
        #expect(error.code == .cannotListen)
        #expect(error.message.contains("port \(server.port) is taken"))
        #expect(error.message.contains("process \(Host.processID)"))
        #expect(error.hint != nil)
    }

    @Test func `a stream that breaks or lies about its length cuts the connection and is closed`()
        throws
    {
        let short = PieceStream([[1, 2, 3]])
        let lines = Monitor<[String]>([])
        let log = LogDestination { line in lines.notify { $0.append(line) } }
        let server = try TestServer(log: Logger(log)) { _ in
            Response(status: 200, body: .stream(length: 10, short))
        }
        let client = try server.connect()
        #expect(throws: (any Error).self) { try client.get("/") }
        #expect(short.isClosed.wait())
        #expect(lines.withLock { $0.count } == 1)
        #expect(lines.withLock { $0.first?.contains("error http.answer_cut:") } == true)
    }

    @Test func `a stream that waits is asked again when it is ready`() throws {
        final class Events: ResponseStream {
            struct State {
                var pieces: [[UInt8]] = []
                var wake: (@Sendable () -> Void)?
                var isOver = false
            }
            let state = Monitor(State())
            let closed = Latch<Bool>()
            func next() throws -> [UInt8]? {
                state.withLock { state in
                    if !state.pieces.isEmpty { return state.pieces.removeFirst() }
                    return state.isOver ? nil : []
                }
            }
            func whenReady(_ wake: @escaping @Sendable () -> Void) {
                let isReady = state.notify { state in
                    state.wake = wake
                    return !state.pieces.isEmpty || state.isOver
                }
                if isReady { wake() }
            }
            func close() { closed.open(true) }
            func push(_ text: String?) {
                let wake = state.wait { $0.wake }
                state.withLock { state in
                    state.wake = nil
                    if let text {
                        state.pieces.append(Array(text.utf8))
                    } else {
                        state.isOver = true
                    }
                }
                wake()
            }
        }
        let events = Events()
        let server = try TestServer { _ in Response(status: 200, body: .chunked(events)) }
        let client = try server.connect()
        try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        events.push("one ")
        events.push("two")
        events.push(nil)
        #expect(try client.answer().text == "one two")
        #expect(events.closed.wait())
    }

    @Test func `a client that goes away closes the stream it did not read`() throws {
        let endless = Endless()
        let server = try TestServer { _ in Response(status: 200, body: .chunked(endless)) }
        let client = try server.connect()
        try client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        #expect(try client.fill())
        client.socket.abortOnClose()
        client.socket.close()
        #expect(endless.closed.wait())
    }

    final class Endless: ResponseStream {
        let closed = Latch<Bool>()
        func next() throws -> [UInt8]? { [UInt8](repeating: 1, count: 10_000) }
        func close() { closed.open(true) }
    }
}
