import AgentAPI
import Authority
import HTTPMessages
import JSON
import Platform
import Testing

private struct OneAgent: AgentAuthenticator {
    func refusal(_ request: Request) -> Response? {
        request.fields["Origin"] == "http://evil.example" ? .text(403, "another site\n") : nil
    }

    func context(_ request: Request, bearerToken: String) -> RequestContext? {
        guard bearerToken == "anna" || bearerToken == "bob" else { return nil }
        return RequestContext(
            principal: Principal(id: bearerToken, name: bearerToken, kind: .user),
            requestID: request.requestID, door: .mcp)
    }
}

private struct CannedSQL: AgentSQL {
    func run(
        _ context: RequestContext, _ sql: String, catalog: String?, schema: String?,
        limits: AgentLimits
    ) throws -> AgentRows {
        AgentRows(
            columns: [("who", "varchar")],
            rows: [[.string(context.principal.name)], [.string(sql)]],
            isTruncated: limits.rows < 3, queryID: "q1")
    }
}

private struct CannedAsk: AgentAsk {
    func ask(
        _ context: RequestContext, question: String, previous: JSONValue?, frame: JSONValue?
    ) throws -> JSONValue {
        .object([
            ("reading", .string(question)), ("previous", previous ?? .null),
            ("chosen", frame ?? .null),
        ])
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

/// The door without a socket.
private struct Door {
    let router: Router

    init(asks: Bool = false) {
        router = Router(
            AgentEndpoint(
                AgentDoors(
                    authenticator: OneAgent(), sql: CannedSQL(), ask: asks ? CannedAsk() : nil,
                    publicURL: { "http://lake.example" }, issuer: "http://lake.example/oidc",
                    version: "1", clock: SettableClock(), entropy: SeededEntropy(seed: 1))
            ).routes)
    }

    func send(
        _ body: String, method: Method = .post, path: String = "/mcp", token: String? = "anna",
        _ fields: [(String, String)] = []
    ) -> (status: Int, body: JSONCursor, fields: Fields) {
        var all = [("Content-Type", "application/json"), ("Host", "localhost")] + fields
        if let token { all.append(("Authorization", "Bearer \(token)")) }
        let request = Request(
            method: method, rawPath: path, rawQuery: "", fields: Fields(all),
            body: Bytes(Array(body.utf8)), isSecure: false, remoteAddress: "127.0.0.1",
            requestID: "r1")
        let response = router.respond(to: request)
        var bytes: [UInt8] = []
        if case .bytes(let found) = response.body { bytes = found }
        return (
            response.status, JSONCursor(try? JSONValue(parsing: bytes)), response.fields
        )
    }

    /// A request of an open session.
    func call(_ session: String, _ method: String, _ parameters: String = "{}")
        -> (status: Int, body: JSONCursor, fields: Fields)
    {
        send(
            #"{"jsonrpc":"2.0","id":7,"method":"\#(method)","params":\#(parameters)}"#,
            [("Mcp-Session-Id", session)])
    }

    func session() throws -> String {
        let answer = send(
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#
        )
        return try #require(answer.fields["Mcp-Session-Id"])
    }
}

private let meta =
    #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#

struct AgentAPITests {
    @Test func whoHasNoTokenIsToldWhereToGetOne() throws {
        let door = Door()
        let answer = door.send("{}", token: nil)
        #expect(answer.status == 401)
        let challenge = try #require(answer.fields["WWW-Authenticate"])
        #expect(challenge.contains("/.well-known/oauth-protected-resource/mcp"))
        #expect(
            door.send("{}", token: "stale").fields["WWW-Authenticate"]?.contains("invalid_token")
                == true)
        let document = door.send(
            "", method: .get, path: "/.well-known/oauth-protected-resource/mcp", token: nil)
        #expect(document.status == 200)
        #expect(try document.body["resource"].string() == "http://lake.example/mcp")
        #expect(
            try document.body["authorization_servers"].strings() == ["http://lake.example/oidc"])
    }

    @Test func anotherSitesPageIsRefused() {
        #expect(Door().send("{}", [("Origin", "http://evil.example")]).status == 403)
    }

    @Test(arguments: [
        ("{", 400, -32700), ("[]", 400, -32600), (#"{"id":1,"method":"ping"}"#, 400, -32600),
        (#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, 400, -32600),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, 400, -32600),
    ])
    func malformedMessagesAreNamed(_ body: String, _ status: Int, _ code: Int64) throws {
        let answer = Door().send(body)
        #expect(answer.status == status)
        #expect(try answer.body["error"]["code"].int64() == code)
    }

    @Test func aSessionBelongsToItsAccount() throws {
        let door = Door()
        let session = try door.session()
        #expect(door.call(session, "ping").status == 200)
        let stolen = door.send(
            #"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, token: "bob",
            [("Mcp-Session-Id", session)])
        #expect(stolen.status == 404)
        #expect(
            door.send("", method: .delete, token: "bob", [("Mcp-Session-Id", session)]).status
                == 404)
        #expect(door.send("", method: .delete, [("Mcp-Session-Id", session)]).status == 204)
        #expect(door.call(session, "ping").status == 404)
    }

    @Test func toolsAreListedByWhatIsSupplied() throws {
        func names(_ door: Door) throws -> [String] {
            try door.call(door.session(), "tools/list").body["result"]["tools"].elements().map {
                try $0["name"].string()
            }
        }
        let plain = ["list_catalogs", "list_tables", "describe_table", "query"]
        #expect(try names(Door()) == plain)
        #expect(try names(Door(asks: true)) == plain + ["ask"])
    }

    @Test func aQuestionGoesOnFromAFrame() throws {
        let door = Door(asks: true)
        let session = try door.session()
        func ask(_ arguments: String) -> JSONCursor {
            let answer = door.call(
                session, "tools/call", "{\"name\":\"ask\",\"arguments\":\(arguments)}")
            return answer.body["result"]
        }
        let first = ask(#"{"question":"revenue?","frame":{"model":"m"}}"#)["structuredContent"]
        #expect(try first["reading"].string() == "revenue?")
        #expect(try first["chosen"]["model"].string() == "m")
        #expect(first["previous"].isPresent == false || first["previous"].value == .null)
        let next = ask(#"{"question":"and before?","previous":{"model":"m"}}"#)
        #expect(try next["structuredContent"]["previous"]["model"].string() == "m")
        let wrong = ask(#"{"question":"and before?","previous":"the last one"}"#)
        #expect(try wrong["isError"].bool())
        let words = try wrong["content"].elements()[0]["text"].string()
        #expect(words.hasPrefix("agent.bad_argument"))
    }

    @Test func queriesRunAsTheCaller() throws {
        let door = Door()
        let answer = try door.call(
            door.session(), "tools/call",
            #"{"name":"query","arguments":{"sql":"SELECT 1","limit":2}}"#)
        let result = answer.body["result"]
        #expect(try result["isError"].bool() == false)
        #expect(try result["structuredContent"]["rows"].elements()[0].strings() == ["anna"])
        #expect(try result["structuredContent"]["isTruncated"].bool())
    }

    @Test(arguments: [
        "INSERT INTO t VALUES 1", "DELETE FROM t", "UPDATE t SET a = 1", "TRUNCATE TABLE t",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "CREATE TABLE t (a integer)",
        "CREATE TABLE t AS SELECT 1 AS a", "DROP TABLE t", "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN ANALYZE VERBOSE INSERT INTO t VALUES 1",
        "EXPLAIN ANALYZE EXPLAIN ANALYZE DROP TABLE t",
        "EXPLAIN EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN CALL system.runtime.kill_query('x')",
        "WITH x AS (DELETE FROM t) SELECT * FROM x", "PREPARE p FROM DELETE FROM t", "EXECUTE p",
        "EXECUTE IMMEDIATE 'DELETE FROM t'", "CALL system.runtime.kill_query('x')",
        "GRANT SELECT ON t TO USER anna", "SET SESSION query_max_run_time = '1h'", "USE a.b",
        "CREATE MASK m ON t.a FOR ALL AS ('x')", "DROP ROW FILTER f",
        "ALTER TABLE t SET TAGS ('PII')", "COMMENT ON TABLE t IS 'x'", "SELECT 1; DROP TABLE t",
        "START TRANSACTION", "/* SELECT */ DROP TABLE t", "VALUES 1; DELETE FROM t",
    ])
    func writesAreRefusedByTheirTree(_ sql: String) throws {
        let door = Door()
        let arguments = JSONValue.object([("sql", .string(sql))]).encodedText()
        let answer = try door.call(
            door.session(), "tools/call", #"{"name":"query","arguments":\#(arguments)}"#)
        #expect(try answer.body["result"]["isError"].bool())
        let words = try answer.body["result"]["content"].elements()[0]["text"].string()
        #expect(words.hasPrefix("agent.read_only") || words.hasPrefix("agent.syntax_error"))
    }

    @Test(arguments: [
        "SELECT 'DROP TABLE t'", "WITH x AS (SELECT 1 AS delete_me) SELECT * FROM x", "TABLE t",
        "VALUES 1", "SHOW TABLES", "DESCRIBE t", "SHOW MODELS", "SHOW MODELS FROM a.b",
        "SHOW CHECKS",
        "DESCRIBE MODEL a.b.c@2", "EXPLAIN DELETE FROM t",
        "EXPLAIN ANALYZE SELECT 1",
        "SHOW EFFECTIVE ACCESS ON t", "(SELECT 1) UNION ALL SELECT 2",
    ])
    func readingPasses(_ sql: String) throws {
        let door = Door()
        let arguments = JSONValue.object([("sql", .string(sql))]).encodedText()
        let answer = try door.call(
            door.session(), "tools/call", #"{"name":"query","arguments":\#(arguments)}"#)
        #expect(try answer.body["result"]["isError"].bool() == false)
    }

    @Test func aModernRequestStandsAlone() throws {
        let door = Door()
        let answer = door.send(
            #"{"jsonrpc":"2.0","id":"a","method":"server/discover","params":{\#(meta)}}"#,
            [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "server/discover")])
        #expect(answer.status == 200)
        #expect(try answer.body["result"]["supportedVersions"].strings().contains("2026-07-28"))
        #expect(try answer.body["result"]["resultType"].string() == "complete")
        #expect(answer.fields["Mcp-Session-Id"] == nil)
    }

    @Test(arguments: [
        ("tools/list", "Mcp-Method", "tools/call"),
        ("tools/list", "MCP-Protocol-Version", "2025-11-25"),
    ])
    func fieldsThatDifferFromTheBodyAreRefused(
        _ method: String, _ field: String, _ value: String
    ) throws {
        var fields = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)]
        fields = fields.map { $0.0 == field ? (field, value) : $0 }
        let answer = Door().send(
            #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{\#(meta)}}"#, fields)
        #expect(answer.status == 400)
        #expect(try answer.body["error"]["code"].int64() == -32020)
    }

    @Test func aVersionFromTheFutureIsToldWhatIsSpoken() throws {
        let answer = Door().send(
            #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
            [("MCP-Protocol-Version", "2030-01-01"), ("Mcp-Method", "tools/list")])
        #expect(answer.status == 400)
        #expect(try answer.body["error"]["code"].int64() == -32022)
        #expect(try answer.body["error"]["data"]["supported"].strings().contains("2026-07-28"))
    }
}
