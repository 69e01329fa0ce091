package import Authority
package import Dashboards
package import HTTPMessages

/// A bucket in a list.
package struct StorageBucket: Sendable, Hashable {
    package var name: String
    /// Microseconds since 1970-01-01 UTC.
    package var createdMicroseconds: Int64
    package var owner: String

    /// A bucket as the list shows it.
    package init(name: String, createdMicroseconds: Int64, owner: String) {
        self.name = name
        self.createdMicroseconds = createdMicroseconds
        self.owner = owner
    }
}

/// An object in a list.
package struct StorageEntry: Sendable, Hashable {
    package var key: String
    package var sizeBytes: Int64
    /// Microseconds since 1970-01-01 UTC.
    package var modifiedMicroseconds: Int64

    /// An object as the list shows it.
    package init(key: String, sizeBytes: Int64, modifiedMicroseconds: Int64) {
        self.key = key
        self.sizeBytes = sizeBytes
        self.modifiedMicroseconds = modifiedMicroseconds
    }
}

/// One page of a bucket below a prefix.
package struct StoragePageful: Sendable, Hashable {
    /// Whole prefixes that end with `/`.
    package var folders: [String]
    package var objects: [StorageEntry]
    /// What to go on after; nil at the end.
    package var next: String?

    /// Folders and objects, each in the order of their bytes.
    package init(folders: [String], objects: [StorageEntry], next: String? = nil) {
        self.folders = folders
        self.objects = objects
        self.next = next
    }
}

/// Where an object is, and which of its versions is meant: nil for the present one.
package struct StoragePlace: Sendable, Hashable {
    package var bucket: String
    package var key: String
    package var version: String?

    /// An object, or one version of it.
    package init(bucket: String, key: String, version: String? = nil) {
        self.bucket = bucket
        self.key = key
        self.version = version
    }
}

/// What is known of an object.
package struct StorageObject: Sendable, Hashable {
    package var entry: StorageEntry
    package var contentType: String?
    package var etag: String
    package var owner: String
    /// Further names and values: checksums, metadata, tags, locks.
    package var details: [QueryDetails.Statistic]

    /// An object as its page shows it.
    package init(
        entry: StorageEntry, contentType: String?, etag: String, owner: String,
        details: [QueryDetails.Statistic] = []
    ) {
        self.entry = entry
        self.contentType = contentType
        self.etag = etag
        self.owner = owner
        self.details = details
    }
}

/// A version of an object, or the marker that says it was deleted.
package struct StorageVersion: Sendable, Hashable {
    package var id: String
    package var sizeBytes: Int64
    /// Microseconds since 1970-01-01 UTC.
    package var modifiedMicroseconds: Int64
    package var isCurrent: Bool
    package var isDeletion: Bool

    /// A version as the list shows it.
    package init(
        id: String, sizeBytes: Int64, modifiedMicroseconds: Int64, isCurrent: Bool, isDeletion: Bool
    ) {
        self.id = id
        self.sizeBytes = sizeBytes
        self.modifiedMicroseconds = modifiedMicroseconds
        self.isCurrent = isCurrent
        self.isDeletion = isDeletion
    }
}

/// Whether somebody may read an object, and why.
package struct StorageReader: Sendable, Hashable {
    package var name: String
    package var isAllowed: Bool
    package var reason: String

    /// One line of the answer to "who may see this?".
    package init(name: String, isAllowed: Bool, reason: String) {
        self.name = name
        self.isAllowed = isAllowed
        self.reason = reason
    }
}

/// An object's content on its way to a browser.
package struct StorageContent: Sendable {
    /// The types that browsers show as pictures, and that hold no script.
    package static let pictures: Set<String> = [
        "image/png", "image/jpeg", "image/gif", "image/webp",
    ]

    package var object: StorageObject
    package var stream: any ResponseStream

    /// The whole content.
    package init(object: StorageObject, stream: any ResponseStream) {
        self.object = object
        self.stream = stream
    }
}

/// What an object looks like from inside.
package enum StoragePreview: Sendable {
    /// The beginning of a text; whether there is more.
    case text(String, hasMore: Bool)
    /// The first rows of a file of rows.
    case rows(ChartData)
    /// A picture that browsers can show.
    case image
    /// Why nothing can be shown.
    case none(String)
}

/// The buckets, as far as the visitor may use them. Every verb throws `AccessDenied` or the store's
/// fault.
package protocol StorageBrowser: Sendable {
    /// By name.
    func buckets(_ context: RequestContext) throws -> [StorageBucket]
    /// Folders and objects below a prefix, behind `after`.
    func list(
        _ context: RequestContext, bucket: String, prefix: String, after: String?, limit: Int
    ) throws -> StoragePageful
    /// What is known of an object.
    func object(_ context: RequestContext, _ place: StoragePlace) throws -> StorageObject
    /// Newest first, at most `limit`.
    func versions(
        _ context: RequestContext, _ place: StoragePlace, limit: Int
    ) throws -> [StorageVersion]
    /// The first rows or lines.
    func preview(_ context: RequestContext, _ place: StoragePlace) throws -> StoragePreview
    /// The whole content, to be sent.
    func content(_ context: RequestContext, _ place: StoragePlace) throws -> StorageContent
    /// Takes an object in from a browser; what was there is replaced when all of it has come.
    func upload(
        _ context: RequestContext, _ place: StoragePlace, contentType: String?,
        _ body: any RequestBody
    ) throws -> StorageObject
    /// Deletes an object, or one version of it.
    func delete(_ context: RequestContext, _ place: StoragePlace) throws
    /// A URL that reads the object without a login until it expires; `seconds` from 60 to 43,200.
    func share(
        _ context: RequestContext, _ place: StoragePlace, seconds: Int
    ) throws -> String
    /// Who may read the object; throws unless the visitor may look at identities.
    func readers(_ context: RequestContext, _ place: StoragePlace) throws -> [StorageReader]
}
