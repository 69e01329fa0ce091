import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// Begins an upload in parts. Source: Amazon S3 API Reference, "CreateMultipartUpload".
enum CreateMultipartUpload: S3Operation {
    static let name = "CreateMultipartUpload"
    static let permission = "s3:PutObject"
    static let method = Method.post
    static let scope = S3Target.Scope.object
    static let query: String? = "uploads"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        try refuseACL(call)
        let attributes = try ObjectAttributes(call)
        try call.allowWhatComesAlong(tags: !attributes.tags.isEmpty)
        let algorithm = try checksumAlgorithm(call.header("x-amz-checksum-algorithm"))
        var type = algorithm == .crc64NVME ? ChecksumType.fullObject : .composite
        if let text = call.header("x-amz-checksum-type") {
            guard let wanted = ChecksumType(rawValue: text.uppercased()), let algorithm,
                wanted == .composite ? algorithm != .crc64NVME : algorithm.isCombinable
            else {
                throw S3Error(
                    .invalidRequest, "The \(text) checksum type cannot be used with this algorithm")
            }
            type = wanted
        }
        let upload = try call.store.createUpload(
            call.context, call.location, attributes: attributes,
            checksumAlgorithm: algorithm, checksumType: type)
        var writer = XMLWriter()
        writer.element("InitiateMultipartUploadResult", attributes: s3Namespace) { writer in
            writer.element("Bucket", call.target.bucket)
            writer.element("Key", call.target.key)
            writer.element("UploadId", upload.id)
        }
        var response = xmlResponse(200, writer)
        if let algorithm {
            response.fields["x-amz-checksum-algorithm"] = algorithm.rawValue
            response.fields["x-amz-checksum-type"] = type.rawValue
        }
        return response
    }
}
