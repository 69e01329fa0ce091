import Compression
import Diagnostics
import ObjectStorage
import Vectors

/// Why a Parquet file could not be read or written.
package struct ParquetError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// The bytes are not a Parquet file at all.
        case notParquet = "parquet.not_parquet"
        /// Metadata, a page or an encoded run says something impossible.
        case corrupted = "parquet.corrupted"
        /// A page, the footer or a run ends before it should.
        case truncated = "parquet.truncated"
        /// The format's feature is one that this reader or writer does not have.
        case unsupported = "parquet.unsupported"
        /// The file's column cannot be read as the type that was asked for.
        case typeMismatch = "parquet.type_mismatch"
        /// A value does not fit the type it is read or written as.
        case valueOutOfRange = "parquet.value_out_of_range"
        /// A count or size passes one of the module's limits.
        case limitExceeded = "parquet.limit_exceeded"
        /// The memory budget of the query is used up.
        case memoryLimit = "parquet.memory_limit"
        /// The store failed; see the cause.
        case storeFailed = "parquet.store_failed"
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

    @inline(never)
    static func corrupted(_ message: String) -> ParquetError {
        ParquetError(
            code: .corrupted, message: message,
            hint: "the file is damaged, or its writer is broken; write it again from its source")
    }

    @inline(never)
    static func truncated(_ message: String) -> ParquetError {
        ParquetError(
            code: .truncated, message: message,
            hint: "the file is damaged, or its writer is broken; write it again from its source")
    }

    @inline(never)
    static func unsupported(_ message: String) -> ParquetError {
        ParquetError(code: .unsupported, message: message)
    }

    @inline(never)
    static func wrapping(_ fault: ObjectStoreError, _ doing: String) -> ParquetError {
        ParquetError(
            code: .storeFailed, message: "\(doing): \(fault.message)", hint: fault.hint,
            cause: fault)
    }

    @inline(never)
    static func wrapping(_ fault: CompressionError) -> ParquetError {
        ParquetError(
            code: .corrupted, message: "a page cannot be decompressed: \(fault.message)",
            cause: fault)
    }

    @inline(never)
    static func wrapping(_ fault: MemoryLimitFault) -> ParquetError {
        ParquetError(code: .memoryLimit, message: fault.message, hint: fault.hint, cause: fault)
    }
}
