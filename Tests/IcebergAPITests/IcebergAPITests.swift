import Authority
import Foundation
import HTTPMessages
import IcebergAPI
import JSON
import ObjectStorage
import Platform
import TableCatalog
import Testing

private struct Everybody: Authorizer {
    func decide(_ context: RequestContext, _ action: Action, _ resource: Resource) -> Decision {
        let isMasked = resource.path.last == "masked" && action == .tableSelect
        return Decision(
            isAllowed: context.principal.name != "nobody", reason: "test",
            rowFilter: isMasked ? "region = 'n'" : nil)
    }
}

private struct Names: BearerAuthenticator {
    func principal(forBearerToken token: String) -> Principal? {
        token == "expired" ? nil : Principal(id: token, name: token, kind: .user)
    }
}

private struct Keys: CredentialVendor {
    let lifetimeMilliseconds: Int64 = 60_000
    func credentials(
        _ context: RequestContext, table: [String], locations: [String], own: [String],
        canWrite: Bool
    ) throws -> VendedCredentials {
        VendedCredentials(
            properties: ["s3.access-key-id": "K", "s3.secret-access-key": "S"],
            expiresMilliseconds: 60_000)
    }
}

private final class Bytes: RequestBody {
    private let bytes: [UInt8]
    private let sent = Latch<Bool>()
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var declaredLength: Int64? { Int64(bytes.count) }
    func next() throws(HTTPBodyError) -> [UInt8]? {
        if bytes.isEmpty || sent.current != nil { return nil }
        sent.open(true)
        return bytes
    }
}

/// The service without a socket.
struct Service {
    let catalog: Catalog
    let router: Router
    let clock = SettableClock()
    let folder = NSTemporaryDirectory() + "iceberg-api-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        catalog = try Catalog(
            databasePath: folder + "/catalog.sqlite", store: MemoryObjectStore(buckets: ["silver"]),
            authorizer: Everybody(), clock: clock, entropy: SeededEntropy(seed: 1))
        try catalog.createWarehouse(
            RequestContext(principal: .system, requestID: "r", door: .cli), name: "silver",
            location: "s3://silver")
        var settings = IcebergSettings(
            s3Endpoint: "http://localhost:9000", region: "us-east-1", defaultWarehouse: "silver")
        // A slow machine answers as a quick one does.
        settings.planPatience = .seconds(60)
        let service = IcebergService(
            catalog: catalog, authenticator: Names(), authorizer: Everybody(), vendor: Keys(),
            settings: settings, clock: clock,
            functions: { text in
                if text.hasPrefix("unreadable") { return nil }
                return FunctionText(
                    parameters: [(name: "x", type: "long")], returnType: "long", sql: text,
                    isDeterministic: true, isCalledOnNull: true, comment: nil)
            },
            tokens: { _ in Response(status: 200) })
        router = Router(service.routes)
    }

    func close() {
        catalog.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func send(
        _ method: Method, _ path: String, _ body: String = "", query: String = "",
        token: String? = "ada", fields: [(String, String)] = []
    ) -> Response {
        var all = Fields(fields)
        if let token { all["Authorization"] = "Bearer \(token)" }
        return router.respond(
            to: Request(
                method: method, rawPath: "/iceberg/v1/" + path, rawQuery: query, fields: all,
                body: Bytes(Array(body.utf8))))
    }

    func json(_ response: Response) throws -> JSONCursor {
        guard case .bytes(let bytes) = response.body else { return JSONCursor(nil) }
        return try JSONValue(parsing: bytes).cursor
    }

    func makeTable(_ name: String) -> Response {
        send(
            .post, "silver/namespaces/sales%1Feu/tables",
            """
            {"name":"\(name)","schema":{"type":"struct","fields":[
              {"id":1,"name":"id","required":true,"type":"long"}]}}
            """)
    }

    func makeNamespaces() {
        _ = send(.post, "silver/namespaces", #"{"namespace":["sales"]}"#)
        _ = send(
            .post, "silver/namespaces", #"{"namespace":["sales","eu"],"properties":{"a":"b"}}"#)
    }
}

struct IcebergAPITests {
    @Test func functionsThatCannotBeShownAreNotListed() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        let set = service.send(
            .post, "silver/namespaces/sales%1Feu/properties",
            #"""
            {"updates":{"sql.function.f(bigint)":"FUNCTION f","sql.function.g(bigint)":"unreadable",
              "sql.function.h(bigint)":"unreadable","sql.function.h(double)":"FUNCTION h"}}
            """#)
        #expect(set.status == 200)
        let path = "silver/namespaces/sales%1Feu/functions"
        let listed = try service.json(service.send(.get, path))["identifiers"].elements()
            .map { try $0.strings().last }
        #expect(listed == ["f", "h"])
        for (name, status) in [("f", 200), ("g", 404), ("h", 200)] {
            #expect(service.send(.get, path + "/" + name).status == status)
        }
        let first = try service.json(service.send(.get, path, query: "pageSize=1&pageToken="))
        let token = try first["next-page-token"].string()
        let second = try service.json(
            service.send(.get, path, query: "pageSize=1&pageToken=\(token)"))
        #expect(try second["identifiers"].elements().count == 1)
        #expect(!second["next-page-token"].isPresent)
    }

    @Test func configNamesThePrefixAndTheEndpoints() throws {
        let service = try Service()
        defer { service.close() }
        let config = try service.json(service.send(.get, "config", query: "warehouse=silver"))
        #expect(try config["overrides"]["prefix"].string() == "silver")
        #expect(try config["defaults"]["s3.endpoint"].string() == "http://localhost:9000")
        #expect(
            try config["endpoints"].strings().contains(
                "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"))
        let byPlace = service.send(.get, "config", query: "warehouse=s3%3A%2F%2Fsilver%2F")
        #expect(try service.json(byPlace)["overrides"]["prefix"].string() == "silver")
    }

    @Test func errorsHaveTheSpecificationsNames() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        let table = "silver/namespaces/sales%1Feu/tables/t"
        let cases: [(Response, Int, String)] = [
            (service.send(.get, "config", query: "warehouse=x"), 404, "NoSuchWarehouseException"),
            (service.send(.get, "silver/namespaces/none"), 404, "NoSuchNamespaceException"),
            (service.send(.get, table + "x"), 404, "NoSuchTableException"),
            // As Spark asks for a metadata table.
            (
                service.send(.get, "silver/namespaces/sales%1Feu%1Ft/tables/snapshots"), 404,
                "NoSuchTableException"
            ),
            (
                service.send(.get, "silver/namespaces/sales%1Fno/views/v"), 404,
                "NoSuchViewException"
            ),
            (service.makeTable("T"), 409, "AlreadyExistsException"),
            (service.send(.delete, "silver/namespaces/sales"), 409, "NamespaceNotEmptyException"),
            (service.send(.post, table, "{"), 400, "BadRequestException"),
            (
                service.send(.post, table, #"{"requirements":[],"updates":[{"action":"fly"}]}"#),
                400,
                "BadRequestException"
            ),
            (
                service.send(
                    .post, table, #"{"requirements":[{"type":"assert-moon"}],"updates":[]}"#), 400,
                "BadRequestException"
            ),
            (
                service.send(
                    .post, table,
                    #"{"requirements":[{"type":"assert-current-schema-id","current-schema-id":9}],"updates":[]}"#
                ),
                409, "CommitFailedException"
            ),
            (service.send(.get, table, token: "expired"), 401, "NotAuthorizedException"),
            (service.send(.get, table, token: nil), 401, "NotAuthorizedException"),
            (service.send(.get, table, token: "nobody"), 403, "ForbiddenException"),
        ]
        for (response, status, type) in cases {
            #expect(response.status == status)
            let error = try service.json(response)["error"]
            #expect(try error["type"].string() == type)
            #expect(try error["code"].int() == status)
        }
        #expect(cases[11].0.fields["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
    }

    @Test func loadsAnswer304UntilTheTableOrTheTimeMovesOn() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        let path = "silver/namespaces/sales%1Feu/tables/t"
        func tag(_ query: String = "") -> String? {
            service.send(.get, path, query: query).fields["ETag"]
        }
        func again(_ tag: String?) -> Int {
            service.send(.get, path, fields: [("If-None-Match", tag ?? "")]).status
        }
        let first = tag()
        #expect(first != nil && first != tag("snapshots=refs"))
        #expect(again(first) == 304)
        service.clock.advance(by: .seconds(31))
        #expect(again(first) == 200)
        let second = tag()
        let commit = service.send(
            .post, path,
            #"{"requirements":[],"updates":[{"action":"set-properties","updates":{"a":"1"}}]}"#)
        #expect(commit.status == 200)
        #expect(again(second) == 200)
        #expect(again(commit.fields["ETag"]) == 304)
    }

    @Test func credentialsComeWithATableThatIsSeenWhole() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        _ = service.makeTable("masked")
        let open = try service.json(service.send(.get, "silver/namespaces/sales%1Feu/tables/t"))
        #expect(try open["config"]["s3.access-key-id"].string() == "K")
        #expect(try open["storage-credentials"].elements().count == 1)
        // Who sees only a part of a table is handed neither its metadata nor keys to its files.
        for path in ["masked", "masked/credentials"] {
            let refused = service.send(.get, "silver/namespaces/sales%1Feu/tables/\(path)")
            #expect(refused.status == 403)
            #expect(
                try service.json(refused)["error"]["type"].string() == "ForbiddenException")
        }
    }

    @Test func headsListsRenamesAndDropsWork() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        for name in ["a", "b", "c"] { _ = service.makeTable(name) }
        let tables = "silver/namespaces/sales%1Feu/tables"
        #expect(service.send(.head, tables + "/a").status == 204)
        #expect(service.send(.head, tables + "/z").status == 404)
        #expect(service.send(.head, "silver/namespaces/sales%1Feu").status == 204)
        let page = try service.json(service.send(.get, tables, query: "pageToken=&pageSize=2"))
        #expect(try page["identifiers"].elements().map { try $0["name"].string() } == ["a", "b"])
        let token = try page["next-page-token"].string()
        let rest = try service.json(
            service.send(.get, tables, query: "pageSize=2&pageToken=\(token)"))
        #expect(try rest["identifiers"].elements().count == 1)
        #expect(!rest["next-page-token"].isPresent)
        let renamed = service.send(
            .post, "silver/tables/rename",
            #"{"source":{"namespace":["sales","eu"],"name":"a"},"destination":{"namespace":["sales"],"name":"q"}}"#
        )
        #expect(renamed.status == 204)
        #expect(service.send(.head, "silver/namespaces/sales/tables/q").status == 204)
        #expect(service.send(.delete, tables + "/b", query: "purgeRequested=true").status == 204)
        #expect(
            service.send(.post, tables + "/c/metrics", #"{"report-type":"scan-report"}"#).status
                == 204)
        #expect(service.send(.post, "oauth/tokens", token: nil).status == 200)
    }
}
