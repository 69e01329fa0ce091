import Bytes
import Cryptography
import HTTPMessages
import Testing
import XML

@Suite struct FormTests {
    let client: S3TestClient

    init() throws { client = try S3TestClient() }

    /// A form with a signed policy, as `x-amz-…` fields before the file.
    private func form(
        _ fields: [(String, String)], file: [UInt8], conditions: String, boundary: String = "xYz",
        policyHead: String = #""expiration":"2099-01-01T00:00:00Z","conditions":["#,
        bend: (inout [UInt8]) -> Void = { _ in }
    ) throws -> Answer {
        let policy = base64Text(Array("{\(policyHead)\(conditions)]}".utf8))
        let scope = client.dateTime.prefix(8) + "/us-east-1/s3/aws4_request"
        let signature = hexText(HMAC.sha256(key: client.signingKey(), policy))
        let all =
            fields + [
                ("x-amz-algorithm", "AWS4-HMAC-SHA256"), ("x-amz-credential", "AK/\(scope)"),
                ("x-amz-date", client.dateTime), ("policy", policy),
                ("x-amz-signature", signature),
            ]
        var body: [UInt8] = []
        for (name, value) in all {
            body += Array(
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
                    .utf8)
        }
        body += Array(
            ("--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n"
                + "Content-Type: a/b\r\n\r\n").utf8)
        body += file + Array("\r\n--\(boundary)--\r\n".utf8)
        bend(&body)
        return try client.sendUnsigned(
            .post, "/bucket",
            headers: [("Content-Type", "multipart/form-data; boundary=\(boundary)")], body: body)
    }

    private let own =
        #"["starts-with","$key","u/"],["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""],{"x-amz-algorithm":"AWS4-HMAC-SHA256"}"#

    /// Bytes that look like boundaries, in sizes around the pieces that bodies come in.
    @Test(arguments: [0, 1, 990, 5000, 200_000])
    func theFileComesWhole(size: Int) throws {
        var file = pattern(size)
        if size > 100 { file.replaceSubrange(50..<60, with: Array("\r\n--xYa\r\n-".utf8)) }
        let answer = try form([("key", "u/${filename}")], file: file, conditions: own)
        #expect(answer.status == 204, "\(answer.code ?? "")")
        let read = try client.send(.get, "/bucket/u/f.bin")
        // By one word, since a failure would print every byte.
        #expect(read.body.elementsEqual(file) == true)
        #expect(read.fields["Content-Type"] == "a/b")
    }

    @Test func aFormGivesTags() throws {
        let tags =
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        let conditions = own + #",["starts-with","$tagging",""]"#
        let answer = try form(
            [("key", "u/t"), ("tagging", tags)], file: [1], conditions: conditions)
        #expect(answer.status == 204, "\(answer.code ?? "")")
        let read = try client.send(.get, "/bucket/u/t", query: "tagging")
        #expect(read.xml?.first("TagSet")?.first("Tag")?.text(of: "Value") == "b")
        let broken = try form(
            [("key", "u/t"), ("tagging", "<Tagging>")], file: [1], conditions: conditions)
        #expect(broken.code == "MalformedXML")
    }

    @Test(
        "forms that the policy does not allow",
        arguments: [
            ([("key", "v/x")], "AccessDenied"),
            ([("key", "u/x"), ("x-amz-meta-a", "b")], "AccessDenied"),
            ([("x-ignore-me", "1")], "InvalidArgument"),
        ] as [([(String, String)], String)])
    func refused(fields: [(String, String)], code: String) throws {
        #expect(try form(fields, file: [1], conditions: own).code == code)
    }

    /// The policy is about the key that the object gets; a template that was signed whole means any name.
    @Test(
        "the file's name is part of the key",
        arguments: [
            (#"["starts-with","$key","u/f."]"#, nil),
            (#"["eq","$key","u/f.bin"]"#, nil),
            (#"{"key":"u/${filename}"}"#, nil),
            (#"["starts-with","$key","u/g."]"#, "AccessDenied"),
            (#"{"key":"u/g.bin"}"#, "AccessDenied"),
            (#"{"key":"${filename}"}"#, "AccessDenied"),
        ] as [(String, String?)])
    func names(condition: String, code: String?) throws {
        let conditions = own + "," + condition
        let answer = try form([("key", "u/${filename}")], file: [1], conditions: conditions)
        #expect(answer.code == code)
        #expect(answer.status == (code == nil ? 204 : 403))
    }

    @Test(
        "policies that cannot be read",
        arguments: [
            #""expiration":"2099-01-01 00:00:00Z","conditions":["#,
            #""expiration":"2099-01-01T00:00:00+00:00","conditions":["#,
            #""EXPIRATION":"2099-01-01T00:00:00Z","conditions":["#,
            #""expiration":"2099-01-01T00:00:00Z","CONDITIONS":["#,
            #""expiration":"2099-01-01T00:00:00Z","conditions":[{},"#,
            #""expiration":"2099-01-01T00:00:00Z","conditions":[{"acl":"private","a":"b"},"#,
            #""expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range",0],"#,
        ])
    func unreadable(head: String) throws {
        let answer = try form([("key", "u/x")], file: [1], conditions: own, policyHead: head)
        #expect(answer.code == "InvalidPolicyDocument")
        #expect(answer.status == 400)
    }

    @Test func sizesAreLimited() throws {
        let limits = own + #",["content-length-range",2,4]"#
        #expect(try form([("key", "u/x")], file: [1], conditions: limits).code == "EntityTooSmall")
        #expect(
            try form([("key", "u/x")], file: pattern(5), conditions: limits).code
                == "EntityTooLarge")
        #expect(try form([("key", "u/x")], file: pattern(4), conditions: limits).status == 204)
        #expect(try client.send(.get, "/bucket/u/x").body == pattern(4))
    }

    @Test func brokenFormsLeaveNothing() throws {
        let cut = try form([("key", "u/x")], file: pattern(3000), conditions: own) {
            $0.removeLast(40)
        }
        #expect(cut.status == 400)
        let forged = try form([("key", "u/x")], file: [1], conditions: own) { body in
            // The policy begins with `{"`.
            let text = String(decoding: body, as: UTF8.self)
            body = Array(text.replacing("\r\n\r\neyJ", with: "\r\n\r\neyK").utf8)
        }
        #expect(forged.status >= 400)
        #expect(try client.send(.get, "/bucket/u/x").code == "NoSuchKey")
        let unsigned = try client.sendUnsigned(
            .post, "/bucket", headers: [("Content-Type", "text/plain")], body: [1])
        #expect(unsigned.status == 412)
    }
}

@Suite struct PreflightTests {
    let client: S3TestClient

    init() throws {
        client = try S3TestClient()
        let document = """
            <CORSConfiguration><CORSRule><AllowedOrigin>https://*.org</AllowedOrigin>
            <AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>
            <MaxAgeSeconds>9</MaxAgeSeconds></CORSRule><CORSRule><AllowedOrigin>*</AllowedOrigin>
            <AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>
            """
        let put = try client.send(.put, "/bucket", query: "cors", body: Array(document.utf8))
        #expect(put.status == 200)
    }

    @Test(
        "which page may what",
        arguments: [
            ("https://a.org", "PUT", "x-amz-date", "https://a.org"),
            ("https://a.com", "PUT", "", nil), ("https://a.org", "PUT", "content-type", nil),
            ("https://a.com", "GET", "", "*"), ("https://a.org", "DELETE", "", nil),
        ] as [(String, String, String, String?)])
    func preflights(origin: String, method: String, header: String, allowed: String?) throws {
        var headers = [("Origin", origin), ("Access-Control-Request-Method", method)]
        if !header.isEmpty { headers.append(("Access-Control-Request-Headers", header)) }
        let answer = try client.sendUnsigned(.options, "/bucket/k", headers: headers)
        #expect(answer.status == (allowed == nil ? 403 : 200))
        #expect(answer.fields["Access-Control-Allow-Origin"] == allowed)
    }

    @Test func answersSayWhoMayReadThem() throws {
        let answer = try client.send(.get, "/bucket/none", headers: [("origin", "https://x.com")])
        #expect(answer.status == 404)
        #expect(answer.fields["Access-Control-Allow-Origin"] == "*")
        let other = try client.send(.put, "/bucket/k", headers: [("origin", "https://x.com")])
        #expect(other.fields["Access-Control-Allow-Origin"] == nil)
    }
}
