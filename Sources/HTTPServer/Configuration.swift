package import Cryptography
package import HTTPMessages

/// One port: where it listens and who answers.
package struct HTTPDoor: Sendable {
    /// For metrics and logs: "console", "s3".
    package var name: String
    /// Addresses or names to listen on; the port is the same for all.
    package var hosts: [String]
    /// 0 lets the system choose.
    package var port: Int
    /// Answers the requests of this port.
    package var handler: any RequestHandler
    /// Asked for each TLS connection, so that a renewed certificate counts at once; nil: plain only.
    package var tls: TLSSource?

    /// Gives the context for a new connection.
    package typealias TLSSource = @Sendable () -> TLSContext?

    /// A port on which nothing listens before the service starts.
    package init(
        name: String, hosts: [String] = ["127.0.0.1"], port: Int, handler: any RequestHandler,
        tls: TLSSource? = nil
    ) {
        self.name = name
        self.hosts = hosts
        self.port = port
        self.handler = handler
        self.tls = tls
    }
}

/// Bounds of the server; the defaults suit one machine.
package struct HTTPServerLimits: Sendable {
    /// Loops that own sockets; 0 means one a processor.
    package var loopCount = 0
    /// Handlers that run at once (those that wait for a slow client's body not counted).
    package var handlerThreads = 32
    /// Requests that may wait for a handler; more get 503.
    package var handlerQueue = 1024
    /// Handlers that may wait for bodies at once; more uploads get 503.
    package var waitingUploads = 512
    /// Connections open at once, over all doors.
    package var connections = 8192
    /// Connections open at once from one address.
    package var connectionsPerAddress = 4096
    /// Bounds of heads and framing.
    package var head = HTTPLimits()

    /// From the connection, or the first byte of a later request, to the end of the head.
    package var headDeadline = Duration.seconds(10)
    /// Between requests.
    package var idleDeadline = Duration.seconds(75)
    /// How long a body or an answer is watched before its rate is judged.
    package var rateWindow = Duration.seconds(20)
    /// Bytes a body has to bring in a window while a handler waits for it.
    package var bodyBytesPerWindow = 4096
    /// How long an answer may stand still because its reader takes nothing.
    package var writeDeadline = Duration.seconds(120)
    /// How long a closed connection is read on, so that the peer sees the answer.
    package var lingerDeadline = Duration.seconds(5)
    /// Bytes that are read away in that time: enough for the part of an upload that was refused early.
    package var lingerBytes = 64 << 20

    /// A body up to this is read before the handler is called, so that it holds no thread.
    package var wholeBodyBytes = 64 * 1024
    /// Body bytes that wait for a handler; the socket is not read beyond it.
    package var bodyBufferBytes = 256 * 1024
    /// Bytes of an answer that wait for the socket before the next piece is asked for.
    package var outputBufferBytes = 128 * 1024
    /// What is left of a body that nobody wants is read away up to this, else the connection ends.
    package var discardBytes: Int64 = 256 * 1024

    /// The defaults.
    package init() {}
}
