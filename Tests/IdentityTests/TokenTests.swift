import Authority
import Bytes
import Cryptography
import Identity
import JSON
import Platform
import SQLite
import Testing

struct TokenTests {
    @Test(arguments: [
        ("", [Door.sql, .catalog, .console, .oidc]),
        ("catalog", [.sql, .catalog, .console, .oidc]),
        ("openid door:sql", [.sql, .oidc]), ("door:sql door:catalog", [.sql, .catalog, .oidc]),
        ("door:", [.oidc]),
    ])
    func `a token opens the doors that its scope names, or all`(
        _ scope: String, _ open: [Door]
    ) throws {
        let f = try Fixture()
        let root = try f.context("root")
        let token = try f.registry.issueToken(
            f.anonymous, for: root.principal, scope: scope
        ).accessToken
        for door in [Door.sql, .catalog, .console, .oidc] {
            var context = f.anonymous
            context.door = door
            let code = f.code { _ = try f.registry.authenticate(context, bearer: token) }
            #expect(code == (open.contains(door) ? nil : .invalidToken), "\(door)")
        }
    }

    @Test(arguments: [
        (nil, "openid door:sql", "openid door:sql"), ("door:sql", "openid", "door:sql"),
        ("openid", "door:sql", "openid door:sql"), ("door:catalog", "door:sql", "door:"),
        ("x door:sql door:catalog", "door:catalog", "x door:catalog"),
    ])
    func `an exchanged token has no door more`(
        _ wanted: String?, _ held: String, _ given: String
    ) { #expect(TokenScope.narrowed(wanted, from: held) == given) }

    @Test func `an access token says who and what the directory says now`() throws {
        let f = try Fixture()
        try f.registry.ensureGroup(f.system, name: "risk")
        try f.registry.addMember(f.system, "root", toGroup: "risk")
        let root = try f.context("root")
        let token = try f.registry.issueToken(
            f.anonymous, for: root.principal, clientID: "c1", scope: "openid x"
        ).accessToken
        let bearer = try f.registry.authenticate(f.anonymous, bearer: token)
        #expect(bearer.principal.roles == ["admin"] && bearer.principal.groups == ["risk"])
        #expect(bearer.claims.groups == ["risk"] && bearer.claims.scope == "openid x")
        #expect(bearer.claims.clientID == "c1" && bearer.claims.preferredUsername == "root")
        #expect(bearer.claims.issuer == "http://localhost:8080/oidc")
        #expect(bearer.claims.audience == ["lakehouse"])
        #expect(bearer.claims.expiresSeconds - bearer.claims.issuedSeconds == 3600)
    }

    @Test func `a token dies by time, by revocation and with its account`() throws {
        let f = try Fixture()
        try f.registry.createAccount(f.system, name: "ana")
        let ana = try f.context("ana").principal
        func issue() throws -> String {
            try f.registry.issueToken(f.anonymous, for: ana).accessToken
        }
        func use(_ token: String) -> IdentityError.Code? {
            f.code { _ = try f.registry.authenticate(f.anonymous, bearer: token) }
        }
        let first = try issue()
        f.clock.advance(by: .seconds(3599))
        #expect(use(first) == nil)
        f.clock.advance(by: .seconds(1))
        #expect(use(first) == .expiredToken)
        let second = try issue()
        #expect(use(second) == nil)
        try f.registry.revoke(f.anonymous, accessToken: second)
        #expect(use(second) == .invalidToken)
        let third = try issue()
        try f.registry.updateAccount(f.system, "ana", isDisabled: true)
        #expect(use(third) == .invalidToken)
    }

    @Test func `forged tokens are refused`() throws {
        let f = try Fixture()
        let root = try f.context("root").principal
        let token = try f.registry.issueToken(f.anonymous, for: root).accessToken
        let parts = token.split(separator: ".").map(String.init)
        func encoded(_ text: String) -> String { base64Text(Array(text.utf8), alphabet: .url) }
        let header = String(
            decoding: try #require(base64Bytes(parts[0], alphabet: .url)), as: UTF8.self)
        let other = try SigningKey.generate(.es256)
        let payload = parts[1]
        let foreign =
            encoded(
                "{\"alg\":\"ES256\",\"kid\":\"\(other.id)\",\"typ\":\"at+jwt\"}") + "." + payload
        let idToken = try f.registry.issueIDToken(
            f.anonymous, for: root, clientID: "lakehouse", nonce: nil,
            authenticatedMicroseconds: 0, accessToken: token)
        let changed = encoded(
            String(decoding: try #require(base64Bytes(payload, alphabet: .url)), as: UTF8.self)
                .split(separator: "root").joined(separator: "ruut"))
        let forgeries = [
            "", "a.b.c", parts[0] + "." + payload + ".",
            encoded("{\"alg\":\"none\",\"typ\":\"at+jwt\"}") + "." + payload + ".",
            encoded(header.split(separator: "ES256").joined(separator: "HS256")) + "." + payload
                + "." + parts[2],
            parts[0] + "." + changed + "." + parts[2],
            foreign + "." + base64Text(try other.sign(Array(foreign.utf8)), alphabet: .url),
            idToken, token + "A",
        ]
        for forgery in forgeries {
            #expect(
                f.code { _ = try f.registry.authenticate(f.anonymous, bearer: forgery) }
                    == .invalidToken, "\(forgery)")
        }
    }

    @Test func `old keys verify until their tokens are gone`() throws {
        let f = try Fixture()
        let root = try f.context("root").principal
        let old = try f.registry.issueToken(f.anonymous, for: root).accessToken
        try f.registry.rotateSigningKey(f.system)
        let new = try f.registry.issueToken(f.anonymous, for: root).accessToken
        #expect(try f.registry.verificationKeys().count == 2)
        #expect(try f.registry.keySet().cursor["keys"].elements().count == 2)
        for token in [old, new] { _ = try f.registry.authenticate(f.anonymous, bearer: token) }
        f.clock.advance(by: .seconds(7201))
        try f.registry.removeExpired()
        #expect(try f.registry.verificationKeys().count == 1)
        #expect(throws: AccessDenied.self) {
            try f.registry.rotateSigningKey(f.anonymous)
        }
    }

    @Test func `a login link dies at its first use`() throws {
        let f = try Fixture()
        let link = try f.registry.createLoginLink(f.system, account: "root")
        func use(_ token: String) -> IdentityError.Code? {
            f.code { _ = try f.registry.redeemLoginLink(f.anonymous, token: token, address: "a") }
        }
        #expect(use(link) == nil)
        #expect(use(link) == .wrongCredentials)
        let late = try f.registry.createLoginLink(f.system, account: "root")
        f.clock.advance(by: .seconds(15 * 60))
        #expect(use(late) == .wrongCredentials)
    }

    @Test func `a session ends by logout, time, and a new password`() throws {
        let f = try Fixture()
        let root = try f.context("root").principal
        func open() throws -> String {
            try f.registry.openSession(f.anonymous, for: root, address: "a").cookie
        }
        let first = try open()
        let session = try #require(try f.registry.session(f.anonymous, cookie: first))
        #expect(session.principal.name == "root")
        #expect(session.csrfToken == f.registry.csrfToken(cookie: first))
        #expect(session.csrfToken != f.registry.csrfToken(cookie: first + "x"))
        try f.registry.closeSession(f.anonymous, cookie: first)
        #expect(try f.registry.session(f.anonymous, cookie: first) == nil)
        let second = try open()
        f.clock.advance(by: .seconds(12 * 3600))
        #expect(try f.registry.session(f.anonymous, cookie: second) == nil)
        let third = try open()
        try f.registry.setPassword(f.system, of: "root", to: "another password")
        #expect(try f.registry.session(f.anonymous, cookie: third) == nil)
    }
}

struct CodeTests {
    private static let verifier = "dBjftJeZ4CVP-mBDIWrPEpFMaxZ7t0PnYPJKqZF8sVE"

    private func code(_ f: Fixture, _ client: Client, challenge: String?) throws -> String {
        try f.registry.createAuthorizationCode(
            f.context("root"), client: client, redirectURI: "https://t.example/cb",
            scope: "openid", nonce: "n", challenge: challenge, authenticatedMicroseconds: 5)
    }

    private func client(_ f: Fixture) throws -> Client {
        try f.registry.ensureClient(
            f.system, id: "tool", name: "tool", kind: .public,
            redirectURIs: ["https://t.example/cb"]
        ).client
    }

    private func redeem(
        _ f: Fixture, _ client: Client, _ code: String, uri: String = "https://t.example/cb",
        verifier: String?
    ) throws -> GrantedAccess {
        try f.registry.redeemAuthorizationCode(
            f.anonymous, code: code, client: client, redirectURI: uri, verifier: verifier)
    }

    /// The pair of RFC 7636 appendix B.
    private let challenge: String = {
        base64Text(Digest.sha256("dBjftJeZ4CVP-mBDIWrPEpFMaxZ7t0PnYPJKqZF8sVE"), alphabet: .url)
    }()

    @Test func `the right verifier opens the code once`() throws {
        let f = try Fixture()
        let client = try client(f)
        let made = try code(f, client, challenge: challenge)
        let granted = try redeem(f, client, made, verifier: Self.verifier)
        #expect(granted.principal.name == "root" && granted.nonce == "n")
        let refresh = try #require(granted.refreshToken)
        // The second use gives nothing and takes back what the first gave.
        #expect(
            f.code { _ = try redeem(f, client, made, verifier: Self.verifier) } == .invalidGrant)
        #expect(
            f.code {
                _ = try f.registry.refresh(f.anonymous, token: refresh, client: client, scope: nil)
            } == .invalidGrant)
    }

    @Test(arguments: [
        (nil, "https://t.example/cb", 0), ("x", "https://t.example/cb", 0),
        (String(repeating: "a", count: 43), "https://t.example/cb", 0),
        (CodeTests.verifier, "https://t.example/other", 0),
        (CodeTests.verifier, "https://t.example/cb", 60),
    ])
    func `a wrong verifier, place or time does not`(
        _ verifier: String?, _ uri: String, _ seconds: Int
    ) throws {
        let f = try Fixture()
        let client = try client(f)
        let made = try code(f, client, challenge: challenge)
        f.clock.advance(by: .seconds(seconds))
        #expect(
            f.code { _ = try redeem(f, client, made, uri: uri, verifier: verifier) }
                == .invalidGrant)
    }

    @Test func `a refresh token that comes back ends its family`() throws {
        let f = try Fixture()
        let client = try client(f)
        let granted = try redeem(
            f, client, code(f, client, challenge: challenge), verifier: Self.verifier)
        let first = try #require(granted.refreshToken)
        func refresh(_ token: String, scope: String? = nil) throws -> GrantedAccess {
            try f.registry.refresh(f.anonymous, token: token, client: client, scope: scope)
        }
        #expect(f.code { _ = try refresh(first, scope: "openid more") } == .invalidGrant)
        let second = try #require(try refresh(first).refreshToken)
        let third = try #require(try refresh(second).refreshToken)
        #expect(f.code { _ = try refresh(first) } == .invalidGrant)
        #expect(f.code { _ = try refresh(third) } == .invalidGrant)
        let kinds = try f.registry.database.events(after: 0, limit: 1000).map(\.kind)
        #expect(kinds.contains("identity.refresh_token.reused"))
    }

    @Test func `a device waits for a person and may not hurry`() throws {
        let f = try Fixture()
        let client = try client(f)
        let started = try f.registry.startDeviceAuthorization(
            f.anonymous, client: client, scope: "openid")
        func poll() -> IdentityError.Code? {
            f.code {
                _ = try f.registry.redeemDeviceCode(
                    f.anonymous, deviceCode: started.deviceCode, client: client)
            }
        }
        #expect(poll() == .authorizationPending)
        #expect(poll() == .slowDown)
        f.clock.advance(by: .seconds(5))
        #expect(poll() == .authorizationPending)
        let root = try f.context("root")
        #expect(
            f.code {
                try f.registry.answerDevice(
                    root, userCode: "XXXX-XXXX", isAllowed: true, address: "a")
            } == .notFound)
        let typed = started.userCode.lowercased().filter { $0 != "-" }
        try f.registry.answerDevice(root, userCode: typed, isAllowed: true, address: "a")
        #expect(poll() == nil)
        #expect(poll() == .invalidGrant)
        let refused = try f.registry.startDeviceAuthorization(
            f.anonymous, client: client, scope: "")
        try f.registry.answerDevice(
            root, userCode: refused.userCode, isAllowed: false, address: "a")
        #expect(
            f.code {
                _ = try f.registry.redeemDeviceCode(
                    f.anonymous, deviceCode: refused.deviceCode, client: client)
            } == .refusedByUser)
    }

    @Test(arguments: [
        "http://evil.example/cb", "http://localhost.evil.example/", "https://a@b/", "https://a/#f",
        "javascript:alert(1)", "https://a b/",
    ])
    func `a redirect URI that could leak a code is refused`(_ uri: String) throws {
        let f = try Fixture()
        #expect(
            f.code {
                _ = try f.registry.ensureClient(
                    f.system, name: "x", kind: .public, redirectURIs: [uri])
            } == .invalidValue)
    }
}
