import CBrotli
import CLz4
import CSnappy
import CZlib
import CZstd

/// Decompresses whole buffers. Belongs to one thread at a time; keeps the libraries' contexts.
package final class Decompressor {
    private var zstd: OpaquePointer?
    private var inflater: Inflater?

    package init() {}

    deinit { if let zstd { ZSTD_freeDCtx(zstd) } }

    /// Decompresses `input` into `output`, which must be exactly as large as what comes out.
    ///
    /// Throws `.corrupted` when the bytes are damaged and `.sizeMismatch` when fewer come out; when
    /// more would, either of them. What `output` holds after a throw is undefined.
    package func decompress(
        _ codec: Codec, _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        switch codec {
        case .none:
            guard input.count == output.count else {
                throw sizeMismatch(codec, input.count, output.count)
            }
            if let target = output.baseAddress, let source = input.baseAddress {
                target.copyMemory(from: source, byteCount: input.count)
            }
        case .snappy:
            guard Snappy.decode(input, into: output) else { throw corrupted(codec) }
        case .gzip: try inflate(input, output, windowBits: 15 + 16, codec)
        case .zlib: try inflate(input, output, windowBits: 15, codec)
        case .deflate: try inflate(input, output, windowBits: -15, codec)
        case .zstd:
            if zstd == nil { zstd = ZSTD_createDCtx() }
            let size = ZSTD_decompressDCtx(
                zstd, output.baseAddress, output.count, input.baseAddress, input.count)
            guard ZSTD_isError(size) == 0 else { throw corrupted(codec) }
            guard size == output.count else { throw sizeMismatch(codec, size, output.count) }
        case .lz4Block:
            guard let size = lz4Block(input, output) else { throw corrupted(codec) }
            guard size == output.count else { throw sizeMismatch(codec, size, output.count) }
        case .lz4Hadoop:
            if lz4Hadoop(input, output) { return }
            if let size = lz4Block(input, output), size == output.count { return }
            try stream(.lz4Frame, input, output)
        case .lz4Frame: try stream(codec, input, output)
        case .brotli: try brotli(input, output)
        }
    }

    /// Decompresses bytes whose size nobody told, into at most `limitBytes`.
    ///
    /// Throws `.limitExceeded` as soon as more would come out, and `.unsupported` for bare LZ4 blocks,
    /// which do not say where they end.
    package func decompress(
        _ codec: Codec, _ bytes: [UInt8], limitBytes: Int
    ) throws(CompressionError) -> [UInt8] {
        // Rethrows by hand: `withUnsafeBytes` does not carry typed throws.
        let outcome = bytes.withUnsafeBytes { raw -> Result<[UInt8], CompressionError> in
            do throws(CompressionError) {
                return .success(try decompress(codec, raw, limitBytes: limitBytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    /// Decompresses bytes whose size nobody told, into at most `limitBytes`; see the array form.
    package func decompress(
        _ codec: Codec, _ input: UnsafeRawBufferPointer, limitBytes: Int
    ) throws(CompressionError) -> [UInt8] {
        switch codec {
        case .none:
            guard input.count <= limitBytes else { throw limitExceeded(codec, limitBytes) }
            return Array(input)
        case .snappy:
            guard let (length, _) = Snappy.uncompressedLength(input) else { throw corrupted(codec) }
            // A copy makes 64 bytes of 3: more than that cannot come out of sound bytes.
            guard length / 32 <= input.count else { throw corrupted(codec) }
            guard length <= limitBytes else { throw limitExceeded(codec, limitBytes) }
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(length, 1), alignment: 16)
            defer { memory.deallocate() }
            let output = UnsafeMutableRawBufferPointer(rebasing: memory[0..<length])
            try decompress(codec, input, into: output)
            return Array(output)
        case .lz4Block, .lz4Hadoop:
            throw CompressionError(
                code: .unsupported, message: "bare LZ4 blocks need the size of what comes out")
        case .gzip, .zlib, .deflate, .zstd, .lz4Frame, .brotli:
            let stream = try StreamDecompressor(codec)
            var result: [UInt8] = []
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
            defer { piece.deallocate() }
            var rest = input
            while true {
                let step = try stream.step(rest, into: piece)
                guard result.count + step.produced <= limitBytes else {
                    throw limitExceeded(codec, limitBytes)
                }
                result.append(contentsOf: piece[0..<step.produced])
                rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
                if rest.isEmpty && step.produced < piece.count { break }
            }
            try stream.finish()
            return result
        }
    }

    // MARK: - One codec each

    private func inflate(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, windowBits: Int32,
        _ codec: Codec
    ) throws(CompressionError) {
        let inflater: Inflater
        if let kept = self.inflater {
            inflater = kept
        } else {
            inflater = try Inflater()
            self.inflater = inflater
        }
        guard inflater.reset(windowBits: windowBits) else { throw corrupted(codec) }
        var consumed = 0
        var produced = 0
        while true {
            let step = inflater.step(
                UnsafeRawBufferPointer(rebasing: input[consumed...]),
                UnsafeMutableRawBufferPointer(rebasing: output[produced...]))
            consumed += step.consumed
            produced += step.produced
            switch step.status {
            case .ended:
                if consumed == input.count {
                    guard produced == output.count else {
                        throw sizeMismatch(codec, produced, output.count)
                    }
                    return
                }
                // Another gzip member; anything else behind the end is damage.
                guard codec == .gzip, inflater.reset(windowBits: windowBits) else {
                    throw corrupted(codec)
                }
            case .progress:
                // All room is used, or all input, without an end: cut short or too long.
                if step.consumed == 0 && step.produced == 0 { throw corrupted(codec) }
            case .damaged: throw corrupted(codec)
            }
        }
    }

    private func lz4Block(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard let inputCount = Int32(exactly: input.count), let room = Int32(exactly: output.count),
            let source = input.baseAddress
        else { return nil }
        var nothing: CChar = 0
        let size =
            if let target = output.baseAddress {
                LZ4_decompress_safe(
                    source.assumingMemoryBound(to: CChar.self),
                    target.assumingMemoryBound(to: CChar.self), inputCount, room)
            } else {
                LZ4_decompress_safe(
                    source.assumingMemoryBound(to: CChar.self), &nothing, inputCount, 0)
            }
        return size < 0 ? nil : Int(size)
    }

    /// Blocks, each behind its two sizes; false when the bytes are not of this kind.
    private func lz4Hadoop(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var source = 0
        var target = 0
        while input.count - source >= 8 {
            let plain = Int(input.loadUnaligned(fromByteOffset: source, as: UInt32.self).bigEndian)
            let packed = Int(
                input.loadUnaligned(fromByteOffset: source + 4, as: UInt32.self).bigEndian)
            source += 8
            guard packed <= input.count - source, plain <= output.count - target else {
                return false
            }
            let size = lz4Block(
                UnsafeRawBufferPointer(rebasing: input[source..<(source + packed)]),
                UnsafeMutableRawBufferPointer(rebasing: output[target..<(target + plain)]))
            guard size == plain else { return false }
            source += packed
            target += plain
        }
        return source == input.count && target == output.count
    }

    private func brotli(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        guard let source = input.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            throw corrupted(.brotli)
        }
        var size = output.count
        var nothing: UInt8 = 0
        let result =
            if let target = output.baseAddress?.assumingMemoryBound(to: UInt8.self) {
                BrotliDecoderDecompress(input.count, source, &size, target)
            } else {
                BrotliDecoderDecompress(input.count, source, &size, &nothing)
            }
        guard result == BROTLI_DECODER_RESULT_SUCCESS else { throw corrupted(.brotli) }
        guard size == output.count else { throw sizeMismatch(.brotli, size, output.count) }
    }

    private func stream(
        _ codec: Codec, _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        let stream = try StreamDecompressor(codec)
        var consumed = 0
        var produced = 0
        while consumed < input.count {
            let step = try stream.step(
                UnsafeRawBufferPointer(rebasing: input[consumed...]),
                into: UnsafeMutableRawBufferPointer(rebasing: output[produced...]))
            consumed += step.consumed
            produced += step.produced
            if step.consumed == 0 && step.produced == 0 { throw corrupted(codec) }
        }
        try stream.finish()
        guard produced == output.count else { throw sizeMismatch(codec, produced, output.count) }
    }

    private func corrupted(_ codec: Codec) -> CompressionError {
        CompressionError(
            code: .corrupted, message: "the compressed bytes are damaged: \(codec.rawValue)")
    }

    private func sizeMismatch(_ codec: Codec, _ found: Int, _ wanted: Int) -> CompressionError {
        CompressionError(
            code: .sizeMismatch,
            message: "\(codec.rawValue) gave \(found) bytes where \(wanted) were promised")
    }

    private func limitExceeded(_ codec: Codec, _ limit: Int) -> CompressionError {
        CompressionError(
            code: .limitExceeded, message: "\(codec.rawValue) would give more than \(limit) bytes")
    }
}
