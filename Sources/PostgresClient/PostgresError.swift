import Diagnostics

/// Why a PostgreSQL server did not do what was asked.
package struct PostgresError: Fault {
    package enum Code: String, Sendable {
        case libraryMissing = "postgres.library_missing"
        case cannotConnect = "postgres.cannot_connect"
        case connectionLost = "postgres.connection_lost"
        case queryFailed = "postgres.query_failed"
        case cancelled = "postgres.cancelled"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    /// The server's five letters, where it answered.
    package let state: String?
    package var cause: (any Error)? { nil }

    init(_ code: Code, _ message: String, hint: String? = nil, state: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.state = state
    }
}
