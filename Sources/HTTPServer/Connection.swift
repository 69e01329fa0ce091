import Cryptography
import HTTPMessages
import Platform

/// One client. Belongs to one loop, whose thread alone touches it.
final class Connection {
    /// What the deadline is for.
    enum Deadline: String { case none, head, idle, body, write, linger }

    /// What the bytes on the socket are.
    enum Transport {
        /// The first byte will tell.
        case undecided
        case plain
        case tls(TLSSession)
    }

    /// One request and its answer.
    struct Exchange {
        let id: UInt32
        let method: Method
        let minorVersion: Int
        let begin: MonotonicInstant
        let requestID: String
        let body: ServerBody?
        var keepsAlive: Bool
        /// Set while the client waits for `100 Continue` and has sent nothing.
        var awaitsContinue: Bool
        /// The whole request has come.
        var isComplete = false
        /// The body is read before the handler is called.
        var isGathering = false
        /// The handler wants more of the body.
        var wantsBody = false
        /// The rest of the body is read and thrown away.
        var isDiscarding = false
        var discardedBytes: Int64 = 0
        /// The answer's head is queued.
        var isAnswered = false
        /// The answer's last byte is queued.
        var isDone = false
        var status = 0
        var request: Request?
    }

    /// An answer that comes piece by piece.
    struct Streaming {
        let stream: PulledStream
        /// What is to come; nil when the end tells.
        var remainingBytes: Int64?
        var isChunked: Bool
        /// A handler thread has been asked.
        var isPulling: Bool
        /// The stream will call when it has something.
        var isWaiting = false
    }

    let socket: Socket
    let token: UInt64
    let door: Int
    let remoteAddress: String
    var transport = Transport.undecided
    var parser: RequestParser
    var exchange: Exchange?
    var exchangeCount: UInt32 = 0
    var streaming: Streaming?

    /// Received and not parsed yet.
    var input: [UInt8] = []
    var output = OutputQueue()
    var canRead = true
    var canWrite = true
    /// The peer has sent its last byte.
    var hasHangup = false
    var hasEnd = false
    /// Nothing more is taken; ends when the output is sent.
    var isClosing = false
    var isLingering = false
    var lingeredBytes = 0
    var isDead = false

    var deadlineKind = Deadline.none
    var deadline = MonotonicInstant(nanoseconds: .max)
    /// Bytes that moved since the window of the deadline began.
    var windowBytes = 0

    init(socket: Socket, token: UInt64, door: Int, remoteAddress: String, limits: HTTPLimits) {
        self.socket = socket
        self.token = token
        self.door = door
        self.remoteAddress = remoteAddress
        parser = RequestParser(limits: limits)
    }

    var isSecure: Bool {
        if case .tls = transport { true } else { false }
    }

    /// Whether bytes may go to the parser: there is something to do with what it finds.
    func mayParse(outputLimit: Int) -> Bool {
        if isDead || isClosing { return false }
        guard let exchange else { return output.byteCount < outputLimit }
        if exchange.isComplete { return false }
        return exchange.body == nil || exchange.wantsBody || exchange.isGathering
            || exchange.isDiscarding
    }

    /// Queues plain bytes, encrypted where the connection is.
    func send(_ bytes: [UInt8]) throws(CryptographyError) {
        guard case .tls(let session) = transport else { return output.append(bytes) }
        var failure: CryptographyError?
        bytes.withUnsafeBytes { raw in
            do throws(CryptographyError) { try session.write(raw) } catch { failure = error }
        }
        output.append(session.takeCiphertext())
        if let failure { throw failure }
    }
}
