import Compression
import Iceberg
package import Parquet

/// How data files are cut and encoded.
package struct DataWriterOptions: Sendable {
    package var parquet = WriterOptions()
    /// A file is closed once it has about this many bytes.
    package var targetFileBytes = 512 << 20
    /// Partitions written at the same time; the largest is closed for the next one.
    package var openPartitions = 128
    /// Bytes that open files hold in memory together before the largest writes its row group.
    package var heldBytes = 256 << 20
    /// The sort order that the rows given have; nil: none.
    package var sortOrderID: Int32?

    package init() {}

    /// What the table's properties ask for. Source: Iceberg documentation, "Configuration, Write
    /// properties".
    package init(properties: [String: String]) {
        if let text = properties["write.target-file-size-bytes"], let size = Int(text), size > 0 {
            targetFileBytes = size
        }
        if let text = properties["write.parquet.row-group-size-bytes"], let size = Int(text),
            size > 0
        {
            parquet.rowGroupBytes = size
        }
        switch properties["write.parquet.compression-codec"]?.lowercased() {
        case "snappy": parquet.codec = .snappy
        case "gzip": parquet.codec = .gzip
        case "brotli": parquet.codec = .brotli
        case "lz4", "lz4_raw": parquet.codec = .lz4Block
        case "uncompressed", "none": parquet.codec = .none
        default: parquet.codec = .zstd
        }
        if parquet.codec == .zstd || parquet.codec == .gzip || parquet.codec == .brotli,
            let text = properties["write.parquet.compression-level"], let level = Int(text),
            1...9 ~= level
        {
            parquet.level = level
        }
    }
}
