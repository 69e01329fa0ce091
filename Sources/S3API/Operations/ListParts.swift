import DiskObjectStorage
import Authority
import HTTPMessages
import XML

/// Lists the parts of a running upload. Source: Amazon S3 API Reference, "ListParts".
enum ListParts: S3Operation {
    static let name = "ListParts"
    static let permission = "s3:ListMultipartUploadParts"
    static let method = Method.get
    static let scope = S3Target.Scope.object
    static let query: String? = "uploadId"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        let id = call.query("uploadId") ?? ""
        let after = try call.number("part-number-marker", in: 0...10_000, default: 0)
        let limit = try call.number("max-parts", in: 1...1000, default: 1000)
        let upload = try call.store.upload(call.context, call.location, id: id)
        var parts = try call.store.parts(
            call.context, call.location, uploadID: id, after: after, limit: limit + 1)
        let isCut = parts.count > limit
        parts = Array(parts.prefix(limit))
        var writer = XMLWriter()
        writer.element("ListPartsResult", attributes: s3Namespace) { writer in
            writer.element("Bucket", call.target.bucket)
            writer.element("Key", call.target.key)
            writer.element("UploadId", id)
            writer.owner("Initiator", upload.owner)
            writer.owner("Owner", upload.owner)
            writer.element("StorageClass", "STANDARD")
            writer.element("PartNumberMarker", after)
            if isCut { writer.element("NextPartNumberMarker", parts.last?.number ?? after) }
            writer.element("MaxParts", limit)
            writer.element("IsTruncated", isCut)
            if let algorithm = upload.checksumAlgorithm {
                writer.element("ChecksumAlgorithm", algorithm.rawValue)
                writer.element("ChecksumType", upload.checksumType.rawValue)
            }
            for part in parts {
                writer.element("Part") { writer in
                    writer.element("PartNumber", part.number)
                    writer.element("LastModified", xmlTime(part.modifiedMicroseconds))
                    writer.element("ETag", "\"\(part.etag)\"")
                    writer.element("Size", part.sizeBytes)
                    writer.checksums(part.checksums, withType: false)
                }
            }
        }
        return xmlResponse(200, writer)
    }
}
