import Compression

/// How the rows of an object are written.
enum ObjectFormat: String, CaseIterable {
    case csv, tsv, jsonl, parquet, xlsx
}

/// What an object's name tells: `orders.csv.gz` is CSV in gzip.
struct ObjectName {
    /// nil: the name does not tell.
    let format: ObjectFormat?
    /// nil: the bytes are as they are.
    let codec: Codec?

    private static let codecs: [(suffix: String, codec: Codec)] = [
        (".gz", .gzip), (".zst", .zstd), (".lz4", .lz4Frame),
    ]
    private static let formats: [(suffix: String, format: ObjectFormat)] = [
        (".csv", .csv), (".tsv", .tsv), (".tab", .tsv), (".jsonl", .jsonl), (".ndjson", .jsonl),
        (".json", .jsonl), (".parquet", .parquet), (".pq", .parquet), (".xlsx", .xlsx),
    ]

    init(_ key: String) {
        var name = key.lowercased()
        let packed = Self.codecs.first { name.hasSuffix($0.suffix) }
        if let packed { name.removeLast(packed.suffix.count) }
        codec = packed?.codec
        format = Self.formats.first { name.hasSuffix($0.suffix) }?.format
    }
}
