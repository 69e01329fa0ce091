import CSQLite

/// The present row of a running statement; valid only inside the closure that received it.
///
/// Columns count from zero. A NULL reads as 0, "" or [] by the plain forms; the `…OrNil` forms tell.
package struct Row {
    let statement: OpaquePointer

    /// How many columns the row has.
    package var columnCount: Int { Int(sqlite3_column_count(statement)) }

    /// Whether the column is NULL.
    package func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL
    }

    package func int64(_ column: Int) -> Int64 { sqlite3_column_int64(statement, Int32(column)) }
    package func int(_ column: Int) -> Int { Int(sqlite3_column_int64(statement, Int32(column))) }
    package func bool(_ column: Int) -> Bool { int64(column) != 0 }
    package func double(_ column: Int) -> Double { sqlite3_column_double(statement, Int32(column)) }

    /// The column as text; empty for NULL. Bytes that are not UTF-8 are replaced.
    package func string(_ column: Int) -> String {
        // The pointer is asked for first: it fixes the encoding that the length is about.
        guard let text = sqlite3_column_text(statement, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    package func bytes(_ column: Int) -> [UInt8] { withBytes(column) { Array($0) } }

    /// Lends the column's bytes without a copy.
    package func withBytes<Result>(
        _ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let start = sqlite3_column_blob(statement, Int32(column))
        let count = start == nil ? 0 : Int(sqlite3_column_bytes(statement, Int32(column)))
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    package func int64OrNil(_ column: Int) -> Int64? { isNull(column) ? nil : int64(column) }
    package func intOrNil(_ column: Int) -> Int? { isNull(column) ? nil : int(column) }
    package func doubleOrNil(_ column: Int) -> Double? { isNull(column) ? nil : double(column) }
    package func stringOrNil(_ column: Int) -> String? { isNull(column) ? nil : string(column) }
    package func bytesOrNil(_ column: Int) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    /// How the column's value is stored, without reading it.
    package func kind(_ column: Int) -> SQLiteKind {
        switch sqlite3_column_type(statement, Int32(column)) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        case SQLITE_BLOB: .blob
        default: .null
        }
    }

    /// Lends the column's text as UTF-8 without a copy; damaged text comes as it is.
    package func withText<Result>(
        _ column: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        // The pointer is asked for first: it fixes the encoding that the length is about.
        let start = sqlite3_column_text(statement, Int32(column))
        let count = start == nil ? 0 : Int(sqlite3_column_bytes(statement, Int32(column)))
        return try body(UnsafeBufferPointer(start: start, count: count))
    }

    /// The column as it is stored.
    package func value(_ column: Int) -> SQLiteValue {
        switch sqlite3_column_type(statement, Int32(column)) {
        case SQLITE_INTEGER: .integer(int64(column))
        case SQLITE_FLOAT: .real(double(column))
        case SQLITE_TEXT: .text(string(column))
        case SQLITE_BLOB: .blob(bytes(column))
        default: .null
        }
    }
}
