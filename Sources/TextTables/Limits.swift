/// Limits of text files.
package enum TextLimits {
    /// Bytes of one record; a longer one is `text.record_too_long`.
    package static let recordBytes = 64 << 20
    /// Columns of a table.
    package static let columns = 10_000
    /// Bytes that are read at a time.
    package static let blockBytes = 1 << 20
}
