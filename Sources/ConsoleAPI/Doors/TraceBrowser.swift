package import Authority
package import Ledger

/// Follows ids through the trail. Every verb throws when the visitor may not look.
package protocol TraceBrowser: Sendable {
    /// Everything that carries a request's, query's, run's or snapshot's id, oldest first.
    func trace(_ context: RequestContext, id: String) throws -> [LedgerEntry]

    /// Commits to a table with what their statements read, newest first; only of one snapshot if given.
    func commits(
        _ context: RequestContext, table: [String], snapshotID: Int64?
    ) throws -> [TracedCommit]

    /// Commits of other tables that read this one, newest first, behind a row of the trail.
    func derived(
        _ context: RequestContext, table: [String], before: Int64?
    ) throws -> TracePage<TracedCommit>

    /// Who read the table, newest first, behind a row of the trail.
    func readers(
        _ context: RequestContext, table: [String], before: Int64?
    ) throws -> TracePage<TracedRead>

    /// The tiles that read the table or what was made from it, newest first.
    func charts(_ context: RequestContext, table: [String]) throws -> TracedCharts
}

/// The trail of the appliance.
package struct LedgerTraceBrowser: TraceBrowser {
    private let ledger: AuditLedger
    private let authorizer: any Authorizer

    /// Over a ledger, for those whom the authorizer lets.
    package init(ledger: AuditLedger, authorizer: any Authorizer) {
        self.ledger = ledger
        self.authorizer = authorizer
    }

    /// See `TraceBrowser`.
    package func trace(_ context: RequestContext, id: String) throws -> [LedgerEntry] {
        try ledger.trace(context, authorizer: authorizer, id: id)
    }

    /// See `TraceBrowser`.
    package func commits(
        _ context: RequestContext, table: [String], snapshotID: Int64?
    ) throws -> [TracedCommit] {
        try ledger.commits(
            context, authorizer: authorizer, table: table, snapshotID: snapshotID)
    }

    /// See `TraceBrowser`.
    package func derived(
        _ context: RequestContext, table: [String], before: Int64?
    ) throws -> TracePage<TracedCommit> {
        try ledger.derived(context, authorizer: authorizer, table: table, before: before)
    }

    /// See `TraceBrowser`.
    package func readers(
        _ context: RequestContext, table: [String], before: Int64?
    ) throws -> TracePage<TracedRead> {
        try ledger.readers(context, authorizer: authorizer, table: table, before: before)
    }

    /// See `TraceBrowser`.
    package func charts(_ context: RequestContext, table: [String]) throws -> TracedCharts {
        try ledger.charts(context, authorizer: authorizer, table: table)
    }
}
