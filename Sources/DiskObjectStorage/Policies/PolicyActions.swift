package import Authority

/// The actions of S3's policies, with ours that each is part of. One of ours that no door named more
/// closely is asked about by its first name here.
/// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
package enum PolicyActions {
    /// To end a retention of mode GOVERNANCE before its time.
    package static let bypass = "s3:BypassGovernanceRetention"

    static let all: [(name: String, action: Action)] = [
        ("s3:GetObject", .objectRead), ("s3:GetObjectVersion", .objectRead),
        ("s3:GetObjectTagging", .objectRead), ("s3:GetObjectVersionTagging", .objectRead),
        ("s3:GetObjectAcl", .objectRead), ("s3:GetObjectAttributes", .objectRead),
        ("s3:GetObjectRetention", .objectRead), ("s3:GetObjectLegalHold", .objectRead),
        ("s3:PutObject", .objectWrite), ("s3:PutObjectTagging", .objectWrite),
        ("s3:PutObjectVersionTagging", .objectWrite), ("s3:DeleteObjectTagging", .objectWrite),
        ("s3:DeleteObjectVersionTagging", .objectWrite), ("s3:PutObjectAcl", .objectWrite),
        ("s3:PutObjectRetention", .objectWrite), ("s3:PutObjectLegalHold", .objectWrite),
        ("s3:AbortMultipartUpload", .objectWrite), ("s3:ListMultipartUploadParts", .objectWrite),
        ("s3:DeleteObject", .objectDelete), ("s3:DeleteObjectVersion", .objectDelete),
        ("s3:ListBucket", .objectList), ("s3:ListBucketVersions", .objectList),
        ("s3:ListBucketMultipartUploads", .objectList), ("s3:GetBucketLocation", .objectList),
        ("s3:GetBucketVersioning", .objectList), ("s3:GetBucketTagging", .objectList),
        ("s3:GetBucketCORS", .objectList), ("s3:GetLifecycleConfiguration", .objectList),
        ("s3:GetBucketNotification", .objectList), ("s3:GetBucketAcl", .objectList),
        ("s3:GetBucketPublicAccessBlock", .objectList),
        ("s3:GetBucketPolicyStatus", .objectList),
        ("s3:GetBucketObjectLockConfiguration", .objectList),
        ("s3:GetEncryptionConfiguration", .objectList),
        ("s3:GetBucketOwnershipControls", .objectList), ("s3:GetBucketLogging", .objectList),
        ("s3:GetBucketRequestPayment", .objectList),
        ("s3:ListAllMyBuckets", .bucketList), ("s3:CreateBucket", .bucketCreate),
        ("s3:DeleteBucket", .bucketDelete),
        ("s3:PutBucketPolicy", .bucketConfigure), ("s3:GetBucketPolicy", .bucketConfigure),
        ("s3:DeleteBucketPolicy", .bucketConfigure), ("s3:PutBucketVersioning", .bucketConfigure),
        ("s3:PutBucketTagging", .bucketConfigure), ("s3:PutBucketCORS", .bucketConfigure),
        ("s3:PutLifecycleConfiguration", .bucketConfigure),
        ("s3:PutBucketNotification", .bucketConfigure), ("s3:PutBucketAcl", .bucketConfigure),
        ("s3:PutBucketPublicAccessBlock", .bucketConfigure),
        ("s3:PutBucketObjectLockConfiguration", .bucketConfigure),
        ("s3:PutEncryptionConfiguration", .bucketConfigure),
        ("s3:PutBucketOwnershipControls", .bucketConfigure),
        (bypass, .bucketConfigure),
    ]

    private static let byName = Dictionary(all.map { ($0.name, $0.action) }) { first, _ in first }
    private static let usual = Dictionary(all.map { ($0.action, $0.name) }) { first, _ in first }

    /// The name that policies know the action by: the door's, where it is one of the action's, else the
    /// most usual. nil where policies know none.
    ///
    /// What is done to a named version (`isOfVersion`) has names of its own.
    package static func name(
        _ action: Action, facts: RequestFacts?, isOfVersion: Bool = false
    ) -> String? {
        let named = facts?.operation
        let name = named.flatMap { byName[$0] == action ? $0 : nil } ?? usual[action]
        guard isOfVersion, let name else { return name }
        return ofVersion[name] ?? name
    }

    private static let ofVersion = [
        "s3:GetObject": "s3:GetObjectVersion", "s3:DeleteObject": "s3:DeleteObjectVersion",
        "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
        "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
        "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
    ]
}
