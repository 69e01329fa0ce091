import Diagnostics
import HTTPMessages
import Platform
import Synchronization
import Telemetry

/// What the loops of a server share.
struct ServerContext: Sendable {
    let doors: [HTTPDoor]
    let limits: HTTPServerLimits
    let pool: HandlerPool
    let clock: any MonotonicClock
    let wallClock: any WallClock
    let entropy: any Entropy
    let metrics: HTTPServerMetrics
    let log: Logger
    let admission: Admission
}

/// Counts the connections of all loops.
final class Admission: Sendable {
    private struct State {
        var total = 0
        var addresses: [String: Int] = [:]
    }
    private let state = Monitor(State())
    private let limits: HTTPServerLimits

    init(limits: HTTPServerLimits) { self.limits = limits }

    /// Whether one more from this address is within the limits; counts it.
    func enter(_ address: String) -> Bool {
        state.withLock { state in
            let here = state.addresses[address] ?? 0
            guard state.total < limits.connections, here < limits.connectionsPerAddress else {
                return false
            }
            state.total += 1
            state.addresses[address] = here + 1
            return true
        }
    }

    func leave(_ address: String) {
        state.notify { state in
            state.total -= 1
            let here = (state.addresses[address] ?? 1) - 1
            state.addresses[address] = here > 0 ? here : nil
        }
    }

    var count: Int { state.withLock { $0.total } }

    /// Waits until no connection is left; false when the deadline came first.
    func waitForNone(until deadline: MonotonicInstant) -> Bool {
        state.wait(until: deadline) { $0.total == 0 ? () : nil } != nil
    }
}

/// One thread that owns sockets: accepts, reads, parses, writes, keeps deadlines.
///
/// Safe because everything but `mailbox` is touched by the loop's own thread only, after `init`.
final class EventLoop: @unchecked Sendable {
    enum Message: Sendable {
        case answer(token: UInt64, exchange: UInt32, Response, PulledStream?, PulledStream.Step?)
        case piece(token: UInt64, exchange: UInt32, PulledStream.Step)
        case streamReady(token: UInt64, exchange: UInt32)
        case wantBody(token: UInt64, exchange: UInt32)
        case drain
        case stop
        /// A test has moved the clock.
        case look
    }

    private struct Mailbox {
        var messages: [Message] = []
        var isAsleep = false
    }

    let context: ServerContext
    let limits: HTTPServerLimits
    private let poller: Poller
    private let mailbox = Mutex(Mailbox())
    private let listeners: [(socket: ListeningSocket, door: Int)]
    private var listens = true
    private var listenAgainAt: MonotonicInstant?
    private var slots: [Connection?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [Int] = []
    /// Connections that had more to read than one turn allows.
    private var again: [UInt64] = []
    private var isStopped = false
    private(set) var isDraining = false
    private(set) var now: MonotonicInstant
    private var nextScan = MonotonicInstant(nanoseconds: .max)

    /// Shared by the connections: what was just received, and what was just decrypted.
    let receiveBuffer: UnsafeMutableRawBufferPointer
    let plainBuffer: UnsafeMutableRawBufferPointer
    let counters: [RequestCounters]
    let durations: [Histogram]
    private let requestPrefix: String
    private var requestNumber: UInt64 = 0
    private var dateSecond: Int64 = .min
    private var dateText = ""

    private static let listenerTokens: UInt64 = 1 << 63
    private static let bufferBytes = 64 * 1024
    /// Reads of one connection before the others have their turn.
    static let readsPerTurn = 16

    init(context: ServerContext, listeners: [(socket: ListeningSocket, door: Int)])
        throws(PlatformError)
    {
        self.context = context
        limits = context.limits
        self.listeners = listeners
        poller = try Poller()
        now = context.clock.now()
        counters = context.doors.map { RequestCounters(context.metrics.requests, door: $0.name) }
        durations = context.doors.map { context.metrics.seconds.with($0.name) }
        requestPrefix = context.entropy.hex(bytes: 5)
        receiveBuffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
        plainBuffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
        for (index, listener) in listeners.enumerated() {
            try poller.add(listener.socket, token: Self.listenerTokens | UInt64(index))
        }
    }

    deinit {
        receiveBuffer.deallocate()
        plainBuffer.deallocate()
    }

    /// Tells the loop something, from any thread.
    func post(_ message: Message) {
        let wakes = mailbox.withLock { mailbox in
            mailbox.messages.append(message)
            defer { mailbox.isAsleep = false }
            return mailbox.isAsleep
        }
        if wakes { poller.wake() }
    }

    /// Runs until `stop` is posted.
    func run() {
        while !isStopped {
            let messages = mailbox.withLock { mailbox in
                let messages = mailbox.messages
                mailbox.messages.removeAll(keepingCapacity: mailbox.messages.capacity < 4096)
                mailbox.isAsleep = messages.isEmpty
                return messages
            }
            var timeout: Duration?
            if !messages.isEmpty || !again.isEmpty {
                timeout = .zero
            } else if nextScan.nanoseconds != .max {
                timeout = nextScan - context.clock.now()
            }
            if !messages.isEmpty {
                now = context.clock.now()
                for message in messages { handle(message) }
            }
            var hasLooked = false
            poller.wait(timeout: timeout) { event in
                // The wait may have been long: deadlines set by what it brings count from its end.
                if !hasLooked { now = context.clock.now() }
                hasLooked = true
                handle(event)
            }
            mailbox.withLock { $0.isAsleep = false }
            now = context.clock.now()
            let turns = again
            again = []
            for token in turns {
                if let connection = find(token) { advance(connection) }
            }
            if now >= nextScan { scan() }
        }
        for connection in slots { if let connection { kill(connection) } }
    }

    private func handle(_ event: Poller.Event) {
        if event.token & Self.listenerTokens != 0 {
            accept(Int(event.token & ~Self.listenerTokens))
            return
        }
        guard let connection = find(event.token) else { return }
        if event.isBroken {
            guard connection.isLingering else { return lose(connection) }
            // Both sides have ended; what the peer sent before its end may still wait in the socket, and
            // closing over it would reset the connection.
            connection.canRead = true
            return advance(connection)
        }
        if event.isReadable || event.isHangup { connection.canRead = true }
        if event.isHangup {
            connection.hasHangup = true
            // Nobody is there to hear what an idle stream may bring.
            if connection.streaming?.isWaiting == true { return lose(connection) }
        }
        if event.isWritable { connection.canWrite = true }
        advance(connection)
    }

    private func handle(_ message: Message) {
        switch message {
        case .answer(let token, let exchange, let response, let stream, let first):
            guard let connection = find(token, exchange) else {
                stream?.finish()
                return
            }
            answer(connection, response, stream, first)
            advance(connection)
        case .piece(let token, let exchange, let step):
            guard let connection = find(token, exchange) else { return }
            take(connection, step)
            advance(connection)
        case .streamReady(let token, let exchange):
            guard let connection = find(token, exchange) else { return }
            connection.streaming?.isWaiting = false
            pullIfRoom(connection)
        case .wantBody(let token, let exchange):
            guard let connection = find(token, exchange) else { return }
            wantBody(connection)
            advance(connection)
        case .drain: drain()
        case .stop: isStopped = true
        case .look: nextScan = now
        }
    }

    // MARK: Connections

    private func find(_ token: UInt64) -> Connection? {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < slots.count, let connection = slots[index], connection.token == token else {
            return nil
        }
        return connection
    }

    private func find(_ token: UInt64, _ exchange: UInt32) -> Connection? {
        guard let connection = find(token), connection.exchange?.id == exchange else { return nil }
        return connection
    }

    private func accept(_ index: Int) {
        guard index < listeners.count, listens else { return }
        let (listener, door) = listeners[index]
        // A few at a time: the other loops and connections have their turn.
        for _ in 0..<32 {
            let socket: Socket
            do throws(PlatformError) {
                guard let accepted = try listener.accept() else { return }
                socket = accepted
            } catch {
                context.log.error(
                    "http.accept_failed", "A connection could not be accepted.",
                    ["error": LogValue(error)])
                // The listener stays readable: rest, or this would spin.
                for (listener, _) in listeners { poller.remove(listener) }
                listens = false
                let again = now + .milliseconds(200)
                listenAgainAt = again
                if again < nextScan { nextScan = again }
                return
            }
            admit(socket, door)
        }
    }

    private func admit(_ socket: Socket, _ door: Int) {
        let address = socket.peer.host
        guard context.admission.enter(address) else {
            context.metrics.turnedAway.increment()
            return
        }
        socket.setNoDelay()
        let index: Int
        if let free = freeSlots.popLast() {
            index = free
        } else {
            index = slots.count
            slots.append(nil)
            generations.append(0)
        }
        generations[index] = (generations[index] &+ 1) & 0x7FFF_FFFF
        let token = UInt64(generations[index]) << 32 | UInt64(index)
        let connection = Connection(
            socket: socket, token: token, door: door, remoteAddress: address, limits: limits.head)
        slots[index] = connection
        context.metrics.accepted.increment()
        context.metrics.open.add(1)
        do throws(PlatformError) {
            try poller.add(socket, token: token)
        } catch {
            return kill(connection)
        }
        setDeadline(connection, .head, limits.headDeadline)
        advance(connection)
    }

    /// Ends the connection now, whatever it was doing.
    func kill(_ connection: Connection) {
        guard !connection.isDead else { return }
        connection.isDead = true
        connection.exchange?.body?.fail(.disconnected)
        connection.exchange = nil
        connection.streaming?.stream.finish()
        connection.streaming = nil
        connection.output.removeAll()
        connection.input = []
        connection.socket.close()
        let index = Int(connection.token & 0xFFFF_FFFF)
        slots[index] = nil
        freeSlots.append(index)
        context.metrics.open.add(-1)
        context.admission.leave(connection.remoteAddress)
    }

    /// Ends a connection whose peer went away; worth a line only when something was under way.
    func lose(_ connection: Connection) {
        if !connection.isDead, let exchange = connection.exchange {
            context.log.debug(
                "http.peer_gone", "A client went away before its request and answer were complete.",
                [
                    "request": .string(exchange.requestID),
                    "answered": .bool(exchange.isAnswered), "whole": .bool(exchange.isComplete),
                    "peer": .string(connection.remoteAddress),
                ])
        }
        kill(connection)
    }

    /// Has the connection's turn come again after the others.
    func askAgain(_ connection: Connection) { again.append(connection.token) }

    private func drain() {
        isDraining = true
        if listens { for (listener, _) in listeners { poller.remove(listener) } }
        listens = false
        listenAgainAt = nil
        for case let connection? in slots where connection.exchange == nil && !connection.isClosing
        {
            // A request that has begun to arrive is still served; a silent connection is not.
            if connection.parser.isIdle && connection.input.isEmpty {
                advance(connection)
                if connection.exchange == nil, connection.parser.isIdle, !connection.isDead {
                    kill(connection)
                }
            }
        }
    }

    // MARK: Deadlines

    func setDeadline(_ connection: Connection, _ kind: Connection.Deadline, _ duration: Duration) {
        connection.deadlineKind = kind
        connection.windowBytes = 0
        guard kind != .none else {
            connection.deadline = MonotonicInstant(nanoseconds: .max)
            return
        }
        connection.deadline = now + duration
        if connection.deadline < nextScan { nextScan = connection.deadline }
    }

    private func scan() {
        if let listenAgainAt, now >= listenAgainAt {
            self.listenAgainAt = nil
            listens = true
            for (index, listener) in listeners.enumerated() {
                do throws(PlatformError) {
                    try poller.add(listener.socket, token: Self.listenerTokens | UInt64(index))
                } catch {
                    context.log.error(
                        "http.listen_failed", "A listener could not be watched.",
                        ["error": LogValue(error)])
                }
            }
        }
        nextScan = listenAgainAt ?? MonotonicInstant(nanoseconds: .max)
        for case let connection? in slots {
            if connection.deadline <= now { expire(connection) }
            if !connection.isDead, connection.deadline < nextScan { nextScan = connection.deadline }
        }
        // Deadlines close together are looked at together.
        let soonest = now + .milliseconds(20)
        if nextScan < soonest { nextScan = soonest }
    }

    // MARK: Small things

    /// A new id for a request: unique to this process's life.
    func makeRequestID() -> String {
        requestNumber &+= 1
        return requestPrefix + "-" + String(requestNumber, radix: 16)
    }

    /// The `Date` field's value; formatted once a second.
    var date: String {
        let second = context.wallClock.now().seconds
        if second != dateSecond {
            dateSecond = second
            dateText = HTTPDate.format(second)
        }
        return dateText
    }
}
