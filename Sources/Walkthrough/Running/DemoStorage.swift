import Bytes
import CivilTime
import Cryptography
import HTTPClient
import HTTPMessages
import Platform

/// Reads and writes objects at the S3 door with a persona's key, by presigned addresses.
///
/// Source: AWS Signature Version 4, "Authenticating requests: using query parameters".
struct DemoStorage {
    let port: Int
    let accessKeyID: String
    let secret: String

    /// GET of one object.
    func get(bucket: String, key: String) throws -> HTTPAnswer {
        try send(.get, bucket: bucket, key: key)
    }

    /// A request about an object, or about a bucket when there is no key.
    func send(
        _ method: Method, bucket: String, key: String? = nil, body: [UInt8]? = nil
    ) throws -> HTTPAnswer {
        let host = "127.0.0.1:\(port)"
        let now = SystemWallClock().now().microseconds
        let stamp = CivilFormat.rfc3339(utc: now, precision: 0).filter { $0 != "-" && $0 != ":" }
        let day = String(stamp.prefix(8))
        let scope = "\(day)/us-east-1/s3/aws4_request"
        let path =
            "/\(bucket)"
            + (key.map { key in
                "/"
                    + key.split(separator: "/", omittingEmptySubsequences: false)
                    .map { PercentCoding.encode($0) }.joined(separator: "/")
            } ?? "")
        let query = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", PercentCoding.encode("\(accessKeyID)/\(scope)")),
            ("X-Amz-Date", stamp), ("X-Amz-Expires", "300"), ("X-Amz-SignedHeaders", "host"),
        ].map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        let canonical =
            "\(method.rawValue)\n\(path)\n\(query)\nhost:\(host)\n\nhost\nUNSIGNED-PAYLOAD"
        let text =
            "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n" + hexText(Digest.sha256(Array(canonical.utf8)))
        var signing = HMAC.sha256(key: Array("AWS4\(secret)".utf8), day)
        for part in ["us-east-1", "s3", "aws4_request"] {
            signing = HMAC.sha256(key: signing, part)
        }
        let signature = hexText(HMAC.sha256(key: signing, text))
        return try HTTPConnection(host: "127.0.0.1", port: port).send(
            method, "\(path)?\(query)&X-Amz-Signature=\(signature)",
            fields: Fields([("Host", host)]), body: body)
    }
}
