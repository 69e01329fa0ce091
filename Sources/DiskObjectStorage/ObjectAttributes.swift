import JSON
package import ObjectStorage

/// What the client says of an object and gets back with it.
package struct ObjectAttributes: Sendable, Hashable {
    /// `Content-Type`, `Content-Encoding`, `Content-Disposition`, `Content-Language`, `Cache-Control`,
    /// `Expires`, by their lower-case names.
    package var headers: [String: String]
    /// What came as `x-amz-meta-*`, by the lower-case rest of the name.
    package var userMetadata: [String: String]
    /// Tags of the version; changed without making another.
    package var tags: [String: String] = [:]
    /// What keeps the version.
    package var lock = ObjectLock()

    package init(headers: [String: String] = [:], userMetadata: [String: String] = [:]) {
        self.headers = headers
        self.userMetadata = userMetadata
    }

    /// Throws `.metadataTooLarge` past the limit of user metadata.
    func check() throws(ObjectStoreError) {
        let total = userMetadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard total <= Limits.userMetadataBytes else {
            throw ObjectStoreError(
                code: .metadataTooLarge,
                message:
                    "user metadata has \(total) bytes, at most \(Limits.userMetadataBytes) are kept"
            )
        }
        try Self.check(tags: tags, limit: Limits.objectTags)
    }

    /// Throws `.limitExceeded` past the limits of tags. Source: Amazon S3 User Guide, "Object tagging".
    static func check(tags: [String: String], limit: Int) throws(ObjectStoreError) {
        guard tags.count <= limit else {
            throw ObjectStoreError(
                code: .invalidSetting, message: "at most \(limit) tags are kept: \(tags.count)")
        }
        for (name, value) in tags
        where name.isEmpty || name.unicodeScalars.count > Limits.tagNameCharacters
            || value.unicodeScalars.count > Limits.tagValueCharacters
        {
            throw ObjectStoreError(
                code: .invalidSetting,
                message: "a tag has a name of 1 to \(Limits.tagNameCharacters) characters and a "
                    + "value of up to \(Limits.tagValueCharacters)")
        }
    }

    /// As the index keeps them.
    var text: String {
        if headers.isEmpty && userMetadata.isEmpty && tags.isEmpty && lock.isEmpty { return "{}" }
        func object(_ map: [String: String]) -> JSONValue {
            .object(map.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        }
        var members = [("headers", object(headers)), ("user", object(userMetadata))]
        if !tags.isEmpty { members.append(("tags", object(tags))) }
        if !lock.isEmpty { members.append(("lock", lock.json)) }
        return JSONValue.object(members).encodedText()
    }

    /// From the index.
    init(text: String) throws {
        self.init()
        if text == "{}" { return }
        let root = try JSONValue(parsing: text).cursor
        headers = try root["headers"].stringMap()
        userMetadata = try root["user"].stringMap()
        tags = try root["tags"].optionalStringMap() ?? [:]
        lock = try ObjectLock(root["lock"])
    }
}

/// An object with everything that is known of it.
package struct ObjectRecord: Sendable, Hashable {
    package var description: ObjectDescription
    package var attributes: ObjectAttributes
    package var checksums: ObjectChecksums
    /// The principal's id and name who wrote it, as `id name`.
    package var owner: String
    /// How many parts it was uploaded in; 0 for a simple write.
    package var partCount: Int
    /// Whether it was written while the bucket kept versions; the others are called `null`.
    package var isVersioned = false

    /// The version's name as clients see it.
    package var versionID: VersionID { isVersioned ? .named(description.version) : .null }
}

/// A part of an object or of a running upload.
package struct PartRecord: Sendable, Hashable {
    package var number: Int
    package var sizeBytes: Int64
    package var etag: String
    package var checksums: ObjectChecksums
    package var modifiedMicroseconds: Int64
}

/// A bucket.
package struct BucketRecord: Sendable, Hashable {
    package var name: String
    package var createdMicroseconds: Int64
    package var owner: String
}
