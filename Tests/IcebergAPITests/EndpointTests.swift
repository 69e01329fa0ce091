import HTTPMessages
import IcebergAPI
import JSON
import Platform
import Testing

/// Each endpoint against the specification: the path, the answer's status and its members.
struct EndpointTests {
    private static let tables = "silver/namespaces/sales%1Feu/tables"
    private static let views = "silver/namespaces/sales%1Feu/views"
    private static let functions = "silver/namespaces/sales%1Feu/functions"

    private struct Case: Sendable {
        var endpoint: String
        var method: HTTPMessages.Method
        var path: String
        var body = ""
        var query = ""
        var status: Int
        var members: [String] = []
    }

    private static let view = """
        {"name":"v","schema":{"type":"struct","fields":[{"id":1,"name":"id","required":true,"type":"long"}]},
         "view-version":{"version-id":1,"timestamp-ms":1,"schema-id":0,"summary":{},"default-namespace":["sales"],
          "representations":[{"type":"sql","sql":"SELECT 1 AS id","dialect":"trino"},
                             {"type":"sql","sql":"SELECT 1L AS id","dialect":"spark"}]},"properties":{}}
        """

    private static let cases: [Case] = [
        Case(
            endpoint: "", method: .get, path: "config", query: "warehouse=silver", status: 200,
            members: ["defaults", "overrides", "endpoints", "idempotency-key-lifetime"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces", method: .get, path: "silver/namespaces",
            status: 200, members: ["namespaces"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces", method: .post, path: "silver/namespaces",
            body: #"{"namespace":["new"],"properties":{"a":"b"}}"#, status: 200,
            members: ["namespace", "properties"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}", method: .get,
            path: "silver/namespaces/new", status: 200, members: ["namespace", "properties"]),
        Case(
            endpoint: "HEAD /v1/{prefix}/namespaces/{namespace}", method: .head,
            path: "silver/namespaces/new", status: 204),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/properties", method: .post,
            path: "silver/namespaces/new/properties",
            body: #"{"updates":{"x":"y"},"removals":["a","z"]}"#, status: 200,
            members: ["updated", "removed", "missing"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/properties", method: .post,
            path: "silver/namespaces/new/properties",
            body: #"{"updates":{"x":"y"},"removals":["x"]}"#, status: 422, members: ["error"]),
        Case(
            endpoint: "DELETE /v1/{prefix}/namespaces/{namespace}", method: .delete,
            path: "silver/namespaces/new", status: 204),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/tables", method: .get, path: tables,
            status: 200, members: ["identifiers"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables", method: .post,
            path: tables,
            body: """
                {"name":"s","stage-create":true,"schema":{"type":"struct","fields":[
                  {"id":1,"name":"id","required":true,"type":"long"}]}}
                """, status: 200, members: ["metadata", "config", "storage-credentials"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}", method: .get,
            path: tables + "/t", query: "snapshots=refs", status: 200,
            members: ["metadata-location", "metadata", "config", "storage-credentials"]),
        Case(
            endpoint: "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}", method: .head,
            path: tables + "/t", status: 204),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}", method: .post,
            path: tables + "/t",
            body:
                #"{"requirements":[],"updates":[{"action":"set-properties","updates":{"k":"v"}}]}"#,
            status: 200, members: ["metadata-location", "metadata"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials",
            method: .get, path: tables + "/t/credentials", status: 200,
            members: ["storage-credentials"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign", method: .post,
            path: tables + "/t/sign",
            body: """
                {"region":"us-east-1","method":"GET","headers":{"Accept":["*/*"]},
                 "uri":"http://localhost:9000/silver?list-type=2&prefix=LOCATION/"}
                """, status: 200, members: ["uri", "headers"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign", method: .post,
            path: tables + "/t/sign",
            body: """
                {"region":"us-east-1","method":"GET","headers":{},
                 "uri":"http://localhost:9000/silver/elsewhere/x.parquet"}
                """, status: 403, members: ["error"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign", method: .post,
            path: tables + "/t/sign",
            body:
                #"{"region":"r","method":"GET","headers":{},"uri":"http://else.example/silver/x"}"#,
            status: 400, members: ["error"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics",
            method: .post, path: tables + "/t/metrics",
            body: #"{"report-type":"scan-report","snapshot-id":7,"metrics":{}}"#, status: 204),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan", method: .post,
            path: tables + "/t/plan", body: #"{"filter":{"type":"eq","term":"id","value":1}}"#,
            status: 200,
            members: ["status", "plan-id", "file-scan-tasks", "delete-files", "plan-tasks"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan", method: .post,
            path: tables + "/t/plan", body: #"{"filter":{"type":"eq","term":"no","value":1}}"#,
            status: 400, members: ["error"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan", method: .post,
            path: tables + "/t/plan", body: #"{"snapshot-id":5}"#, status: 404, members: ["error"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}",
            method: .get, path: tables + "/t/plan/none", status: 404, members: ["error"]),
        Case(
            endpoint: "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}/plan/{plan-id}",
            method: .delete, path: tables + "/t/plan/none", status: 404, members: ["error"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/tasks",
            method: .post, path: tables + "/t/tasks", body: #"{"plan-task":"none.1"}"#,
            status: 404, members: ["error"]),
        Case(
            endpoint: "POST /v1/{prefix}/transactions/commit", method: .post,
            path: "silver/transactions/commit",
            body: """
                {"table-changes":[{"identifier":{"namespace":["sales","eu"],"name":"t"},"requirements":[],
                  "updates":[{"action":"set-properties","updates":{"k":"w"}}]}]}
                """, status: 204),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/properties", method: .post,
            path: "silver/namespaces/sales%1Feu/properties",
            body: #"{"updates":{"sql.function.f(bigint)":"FUNCTION f(x bigint) RETURNS …"}}"#,
            status: 200, members: ["updated"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/functions", method: .get,
            path: functions, status: 200, members: ["identifiers"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/functions/{function}", method: .get,
            path: functions + "/f", status: 200, members: ["metadata"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/functions/{function}", method: .get,
            path: functions + "/none", status: 404, members: ["error"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/views", method: .get, path: views,
            status: 200, members: ["identifiers"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/views", method: .post, path: views,
            body: view, status: 200, members: ["metadata-location", "metadata"]),
        Case(
            endpoint: "GET /v1/{prefix}/namespaces/{namespace}/views/{view}", method: .get,
            path: views + "/v", status: 200, members: ["metadata-location", "metadata"]),
        Case(
            endpoint: "HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}", method: .head,
            path: views + "/v", status: 204),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/views/{view}", method: .post,
            path: views + "/v",
            body:
                #"{"requirements":[],"updates":[{"action":"set-properties","updates":{"k":"v"}}]}"#,
            status: 200, members: ["metadata-location", "metadata"]),
        Case(
            endpoint: "POST /v1/{prefix}/views/rename", method: .post, path: "silver/views/rename",
            body: """
                {"source":{"namespace":["sales","eu"],"name":"v"},
                 "destination":{"namespace":["sales","eu"],"name":"w"}}
                """, status: 204),
        Case(
            endpoint: "DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}", method: .delete,
            path: views + "/w", status: 204),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/register-view", method: .post,
            path: "silver/namespaces/sales%1Feu/register-view",
            body: #"{"name":"again","metadata-location":"VIEW"}"#, status: 200,
            members: ["metadata-location", "metadata"]),
        Case(
            endpoint: "POST /v1/{prefix}/tables/rename", method: .post,
            path: "silver/tables/rename",
            body: """
                {"source":{"namespace":["sales","eu"],"name":"t"},
                 "destination":{"namespace":["sales","eu"],"name":"u"}}
                """, status: 204),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/unregister",
            method: .post, path: tables + "/u/unregister", status: 200,
            members: ["metadata-location", "metadata"]),
        Case(
            endpoint: "POST /v1/{prefix}/namespaces/{namespace}/register", method: .post,
            path: "silver/namespaces/sales%1Feu/register",
            body: #"{"name":"t","metadata-location":"TABLE"}"#, status: 200,
            members: ["metadata-location", "metadata", "config"]),
        Case(
            endpoint: "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}", method: .delete,
            path: tables + "/t", query: "purgeRequested=true", status: 204),
    ]

    @Test func everyEndpointAnswersAsTheSpecificationSays() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        var places = [
            "LOCATION": try service.json(service.send(.get, Self.tables + "/t"))["metadata"][
                "location"
            ].string().dropFirst("s3://silver/".count).description
        ]
        for item in Self.cases {
            var body = item.body
            for (name, place) in places { body = body.replacing(name, with: place) }
            let response = service.send(item.method, item.path, body, query: item.query)
            #expect(response.status == item.status, "\(item.endpoint)")
            let answer = try service.json(response)
            for member in item.members {
                #expect(answer[member].value != nil, "\(item.endpoint) \(member)")
            }
            if item.status >= 400 {
                #expect(try answer["error"]["code"].int() == item.status, "\(item.endpoint)")
            }
            if let place = try answer["metadata-location"].optionalString() {
                places[item.path.contains("/views") ? "VIEW" : "TABLE"] = place
            }
        }
        // What is advertised is what is tried here, and nothing else.
        let config = try service.json(service.send(.get, "config", query: "warehouse=silver"))
        let advertised = Set(try config["endpoints"].strings())
        #expect(advertised == Set(Self.cases.map(\.endpoint)).subtracting([""]))
    }

    @Test func aRequestWithAKeyHappensOnce() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        let key = [("Idempotency-Key", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F")]
        let other = [("Idempotency-Key", "017f22e2-79b0-7cc3-98c4-dc0c0c073990")]
        let third = [("Idempotency-Key", "017f22e2-79b0-7cc3-98c4-dc0c0c073991")]
        func table(_ name: String) -> String {
            """
            {"name":"\(name)","schema":{"type":"struct","fields":[
              {"id":1,"name":"id","required":true,"type":"long"}]}}
            """
        }
        let first = service.send(.post, Self.tables, table("t"), fields: key)
        let again = service.send(.post, Self.tables, table("t"), fields: key)
        #expect(first.status == 200 && again.status == 200)
        #expect(
            try service.json(first)["metadata"]["table-uuid"].string()
                == service.json(again)["metadata"]["table-uuid"].string())
        // The key stands for that request, and for no other.
        #expect(service.send(.post, Self.tables, table("u"), fields: key).status == 422)
        // Without it, or with a new one, the name is taken; the refusal stays what it was.
        #expect(service.send(.post, Self.tables, table("t"), fields: other).status == 409)
        #expect(service.send(.delete, Self.tables + "/t", fields: third).status == 204)
        #expect(service.send(.delete, Self.tables + "/t", fields: third).status == 204)
        #expect(service.send(.delete, Self.tables + "/t").status == 404)
        #expect(service.send(.post, Self.tables, table("t"), fields: other).status == 409)
        // Another principal's key is another key; one that is no UUID is refused.
        #expect(
            service.send(.post, Self.tables, table("t"), token: "bob", fields: key).status == 200)
        #expect(
            service.send(
                .post, Self.tables, table("t"), fields: [("Idempotency-Key", "x")]
            ).status == 400)
        // A day later it is forgotten.
        service.clock.advance(by: .seconds(25 * 3600))
        #expect(service.send(.delete, Self.tables + "/t", fields: third).status == 204)
        #expect(service.send(.head, Self.tables + "/t").status == 404)
    }

    @Test func aConditionalCommitWithAKeyIsNotALostRace() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        let key = [("Idempotency-Key", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")]
        let body = """
            {"requirements":[{"type":"assert-current-schema-id","current-schema-id":0}],
             "updates":[{"action":"add-schema","schema":{"type":"struct","schema-id":1,"fields":[
               {"id":1,"name":"id","required":true,"type":"long"},
               {"id":2,"name":"more","required":false,"type":"int"}]}},
               {"action":"set-current-schema","schema-id":-1}]}
            """
        #expect(service.send(.post, Self.tables + "/t", body, fields: key).status == 200)
        #expect(service.send(.post, Self.tables + "/t", body, fields: key).status == 200)
        #expect(service.send(.post, Self.tables + "/t", body).status == 409)
    }

    @Test func clientsThatWantTheirRequestsSignedGetNoKeys() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        let answer = try service.json(
            service.send(
                .get, Self.tables + "/t",
                fields: [("X-Iceberg-Access-Delegation", "remote-signing")]))
        #expect(try answer["config"]["s3.remote-signing-enabled"].string() == "true")
        #expect(!answer["config"]["s3.access-key-id"].isPresent)
        #expect(!answer["storage-credentials"].isPresent)
        let location = try answer["metadata"]["location"].string().dropFirst("s3://".count)
        let path = try answer["config"]["signer.endpoint"].string()
        let signed = try service.json(
            service.send(
                .post, String(path.dropFirst("v1/".count)),
                """
                {"region":"us-east-1","method":"PUT","uri":"http://localhost:9000/\(location)/data/a%20b.parquet",
                 "headers":{"content-type":["x"],"User-Agent":["me"],"x-amz-content-sha256":["UNSIGNED-PAYLOAD"]}}
                """))
        let authorization = try signed["headers"]["Authorization"].strings()
        #expect(authorization[0].contains("Credential=K/20260101/us-east-1/s3/aws4_request"))
        #expect(
            authorization[0].contains(
                "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;"
                    + "x-amz-security-token"))
        #expect(try signed["headers"]["Host"].strings() == ["localhost:9000"])
    }

    @Test func protectionAndUndrop() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        func set(_ value: String) {
            _ = service.send(
                .post, Self.tables + "/t",
                """
                {"requirements":[],"updates":[{"action":"set-properties",
                  "updates":{"drop-protection":"\(value)"}}]}
                """)
        }
        set("true")
        let refused = service.send(.delete, Self.tables + "/t")
        #expect(refused.status == 409)
        #expect(try service.json(refused)["error"]["type"].string() == "ProtectedException")
        set("false")
        #expect(service.send(.delete, Self.tables + "/t").status == 204)
    }
}
