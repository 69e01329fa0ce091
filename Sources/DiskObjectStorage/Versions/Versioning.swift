/// Whether a bucket keeps older versions. Source: Amazon S3 User Guide, "Using versioning in S3 buckets".
package enum Versioning: String, Sendable, Hashable {
    /// Never was switched on: one version a key, without a name.
    case unversioned
    case enabled
    /// Was on: writes make the version `null`, named ones stay.
    case suspended
}

/// The name of a version as clients see it.
package enum VersionID: Sendable, Hashable {
    /// Written while versioning was off.
    case null
    case named(String)

    /// Reads `null` or a name that this store could have made; nil for anything else.
    package init?(_ text: String) {
        if text == "null" {
            self = .null
            return
        }
        let isOurs = text.utf8.allSatisfy { byte in
            byte >= 0x30 && byte <= 0x39 || byte >= 0x61 && byte <= 0x66 || byte == 0x2D
        }
        guard (3...64).contains(text.utf8.count), isOurs else { return nil }
        self = .named(text)
    }

    package var text: String {
        switch self {
        case .null: "null"
        case .named(let name): name
        }
    }
}

/// What stood where an object was asked for: rides as the cause of `.noSuchKey` and `.deleteMarker`.
package struct DeleteMarker: Error {
    package let id: VersionID
    /// Microseconds since 1970-01-01 UTC.
    package let modifiedMicroseconds: Int64
}

/// What a deletion did.
package struct Deletion: Sendable, Hashable {
    /// Whether there was something to delete.
    package var found = false
    /// The version that was removed, or the marker that was made; nil in a bucket without versions.
    package var id: VersionID?
    /// Whether what was removed or made is a delete marker.
    package var isMarker = false
}
