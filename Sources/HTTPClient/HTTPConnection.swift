package import Cryptography
import Diagnostics
package import HTTPMessages
import Platform

/// A whole answer.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var fields: Fields
    package var body: [UInt8]

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// What can go wrong between the client and a server.
package struct HTTPClientError: Fault {
    package enum Code: String, Sendable {
        case cannotConnect = "http_client.cannot_connect"
        /// No TLS connection: an unknown authority, another name, or no TLS at all.
        case untrusted = "http_client.untrusted"
        case disconnected = "http_client.disconnected"
        case malformed = "http_client.malformed_answer"
        case tooLarge = "http_client.answer_too_large"
    }
    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?
}

/// One kept-alive connection to one origin. Not for two threads at once.
package final class HTTPConnection {
    package let host: String
    package let port: Int
    private let tls: TLSContext?
    private var stream: ClientStream?
    /// Bytes that were read but not yet consumed.
    private var buffer: [UInt8] = []
    private var start = 0
    private let bodyLimit: Int

    /// `tls` makes it HTTPS; nil: plain HTTP.
    package init(host: String, port: Int, tls: TLSContext? = nil, bodyLimit: Int = 1 << 30) {
        self.host = host
        self.port = port
        self.tls = tls
        self.bodyLimit = bodyLimit
    }

    deinit { stream?.close() }

    /// Closes the connection; the next `send` opens another.
    package func close() {
        stream?.close()
        stream = nil
        buffer = []
        start = 0
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// A kept-alive connection that the server has closed meanwhile is opened again, once, and only
    /// when nothing of an answer had arrived.
    package func send(
        _ method: Method, _ target: String, fields: Fields = Fields(), body: [UInt8]? = nil
    ) throws(HTTPClientError) -> HTTPAnswer {
        let head = requestHead(method, target, fields, bodyCount: body?.count)
        let isReused = stream != nil
        do throws(HTTPClientError) {
            return try exchange(method, head + (body ?? []))
        } catch {
            let hadNothing = start == buffer.count
            close()
            guard isReused, error.code == .disconnected, hadNothing else { throw error }
            return try exchange(method, head + (body ?? []))
        }
    }

    /// Sends a request and hands every piece of the body to `piece` as it comes, until the end or
    /// until `piece` says no: for server-sent events.
    package func stream(
        _ method: Method, _ target: String, fields: Fields = Fields(),
        piece: (_ status: Int, _ bytes: [UInt8]) -> Bool
    ) throws(HTTPClientError) {
        defer { close() }
        try write(requestHead(method, target, fields, bodyCount: nil))
        let (status, answer) = try readHead()
        let isChunked = answer["Transfer-Encoding"]?.lowercased() == "chunked"
        while true {
            if isChunked {
                let bytes = try readChunk()
                if bytes.isEmpty || !piece(status, bytes) { return }
            } else {
                if start == buffer.count { try fill() }
                let bytes = Array(buffer[start...])
                start = buffer.count
                if !piece(status, bytes) { return }
            }
        }
    }

    private func exchange(_ method: Method, _ bytes: [UInt8]) throws(HTTPClientError) -> HTTPAnswer
    {
        try write(bytes)
        while true {
            let (status, fields) = try readHead()
            if status / 100 == 1 { continue }
            let body = method == .head ? [] : try readBody(status, fields)
            if fields["Connection"]?.lowercased() == "close" { close() }
            return HTTPAnswer(status: status, fields: fields, body: body)
        }
    }

    private func requestHead(
        _ method: Method, _ target: String, _ fields: Fields, bodyCount: Int?
    ) -> [UInt8] {
        var text = "\(method.rawValue) \(target) HTTP/1.1\r\n"
        if fields["Host"] == nil { text += "Host: \(host):\(port)\r\n" }
        for field in fields.all { text += "\(field.name): \(field.value)\r\n" }
        if let bodyCount {
            text += "Content-Length: \(bodyCount)\r\n"
        } else if method == .post || method == .put {
            text += "Content-Length: 0\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    private func write(_ bytes: [UInt8]) throws(HTTPClientError) {
        do {
            let stream = try self.stream ?? connect()
            self.stream = stream
            try stream.write(bytes)
        } catch let error as HTTPClientError {
            throw error
        } catch {
            throw HTTPClientError(
                code: .disconnected, message: "the server at \(host):\(port) went away", hint: nil,
                cause: error)
        }
    }

    private func connect() throws(HTTPClientError) -> ClientStream {
        var last: (any Error)?
        do {
            for address in try SocketAddress.resolve(host: host, port: port) {
                do {
                    let socket = try Socket.connect(to: address)
                    return try secured(socket)
                } catch let error as HTTPClientError { throw error } catch { last = error }
            }
        } catch let error as HTTPClientError { throw error } catch { last = error }
        throw HTTPClientError(
            code: .cannotConnect, message: "no server answers at \(host):\(port)",
            hint: "start one with `lakehouse serve`, or name another with --server", cause: last)
    }

    private func secured(_ socket: Socket) throws(HTTPClientError) -> ClientStream {
        do {
            return try ClientStream(socket, session: tls?.makeSession(serverName: bareHost))
        } catch {
            throw HTTPClientError(
                code: .untrusted, message: "no trusted TLS connection to \(host):\(port)",
                hint:
                    "give the authority of its certificate with --ca FILE, and the name it is for",
                cause: error)
        }
    }

    /// The host without the brackets of an IPv6 address.
    private var bareHost: String {
        host.hasPrefix("[") && host.hasSuffix("]")
            ? String(host.dropFirst().dropLast()) : host
    }

    // MARK: Reading

    private func fill() throws(HTTPClientError) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        var bytes: [UInt8] = []
        do { bytes = try stream?.read(limit: 1 << 18) ?? [] } catch {
            throw HTTPClientError(
                code: .disconnected, message: "the connection to \(host):\(port) broke", hint: nil,
                cause: error)
        }
        guard !bytes.isEmpty else {
            throw HTTPClientError(
                code: .disconnected, message: "the server at \(host):\(port) closed the connection",
                hint: nil, cause: nil)
        }
        buffer += bytes
    }

    private func readLine() throws(HTTPClientError) -> String {
        var scanned = start
        while true {
            if let end = buffer[scanned...].firstIndex(of: 0x0A) {
                var line = buffer[start..<end]
                if line.last == 0x0D { line.removeLast() }
                start = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            guard buffer.count - start < 65_536 else {
                throw malformed("a line of its head is too long")
            }
            let unread = buffer.count - start
            try fill()
            scanned = start + unread
        }
    }

    private func readHead() throws(HTTPClientError) -> (status: Int, fields: Fields) {
        let statusLine = try readLine()
        let parts = statusLine.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
            throw malformed("it begins with \(statusLine.prefix(40))")
        }
        var fields = Fields()
        while true {
            let line = try readLine()
            if line.isEmpty { return (status, fields) }
            guard let colon = line.firstIndex(of: ":") else {
                throw malformed("a field has no colon")
            }
            let value = line[line.index(after: colon)...]
            fields.append(String(line[..<colon]), String(trimming(value)))
        }
    }

    private func trimming(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    private func readBody(_ status: Int, _ fields: Fields) throws(HTTPClientError) -> [UInt8] {
        if status == 204 || status == 304 { return [] }
        if fields["Transfer-Encoding"]?.lowercased() == "chunked" {
            var body: [UInt8] = []
            while true {
                let chunk = try readChunk()
                if chunk.isEmpty { return body }
                guard body.count + chunk.count <= bodyLimit else { throw tooLarge() }
                body += chunk
            }
        }
        if let length = fields["Content-Length"].flatMap({ Int($0) }) {
            guard length >= 0, length <= bodyLimit else { throw tooLarge() }
            return try take(length)
        }
        return []
    }

    /// The next chunk; empty at the end, after the trailers.
    private func readChunk() throws(HTTPClientError) -> [UInt8] {
        let line = try readLine()
        let digits = line.prefix { $0 != ";" && $0 != " " }
        guard let size = Int(digits, radix: 16), size >= 0, size <= bodyLimit else {
            throw malformed("a chunk's size is \(line.prefix(20))")
        }
        if size == 0 {
            while try !readLine().isEmpty {}
            return []
        }
        let bytes = try take(size)
        _ = try readLine()
        return bytes
    }

    private func take(_ count: Int) throws(HTTPClientError) -> [UInt8] {
        while buffer.count - start < count { try fill() }
        defer { start += count }
        return Array(buffer[start..<(start + count)])
    }

    private func malformed(_ detail: String) -> HTTPClientError {
        HTTPClientError(
            code: .malformed, message: "the answer of \(host):\(port) is not HTTP: \(detail)",
            hint: nil, cause: nil)
    }

    private func tooLarge() -> HTTPClientError {
        HTTPClientError(
            code: .tooLarge, message: "the answer of \(host):\(port) passes \(bodyLimit) bytes",
            hint: nil, cause: nil)
    }
}
