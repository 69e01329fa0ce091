import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage

/// Deletes an object; one that is absent is fine. In a bucket with versions a delete marker hides it,
/// unless a version is named: that one goes. Source: Amazon S3 API Reference, "DeleteObject".
enum DeleteObject: S3Operation {
    static let name = "DeleteObject"
    static let method = Method.delete
    static let scope = S3Target.Scope.object

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectDelete)
        var precondition = WritePrecondition.none
        if let tag = call.header("If-Match") { precondition = .etag(plainETag(tag)) }
        let bypasses = call.flag("x-amz-bypass-governance-retention")
        if bypasses { try call.allowBypass() }
        let deletion = try call.store.delete(
            call.context, call.location, version: try call.version(), precondition: precondition,
            bypassesGovernance: bypasses)
        var response = Response.noContent
        if call.hasVersions, let id = deletion.id {
            response.fields["x-amz-version-id"] = id.text
            if deletion.isMarker { response.fields["x-amz-delete-marker"] = "true" }
        }
        return response
    }
}
