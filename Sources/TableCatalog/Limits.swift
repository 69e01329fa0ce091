/// Limits of the catalog.
enum Limits {
    /// UTF-8 bytes of one name.
    static let nameBytes = 255
    /// Levels of a namespace.
    static let namespaceDepth = 16
    /// Tables of one transaction.
    static let tablesPerCommit = 1_000
    /// Commits to one table that go into one transaction.
    static let commitsPerTurn = 64
    /// Parsed metadata kept, and the bytes of text behind it.
    static let cachedTables = 4_096
    static let cachedBytes = 96 << 20
    /// Journal copies dropped in one later transaction.
    static let journalCleanup = 256
    /// Bytes of a branch's or tag's name, and how deep branches are made of branches.
    static let referenceBytes = 128
    static let branchDepth = 16
    /// Commits that one listing shows.
    static let listedCommits = 10_000
    /// How often a merge is planned again while others commit.
    static let mergeAttempts = 10
    /// Objects deleted by one step of a purge.
    static let purgeBatch = 1_000
    /// How long the outcome of a request with an idempotency key is remembered.
    static let idempotencyMicroseconds: Int64 = 24 * 3_600 * 1_000_000
    /// Bytes of a metrics report, how many are kept a table, and how many go at once.
    static let reportBytes = 1 << 20
    static let reportsPerTable = 1_000
    /// Bytes of a tag's value.
    static let tagBytes = 4_096
    /// Days for which a table that was dropped without its files can be had back.
    static let undropDays: Int64 = 30
    /// Days for which a table that a statement of SQL dropped can be had back with its files, where nobody
    /// says how long: as long as maintenance keeps former states of tables that are there.
    static let statementUndropDays: Int64 = 7
    /// Days for which the place of a staged table is kept for its first commit.
    static let stagedDays: Int64 = 7
    /// How long maintenance waits for commits and merges that have begun.
    static let settling = Duration.seconds(60)
    /// Records kept in the log of maintenance.
    static let maintenanceRecords = 50_000
    /// Orphan files that a report names.
    static let listedOrphans = 20
}
