import CBrotli
import CLz4
import CZlib
import CZstd

/// Decompresses a stream piece by piece. Belongs to one thread at a time.
///
///     let stream = try StreamDecompressor(.gzip)
///     while let input = … { let step = try stream.step(input, into: output); … }
///     try stream.finish()      // throws when the stream was cut short
package final class StreamDecompressor {
    private enum Engine {
        case inflate(Inflater, windowBits: Int32)
        case zstd(OpaquePointer)
        case lz4(OpaquePointer)
        case brotli(OpaquePointer)
    }

    private let codec: Codec
    private let engine: Engine
    /// Whether the bytes so far end where a stream (or one of several) may end.
    private var atEnd = false
    private var begun = false

    /// Throws `.unsupported` for codecs without a streaming form (none, snappy and bare LZ4 blocks).
    package init(_ codec: Codec) throws(CompressionError) {
        self.codec = codec
        switch codec {
        case .gzip, .zlib, .deflate:
            let windowBits: Int32 = codec == .gzip ? 15 + 16 : codec == .zlib ? 15 : -15
            let inflater = try Inflater()
            guard inflater.reset(windowBits: windowBits) else {
                throw CompressionError(
                    code: .libraryFailed, message: "zlib could not begin a stream")
            }
            engine = .inflate(inflater, windowBits: windowBits)
        case .zstd:
            guard let context = ZSTD_createDCtx() else {
                throw CompressionError(
                    code: .libraryFailed, message: "zstd could not begin a stream")
            }
            // Frames that want more than 128 MiB of window are refused by default.
            engine = .zstd(context)
        case .lz4Frame:
            var context: OpaquePointer?
            guard
                LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0,
                let context
            else {
                throw CompressionError(
                    code: .libraryFailed, message: "lz4 could not begin a stream")
            }
            engine = .lz4(context)
        case .brotli:
            guard let state = BrotliDecoderCreateInstance(nil, nil, nil) else {
                throw CompressionError(
                    code: .libraryFailed, message: "brotli could not begin a stream")
            }
            engine = .brotli(state)
        case .none, .snappy, .lz4Block, .lz4Hadoop:
            throw CompressionError(
                code: .unsupported, message: "the codec has no streaming form: \(codec.rawValue)")
        }
    }

    deinit {
        switch engine {
        case .inflate: break
        case .zstd(let context): ZSTD_freeDCtx(context)
        case .lz4(let context): LZ4F_freeDecompressionContext(context)
        case .brotli(let state): BrotliDecoderDestroyInstance(state)
        }
    }

    /// Takes bytes from `input` and puts bytes into `output`; call again with what was not consumed.
    ///
    /// When `output` was filled, more may be waiting inside: call again even with empty input.
    package func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> (consumed: Int, produced: Int) {
        if input.isEmpty && (atEnd || !begun) { return (0, 0) }
        begun = true
        switch engine {
        case .inflate(let inflater, let windowBits):
            if atEnd {
                guard codec == .gzip, inflater.reset(windowBits: windowBits) else {
                    throw corrupted()
                }
                atEnd = false
            }
            let step = inflater.step(input, output)
            switch step.status {
            case .damaged: throw corrupted()
            case .ended: atEnd = true
            case .progress: break
            }
            return (step.consumed, step.produced)
        case .zstd(let context):
            var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
            var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            let code = ZSTD_decompressStream(context, &to, &from)
            guard ZSTD_isError(code) == 0 else { throw corrupted() }
            // Zero: a frame ended; another one may follow.
            atEnd = code == 0
            return (from.pos, to.pos)
        case .lz4(let context):
            var produced = output.count
            var consumed = input.count
            let code = LZ4F_decompress(
                context, output.baseAddress, &produced, input.baseAddress, &consumed, nil)
            guard LZ4F_isError(code) == 0 else { throw corrupted() }
            atEnd = code == 0
            return (consumed, produced)
        case .brotli(let state):
            if atEnd { throw corrupted() }
            var available = input.count
            var next = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var room = output.count
            var target = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let result = BrotliDecoderDecompressStream(
                state, &available, &next, &room, &target, nil)
            guard result != BROTLI_DECODER_RESULT_ERROR else { throw corrupted() }
            atEnd = result == BROTLI_DECODER_RESULT_SUCCESS
            return (input.count - available, output.count - room)
        }
    }

    /// Says that no more input comes; throws `.corrupted` when the stream has not ended.
    package func finish() throws(CompressionError) {
        guard atEnd else {
            throw CompressionError(
                code: .corrupted, message: "the compressed stream is cut short: \(codec.rawValue)")
        }
    }

    private func corrupted() -> CompressionError {
        CompressionError(
            code: .corrupted, message: "the compressed bytes are damaged: \(codec.rawValue)")
    }
}
