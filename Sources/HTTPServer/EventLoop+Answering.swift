import Cryptography
import HTTPMessages
import Platform
import Telemetry

extension EventLoop {
    /// Has the request answered: at once, or on a handler thread.
    func dispatch(_ connection: Connection) {
        guard let exchange = connection.exchange, let request = exchange.request else { return }
        connection.exchange?.request = nil
        let handler = context.doors[connection.door].handler
        if let immediate = handler as? any ImmediateHandler,
            let response = immediate.immediateResponse(to: request)
        {
            return answer(connection, response, Self.stream(of: response, pool: context.pool), nil)
        }
        let token = connection.token
        let id = exchange.id
        let pool = context.pool
        let isHead = exchange.method == .head
        let taken = pool.submit(mayWaitForBody: exchange.body != nil && !exchange.isComplete) {
            [self] in
            let response = handler.respond(to: request)
            let stream = Self.stream(of: response, pool: pool)
            var first: PulledStream.Step?
            if let stream, !isHead, !Status.hasNoBody(response.status) {
                // The first piece comes along with the head.
                first = stream.pull()
            }
            post(.answer(token: token, exchange: id, response, stream, first))
            if let stream, case .waiting? = first {
                stream.callWhenReady { [self] in post(.streamReady(token: token, exchange: id)) }
            }
        }
        if !taken {
            context.metrics.overloaded.increment()
            let response = Response.text(503, "the server is busy, try again soon\n").with(
                "Retry-After", "1")
            answer(connection, response, nil, nil)
        }
    }

    private static func stream(of response: Response, pool: HandlerPool) -> PulledStream? {
        switch response.body {
        case .empty, .bytes: nil
        case .stream(_, let stream), .chunked(let stream): PulledStream(stream, pool: pool)
        }
    }

    /// Queues the head and what is there of the body.
    func answer(
        _ connection: Connection, _ response: Response, _ stream: PulledStream?,
        _ first: PulledStream.Step?
    ) {
        guard var exchange = connection.exchange, !exchange.isAnswered else {
            stream?.finish()
            return
        }
        exchange.isAnswered = true
        exchange.status = (200...999).contains(response.status) ? response.status : 500
        if isDraining { exchange.keepsAlive = false }
        if !exchange.isComplete { settleUnreadBody(connection, &exchange) }
        let isHead = exchange.method == .head
        let hasNoBody = Status.hasNoBody(exchange.status)
        var framing: ResponseHead.Framing
        var body: [UInt8] = []
        var streaming: Connection.Streaming?
        switch response.body {
        case .empty:
            // A handler that answers HEAD knows how long the body would be.
            let told = isHead ? response.fields["Content-Length"].flatMap { Int64($0) } : 0
            framing = told.map { .length($0) } ?? .none
        case .bytes(let bytes):
            framing = .length(Int64(bytes.count))
            body = bytes
        case .stream(let length, _):
            framing = .length(length)
            streaming = stream.map {
                Connection.Streaming(
                    stream: $0, remainingBytes: length, isChunked: false, isPulling: false)
            }
        case .chunked:
            framing = exchange.minorVersion == 0 ? .untilClose : .chunked
            if framing == .untilClose { exchange.keepsAlive = false }
            streaming = stream.map {
                Connection.Streaming(
                    stream: $0, remainingBytes: nil, isChunked: framing == .chunked,
                    isPulling: false)
            }
        }
        if hasNoBody { framing = .none }
        var head: [UInt8] = []
        ResponseHead.append(
            status: exchange.status, fields: response.fields, framing: framing,
            keepsAlive: exchange.keepsAlive,
            minorVersion: exchange.minorVersion, date: date, requestID: exchange.requestID,
            to: &head)
        connection.exchange = exchange
        guard !isHead, !hasNoBody else {
            stream?.finish()
            queue(connection, head)
            return finishAnswer(connection)
        }
        guard let streaming else {
            if body.count <= 16 * 1024 {
                head += body
                queue(connection, head)
            } else {
                queue(connection, head)
                queue(connection, body)
            }
            return finishAnswer(connection)
        }
        connection.streaming = streaming
        queue(connection, head)
        if let first { take(connection, first) } else { pullIfRoom(connection) }
    }

    /// Decides what becomes of a body that the handler did not read to its end.
    private func settleUnreadBody(_ connection: Connection, _ exchange: inout Connection.Exchange) {
        exchange.body?.abandon()
        exchange.isGathering = false
        exchange.wantsBody = false
        let isLong = (exchange.body?.declaredLength).map { $0 > limits.discardBytes } ?? false
        if exchange.awaitsContinue || isLong { exchange.keepsAlive = false }
        if exchange.keepsAlive {
            exchange.isDiscarding = true
            setDeadline(connection, .body, limits.rateWindow)
        }
    }

    /// Gives up on the rest of a body that nobody wants: the connection ends after the answer.
    func stopDiscarding(_ connection: Connection) {
        guard let exchange = connection.exchange, exchange.isDiscarding else { return }
        connection.exchange?.isDiscarding = false
        connection.exchange?.keepsAlive = false
        setDeadline(connection, .none, .zero)
        if exchange.isDone { finishExchange(connection) }
    }

    /// Takes a step of the stream: sends the piece, or ends the answer.
    func take(_ connection: Connection, _ step: PulledStream.Step) {
        guard var streaming = connection.streaming else { return }
        streaming.isPulling = false
        switch step {
        case .bytes(let bytes):
            if let remaining = streaming.remainingBytes {
                guard Int64(bytes.count) <= remaining else {
                    return cut(connection, "the stream is longer than it said")
                }
                streaming.remainingBytes = remaining - Int64(bytes.count)
            }
            connection.streaming = streaming
            if streaming.isChunked {
                var framed: [UInt8] = []
                framed.reserveCapacity(bytes.count + 16)
                ResponseHead.appendChunkLine(bytes.count, to: &framed)
                framed += bytes
                framed += [0x0D, 0x0A]
                queue(connection, framed)
            } else {
                queue(connection, bytes)
            }
            pullIfRoom(connection)
        case .waiting:
            streaming.isWaiting = true
            connection.streaming = streaming
            // Whoever went away while the stream had nothing to say is not told by a write.
            if connection.hasHangup { lose(connection) }
        case .end:
            guard streaming.remainingBytes ?? 0 == 0 else {
                return cut(connection, "the stream is shorter than it said")
            }
            if streaming.isChunked { queue(connection, Array("0\r\n\r\n".utf8)) }
            connection.streaming = nil
            streaming.stream.finish()
            finishAnswer(connection)
        case .failed(let reason): cut(connection, reason)
        }
    }

    /// The head is gone, so only the end of the connection can say that the answer is broken.
    private func cut(_ connection: Connection, _ reason: String) {
        context.log.error(
            "http.answer_cut", "An answer was cut because its stream failed.",
            ["reason": .string(reason), "request": .string(connection.exchange?.requestID ?? "-")])
        connection.socket.abortOnClose()
        kill(connection)
    }

    /// Asks the stream for its next piece when the socket has room for it.
    func pullIfRoom(_ connection: Connection) {
        guard let streaming = connection.streaming, !streaming.isPulling, !streaming.isWaiting,
            !connection.isDead,
            connection.output.byteCount < limits.outputBufferBytes, let id = connection.exchange?.id
        else { return }
        connection.streaming?.isPulling = true
        let token = connection.token
        streaming.stream.schedule { [self] in
            post(.streamReady(token: token, exchange: id))
        } deliver: { [self] step in
            post(.piece(token: token, exchange: id, step))
        }
    }

    /// The answer's last byte is queued.
    private func finishAnswer(_ connection: Connection) {
        guard let exchange = connection.exchange else { return }
        connection.exchange?.isDone = true
        counters[connection.door].count(exchange.method, exchange.status)
        durations[connection.door].observe(now - exchange.begin)
        context.log.debug(
            "http.request", "A request was answered.",
            [
                "request": .string(exchange.requestID), "method": .string(exchange.method.rawValue),
                "status": LogValue(exchange.status), "peer": .string(connection.remoteAddress),
            ])
        if !exchange.keepsAlive {
            connection.exchange = nil
            beginClose(connection)
        } else if exchange.isComplete {
            finishExchange(connection)
        }
    }

    /// Answer and request are complete: the next request may come.
    func finishExchange(_ connection: Connection) {
        guard let exchange = connection.exchange else { return }
        connection.exchange = nil
        if exchange.keepsAlive, !isDraining {
            setDeadline(connection, .idle, limits.idleDeadline)
        } else {
            beginClose(connection)
        }
    }

    // MARK: The socket

    /// Adds bytes to the output.
    func queue(_ connection: Connection, _ bytes: [UInt8]) {
        guard !connection.isDead else { return }
        do throws(CryptographyError) {
            try connection.send(bytes)
        } catch {
            kill(connection)
        }
    }

    /// Takes nothing more from the client; the connection ends when the output is sent.
    func beginClose(_ connection: Connection) {
        guard !connection.isDead, !connection.isClosing else { return }
        connection.isClosing = true
        connection.input = []
        setDeadline(connection, .none, .zero)
        if case .tls(let session) = connection.transport {
            session.close()
            connection.output.append(session.takeCiphertext())
        }
    }

    /// Writes what the socket takes, then does what waited for that.
    func flush(_ connection: Connection) {
        guard !connection.isDead else { return }
        if !connection.output.isEmpty, connection.canWrite {
            let (written, result) = connection.output.flush(to: connection.socket)
            context.metrics.sentBytes.increment(by: Int64(written))
            connection.windowBytes += written
            switch result {
            case .bytes: break
            case .wouldBlock: connection.canWrite = false
            case .closed, .failed: return lose(connection)
            }
        }
        if !connection.output.isEmpty {
            if connection.deadlineKind == .none || connection.deadlineKind == .idle {
                setDeadline(connection, .write, limits.writeDeadline)
            }
        } else if connection.deadlineKind == .write {
            if connection.exchange == nil, !connection.isClosing {
                setDeadline(connection, .idle, limits.idleDeadline)
            } else {
                setDeadline(connection, .none, .zero)
            }
        }
        pullIfRoom(connection)
        if connection.isClosing, connection.output.isEmpty, !connection.isLingering {
            // Half-closed: a close with bytes unread resets the connection, and a reset may overtake the
            // answer. What still comes is read away until the peer ends too (RFC 9112, section 9.6).
            connection.isLingering = true
            connection.canRead = true
            connection.socket.shutdownWriting()
            setDeadline(connection, .linger, limits.lingerDeadline)
            askAgain(connection)
        }
    }
}
