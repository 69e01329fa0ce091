/// Where an object is: a bucket and a key. Without a bucket the key is the path of a local file, which
/// is shown as it was typed.
package struct ObjectLocation: Sendable, Hashable, CustomStringConvertible {
    package var bucket: String
    package var key: String

    package init(bucket: String, key: String) {
        self.bucket = bucket
        self.key = key
    }

    /// Parses `s3://bucket/key`, also `s3a` and `s3n`; nil for anything else.
    package init?(uri: String) {
        for scheme in ["s3://", "s3a://", "s3n://"] where uri.hasPrefix(scheme) {
            let rest = uri.dropFirst(scheme.count)
            guard let slash = rest.firstIndex(of: "/"), slash != rest.startIndex else { return nil }
            self.init(
                bucket: String(rest[..<slash]), key: String(rest[rest.index(after: slash)...]))
            return
        }
        return nil
    }

    package var description: String { bucket.isEmpty ? key : "s3://\(bucket)/\(key)" }
}
