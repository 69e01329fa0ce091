/// Limits on what foreign files may claim.
package enum ParquetLimits {
    /// Bytes of a footer.
    package static let footerBytes = 256 << 20
    /// Nested structures that Thrift data may skip over, and the depth of a schema.
    package static let depth = 48
    /// Elements of a schema.
    package static let schemaElements = 100_000
    /// Bytes of one page when decompressed.
    package static let pageBytes = 1 << 30
    /// Bytes of a page header; statistics inside may hold long strings.
    package static let pageHeaderBytes = 16 << 20
    /// Values of one page.
    package static let pageValues = 1 << 30
    /// Values in one miniblock of delta encodings.
    package static let miniblockValues = 1 << 16
    /// Bytes of a bloom filter.
    package static let bloomFilterBytes = 128 << 20
    /// Elements of all lists of one step, for one column.
    package static let elementsPerStep = 1 << 28
}
