import Cryptography
import Platform

/// The bytes of one connection, encrypted or plain. Not for two threads at once.
final class ClientStream {
    private let socket: Socket
    private let session: TLSSession?

    /// Takes over a connected socket; with a session the handshake is done here.
    init(_ socket: Socket, session: TLSSession?) throws {
        self.socket = socket
        self.session = session
        guard let session else { return }
        do {
            while true {
                let isDone = try session.handshake()
                try sendCiphertext()
                if isDone { return }
                try receive()
            }
        } catch let error as CryptographyError {
            // The peer learns why by the alert that waits.
            try? sendCiphertext()
            socket.close()
            throw error
        }
    }

    func close() {
        session?.close()
        try? sendCiphertext()
        socket.close()
    }

    func write(_ bytes: [UInt8]) throws {
        guard let session else { return try socket.writeAll(bytes) }
        try bytes.withUnsafeBytes { try session.write($0) }
        try sendCiphertext()
    }

    /// Waits for some bytes; empty at the end of the stream.
    func read(limit: Int) throws -> [UInt8] {
        guard let session else { return try socket.readSome(limit: limit) }
        while true {
            var count = 0
            var isClosed = false
            let bytes = try [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
                switch try session.read(into: UnsafeMutableRawBufferPointer(buffer)) {
                case .bytes(let got): count = got
                case .wantsInput: break
                case .closed: isClosed = true
                }
                filled = count
            }
            try sendCiphertext()
            if count > 0 || isClosed { return bytes }
            guard try receive() else { return [] }
        }
    }

    /// Whether the peer sent something.
    @discardableResult
    private func receive() throws -> Bool {
        let bytes = try socket.readSome(limit: 1 << 17)
        if bytes.isEmpty {
            if session?.isEstablished ?? true { return false }
            throw PeerLeft()
        }
        try bytes.withUnsafeBytes { try session?.receive($0) }
        return true
    }

    private func sendCiphertext() throws {
        guard let session else { return }
        let bytes = session.takeCiphertext()
        if !bytes.isEmpty { try socket.writeAll(bytes) }
    }

    /// The connection ended before the handshake did.
    struct PeerLeft: Error, CustomStringConvertible {
        var description: String { "the server ended the connection during the TLS handshake" }
    }
}
