import Authority
import Bytes
import CivilTime
import Cryptography
import DiskObjectStorage
import Foundation
import HTTPMessages
import Identity
import Platform
import S3API
import Synchronization
import XML

/// Allows everything to everybody with a name.
struct OpenAuthorizer: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: context.principal.kind != .anonymous, reason: "test")
    }
}

struct TestCredentials: S3CredentialSource {
    func credential(forAccessKey id: String, sessionToken: String?) -> S3CredentialLookup {
        let ann = Principal(id: "u1", name: "ann", kind: .user)
        switch id {
        case "AK": return .found(S3Credential(secret: "secret", principal: ann))
        case "LIMITED":
            guard sessionToken == "token" else { return .invalidToken }
            return .found(
                S3Credential(secret: "secret", principal: ann) { action, bucket, key in
                    bucket == "bucket" && key.hasPrefix("mine/") && action == .objectRead
                })
        case "OLD": return .expired
        default: return .unknown
        }
    }
}

/// A body in pieces.
final class PiecesBody: RequestBody {
    private let pieces: Mutex<[[UInt8]]>
    let declaredLength: Int64?

    init(_ bytes: [UInt8], pieceBytes: Int = 1000) {
        declaredLength = Int64(bytes.count)
        pieces = Mutex(
            stride(from: 0, to: bytes.count, by: pieceBytes).map {
                Array(bytes[$0..<min($0 + pieceBytes, bytes.count)])
            }.reversed())
    }

    func next() throws(HTTPBodyError) -> [UInt8]? { pieces.withLock { $0.popLast() } }
}

/// An answer with its body read to the end.
struct Answer {
    let status: Int
    let fields: Fields
    let body: [UInt8]

    init(_ response: Response) throws {
        status = response.status
        fields = response.fields
        switch response.body {
        case .empty: body = []
        case .bytes(let bytes): body = bytes
        case .stream(_, let stream), .chunked(let stream):
            var bytes: [UInt8] = []
            while let piece = try stream.next() { bytes += piece }
            body = bytes
        }
    }

    var xml: XMLElement? { try? XMLElement(parsing: body) }
    var code: String? { xml?.text(of: "Code") }
}

/// Signs and sends requests to a handler over a store in a folder of its own.
final class S3TestClient {
    let folder: String
    let clock = SettableClock()
    let store: DiskObjectStore
    let handler: S3Handler

    /// The test's own credentials and rights, or those of a directory of identities.
    init(
        authorizer: any Authorizer = OpenAuthorizer(),
        credentials: any S3CredentialSource = TestCredentials(),
        identity: IdentityRegistry? = nil, makesBucket: Bool = true,
        region: String = "us-east-1"
    ) throws {
        folder = NSTemporaryDirectory() + "s3-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try DiskObjectStore(
            directory: folder, authorizer: authorizer, clock: clock, minimumPartBytes: 1000)
        handler = S3Handler(
            store: store, credentials: credentials, clock: clock, region: region,
            identity: identity)
        if makesBucket { _ = try send(.put, "/bucket") }
    }

    deinit {
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var dateTime: String { CivilFormat.iso8601Basic(utc: clock.now().microseconds) }
    private var scope: String { scope("s3") }
    private func scope(_ service: String, _ region: String = "us-east-1") -> String {
        dateTime.prefix(8) + "/\(region)/\(service)/aws4_request"
    }

    func signingKey(
        _ secret: String = "secret", service: String = "s3", region: String = "us-east-1"
    ) -> [UInt8] {
        scope(service, region).split(separator: "/").reduce(Array("AWS4\(secret)".utf8)) {
            HMAC.sha256(key: $0, String($1))
        }
    }

    /// How a test bends the request.
    struct Bend {
        var accessKey = "AK"
        var secret = "secret"
        var payload: String?
        /// Headers that are put in after signing.
        var unsigned: [(String, String)] = []
        /// Sent instead of the signed path.
        var sentPath: String?
        var host = "localhost:9000"
        var service = "s3"
        var region = "us-east-1"
        var address = "127.0.0.1"
        var isSecure = false
    }

    /// Sends a request signed in its header.
    func send(
        _ method: HTTPMessages.Method, _ path: String, query: String = "",
        headers: [(String, String)] = [], body: [UInt8] = [], bend: Bend = Bend()
    ) throws -> Answer {
        let (request, _) = sign(method, path, query, headers, body, bend)
        return try Answer(handler.respond(to: request))
    }

    private func sign(
        _ method: HTTPMessages.Method, _ path: String, _ query: String,
        _ headers: [(String, String)],
        _ body: [UInt8], _ bend: Bend
    ) -> (Request, signature: String) {
        let payload = bend.payload ?? hexText(Digest.sha256(body))
        var fields = headers.map { ($0.0.lowercased(), $0.1) }
        fields += [
            ("host", bend.host), ("x-amz-date", dateTime), ("x-amz-content-sha256", payload),
        ]
        fields.sort { $0.0 < $1.0 }
        let names = fields.map(\.0).joined(separator: ";")
        let canonical =
            "\(method.rawValue)\n\(path)\n\(canonicalQuery(query))\n"
            + fields.map { "\($0.0):\($0.1)\n" }.joined() + "\n\(names)\n\(payload)"
        let signature = self.signature(
            canonical, bend.secret, service: bend.service, region: bend.region)
        fields.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(bend.accessKey)/\(scope(bend.service, bend.region)), "
                    + "SignedHeaders=\(names), Signature=\(signature)"
            ))
        let request = Request(
            method: method, rawPath: bend.sentPath ?? path, rawQuery: query,
            fields: Fields(fields + bend.unsigned), body: PiecesBody(body),
            isSecure: bend.isSecure, remoteAddress: bend.address, requestID: "r1")
        return (request, signature)
    }

    /// Sends a request that nobody signed.
    func sendUnsigned(
        _ method: HTTPMessages.Method, _ path: String, query: String = "",
        headers: [(String, String)] = [], body: [UInt8] = []
    ) throws -> Answer {
        let request = Request(
            method: method, rawPath: path, rawQuery: query,
            fields: Fields([("Host", "localhost:9000")] + headers), body: PiecesBody(body),
            requestID: "r1")
        return try Answer(handler.respond(to: request))
    }

    /// A presigned URL's query.
    func presigned(
        _ method: HTTPMessages.Method, _ path: String, expires: Int = 60, secret: String = "secret",
        region: String = "us-east-1"
    ) -> String {
        let credential = PercentCoding.encode("AK/\(scope("s3", region))")
        let query =
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(credential)&X-Amz-Date=\(dateTime)"
            + "&X-Amz-Expires=\(expires)&X-Amz-SignedHeaders=host"
        let canonical =
            "\(method.rawValue)\n\(path)\n\(canonicalQuery(query))\nhost:localhost:9000\n\nhost\n"
            + "UNSIGNED-PAYLOAD"
        return query + "&X-Amz-Signature=" + signature(canonical, secret, region: region)
    }

    func sendPresigned(
        _ method: HTTPMessages.Method, _ path: String, _ query: String, body: [UInt8] = []
    ) throws -> Answer {
        let request = Request(
            method: method, rawPath: path, rawQuery: query,
            fields: Fields([("Host", "localhost:9000")]),
            body: PiecesBody(body), requestID: "r1")
        return try Answer(handler.respond(to: request))
    }

    /// Sends an `aws-chunked` body; `spoil` changes the framed bytes before they go.
    func sendChunked(
        _ path: String, chunks: [[UInt8]], isSigned: Bool, trailer: (name: String, value: String)?,
        declared: Int? = nil, spoil: (inout [UInt8]) -> Void = { _ in }
    ) throws -> Answer {
        let form =
            isSigned
            ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + (trailer == nil ? "" : "-TRAILER")
            : "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        let total = declared ?? chunks.reduce(0) { $0 + $1.count }
        var headers = [
            ("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "\(total)"),
        ]
        if let trailer { headers.append(("x-amz-trailer", trailer.name)) }
        let bend = Bend(payload: form)
        var (request, previous) = sign(.put, path, "", headers, [], bend)
        var framed: [UInt8] = []
        for chunk in chunks + [[]] {
            var head = String(chunk.count, radix: 16)
            if isSigned {
                let text =
                    "AWS4-HMAC-SHA256-PAYLOAD\n\(dateTime)\n\(scope)\n\(previous)\n"
                    + hexText(Digest.sha256([])) + "\n" + hexText(Digest.sha256(chunk))
                previous = hexText(HMAC.sha256(key: signingKey(), text))
                head += ";chunk-signature=\(previous)"
            }
            framed += Array("\(head)\r\n".utf8) + chunk
            if !chunk.isEmpty { framed += Array("\r\n".utf8) }
        }
        if let trailer {
            framed += Array("\(trailer.name):\(trailer.value)\r\n".utf8)
            if isSigned {
                let text =
                    "AWS4-HMAC-SHA256-TRAILER\n\(dateTime)\n\(scope)\n\(previous)\n"
                    + hexText(Digest.sha256("\(trailer.name):\(trailer.value)\n"))
                framed += Array(
                    "x-amz-trailer-signature:\(hexText(HMAC.sha256(key: signingKey(), text)))\r\n"
                        .utf8)
            }
        }
        framed += Array("\r\n".utf8)
        spoil(&framed)
        request.body = PiecesBody(framed, pieceBytes: 777)
        return try Answer(handler.respond(to: request))
    }

    private func signature(
        _ canonical: String, _ secret: String, service: String = "s3",
        region: String = "us-east-1"
    ) -> String {
        let text =
            "AWS4-HMAC-SHA256\n\(dateTime)\n\(scope(service, region))\n"
            + hexText(Digest.sha256(canonical))
        let key = signingKey(secret, service: service, region: region)
        return hexText(HMAC.sha256(key: key, text))
    }

    private func canonicalQuery(_ query: String) -> String {
        query.split(separator: "&").map { $0.contains("=") ? String($0) : $0 + "=" }.sorted()
            .joined(separator: "&")
    }
}

/// Bytes that differ from place to place.
func pattern(_ count: Int, seed: Int = 1) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ ($0 >> 9) &* 7 &+ seed) }
}
