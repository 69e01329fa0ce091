import Authority
import Bytes
import Cryptography
import DiskObjectStorage
import HTTPMessages
import Platform
import S3API
import Testing
import XML

/// The key of the examples in the Amazon S3 Developer Guide.
private struct GuideCredentials: S3CredentialSource {
    func credential(forAccessKey id: String, sessionToken: String?) -> S3CredentialLookup {
        let ann = Principal(id: "u1", name: "ann", kind: .user)
        return id == "AKIAIOSFODNN7EXAMPLE"
            ? .found(
                S3Credential(secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", principal: ann))
            : TestCredentials().credential(forAccessKey: id, sessionToken: sessionToken)
    }
}

private func sign(_ text: String, secret: String = "secret") -> String {
    base64Text(HMAC.code(.sha1, key: Array(secret.utf8), Array(text.utf8)))
}

extension S3TestClient {
    /// Sends a request as it stands.
    fileprivate func raw(
        _ method: HTTPMessages.Method, _ path: String, query: String = "",
        headers: [(String, String)] = [], body: [UInt8] = [], host: String = "localhost:9000"
    ) throws -> Answer {
        try Answer(
            handler.respond(
                to: Request(
                    method: method, rawPath: path, rawQuery: query,
                    fields: Fields([("Host", host)] + headers), body: PiecesBody(body),
                    requestID: "r1")))
    }

    /// The query of a presigned URL: the signed items, then the signature over `text`, in which `@` stands for
    /// the time at which it ends.
    fileprivate func presigned2(
        _ text: String, items: String = "", seconds: Int64 = 60, key: String = "AK",
        secret: String = "secret"
    ) -> String {
        let end = "\((clock.now() as WallTime).seconds + seconds)"
        let signature = PercentCoding.encode(
            sign(text.replacing("@", with: end), secret: secret))
        return (items.isEmpty ? "" : items + "&")
            + "AWSAccessKeyId=\(key)&Signature=\(signature)&Expires=\(end)"
    }
}

@Suite struct SignatureV2Tests {
    let client: S3TestClient

    init() throws {
        client = try S3TestClient()
        _ = try client.send(.put, "/bucket/a%20b/k", body: Array("hello".utf8))
    }

    /// The guide's own examples: "Signing and Authenticating REST Requests", section "Examples".
    @Test(
        "the examples of the guide are accepted at their time",
        arguments: [
            (
                HTTPMessages.Method.put, "/johnsmith/photos/puppy.jpg", 1_175_030_145 as Int64,
                [
                    ("Content-Type", "image/jpeg"), ("Date", "Tue, 27 Mar 2007 21:15:45 +0000"),
                    (
                        "Authorization",
                        "AWS AKIAIOSFODNN7EXAMPLE:MyyxeRY7whkBe+bq8fHCL/2kKUg="
                    ),
                ], "", 200
            ),
            (
                .get, "/johnsmith/photos/puppy.jpg", 1_175_024_202,
                [
                    ("Date", "Tue, 27 Mar 2007 19:36:42 +0000"),
                    (
                        "Authorization",
                        "AWS AKIAIOSFODNN7EXAMPLE:bWq2s1WEIj+Ydj0vQ697zp+IXMU="
                    ),
                ], "", 200
            ),
            (
                .get, "/johnsmith/photos/puppy.jpg", 1_175_139_620, [],
                "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
                    + "&Expires=1175139620", 200
            ),
            (
                .get, "/johnsmith/photos/puppy.jpg", 1_175_139_621, [],
                "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
                    + "&Expires=1175139620", 403
            ),
            (
                .get, "/johnsmith/", 1_175_024_561,
                [
                    ("Date", "Tue, 27 Mar 2007 19:42:41 +0000"),
                    (
                        "Authorization",
                        "AWS AKIAIOSFODNN7EXAMPLE:htDYFYduRNen8P9ZfE/s9SuKy0U="
                    ),
                ], "prefix=photos&max-keys=50&marker=puppy", 200
            ),
            (
                .put, "/static.johnsmith.net/db-backup.dat.gz", 1_175_029_568,
                [
                    ("x-amz-acl", "public-read"), ("content-type", "application/x-download"),
                    ("Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="),
                    ("X-Amz-Meta-ReviewedBy", "joe@johnsmith.net"),
                    ("X-Amz-Meta-ReviewedBy", "jane@johnsmith.net"),
                    ("X-Amz-Meta-FileChecksum", "0x02661779"),
                    ("X-Amz-Meta-ChecksumAlgorithm", "crc32"),
                    ("Date", "Tue, 27 Mar 2007 21:06:08 +0000"),
                    (
                        "Authorization",
                        "AWS AKIAIOSFODNN7EXAMPLE:ilyl83RwaSoYIEdixDQcA4OnAnc="
                    ),
                    // The signature is good: what is refused is that an object be public by its ACL.
                ], "", 400
            ),
        ] as [(HTTPMessages.Method, String, Int64, [(String, String)], String, Int)])
    func guide(
        method: HTTPMessages.Method, path: String, seconds: Int64, headers: [(String, String)],
        query: String, status: Int
    ) throws {
        let client = try S3TestClient(credentials: GuideCredentials(), makesBucket: false)
        for bucket in ["/johnsmith", "/static.johnsmith.net"] { _ = try client.send(.put, bucket) }
        _ = try client.send(.put, "/johnsmith/photos/puppy.jpg", body: [1])
        client.clock.set(WallTime(seconds: seconds))
        let answer = try client.raw(
            method, path, query: query, headers: headers, body: method == .put ? [1] : [])
        #expect(answer.status == status, "\(answer.code ?? "")")
        if status == 400 { #expect(answer.code == "AccessControlListNotSupported") }
    }

    @Test func aPresignedURLReads() throws {
        let query = client.presigned2("GET\n\n\n@\n/bucket/a%20b/k")
        let answer = try client.raw(.get, "/bucket/a%20b/k", query: query)
        #expect(answer.status == 200, "\(answer.code ?? "")")
        #expect(answer.body == Array("hello".utf8))
    }

    @Test func headersOfTheAnswerAreSignedInTheClear() throws {
        let query = client.presigned2(
            "GET\n\n\n@\n/bucket/a%20b/k?response-content-disposition=attachment; "
                + #"filename="x+y.txt"&response-content-type=text/x"#,
            items:
                "response-content-type=text%2Fx&response-content-disposition=attachment%3B%20filename"
                + "%3D%22x%2By.txt%22")
        let answer = try client.raw(.get, "/bucket/a%20b/k", query: query)
        #expect(answer.status == 200, "\(answer.code ?? "")")
        #expect(answer.fields["Content-Type"] == "text/x")
        #expect(answer.fields["Content-Disposition"] == #"attachment; filename="x+y.txt""#)
    }

    @Test func theBucketOfAHostNameIsPartOfThePath() throws {
        let host = "bucket.s3.localhost:9000"
        let good = client.presigned2("GET\n\n\n@\n/bucket/a%20b/k")
        #expect(try client.raw(.get, "/a%20b/k", query: good, host: host).status == 200)
        let bare = client.presigned2("GET\n\n\n@\n/a%20b/k")
        #expect(
            try client.raw(.get, "/a%20b/k", query: bare, host: host).code
                == "SignatureDoesNotMatch")
    }

    @Test func headersInTheQueryCountAsHeaders() throws {
        let query = client.presigned2(
            "PUT\n\ntext/x\n@\nx-amz-acl:private\nx-amz-meta-a:b c\n/bucket/new",
            items: "content-type=text%2Fx&x-amz-meta-a=b%20c&x-amz-acl=private")
        let typed = [("Content-Type", "text/x")]
        let put = try client.raw(.put, "/bucket/new", query: query, headers: typed, body: [7])
        #expect(put.status == 200, "\(put.code ?? "")")
        let read = try client.send(.get, "/bucket/new")
        #expect(read.fields["x-amz-meta-a"] == "b c")
        #expect(read.fields["Content-Type"] == "text/x")
        // The signed type has to be sent, as everywhere.
        #expect(
            try client.raw(.put, "/bucket/new", query: query, body: [7]).code
                == "SignatureDoesNotMatch")
        let copy = client.presigned2(
            "PUT\n\n\n@\nx-amz-copy-source:bucket/new\n/bucket/copy",
            items: "x-amz-copy-source=bucket%2Fnew")
        #expect(try client.raw(.put, "/bucket/copy", query: copy).status == 200)
        #expect(try client.send(.get, "/bucket/copy").body == [7])
    }

    @Test func anEmptyItemIsSignedWithOrWithoutItsSign() throws {
        for (items, resource) in [
            ("uploads", "?uploads"), ("uploads=", "?uploads"), ("uploads=", "?uploads="),
        ] {
            let query = client.presigned2("POST\n\n\n@\n/bucket/m\(resource)", items: items)
            #expect(try client.raw(.post, "/bucket/m", query: query).status == 200, "\(items)")
        }
    }

    @Test(arguments: ["/bucket", "/bucket/"])
    func aBucketIsSignedWithOrWithoutItsSlash(path: String) throws {
        let query = client.presigned2("GET\n\n\n@\n\(path)", items: "list-type=2&prefix=a")
        #expect(try client.raw(.get, "/bucket", query: query).status == 200)
        #expect(
            try client.raw(.get, "/bucket/k/", query: query).code == "SignatureDoesNotMatch")
    }

    @Test func temporaryCredentialsCarryTheirToken() throws {
        _ = try client.send(.put, "/bucket/mine/x", body: [1])
        let good = client.presigned2(
            "GET\n\n\n@\nx-amz-security-token:token\n/bucket/mine/x",
            items: "x-amz-security-token=token", key: "LIMITED")
        #expect(try client.raw(.get, "/bucket/mine/x", query: good).status == 200)
        let other = client.presigned2(
            "GET\n\n\n@\nx-amz-security-token:other\n/bucket/mine/x",
            items: "x-amz-security-token=other", key: "LIMITED")
        #expect(try client.raw(.get, "/bucket/mine/x", query: other).code == "InvalidToken")
        let beyond = client.presigned2(
            "GET\n\n\n@\nx-amz-security-token:token\n/bucket/a%20b/k",
            items: "x-amz-security-token=token", key: "LIMITED")
        #expect(try client.raw(.get, "/bucket/a%20b/k", query: beyond).code == "AccessDenied")
    }

    /// What is changed in a good URL, and the answer.
    enum Bend: String, CaseIterable {
        case signature, noSignature, noExpires, wordExpires, laterExpires, path, method, typed, md5
        case amzHeader, subresource, responseItem, unknownKey, expiredKey, secret, expired
        case unsignedChoice

        var code: String {
            switch self {
            case .unknownKey: "InvalidAccessKeyId"
            case .expiredKey: "ExpiredToken"
            case .noSignature, .noExpires, .wordExpires, .expired, .unsignedChoice: "AccessDenied"
            default: "SignatureDoesNotMatch"
            }
        }

        var words: String {
            switch self {
            case .noSignature, .noExpires, .unsignedChoice: "signature version 2"
            case .expired: "Request has expired"
            case .wordExpires: "seconds since epoch"
            case .unknownKey: "does not exist"
            case .expiredKey: "expired"
            default: "by signature version 2"
            }
        }
    }

    @Test(arguments: Bend.allCases)
    func aBentURLIsRefused(bend: Bend) throws {
        var query = client.presigned2("GET\n\n\n@\n/bucket/a%20b/k")
        let end = (client.clock.now() as WallTime).seconds + 60
        var method = HTTPMessages.Method.get
        var path = "/bucket/a%20b/k"
        var headers: [(String, String)] = []
        switch bend {
        case .signature: query = query.replacing("Signature=", with: "Signature=AAAA")
        case .noSignature: query = "AWSAccessKeyId=AK&Expires=\(end)"
        case .noExpires: query = query.replacing("&Expires=\(end)", with: "")
        case .wordExpires: query = query.replacing("Expires=\(end)", with: "Expires=tomorrow")
        case .laterExpires: query = query.replacing("Expires=\(end)", with: "Expires=\(end + 1)")
        case .path: path = "/bucket/a%20b/l"
        case .method: method = .delete
        case .typed: headers = [("Content-Type", "text/plain")]
        case .md5: headers = [("Content-MD5", "4gJE4saaMU4BqNR0kLY+lw==")]
        case .amzHeader: headers = [("x-amz-meta-a", "b")]
        case .subresource: query = "tagging&" + query
        case .responseItem: query += "&response-content-type=text%2Fhtml"
        case .unknownKey: query = query.replacing("AWSAccessKeyId=AK", with: "AWSAccessKeyId=NO")
        case .expiredKey: query = query.replacing("AWSAccessKeyId=AK", with: "AWSAccessKeyId=OLD")
        case .secret: query = client.presigned2("GET\n\n\n@\n/bucket/a%20b/k", secret: "guess")
        case .expired: client.clock.advance(by: .seconds(61))
        case .unsignedChoice: query = "attributes&" + query
        }
        let answer = try client.raw(method, path, query: query, headers: headers)
        #expect(answer.status == 403)
        #expect(answer.code == bend.code)
        let message = answer.xml?.text(of: "Message") ?? ""
        #expect(message.contains(bend.words), "\(message)")
        // The object is still there: a refused DELETE deleted nothing.
        #expect(try client.send(.get, "/bucket/a%20b/k").status == 200)
    }

    /// A URL for putting an object must not lock it.
    @Test(arguments: ["retention", "legal-hold"])
    func anUnsignedItemChoosesNoOtherOperation(item: String) throws {
        let query = item + "&" + client.presigned2("PUT\n\n\n@\n/bucket/k")
        let answer = try client.raw(.put, "/bucket/k", query: query, body: [1])
        #expect(answer.code == "AccessDenied" && answer.status == 403)
    }

    @Test func theHeadersTimeIsChecked() throws {
        let now = (client.clock.now() as WallTime).seconds
        func answer(_ seconds: Int64, amz: Bool) throws -> Answer {
            let date = HTTPDate.format(seconds)
            let lines = amz ? "\nx-amz-date:\(date)" : date
            let signature = sign("GET\n\n\n\(lines)\n/bucket/a%20b/k")
            return try client.raw(
                .get, "/bucket/a%20b/k",
                headers: [
                    (amz ? "x-amz-date" : "Date", date), ("Authorization", "AWS AK:\(signature)"),
                ])
        }
        for amz in [false, true] {
            #expect(try answer(now, amz: amz).status == 200)
            #expect(try answer(now - 899, amz: amz).status == 200)
            #expect(try answer(now - 901, amz: amz).code == "RequestTimeTooSkewed")
            #expect(try answer(now + 901, amz: amz).code == "RequestTimeTooSkewed")
        }
        let undated = try client.raw(
            .get, "/bucket/a%20b/k", headers: [("Authorization", "AWS AK:AAAA")])
        #expect(undated.code == "AccessDenied")
        let malformed = try client.raw(
            .get, "/bucket/a%20b/k", headers: [("Authorization", "AWS AK")])
        #expect(malformed.code == "AuthorizationHeaderMalformed")
    }

    @Test func aBucketsPolicyMayRefuseTheVersion() throws {
        let server = try PeopledServer()
        _ = try server.send("eng", .put, "/bucket/k", body: [1])
        let bend = try #require(server.bends["eng"])
        let query = server.client.presigned2(
            "GET\n\n\n@\n/bucket/k", key: bend.accessKey, secret: bend.secret)
        #expect(try server.client.raw(.get, "/bucket/k", query: query).status == 200)
        try server.policy(
            #"{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*","Condition":{"StringNotEquals":{"s3:signatureversion":"AWS4-HMAC-SHA256"}}}"#
        )
        #expect(try server.client.raw(.get, "/bucket/k", query: query).code == "AccessDenied")
        #expect(try server.send("eng", .get, "/bucket/k").status == 200)
        try server.policy(
            #"{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*","Condition":{"StringEquals":{"s3:authType":"REST-QUERY-STRING"}}}"#
        )
        #expect(try server.client.raw(.get, "/bucket/k", query: query).code == "AccessDenied")
        #expect(try server.send("eng", .get, "/bucket/k").status == 200)
    }
}

@Suite struct FormV2Tests {
    let client: S3TestClient

    init() throws { client = try S3TestClient() }

    /// `{"expiration":…,"conditions":[{"bucket":"bucket"},["starts-with","$key","u/"]]}`.
    private func form(
        key: String = "u/x", accessKey: String? = "AK", expiration: String = "2099-01-01T00:00:00Z",
        signature: (String) -> String? = { sign($0) }, extra: [(String, String)] = []
    ) throws -> Answer {
        let policy = base64Text(
            Array(
                #"{"expiration":"\#(expiration)","conditions":[{"bucket":"bucket"},["starts-with","$key","u/"]]}"#
                    .utf8))
        var fields = [("key", key), ("policy", policy)] + extra
        if let accessKey { fields.append(("AWSAccessKeyId", accessKey)) }
        if let signature = signature(policy) { fields.append(("signature", signature)) }
        var body = ""
        for (name, value) in fields {
            body +=
                "--xYz\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }
        body +=
            "--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
            + "hello\r\n--xYz--\r\n"
        return try client.sendUnsigned(
            .post, "/bucket", headers: [("Content-Type", "multipart/form-data; boundary=xYz")],
            body: Array(body.utf8))
    }

    @Test func aSignedFormPutsTheObject() throws {
        #expect(try form().status == 204)
        #expect(try client.send(.get, "/bucket/u/x").body == Array("hello".utf8))
    }

    @Test func formsThatAreNotWhatWasSignedAreRefused() throws {
        #expect(try form(key: "v/x").code == "AccessDenied")
        #expect(try form(extra: [("x-amz-meta-a", "b")]).code == "AccessDenied")
        #expect(try form(accessKey: nil).code == "AccessDenied")
        #expect(try form(accessKey: "NO").code == "InvalidAccessKeyId")
        #expect(try form(expiration: "2001-01-01T00:00:00Z").code == "AccessDenied")
        #expect(try form(signature: { _ in nil }).code == "InvalidArgument")
        let forged = try form(signature: { sign($0, secret: "guess") })
        #expect(forged.code == "SignatureDoesNotMatch" && forged.status == 403)
        #expect(forged.xml?.text(of: "Message")?.contains("version 2") == true)
        for key in ["u/x", "v/x"] {
            #expect(try client.send(.get, "/bucket/\(key)").code == "NoSuchKey")
        }
    }
}
