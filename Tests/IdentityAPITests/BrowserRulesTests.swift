import Authority
import HTTPMessages
import Identity
import IdentityAPI
import JSON
import Testing

struct BrowserRulesTests {
    private let rules = BrowserRules(
        publicURL: "https://lake.example.org:8443", allowedHosts: ["Data.Example"])

    private func request(_ fields: [(String, String)]) -> Request {
        Request(method: .post, rawPath: "/", fields: Fields(fields))
    }

    @Test(arguments: [
        ("localhost:8080", true), ("LOCALHOST", true), ("127.0.0.1:1", true), ("[::1]:8080", true),
        ("b.s3.localhost", true), ("lake.example.org:8443", true), ("data.example", true),
        ("evil.example", false), ("localhost.evil.example", false), ("127.0.0.1.nip.io", false),
        ("evillocalhost", false), ("", false), ("192.168.0.7", false),
    ])
    func `only our own names are answered`(_ host: String, _ isAllowed: Bool) {
        #expect(rules.isAllowedHost(request([("Host", host)])) == isAllowed)
        #expect((rules.hostRefusal(request([("Host", host)]))?.status == 421) == !isAllowed)
    }

    @Test(arguments: [
        ([("Origin", "http://localhost:8080")], true),
        ([("Origin", "http://localhost:9999")], false),
        ([("Origin", "https://evil.example")], false), ([("Origin", "null")], false),
        ([("Origin", "http://localhost:8080.evil.example")], false),
        ([("Origin", "http://localhost:8080@evil.example")], false),
        ([("Sec-Fetch-Site", "same-origin")], true), ([("Sec-Fetch-Site", "cross-site")], false),
        ([("Sec-Fetch-Site", "same-site")], false),
        ([("Referer", "http://localhost:8080/page?x")], true),
        ([("Referer", "http://evil.example/http://localhost:8080/")], false), ([], false),
    ])
    func `a write comes from our own origin`(_ fields: [(String, String)], _ isSame: Bool) {
        #expect(rules.isSameOrigin(request([("Host", "localhost:8080")] + fields)) == isSame)
    }

    @Test func `a write carries the session's token`() {
        let sound = request([("Host", "localhost"), ("Origin", "http://localhost")])
        #expect(rules.writeRefusal(sound, token: "t", expected: "t") == nil)
        #expect(rules.writeRefusal(sound, token: "u", expected: "t")?.status == 403)
        #expect(rules.writeRefusal(sound, token: nil, expected: "t")?.status == 403)
    }

    @Test func `the cookie is closed to scripts and named by port`() {
        let sent = request([("Host", "localhost:8081")])
        let response = rules.openingSession(.noContent, sent, cookie: "c", lifetimeSeconds: 9)
        #expect(
            response.fields["Set-Cookie"]
                == "lakehouse_session_8081=c; Path=/; SameSite=Lax; Max-Age=9; HttpOnly")
        let other = request([("Host", "localhost:8080"), ("Cookie", "lakehouse_session_8081=c")])
        #expect(rules.sessionCookie(other) == nil)
        let closed = rules.closingSession(.noContent, sent).fields["Set-Cookie"]
        #expect(closed?.contains("Max-Age=0") == true)
    }

    @Test func `pages forbid inline script and frames`() {
        let policy = rules.secured(.noContent).fields["Content-Security-Policy"] ?? ""
        #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"))
        #expect(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
    }

    @Test(arguments: [
        ("/sql?x=1", "/sql?x=1"), ("//evil.example", "/"), ("https://evil.example", "/"),
        ("/\\evil.example", "/"), ("/a\r\nSet-Cookie: x", "/"), (nil, "/"), ("", "/"),
    ])
    func `after logging in one stays here`(_ path: String?, _ target: String) {
        #expect(BrowserRules.localPath(path) == target)
    }
}

struct LoginTests {
    @Test func `a browser logs in, works and logs out`() throws {
        let server = try Server()
        let page = server.send(.get, "/login?next=/sql")
        #expect(page.status == 200 && page.text.contains("value=\"/sql\""))
        #expect(!page.text.contains("<script") && !page.text.contains("style="))
        let cookie = try #require(server.logIn())
        #expect(server.send(.get, "/api/v1/users", [("Cookie", cookie)]).status == 200)
        let home = [("Cookie", cookie), ("Origin", "http://localhost:8080")]
        let out = server.form("/logout", [("csrf", server.csrf(cookie))], home)
        #expect(out.status == 303 && out.fields["Location"] == "/login")
        #expect(server.send(.get, "/api/v1/users", [("Cookie", cookie)]).status == 401)
    }

    @Test func `a wrong password shows the form again, then waits`() throws {
        let server = try Server()
        let origin = [("Origin", "http://localhost:8080")]
        func attempt() -> Response {
            server.form("/login", [("name", "<root>"), ("password", "wrong one")], origin)
        }
        let first = attempt()
        #expect(first.status == 401 && first.fields["Set-Cookie"] == nil)
        #expect(first.text.contains("&lt;root&gt;") && !first.text.contains("<root>"))
        for _ in 0..<4 { #expect(attempt().status == 401) }
        let late = attempt()
        #expect(late.status == 429 && late.fields["Retry-After"] == "1")
    }

    @Test func `another site can neither log in nor write`() throws {
        let server = try Server()
        let evil = [("Origin", "https://evil.example")]
        let login = server.form(
            "/login", [("name", "root"), ("password", "root password")], evil)
        #expect(login.status == 403 && login.fields["Set-Cookie"] == nil)
        let cookie = try #require(server.logIn())
        let token = ("X-CSRF-Token", server.csrf(cookie))
        func create(_ fields: [(String, String)]) -> Int {
            server.send(
                .post, "/api/v1/groups", fields + [("Cookie", cookie)], body: "{\"name\":\"g\"}"
            ).status
        }
        #expect(create(evil + [token]) == 403)
        #expect(create([("Origin", "http://localhost:8080")]) == 403)
        #expect(
            create([("Origin", "http://evil.example"), ("Host", "evil.example"), token]) == 401)
        #expect(create([("Origin", "http://localhost:8080"), token]) == 201)
    }

    @Test func `a rebound name gets nothing`() throws {
        let server = try Server()
        let response = server.send(.get, "/login", [("Host", "rebind.example:8080")])
        #expect(response.status == 421)
    }

    @Test func `a login link opens a session once`() throws {
        let server = try Server()
        let made = server.send(.post, "/api/v1/users/ana/login-link", try server.bearer("root"))
        let url = try made.json["url"].string()
        let path = String(url.dropFirst("http://localhost:8080".utf8.count))
        let first = server.send(.get, path)
        #expect(first.status == 303 && first.fields["Set-Cookie"] != nil)
        let second = server.send(.get, path)
        #expect(second.status == 401 && second.fields["Set-Cookie"] == nil)
    }
}

struct AdministrationTests {
    @Test func `people, groups, roles, clients and keys are kept by REST`() throws {
        let server = try Server()
        let root = try server.bearer("root")
        func call(_ method: Method, _ path: String, _ body: String = "") -> Response {
            server.send(method, "/api/v1/" + path, root, body: body)
        }
        #expect(call(.post, "users", "{\"name\":\"bo\",\"roles\":[\"viewer\"]}").status == 201)
        #expect(call(.post, "users", "{\"name\":\"bo\"}").status == 409)
        #expect(call(.patch, "users/bo", "{\"displayName\":\"Bo\"}").status == 200)
        #expect(try call(.get, "users/bo").json["displayName"].string() == "Bo")
        #expect(call(.post, "groups", "{\"name\":\"risk\"}").status == 201)
        #expect(call(.put, "groups/risk/members/bo").status == 204)
        #expect(call(.put, "groups/risk/roles/steward").status == 204)
        let role =
            "{\"name\":\"r\",\"grants\":[{\"actions\":[\"table.*\"],\"resource\":\"table:a/**\"}]}"
        let made = call(.post, "roles", role)
        #expect(made.status == 201)
        let grant = try made.json["grants"].elements()[0]["id"].string()
        #expect(call(.delete, "roles/r/grants/\(grant)").status == 204)
        #expect(call(.put, "users/bo/roles/r").status == 204)
        #expect(try call(.get, "grants").json["items"].elements().count == 6)
        let key = call(.post, "keys", "{\"user\":\"etl\",\"createUser\":true}")
        #expect(key.status == 201)
        let id = try key.json["accessKeyId"].string()
        #expect(try !key.json["secretAccessKey"].string().isEmpty)
        #expect(!call(.get, "keys").text.contains("secretAccessKey"))
        #expect(call(.post, "keys/\(id)/rotate").status == 200)
        #expect(call(.delete, "keys/\(id)").status == 204)
        let client = call(
            .post, "clients",
            "{\"name\":\"t\",\"kind\":\"public\",\"redirectURIs\":[\"https://t.example/cb\"]}")
        #expect(client.status == 201 && client.json["clientSecret"].value?.isNull == true)
        #expect(call(.delete, "users/bo").status == 204)
        #expect(call(.get, "users/bo").status == 404)
    }

    @Test func `bad bodies, wrong kinds and small roles are refused`() throws {
        let server = try Server()
        let root = try server.bearer("root")
        for (body, code) in [
            ("{", "json.syntax"), ("{}", "json.wrong_type"), ("[]", "json.wrong_type"),
            ("{\"name\":\"a b\"}", "identity.invalid_name"),
        ] {
            let response = server.send(.post, "/api/v1/users", root, body: body)
            #expect(response.status == 400)
            let found = try response.json["error"]["code"].string()
            #expect(found == code || found == "json.missing_member")
        }
        let denied = server.send(.get, "/api/v1/users", try server.bearer("ana"))
        #expect(denied.status == 403)
        #expect(try denied.json["error"]["code"].string() == "authority.access_denied")
    }
}
