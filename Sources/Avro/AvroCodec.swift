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
                return try Decompressor().decompress(.deflate, bytes, limitBytes: limit)
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

    private static func damaged(_ cause: (any Error)?) -> AvroError {
        AvroError(code: .corrupted, message: "an Avro block is damaged", cause: cause)
    }
}
