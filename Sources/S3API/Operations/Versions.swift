import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// Whether the bucket keeps versions; S3 says by an empty document that it never did.
/// Source: Amazon S3 API Reference, "GetBucketVersioning".
enum GetBucketVersioning: S3Operation {
    static let name = "GetBucketVersioning"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "versioning"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        let state = try call.store.bucketState(call.context, call.target.bucket)
        var writer = XMLWriter()
        writer.element("VersioningConfiguration", attributes: s3Namespace) { writer in
            switch state.versioning {
            case .unversioned: break
            case .enabled: writer.element("Status", "Enabled")
            case .suspended: writer.element("Status", "Suspended")
            }
        }
        return xmlResponse(200, writer)
    }
}

/// Switches versioning on, or suspends it. Source: Amazon S3 API Reference, "PutBucketVersioning".
enum PutBucketVersioning: S3Operation {
    static let name = "PutBucketVersioning"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "versioning"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        let root = try call.document(limit: 64 * 1024)
        guard root.name == "VersioningConfiguration", let status = root.text(of: "Status") else {
            throw S3Error(.malformedXML, "the document is not a VersioningConfiguration")
        }
        if root.text(of: "MfaDelete") == "Enabled" {
            throw S3Error(.notImplemented, "MFA delete is not offered")
        }
        guard status == "Enabled" || status == "Suspended" else {
            throw S3Error(.malformedXML, "the status is Enabled or Suspended: \(status)")
        }
        try call.store.setVersioning(
            call.context, bucket: call.target.bucket, isEnabled: status == "Enabled")
        return Response(status: 200)
    }
}

/// Lists every version of every key. Source: Amazon S3 API Reference, "ListObjectVersions".
enum ListObjectVersions: S3Operation {
    static let name = "ListObjectVersions"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "versions"
    static let permission = "s3:ListBucketVersions"

    static func respond(_ call: S3Call) throws -> Response {
        let page = try ListingPage(call)
        try call.allow(.objectList, bucket: page.bucket, key: page.prefix)
        let keyMarker = call.query("key-marker") ?? ""
        let marker = call.query("version-id-marker") ?? ""
        if keyMarker.isEmpty && !marker.isEmpty {
            throw S3Error(
                .invalidArgument, "A version-id marker cannot be specified without a key marker.")
        }
        let listing = try call.store.listVersions(
            call.context, bucket: page.bucket, prefix: page.prefix,
            delimiter: page.delimiter.isEmpty ? nil : page.delimiter,
            afterKey: keyMarker.isEmpty ? nil : keyMarker, afterVersion: try parseVersion(marker),
            limit: page.limit)
        var writer = XMLWriter()
        writer.element("ListVersionsResult", attributes: s3Namespace) { writer in
            page.writeHead(&writer, isTruncated: listing.next != nil)
            writer.element("KeyMarker", page.encoded(keyMarker))
            writer.element("VersionIdMarker", marker)
            if let next = listing.next {
                writer.element("NextKeyMarker", page.encoded(next.key))
                writer.element("NextVersionIdMarker", next.id?.text)
            }
            for version in listing.versions { write(&writer, version, page) }
            for prefix in listing.commonPrefixes {
                writer.element("CommonPrefixes") { $0.element("Prefix", page.encoded(prefix)) }
            }
        }
        return xmlResponse(200, writer)
    }

    private static func write(
        _ writer: inout XMLWriter, _ version: ListedVersion, _ page: ListingPage
    ) {
        writer.element(version.isMarker ? "DeleteMarker" : "Version") { writer in
            writer.element("Key", page.encoded(version.description.location.key))
            writer.element("VersionId", version.id.text)
            writer.element("IsLatest", version.isLatest)
            writer.element("LastModified", xmlTime(version.description.modifiedMicroseconds))
            if !version.isMarker {
                writer.element("ETag", "\"\(version.description.etag)\"")
                for algorithm in version.checksums.values.keys.map(\.rawValue).sorted() {
                    writer.element("ChecksumAlgorithm", algorithm)
                }
                if !version.checksums.values.isEmpty {
                    writer.element("ChecksumType", version.checksums.type.rawValue)
                }
                writer.element("Size", version.description.sizeBytes)
                writer.element("StorageClass", "STANDARD")
            }
            writer.owner("Owner", version.owner)
        }
    }
}

extension Fields {
    /// Names the version, where the bucket keeps some.
    mutating func append(version record: ObjectRecord, _ call: S3Call) {
        if record.isVersioned || call.hasVersions {
            append("x-amz-version-id", record.versionID.text)
        }
    }
}

extension S3Call {
    /// Whether the bucket keeps versions or did.
    var hasVersions: Bool {
        store.versioning(tenant: context.tenant, bucket: target.bucket) != .unversioned
    }
}
