import HTTPMessages
import Platform
import Telemetry

@testable import HTTPServer

/// A running server for one test, with a handler made of a closure.
final class TestServer {
    struct Handler: RequestHandler {
        let body: @Sendable (Request) -> Response
        func respond(to request: Request) -> Response { body(request) }
    }

    let service: HTTPService
    let port: Int
    let metrics = MetricsRegistry()

    init(
        limits: HTTPServerLimits = HTTPServerLimits(),
        clock: any MonotonicClock = SystemMonotonicClock(),
        tls: HTTPDoor.TLSSource? = nil, log: Logger = Logger(),
        onQueued: (@Sendable (Int) -> Void)? = nil,
        _ body: @escaping @Sendable (Request) -> Response
    ) throws {
        Signals.ignoreBrokenPipes()
        service = HTTPService(
            doors: [HTTPDoor(name: "test", port: 0, handler: Handler(body: body), tls: tls)],
            limits: limits,
            metrics: metrics, clock: clock, log: log, onQueued: onQueued)
        try service.start()
        port = service.port(of: "test") ?? 0
    }

    deinit { service.stop() }

    func connect() throws -> TestClient { try TestClient(port: port) }
}

/// A blocking client that speaks bytes.
final class TestClient {
    struct Answer {
        var status: Int
        var head: String
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
        func field(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                if line[..<colon].lowercased() == name.lowercased() {
                    return String(line[line.index(after: colon)...].drop { $0 == " " })
                }
            }
            return nil
        }
    }

    let socket: Socket
    var buffer: [UInt8] = []

    init(port: Int) throws {
        let address = try SocketAddress.resolve(host: "127.0.0.1", port: port)[0]
        socket = try Socket.connect(to: address, timeout: .seconds(120))
    }

    func send(_ text: String) throws { try socket.writeAll(Array(text.utf8)) }

    /// Reads one more piece; false at the end.
    func fill() throws -> Bool {
        let piece = try socket.readSome()
        buffer += piece
        return !piece.isEmpty
    }

    /// Reads until the server ends the connection.
    func readToEnd() throws -> String {
        while try fill() {}
        return String(decoding: buffer, as: UTF8.self)
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { guard try fill() else { throw Ended() } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private func line() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end].filter { $0 != 0x0D }, as: UTF8.self)
            }
            guard try fill() else { throw Ended() }
        }
    }

    struct Ended: Error {}

    /// Reads one answer, chunked or not.
    func answer(isHead: Bool = false) throws -> Answer {
        var head = ""
        while true {
            let text = try line()
            if text.isEmpty { break }
            head += text + "\r\n"
        }
        let status = Int(head.split(separator: " ")[1]) ?? 0
        var answer = Answer(status: status, head: head, body: [])
        if isHead || status == 204 || status == 304 || status == 100 { return answer }
        if let length = answer.field("Content-Length").flatMap({ Int($0) }) {
            answer.body = try take(length)
        } else if answer.field("Transfer-Encoding") == "chunked" {
            while true {
                let size = Int(try line(), radix: 16) ?? 0
                if size == 0 { break }
                answer.body += try take(size)
                _ = try line()
            }
            _ = try line()
        } else {
            while try fill() {}
            answer.body = buffer
            buffer = []
        }
        return answer
    }

    func get(_ path: String) throws -> Answer {
        try send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n")
        return try answer()
    }
}

/// Pieces from an array.
final class PieceStream: ResponseStream {
    private let pieces: Monitor<[[UInt8]]>
    let isClosed = Latch<Bool>()
    init(_ pieces: [[UInt8]]) { self.pieces = Monitor(pieces) }
    func next() throws -> [UInt8]? { pieces.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    func close() { isClosed.open(true) }
}
