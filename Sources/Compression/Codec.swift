import CBrotli
import CLz4
import CSnappy
import CZlib
import CZstd

/// A way to make bytes fewer.
package enum Codec: String, Sendable, Hashable, CaseIterable {
    /// The bytes as they are.
    case none
    case snappy
    /// Deflate with gzip's header and CRC-32; several members are one stream.
    case gzip
    /// Deflate with zlib's header and Adler-32.
    case zlib
    /// Bare deflate, as Avro uses it.
    case deflate
    case zstd
    /// A bare LZ4 block, Parquet's LZ4_RAW.
    case lz4Block
    /// The .lz4 file format.
    case lz4Frame
    /// LZ4 blocks behind big-endian lengths, Parquet's deprecated LZ4.
    case lz4Hadoop
    case brotli

    /// Bytes that compressing `count` bytes takes at the most.
    package func bound(_ count: Int) -> Int {
        switch self {
        case .none: count
        case .snappy: snappy_max_compressed_length(count)
        // zlib's own bound for the default window, and 18 bytes of gzip's header and trailer.
        case .gzip, .zlib, .deflate: count + count >> 12 + count >> 14 + count >> 25 + 13 + 18
        case .zstd: ZSTD_compressBound(count)
        case .lz4Block: count + count / 255 + 16
        case .lz4Hadoop: count + count / 255 + 16 + 8
        case .lz4Frame: LZ4F_compressFrameBound(count, nil)
        case .brotli: max(BrotliEncoderMaxCompressedSize(count), count + 1024)
        }
    }

    /// The level used when the caller names none: fast for what is read often.
    package var defaultLevel: Int {
        switch self {
        case .none, .snappy, .lz4Block, .lz4Hadoop, .lz4Frame: 0
        case .gzip, .zlib, .deflate: 6
        case .zstd: 3
        case .brotli: 4
        }
    }
}
