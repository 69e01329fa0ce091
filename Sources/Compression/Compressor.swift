import CBrotli
import CLz4
import CSnappy
import CZlib
import CZstd

/// Compresses whole buffers. Belongs to one thread at a time; keeps the libraries' contexts.
package final class Compressor {
    private var zstd: OpaquePointer?

    package init() {}

    deinit { if let zstd { ZSTD_freeCCtx(zstd) } }

    /// Compresses `input` into `output` and returns the bytes written.
    ///
    /// `output` should have `codec.bound(input.count)` bytes; with less, `.limitExceeded` is thrown
    /// when they do not suffice. `level` nil means the codec's default.
    package func compress(
        _ codec: Codec, level: Int? = nil, _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> Int {
        let level = Int32(clamping: level ?? codec.defaultLevel)
        switch codec {
        case .none:
            guard input.count <= output.count else { throw noRoom(codec) }
            if let target = output.baseAddress, let source = input.baseAddress {
                target.copyMemory(from: source, byteCount: input.count)
            }
            return input.count
        case .snappy: return try snappy(input, output)
        case .gzip: return try deflate(input, output, level: level, windowBits: 15 + 16, codec)
        case .zlib: return try deflate(input, output, level: level, windowBits: 15, codec)
        case .deflate: return try deflate(input, output, level: level, windowBits: -15, codec)
        case .zstd: return try zstd(input, output, level: level)
        case .lz4Block: return try lz4Block(input, output)
        case .lz4Hadoop:
            guard output.count >= 8 else { throw noRoom(codec) }
            let size = try lz4Block(input, UnsafeMutableRawBufferPointer(rebasing: output[8...]))
            output.storeBytes(
                of: UInt32(truncatingIfNeeded: input.count).bigEndian, as: UInt32.self)
            output.storeBytes(
                of: UInt32(truncatingIfNeeded: size).bigEndian, toByteOffset: 4, as: UInt32.self)
            return size + 8
        case .lz4Frame:
            let size = LZ4F_compressFrame(
                output.baseAddress, output.count, input.baseAddress, input.count, nil)
            guard LZ4F_isError(size) == 0 else { throw noRoom(codec) }
            return size
        case .brotli: return try brotli(input, output, level: level)
        }
    }

    /// Compresses an array; for cold code.
    package func compress(
        _ codec: Codec, level: Int? = nil, _ bytes: [UInt8]
    ) throws(CompressionError) -> [UInt8] {
        let capacity = codec.bound(bytes.count)
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(capacity, 1), alignment: 16)
        defer { memory.deallocate() }
        // Rethrows by hand: `withUnsafeBytes` does not carry typed throws.
        let outcome = bytes.withUnsafeBytes { raw -> Result<Int, CompressionError> in
            do throws(CompressionError) {
                return .success(try compress(codec, level: level, raw, into: memory))
            } catch {
                return .failure(error)
            }
        }
        return [UInt8](memory[0..<(try outcome.get())])
    }

    private func noRoom(_ codec: Codec) -> CompressionError {
        CompressionError(
            code: .limitExceeded,
            message: "the compressed bytes do not fit the output: \(codec.rawValue)")
    }

    private func snappy(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> Int {
        guard output.count >= Codec.snappy.bound(input.count), input.count <= Int(UInt32.max) else {
            throw noRoom(.snappy)
        }
        var size = output.count
        let status = snappy_compress(
            input.baseAddress?.assumingMemoryBound(to: CChar.self), input.count,
            output.baseAddress?.assumingMemoryBound(to: CChar.self), &size)
        guard status == SNAPPY_OK else { throw noRoom(.snappy) }
        return size
    }

    private func deflate(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, level: Int32,
        windowBits: Int32, _ codec: Codec
    ) throws(CompressionError) -> Int {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, max(1, min(level, 9)), Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            throw CompressionError(code: .libraryFailed, message: "zlib could not begin a stream")
        }
        defer { deflateEnd(&stream) }
        guard input.count <= Int(UInt32.max), output.count <= Int(UInt32.max) else {
            throw CompressionError(code: .limitExceeded, message: "a buffer of 4 GiB or more")
        }
        // zlib takes the input by a pointer to mutable bytes but does not write to it.
        stream.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(output.count)
        guard CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END else { throw noRoom(codec) }
        return output.count - Int(stream.avail_out)
    }

    private func zstd(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, level: Int32
    ) throws(CompressionError) -> Int {
        if zstd == nil { zstd = ZSTD_createCCtx() }
        let size = ZSTD_compressCCtx(
            zstd, output.baseAddress, output.count, input.baseAddress, input.count, level)
        guard ZSTD_isError(size) == 0 else { throw noRoom(.zstd) }
        return size
    }

    private func lz4Block(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> Int {
        guard let inputCount = Int32(exactly: input.count), let room = Int32(exactly: output.count)
        else {
            throw CompressionError(code: .limitExceeded, message: "an LZ4 block of 2 GiB or more")
        }
        var empty: CChar = 0
        let size =
            if let source = input.baseAddress {
                LZ4_compress_default(
                    source.assumingMemoryBound(to: CChar.self),
                    output.baseAddress?.assumingMemoryBound(to: CChar.self), inputCount, room)
            } else {
                LZ4_compress_default(
                    &empty, output.baseAddress?.assumingMemoryBound(to: CChar.self), 0, room)
            }
        guard size > 0 else { throw noRoom(.lz4Block) }
        return Int(size)
    }

    private func brotli(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, level: Int32
    ) throws(CompressionError) -> Int {
        var size = output.count
        var empty: UInt8 = 0
        let source = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let target = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let quality = max(0, min(level, 11))
        let done =
            if let source {
                BrotliEncoderCompress(
                    quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, input.count, source, &size,
                    target)
            } else {
                BrotliEncoderCompress(
                    quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, 0, &empty, &size, target)
            }
        guard done == BROTLI_TRUE else { throw noRoom(.brotli) }
        return size
    }
}
