import DiskObjectStorage
import Authority
import HTTPMessages
import XML

/// Makes a bucket; a location constraint is read and taken for whatever it says, since there is one region.
/// Source: Amazon S3 API Reference, "CreateBucket".
enum CreateBucket: S3Operation {
    static let name = "CreateBucket"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketCreate)
        try refuseACL(call)
        if call.request.body.declaredLength != 0 {
            var reader = PayloadReader(body: call.request.body, signature: call.signature)
            let bytes = try reader.all(limit: 64 * 1024)
            if !bytes.isEmpty, (try? XMLElement(parsing: bytes)) == nil {
                throw S3Error(.malformedXML, "the bucket configuration is not well-formed")
            }
        }
        try call.store.createBucket(
            call.context, call.target.bucket,
            hasLock: call.flag("x-amz-bucket-object-lock-enabled"))
        var response = Response(status: 200)
        response.fields["Location"] = "/" + call.target.bucket
        return response
    }
}

/// Whether a bucket is there. Source: Amazon S3 API Reference, "HeadBucket".
enum HeadBucket: S3Operation {
    static let name = "HeadBucket"
    static let permission = "s3:ListBucket"
    static let method = Method.head
    static let scope = S3Target.Scope.bucket

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        _ = try call.store.bucket(call.context, call.target.bucket)
        var response = Response(status: 200)
        response.fields["x-amz-bucket-region"] = call.region
        return response
    }
}

/// Deletes an empty bucket. Source: Amazon S3 API Reference, "DeleteBucket".
enum DeleteBucket: S3Operation {
    static let name = "DeleteBucket"
    static let method = Method.delete
    static let scope = S3Target.Scope.bucket

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketDelete)
        try call.store.deleteBucket(call.context, call.target.bucket)
        return .noContent
    }
}

/// The bucket's region; empty means us-east-1. Source: Amazon S3 API Reference, "GetBucketLocation".
enum GetBucketLocation: S3Operation {
    static let name = "GetBucketLocation"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "location"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        _ = try call.store.bucket(call.context, call.target.bucket)
        var writer = XMLWriter()
        writer.begin("LocationConstraint", attributes: s3Namespace)
        if call.region != "us-east-1" { writer.text(call.region) }
        writer.end()
        return xmlResponse(200, writer)
    }
}
