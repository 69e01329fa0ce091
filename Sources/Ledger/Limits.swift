/// Limits of the ledger.
enum Limits {
    /// How many tables made from one, over any number of steps, are looked at for charts.
    static let followedTables = 256
    /// How many tiles, by viewer, table and state of the table, one answer names.
    static let listedCharts = 1_000
}
