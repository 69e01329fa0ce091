import HTTPMessages

/// Every operation that is offered. Of several that fit, the one that wants more wins.
let s3Operations: [any S3Operation.Type] = [
    ListBuckets.self,
    CreateBucket.self, HeadBucket.self, DeleteBucket.self, GetBucketLocation.self,
    GetBucketVersioning.self, PutBucketVersioning.self,
    GetBucketTagging.self, PutBucketTagging.self, DeleteBucketTagging.self,
    GetBucketPolicy.self, PutBucketPolicy.self, DeleteBucketPolicy.self,
    GetBucketPolicyStatus.self,
    GetPublicAccessBlock.self, PutPublicAccessBlock.self, DeletePublicAccessBlock.self,
    GetBucketCors.self, PutBucketCors.self, DeleteBucketCors.self,
    GetBucketLifecycleConfiguration.self, PutBucketLifecycleConfiguration.self,
    DeleteBucketLifecycle.self,
    GetBucketNotificationConfiguration.self, PutBucketNotificationConfiguration.self,
    GetObjectLockConfiguration.self, PutObjectLockConfiguration.self,
    GetBucketAcl.self, PutBucketAcl.self, GetBucketOwnershipControls.self,
    PutBucketOwnershipControls.self,
    GetBucketEncryption.self, DeleteBucketEncryption.self, GetBucketLogging.self,
    GetBucketRequestPayment.self,
    ListObjectsV2.self, ListObjects.self, ListObjectVersions.self, DeleteObjects.self,
    PutObject.self, PostObject.self, GetObject.self, HeadObject.self, DeleteObject.self,
    CopyObject.self, GetObjectAttributes.self,
    GetObjectTagging.self, PutObjectTagging.self, DeleteObjectTagging.self,
    GetObjectAcl.self, PutObjectAcl.self,
    GetObjectLegalHold.self, PutObjectLegalHold.self, GetObjectRetention.self,
    PutObjectRetention.self,
    CreateMultipartUpload.self, UploadPart.self, UploadPartCopy.self, CompleteMultipartUpload.self,
    AbortMultipartUpload.self, ListParts.self, ListMultipartUploads.self,
]

/// Where operations are looked for.
private struct Place: Hashable {
    let method: Method
    let scope: S3Target.Scope

    init(_ method: Method, _ scope: S3Target.Scope) {
        self.method = method
        self.scope = scope
    }
}

private let operationsByPlace = Dictionary(grouping: s3Operations) { Place($0.method, $0.scope) }

/// The names of the operations that are offered, for the console's support table.
package let s3OperationNames: [String] = s3Operations.map { $0.name }

/// Subresources that S3 has and this server has not, with the noun in the operation's name.
private let unofferedSubresources: [String: String] = [
    "accelerate": "BucketAccelerateConfiguration", "acl": "Acl",
    "analytics": "BucketAnalyticsConfiguration",
    "cors": "BucketCors", "encryption": "BucketEncryption",
    "intelligent-tiering": "BucketIntelligentTieringConfiguration",
    "inventory": "BucketInventoryConfiguration", "legal-hold": "ObjectLegalHold",
    "lifecycle": "BucketLifecycleConfiguration", "logging": "BucketLogging",
    "metrics": "BucketMetricsConfiguration", "notification": "BucketNotificationConfiguration",
    "object-lock": "ObjectLockConfiguration", "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy", "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "BucketReplication", "requestPayment": "BucketRequestPayment",
    "restore": "RestoreObject",
    "retention": "ObjectRetention", "select": "SelectObjectContent", "tagging": "Tagging",
    "torrent": "ObjectTorrent", "versioning": "BucketVersioning", "versions": "ListObjectVersions",
    "website": "BucketWebsite",
]

/// Finds the operation that a request means.
func findOperation(
    _ request: Request, _ target: S3Target
) throws(S3Error) -> any S3Operation.Type {
    var best: (operation: any S3Operation.Type, weight: Int)?
    for operation in operationsByPlace[Place(request.method, target.scope)] ?? [] {
        var weight = 0
        if let query = operation.query {
            guard !target.query.all.isEmpty, hasItem(query, in: target.query) else { continue }
            weight += 2
        }
        if let header = operation.header {
            guard request.fields[header] != nil else { continue }
            weight += 1
        }
        if best.map({ weight > $0.weight }) ?? true { best = (operation, weight) }
    }
    if best.map({ $0.weight < 2 }) ?? true { try refuseUnoffered(request, target) }
    guard let best else {
        throw S3Error(
            .methodNotAllowed, "The specified method is not allowed against this resource")
    }
    return best.operation
}

private func hasItem(_ pattern: String, in query: QueryItems) -> Bool {
    let halves = pattern.split(separator: "=", maxSplits: 1)
    guard let name = halves.first, let value = query[String(name)] else { return false }
    return halves.count < 2 || value == halves[1]
}

private func refuseUnoffered(_ request: Request, _ target: S3Target) throws(S3Error) {
    for (name, _) in target.query.all {
        guard let noun = unofferedSubresources[name] else { continue }
        let verb =
            switch request.method {
            case .get, .head: "Get"
            case .put: "Put"
            case .delete: "Delete"
            default: ""
            }
        let subject =
            noun == "Acl" || noun == "Tagging"
            ? (target.scope == .object ? "Object" : "Bucket") : ""
        throw S3Error(
            .notImplemented,
            "A header or query you provided implies functionality that is not implemented: "
                + verb + subject + noun)
    }
}
