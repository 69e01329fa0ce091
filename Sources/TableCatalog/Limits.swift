/// Limits of the catalog.
enum Limits {
    /// UTF-8 bytes of one name.
    static let nameBytes = 255
    /// Levels of a namespace.
    static let namespaceDepth = 16
    /// Tables of one transaction.
    static let tablesPerCommit = 1_000
    /// Parsed metadata kept, and the bytes of text behind it.
    static let cachedTables = 4_096
    static let cachedBytes = 96 << 20
    /// Journal copies dropped in one later transaction.
    static let journalCleanup = 256
    /// Objects deleted by one step of a purge.
    static let purgeBatch = 1_000
}
