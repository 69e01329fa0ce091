import Diagnostics
import ObjectStorage
import Parquet

/// Why rows could not become files of a table.
package struct TableFileError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// A type or transform that tables cannot hold, or that this writer does not do.
        case unsupported = "table_files.unsupported"
        /// Rows that do not fit the table's schema.
        case schemaMismatch = "table_files.schema_mismatch"
        /// A value that the column cannot hold, such as NULL in a required one.
        case valueOutOfRange = "table_files.value_out_of_range"
        case limitExceeded = "table_files.limit_exceeded"
        case memoryLimit = "table_files.memory_limit"
        /// A file of the table is damaged, or is not what the table says.
        case corrupted = "table_files.corrupted"
        /// The object store failed; see the cause.
        case storageFailed = "table_files.storage_failed"
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

    static func wrapping(_ error: ParquetError, _ path: String) -> TableFileError {
        let code: Code =
            switch error.code {
            case .valueOutOfRange: .valueOutOfRange
            case .typeMismatch: .schemaMismatch
            case .unsupported: .unsupported
            case .memoryLimit: .memoryLimit
            case .limitExceeded: .limitExceeded
            case .notParquet, .corrupted, .truncated, .storeFailed: .storageFailed
            }
        return TableFileError(
            code: code, message: "\(error.message) (writing \(path))", hint: error.hint,
            cause: error)
    }

    static func wrapping(_ error: ObjectStoreError, _ path: String) -> TableFileError {
        TableFileError(
            code: .storageFailed, message: "cannot write \(path)", hint: error.hint, cause: error)
    }
}
