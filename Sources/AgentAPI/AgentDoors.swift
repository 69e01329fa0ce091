package import Authority
package import HTTPMessages
package import JSON
package import Platform

/// Tells who sends a request.
package protocol AgentAuthenticator: Sendable {
    /// The answer to a request that names a host that is not ours or comes from another site's page; nil
    /// when it is sound.
    func refusal(_ request: Request) -> Response?

    /// The context of a bearer token's account; nil when the token is unknown, expired or revoked.
    func context(_ request: Request, bearerToken: String) -> RequestContext?
}

/// Rows of a statement, as JSON values.
package struct AgentRows: Sendable {
    package var columns: [(name: String, type: String)]
    package var rows: [[JSONValue]]
    /// Whether there were more than the limits allow.
    package var isTruncated: Bool
    package var queryID: String

    /// A result.
    package init(
        columns: [(name: String, type: String)], rows: [[JSONValue]], isTruncated: Bool,
        queryID: String
    ) {
        self.columns = columns
        self.rows = rows
        self.isTruncated = isTruncated
        self.queryID = queryID
    }
}

/// How much of a result is wanted.
package struct AgentLimits: Sendable {
    package var rows: Int
    package var bytes = 1 << 20
    package var seconds: Int64 = 60

    /// Limits with their usual bytes and seconds.
    package init(rows: Int) { self.rows = rows }
}

/// Runs statements as the caller. Throws faults.
package protocol AgentSQL: Sendable {
    /// Runs a statement that was found to read only.
    func run(
        _ context: RequestContext, _ sql: String, catalog: String?, schema: String?,
        limits: AgentLimits
    ) throws -> AgentRows
}

/// Answers questions in words. Throws faults.
package protocol AgentAsk: Sendable {
    /// An object with the reading, its frame, the SQL, rows, tables and snapshot. `previous` is the frame
    /// of the answer that the question goes on from; `frame` is a reading that was chosen.
    func ask(
        _ context: RequestContext, question: String, previous: JSONValue?, frame: JSONValue?
    ) throws -> JSONValue
}

/// Knows where tables come from. Throws faults.
package protocol AgentLineage: Sendable {
    /// An object with the tables that the table was made from, and the commits that did it.
    func upstream(_ context: RequestContext, table: String) throws -> JSONValue
}

/// Everything that this door asks; `Appliance` fills it in.
package struct AgentDoors: Sendable {
    package var authenticator: any AgentAuthenticator
    package var sql: any AgentSQL
    package var ask: (any AgentAsk)?
    package var lineage: (any AgentLineage)?
    /// Without a slash at its end; its port is known once the server listens.
    package var publicURL: @Sendable () -> String
    package var issuer: String
    package var version: String
    package var clock: any WallClock
    package var entropy: any Entropy

    /// The doors; `ask` and `lineage` may be missing.
    package init(
        authenticator: any AgentAuthenticator, sql: any AgentSQL, ask: (any AgentAsk)? = nil,
        lineage: (any AgentLineage)? = nil, publicURL: @escaping @Sendable () -> String,
        issuer: String, version: String,
        clock: any WallClock, entropy: any Entropy
    ) {
        self.authenticator = authenticator
        self.sql = sql
        self.ask = ask
        self.lineage = lineage
        self.publicURL = publicURL
        self.issuer = issuer
        self.version = version
        self.clock = clock
        self.entropy = entropy
    }
}

/// Limits of this door.
enum Limits {
    static let messageBytes = 1 << 20
    static let sessions = 4096
    /// How long a session that nobody uses is remembered.
    static let sessionMicroseconds: Int64 = 24 * 3600 * 1_000_000
    static let defaultRows = 100
    static let mostRows = 1_000
    static let listedTables = 1_000
    static let questionBytes = 4096
}
