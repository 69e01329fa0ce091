import ObjectStorage
import Authority
import DiskObjectStorage
import HTTPMessages

/// Writes an object. Source: Amazon S3 API Reference, "PutObject".
enum PutObject: S3Operation {
    static let name = "PutObject"
    static let method = Method.put
    static let scope = S3Target.Scope.object

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        let precondition = try writePrecondition(call)
        try refuseACL(call)
        let attributes = try ObjectAttributes(call)
        try call.allowWhatComesAlong(tags: !attributes.tags.isEmpty)
        let checks = try BodyChecks(call)
        var algorithms = checks.algorithms
        if let named = try checksumAlgorithm(call.header("x-amz-sdk-checksum-algorithm")) {
            algorithms.insert(named)
        }
        let upload = try call.store.beginPut(
            call.context, call.location, attributes: attributes, checksums: algorithms)
        let expected = try call.receive(checks) { try upload.append($0) }
        let record = try upload.finish(
            precondition: precondition, unlessETag: unwantedETag(call), expected: expected)
        var response = Response(status: 200)
        response.fields["ETag"] = "\"\(record.description.etag)\""
        response.fields.append(record.checksums)
        response.fields.append(version: record, call)
        response.fields.append(expiryOf: record, call)
        return response
    }
}
