import Authority
import Bytes
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// Where a listing goes on, opaque to the client.
enum ListingToken {
    static func encode(_ key: String) -> String { base64Text(Array(key.utf8), alphabet: .url) }

    static func decode(_ token: String) -> String? {
        base64Bytes(token, alphabet: .url).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

/// Lists keys by pages. Source: Amazon S3 API Reference, "ListObjectsV2".
enum ListObjectsV2: S3Operation {
    static let name = "ListObjectsV2"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "list-type=2"
    static let permission = "s3:ListBucket"

    static func respond(_ call: S3Call) throws -> Response {
        let page = try ListingPage(call)
        let token = call.query("continuation-token")
        var after = call.query("start-after")
        if let token {
            guard let place = ListingToken.decode(token) else {
                throw S3Error(.invalidArgument, "The continuation token provided is incorrect")
            }
            after = place
        }
        let listing = try page.read(call, after: after)
        let hasOwner = call.query("fetch-owner") == "true"
        var writer = XMLWriter()
        writer.element("ListBucketResult", attributes: s3Namespace) { writer in
            page.writeHead(&writer, isTruncated: listing.next != nil)
            writer.element("KeyCount", listing.objects.count + listing.commonPrefixes.count)
            writer.element("ContinuationToken", token)
            if let next = listing.next {
                writer.element("NextContinuationToken", ListingToken.encode(next))
            }
            writer.element("StartAfter", call.query("start-after").map(page.encoded))
            page.writeEntries(&writer, listing, hasOwner: hasOwner)
        }
        return xmlResponse(200, writer)
    }
}

/// Lists keys by markers. Source: Amazon S3 API Reference, "ListObjects".
enum ListObjects: S3Operation {
    static let name = "ListObjects"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let permission = "s3:ListBucket"

    static func respond(_ call: S3Call) throws -> Response {
        let page = try ListingPage(call)
        let marker = call.query("marker") ?? ""
        let listing = try page.read(call, after: marker.isEmpty ? nil : marker)
        var writer = XMLWriter()
        writer.element("ListBucketResult", attributes: s3Namespace) { writer in
            page.writeHead(&writer, isTruncated: listing.next != nil)
            writer.element("Marker", page.encoded(marker))
            if let next = listing.next, !page.delimiter.isEmpty {
                writer.element("NextMarker", page.encoded(next))
            }
            page.writeEntries(&writer, listing, hasOwner: true)
        }
        return xmlResponse(200, writer)
    }
}

/// What both forms of listing share.
struct ListingPage {
    let bucket: String
    let prefix: String
    let delimiter: String
    let limit: Int
    private let isEncoded: Bool

    init(_ call: S3Call) throws(S3Error) {
        bucket = call.target.bucket
        prefix = call.query("prefix") ?? ""
        delimiter = call.query("delimiter") ?? ""
        limit = try call.number("max-keys", in: 0...1000, default: 1000)
        switch call.query("encoding-type") {
        case nil, "": isEncoded = false
        case "url": isEncoded = true
        case .some: throw S3Error(.invalidArgument, "Invalid Encoding Method specified in Request")
        }
    }

    func read(_ call: S3Call, after: String?) throws -> ObjectListing {
        try call.allow(.objectList, bucket: bucket, key: prefix)
        return try call.store.list(
            call.context, bucket: bucket, prefix: prefix,
            delimiter: delimiter.isEmpty ? nil : delimiter, after: after, limit: limit)
    }

    func encoded(_ key: String) -> String { isEncoded ? PercentCoding.encode(key, .path) : key }

    func writeHead(_ writer: inout XMLWriter, isTruncated: Bool) {
        writer.element("Name", bucket)
        writer.element("Prefix", encoded(prefix))
        if !delimiter.isEmpty { writer.element("Delimiter", encoded(delimiter)) }
        writer.element("MaxKeys", limit)
        if isEncoded { writer.element("EncodingType", "url") }
        writer.element("IsTruncated", isTruncated)
    }

    func writeEntries(_ writer: inout XMLWriter, _ listing: ObjectListing, hasOwner: Bool) {
        for object in listing.objects {
            writer.element("Contents") { writer in
                writer.element("Key", encoded(object.description.location.key))
                writer.element("LastModified", xmlTime(object.description.modifiedMicroseconds))
                writer.element("ETag", quoted: object.description.etag)
                if !object.checksums.values.isEmpty {
                    for algorithm in object.checksums.values.keys.map(\.rawValue).sorted() {
                        writer.element("ChecksumAlgorithm", algorithm)
                    }
                    writer.element("ChecksumType", object.checksums.type.rawValue)
                }
                writer.element("Size", object.description.sizeBytes)
                if hasOwner { writer.owner("Owner", object.owner) }
                writer.element("StorageClass", "STANDARD")
            }
        }
        for prefix in listing.commonPrefixes {
            writer.element("CommonPrefixes") { $0.element("Prefix", encoded(prefix)) }
        }
    }
}
