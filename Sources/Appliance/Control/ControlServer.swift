import Platform
import Supervision
import Synchronization
import Telemetry

/// Listens on `DIR/control.sock` and runs the commands of people who own the directory.
///
/// Only the user who runs the server, and root, are heard: the kernel vouches for the peer's uid.
/// One thread a connection; commands are few.
final class ControlServer: Service {
    let name = "control"
    private let path: String
    private let run: @Sendable (ControlRequest, any CommandStreams) -> Int32
    private let listener = Mutex<ListeningSocket?>(nil)
    private let logger = Logger()

    /// `run` performs a command and gives its exit code.
    init(path: String, run: @escaping @Sendable (ControlRequest, any CommandStreams) -> Int32) {
        self.path = path
        self.run = run
    }

    func start() throws {
        _ = try LocalFileSystem().removeIfPresent(path)
        let socket = try ListeningSocket(SocketAddress.unix(path))
        try LocalFileSystem().setMode(path, 0o600)
        listener.withLock { $0 = socket }
        _ = try Thread(name: "control") { [self] in acceptAll(socket) }
    }

    func stop() {
        listener.withLock { socket in
            socket?.close()
            socket = nil
        }
        _ = try? LocalFileSystem().removeIfPresent(path)
    }

    private func acceptAll(_ socket: ListeningSocket) {
        guard let poller = try? Poller(), (try? poller.add(socket, token: 0)) != nil else { return }
        while listener.withLock({ $0 != nil }) {
            _ = poller.wait(timeout: .milliseconds(200)) { _ in
                while let client = try? socket.accept() {
                    client.setNonBlocking(false)
                    _ = try? Thread(name: "control-client") { [self] in serve(client) }
                }
            }
        }
    }

    private func serve(_ client: Socket) {
        defer { client.close() }
        guard let peer = try? client.peerCredentials(),
            peer.userID == Host.userID || peer.userID == 0
        else {
            logger.warning("control.refused", "A user who does not own the directory was refused.")
            return
        }
        var buffer = LineBuffer()
        while true {
            if let line = buffer.next() {
                guard let request = ControlRequest(line: line) else { return }
                let streams = ControlStreams(client: client, input: request.input)
                let code = run(request, streams)
                try? client.writeAll(ControlMessage.exit(code).line)
                return
            }
            guard let bytes = try? client.readSome(), !bytes.isEmpty, buffer.append(bytes) else {
                return
            }
        }
    }
}

/// Streams of a command that runs for somebody at the other end of the socket.
private final class ControlStreams: CommandStreams {
    private let client: Socket
    private let input: String

    init(client: Socket, input: String) {
        self.client = client
        self.input = input
    }

    func write(_ text: String) { try? client.writeAll(ControlMessage.out(text).line) }
    func complain(_ text: String) { try? client.writeAll(ControlMessage.complaint(text).line) }
    func readInput() throws -> [UInt8] { Array(input.utf8) }
}
