import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// Lists the running uploads of a bucket. Source: Amazon S3 API Reference, "ListMultipartUploads".
enum ListMultipartUploads: S3Operation {
    static let name = "ListMultipartUploads"
    static let permission = "s3:ListBucketMultipartUploads"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "uploads"

    static func respond(_ call: S3Call) throws -> Response {
        let page = try ListingPage(call)
        try call.allow(.objectList, bucket: page.bucket, key: page.prefix)
        let limit = try call.number("max-uploads", in: 1...1000, default: 1000)
        let afterKey = call.query("key-marker") ?? ""
        let marker = call.query("upload-id-marker") ?? ""
        // Without an id the marker means: behind every upload of that key. Ids are hexadecimal.
        let afterID = marker.isEmpty && !afterKey.isEmpty ? "~" : marker
        var uploads = try call.store.uploads(
            call.context, bucket: page.bucket, prefix: page.prefix, afterKey: afterKey,
            afterID: afterID,
            limit: limit + 1)
        let isCut = uploads.count > limit
        uploads = Array(uploads.prefix(limit))
        var writer = XMLWriter()
        writer.element("ListMultipartUploadsResult", attributes: s3Namespace) { writer in
            writer.element("Bucket", page.bucket)
            writer.element("KeyMarker", page.encoded(afterKey))
            writer.element("UploadIdMarker", marker)
            writer.element("Prefix", page.encoded(page.prefix))
            if !page.delimiter.isEmpty { writer.element("Delimiter", page.encoded(page.delimiter)) }
            writer.element("MaxUploads", limit)
            writer.element("IsTruncated", isCut)
            if isCut, let last = uploads.last {
                writer.element("NextKeyMarker", page.encoded(last.location.key))
                writer.element("NextUploadIdMarker", last.id)
            }
            writeEntries(&writer, uploads, page)
        }
        return xmlResponse(200, writer)
    }

    private static func writeEntries(
        _ writer: inout XMLWriter, _ uploads: [UploadRecord], _ page: ListingPage
    ) {
        var folded: [String] = []
        for upload in uploads {
            let key = upload.location.key
            if let prefix = KeyOrder.commonPrefix(
                of: key, prefix: page.prefix, delimiter: page.delimiter)
            {
                if folded.last != prefix { folded.append(prefix) }
                continue
            }
            writer.element("Upload") { writer in
                writer.element("Key", page.encoded(key))
                writer.element("UploadId", upload.id)
                writer.owner("Initiator", upload.owner)
                writer.owner("Owner", upload.owner)
                writer.element("StorageClass", "STANDARD")
                writer.element("Initiated", xmlTime(upload.startedMicroseconds))
                if let algorithm = upload.checksumAlgorithm {
                    writer.element("ChecksumAlgorithm", algorithm.rawValue)
                    writer.element("ChecksumType", upload.checksumType.rawValue)
                }
            }
        }
        for prefix in folded {
            writer.element("CommonPrefixes") { $0.element("Prefix", page.encoded(prefix)) }
        }
    }
}
