import Platform

/// Runs a command inside the server that has the data directory open.
enum ControlClient {
    /// Whether a server listens there. A socket file that nobody listens on is not a server.
    static func isServed(_ directory: String) -> Bool {
        guard let address = try? SocketAddress.unix(DataDirectory.controlPath(of: directory)),
            let socket = try? Socket.connect(to: address, timeout: .seconds(5))
        else { return false }
        socket.close()
        return true
    }

    /// Sends the command and copies what it says to `streams`; gives its exit code.
    static func run(
        _ arguments: [String], directory: String, wantsInput: Bool, streams: any CommandStreams
    ) throws -> Int32 {
        let socket = try Socket.connect(
            to: SocketAddress.unix(DataDirectory.controlPath(of: directory)),
            timeout: .seconds(3600))
        defer { socket.close() }
        let input = wantsInput ? String(decoding: try streams.readInput(), as: UTF8.self) : ""
        try socket.writeAll(ControlRequest(arguments: arguments, input: input).line)
        var buffer = LineBuffer()
        while true {
            while let line = buffer.next() {
                switch ControlMessage(line: line) {
                case .out(let text): streams.write(text)
                case .complaint(let text): streams.complain(text)
                case .exit(let code): return code
                case nil: break
                }
            }
            let bytes = try socket.readSome()
            guard !bytes.isEmpty, buffer.append(bytes) else {
                throw ApplianceError(
                    .controlBroken, "the server ended the conversation before the command's end",
                    hint: "look at the server's log, and try again")
            }
        }
    }
}
