import Bytes
import CivilTime
import Cryptography
import HTTPMessages

/// Makes URLs that read an object without a further credential, until they expire.
/// Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
package struct Presigner: Sendable {
    private let accessKeyID: String
    private let secretAccessKey: String
    private let sessionToken: String?

    /// Signs with a key, or with a temporary credential and its token.
    package init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
    }

    /// A URL for GET in path style. `endpoint` is scheme, host and port; `seconds` from 1 to 604,800
    /// count from `nowMicroseconds` (since 1970-01-01 UTC); `items` are further parameters, such as
    /// `versionId`.
    package func url(
        endpoint: String, bucket: String, key: String, seconds: Int, nowMicroseconds: Int64,
        items: [(name: String, value: String)] = []
    ) -> String {
        let date = CivilFormat.iso8601Basic(utc: nowMicroseconds)
        let scope = "\(date.prefix(8))/us-east-1/s3/aws4_request"
        var all =
            items + [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                ("X-Amz-Credential", "\(accessKeyID)/\(scope)"), ("X-Amz-Date", date),
                ("X-Amz-Expires", String(seconds)), ("X-Amz-SignedHeaders", "host"),
            ]
        if let sessionToken { all.append(("X-Amz-Security-Token", sessionToken)) }
        let pairs = all.map { (PercentCoding.encode($0.name), PercentCoding.encode($0.value)) }
            .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
        let query = pairs.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let path = PercentCoding.encode("/\(bucket)/\(key)", .path)
        let host = endpoint.drop { $0 != ":" }.dropFirst(3)
        let canonical = "GET\n\(path)\n\(query)\nhost:\(host)\n\nhost\nUNSIGNED-PAYLOAD"
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n" + hexText(Digest.sha256(canonical))
        let signature = hexText(
            HMAC.sha256(key: SignatureV4.signingKey(secretAccessKey, scope: scope), text))
        return "\(endpoint)\(path)?\(query)&X-Amz-Signature=\(signature)"
    }
}
