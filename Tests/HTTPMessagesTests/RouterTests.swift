import Testing

@testable import HTTPMessages

@Suite("Router")
struct RouterTests {
    private static let router: Router = {
        let names: [(Method, String, String?)] = [
            (.get, "/", nil), (.get, "/v1/info", nil), (.post, "/v1/statement", nil),
            (.get, "/v1/statement/{state}/{id}/{token}", nil), (.get, "/{bucket}", nil),
            (.get, "/{bucket}", "list-type=2"),
            (.get, "/{bucket}", "uploads"), (.get, "/{bucket}/{key+}", nil),
            (.get, "/{bucket}/{key+}", "tagging"),
            (.delete, "/{bucket}/{key+}", nil), (.post, "/{bucket}/{key+}", "uploadId&partNumber"),
        ]
        return Router(
            names.map { method, path, query in
                Route(method, path, query: query) { _, parameters in
                    let values = ["state", "id", "token", "bucket", "key"].compactMap {
                        parameters[$0]
                    }
                    return .text(
                        200, "\(method.rawValue) \(path)\(query.map { "?\($0)" } ?? "") \(values)")
                }
            })
    }()

    private func answer(_ method: Method, _ target: String) -> (Int, String, Fields) {
        let parts = target.split(separator: "?", maxSplits: 1)
        let response = Self.router.respond(
            to: Request(
                method: method, rawPath: String(parts[0]),
                rawQuery: parts.count > 1 ? String(parts[1]) : ""))
        if case .bytes(let bytes) = response.body {
            return (response.status, String(decoding: bytes, as: UTF8.self), response.fields)
        }
        return (response.status, "", response.fields)
    }

    @Test(
        arguments: [
            ("/", "GET / []"), ("/v1/info", "GET /v1/info []"),
            (
                "/v1/statement/queued/q1/t2",
                "GET /v1/statement/{state}/{id}/{token} [\"queued\", \"q1\", \"t2\"]"
            ),
            ("/v1/other", "GET /{bucket}/{key+} [\"v1\", \"other\"]"),
            ("/lake", "GET /{bucket} [\"lake\"]"),
            ("/lake/", "GET /{bucket} [\"lake\"]"),
            ("/lake?list-type=2&prefix=a", "GET /{bucket}?list-type=2 [\"lake\"]"),
            ("/lake?list-type=1", "GET /{bucket} [\"lake\"]"),
            ("/lake?uploads", "GET /{bucket}?uploads [\"lake\"]"),
            ("/lake/a/b%20c/", "GET /{bucket}/{key+} [\"lake\", \"a/b c/\"]"),
            ("/lake//x", "GET /{bucket}/{key+} [\"lake\", \"/x\"]"),
            ("/lake/k?tagging=", "GET /{bucket}/{key+}?tagging [\"lake\", \"k\"]"),
        ])
    func `a request goes to the narrowest route`(target: String, wanted: String) {
        #expect(answer(.get, target).1 == wanted)
    }

    @Test func `other methods get 405 with Allow, unknown paths 404, HEAD the route of GET`() {
        #expect(answer(.put, "/lake/k").0 == 405)
        #expect(answer(.put, "/lake/k").2["Allow"] == "DELETE, GET, HEAD, POST")
        #expect(answer(.head, "/lake/k").0 == 200)
        #expect(answer(.options, "/v1/statement").0 == 204)
        #expect(answer(.post, "/lake/k?uploadId=1").0 == 405)
        #expect(answer(.post, "/lake/k?uploadId=1&partNumber=2").0 == 200)
        #expect(Router([]).respond(to: Request(method: .get, rawPath: "/x")).status == 404)
    }
}
