import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML

/// Copies an object by reference. Source: Amazon S3 API Reference, "CopyObject".
enum CopyObject: S3Operation {
    static let name = "CopyObject"
    static let permission = "s3:PutObject"
    static let method = Method.put
    static let scope = S3Target.Scope.object
    static let header: String? = "x-amz-copy-source"

    static func respond(_ call: S3Call) throws -> Response {
        let (source, version) = try copySource(call)
        try call.allow(.objectRead, bucket: source.bucket, key: source.key, version: version)
        try call.allow(.objectWrite)
        try refuseACL(call)
        var attributes: ObjectAttributes?
        let tags = try replacingTags(call)
        try allowTags(call, source, version, replacing: tags)
        let checksum = try checksumAlgorithm(call.header("x-amz-checksum-algorithm"))
        switch call.header("x-amz-metadata-directive")?.uppercased() {
        case nil, "", "COPY":
            if source == call.location, version == nil, tags == nil, checksum == nil,
                call.header("x-amz-storage-class") == nil
            {
                throw S3Error(
                    .invalidRequest,
                    "This copy request is illegal because it is trying to copy an object to itself "
                        + "without changing the object's metadata")
            }
        case "REPLACE": attributes = try ObjectAttributes(call)
        case .some(let other):
            throw S3Error(.invalidArgument, "Unknown metadata directive: \(other)")
        }
        let conditions = Conditions(call.request.fields, prefix: "x-amz-copy-source-")
        let record = try call.store.copy(
            call.context, from: source, to: call.location, version: version,
            attributes: attributes, tags: tags, lock: try ObjectLock(call), checksum: checksum,
            precondition: try writePrecondition(call), unlessETag: unwantedETag(call)
        ) { (record) throws(ObjectStoreError) in
            try requireConditions(conditions, record.description)
        }
        var writer = XMLWriter()
        writer.element("CopyObjectResult", attributes: s3Namespace) { writer in
            writer.element("LastModified", xmlTime(record.description.modifiedMicroseconds))
            writer.element("ETag", "\"\(record.description.etag)\"")
            writer.checksums(record.checksums, withType: true)
        }
        var response = xmlResponse(200, writer)
        response.fields.append(version: record, call)
        if let version { response.fields["x-amz-copy-source-version-id"] = version.text }
        return response
    }

    /// A copy with tags wants the right to tag it, and where they are the source's, the right to read them there.
    private static func allowTags(
        _ call: S3Call, _ source: ObjectLocation, _ version: VersionID?,
        replacing tags: [String: String]?
    ) throws {
        if let tags { return try call.allowWhatComesAlong(tags: !tags.isEmpty) }
        let tenant = call.context.tenant
        let isAsked =
            call.credential.policy != nil
            || call.store.hasPolicy(tenant: tenant, bucket: source.bucket)
            || call.store.hasPolicy(tenant: tenant, bucket: call.target.bucket)
        let hasTags =
            try isAsked && !call.store.existingTags(tenant: tenant, source, version).isEmpty
        if hasTags {
            let reading = "s3:GetObjectTagging"
            try call.allow(
                .objectRead, as: version == nil ? reading : "s3:GetObjectVersionTagging",
                bucket: source.bucket, key: source.key, version: version)
            try call.store.require(
                call.context, .objectRead, as: reading, source, version: version)
        }
        try call.allowWhatComesAlong(tags: hasTags)
    }

    /// nil: those of the source.
    private static func replacingTags(_ call: S3Call) throws(S3Error) -> [String: String]? {
        switch call.header("x-amz-tagging-directive")?.uppercased() {
        case nil, "", "COPY": return nil
        case "REPLACE":
            let tags = try TagText.read(header: call.header("x-amz-tagging") ?? "")
            try TagText.check(tags, limit: Limits.objectTags)
            return tags
        case .some(let other):
            throw S3Error(.invalidArgument, "Unknown tagging directive: \(other)")
        }
    }
}

/// Throws `.preconditionFailed` unless the source of a copy is as the client wants it.
func requireConditions(
    _ conditions: Conditions, _ source: ObjectDescription
) throws(ObjectStoreError) {
    guard case .holds = conditions.check(source) else {
        throw ObjectStoreError(
            code: .preconditionFailed, message: "At least one of the pre-conditions did not hold")
    }
}

/// Reads `x-amz-copy-source`: `bucket/key`, percent-encoded, with or without a slash before it, and
/// perhaps `?versionId=…`.
func copySource(
    _ call: S3Call
) throws(S3Error) -> (location: ObjectLocation, version: VersionID?) {
    let text = call.header("x-amz-copy-source") ?? ""
    let halves = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var version: VersionID?
    if halves.count == 2, halves[1].hasPrefix("versionId=") {
        let text = String(halves[1].dropFirst(10))
        guard !text.isEmpty else { throw emptyVersion() }
        version = try parseVersion(text)
    }
    guard let first = halves.first, let path = PercentCoding.decode(first) else {
        throw S3Error(.invalidArgument, "Copy Source must mention the source bucket and key")
    }
    let trimmed = path.hasPrefix("/") ? String(path.dropFirst()) : path
    guard let slash = trimmed.utf8.firstIndex(of: UInt8(ascii: "/")),
        slash != trimmed.utf8.startIndex, trimmed.utf8.index(after: slash) != trimmed.utf8.endIndex
    else { throw S3Error(.invalidArgument, "Copy Source must mention the source bucket and key") }
    let location = ObjectLocation(
        bucket: String(trimmed[..<slash]),
        key: String(decoding: trimmed.utf8[trimmed.utf8.index(after: slash)...], as: UTF8.self))
    return (location, version)
}
