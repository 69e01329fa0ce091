import Bytes
import CivilTime
import Cryptography
import HTTPMessages
import Platform
import Testing
import XML

/// What S3 refuses by name and a lenient server would quietly misunderstand.
@Suite struct RefusedInputTests {
    let client: S3TestClient

    init() throws {
        client = try S3TestClient()
        _ = try client.send(.put, "/bucket/k", body: Array("hello".utf8))
    }

    @Test func anEmptyVersionIsNone() throws {
        for method in [HTTPMessages.Method.get, .delete] {
            let answer = try client.send(method, "/bucket/k", query: "versionId=")
            #expect(answer.status == 400)
            #expect(answer.code == "InvalidArgument")
        }
        let copy = try client.send(
            .put, "/bucket/c", headers: [("x-amz-copy-source", "bucket/k?versionId=")])
        #expect(copy.code == "InvalidArgument")
        #expect(try client.send(.get, "/bucket/k").status == 200)
    }

    @Test func nobodyWithoutANameChoosesTheHeadersOfAnAnswer() throws {
        let server = try PeopledServer()
        _ = try server.send("root", .put, "/bucket/k", body: [1])
        try server.policy(
            #"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}"#
        )
        let query = "response-content-type=text%2Fhtml"
        for method in [HTTPMessages.Method.get, .head] {
            #expect(try server.send(nil, method, "/bucket/k").status == 200)
            #expect(try server.send(nil, method, "/bucket/k", query: query).status == 400)
        }
        #expect(
            try server.send(nil, .get, "/bucket/k", query: query).code == "InvalidRequest")
        // An unknown one changes nothing; who signs may.
        #expect(try server.send(nil, .get, "/bucket/k", query: "response-x=y").status == 200)
        let own = try server.send("root", .get, "/bucket/k", query: query)
        #expect(own.fields["Content-Type"] == "text/html")
    }

    @Test func theLockOfAnObjectIsSeenWithoutTheBucket() throws {
        let server = try PeopledServer()
        _ = try server.send(
            "root", .put, "/vault", headers: [("x-amz-bucket-object-lock-enabled", "true")])
        _ = try server.send(
            "root", .put, "/vault/k",
            headers: [
                ("x-amz-object-lock-mode", "GOVERNANCE"),
                ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00Z"),
                ("x-amz-object-lock-legal-hold", "ON"),
            ], body: [1])
        func status(_ query: String) throws -> Int {
            try server.send("none", .get, "/vault/k", query: query).status
        }
        #expect(try [status("retention"), status("legal-hold")] == [403, 403])
        let text =
            #"{"Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObjectRetention","s3:GetObjectLegalHold"],"Resource":"arn:aws:s3:::vault/*"}]}"#
        _ = try server.send("root", .put, "/vault", query: "policy", body: Array(text.utf8))
        #expect(try [status("retention"), status("legal-hold")] == [200, 200])
        #expect(try server.send("none", .get, "/vault/k").status == 403)
        _ = try server.send("root", .put, "/bucket/k", body: [1])
        #expect(
            try server.send("root", .get, "/bucket/k", query: "retention").code
                == "InvalidRequest")
    }

    @Test(
        "a copy has the checksum that is asked for",
        arguments: [
            ("crc32", "CRC32", "NhCmhg=="), ("sha1", "SHA1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ])
    func copies(name: String, algorithm: String, value: String) throws {
        for target in ["c", "k"] {
            let copy = try client.send(
                .put, "/bucket/\(target)",
                headers: [
                    ("x-amz-copy-source", "bucket/k"), ("x-amz-checksum-algorithm", algorithm),
                ])
            #expect(copy.status == 200)
            #expect(copy.xml?.text(of: "Checksum\(algorithm)") == value)
            #expect(copy.xml?.text(of: "ChecksumType") == "FULL_OBJECT")
            let head = try client.send(
                .head, "/bucket/\(target)", headers: [("x-amz-checksum-mode", "ENABLED")])
            #expect(head.fields["x-amz-checksum-\(name)"] == value)
        }
        let unknown = try client.send(
            .put, "/bucket/c",
            headers: [("x-amz-copy-source", "bucket/k"), ("x-amz-checksum-algorithm", "MD4")])
        #expect(unknown.code == "InvalidRequest")
    }

    @Test func aCopyOfPartsIsSummedWhole() throws {
        let begun = try client.send(
            .post, "/bucket/m", query: "uploads", headers: [("x-amz-checksum-algorithm", "SHA256")])
        let id = try #require(begun.xml?.text(of: "UploadId"))
        let contents = [pattern(1500), pattern(40, seed: 2)]
        var listed = ""
        for (index, content) in contents.enumerated() {
            let part = try client.send(
                .put, "/bucket/m", query: "partNumber=\(index + 1)&uploadId=\(id)",
                headers: [("x-amz-checksum-sha256", base64Text(Digest.sha256(content)))],
                body: content)
            let etag = try #require(part.fields["ETag"])
            listed += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(etag)</ETag></Part>"
        }
        let done = try client.send(
            .post, "/bucket/m", query: "uploadId=\(id)",
            body: Array("<CompleteMultipartUpload>\(listed)</CompleteMultipartUpload>".utf8))
        #expect(done.status == 200)
        for (index, content) in contents.enumerated() {
            // Read by itself, a part has the checksum of its own bytes.
            let part = try client.send(
                .get, "/bucket/m", query: "partNumber=\(index + 1)",
                headers: [("x-amz-checksum-mode", "ENABLED")])
            #expect(part.body == content)
            #expect(part.fields["x-amz-checksum-sha256"] == base64Text(Digest.sha256(content)))
            #expect(part.fields["x-amz-checksum-type"] == "COMPOSITE")
        }
        let range = try client.send(
            .get, "/bucket/m",
            headers: [("x-amz-checksum-mode", "ENABLED"), ("range", "bytes=0-1499")])
        #expect(range.fields["x-amz-checksum-sha256"] == nil)
        let copy = try client.send(
            .put, "/bucket/c",
            headers: [("x-amz-copy-source", "bucket/m"), ("x-amz-checksum-algorithm", "SHA256")])
        #expect(
            copy.xml?.text(of: "ChecksumSHA256")
                == base64Text(Digest.sha256(contents.flatMap { $0 })))
    }

    @Test func aPartIsSummedAsItsUpload() throws {
        let begun = try client.send(
            .post, "/bucket/m", query: "uploads", headers: [("x-amz-checksum-algorithm", "SHA256")])
        let id = try #require(begun.xml?.text(of: "UploadId"))
        func put(_ headers: [(String, String)]) throws -> Answer {
            try client.send(
                .put, "/bucket/m", query: "partNumber=1&uploadId=\(id)", headers: headers, body: [])
        }
        let other = try put([("x-amz-checksum-crc32", "AAAAAA==")])
        #expect(other.status == 400)
        #expect(other.code == "InvalidRequest")
        #expect(try put([("x-amz-sdk-checksum-algorithm", "CRC32C")]).code == "InvalidRequest")
        let own = base64Text(Digest.sha256([]))
        #expect(try put([("x-amz-checksum-sha256", own)]).status == 200)
        // One that names none is summed all the same.
        #expect(try put([]).fields["x-amz-checksum-sha256"] == own)
    }

    @Test(
        "lifecycle rules",
        arguments: [
            ("<Expiration><Days>1</Days></Expiration>", nil),
            ("<Expiration><Days>0</Days></Expiration>", "InvalidArgument"),
            ("<Expiration><Days>-3</Days></Expiration>", "InvalidArgument"),
            ("<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>", nil),
            ("<Expiration><Date>2030-01-01T00:00:01Z</Date></Expiration>", "InvalidArgument"),
            (
                "<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>",
                "InvalidArgument"
            ),
            (Self.abort, nil), (Self.filter(Self.prefix) + Self.abort, nil),
            (Self.filter(Self.tag) + Self.abort, "InvalidRequest"),
            (
                Self.filter("<And>\(Self.prefix)\(Self.tag)</And>") + Self.abort
                    + "<Expiration><Days>1</Days></Expiration>", "InvalidRequest"
            ),
            (
                Self.filter("<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>") + Self.abort,
                "InvalidRequest"
            ),
            (
                Self.filter(Self.tag)
                    + "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
                "InvalidRequest"
            ),
            (
                Self.filter(Self.prefix + Self.tag) + "<Expiration><Days>1</Days></Expiration>",
                "MalformedXML"
            ),
            (
                Self.filter("<And>\(Self.tag)\(Self.tag)</And>")
                    + "<Expiration><Days>1</Days></Expiration>", "InvalidRequest"
            ),
        ] as [(String, String?)])
    func lifecycles(rule: String, code: String?) throws {
        let answer = try put(rules: ["<ID>r</ID><Status>Enabled</Status>" + rule])
        #expect(answer.code == code)
        #expect(answer.status == (code == nil ? 200 : 400))
    }

    @Test func aPrefixIsShownAsItWasPut() throws {
        let rule = "<ID>r</ID><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>"
        for (form, isPlain) in [(Self.prefix, true), (Self.filter(Self.prefix), false)] {
            #expect(try put(rules: [rule + form]).status == 200)
            let shown = try #require(
                try client.send(.get, "/bucket", query: "lifecycle").xml?.first("Rule"))
            #expect(shown.text(of: "Prefix") == (isPlain ? "a/" : nil))
            #expect(shown.first("Filter")?.text(of: "Prefix") == (isPlain ? nil : "a/"))
        }
    }

    @Test func lifecyclesHaveUniqueNamesAndAnEnd() throws {
        let rule = "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration>"
        #expect(try put(rules: ["<ID>a</ID>" + rule, "<ID>b</ID>" + rule]).status == 200)
        #expect(
            try put(rules: ["<ID>a</ID>" + rule, "<ID>a</ID>" + rule]).code == "InvalidArgument")
        func many(_ count: Int) -> [String] { (0..<count).map { "<ID>\($0)</ID>" + rule } }
        #expect(try put(rules: many(1000)).status == 200)
        #expect(try put(rules: many(1001)).code == "MalformedXML")
    }

    private static let abort =
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
    private static let prefix = "<Prefix>a/</Prefix>"
    private static let tag = "<Tag><Key>t</Key><Value>v</Value></Tag>"
    private static func filter(_ text: String) -> String { "<Filter>\(text)</Filter>" }

    private func put(rules: [String]) throws -> Answer {
        let text = rules.map { "<Rule>\($0)</Rule>" }.joined()
        return try client.send(
            .put, "/bucket", query: "lifecycle",
            body: Array("<LifecycleConfiguration>\(text)</LifecycleConfiguration>".utf8))
    }

    @Test func aDeletionMayWantASizeAndATime() throws {
        let head = try client.send(.head, "/bucket/k")
        let modified = try #require(head.fields["Last-Modified"])
        let size = "x-amz-if-match-size"
        let time = "x-amz-if-match-last-modified-time"
        func delete(_ name: String, _ value: String) throws -> Int {
            try client.send(.delete, "/bucket/k", headers: [(name, value)]).status
        }
        #expect(try delete(size, "4") == 412)
        #expect(try delete(size, "many") == 400)
        #expect(try delete(time, "Wed, 01 Jan 2020 00:00:00 GMT") == 412)
        #expect(try delete(time, "yesterday") == 400)
        #expect(try client.send(.head, "/bucket/k").status == 200)
        #expect(
            try client.send(.delete, "/bucket/k", headers: [(size, "5"), (time, modified)]).status
                == 204)
        #expect(try client.send(.head, "/bucket/k").status == 404)
        // Nothing is there to be spared.
        #expect(try delete(size, "4") == 204)
    }

    @Test func deletionsOfManyMayWantASizeAndATime() throws {
        for key in ["a", "b", "c"] { _ = try client.send(.put, "/bucket/\(key)", body: [1]) }
        let time = CivilFormat.rfc3339(utc: client.clock.now().microseconds, precision: 0)
        let objects = [
            "<Key>a</Key><Size>2</Size>", "<Key>b</Key><Size>1</Size>",
            "<Key>c</Key><LastModifiedTime>2020-01-01T00:00:00Z</LastModifiedTime>",
            "<Key>k</Key><LastModifiedTime>\(time)</LastModifiedTime>",
        ].map { "<Object>\($0)</Object>" }.joined()
        let answer = try client.send(
            .post, "/bucket", query: "delete", body: Array("<Delete>\(objects)</Delete>".utf8))
        let xml = try #require(answer.xml)
        #expect(xml.all("Deleted").compactMap { $0.text(of: "Key") } == ["b", "k"])
        #expect(xml.all("Error").compactMap { $0.text(of: "Key") } == ["a", "c"])
        #expect(
            xml.all("Error").compactMap { $0.text(of: "Code") }
                == ["PreconditionFailed", "PreconditionFailed"])
    }

    @Test func aVersionIsComparedAndNotThePresentOne() throws {
        let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        _ = try client.send(.put, "/bucket", query: "versioning", body: Array(on.utf8))
        let first = try client.send(.put, "/bucket/v", body: [1])
        let id = try #require(first.fields["x-amz-version-id"])
        _ = try client.send(.put, "/bucket/v", body: [1, 2])
        func delete(_ headers: [(String, String)]) throws -> Int {
            try client.send(.delete, "/bucket/v", query: "versionId=\(id)", headers: headers).status
        }
        #expect(try delete([("x-amz-if-match-size", "2")]) == 412)
        #expect(try delete([("if-match", "\"other\"")]) == 412)
        #expect(
            try delete([
                ("x-amz-if-match-size", "1"), ("if-match", try #require(first.fields["ETag"])),
            ]) == 204)
    }
}
