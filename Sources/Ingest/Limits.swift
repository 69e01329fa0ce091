/// Limits of ingest.
package enum IngestLimits {
    /// Rows that one merge may change; more want a replacement of the table.
    package static let mergedRows = 20_000_000
    /// Times that a merge starts over because others committed meanwhile.
    package static let mergeAttempts = 8
    /// Objects of one prefix that are read in one go.
    package static let objects = 100_000
    /// Bytes that a compressed text file may unpack to.
    package static let unpackedBytes: Int64 = 256 << 30
    /// Bytes that one part of a workbook may unpack to.
    package static let workbookPartBytes = 1 << 30
}
