package import Authority
import CSQLite

/// One connection with its cache of prepared statements. Not for two threads at once: `Database`
/// lends it to one at a time; programs that read foreign files (ingest) open their own.
package final class Connection: @unchecked Sendable {
    // Safe because whoever holds it has it alone: the pool and the writer's lock lend it out.

    /// How a connection may touch its file.
    package enum Mode: Sendable { case writer, reader, foreignReadOnly }

    let handle: OpaquePointer
    private let path: String
    /// Idle statements by their text. One in use is taken out, so that nested use prepares another.
    private var idle: [String: OpaquePointer] = [:]
    private var cancellation: Unmanaged<Cancellation>?

    /// Opens a file; `.writer` creates it when it is absent. `.foreignReadOnly` changes no setting of it.
    package init(path: String, mode: Mode) throws(SQLiteError) {
        var handle: OpaquePointer?
        let access =
            mode == .writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE
        let flags =
            (mode == .foreignReadOnly ? SQLITE_OPEN_READONLY : access)
            | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = sqlite3_open_v2(path, &handle, flags, nil)
        guard status == SQLITE_OK, let handle else {
            // SQLite hands back a connection even when opening failed; it must be closed too.
            let reason = SQLiteError(status: status, handle: handle, doing: "open")
            sqlite3_close_v2(handle)
            throw SQLiteError(
                code: .cannotOpen, message: "cannot open the database: \(path)",
                hint: "check that the directory exists and this user may write to it", cause: reason
            )
        }
        self.handle = handle
        self.path = path
        sqlite3_busy_timeout(handle, 10_000)
        switch mode {
        case .writer:
            for pragma in [
                "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY",
                "trusted_schema=OFF", "cache_size=-16000", "journal_size_limit=67108864",
            ] { try script("PRAGMA \(pragma)") }
        case .reader:
            for pragma in [
                "query_only=ON", "temp_store=MEMORY", "trusted_schema=OFF", "cache_size=-8000",
            ] { try script("PRAGMA \(pragma)") }
        case .foreignReadOnly:
            for pragma in ["query_only=ON", "trusted_schema=OFF", "cell_size_check=ON"] {
                try script("PRAGMA \(pragma)")
            }
        }
    }

    deinit {
        for statement in idle.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// Runs statements that bind nothing and answer nothing, separated by semicolons.
    package func script(_ sql: String) throws(SQLiteError) {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else {
            throw SQLiteError(status: status, handle: handle, doing: "run \(summary(sql))")
        }
    }

    /// Runs one statement to its end and hands each row to `row` until it answers false.
    package func each(
        _ sql: String, _ values: [any SQLiteBindable], row: (Row) throws -> Bool
    ) throws {
        let statement = try prepare(sql)
        defer { giveBack(statement, sql) }
        try bind(values, to: statement, sql)
        while true {
            let status = sqlite3_step(statement)
            if status == SQLITE_DONE { return }
            guard status == SQLITE_ROW else {
                throw SQLiteError(status: status, handle: handle, doing: "run \(summary(sql))")
            }
            if try !row(Row(statement: statement)) { return }
        }
    }

    /// Runs one statement and ignores its rows; returns how many rows it changed.
    @discardableResult
    package func run(_ sql: String, _ values: [any SQLiteBindable]) throws(SQLiteError) -> Int {
        let statement = try prepare(sql)
        defer { giveBack(statement, sql) }
        try bind(values, to: statement, sql)
        var status = SQLITE_ROW
        while status == SQLITE_ROW { status = sqlite3_step(statement) }
        guard status == SQLITE_DONE else {
            throw SQLiteError(status: status, handle: handle, doing: "run \(summary(sql))")
        }
        return Int(sqlite3_changes64(handle))
    }

    /// The rowid of the last insert.
    package var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Whether no transaction is open; SQLite may have ended one itself after a grave error.
    package var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    /// The names of the columns that a statement answers.
    package func columnNames(_ sql: String) throws(SQLiteError) -> [String] {
        let statement = try prepare(sql)
        defer { giveBack(statement, sql) }
        return (0..<sqlite3_column_count(statement)).map { column in
            sqlite3_column_name(statement, column).map { String(cString: $0) } ?? ""
        }
    }

    /// Ends statements with `.cancelled` soon after the flag is raised; nil: no longer.
    package func watch(_ cancellation: Cancellation?) {
        if let old = self.cancellation { old.release() }
        self.cancellation = cancellation.map { Unmanaged.passRetained($0) }
        guard let watched = self.cancellation else {
            sqlite3_progress_handler(handle, 0, nil, nil)
            return
        }
        // 4,000 virtual machine steps are well under a millisecond.
        sqlite3_progress_handler(
            handle, 4_000,
            { pointer in
                guard let pointer else { return 0 }
                let flag = Unmanaged<Cancellation>.fromOpaque(pointer).takeUnretainedValue()
                return flag.isCancelled ? 1 : 0
            }, watched.toOpaque())
    }

    private func prepare(_ sql: String) throws(SQLiteError) -> OpaquePointer {
        if let statement = idle.removeValue(forKey: sql) { return statement }
        var statement: OpaquePointer?
        let status = sqlite3_prepare_v3(
            handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard status == SQLITE_OK, let statement else {
            throw SQLiteError(status: status, handle: handle, doing: "prepare \(summary(sql))")
        }
        return statement
    }

    private func giveBack(_ statement: OpaquePointer, _ sql: String) {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
        if idle[sql] != nil {
            sqlite3_finalize(statement)
            return
        }
        if idle.count >= Limits.cachedStatements {
            for old in idle.values { sqlite3_finalize(old) }
            idle.removeAll(keepingCapacity: true)
        }
        idle[sql] = statement
    }

    private func bind(
        _ values: [any SQLiteBindable], to statement: OpaquePointer, _ sql: String
    ) throws(SQLiteError) {
        guard Int(sqlite3_bind_parameter_count(statement)) == values.count else {
            throw SQLiteError(
                code: .badStatement,
                message: "a statement wants \(sqlite3_bind_parameter_count(statement)) values "
                    + "and was given \(values.count): \(summary(sql))")
        }
        var index: Int32 = 0
        for value in values {
            index += 1
            var status: Int32
            switch value.sqliteValue {
            case .null: status = sqlite3_bind_null(statement, index)
            case .integer(let number): status = sqlite3_bind_int64(statement, index, number)
            case .real(let number): status = sqlite3_bind_double(statement, index, number)
            case .text(var text):
                status = text.withUTF8 { utf8 in
                    utf8.withMemoryRebound(to: CChar.self) { characters in
                        // An empty string may have no address; SQLite would take that for NULL.
                        guard let base = characters.baseAddress else {
                            return sqlite3_bind_text(
                                statement, index, "", 0, lakehouse_sqlite_transient())
                        }
                        return sqlite3_bind_text64(
                            statement, index, base, UInt64(characters.count),
                            lakehouse_sqlite_transient(), UInt8(SQLITE_UTF8))
                    }
                }
            case .blob(let bytes):
                status = bytes.withUnsafeBytes { raw in
                    guard let base = raw.baseAddress, raw.count > 0 else {
                        return sqlite3_bind_zeroblob(statement, index, 0)
                    }
                    return sqlite3_bind_blob64(
                        statement, index, base, UInt64(raw.count), lakehouse_sqlite_transient())
                }
            }
            guard status == SQLITE_OK else {
                throw SQLiteError(status: status, handle: handle, doing: "bind \(summary(sql))")
            }
        }
    }

    private func summary(_ sql: String) -> String {
        let line = sql.split(whereSeparator: \.isWhitespace).prefix(12).joined(separator: " ")
        return String(line.prefix(100))
    }
}
