import ObjectStorage
import Authority
import DiskObjectStorage
import HTTPMessages
import XML

/// Makes an object of the parts. Source: Amazon S3 API Reference, "CompleteMultipartUpload".
enum CompleteMultipartUpload: S3Operation {
    static let name = "CompleteMultipartUpload"
    static let permission = "s3:PutObject"
    static let method = Method.post
    static let scope = S3Target.Scope.object
    static let query: String? = "uploadId"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        // The checksum headers here are of the object, not of this document.
        var reader = PayloadReader(body: call.request.body, signature: call.signature)
        let bytes = try reader.all(limit: 8 * 1024 * 1024)
        guard let root = try? XMLElement(parsing: bytes), root.name == "CompleteMultipartUpload"
        else {
            throw S3Error(.malformedXML, "the document is not a CompleteMultipartUpload")
        }
        let parts = try root.all("Part").map(part)
        guard !parts.isEmpty, parts.count <= Limits.partCount else {
            throw S3Error(.malformedXML, "an upload has 1 to \(Limits.partCount) parts")
        }
        var checksums: [ChecksumAlgorithm: String] = [:]
        for algorithm in ChecksumAlgorithm.allCases {
            checksums[algorithm] = call.header(BodyChecks.fieldName(algorithm))
        }
        let record = try call.store.completeUpload(
            call.context, call.location, id: call.query("uploadId") ?? "", parts: parts,
            precondition: try writePrecondition(call), unlessETag: unwantedETag(call),
            checksums: checksums,
            sizeBytes: call.header("x-amz-mp-object-size").flatMap { Int64($0) })
        var writer = XMLWriter()
        writer.element("CompleteMultipartUploadResult", attributes: s3Namespace) { writer in
            writer.element("Location", location(call))
            writer.element("Bucket", call.target.bucket)
            writer.element("Key", call.target.key)
            writer.element("ETag", "\"\(record.description.etag)\"")
            writer.checksums(record.checksums, withType: true)
        }
        var response = xmlResponse(200, writer)
        response.fields.append(version: record, call)
        response.fields.append(expiryOf: record, call)
        return response
    }

    private static func part(_ element: XMLElement) throws(S3Error) -> CompletedPart {
        guard let number = element.text(of: "PartNumber").flatMap({ Int($0) }),
            let etag = element.text(of: "ETag")
        else { throw S3Error(.malformedXML, "a part without its number or ETag") }
        var checksums: [ChecksumAlgorithm: String] = [:]
        for algorithm in ChecksumAlgorithm.allCases {
            checksums[algorithm] = element.text(of: "Checksum\(algorithm.rawValue)")
        }
        return CompletedPart(number: number, etag: plainETag(etag), checksums: checksums)
    }

    private static func location(_ call: S3Call) -> String {
        let scheme = call.request.isSecure ? "https" : "http"
        let host = call.header("Host") ?? "localhost"
        return "\(scheme)://\(host)" + call.request.rawPath
    }
}
