/// Limits on foreign metadata.
enum Limits {
    /// How deep types may nest.
    static let typeDepth = 100
    /// Bytes of one metadata text, manifest list or manifest.
    static let metadataBytes: Int64 = 1 << 30
    /// Fields of one schema, nested ones included.
    static let fields = 100_000
}
