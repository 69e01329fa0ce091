import Authority
import Diagnostics
import Parquet
import TableCatalog
import TextTables

/// Why rows could not be brought into a table.
package struct IngestError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// The step's options are wrong; `option` names the one.
        case invalidOptions = "ingest.invalid_options"
        /// The source is not there or cannot be read.
        case sourceUnavailable = "ingest.source_unavailable"
        /// The source is of a kind that is not read.
        case unsupportedSource = "ingest.unsupported_source"
        /// A compressed file or a workbook whose bytes are not what its name says.
        case damagedFile = "ingest.damaged_file"
        /// A value of the source that its column cannot hold.
        case invalidValue = "ingest.invalid_value"
        /// A column whose type in the source cannot become the one of the table.
        case incompatibleType = "ingest.incompatible_type"
        /// Two rows of the source have the key that a merge goes by, or one has none.
        case keyNotUnique = "ingest.key_not_unique"
        /// Others kept changing the table.
        case conflict = "ingest.conflict"
        case limitExceeded = "ingest.limit_exceeded"
        case cancelled = "ingest.cancelled"
    }

    package let code: Code
    package let message: String
    package let hint: String?
    package let cause: (any Error)?
    /// The path of the option at fault, such as `source.table`; nil for other faults.
    package let option: String?

    package init(
        _ code: Code, _ message: String, hint: String? = nil, option: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.option = option
        self.cause = cause
    }

    /// Whether trying again is of no use: the request, the rows or the rights have to change first.
    package static func isPermanent(_ error: any Error) -> Bool {
        if let error = error as? IngestError {
            switch error.code {
            case .sourceUnavailable, .conflict, .cancelled: return false
            case .invalidOptions, .unsupportedSource, .damagedFile, .invalidValue,
                .incompatibleType, .keyNotUnique, .limitExceeded:
                return true
            }
        }
        if let error = error as? TextTableError {
            // What could not be read may be so for good: a compressed file that is damaged.
            if error.code == .unreadable { return error.cause.map(isPermanent) ?? false }
            return true
        }
        if let error = error as? ParquetError {
            return [.notParquet, .truncated, .unsupported, .typeMismatch, .valueOutOfRange]
                .contains(
                    error.code)
        }
        if let error = error as? CatalogError {
            return [.noSuchWarehouse, .noSuchReference, .invalidName, .invalidRequest].contains(
                error.code)
        }
        return error is AccessDenied
    }
}
