import Bytes
import CivilTime
import Cryptography
import HTTPMessages

/// Signs an S3 request with a table's credentials. Source: Amazon S3 API Reference, "Authenticating
/// Requests (AWS Signature Version 4)".
struct RequestSigner {
    let accessKey: String
    let secret: String
    let sessionToken: String
    let region: String
    let nowMicroseconds: Int64

    /// The headers with the signature among them. Signed are the host, everything of `x-amz-`, and what
    /// says which bytes are meant; the rest may be changed on the way.
    func sign(
        _ method: String, _ place: SignedPlace, _ headers: [(name: String, values: [String])]
    ) -> [(name: String, values: [String])] {
        let moment = CivilFormat.iso8601Basic(utc: nowMicroseconds)
        let day = String(moment.prefix(8))
        let ours = ["x-amz-date", "x-amz-security-token", "authorization"]
        var all = headers.filter { !ours.contains($0.name.lowercased()) }
        let payload =
            all.first { $0.name.lowercased() == "x-amz-content-sha256" }?.values.first
            ?? "UNSIGNED-PAYLOAD"
        all.removeAll { ["x-amz-content-sha256", "host"].contains($0.name.lowercased()) }
        all.append(("Host", [place.host]))
        all.append(("x-amz-content-sha256", [payload]))
        all.append(("x-amz-date", [moment]))
        all.append(("x-amz-security-token", [sessionToken]))

        var signed: [(name: String, value: String)] = []
        for header in all {
            let name = header.name.lowercased()
            guard name.hasPrefix("x-amz-") || Self.signedNames.contains(name) else { continue }
            let value = header.values.map {
                $0.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
            }.joined(separator: ",")
            signed.append((name, value))
        }
        signed.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let names = signed.map(\.name).joined(separator: ";")
        let text =
            "\(method)\n\(place.canonicalPath)\n\(place.canonicalQuery)\n"
            + signed.map { "\($0.name):\($0.value)\n" }.joined() + "\n\(names)\n\(payload)"
        let scope = "\(day)/\(region)/s3/aws4_request"
        let wanted =
            "AWS4-HMAC-SHA256\n\(moment)\n\(scope)\n" + hexText(Digest.sha256(text))
        var key = Array("AWS4\(secret)".utf8)
        for part in [day, region, "s3", "aws4_request"] { key = HMAC.sha256(key: key, part) }
        let signature = hexText(HMAC.sha256(key: key, wanted))
        all.append(
            (
                "Authorization",
                [
                    "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope), SignedHeaders=\(names), "
                        + "Signature=\(signature)"
                ]
            ))
        return all
    }

    private static let signedNames: Set<String> = ["host", "content-md5", "content-type", "range"]
}

/// Where a request that is to be signed goes.
struct SignedPlace {
    /// With the port, where one is written.
    let host: String
    /// Percent-decoded, from the slash.
    let path: String
    let query: QueryItems

    /// Takes `http://host:port/path?query` apart; nil for what is no such address.
    init?(_ uri: String) {
        guard let mark = uri.range(of: "://") else { return nil }
        let rest = uri[mark.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        host = rest[..<end].lowercased()
        let target = rest[end...]
        let question = target.firstIndex(of: "?") ?? target.endIndex
        let rawPath = target[..<question]
        guard !host.isEmpty, let path = PercentCoding.decode(rawPath.isEmpty ? "/" : rawPath),
            let query = QueryItems(
                parsing: question == target.endIndex
                    ? "" : target[target.index(after: question)...])
        else { return nil }
        self.path = path
        self.query = query
    }

    var canonicalPath: String { PercentCoding.encode(path, .path) }

    var canonicalQuery: String {
        var pairs = query.all.map {
            (name: PercentCoding.encode($0.name), value: PercentCoding.encode($0.value))
        }
        pairs.sort { $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name }
        return pairs.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// The bucket and key that the request means, with the store at `endpoint`, in either style; nil for
    /// another server's address.
    func object(at endpoint: String) -> (bucket: String, key: String)? {
        guard let own = SignedPlace(endpoint)?.host else { return nil }
        if host == own {
            let parts = path.dropFirst().split(
                separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let bucket = parts.first, !bucket.isEmpty else { return nil }
            return (String(bucket), parts.count > 1 ? String(parts[1]) : "")
        }
        guard host.hasSuffix("." + own) else { return nil }
        return (String(host.dropLast(own.count + 1)), String(path.dropFirst()))
    }
}

extension String {
    /// The first place of `other`.
    fileprivate func range(of other: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(other) {
                return start..<index(start, offsetBy: other.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
