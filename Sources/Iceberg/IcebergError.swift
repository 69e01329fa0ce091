import Diagnostics

/// A table, a file of it or a change to it that breaks the specification.
package struct IcebergError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        /// A metadata text, manifest list or manifest that cannot be read.
        case corruptMetadata = "iceberg.corrupt_metadata"
        /// A part of the format that this program does not know or does not do.
        case unsupported = "iceberg.unsupported"
        /// A change that is not allowed, whatever the table's state.
        case invalidUpdate = "iceberg.invalid_update"
        /// A requirement that does not hold: somebody else committed.
        case requirementFailed = "iceberg.requirement_failed"
        /// A concurrent commit changed what this one relied on.
        case conflict = "iceberg.conflict"
        case noSuchSnapshot = "iceberg.no_such_snapshot"
        case noSuchReference = "iceberg.no_such_reference"
        case limitExceeded = "iceberg.limit_exceeded"
        case storageFailed = "iceberg.storage_failed"
        /// A file that is not in the table's own places, and that its reader has no right to.
        case foreignFile = "iceberg.foreign_file"
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

    /// Damage in a named file.
    static func corrupt(
        _ path: String, _ cause: (any Error)? = nil, _ what: String = "cannot be read"
    ) -> IcebergError {
        IcebergError(
            code: .corruptMetadata, message: "\(what): \(path)",
            hint: "restore the file from a backup, or roll the table back", cause: cause)
    }
}
