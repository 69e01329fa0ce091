/// Limits on foreign bytes.
enum Limits {
    /// How deep schemas and values may nest.
    static let depth = 64
    /// Bytes of one block before or after decompression.
    static let blockBytes = 1 << 30
    /// Entries of the file's metadata.
    static let metadataEntries = 10_000
    /// Elements that take no bytes of their own (nulls, empty records) in one array or block.
    static let emptyElements = 1 << 20
}
