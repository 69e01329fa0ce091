package import SQLite

/// Where events come from that start pipelines. `Appliance` gives the object store's outbox.
///
/// An event of kind `object.created` has the payload
/// `{"bucket": …, "key": …, "sizeBytes": …, "etag": …, "version": …}`; `object.removed` has no size.
package protocol EventSource: Sendable {
    /// Stable: the cursor is kept under it.
    var name: String { get }
    /// Events behind a place, oldest first.
    func events(after seq: Int64, limit: Int) throws -> [OutboxEvent]
    /// Says that events up to here are not needed any more.
    func acknowledge(_ seq: Int64) throws
    /// Calls `wake` whenever there may be more, until the answer is dropped.
    func subscribe(_ wake: @escaping @Sendable () -> Void) throws -> AnyObject
}

/// The outbox of a database as a source of events.
package final class OutboxEventSource: EventSource {
    package let name: String
    private let database: Database
    private static let consumer = "jobs"

    package init(name: String, database: Database) {
        self.name = name
        self.database = database
    }

    package func events(after seq: Int64, limit: Int) throws -> [OutboxEvent] {
        try database.events(after: seq, limit: limit)
    }

    package func acknowledge(_ seq: Int64) throws {
        try database.advanceCursor(of: Self.consumer, to: seq)
    }

    package func subscribe(_ wake: @escaping @Sendable () -> Void) throws -> AnyObject {
        // From the oldest, so that nothing is lost that was written before the first start of jobs.
        try database.registerConsumer(Self.consumer, fromOldest: true)
        return database.signal.subscribe(wake)
    }
}
