import Diagnostics

/// What can go wrong at a store.
package struct ObjectStoreError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        case noSuchBucket = "object.no_such_bucket"
        case noSuchKey = "object.no_such_key"
        case noSuchUpload = "object.no_such_upload"
        case bucketAlreadyExists = "object.bucket_already_exists"
        case bucketNotEmpty = "object.bucket_not_empty"
        case invalidBucketName = "object.invalid_bucket_name"
        case invalidKey = "object.invalid_key"
        case invalidRange = "object.invalid_range"
        case invalidPart = "object.invalid_part"
        case invalidPartOrder = "object.invalid_part_order"
        case entityTooSmall = "object.entity_too_small"
        case entityTooLarge = "object.entity_too_large"
        case metadataTooLarge = "object.metadata_too_large"
        case preconditionFailed = "object.precondition_failed"
        case notModified = "object.not_modified"
        case checksumMismatch = "object.checksum_mismatch"
        case corrupted = "object.corrupted"
        case storageFull = "object.storage_full"
        case accessDenied = "object.access_denied"
        case limitExceeded = "object.limit_exceeded"
        case unavailable = "object.unavailable"
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
