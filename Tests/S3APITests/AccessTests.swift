import Authority
import Bytes
import Cryptography
import DiskObjectStorage
import HTTPMessages
import Identity
import Platform
import S3API
import Testing
import XML

/// Access keys out of a directory of identities, as the appliance wires them.
struct DirectoryCredentials: S3CredentialSource {
    let registry: IdentityRegistry

    func credential(forAccessKey id: String, sessionToken: String?) -> S3CredentialLookup {
        let context = RequestContext(principal: .anonymous, requestID: "s3", door: .s3)
        guard
            let found = try? registry.secret(context, forAccessKey: id, sessionToken: sessionToken)
        else { return .unknown }
        var credential = S3Credential(secret: found.secret, principal: found.principal)
        if let session = found.session {
            credential.isTemporary = true
            credential.assumedRole = session.role
            credential.sessionName = session.name
            credential.policy = session.policy.flatMap {
                try? PolicyDocument(text: $0, kind: .session)
            }
        }
        return .found(credential)
    }
}

/// A server with people: root (admin), eng (engineer), ann (analyst), nobody's `none` (no role).
final class PeopledServer {
    let registry: IdentityRegistry
    let client: S3TestClient
    private let directory: String
    private(set) var bends: [String: S3TestClient.Bend] = [:]
    private let system = RequestContext(principal: .system, requestID: "t", door: .cli)

    init() throws {
        directory = try LocalFileSystem().makeTemporaryDirectory(prefix: "s3-people")
        var configuration = IdentityConfiguration()
        configuration.passwordCost = .weak
        configuration.signatureAlgorithm = .es256
        let clock = SettableClock()
        registry = try IdentityRegistry(
            directory: directory, configuration: configuration, clock: clock,
            entropy: SeededEntropy(seed: 3))
        client = try S3TestClient(
            authorizer: registry.authorizer,
            credentials: DirectoryCredentials(registry: registry), identity: registry,
            makesBucket: false)
        for (name, roles) in [
            ("root", ["admin"]), ("eng", ["engineer"]), ("ann", ["analyst", "viewer"]),
            ("none", []),
        ] {
            try registry.createAccount(system, name: name, roles: roles)
            let key = try registry.createAccessKey(system, account: name)
            bends[name] = S3TestClient.Bend(
                accessKey: key.accessKeyID, secret: key.secretAccessKey)
        }
        try client.store.createBucket(system, "bucket")
    }

    deinit {
        try? registry.close()
        try? LocalFileSystem().removeTree(directory)
    }

    /// Sends as somebody; nil: unsigned.
    func send(
        _ who: String?, _ method: HTTPMessages.Method, _ path: String, query: String = "",
        headers: [(String, String)] = [], body: [UInt8] = [], address: String = "127.0.0.1"
    ) throws -> Answer {
        guard let who else {
            return try client.sendUnsigned(method, path, query: query, headers: headers, body: body)
        }
        var bend = bends[who] ?? S3TestClient.Bend()
        bend.address = address
        return try client.send(
            method, path, query: query, headers: headers, body: body, bend: bend)
    }

    func policy(_ statements: String) throws {
        let text = #"{"Version":"2012-10-17","Statement":[\#(statements)]}"#
        let answer = try send("root", .put, "/bucket", query: "policy", body: Array(text.utf8))
        #expect(answer.status == 204, "\(String(decoding: answer.body, as: UTF8.self))")
    }

    /// Calls STS.
    func sts(_ who: String?, _ form: [(String, String)], headers: [(String, String)] = []) throws
        -> Answer
    {
        let body = QueryItems(form).encoded
        let fields = headers + [("content-type", "application/x-www-form-urlencoded")]
        guard let who else {
            return try client.sendUnsigned(.post, "/", headers: fields, body: Array(body.utf8))
        }
        var bend = bends[who] ?? S3TestClient.Bend()
        bend.service = "sts"
        return try client.send(.post, "/", headers: fields, body: Array(body.utf8), bend: bend)
    }

    /// Makes a session and keeps its credentials under a name.
    func assume(_ name: String, _ who: String?, _ form: [(String, String)]) throws -> Answer {
        let answer = try sts(who, form)
        let found = answer.xml?.children.first?.first("Credentials")
        if let found {
            bends[name] = S3TestClient.Bend(
                accessKey: found.text(of: "AccessKeyId") ?? "",
                secret: found.text(of: "SecretAccessKey") ?? "")
            tokens[name] = found.text(of: "SessionToken") ?? ""
        }
        return answer
    }

    private(set) var tokens: [String: String] = [:]

    /// Sends with a session's three strings.
    func send(
        session: String, _ method: HTTPMessages.Method, _ path: String, query: String = "",
        headers: [(String, String)] = [], body: [UInt8] = []
    ) throws -> Answer {
        try client.send(
            method, path, query: query,
            headers: headers + [("x-amz-security-token", tokens[session] ?? "")], body: body,
            bend: bends[session] ?? S3TestClient.Bend())
    }
}

@Suite struct AccessTests {
    let server: PeopledServer

    init() throws {
        server = try PeopledServer()
        for key in ["open/a", "secret/a"] {
            _ = try server.send("root", .put, "/bucket/\(key)", body: [1])
        }
    }

    /// Principals by actions on an object, without and with policies: + for yes.
    @Test(
        "who may what",
        arguments: [
            ("", "root", "+++++"), ("", "eng", "++++-"), ("", "none", "-----"),
            ("", "anonymous", "-----"),
            ("readAll", "none", "+----"), ("readAll", "anonymous", "+----"),
            ("readAll", "root", "+++++"),
            ("allForNone", "none", "+++++"), ("allForNone", "anonymous", "-----"),
            ("denyWrites", "eng", "+-+--"), ("denyWrites", "root", "+-+--"),
            ("denyAll", "root", "-----"), ("denyAll", "eng", "-----"),
        ])
    func matrix(policy: String, who: String, expected: String) throws {
        let statements = [
            "": nil,
            "readAll":
                #"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/open/*"}"#,
            "allForNone":
                #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/none"},"Action":"s3:*","Resource":["arn:aws:s3:::bucket/open/*","arn:aws:s3:::bucket"]}"#,
            "denyWrites":
                #"{"Effect":"Deny","Principal":"*","Action":["s3:Put*","s3:Delete*"],"Resource":["arn:aws:s3:::bucket/*"]},{"Effect":"Deny","Principal":"*","Action":"s3:PutBucketTagging","Resource":"arn:aws:s3:::bucket"}"#,
            "denyAll":
                #"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket/*","arn:aws:s3:::bucket"]}"#,
        ][policy]
        if let text = statements ?? nil { try server.policy(text) }
        let name = who == "anonymous" ? nil : who
        let tagging = Array("<Tagging><TagSet/></Tagging>".utf8)
        let read = try server.send(name, .get, "/bucket/open/a").status == 200
        let write = try server.send(name, .put, "/bucket/open/a", body: [2]).status == 200
        let list = try server.send(name, .get, "/bucket", query: "list-type=2").status == 200
        let delete = try server.send(name, .delete, "/bucket/open/a").status == 204
        let tag = try server.send(name, .put, "/bucket", query: "tagging", body: tagging)
        let seen = [read, write, list, delete, tag.status == 204].map { $0 ? "+" : "-" }.joined()
        // The engineer's role does not configure buckets in the matrix above unless it says so.
        #expect(seen.prefix(4) == expected.prefix(4), "\(seen)")
        if who != "eng" { #expect(seen == expected) }
    }

    @Test func aPolicyOpensOnlyWhatItNames() throws {
        try server.policy(
            #"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/open/*"}"#
        )
        #expect(try server.send(nil, .get, "/bucket/open/a").body == [1])
        for path in [
            "/bucket/secret/a", "/bucket/open/../secret/a", "/bucket/open/%2e%2e/secret/a",
            "/bucket//open/a", "/bucket",
        ] {
            #expect(try server.send(nil, .get, path).status >= 400, "\(path)")
        }
    }

    @Test func addressesAndPrefixesAreConditions() throws {
        try server.policy(
            #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/none"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket","Condition":{"StringLike":{"s3:prefix":"open/*"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#
        )
        func status(_ query: String, _ address: String) throws -> Int {
            try server.send("none", .get, "/bucket", query: query, address: address).status
        }
        #expect(try status("list-type=2&prefix=open%2F", "10.9.9.9") == 200)
        #expect(try status("list-type=2&prefix=open%2F", "11.9.9.9") == 403)
        #expect(try status("list-type=2&prefix=secret%2F", "10.9.9.9") == 403)
        #expect(try status("list-type=2", "10.9.9.9") == 403)
    }

    @Test func aBlockKeepsPublicPoliciesOut() throws {
        let block = """
            <PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy>
            <RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>
            """
        let open =
            #"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}"#
        try server.policy(open)
        #expect(try server.send(nil, .get, "/bucket/open/a").status == 200)
        let put = try server.send(
            "root", .put, "/bucket", query: "publicAccessBlock", body: Array(block.utf8))
        #expect(put.status == 200)
        #expect(try server.send(nil, .get, "/bucket/open/a").status == 403)
        let status = try server.send("root", .get, "/bucket", query: "policyStatus")
        #expect(status.xml?.text(of: "IsPublic") == "false")
        let again = try server.send(
            "root", .put, "/bucket", query: "policy",
            body: Array(#"{"Statement":[\#(open)]}"#.utf8))
        #expect(again.code == "AccessDenied")
    }

    @Test func aPolicyThatShutsEverybodyOutCanBeTakenBack() throws {
        try server.policy(
            #"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}"#
        )
        #expect(try server.send("root", .get, "/bucket/open/a").status == 403)
        #expect(try server.send("none", .delete, "/bucket", query: "policy").status == 403)
        #expect(try server.send("root", .delete, "/bucket", query: "policy").status == 204)
        #expect(try server.send("root", .get, "/bucket/open/a").status == 200)
    }

    @Test func nobodyWithoutANameConfiguresAnything() throws {
        try server.policy(
            #"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}"#
        )
        #expect(try server.send(nil, .put, "/bucket/open/new", body: [1]).status == 200)
        #expect(try server.send(nil, .delete, "/bucket", query: "policy").status == 403)
        #expect(try server.send(nil, .delete, "/bucket").status == 403)
    }
}

@Suite struct SessionTests {
    let server: PeopledServer

    init() throws {
        server = try PeopledServer()
        _ = try server.send("root", .put, "/bucket/a/x", body: [1])
        _ = try server.send("root", .put, "/bucket/b/x", body: [2])
    }

    private func error(_ answer: Answer) -> String? {
        answer.xml?.first("Error")?.text(of: "Code")
    }

    @Test func whoAsks() throws {
        let answer = try server.sts("ann", [("Action", "GetCallerIdentity")])
        let result = answer.xml?.first("GetCallerIdentityResult")
        #expect(result?.text(of: "Arn") == "arn:aws:iam::000000000000:user/ann")
        #expect(result?.text(of: "Account") == "000000000000")
        #expect(try server.sts(nil, [("Action", "GetCallerIdentity")]).status == 403)
    }

    @Test func aRoleIsOneThatIsHeld() throws {
        func form(_ role: String) -> [(String, String)] {
            [
                ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/\(role)"),
                ("RoleSessionName", "work"),
            ]
        }
        #expect(error(try server.assume("s", "eng", form("admin"))) == "AccessDenied")
        #expect(try server.assume("s", "eng", form("engineer")).status == 200)
        #expect(try server.send(session: "s", .get, "/bucket/a/x").body == [1])
        // Without the token, with another's, and after the account lost the role: nothing.
        #expect(try server.send("s", .get, "/bucket/a/x").status == 403)
        #expect(try server.assume("v", "ann", form("viewer")).status == 200)
        let identity = try server.client.send(
            .post, "/", query: "", headers: [("x-amz-security-token", server.tokens["v"] ?? "")],
            body: Array("Action=GetCallerIdentity".utf8),
            bend: S3TestClient.Bend(
                accessKey: server.bends["v"]?.accessKey ?? "",
                secret: server.bends["v"]?.secret ?? "", service: "sts"))
        #expect(
            identity.xml?.first("GetCallerIdentityResult")?.text(of: "Arn")
                == "arn:aws:sts::000000000000:assumed-role/viewer/work")
    }

    @Test func aSessionsPolicyNarrows() throws {
        let policy =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/a/*"},{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket","Condition":{"StringLike":{"s3:prefix":"a/*"}}}]}"#
        let made = try server.assume(
            "s", "root",
            [
                ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/admin"),
                ("RoleSessionName", "work"), ("Policy", policy), ("DurationSeconds", "900"),
            ])
        #expect(made.status == 200, "\(String(decoding: made.body, as: UTF8.self))")
        func send(
            _ method: HTTPMessages.Method, _ path: String, query: String = "", body: [UInt8] = []
        ) throws -> Answer {
            try server.send(session: "s", method, path, query: query, body: body)
        }
        #expect(try send(.get, "/bucket/a/x").body == [1])
        #expect(try send(.get, "/bucket/b/x").status == 403)
        #expect(try send(.put, "/bucket/a/y", body: [3]).status == 200)
        #expect(try send(.delete, "/bucket/a/y").status == 403)
        #expect(try send(.get, "/bucket", query: "list-type=2&prefix=a%2F").status == 200)
        #expect(try send(.get, "/bucket", query: "list-type=2&prefix=b%2F").status == 403)
        // Whoever may put may put in parts, though the policy names none of these.
        let begun = try send(.post, "/bucket/a/m", query: "uploads")
        let id = begun.xml?.text(of: "UploadId") ?? ""
        let part = try send(
            .put, "/bucket/a/m", query: "partNumber=1&uploadId=\(id)", body: [7])
        #expect(part.status == 200)
        #expect(try send(.get, "/bucket/a/m", query: "uploadId=\(id)").status == 200)
        #expect(try send(.delete, "/bucket/a/m", query: "uploadId=\(id)").status == 204)
        // A limited credential makes no other.
        let again = try server.client.send(
            .post, "/", headers: [("x-amz-security-token", server.tokens["s"] ?? "")],
            body: Array(
                "Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/admin&RoleSessionName=xx"
                    .utf8),
            bend: S3TestClient.Bend(
                accessKey: server.bends["s"]?.accessKey ?? "",
                secret: server.bends["s"]?.secret ?? "", service: "sts"))
        #expect(error(again) == "AccessDenied")
    }

    @Test func aTokenOfOursOpensASession() throws {
        let system = RequestContext(principal: .system, requestID: "t", door: .cli)
        let eng = try server.registry.principal(system, named: "eng")
        let token = try server.registry.issueToken(system, for: eng).accessToken
        let answer = try server.assume(
            "s", nil,
            [
                ("Action", "AssumeRoleWithWebIdentity"), ("WebIdentityToken", token),
                ("RoleArn", "arn:aws:iam::000000000000:role/engineer"),
                ("RoleSessionName", "job-1"),
            ])
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        #expect(try server.send(session: "s", .get, "/bucket/b/x").body == [2])
        let forged = try server.sts(
            nil,
            [
                ("Action", "AssumeRoleWithWebIdentity"), ("WebIdentityToken", token + "x"),
                ("RoleSessionName", "job-1"),
            ])
        #expect(error(forged) == "InvalidIdentityToken")
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ([("Action", "Nothing")], "InvalidAction"),
            ([("Action", "AssumeRole")], "ValidationError"),
            ([("Action", "GetSessionToken"), ("DurationSeconds", "5")], "ValidationError"),
            ([], "ValidationError"),
        ] as [([(String, String)], String)])
    func wrong(form: [(String, String)], code: String) throws {
        #expect(error(try server.sts("eng", form)) == code)
    }

    @Test func aBrokenPolicyMakesNoSession() throws {
        let answer = try server.sts(
            "eng",
            [
                ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/engineer"),
                ("RoleSessionName", "work"), ("Policy", "{}"),
            ])
        #expect(error(answer) == "MalformedPolicyDocument")
    }
}
