package import Vectors

/// What a client brings along with a statement.
package struct QuerySession: Sendable {
    package var catalog: String?
    package var schema: String?
    /// IANA name or offset; nil: UTC.
    package var zone: String?
    package var source: String?
    package var clientInfo: String?
    /// The program that sent the statement, where it does not give a source: `python-requests/2.32`.
    package var userAgent: String?
    package var clientTags: [String]
    package var traceToken: String?
    /// Session properties by name; `catalog.name` for those of a catalog.
    package var properties: [String: String]
    /// Texts of prepared statements by name.
    package var prepared: [String: String]
    package var transactionID: String?
    /// Whether the client keeps the id of a transaction that it began, and sends it along.
    package var keepsTransactions = false
    package var language: String?
    /// Properties that go into the summaries of snapshots that the statement commits: run and step ids.
    package var commitProperties: [String: String] = [:]
    /// The state of tables that names without a version mean, microseconds UTC; nil: the present one.
    package var readAsOfMicroseconds: Int64?
    /// Whether a kept result of the same statement over the same snapshots and policies may be given.
    package var reusesResults = false
    /// By warehouse: the branch that its plain name means in this session. A name with a reference of its
    /// own, `"silver@main"`, means that.
    package var branches: [String: String] = [:]
    /// Whether the user who signed in may act as another; nil where the door knows no users.
    package var mayActAs: (@Sendable (String) -> Bool)?

    package init(catalog: String? = nil, schema: String? = nil, zone: String? = nil) {
        self.catalog = catalog
        self.schema = schema
        self.zone = zone
        clientTags = []
        properties = [:]
        prepared = [:]
    }
}

/// What a statement changes in its client's session.
package struct SessionChanges: Sendable, Hashable {
    package var catalog: String?
    package var schema: String?
    package var path: String?
    package var setProperties: [String: String] = [:]
    package var resetProperties: [String] = []
    package var addedPrepared: [String: String] = [:]
    package var deallocatedPrepared: [String] = []
    package var startedTransactionID: String?
    package var clearsTransaction = false
    /// By catalog: `ROLE{name}`, `ALL` or `NONE`.
    package var roles: [String: String] = [:]
    /// The user whom further statements run as; and whether they run as whoever signed in again.
    package var authorizationUser: String?
    package var resetsAuthorization = false

    package init() {}
}

/// Turns result chunks into bytes of a door's format. Called by worker threads, one chunk at a time a
/// thread, possibly several threads at once; chunks of ordered results come in order.
package protocol ResultEncoder: Sendable {
    /// Appends the chunk's active rows. `columns[i]` describes the chunk's column `i`.
    func encode(_ chunk: Chunk, _ columns: [QueryColumn], into bytes: inout [UInt8])

    /// How many bytes a page should have before it is handed out.
    var pageBytes: Int { get }
}
