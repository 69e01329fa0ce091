import Platform
import SQLite

/// A database that can be the bank's operational system.
protocol BankDatabase: AnyObject {
    /// Where the dialects differ.
    var words: BankWords { get }
    /// Runs `body` in one transaction.
    func transaction(_ body: (any BankSession) throws -> Void) throws
    /// The first value of a query as text.
    func value(_ sql: String) throws -> String
    /// Takes away what the walkthrough made.
    func remove() throws
}

/// One transaction of a bank's database.
protocol BankSession: AnyObject {
    /// Runs one statement that binds nothing.
    func run(_ sql: String) throws
    /// Adds a row; the values are in the table's order.
    func insert(into table: String, _ values: [any SQLiteBindable]) throws
}

/// Words of a dialect.
struct BankWords {
    var integer = "INTEGER"
    var double = "DOUBLE"
    var timestamp = "TIMESTAMP"
    /// The hidden column that tells equal rows apart.
    var rowKey = "rowid"
}

/// The embedded database: one file.
final class SQLiteBank: BankDatabase {
    let path: String
    let words = BankWords()

    init(path: String) { self.path = path }

    func transaction(_ body: (any BankSession) throws -> Void) throws {
        let connection = try Connection(path: path, mode: .writer)
        // The file can be made again from the seed, so it need not survive a power cut.
        try connection.script("PRAGMA synchronous=OFF; BEGIN IMMEDIATE")
        // A connection that is given up without COMMIT rolls back.
        try body(Session(connection))
        try connection.script("COMMIT")
    }

    func value(_ sql: String) throws -> String {
        let connection = try Connection(path: path, mode: .foreignReadOnly)
        var text = ""
        _ = try connection.each(sql, []) { row in
            text = row.string(0)
            return false
        }
        return text
    }

    func remove() throws {
        for suffix in ["", "-wal", "-shm"] {
            _ = try LocalFileSystem().removeIfPresent(path + suffix)
        }
    }

    private final class Session: BankSession {
        let connection: Connection
        /// The INSERT of each table.
        private var statements: [String: String] = [:]

        init(_ connection: Connection) { self.connection = connection }

        func run(_ sql: String) throws { try connection.script(sql) }

        func insert(into table: String, _ values: [any SQLiteBindable]) throws {
            let statement =
                statements[table]
                ?? "INSERT INTO \(table) VALUES (\(values.map { _ in "?" }.joined(separator: ",")))"
            statements[table] = statement
            _ = try connection.run(statement, values)
        }
    }
}
