import Diagnostics

/// What can go wrong at a store.
package struct ObjectStoreError: Fault {
    package enum Code: String, Sendable, CaseIterable {
        case noSuchBucket = "object.no_such_bucket"
        case noSuchKey = "object.no_such_key"
        case noSuchUpload = "object.no_such_upload"
        case noSuchVersion = "object.no_such_version"
        /// The version asked for only says that the object was deleted.
        case deleteMarker = "object.delete_marker"
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
        /// A legal hold or a retention period keeps the version.
        case locked = "object.locked"
        /// The state of the bucket does not allow it.
        case invalidBucketState = "object.invalid_bucket_state"
        case invalidSetting = "object.invalid_setting"
        case malformedPolicy = "object.malformed_policy"
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
