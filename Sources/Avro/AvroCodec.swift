import Bytes
import Compression

/// How a container's blocks are compressed.
package enum AvroCodec: String, Sendable, CaseIterable {
    case null, deflate, snappy, zstandard

    func compress(_ bytes: [UInt8]) throws(AvroError) -> [UInt8] {
        do throws(CompressionError) {
            switch self {
            case .null: return bytes
            case .deflate: return try Compressor().compress(.deflate, bytes)
            case .zstandard: return try Compressor().compress(.zstd, bytes)
            case .snappy:
                // Avro's snappy blocks end with the CRC-32 of the plain bytes, big-endian.
                var packed = ByteBuffer()
                packed.append(try Compressor().compress(.snappy, bytes))
                packed.appendUInt32BE(crc32(bytes))
                return packed.bytes
            }
        } catch {
            throw AvroError(
                code: .corrupted, message: "cannot compress an Avro block", cause: error)
        }
    }

    func decompress(_ bytes: [UInt8]) throws(AvroError) -> [UInt8] {
        do {
            let limit = Limits.blockBytes
            switch self {
            case .null: return bytes
            case .deflate:
                return try Self.inflate(bytes, limit: limit)
            case .zstandard: return try Decompressor().decompress(.zstd, bytes, limitBytes: limit)
            case .snappy:
                guard bytes.count >= 4 else { throw Self.damaged(nil) }
                let plain = try Decompressor().decompress(
                    .snappy, Array(bytes.dropLast(4)), limitBytes: limit)
                let sum = bytes.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                guard sum == crc32(plain) else { throw Self.damaged(nil) }
                return plain
            }
        } catch let error as AvroError {
            throw error
        } catch {
            throw Self.damaged(error)
        }
    }

    /// Inflates up to the end of the stream. Bytes behind it are left alone: PyIceberg cuts zlib's
    /// wrapping off one byte long at the end and leaves three of its checksum.
    private static func inflate(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
        let stream = try StreamDecompressor(.deflate)
        var plain: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { piece.deallocate() }
        try bytes.withUnsafeBytes { input in
            var rest = input
            while true {
                let step = try stream.step(rest, into: piece)
                plain.append(contentsOf: piece[0..<step.produced])
                guard plain.count <= limit else {
                    throw AvroError(
                        code: .limitExceeded, message: "an Avro block is larger than \(limit) bytes"
                    )
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
                // Neither side was the limit: the stream has ended, or was cut short.
                if step.produced < piece.count { break }
            }
        }
        try stream.finish()
        return plain
    }

    private static func damaged(_ cause: (any Error)?) -> AvroError {
        AvroError(code: .corrupted, message: "an Avro block is damaged", cause: cause)
    }
}
