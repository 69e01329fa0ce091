package import Authority
package import SQLPlanning

/// A table that a query read, in the state that it read.
package struct TableRead: Sendable, Hashable {
    package var name: TableName
    package var uuid: String
    /// nil: the table was empty.
    package var snapshotID: Int64?
}

/// A query that ended, for those who keep a trail.
package struct QueryRecord: Sendable {
    package var id: String
    package var sql: String
    package var context: RequestContext
    /// What the client says of itself: a dashboard, a tool; or else its program.
    package var source: String?
    package var startedMicroseconds: Int64
    package var elapsedMilliseconds: Int64
    package var rowCount: Int64
    /// What its text names; not what policies read.
    package var reads: [TableRead]
    /// Trino's name of the error; nil when it ended well.
    package var errorCode: String?
}

/// Hears of every query that ended. Must not block.
package protocol QueryObserver: Sendable {
    /// Called once a query, on its own thread.
    func ended(_ record: QueryRecord)
}

extension QueryRunner {
    /// Tells the observer, if there is one, what the query read.
    func report(_ run: StatementRun, _ fault: QueryFaultName?) {
        guard let observer = engine.observer else { return }
        let snapshot = query.snapshot
        observer.ended(
            QueryRecord(
                id: query.id, sql: query.shownSQL, context: query.context,
                source: query.session.source ?? query.session.userAgent,
                startedMicroseconds: query.createdMicroseconds,
                elapsedMilliseconds: snapshot.statistics.elapsedMilliseconds,
                rowCount: snapshot.statistics.outputRows, reads: run.view.reads, errorCode: fault))
    }
}

/// Trino's name of an error.
typealias QueryFaultName = String
