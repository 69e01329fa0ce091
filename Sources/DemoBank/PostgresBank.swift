import HTTPMessages
import PostgresClient
import SQLite

/// Where a PostgreSQL server is; the password is kept apart, so that the rest can be shown.
package struct PostgresAddress: Sendable {
    /// The URI without the password.
    package let shown: String
    /// What the server wants; never shown.
    package let password: String?

    /// Reads `postgres://user:password@host:port/database?…`; nil for anything else.
    package init?(_ text: String) {
        guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://"),
            let scheme = text.firstRange(of: "://")
        else { return nil }
        var password: String?
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        var place = String(authority)
        if let at = authority.lastIndex(of: "@"),
            let colon = authority[..<at].firstIndex(of: ":")
        {
            password = PercentCoding.decode(authority[authority.index(after: colon)..<at])
            place = String(authority[..<colon] + authority[at...])
        }
        let tail = rest[authority.endIndex...]
        let halves = tail.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var query: [Substring] = []
        if halves.count == 2 {
            for part in halves[1].split(separator: "&") {
                if part.hasPrefix("password=") {
                    password = PercentCoding.decode(part.dropFirst("password=".count))
                } else {
                    query.append(part)
                }
            }
        }
        self.password = password
        shown =
            text[..<scheme.upperBound] + place + (halves.first ?? "")
            + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }
}

/// A PostgreSQL server as the bank's database: a schema of its own in a database that is there.
///
/// The schema carries a comment that says who made it. One that says so is made anew; one that does not is
/// somebody's, and is left alone.
package final class PostgresBank: BankDatabase {
    /// The schema that holds the bank.
    package static let schema = "core_banking"
    private static let mark = "made by lakehouse demo banking-fraud"

    /// Where the server is.
    package let address: PostgresAddress
    let words = BankWords(
        integer: "BIGINT", double: "DOUBLE PRECISION", timestamp: "TIMESTAMP(3)", rowKey: "ctid")
    private let connection: PostgresConnection
    /// Whether the schema is this walkthrough's; what is not is never removed.
    private var isMade = false

    /// Connects; throws what the server says.
    package init(_ address: PostgresAddress) throws {
        self.address = address
        var options = [(name: "dbname", value: address.shown)]
        if let password = address.password { options.append(("password", password)) }
        options += [
            ("client_encoding", "UTF8"), ("application_name", "lakehouse demo"),
            ("connect_timeout", "10"),
            (
                "options",
                "-c search_path=\(Self.schema) -c TimeZone=UTC -c DateStyle=ISO,YMD "
                    + "-c standard_conforming_strings=on"
            ),
        ]
        connection = try PostgresConnection(options)
    }

    /// Makes the schema, anew when a walkthrough before this one made it.
    func makeSchema() throws {
        let found = try value(
            "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') || '.' FROM pg_namespace "
                + "WHERE nspname = '\(Self.schema)'")
        guard found.isEmpty || found == Self.mark + "." else {
            throw DemoBankError(
                .sourceTaken,
                "the database has a schema \(Self.schema) that no walkthrough made",
                hint: "give another database, or rename the schema")
        }
        try run("DROP SCHEMA IF EXISTS \(Self.schema) CASCADE")
        try run("CREATE SCHEMA \(Self.schema)")
        isMade = true
        try run("COMMENT ON SCHEMA \(Self.schema) IS '\(Self.mark)'")
    }

    func transaction(_ body: (any BankSession) throws -> Void) throws {
        try run("BEGIN")
        do {
            let session = Session(connection)
            try body(session)
            try session.flush()
            try run("COMMIT")
        } catch {
            try? run("ROLLBACK")
            throw error
        }
    }

    func value(_ sql: String) throws -> String {
        var text = ""
        try connection.query(sql) { row in
            text = row.string(0)
            return true
        }
        return text
    }

    /// Takes away the schema that the walkthrough made, and none that was there.
    package func remove() throws {
        if isMade { try run("DROP SCHEMA IF EXISTS \(Self.schema) CASCADE") }
        isMade = false
    }

    private func run(_ sql: String) throws { try connection.query(sql) { _ in true } }

    private final class Session: BankSession {
        /// Rows that go in one statement.
        private static let batchRows = 500

        private let connection: PostgresConnection
        private var table = ""
        private var rows: [String] = []

        init(_ connection: PostgresConnection) { self.connection = connection }

        func run(_ sql: String) throws {
            try flush()
            try connection.query(sql) { _ in true }
        }

        func insert(into table: String, _ values: [any SQLiteBindable]) throws {
            if table != self.table || rows.count >= Self.batchRows { try flush() }
            self.table = table
            rows.append("(\(values.map(Self.literal).joined(separator: ",")))")
        }

        func flush() throws {
            guard !rows.isEmpty else { return }
            try connection.query("INSERT INTO \(table) VALUES \(rows.joined(separator: ","))") {
                _ in true
            }
            rows.removeAll(keepingCapacity: true)
        }

        private static func literal(_ value: any SQLiteBindable) -> String {
            if let flag = value as? Bool { return flag ? "TRUE" : "FALSE" }
            return switch value.sqliteValue {
            case .null: "NULL"
            case .integer(let number): String(number)
            case .real(let number): "\(number)"
            case .text(let text): quoted(text)
            case .blob: "NULL"
            }
        }

        private static func quoted(_ text: String) -> String {
            "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "''") + "'"
        }
    }
}
