import Authority
import Bytes
import Cryptography
import HTTPMessages
import Identity
import IdentityAPI
import JSON
import Platform

/// A body that is there already.
private final class FixedBody: RequestBody {
    private let bytes: [UInt8]
    nonisolated(unsafe) private var isRead = false  // Safe because one test reads it on one thread.
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var declaredLength: Int64? { Int64(bytes.count) }
    func next() throws(HTTPBodyError) -> [UInt8]? {
        defer { isRead = true }
        return isRead || bytes.isEmpty ? nil : bytes
    }
}

/// The endpoints over a registry in a directory of its own.
final class Server: Sendable {
    let directory: String
    let clock = SettableClock()
    let registry: IdentityRegistry
    let endpoints: IdentityEndpoints
    private let router: Router
    let system = RequestContext(principal: .system, requestID: "setup", door: .cli)

    init() throws {
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "identityapi")
        var configuration = IdentityConfiguration()
        configuration.passwordCost = .weak
        configuration.signatureAlgorithm = .es256
        registry = try IdentityRegistry(
            directory: directory, configuration: configuration, clock: clock,
            entropy: SeededEntropy(seed: 7))
        endpoints = IdentityEndpoints(
            registry: registry,
            rules: BrowserRules(
                publicURL: "http://localhost:8080", allowedHosts: ["lake.example.org"]),
            publicURL: "http://localhost:8080")
        router = Router(endpoints.routes)
        try registry.createAccount(
            system, name: "root", email: "root@example.org", password: "root password",
            roles: ["admin"])
        try registry.createAccount(system, name: "ana", password: "ana's password")
    }

    deinit {
        try? registry.close()
        try? LocalFileSystem().removeTree(directory)
    }

    func send(
        _ method: Method, _ target: String, _ fields: [(String, String)] = [], body: String = ""
    ) -> Response {
        let halves = target.split(separator: "?", maxSplits: 1).map(String.init)
        var all = Fields(fields)
        if all["Host"] == nil { all["Host"] = "localhost:8080" }
        return router.respond(
            to: Request(
                method: method, rawPath: halves[0], rawQuery: halves.count > 1 ? halves[1] : "",
                fields: all, body: FixedBody(Array(body.utf8)), requestID: "r1"))
    }

    func form(
        _ target: String, _ items: [(String, String)], _ fields: [(String, String)] = []
    ) -> Response {
        let body = items.map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        return send(
            .post, target, fields + [("Content-Type", "application/x-www-form-urlencoded")],
            body: body)
    }

    /// Logs in as a browser does; the cookie's pair.
    func logIn(_ name: String = "root", _ password: String = "root password") -> String? {
        let response = form(
            "/login", [("name", name), ("password", password)],
            [("Origin", "http://localhost:8080")])
        return response.fields["Set-Cookie"].map {
            String($0.split(separator: ";")[0])
        }
    }

    func csrf(_ cookie: String) -> String {
        registry.csrfToken(cookie: String(cookie.split(separator: "=", maxSplits: 1)[1]))
    }

    func bearer(_ name: String) throws -> [(String, String)] {
        let account = try registry.account(system, named: name)
        let token = try registry.issueToken(
            system, for: Principal(id: account.id, name: name, kind: .user)
        ).accessToken
        return [("Authorization", "Bearer \(token)")]
    }
}

extension Response {
    var text: String {
        if case .bytes(let bytes) = body { String(decoding: bytes, as: UTF8.self) } else { "" }
    }

    var json: JSONCursor {
        JSONCursor(try? JSONValue(parsing: text))
    }

    /// The items of the query of the place that it redirects to.
    var redirectItems: QueryItems {
        let parts = (fields["Location"] ?? "").split(separator: "?", maxSplits: 1)
        return parts.count == 2 ? QueryItems(parsing: parts[1]) ?? QueryItems() : QueryItems()
    }
}
