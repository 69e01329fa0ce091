import Authority
import CivilTime
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
        let condition = DeletionCondition(
            etag: call.header("If-Match").map(plainETag),
            sizeBytes: try call.header("x-amz-if-match-size").map(deletionSize),
            modifiedSeconds: try call.header("x-amz-if-match-last-modified-time").map(deletionTime))
        let bypasses = call.flag("x-amz-bypass-governance-retention")
        if bypasses { try call.allowBypass() }
        let deletion = try call.store.delete(
            call.context, call.location, version: try call.version(), condition: condition,
            bypassesGovernance: bypasses)
        var response = Response.noContent
        if call.hasVersions, let id = deletion.id {
            response.fields["x-amz-version-id"] = id.text
            if deletion.isMarker { response.fields["x-amz-delete-marker"] = "true" }
        }
        return response
    }
}

/// The size that an object must have to be deleted.
func deletionSize(_ text: String) throws(S3Error) -> Int64 {
    guard let size = Int64(text), size >= 0 else {
        throw S3Error(.invalidArgument, "the size to match must be a number of bytes: \(text)")
    }
    return size
}

/// When an object must have been changed last to be deleted, in seconds since 1970-01-01 UTC: as in a header or
/// as in a document.
func deletionTime(_ text: String) throws(S3Error) -> Int64 {
    if let seconds = HTTPDate.parse(text) { return seconds }
    guard let time = CivilParse.rfc3339(text) else {
        throw S3Error(.invalidArgument, "the time to match must be a date: \(text)")
    }
    return floorDivide(time, 1_000_000)
}
