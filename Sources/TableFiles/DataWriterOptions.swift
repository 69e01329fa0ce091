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
        takeSizes(properties)
        takeBloomFilters(properties)
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

    private mutating func takeSizes(_ properties: [String: String]) {
        func number(_ name: String) -> Int? {
            properties["write.parquet.\(name)"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        }
        if let size = number("page-size-bytes") { parquet.pageBytes = size }
        if let rows = number("page-row-limit") { parquet.pageRows = rows }
        if let size = number("dict-size-bytes") { parquet.dictionaryBytes = size }
    }

    /// `bloom-filter-enabled.column.NAME`, `bloom-filter-fpp.column.NAME`, `bloom-filter-max-bytes`.
    private mutating func takeBloomFilters(_ properties: [String: String]) {
        let prefix = "write.parquet.bloom-filter-enabled.column."
        for (name, value) in properties
        where name.hasPrefix(prefix) && value.lowercased() == "true" {
            let column = String(name.dropFirst(prefix.count))
            var bloom = BloomOptions()
            if let text = properties["write.parquet.bloom-filter-fpp.column.\(column)"],
                let rate = Double(text), rate > 0, rate < 1
            {
                bloom.falsePositiveRate = rate
            }
            if let text = properties["write.parquet.bloom-filter-max-bytes"],
                let size = Int(text), size >= 32
            {
                bloom.maximumBytes = min(size, 16 << 20)
            }
            parquet.bloomFilters[column] = bloom
        }
    }
}
