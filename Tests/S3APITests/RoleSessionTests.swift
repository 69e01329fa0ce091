import HTTPMessages
import Testing
import XML

/// Sessions of roles as policies know them: by the role and by the session, and not by the person.
@Suite struct RoleSessionTests {
    let server: PeopledServer

    init() throws {
        server = try PeopledServer()
        _ = try server.send("root", .put, "/bucket/a", body: [1])
        for (session, name) in [("s", "work"), ("other", "play")] {
            let made = try server.assume(
                session, "ann",
                [
                    ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/viewer"),
                    ("RoleSessionName", name),
                ])
            #expect(made.status == 200)
        }
    }

    private func put(_ session: String?) throws -> Int {
        let body: [UInt8] = [2]
        guard let session else {
            return try server.send("ann", .put, "/bucket/new", body: body).status
        }
        return try server.send(session: session, .put, "/bucket/new", body: body).status
    }

    /// Who may write by an allowance for a principal: the session `work`, the session `play`, the person.
    @Test(
        "principals of bucket policies",
        arguments: [
            ("sts::000000000000:assumed-role/viewer/work", [200, 403, 403]),
            ("sts::000000000000:assumed-role/viewer/play", [403, 200, 403]),
            ("sts::000000000000:assumed-role/viewer/ann", [403, 403, 403]),
            ("sts::000000000000:assumed-role/analyst/work", [403, 403, 403]),
            ("iam::000000000000:role/viewer", [200, 200, 200]),
            ("iam::000000000000:role/analyst", [403, 403, 200]),
            ("iam::000000000000:user/ann", [403, 403, 200]),
            ("iam::000000000000:root", [200, 200, 200]),
        ])
    func principals(arn: String, expected: [Int]) throws {
        try server.policy(
            #"{"Effect":"Allow","Principal":{"AWS":"arn:aws:\#(arn)"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"}"#
        )
        #expect(try [put("s"), put("other"), put(nil)] == expected)
    }

    /// What is denied to a person their sessions may not do either; a session that is denied is no other.
    @Test(
        "denials",
        arguments: [
            (#""Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"}"#, [403, 403, 403]),
            (
                #""Principal":{"AWS":"arn:aws:sts::000000000000:assumed-role/viewer/work"}"#,
                [403, 200, 200]
            ),
            (#""Principal":{"AWS":"arn:aws:iam::000000000000:role/analyst"}"#, [200, 200, 403]),
            (
                #""NotPrincipal":{"AWS":"arn:aws:sts::000000000000:assumed-role/viewer/work"}"#,
                [200, 403, 403]
            ),
        ])
    func denials(whom: String, expected: [Int]) throws {
        let what = #""Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/a""#
        try server.policy(
            #"{"Effect":"Allow","Principal":"*",\#(what)},{"Effect":"Deny",\#(whom),\#(what)}"#)
        func get(_ session: String) throws -> Int {
            try server.send(session: session, .get, "/bucket/a").status
        }
        #expect(
            try [get("s"), get("other"), server.send("ann", .get, "/bucket/a").status] == expected)
    }

    @Test(
        "conditions",
        arguments: [
            (
                #""ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/viewer"}"#,
                [200, 200, 403]
            ),
            (
                #""StringEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:user/ann"}"#,
                [403, 403, 200]
            ),
            (#""StringEquals":{"aws:userid":"viewer:work"}"#, [200, 403, 403]),
            (#""StringLike":{"aws:userid":"viewer:*"}"#, [200, 200, 403]),
            (#""StringEquals":{"aws:username":"ann"}"#, [403, 403, 200]),
            (#""Null":{"aws:username":"true"}"#, [200, 200, 403]),
            (#""StringEquals":{"aws:PrincipalType":"AssumedRole"}"#, [200, 200, 403]),
        ])
    func conditions(condition: String, expected: [Int]) throws {
        try server.policy(
            #"{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*","Condition":{\#(condition)}}"#
        )
        #expect(try [put("s"), put("other"), put(nil)] == expected)
    }

    @Test func aSessionIsToldItsOwnID() throws {
        let answer = try server.client.send(
            .post, "/", headers: [("x-amz-security-token", server.tokens["s"] ?? "")],
            body: Array("Action=GetCallerIdentity".utf8),
            bend: S3TestClient.Bend(
                accessKey: server.bends["s"]?.accessKey ?? "",
                secret: server.bends["s"]?.secret ?? "", service: "sts"))
        #expect(
            answer.xml?.first("GetCallerIdentityResult")?.text(of: "UserId") == "viewer:work")
    }

    @Test func bucketsAreListedBySessionsThatMay() throws {
        func status(_ statements: String) throws -> Int {
            let made = try server.assume(
                "narrow", "root",
                [
                    ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/admin"),
                    ("RoleSessionName", "work"), ("Policy", #"{"Statement":[\#(statements)]}"#),
                ])
            #expect(made.status == 200)
            return try server.send(session: "narrow", .get, "/").status
        }
        func allow(_ action: String, _ resource: String) -> String {
            #"{"Effect":"Allow","Action":"\#(action)","Resource":"\#(resource)"}"#
        }
        #expect(try status(allow("s3:ListAllMyBuckets", "*")) == 200)
        #expect(try status(allow("s3:*", "arn:aws:s3:::*")) == 200)
        #expect(try status(allow("s3:GetObject", "*")) == 403)
        #expect(try status(allow("s3:ListBucket", "arn:aws:s3:::bucket")) == 403)
        #expect(try status(allow("s3:*", "arn:aws:s3:::bucket")) == 403)
        let denied = #"{"Effect":"Deny","Action":"s3:ListAllMyBuckets","Resource":"*"}"#
        #expect(try status(allow("s3:*", "*") + "," + denied) == 403)
    }

    @Test func managedPoliciesAreRefusedByName() throws {
        let answer = try server.sts(
            "eng",
            [
                ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/engineer"),
                ("RoleSessionName", "work"),
                ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"),
            ])
        #expect(answer.xml?.first("Error")?.text(of: "Code") == "ValidationError")
        #expect(
            answer.xml?.first("Error")?.text(of: "Message")?.contains("PolicyArns") == true)
    }
}
