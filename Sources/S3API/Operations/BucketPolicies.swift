import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// Source: Amazon S3 API Reference, "GetBucketPolicy".
enum GetBucketPolicy: S3Operation {
    static let name = "GetBucketPolicy"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "policy"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        guard let text = try call.store.setting(call.context, bucket: call.target.bucket, .policy)
        else { throw S3Error(.noSuchBucketPolicy, "The bucket policy does not exist") }
        return Response(status: 200, contentType: "application/json", bytes: Array(text.utf8))
    }
}

/// Source: Amazon S3 API Reference, "PutBucketPolicy".
enum PutBucketPolicy: S3Operation {
    static let name = "PutBucketPolicy"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "policy"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        var reader = PayloadReader(body: call.request.body, signature: call.signature)
        let bytes = try reader.all(limit: Limits.policyBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw S3Error(.malformedPolicy, "Policies must be valid JSON")
        }
        let policy = try PolicyDocument(text: text, kind: .bucket)
        try policy.check(bucket: call.target.bucket)
        let state = try call.store.bucketState(call.context, call.target.bucket)
        if state.publicAccess?.blocksPolicies == true, policy.isPublic {
            throw S3Error(
                .accessDenied,
                "public policies are blocked by the public access block of the bucket")
        }
        try call.store.set(call.context, bucket: call.target.bucket, .policy, text)
        return .noContent
    }
}

/// Source: Amazon S3 API Reference, "DeleteBucketPolicy".
enum DeleteBucketPolicy: S3Operation {
    static let name = "DeleteBucketPolicy"
    static let method = Method.delete
    static let scope = S3Target.Scope.bucket
    static let query: String? = "policy"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        try call.store.set(call.context, bucket: call.target.bucket, .policy, nil)
        return .noContent
    }
}

/// Whether the policy opens the bucket to everybody.
/// Source: Amazon S3 API Reference, "GetBucketPolicyStatus".
enum GetBucketPolicyStatus: S3Operation {
    static let name = "GetBucketPolicyStatus"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "policyStatus"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        let state = try call.store.bucketState(call.context, call.target.bucket)
        guard let policy = state.policy else {
            throw S3Error(.noSuchBucketPolicy, "The bucket policy does not exist")
        }
        let isPublic = policy.isPublic && state.publicAccess?.restrictsBuckets != true
        var writer = XMLWriter()
        writer.element("PolicyStatus", attributes: s3Namespace) {
            $0.element("IsPublic", isPublic)
        }
        return xmlResponse(200, writer)
    }
}

/// Source: Amazon S3 API Reference, "GetPublicAccessBlock".
enum GetPublicAccessBlock: S3Operation {
    static let name = "GetPublicAccessBlock"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "publicAccessBlock"
    static let permission = "s3:GetBucketPublicAccessBlock"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        let state = try call.store.bucketState(call.context, call.target.bucket)
        guard let block = state.publicAccess else {
            throw S3Error(
                .noSuchPublicAccessBlock, "The public access block configuration was not found")
        }
        var writer = XMLWriter()
        writer.element("PublicAccessBlockConfiguration", attributes: s3Namespace) { writer in
            writer.element("BlockPublicAcls", block.blocksACLs)
            writer.element("IgnorePublicAcls", block.ignoresACLs)
            writer.element("BlockPublicPolicy", block.blocksPolicies)
            writer.element("RestrictPublicBuckets", block.restrictsBuckets)
        }
        return xmlResponse(200, writer)
    }
}

/// Source: Amazon S3 API Reference, "PutPublicAccessBlock".
enum PutPublicAccessBlock: S3Operation {
    static let name = "PutPublicAccessBlock"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "publicAccessBlock"
    static let permission = "s3:PutBucketPublicAccessBlock"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        let root = try call.document(limit: 64 * 1024)
        guard root.name == "PublicAccessBlockConfiguration" else {
            throw S3Error(.malformedXML, "the document is not a PublicAccessBlockConfiguration")
        }
        let flag = { (name: String) in root.text(of: name)?.lowercased() == "true" }
        let block = PublicAccessBlock(
            blocksACLs: flag("BlockPublicAcls"), ignoresACLs: flag("IgnorePublicAcls"),
            blocksPolicies: flag("BlockPublicPolicy"),
            restrictsBuckets: flag("RestrictPublicBuckets"))
        try call.store.set(call.context, bucket: call.target.bucket, .publicAccess, block.text)
        return Response(status: 200)
    }
}

/// Source: Amazon S3 API Reference, "DeletePublicAccessBlock".
enum DeletePublicAccessBlock: S3Operation {
    static let name = "DeletePublicAccessBlock"
    static let method = Method.delete
    static let scope = S3Target.Scope.bucket
    static let query: String? = "publicAccessBlock"
    static let permission = "s3:PutBucketPublicAccessBlock"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        try call.store.set(call.context, bucket: call.target.bucket, .publicAccess, nil)
        return .noContent
    }
}
