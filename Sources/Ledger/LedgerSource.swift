package import SQLite

/// Something that tells of changes in order and knows how far the ledger has read.
package protocol LedgerSource: Sendable {
    /// Stable; part of the ledger's own cursor.
    var name: String { get }
    /// Makes the ledger known, so that events are kept for it.
    func register() throws
    /// Events behind a place, oldest first.
    func events(after sequence: Int64, limit: Int) throws -> [OutboxEvent]
    /// Tells that everything up to a place is in the ledger, on the disk.
    func acknowledge(_ sequence: Int64) throws
    /// Calls `wake` after each commit with events; the result ends that when it is dropped.
    func subscribe(_ wake: @escaping @Sendable () -> Void) -> OutboxSubscription
}

/// The outbox of a database file as a source.
package struct DatabaseLedgerSource: LedgerSource {
    package let name: String
    private let database: Database

    package init(name: String, database: Database) {
        self.name = name
        self.database = database
    }

    package func register() throws { try database.registerConsumer("ledger", fromOldest: true) }

    package func events(after sequence: Int64, limit: Int) throws -> [OutboxEvent] {
        try database.events(after: sequence, limit: limit)
    }

    package func acknowledge(_ sequence: Int64) throws {
        try database.advanceCursor(of: "ledger", to: sequence)
        try database.trimOutbox()
    }

    package func subscribe(_ wake: @escaping @Sendable () -> Void) -> OutboxSubscription {
        database.signal.subscribe(wake)
    }
}
