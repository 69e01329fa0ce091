import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// Objects are not encrypted by this server, and that is what is answered.
/// Source: Amazon S3 API Reference, "GetBucketEncryption".
enum GetBucketEncryption: S3Operation {
    static let name = "GetBucketEncryption"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "encryption"
    static let permission = "s3:GetEncryptionConfiguration"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        _ = try call.store.bucket(call.context, call.target.bucket)
        throw S3Error(
            .noEncryption, "The server side encryption configuration was not found",
            hint: "this server does not encrypt objects; use an encrypted disk")
    }
}

/// Nothing to remove. Source: Amazon S3 API Reference, "DeleteBucketEncryption".
enum DeleteBucketEncryption: S3Operation {
    static let name = "DeleteBucketEncryption"
    static let method = Method.delete
    static let scope = S3Target.Scope.bucket
    static let query: String? = "encryption"
    static let permission = "s3:PutEncryptionConfiguration"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        _ = try call.store.bucket(call.context, call.target.bucket)
        return .noContent
    }
}

/// No access log is written into buckets; the ledger has it.
/// Source: Amazon S3 API Reference, "GetBucketLogging".
enum GetBucketLogging: S3Operation {
    static let name = "GetBucketLogging"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "logging"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        _ = try call.store.bucket(call.context, call.target.bucket)
        var writer = XMLWriter()
        writer.element("BucketLoggingStatus", attributes: s3Namespace) { _ in }
        return xmlResponse(200, writer)
    }
}

/// Nobody pays. Source: Amazon S3 API Reference, "GetBucketRequestPayment".
enum GetBucketRequestPayment: S3Operation {
    static let name = "GetBucketRequestPayment"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "requestPayment"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        _ = try call.store.bucket(call.context, call.target.bucket)
        var writer = XMLWriter()
        writer.element("RequestPaymentConfiguration", attributes: s3Namespace) {
            $0.element("Payer", "BucketOwner")
        }
        return xmlResponse(200, writer)
    }
}
