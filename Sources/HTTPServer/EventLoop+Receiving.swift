import Cryptography
import HTTPMessages
import Platform
import Telemetry

extension EventLoop {
    /// Takes the connection as far as its bytes, its handler and its socket allow.
    func advance(_ connection: Connection) {
        var reads = 0
        while !connection.isDead {
            if connection.isLingering {
                linger(connection)
                return
            }
            if connection.mayParse(outputLimit: limits.outputBufferBytes) {
                if connection.exchange != nil, connection.input.isEmpty {
                    // The end of a request needs no bytes, and may have waited for the handler.
                    _ = consume(connection, UnsafeRawBufferPointer(start: nil, count: 0))
                    guard connection.mayParse(outputLimit: limits.outputBufferBytes) else {
                        continue
                    }
                }
                if !connection.input.isEmpty {
                    let input = connection.input
                    connection.input = []
                    let used = input.withUnsafeBytes { consume(connection, $0) }
                    if used < input.count, !connection.isClosing {
                        connection.input = used == 0 ? input : Array(input[used...])
                    }
                    if used > 0 { continue }
                } else if connection.hasEnd {
                    endOfInput(connection)
                    if connection.isDead { return }
                } else if connection.canRead {
                    if reads == Self.readsPerTurn {
                        askAgain(connection)
                        break
                    }
                    reads += 1
                    receive(connection)
                    continue
                }
            }
            let before = connection.output.byteCount
            flush(connection)
            // Room in the output may let a pipelined request go on.
            let goesOn =
                !connection.isDead && connection.output.byteCount < before
                && connection.mayParse(outputLimit: limits.outputBufferBytes)
                && (!connection.input.isEmpty || connection.canRead)
            if !goesOn && !connection.isLingering { return }
        }
        if !connection.isDead { flush(connection) }
    }

    private func receive(_ connection: Connection) {
        switch connection.socket.read(into: receiveBuffer) {
        case .wouldBlock: connection.canRead = false
        case .failed: lose(connection)
        case .closed:
            connection.canRead = false
            connection.hasEnd = true
        case .bytes(let count):
            // A short read has emptied the socket; the poller tells of more. An end that came before is not
            // told again.
            if count < receiveBuffer.count, !connection.hasHangup { connection.canRead = false }
            connection.windowBytes += count
            context.metrics.receivedBytes.increment(by: Int64(count))
            let bytes = UnsafeRawBufferPointer(rebasing: receiveBuffer[..<count])
            if case .undecided = connection.transport { decide(connection, bytes[0]) }
            if case .tls(let session) = connection.transport {
                decrypt(connection, session, bytes)
            } else {
                parse(connection, bytes)
            }
        }
    }

    /// A TLS handshake begins with 0x16, which no method does.
    private func decide(_ connection: Connection, _ first: UInt8) {
        connection.transport = .plain
        guard first == 0x16, let tls = context.doors[connection.door].tls?() else { return }
        do throws(CryptographyError) {
            connection.transport = .tls(try tls.makeSession())
        } catch {
            context.log.error(
                "http.tls_failed", "A TLS session could not be made.", ["error": LogValue(error)])
        }
    }

    private func decrypt(
        _ connection: Connection, _ session: TLSSession, _ bytes: UnsafeRawBufferPointer
    ) {
        do throws(CryptographyError) {
            try session.receive(bytes)
            reading: while !connection.isDead {
                switch try session.read(into: plainBuffer) {
                case .bytes(let count):
                    parse(connection, UnsafeRawBufferPointer(rebasing: plainBuffer[..<count]))
                case .wantsInput: break reading
                case .closed:
                    connection.hasEnd = true
                    break reading
                }
            }
            connection.output.append(session.takeCiphertext())
        } catch {
            // The alert, if there is one, is worth sending.
            connection.output.append(session.takeCiphertext())
            context.log.debug(
                "http.tls_broken", "A TLS connection broke.", ["error": LogValue(error)])
            _ = connection.output.flush(to: connection.socket)
            kill(connection)
        }
    }

    /// Parses what may be parsed and keeps the rest.
    private func parse(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
        if !connection.input.isEmpty {
            connection.input.append(contentsOf: bytes)
            return
        }
        let used = consume(connection, bytes)
        if used < bytes.count, !connection.isClosing, !connection.isDead {
            connection.input = Array(bytes[used...])
        }
    }

    /// Gives bytes to the parser and acts on its events; how many were used.
    private func consume(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        while connection.mayParse(outputLimit: limits.outputBufferBytes) {
            let wasIdle = connection.parser.isIdle
            switch connection.parser.next(bytes, from: &offset) {
            case .needsMore:
                if wasIdle, !connection.parser.isIdle, connection.deadlineKind == .idle {
                    setDeadline(connection, .head, limits.headDeadline)
                }
                return offset
            case .head(let head): begin(connection, head)
            case .body(let range):
                takeBody(connection, UnsafeRawBufferPointer(rebasing: bytes[range]))
            case .end: endOfRequest(connection)
            case .refused(let refusal):
                refuse(connection, refusal)
                return bytes.count
            }
        }
        return offset
    }

    private func begin(_ connection: Connection, _ head: RequestHead) {
        connection.exchangeCount &+= 1
        let id = connection.exchangeCount
        let token = connection.token
        var body: ServerBody?
        var length: Int64?
        switch head.framing {
        case .none: break
        case .length(let count):
            length = count
            fallthrough
        case .chunked:
            body = ServerBody(
                declaredLength: length, limitBytes: limits.bodyBufferBytes, pool: context.pool
            ) { [self] in
                post(.wantBody(token: token, exchange: id))
            }
        }
        let requestID = makeRequestID()
        var exchange = Connection.Exchange(
            id: id, method: head.method, minorVersion: head.minorVersion, begin: now,
            requestID: requestID, body: body,
            keepsAlive: head.keepsAlive, awaitsContinue: head.expectsContinue && body != nil)
        exchange.request = Request(
            method: head.method, rawPath: head.rawPath, rawQuery: head.rawQuery,
            fields: head.fields,
            body: body ?? Self.emptyBody, isSecure: connection.isSecure,
            remoteAddress: connection.remoteAddress,
            requestID: requestID)
        let isSmall = length.map { $0 <= Int64(limits.wholeBodyBytes) } ?? false
        exchange.isGathering = body != nil && isSmall && !exchange.awaitsContinue
        let dispatches = body != nil && !exchange.isGathering
        connection.exchange = exchange
        if exchange.isGathering {
            setDeadline(connection, .body, limits.rateWindow)
        } else {
            setDeadline(connection, .none, .zero)
        }
        if dispatches { dispatch(connection) }
    }

    private static let emptyBody = EmptyBody()

    private func takeBody(_ connection: Connection, _ bytes: UnsafeRawBufferPointer) {
        guard var exchange = connection.exchange else { return }
        exchange.awaitsContinue = false
        if exchange.isDiscarding {
            exchange.discardedBytes += Int64(bytes.count)
            connection.exchange = exchange
            if exchange.discardedBytes > limits.discardBytes { stopDiscarding(connection) }
            return
        }
        if exchange.body?.append(bytes) == false, !exchange.isGathering {
            exchange.wantsBody = false
            if connection.deadlineKind == .body { setDeadline(connection, .none, .zero) }
        }
        connection.exchange = exchange
    }

    private func endOfRequest(_ connection: Connection) {
        guard let exchange = connection.exchange else { return }
        connection.exchange?.isComplete = true
        connection.exchange?.isGathering = false
        if connection.deadlineKind == .body { setDeadline(connection, .none, .zero) }
        exchange.body?.finish()
        if exchange.isDone {
            finishExchange(connection)
        } else if exchange.body == nil || exchange.isGathering {
            dispatch(connection)
        }
    }

    /// The handler asked for more of the body.
    func wantBody(_ connection: Connection) {
        guard let exchange = connection.exchange, !exchange.isComplete, !exchange.isAnswered else {
            return
        }
        connection.exchange?.wantsBody = true
        setDeadline(connection, .body, limits.rateWindow)
        if exchange.awaitsContinue {
            connection.exchange?.awaitsContinue = false
            queue(connection, Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
    }

    /// The peer sends no more: fine between requests, and after a whole one.
    private func endOfInput(_ connection: Connection) {
        // Answers may still be on their way to a peer that only listens now.
        if connection.exchange == nil, !connection.output.isEmpty { return beginClose(connection) }
        lose(connection)
    }

    /// Answers a malformed request, and ends.
    private func refuse(_ connection: Connection, _ refusal: RequestRefusal) {
        context.metrics.refusedHeads.with("\(refusal.status)").increment()
        context.log.debug(
            "http.refused", "A malformed request was refused.",
            [
                "reason": .string(refusal.reason), "status": LogValue(refusal.status),
                "peer": .string(connection.remoteAddress),
            ])
        if let exchange = connection.exchange {
            // In the middle of a body: the handler may have begun to answer.
            exchange.body?.fail(.malformed(refusal.reason))
            if exchange.isAnswered || !exchange.isGathering {
                connection.exchange?.keepsAlive = false
                connection.exchange?.isComplete = true
                if exchange.isDone { beginClose(connection) }
                return
            }
            connection.exchange = nil
        }
        answerAlone(connection, refusal.status, refusal.reason)
    }

    /// Answers without a handler, and ends the connection.
    func answerAlone(_ connection: Connection, _ status: Int, _ reason: String) {
        var bytes: [UInt8] = []
        let text = Array((reason + "\n").utf8)
        ResponseHead.append(
            status: status, fields: Fields([("Content-Type", "text/plain; charset=utf-8")]),
            framing: .length(Int64(text.count)), keepsAlive: false, minorVersion: 1, date: date,
            requestID: makeRequestID(), to: &bytes)
        queue(connection, bytes + text)
        beginClose(connection)
    }

    /// Reads on after our last byte, so that the peer is not reset before it has read the answer: until it
    /// ends too, or has sent more than `lingerBytes`, or the deadline comes.
    private func linger(_ connection: Connection) {
        var reads = 0
        while connection.canRead, !connection.isDead {
            if reads == Self.readsPerTurn { return askAgain(connection) }
            reads += 1
            switch connection.socket.read(into: receiveBuffer) {
            case .wouldBlock: connection.canRead = false
            case .bytes(let count):
                connection.lingeredBytes += count
                if connection.lingeredBytes > limits.lingerBytes { kill(connection) }
            case .closed, .failed: kill(connection)
            }
        }
    }

    /// A deadline has passed.
    func expire(_ connection: Connection) {
        let kind = connection.deadlineKind
        switch kind {
        case .none: return
        case .body where connection.windowBytes >= limits.bodyBytesPerWindow:
            return setDeadline(connection, .body, limits.rateWindow)
        case .write where connection.windowBytes > 0:
            return setDeadline(connection, .write, limits.writeDeadline)
        default: break
        }
        if kind != .linger, kind != .idle {
            context.metrics.timedOut.with(kind.rawValue).increment()
        }
        switch kind {
        case .head where !connection.parser.isIdle:
            answerAlone(connection, 408, "the head of the request did not come in time")
            flush(connection)
        case .body:
            if connection.exchange?.isGathering == true {
                connection.exchange?.body?.fail(.timedOut)
                connection.exchange = nil
                answerAlone(connection, 408, "the body of the request did not come in time")
                flush(connection)
            } else if connection.exchange?.isDiscarding == true {
                stopDiscarding(connection)
                flush(connection)
            } else {
                // The handler hears of it and answers; then the connection ends.
                connection.exchange?.wantsBody = false
                connection.exchange?.keepsAlive = false
                connection.exchange?.body?.fail(.timedOut)
                setDeadline(connection, .none, .zero)
            }
        default: kill(connection)
        }
    }
}
