import Authority
import DiskObjectStorage
import HTTPMessages
import ObjectStorage
import XML
import JSON

/// Tags, as documents and as headers have them.
enum TagText {
    /// From `<Tagging><TagSet><Tag><Key/><Value/></Tag>…`.
    static func read(_ root: XMLElement) throws(S3Error) -> [String: String] {
        guard root.name == "Tagging", let set = root.first("TagSet") else {
            throw S3Error(.malformedXML, "the document is not a Tagging")
        }
        var tags: [String: String] = [:]
        for tag in set.all("Tag") {
            guard let key = tag.text(of: "Key"), let value = tag.text(of: "Value") else {
                throw S3Error(.malformedXML, "a tag has a key and a value")
            }
            try put(key, value, &tags)
        }
        return tags
    }

    /// From `x-amz-tagging`: `key=value&key=value`, percent-encoded.
    static func read(header text: String) throws(S3Error) -> [String: String] {
        var tags: [String: String] = [:]
        guard let items = QueryItems(parsing: text) else {
            throw S3Error(.invalidArgument, "The header 'x-amz-tagging' shall be encoded as UTF-8")
        }
        for item in items.all { try put(item.name, item.value, &tags) }
        return tags
    }

    static func write(_ tags: [String: String]) -> XMLWriter {
        var writer = XMLWriter()
        writer.element("Tagging", attributes: s3Namespace) { writer in
            writer.element("TagSet") { writer in
                for (key, value) in tags.sorted(by: { $0.key < $1.key }) {
                    writer.element("Tag") { writer in
                        writer.element("Key", key)
                        writer.element("Value", value)
                    }
                }
            }
        }
        return writer
    }

    private static func put(
        _ key: String, _ value: String, _ tags: inout [String: String]
    ) throws(S3Error) {
        guard tags[key] == nil else {
            throw S3Error(.invalidTag, "Cannot provide multiple Tags with the same key")
        }
        guard !key.isEmpty, key.unicodeScalars.count <= Limits.tagNameCharacters else {
            throw S3Error(.invalidTag, "The TagKey you have provided is invalid")
        }
        guard value.unicodeScalars.count <= Limits.tagValueCharacters else {
            throw S3Error(.invalidTag, "The TagValue you have provided is invalid")
        }
        tags[key] = value
    }

    /// Throws `BadRequest`'s kin past the number that is kept.
    static func check(_ tags: [String: String], limit: Int) throws(S3Error) {
        guard tags.count <= limit else {
            throw S3Error(.invalidTag, "Object tags cannot be greater than \(limit)")
        }
    }
}

/// The tags of an object. Source: Amazon S3 API Reference, "GetObjectTagging".
enum GetObjectTagging: S3Operation {
    static let name = "GetObjectTagging"
    static let method = Method.get
    static let scope = S3Target.Scope.object
    static let query: String? = "tagging"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectRead)
        let record = try call.store.head(call.context, call.location, version: call.version())
        var response = xmlResponse(200, TagText.write(record.attributes.tags))
        response.fields.append(version: record, call)
        return response
    }
}

/// Replaces the tags of an object. Source: Amazon S3 API Reference, "PutObjectTagging".
enum PutObjectTagging: S3Operation {
    static let name = "PutObjectTagging"
    static let method = Method.put
    static let scope = S3Target.Scope.object
    static let query: String? = "tagging"

    static func respond(_ call: S3Call) throws -> Response {
        let tags = try TagText.read(try call.document(limit: 256 * 1024))
        let call = call.giving(tags)
        try call.allow(.objectWrite)
        try TagText.check(tags, limit: Limits.objectTags)
        return try call.answer(
            200, try call.store.setTags(call.context, call.location, version: call.version(), tags))
    }
}

/// Removes every tag of an object. Source: Amazon S3 API Reference, "DeleteObjectTagging".
enum DeleteObjectTagging: S3Operation {
    static let name = "DeleteObjectTagging"
    static let method = Method.delete
    static let scope = S3Target.Scope.object
    static let query: String? = "tagging"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectWrite)
        return try call.answer(
            204, try call.store.setTags(call.context, call.location, version: call.version(), [:]))
    }
}

/// The tags of a bucket. Source: Amazon S3 API Reference, "GetBucketTagging".
enum GetBucketTagging: S3Operation {
    static let name = "GetBucketTagging"
    static let method = Method.get
    static let scope = S3Target.Scope.bucket
    static let query: String? = "tagging"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.objectList)
        guard
            let text = try call.store.setting(
                call.context, bucket: call.target.bucket, .tags)
        else { throw S3Error(.noSuchTagSet, "The TagSet does not exist") }
        let tags = try JSONValue(parsing: text).cursor.stringMap()
        return xmlResponse(200, TagText.write(tags))
    }
}

/// Replaces the tags of a bucket. Source: Amazon S3 API Reference, "PutBucketTagging".
enum PutBucketTagging: S3Operation {
    static let name = "PutBucketTagging"
    static let method = Method.put
    static let scope = S3Target.Scope.bucket
    static let query: String? = "tagging"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        let tags = try TagText.read(try call.document(limit: 256 * 1024))
        try TagText.check(tags, limit: Limits.bucketTags)
        let text = JSONValue.object(
            tags.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }
        ).encodedText()
        try call.store.set(call.context, bucket: call.target.bucket, .tags, text)
        return .noContent
    }
}

/// Removes the tags of a bucket. Source: Amazon S3 API Reference, "DeleteBucketTagging".
enum DeleteBucketTagging: S3Operation {
    static let name = "DeleteBucketTagging"
    static let method = Method.delete
    static let scope = S3Target.Scope.bucket
    static let query: String? = "tagging"
    static let permission = "s3:PutBucketTagging"

    static func respond(_ call: S3Call) throws -> Response {
        try call.allow(.bucketConfigure)
        try call.store.set(call.context, bucket: call.target.bucket, .tags, nil)
        return .noContent
    }
}

extension S3Call {
    /// An answer without a body that names the version it is about.
    func answer(_ status: Int, _ id: VersionID) throws -> Response {
        var response = Response(status: status)
        if hasVersions { response.fields["x-amz-version-id"] = id.text }
        return response
    }
}
