import Authority
import CivilTime
import Bytes
import Cryptography
import DiskObjectStorage
import HTTPMessages
import Identity
import JSON
import Platform
import S3API
import Synchronization
import TestSupport

extension FuzzTarget {
    /// Signed S3 requests: the head as bytes, answered by the real handler.
    static let signature: FuzzTarget = {
        var target = FuzzTarget(
            name: "sigv4", summary: "S3 requests: signatures in headers and queries, aws-chunked"
        ) {
            SignedRequests.seeds()
        } prepare: {
            let desk = try SignedRequests.Desk()
            return { input in try desk.answer(input) }
        }
        target.tokens = [
            "AWS4-HMAC-SHA256", "Credential=", "SignedHeaders=", "Signature=", "host;x-amz-date",
            "AK/",
            "/us-east-1/s3/aws4_request", "20260101", "20260101T000000Z", "x-amz-date: ",
            "x-amz-content-sha256: ",
            "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "X-Amz-Algorithm=", "X-Amz-Expires=", "X-Amz-Signature=", "?uploads",
            "?partNumber=1&uploadId=x",
            "?list-type=2&max-keys=0&prefix=%", "?delete", "?acl", "\r\n", ";", ",", "=", "/",
            "%2F", "%", "&",
            "x-amz-copy-source: /b/k\r\n", "Range: bytes=0-\r\n", "If-Match: \"e\"\r\n",
            "x-amz-meta-a: b\r\n",
            "5;chunk-signature=", "0\r\n\r\n", "x-amz-trailer: x-amz-checksum-crc32\r\n",
            "<Delete>",
            "x-amz-decoded-content-length: 5\r\n", "Content-MD5: x\r\n",
        ]
        return target
    }()

    /// Bearer tokens. An input is a header, a payload and a signature on lines of their own, which are
    /// encoded, or the text of a token; `@H`, `@P`, `@S` and `@T` stand for the parts and the whole of one
    /// that was issued, since no two processes issue the same.
    static let token: FuzzTarget = {
        var target = FuzzTarget(
            name: "jwt", summary: "bearer tokens: what was not issued is refused"
        ) {
            TokenDesk.seeds.map { Array($0.utf8) }
        } prepare: {
            let desk = try TokenDesk()
            return { input in try desk.present(input) }
        }
        target.tokens = [
            ".", "=", "-", "_", "@T", "@H", "@P", "@S", "\n", "A", "eyJhbGciOiJub25lIn0",
            "\"alg\":\"none\"",
            "\"alg\":\"HS256\"", "\"typ\":\"at+jwt\"", "\"kid\":\"@K\"", "\"exp\":", "\"aud\":[]",
            "\"sub\":",
            "\"crit\":[\"b64\"]", "99999999999999999999", "-1", "null", "[[[[", "\u{0}", " ",
        ]
        return target
    }()
}

/// A body in memory.
private final class HeldBody: RequestBody {
    private let bytes: Mutex<[UInt8]?>
    let declaredLength: Int64?

    init(_ bytes: [UInt8]) {
        self.bytes = Mutex(bytes.isEmpty ? nil : bytes)
        declaredLength = Int64(bytes.count)
    }

    func next() throws(HTTPBodyError) -> [UInt8]? {
        bytes.withLock { held in
            defer { held = nil }
            return held
        }
    }
}

private struct AllowAll: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        Decision(isAllowed: true, reason: "fuzz")
    }
}

private struct OneKey: S3CredentialSource {
    func credential(forAccessKey id: String, sessionToken: String?) -> S3CredentialLookup {
        guard id == "AK" else { return .unknown }
        return .found(
            S3Credential(
                secret: SignedRequests.secret,
                principal: Principal(id: "u1", name: "ann", kind: .user)))
    }
}

private enum SignedRequests {
    static let secret = "secret"
    static let dateTime = "20260101T000000Z"
    static let scope = "20260101/us-east-1/s3/aws4_request"

    /// The handler over a store of its own; the clock stands at the seeds' time.
    final class Desk {
        private let folder: String
        private let store: DiskObjectStore
        private let handler: S3Handler

        init() throws {
            let clock = SettableClock(at: WallTime(seconds: 1_767_225_600))
            folder = try LocalFileSystem().makeTemporaryDirectory(prefix: "fuzz-s3")
            store = try DiskObjectStore(
                directory: folder, authorizer: AllowAll(), clock: clock, minimumPartBytes: 1)
            handler = S3Handler(store: store, credentials: OneKey(), clock: clock)
        }

        deinit {
            store.close()
            try? LocalFileSystem().removeTree(folder)
        }

        /// Parses the head as the server does, and has the rest answered.
        func answer(_ input: [UInt8]) throws {
            var parser = RequestParser()
            var offset = 0
            let found = input.withUnsafeBytes { bytes -> RequestHead? in
                while true {
                    switch parser.next(bytes, from: &offset) {
                    case .head(let head): return head
                    case .body, .end: continue
                    case .needsMore, .refused: return nil
                    }
                }
            }
            guard let head = found else { return }
            let request = Request(
                method: head.method, rawPath: head.rawPath, rawQuery: head.rawQuery,
                fields: head.fields, body: HeldBody(Array(input[offset...])), requestID: "fuzz")
            let response = handler.respond(to: request)
            try hold((200...599).contains(response.status), "status \(response.status)")
            try hold(response.status != 500, "a failure of ours: \(text(response))")
            switch response.body {
            case .empty, .bytes: break
            case .stream(_, let stream), .chunked(let stream):
                while let piece = try stream.next(), !piece.isEmpty {}
                stream.close()
            }
        }

        private func text(_ response: Response) -> String {
            guard case .bytes(let bytes) = response.body else { return "" }
            return String(decoding: bytes.prefix(400), as: UTF8.self)
        }
    }

    static func seeds() -> [[UInt8]] {
        let hello = Array("hello".utf8)
        return [
            signed("PUT", "/bucket"), signed("PUT", "/bucket/k", body: hello),
            signed("GET", "/bucket/k"), signed("GET", "/bucket", query: "list-type=2&prefix=a"),
            signed("HEAD", "/bucket/k"), signed("DELETE", "/bucket/k"),
            signed("POST", "/bucket/k", query: "uploads"), signed("GET", "/"),
            signed(
                "POST", "/bucket", query: "delete",
                body: Array("<Delete><Object><Key>a</Key></Object></Delete>".utf8)),
            signed(
                "PUT", "/bucket/k", body: Array("5\r\nhello\r\n0\r\n\r\n".utf8),
                payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                fields: [("x-amz-decoded-content-length", "5")]),
            signed("PUT", "/bucket/c", fields: [("x-amz-copy-source", "/bucket/k")]),
            presigned("GET", "/bucket/k"),
        ]
    }

    private static func signature(_ canonical: String) -> String {
        var key = Array("AWS4\(secret)".utf8)
        for part in scope.split(separator: "/") { key = HMAC.sha256(key: key, String(part)) }
        let text =
            "AWS4-HMAC-SHA256\n\(dateTime)\n\(scope)\n" + hexText(Digest.sha256(canonical))
        return hexText(HMAC.sha256(key: key, text))
    }

    /// `name=value` pairs sorted and complete.
    private static func canonicalQuery(_ query: String) -> String {
        query.split(separator: "&").map { $0.contains("=") ? String($0) : "\($0)=" }.sorted()
            .joined(separator: "&")
    }

    private static func signed(
        _ method: String, _ path: String, query: String = "", body: [UInt8] = [],
        payload: String? = nil, fields extra: [(String, String)] = []
    ) -> [UInt8] {
        let hash = payload ?? hexText(Digest.sha256(body))
        var fields = extra
        fields += [("host", "a"), ("x-amz-date", dateTime), ("x-amz-content-sha256", hash)]
        fields.sort { $0.0 < $1.0 }
        let names = fields.map(\.0).joined(separator: ";")
        let canonical =
            "\(method)\n\(path)\n\(canonicalQuery(query))\n"
            + fields.map { "\($0.0):\($0.1)\n" }.joined() + "\n\(names)\n\(hash)"
        var text = "\(method) \(path)\(query.isEmpty ? "" : "?" + query) HTTP/1.1\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        text += "Authorization: AWS4-HMAC-SHA256 Credential=AK/\(scope), SignedHeaders=\(names), "
        text += "Signature=\(signature(canonical))\r\nContent-Length: \(body.count)\r\n\r\n"
        return Array(text.utf8) + body
    }

    private static func presigned(_ method: String, _ path: String) -> [UInt8] {
        let query =
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(PercentCoding.encode("AK/\(scope)"))"
            + "&X-Amz-Date=\(dateTime)&X-Amz-Expires=600&X-Amz-SignedHeaders=host"
        let canonical = "\(method)\n\(path)\n\(query)\nhost:a\n\nhost\nUNSIGNED-PAYLOAD"
        let head = "\(method) \(path)?\(query)&X-Amz-Signature=\(signature(canonical)) HTTP/1.1"
        return Array((head + "\r\nHost: a\r\n\r\n").utf8)
    }
}

/// A registry that has issued a token.
private final class TokenDesk {
    static let seeds = [
        "@T", "@H.@P.@S", "@H.@P.", "eyJhbGciOiJub25lIn0.@P.",
        "{\"alg\":\"ES256\",\"kid\":\"@K\",\"typ\":\"at+jwt\"}\n"
            + "{\"iss\":\"http://localhost:8080\",\"sub\":\"root\",\"aud\":\"lakehouse\",\"iat\":1767225600,"
            + "\"exp\":1767229200,\"jti\":\"x\",\"preferred_username\":\"root\",\"groups\":[\"admin\"],"
            + "\"scope\":\"\"}\n@S",
    ]

    private let directory: String
    private let registry: IdentityRegistry
    private let context = RequestContext(principal: .anonymous, requestID: "fuzz", door: .api)
    private let issued: String
    private let words: [(String, String)]

    init() throws {
        let clock = SettableClock(at: WallTime(seconds: 1_767_225_600))
        var configuration = IdentityConfiguration()
        configuration.passwordCost = .weak
        configuration.signatureAlgorithm = .es256
        let system = RequestContext(principal: .system, requestID: "setup", door: .cli)
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "fuzz-identity")
        registry = try IdentityRegistry(
            directory: directory, configuration: configuration, clock: clock,
            entropy: SeededEntropy(seed: 1))
        try registry.createAccount(
            system, name: "root", password: "root password", roles: ["admin"])
        let account = try registry.account(system, named: "root")
        let root = Principal(id: account.id, name: account.name, kind: .user)
        issued = try registry.issueToken(context, for: root).accessToken
        let parts = issued.split(separator: ".").map(String.init)
        let head = base64Bytes(parts[0], alphabet: .url) ?? []
        let key = try JSONValue(parsing: head).cursor["kid"].string()
        words = [("@T", issued), ("@H", parts[0]), ("@P", parts[1]), ("@S", parts[2]), ("@K", key)]
    }

    deinit {
        try? registry.close()
        try? LocalFileSystem().removeTree(directory)
    }

    /// Only what was issued is taken.
    func present(_ input: [UInt8]) throws {
        var text = String(decoding: input, as: UTF8.self)
        for (word, value) in words { text = text.replacing(word, with: value) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.count == 3 {
            text =
                lines.prefix(2).map { base64Text(Array($0.utf8), alphabet: .url) }
                .joined(separator: ".") + "." + lines[2]
        }
        let isTaken = try answer { try registry.authenticate(context, bearer: text) } != nil
        try hold(!isTaken || text == issued, "a token that was never issued: \(text)")
    }
}
