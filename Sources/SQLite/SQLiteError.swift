import CSQLite
import Diagnostics

/// What can go wrong in a database.
package struct SQLiteError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        case cannotOpen = "sqlite.cannot_open"
        case newerSchema = "sqlite.newer_schema"
        case busy = "sqlite.busy"
        case constraint = "sqlite.constraint"
        case uniqueViolation = "sqlite.unique_violation"
        case diskFull = "sqlite.disk_full"
        case inputOutput = "sqlite.input_output"
        case corrupted = "sqlite.corrupted"
        case readOnly = "sqlite.read_only"
        case cancelled = "sqlite.cancelled"
        case tooBig = "sqlite.too_big"
        case closed = "sqlite.closed"
        case badStatement = "sqlite.bad_statement.bug"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?

    package init(code: Code, message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }
}

extension SQLiteError {
    /// Translates a result code; `handle` gives the words of the last failure.
    init(status: Int32, handle: OpaquePointer?, doing: String) {
        let text =
            handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) }
            ?? String(cString: sqlite3_errstr(status))
        let code: Code =
            switch (status & 0xFF, status) {
            case (SQLITE_CONSTRAINT, 2067), (SQLITE_CONSTRAINT, 1555): .uniqueViolation
            case (SQLITE_CONSTRAINT, _): .constraint
            case (SQLITE_BUSY, _), (SQLITE_LOCKED, _): .busy
            case (SQLITE_FULL, _): .diskFull
            case (SQLITE_IOERR, _): .inputOutput
            case (SQLITE_CORRUPT, _), (SQLITE_NOTADB, _): .corrupted
            case (SQLITE_READONLY, _): .readOnly
            case (SQLITE_INTERRUPT, _): .cancelled
            case (SQLITE_TOOBIG, _), (SQLITE_NOMEM, _): .tooBig
            case (SQLITE_CANTOPEN, _), (SQLITE_PERM, _), (SQLITE_AUTH, _): .cannotOpen
            default: .badStatement
            }
        let hint: String? =
            switch code {
            case .diskFull: "free some space on the disk that holds the data directory"
            case .corrupted:
                "stop the server and run `lakehouse doctor`; restore from a backup if needed"
            case .readOnly, .cannotOpen: "check that this user may write to the data directory"
            default: nil
            }
        self.init(code: code, message: "\(doing): \(text) (SQLite \(status))", hint: hint)
    }
}
