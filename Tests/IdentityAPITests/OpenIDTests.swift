import Authority
import Bytes
import Cryptography
import HTTPMessages
import Identity
import JSON
import Platform
import Testing

struct OpenIDTests {
    private let verifier = "dBjftJeZ4CVP-mBDIWrPEpFMaxZ7t0PnYPJKqZF8sVE"
    private var challenge: String { base64Text(Digest.sha256(verifier), alphabet: .url) }

    private func publicClient(_ server: Server) throws {
        _ = try server.registry.ensureClient(
            server.system, id: "tool", name: "tool", kind: .public,
            redirectURIs: ["http://127.0.0.1/cb", "https://tool.example/cb"])
    }

    private func authorizePath(_ changes: [String: String?] = [:]) -> String {
        var items: [String: String] = [
            "response_type": "code", "client_id": "tool",
            "redirect_uri": "http://127.0.0.1:5123/cb",
            "scope": "openid groups", "state": "s t", "nonce": "n1", "code_challenge": challenge,
            "code_challenge_method": "S256",
        ]
        for (name, value) in changes { items[name] = value }
        return "/oidc/authorize?"
            + items.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(PercentCoding.encode($0.value))" }.joined(separator: "&")
    }

    @Test func `discovery names every endpoint under the configured issuer`() throws {
        let server = try Server()
        let found = server.send(
            .get, "/oidc/.well-known/openid-configuration", [("Host", "lake.example.org")]
        ).json
        #expect(try found["issuer"].string() == "http://localhost:8080/oidc")
        #expect(try found["token_endpoint"].string() == "http://localhost:8080/oidc/token")
        #expect(try found["code_challenge_methods_supported"].strings() == ["S256"])
        let keys = try server.send(.get, "/oidc/jwks").json["keys"].elements()
        #expect(try keys.count == 1 && keys[0]["use"].string() == "sig")
        #expect(!keys[0]["d"].isPresent)
    }

    @Test func `a person logs in and the tool gets its tokens`() throws {
        let server = try Server()
        try publicClient(server)
        let first = server.send(.get, authorizePath())
        #expect(first.status == 303)
        let login = try #require(first.fields["Location"])
        #expect(login.hasPrefix("/login?next=%2Foidc%2Fauthorize%3F"))
        let page = server.send(.get, login)
        #expect(
            page.fields["Content-Security-Policy"]?.hasSuffix(
                "form-action 'self' http://127.0.0.1:5123") == true)
        let cookie = try #require(server.logIn())
        let second = server.send(.get, authorizePath(), [("Cookie", cookie)])
        let items = second.redirectItems
        #expect(second.fields["Location"]?.hasPrefix("http://127.0.0.1:5123/cb?code=") == true)
        #expect(items["state"] == "s t" && items["iss"] == "http://localhost:8080/oidc")
        let code = try #require(items["code"])
        func redeem() -> Response {
            server.form(
                "/oidc/token",
                [
                    ("grant_type", "authorization_code"), ("code", code), ("client_id", "tool"),
                    ("redirect_uri", "http://127.0.0.1:5123/cb"), ("code_verifier", verifier),
                ])
        }
        let tokens = redeem()
        #expect(tokens.status == 200 && tokens.fields["Cache-Control"] == "no-store")
        let access = try tokens.json["access_token"].string()
        #expect(try tokens.json["expires_in"].int64() == 3600)
        let idToken = try tokens.json["id_token"].string().split(separator: ".")
        let claims = try JSONValue(
            parsing: #require(base64Bytes(idToken[1], alphabet: .url))
        ).cursor
        #expect(try claims["nonce"].string() == "n1" && claims["aud"].string() == "tool")
        let info = server.send(.get, "/oidc/userinfo", [("Authorization", "Bearer \(access)")])
        #expect(try info.json["preferred_username"].string() == "root")
        #expect(try info.json["email"].string() == "root@example.org")
        let again = redeem()
        #expect(again.status == 400)
        #expect(try again.json["error"].string() == "invalid_grant")
    }

    @Test func `requests that cannot be answered safely are not redirected`() throws {
        let server = try Server()
        try publicClient(server)
        let cookie = [("Cookie", try #require(server.logIn()))]
        for changes: [String: String?] in [
            ["client_id": "nobody"], ["redirect_uri": "https://evil.example/cb"],
            ["redirect_uri": nil], ["redirect_uri": "http://127.0.0.1:1/other"],
            ["redirect_uri": "http://127.0.0.1:5@evil.example/cb"],
        ] {
            let response = server.send(.get, authorizePath(changes), cookie)
            #expect(response.status == 400 && response.fields["Location"] == nil, "\(changes)")
        }
        for (changes, error) in [
            (["code_challenge": nil], "invalid_request"),
            (["code_challenge_method": "plain"], "invalid_request"),
            (["response_type": "token"], "unsupported_response_type"),
        ] as [([String: String?], String)] {
            let response = server.send(.get, authorizePath(changes), cookie)
            #expect(response.redirectItems["error"] == error)
        }
        let silent = server.send(.get, authorizePath(["prompt": "none"]))
        #expect(silent.redirectItems["error"] == "login_required")
    }

    @Test func `client credentials give a token by form and by Basic`() throws {
        let server = try Server()
        let made = try server.registry.createApplicationCredential(
            server.system, account: "ana", tool: "pyiceberg")
        let secret = try #require(made.secret)
        let grant = [("grant_type", "client_credentials"), ("scope", "catalog")]
        let byForm = server.form(
            "/oidc/token", grant + [("client_id", made.client.id), ("client_secret", secret)])
        #expect(byForm.status == 200)
        let basic = base64Text(Array("\(made.client.id):\(secret)".utf8))
        let byBasic = server.form("/oidc/token", grant, [("Authorization", "Basic \(basic)")])
        let token = try byBasic.json["access_token"].string()
        let context = RequestContext(principal: .anonymous, requestID: "r", door: .catalog)
        #expect(try server.registry.authenticate(context, bearer: token).principal.name == "ana")
        let wrong = server.form(
            "/oidc/token", grant + [("client_id", made.client.id), ("client_secret", "no")])
        #expect(wrong.status == 401 && wrong.fields["WWW-Authenticate"] != nil)
        #expect(try wrong.json["error"].string() == "invalid_client")
        let exchanged = server.form(
            "/oidc/token",
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", token),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ])
        #expect(exchanged.status == 200)
        try server.registry.setClient(server.system, made.client.id, isDisabled: true)
        let late = server.form(
            "/oidc/token",
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", token),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ])
        #expect(try late.json["error"].string() == "invalid_grant")
    }

    @Test func `the password grant is for marked clients only`() throws {
        let server = try Server()
        try publicClient(server)
        _ = try server.registry.ensureClient(
            server.system, id: "old", name: "old", kind: .public, grantTypes: [.password])
        func ask(_ client: String) -> Response {
            server.form(
                "/oidc/token",
                [
                    ("grant_type", "password"), ("client_id", client), ("username", "ana"),
                    ("password", "ana's password"),
                ])
        }
        #expect(try ask("tool").json["error"].string() == "unauthorized_client")
        #expect(ask("old").status == 200)
    }

    @Test func `malformed token requests say what is wrong`() throws {
        let server = try Server()
        let type = [("Content-Type", "application/x-www-form-urlencoded")]
        for (body, error) in [
            ("", "invalid_request"), ("grant_type=magic", "unsupported_grant_type"),
            ("grant_type=password&grant_type=password", "invalid_request"),
            ("grant_type=refresh_token", "invalid_client"), ("%zz", "invalid_request"),
        ] {
            let response = server.send(.post, "/oidc/token", type, body: body)
            #expect(try response.json["error"].string() == error, "\(body)")
        }
        let json = server.send(
            .post, "/oidc/token", [("Content-Type", "application/json")], body: "{}")
        #expect(json.status == 400)
    }

    @Test func `an expired and a wrong token are refused with a challenge`() throws {
        let server = try Server()
        let fields = try server.bearer("root")
        #expect(server.send(.get, "/api/v1/users", fields).status == 200)
        server.clock.advance(by: .seconds(3600))
        for fields in [fields, [("Authorization", "Bearer x.y.z")]] {
            for path in ["/api/v1/users", "/oidc/userinfo"] {
                let response = server.send(.get, path, fields)
                #expect(response.status == 401)
                #expect(
                    response.fields["WWW-Authenticate"]?.contains("error=\"invalid_token\"") == true
                )
            }
        }
        #expect(server.send(.get, "/api/v1/users").status == 401)
    }

    @Test func `introspection and revocation ask for the client`() throws {
        let server = try Server()
        let made = try server.registry.ensureClient(
            server.system, id: "api", name: "api", kind: .confidential, account: "ana",
            grantTypes: [.clientCredentials])
        let client = [("client_id", "api"), ("client_secret", try #require(made.secret))]
        let token = try server.form(
            "/oidc/token", client + [("grant_type", "client_credentials")]
        ).json["access_token"].string()
        #expect(server.form("/oidc/introspect", [("token", token)]).status == 401)
        let active = server.form("/oidc/introspect", client + [("token", token)]).json
        #expect(try active["active"].bool() && active["username"].string() == "ana")
        #expect(server.form("/oidc/revoke", client + [("token", token)]).status == 200)
        #expect(
            try !server.form("/oidc/introspect", client + [("token", token)]).json["active"].bool())
    }

    @Test func `a device is connected by a person`() throws {
        let server = try Server()
        try publicClient(server)
        let started = server.form("/oidc/device_authorization", [("client_id", "tool")]).json
        let poll = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("client_id", "tool"),
            ("device_code", try started["device_code"].string()),
        ]
        #expect(
            try server.form("/oidc/token", poll).json["error"].string() == "authorization_pending")
        let cookie = try #require(server.logIn())
        let answer = server.form(
            "/device",
            [
                ("user_code", try started["user_code"].string()), ("answer", "allow"),
                ("csrf", server.csrf(cookie)),
            ], [("Cookie", cookie), ("Origin", "http://localhost:8080")])
        #expect(answer.status == 200)
        #expect(server.form("/oidc/token", poll).status == 200)
    }
}
