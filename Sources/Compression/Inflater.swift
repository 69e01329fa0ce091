import CZlib

/// One zlib stream at a stable address, as zlib demands, used again and again.
final class Inflater {
    enum Status { case progress, ended, damaged }

    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(CompressionError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit2_(stream, 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            stream.deallocate()
            throw CompressionError(code: .libraryFailed, message: "zlib could not begin a stream")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Begins anew; the window bits choose the framing.
    func reset(windowBits: Int32) -> Bool { inflateReset2(stream, windowBits) == Z_OK }

    /// Inflates as much as fits.
    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) -> (consumed: Int, produced: Int, status: Status) {
        var nothing: UInt8 = 0
        return withUnsafeMutablePointer(to: &nothing) { spare in
            // zlib does not write to its input; it refuses a nil output even when no room is given.
            let room = UInt32(clamping: output.count)
            let given = UInt32(clamping: input.count)
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    ?? UnsafePointer(spare))
            stream.pointee.avail_in = given
            stream.pointee.next_out =
                output.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
            stream.pointee.avail_out = room
            let code = inflate(stream, Z_NO_FLUSH)
            let consumed = Int(given - stream.pointee.avail_in)
            let produced = Int(room - stream.pointee.avail_out)
            return switch code {
            case Z_STREAM_END: (consumed, produced, .ended)
            case Z_OK, Z_BUF_ERROR: (consumed, produced, .progress)
            default: (consumed, produced, .damaged)
            }
        }
    }
}
