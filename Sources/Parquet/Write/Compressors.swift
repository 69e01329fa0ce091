import Compression
import Synchronization

/// The compressors of one writer: as many as columns were ever compressed at the same time, since each
/// holds a MiB or more.
final class Compressors: Sendable {
    /// Safe because a compressor is either in the list or with the one thread that took it out.
    private struct Idle: @unchecked Sendable { var list: [Compressor] = [] }

    private let idle = Mutex(Idle())

    /// Lends a compressor that nobody else has meanwhile.
    func lend<Result>(
        _ body: (Compressor) throws(CompressionError) -> Result
    ) throws(CompressionError) -> Result {
        let taken = idle.withLock { Box($0.list.popLast()) }.compressor ?? Compressor()
        let box = Box(taken)
        defer { idle.withLock { if let back = box.compressor { $0.list.append(back) } } }
        return try body(taken)
    }

    /// Safe because it carries one compressor across the lock, to or from the one thread that has it.
    private struct Box: @unchecked Sendable {
        let compressor: Compressor?
        init(_ compressor: Compressor?) { self.compressor = compressor }
    }
}
