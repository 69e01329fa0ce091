import Platform

/// Bytes that wait for the socket.
struct OutputQueue {
    private var parts = FIFO<[UInt8]>()
    /// How much of the first part is gone.
    private var sentBytes = 0
    private(set) var byteCount = 0

    var isEmpty: Bool { byteCount == 0 }

    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        parts.append(bytes)
        byteCount += bytes.count
    }

    mutating func removeAll() { self = OutputQueue() }

    /// Writes until nothing is left or the socket takes no more; how many bytes went, and how it ended.
    mutating func flush(to socket: Socket) -> (written: Int, result: SocketResult) {
        var total = 0
        while let first = parts.first {
            let second = parts.second
            let result = first.withUnsafeBytes { head in
                let rest = UnsafeRawBufferPointer(rebasing: head[sentBytes...])
                guard let second else { return socket.write(rest) }
                return second.withUnsafeBytes { socket.write(rest, $0) }
            }
            guard case .bytes(let count) = result else { return (total, result) }
            total += count
            byteCount -= count
            var left = count
            while left > 0, let part = parts.first {
                let open = part.count - sentBytes
                if left < open {
                    sentBytes += left
                    left = 0
                } else {
                    left -= open
                    sentBytes = 0
                    _ = parts.popFirst()
                }
            }
        }
        return (total, .bytes(total))
    }
}
