import DiskObjectStorage
import Authority
import HTTPMessages

/// Gives an upload up. Source: Amazon S3 API Reference, "AbortMultipartUpload".
enum AbortMultipartUpload: S3Operation {
    static let name = "AbortMultipartUpload"
    static let method = Method.delete
    static let scope = S3Target.Scope.object
    static let query: String? = "uploadId"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        try call.store.abortUpload(call.context, call.location, id: call.query("uploadId") ?? "")
        return .noContent
    }
}
