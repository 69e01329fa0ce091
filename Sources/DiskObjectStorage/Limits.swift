/// The module's limits and sizes. Source of the S3 ones: Amazon S3 User Guide, "Multipart upload limits".
package enum Limits {
    /// Objects up to this size live in the index.
    package static let inlineBytes = 64 * 1024
    /// One checksum covers this many bytes of a blob.
    static let pageBytes = 64 * 1024
    /// What a writer collects before it goes to the disk; a multiple of a page.
    static let writeBufferBytes = 256 * 1024
    /// What is read of an object at a time to sum it.
    static let summedBytes = 1024 * 1024
    package static let partCount = 10_000
    package static let partBytes: Int64 = 5 * 1024 * 1024 * 1024
    package static let objectBytes: Int64 = 5 * 1024 * 1024 * 1024 * 1024
    /// The sum of the names and values of user metadata.
    package static let userMetadataBytes = 2 * 1024
    package static let listedKeys = 1000
    package static let deletedKeys = 1000
    package static let bucketCount = 1000
    package static let objectTags = 10
    package static let bucketTags = 50
    package static let tagNameCharacters = 128
    package static let tagValueCharacters = 256
    /// The text of a bucket's or a session's policy.
    package static let policyBytes = 20 * 1024
    package static let policyStatements = 200
    /// Rules in one configuration of lifecycle, CORS or notification.
    package static let configurationRules = 1000
    /// Notices that wait for their receivers; beyond it the oldest go.
    static let waitingDeliveries: Int64 = 100_000
    /// What one step of the lifecycle or the scrub works on before it lets others go first.
    static let upkeepBatch = 256
    /// Blob files in one directory.
    static let blobsPerDirectory: UInt64 = 1024
    /// Open files that one reader of an object of many parts keeps.
    static let openBlobsPerReader = 8
    /// How long a finished upload answers a repeated completion.
    static let completedUploadMicroseconds: Int64 = 7 * 86_400 * 1_000_000
}
