package import SQLite

/// A blob as the index names it, for copies of the whole store.
package struct BlobRow: Sendable, Hashable {
    /// Its file.
    package var path: String
    /// Of its bytes, without the checksums behind them.
    package var sizeBytes: Int64
    /// Of the bytes, as the ETag of what was uploaded.
    package var digest: String
    package var modifiedMicroseconds: Int64
}

extension DiskObjectStore {
    /// Every blob that the index names in this snapshot of it, those of running uploads too. Their files
    /// stay while a `holdTrash` from before the snapshot lives.
    package func blobs(in index: ReadTransaction) throws -> [BlobRow] {
        try index.query("SELECT name, size, etag, modified_us FROM blobs ORDER BY id") { row in
            BlobRow(
                path: folder.path(row.string(0)), sizeBytes: row.int64(1), digest: row.string(2),
                modifiedMicroseconds: row.int64(3))
        }
    }
}
