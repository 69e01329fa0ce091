/// One snapshot of a database; valid only inside the closure that received it.
package class ReadTransaction {
    let connection: Connection

    init(connection: Connection) { self.connection = connection }

    /// Runs a query and collects what `row` makes of each row.
    package func query<Element>(
        _ sql: String, _ values: any SQLiteBindable..., row: (Row) throws -> Element
    ) throws -> [Element] {
        try query(sql, values: values, row: row)
    }

    /// Runs a query whose values were collected in an array.
    package func query<Element>(
        _ sql: String, values: [any SQLiteBindable], row: (Row) throws -> Element
    ) throws -> [Element] {
        var elements: [Element] = []
        try connection.each(sql, values) { current in
            elements.append(try row(current))
            return true
        }
        return elements
    }

    /// What `row` makes of the first row; nil when there is none.
    package func first<Element>(
        _ sql: String, _ values: any SQLiteBindable..., row: (Row) throws -> Element
    ) throws -> Element? {
        var element: Element?
        try connection.each(sql, values) { current in
            element = try row(current)
            return false
        }
        return element
    }

    /// Walks the rows of a query until `row` answers false.
    package func each(
        _ sql: String, _ values: any SQLiteBindable..., row: (Row) throws -> Bool
    ) throws {
        try connection.each(sql, values, row: row)
    }

    /// Walks the rows of a query whose values were collected in an array until `row` answers false.
    package func each(
        _ sql: String, values: [any SQLiteBindable], row: (Row) throws -> Bool
    ) throws {
        try connection.each(sql, values, row: row)
    }

    /// The first column of the first row as a number; nil when there is no row or it is NULL.
    package func number(_ sql: String, _ values: any SQLiteBindable...) throws -> Int64? {
        var number: Int64?
        try connection.each(sql, values) { row in
            number = row.int64OrNil(0)
            return false
        }
        return number
    }

    /// The first column of the first row as text; nil when there is no row or it is NULL.
    package func text(_ sql: String, _ values: any SQLiteBindable...) throws -> String? {
        var text: String?
        try connection.each(sql, values) { row in
            text = row.stringOrNil(0)
            return false
        }
        return text
    }

    /// Whether the query has a row.
    package func exists(_ sql: String, _ values: any SQLiteBindable...) throws -> Bool {
        var found = false
        try connection.each(sql, values) { _ in
            found = true
            return false
        }
        return found
    }
}

/// A transaction of the one writer; valid only inside the closure that received it.
package final class WriteTransaction: ReadTransaction {
    /// When the transaction began, in microseconds since 1970 UTC by the database's clock.
    package let nowMicroseconds: Int64
    /// How many outbox rows were written.
    private(set) var emittedCount = 0
    private var afterCommit: [() -> Void] = []

    init(connection: Connection, nowMicroseconds: Int64) {
        self.nowMicroseconds = nowMicroseconds
        super.init(connection: connection)
    }

    /// Runs one statement; returns how many rows it changed.
    @discardableResult
    package func run(_ sql: String, _ values: any SQLiteBindable...) throws(SQLiteError) -> Int {
        try connection.run(sql, values)
    }

    /// Runs one statement with values that were collected in an array.
    @discardableResult
    package func run(_ sql: String, values: [any SQLiteBindable]) throws(SQLiteError) -> Int {
        try connection.run(sql, values)
    }

    /// Runs statements that bind nothing, separated by semicolons.
    package func script(_ sql: String) throws(SQLiteError) { try connection.script(sql) }

    /// The rowid of the last insert.
    package var lastInsertedRow: Int64 { connection.lastInsertedRow }

    /// Writes an event into the outbox; it exists if and only if this transaction commits.
    /// Returns its sequence number.
    @discardableResult
    package func emit(
        tenant: String = "main", kind: String, payload: String
    ) throws(SQLiteError) -> Int64 {
        try connection.run(
            "INSERT INTO outbox (tenant, at_us, kind, payload) VALUES (?, ?, ?, ?)",
            [tenant, nowMicroseconds, kind, payload])
        emittedCount += 1
        return connection.lastInsertedRow
    }

    /// Moves a consumer's cursor forward, together with the consumer's own changes here.
    package func advanceCursor(of consumer: String, to seq: Int64) throws(SQLiteError) {
        try connection.run(
            """
            INSERT INTO outbox_cursors (consumer, seq) VALUES (?, ?)
            ON CONFLICT (consumer) DO UPDATE SET seq = max(seq, excluded.seq)
            """, [consumer, seq])
    }

    /// Runs `action` once the transaction is on the disk; never if it fails.
    package func afterCommit(_ action: @escaping () -> Void) { afterCommit.append(action) }

    /// Runs `body` so that its failure undoes only its own changes.
    package func savepoint<Result>(_ body: () throws -> Result) throws -> Result {
        let emitted = emittedCount
        let actions = afterCommit.count
        try connection.script("SAVEPOINT step")
        do {
            let result = try body()
            try connection.script("RELEASE step")
            return result
        } catch {
            if !connection.isAutocommit {
                try connection.script("ROLLBACK TO step; RELEASE step")
            }
            emittedCount = emitted
            afterCommit.removeSubrange(actions...)
            throw error
        }
    }

    func didCommit() {
        let actions = afterCommit
        afterCommit = []
        for action in actions { action() }
    }
}
