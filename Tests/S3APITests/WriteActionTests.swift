import HTTPMessages
import Testing
import XML

/// What a write brings along beside its bytes is an action of its own: tags, a retention, a legal hold.
@Suite struct WriteActionTests {
    let server: PeopledServer

    /// What a write may bring, with the action that it wants.
    static let extras: [(headers: [(String, String)], action: String)] = [
        ([("x-amz-tagging", "class=public")], "s3:PutObjectTagging"),
        (
            [
                ("x-amz-object-lock-mode", "GOVERNANCE"),
                ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00Z"),
            ], "s3:PutObjectRetention"
        ),
        ([("x-amz-object-lock-legal-hold", "ON")], "s3:PutObjectLegalHold"),
    ]

    init() throws {
        server = try PeopledServer()
        let made = try server.send(
            "root", .put, "/vault", headers: [("x-amz-bucket-object-lock-enabled", "true")])
        #expect(made.status == 200)
        for (key, tags) in [("plain", ""), ("tagged", "class=private")] {
            _ = try server.send(
                "root", .put, "/vault/\(key)", headers: [("x-amz-tagging", tags)], body: [1])
        }
    }

    private func policy(_ statements: String...) throws {
        let text = #"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#
        let answer = try server.send(
            "root", .put, "/vault", query: "policy", body: Array(text.utf8))
        #expect(answer.status == 204)
    }

    private func statement(_ effect: String, _ actions: String...) -> String {
        let names = actions.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"Effect":"\#(effect)","Principal":"*","Action":[\#(names)],"#
            + #""Resource":"arn:aws:s3:::vault/*"}"#
    }

    /// The ways to make an object with headers, as somebody.
    private func statuses(_ who: String, _ headers: [(String, String)]) throws -> [Int] {
        let copy = [
            ("x-amz-copy-source", "vault/plain"), ("x-amz-tagging-directive", "REPLACE"),
        ]
        return [
            try server.send(who, .put, "/vault/k", headers: headers, body: [1]).status,
            try server.send(who, .post, "/vault/k", query: "uploads", headers: headers).status,
            try server.send(who, .put, "/vault/k", headers: copy + headers).status,
        ]
    }

    @Test("each wants its own action of the bucket's policy", arguments: 0..<3)
    func ofPolicies(index: Int) throws {
        let (headers, action) = Self.extras[index]
        try policy(statement("Allow", "s3:PutObject", "s3:GetObject"))
        #expect(try statuses("none", []) == [200, 200, 200])
        #expect(try statuses("none", headers) == [403, 403, 403])
        // A role that writes objects writes them with tags and locks, unless the bucket denies it.
        #expect(try statuses("eng", headers) == [200, 200, 200])
        try policy(statement("Allow", "s3:PutObject", "s3:GetObject", action))
        #expect(try statuses("none", headers) == [200, 200, 200])
        try policy(statement("Deny", action))
        #expect(try statuses("eng", headers) == [403, 403, 403])
        #expect(try statuses("eng", []) == [200, 200, 200])
    }

    @Test("each wants its own action of a session's policy", arguments: 0..<3)
    func ofSessions(index: Int) throws {
        let (headers, action) = Self.extras[index]
        for (name, more) in [("narrow", ""), ("wide", #","\#(action)""#)] {
            let text =
                #"{"Statement":[{"Effect":"Allow","Action":["s3:PutObject"\#(more)],"Resource":"*"}]}"#
            let made = try server.assume(
                name, "root",
                [
                    ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/admin"),
                    ("RoleSessionName", "work"), ("Policy", text),
                ])
            #expect(made.status == 200)
        }
        func put(_ session: String, _ headers: [(String, String)]) throws -> Int {
            try server.send(session: session, .put, "/vault/k", headers: headers, body: [1]).status
        }
        #expect(try put("narrow", []) == 200)
        #expect(try put("narrow", headers) == 403)
        #expect(try put("wide", headers) == 200)
    }

    @Test func aCopyOfTagsReadsThemAndPutsThem() throws {
        func copy(_ source: String) throws -> Int {
            try server.send(
                "none", .put, "/vault/copy", headers: [("x-amz-copy-source", "vault/\(source)")]
            ).status
        }
        let plain = ["s3:PutObject", "s3:GetObject"]
        for (more, expected) in [
            ([], 403), (["s3:PutObjectTagging"], 403), (["s3:GetObjectTagging"], 403),
            (["s3:PutObjectTagging", "s3:GetObjectTagging"], 200),
        ] as [([String], Int)] {
            try policy((plain + more).map { statement("Allow", $0) }.joined(separator: ","))
            #expect(try copy("tagged") == expected, "\(more)")
            #expect(try copy("plain") == 200)
        }
    }
}
