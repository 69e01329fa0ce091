/// The module's limits.
enum Limits {
    /// Prepared statements that a connection keeps.
    static let cachedStatements = 256
    /// Readers that may work at once; the next one waits.
    static let readers = 32
    /// Readers that stay open when idle.
    static let idleReaders = 6
    /// Grouped writes that share one commit.
    static let groupedWrites = 512
}
