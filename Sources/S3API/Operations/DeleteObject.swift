import DiskObjectStorage
import Authority
import HTTPMessages
import ObjectStorage

/// Deletes an object; one that is absent is fine. Source: Amazon S3 API Reference, "DeleteObject".
enum DeleteObject: S3Operation {
    static let name = "DeleteObject"
    static let method = Method.delete
    static let scope = S3Target.Scope.object

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectDelete)
        try refuseVersion(call.query("versionId"))
        var precondition = WritePrecondition.none
        if let tag = call.header("If-Match") { precondition = .etag(plainETag(tag)) }
        try call.store.delete(call.context, call.location, precondition: precondition)
        return .noContent
    }
}

/// Only the present version is there, under S3's name for it.
func refuseVersion(_ id: String?) throws(S3Error) {
    guard let id, !id.isEmpty, id != "null" else { return }
    throw S3Error(.notImplemented, "object versions are not offered")
}
