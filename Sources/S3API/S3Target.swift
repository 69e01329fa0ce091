import HTTPMessages

/// What a request addresses.
struct S3Target: Sendable {
    enum Scope: Sendable { case service, bucket, object }

    var bucket: String
    var key: String
    var query: QueryItems
    /// Whether the bucket is in the host's name and not in the path.
    var isVirtualHost = false

    var scope: Scope { bucket.isEmpty ? .service : key.isEmpty ? .bucket : .object }

    init(bucket: String, key: String, query: QueryItems) {
        self.bucket = bucket
        self.key = key
        self.query = query
    }

    /// Reads the path, or the host name if it ends with one of `hostSuffixes` (`s3.localhost`).
    init(_ request: Request, hostSuffixes: [String]) throws(S3Error) {
        guard let query = QueryItems(parsing: request.rawQuery) else {
            throw S3Error(.invalidURI, "the query is malformed")
        }
        self.query = query
        guard request.rawPath.hasPrefix("/"),
            let path = PercentCoding.decode(request.rawPath.dropFirst())
        else { throw S3Error(.invalidURI, "the path is not percent-encoded UTF-8") }
        let host = request.fields["Host"].flatMap { HostName.split($0)?.host.lowercased() } ?? ""
        for suffix in hostSuffixes where host.hasSuffix("." + suffix) {
            bucket = String(host.dropLast(suffix.count + 1))
            key = path
            isVirtualHost = true
            return
        }
        // By bytes: a combining character behind the slash must not hide it.
        let bytes = path.utf8
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")) else {
            bucket = path
            key = ""
            return
        }
        bucket = String(decoding: bytes[..<slash], as: UTF8.self)
        key = String(decoding: bytes[bytes.index(after: slash)...], as: UTF8.self)
    }
}
