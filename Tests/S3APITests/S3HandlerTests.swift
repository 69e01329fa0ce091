import Platform
import Bytes
import Cryptography
import HTTPMessages
import Testing
import XML

@Suite struct SignatureTests {
    let client: S3TestClient

    init() throws {
        client = try S3TestClient()
        _ = try client.send(.put, "/bucket/k", body: Array("hello".utf8))
    }

    /// The example of "Authenticating Requests: Using Query Parameters" in the S3 API Reference fixes the
    /// derivation of the key; here both sides could be wrong alike.
    @Test func theSigningKeyIsThatOfTheReference() {
        let parts = ["20130524", "us-east-1", "s3", "aws4_request"]
        let key = parts.reduce(Array("AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".utf8)) {
            HMAC.sha256(key: $0, $1)
        }
        let text = """
            AWS4-HMAC-SHA256
            20130524T000000Z
            20130524/us-east-1/s3/aws4_request
            3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04
            """
        #expect(
            hexText(HMAC.sha256(key: key, text))
                == "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test(
        "what is forged, old or unknown is refused",
        arguments: [
            ("AK", "wrong", nil, [], "SignatureDoesNotMatch"),
            ("NOBODY", "secret", nil, [], "InvalidAccessKeyId"),
            ("OLD", "secret", nil, [], "ExpiredToken"),
            ("LIMITED", "secret", nil, [], "InvalidToken"),
            ("AK", "secret", "/bucket/other", [], "SignatureDoesNotMatch"),
            ("AK", "secret", nil, ["x-amz-meta-a"], "AccessDenied"),
        ] as [(String, String, String?, [String], String)])
    func refusals(key: String, secret: String, sent: String?, added: [String], code: String) throws
    {
        let bend = S3TestClient.Bend(
            accessKey: key, secret: secret, unsigned: added.map { ($0, "x") }, sentPath: sent)
        let answer = try client.send(.get, "/bucket/k", bend: bend)
        #expect(answer.code == code)
        #expect(answer.status >= 400 && answer.status < 500)
    }

    @Test func anonymousRequestsAreRefused() throws {
        let answer = try client.sendPresigned(.get, "/bucket/k", "")
        #expect(answer.status == 403)
        #expect(answer.code == "AccessDenied")
    }

    @Test(arguments: [("000000000000", true), ("123456789012", false)])
    func theBucketsOwnerIsTheOneThatIsExpected(owner: String, isAllowed: Bool) throws {
        let field = [("x-amz-expected-bucket-owner", owner)]
        let read = try client.send(.get, "/bucket/k", headers: field)
        #expect(read.status == (isAllowed ? 200 : 403))
        if !isAllowed { #expect(read.code == "AccessDenied") }
        let put = try client.send(.put, "/bucket/owned", headers: field, body: [1])
        #expect(put.status == (isAllowed ? 200 : 403))
    }

    @Test func aClockThatIsOffIsTold() throws {
        let query = client.presigned(.get, "/bucket/k")
        let request = try client.send(.get, "/bucket/k")
        #expect(request.status == 200)
        client.clock.advance(by: .seconds(59))
        #expect(try client.sendPresigned(.get, "/bucket/k", query).body == Array("hello".utf8))
        client.clock.advance(by: .seconds(2))
        #expect(try client.sendPresigned(.get, "/bucket/k", query).code == "AccessDenied")
    }

    @Test func presignedURLsAreBoundToMethodAndPath() throws {
        let query = client.presigned(.get, "/bucket/k")
        #expect(try client.sendPresigned(.get, "/bucket/l", query).code == "SignatureDoesNotMatch")
        #expect(
            try client.sendPresigned(.delete, "/bucket/k", query).code == "SignatureDoesNotMatch")
        #expect(
            try client.sendPresigned(.get, "/bucket/k", query + "&response-content-type=a").code
                == "SignatureDoesNotMatch")
        let week = client.presigned(.get, "/bucket/k", expires: 604_801)
        #expect(
            try client.sendPresigned(.get, "/bucket/k", week).code
                == "AuthorizationQueryParametersError")
        let put = client.presigned(.put, "/bucket/new")
        #expect(try client.sendPresigned(.put, "/bucket/new", put, body: [1, 2]).status == 200)
        #expect(try client.send(.get, "/bucket/new").body == [1, 2])
    }

    @Test func aBodyThatIsNotTheSignedOneIsRefused() throws {
        let bend = S3TestClient.Bend(payload: hexText(Digest.sha256("another")))
        let answer = try client.send(.put, "/bucket/k", body: Array("changed".utf8), bend: bend)
        #expect(answer.code == "XAmzContentSHA256Mismatch")
        #expect(try client.send(.get, "/bucket/k").body == Array("hello".utf8))
    }

    @Test func temporaryCredentialsKeepToTheirLimits() throws {
        _ = try client.send(.put, "/bucket/mine/a", body: [7])
        let bend = S3TestClient.Bend(accessKey: "LIMITED")
        let token = [("x-amz-security-token", "token")]
        #expect(try client.send(.get, "/bucket/mine/a", headers: token, bend: bend).body == [7])
        for (method, path) in [
            (Method.get, "/bucket/k"), (.put, "/bucket/mine/a"), (.get, "/bucket"),
        ] {
            #expect(
                try client.send(method, path, headers: token, bend: bend).code == "AccessDenied")
        }
        let copy = token + [("x-amz-copy-source", "/bucket/mine/a")]
        #expect(
            try client.send(.put, "/bucket/mine/b", headers: copy, bend: bend).code
                == "AccessDenied")
    }

    @Test func theHostMayNameTheBucket() throws {
        let bend = S3TestClient.Bend(host: "bucket.s3.localhost:9000")
        #expect(try client.send(.get, "/k", bend: bend).body == Array("hello".utf8))
    }
}

@Suite struct ChunkedBodyTests {
    let client: S3TestClient
    let chunks = [pattern(65_536), pattern(10_000, seed: 2)]

    init() throws { client = try S3TestClient() }

    private var crc: String {
        let value = crc32(chunks.flatMap { $0 })
        return base64Text(withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    @Test(arguments: [(true, false), (true, true), (false, true)])
    func everyFormIsRead(isSigned: Bool, hasTrailer: Bool) throws {
        let answer = try client.sendChunked(
            "/bucket/k", chunks: chunks, isSigned: isSigned,
            trailer: hasTrailer ? ("x-amz-checksum-crc32", crc) : nil)
        #expect(answer.status == 200, "\(answer.xml.debugDescription)")
        if hasTrailer { #expect(answer.fields["x-amz-checksum-crc32"] == crc) }
        let read = try client.send(.get, "/bucket/k", headers: [("x-amz-checksum-mode", "ENABLED")])
        #expect(read.body == chunks.flatMap { $0 })
        #expect(read.fields["Content-Encoding"] == nil)
        #expect(read.fields["x-amz-checksum-crc32"] == (hasTrailer ? crc : nil))
    }

    @Test func aWrongTrailerIsABadDigest() throws {
        let answer = try client.sendChunked(
            "/bucket/k", chunks: chunks, isSigned: false,
            trailer: ("x-amz-checksum-crc32", "AAAAAA=="))
        #expect(answer.code == "BadDigest")
        #expect(try client.send(.get, "/bucket/k").code == "NoSuchKey")
    }

    /// Each spoils the framed bytes somewhere: in a chunk, a signature, a size, the trailer, the end.
    @Test(
        arguments: [100, 30, 0, 65_536 + 300, -20, -60, -150]
    )
    func aChangedByteIsRefused(place: Int) throws {
        let answer = try client.sendChunked(
            "/bucket/k", chunks: chunks, isSigned: true, trailer: ("x-amz-checksum-crc32", crc)
        ) { framed in
            let index = place < 0 ? framed.count + place : place
            framed[index] = framed[index] == 0x39 ? 0x38 : 0x39
        }
        #expect(answer.status == 400 || answer.status == 403)
        #expect(try client.send(.get, "/bucket/k").code == "NoSuchKey")
    }

    @Test func aBodyThatIsCutAnywhereIsRefused() throws {
        for cut in [1, 3, 50, 200, 5000, 70_000] {
            let answer = try client.sendChunked(
                "/bucket/k", chunks: chunks, isSigned: true, trailer: ("x-amz-checksum-crc32", crc)
            ) { $0.removeLast(cut) }
            // Without the last line end nothing of what was signed is missing.
            if cut > 3 { #expect(answer.status == 400 || answer.status == 403, "cut \(cut)") }
        }
    }

    @Test func theAnnouncedLengthMustCome() throws {
        let answer = try client.sendChunked(
            "/bucket/k", chunks: chunks, isSigned: true, trailer: nil, declared: 5)
        #expect(answer.code == "IncompleteBody")
    }
}

@Suite struct ObjectOperationTests {
    let client: S3TestClient

    init() throws { client = try S3TestClient() }

    @Test func objectsRoundTripWithTheirHeaders() throws {
        let body = pattern(700_000)
        let put = try client.send(
            .put, "/bucket/a%20b/%C3%A9",
            headers: [
                ("content-type", "text/x"), ("x-amz-meta-name", "v"), ("cache-control", "no-store"),
                ("content-encoding", "aws-chunked,gzip"),
            ], body: body)
        #expect(put.status == 200)
        #expect(put.fields["ETag"] == "\"\(hexText(Digest.md5(body)))\"")
        let get = try client.send(.get, "/bucket/a%20b/%C3%A9")
        #expect(get.status == 200)
        #expect(get.body == body)
        #expect(get.fields["Content-Type"] == "text/x")
        #expect(get.fields["x-amz-meta-name"] == "v")
        #expect(get.fields["Content-Encoding"] == "gzip")
        let head = try client.send(.head, "/bucket/a%20b/%C3%A9")
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.fields["ETag"] == put.fields["ETag"])
        let changed = try client.send(
            .get, "/bucket/a%20b/%C3%A9", query: "response-content-type=application%2Fjson")
        #expect(changed.fields["Content-Type"] == "application/json")
    }

    @Test(
        "ranges",
        arguments: [
            ("bytes=0-4", 206, 0..<5), ("bytes=-5", 206, 299_995..<300_000),
            ("bytes=65535-65537", 206, 65_535..<65_538),
            ("bytes=262140-262150", 206, 262_140..<262_151),
            ("bytes=299999-999999", 206, 299_999..<300_000),
            ("bytes=5-2", 200, 0..<300_000), ("items=0-1", 200, 0..<300_000),
        ])
    func ranges(field: String, status: Int, expected: Range<Int>) throws {
        let body = pattern(300_000)
        _ = try client.send(.put, "/bucket/k", body: body)
        let answer = try client.send(.get, "/bucket/k", headers: [("range", field)])
        #expect(answer.status == status)
        #expect(answer.body == Array(body[expected]))
        if status == 206 {
            #expect(
                answer.fields["Content-Range"]
                    == "bytes \(expected.lowerBound)-\(expected.upperBound - 1)/300000")
        }
    }

    @Test func aRangeBehindTheEndIsNotSatisfiable() throws {
        _ = try client.send(.put, "/bucket/k", body: [1, 2, 3])
        let answer = try client.send(.get, "/bucket/k", headers: [("range", "bytes=3-")])
        #expect(answer.status == 416)
        #expect(answer.code == "InvalidRange")
    }

    @Test func conditionsAreKept() throws {
        let etag = try client.send(.put, "/bucket/k", body: [1]).fields["ETag"] ?? ""
        let cases: [(String, String, Int)] = [
            ("if-match", etag, 200), ("if-match", "\"x\"", 412), ("if-none-match", etag, 304),
            ("if-none-match", "\"x\"", 200), ("if-none-match", "*", 304),
            ("if-modified-since", "Sat, 01 Jan 2000 00:00:00 GMT", 200),
            ("if-modified-since", "Sat, 01 Jan 2050 00:00:00 GMT", 304),
            ("if-unmodified-since", "Sat, 01 Jan 2000 00:00:00 GMT", 412),
        ]
        for (name, value, status) in cases {
            for method in [Method.get, .head] {
                #expect(
                    try client.send(method, "/bucket/k", headers: [(name, value)]).status == status,
                    "\(method.rawValue) \(name): \(value)")
            }
        }
        let writes: [(String, String, String, Int)] = [
            ("/bucket/k", "if-none-match", "*", 412), ("/bucket/k", "if-match", "\"x\"", 412),
            ("/bucket/none", "if-match", etag, 404), ("/bucket/k", "if-match", etag, 200),
            ("/bucket/new", "if-none-match", "*", 200),
        ]
        for (path, name, value, status) in writes {
            #expect(
                try client.send(.put, path, headers: [(name, value)], body: [2]).status == status)
        }
    }

    @Test(
        "promised digests are compared",
        arguments: [
            ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==", nil),
            ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest"),
            ("content-md5", "x", "InvalidDigest"), ("x-amz-checksum-crc32", "NhCmhg==", nil),
            ("x-amz-checksum-crc32c", "mnG7TA==", nil),
            ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=", nil),
            ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ01=", "InvalidRequest"),
            ("x-amz-checksum-crc32", "NhCmhw==", "BadDigest"),
            ("x-amz-checksum-crc64nvme", "AA==", "InvalidRequest"),
        ] as [(String, String, String?)])
    func digests(name: String, value: String, code: String?) throws {
        let answer = try client.send(
            .put, "/bucket/k", headers: [(name, value)], body: Array("hello".utf8))
        #expect(answer.code == code)
    }

    @Test func copiesKeepOrReplaceMetadata() throws {
        _ = try client.send(.put, "/bucket/a", headers: [("x-amz-meta-x", "1")], body: [1, 2])
        let source = ("x-amz-copy-source", "bucket/a")
        #expect(
            try client.send(.put, "/bucket/b", headers: [source]).xml?.name == "CopyObjectResult")
        #expect(try client.send(.head, "/bucket/b").fields["x-amz-meta-x"] == "1")
        let replaced = [source, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-y", "2")]
        #expect(try client.send(.put, "/bucket/a", headers: replaced).status == 200)
        let head = try client.send(.head, "/bucket/a")
        #expect(head.fields["x-amz-meta-x"] == nil)
        #expect(head.fields["x-amz-meta-y"] == "2")
        #expect(try client.send(.put, "/bucket/a", headers: [source]).code == "InvalidRequest")
        let refused = [source, ("x-amz-copy-source-if-match", "x")]
        #expect(try client.send(.put, "/bucket/c", headers: refused).code == "PreconditionFailed")
        let missing = [("x-amz-copy-source", "bucket/none")]
        #expect(try client.send(.put, "/bucket/c", headers: missing).code == "NoSuchKey")
    }

    @Test func listingsEncodeAndPage() throws {
        for key in ["a%26b", "d/1", "d/2", "z"] {
            _ = try client.send(.put, "/bucket/" + key, body: [1])
        }
        let first = try client.send(.get, "/bucket", query: "delimiter=%2F&list-type=2&max-keys=2")
            .xml
        #expect(first?.all("Contents").map { $0.text(of: "Key") } == ["a&b"])
        #expect(first?.first("CommonPrefixes")?.text(of: "Prefix") == "d/")
        #expect(first?.text(of: "IsTruncated") == "true")
        let token = PercentCoding.encode(first?.text(of: "NextContinuationToken") ?? "")
        let second = try client.send(
            .get, "/bucket", query: "continuation-token=\(token)&delimiter=%2F&list-type=2"
        ).xml
        #expect(second?.all("Contents").map { $0.text(of: "Key") } == ["z"])
        let old = try client.send(
            .get, "/bucket", query: "encoding-type=url&marker=a%26b&max-keys=1"
        ).xml
        #expect(old?.first("Contents")?.text(of: "Key") == "d/1")
        #expect(
            try client.send(.get, "/bucket", query: "continuation-token=%2A&list-type=2").code
                == "InvalidArgument")
    }

    @Test func deletingManyTellsEach() throws {
        _ = try client.send(.put, "/bucket/a", body: [1])
        let document = """
            <Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object>
            <Object><Key>v</Key><VersionId>7</VersionId></Object></Delete>
            """
        let answer = try client.send(.post, "/bucket", query: "delete", body: Array(document.utf8))
        #expect(answer.xml?.all("Deleted").map { $0.text(of: "Key") } == ["a", "none"])
        #expect(answer.xml?.first("Error")?.text(of: "Code") == "InvalidArgument")
        #expect(
            try client.send(.post, "/bucket", query: "delete", body: [0x3C]).code == "MalformedXML")
    }

    @Test func bucketsAreMadeListedAndDeleted() throws {
        #expect(try client.send(.put, "/second").status == 200)
        #expect(try client.send(.put, "/second").code == "BucketAlreadyOwnedByYou")
        let names = try client.send(.get, "/").xml?.first("Buckets")?.children.map {
            $0.text(of: "Name")
        }
        #expect(names == ["bucket", "second"])
        #expect(try client.send(.get, "/second", query: "location").xml?.text == "")
        #expect(
            try client.send(.get, "/second", query: "versioning").xml?.name
                == "VersioningConfiguration")
        #expect(try client.send(.delete, "/second").status == 204)
        #expect(try client.send(.head, "/second").status == 404)
    }

    @Test(
        "what is not offered is named",
        arguments: [
            (Method.get, "/bucket", "website", "GetBucketWebsite"),
            (.put, "/bucket", "encryption", "PutBucketEncryption"),
            (.delete, "/bucket", "replication", "DeleteBucketReplication"),
            (.get, "/bucket/k", "torrent", "GetObjectTorrent"),
        ])
    func unoffered(method: HTTPMessages.Method, path: String, query: String, name: String) throws {
        let answer = try client.send(method, path, query: query)
        #expect(answer.status == 501)
        #expect(answer.code == "NotImplemented")
        #expect(answer.xml?.text(of: "Message")?.contains(name) == true)
    }
}

@Suite struct MultipartOperationTests {
    let client: S3TestClient

    init() throws { client = try S3TestClient() }

    @Test func anUploadInPartsFromBeginToEnd() throws {
        let begun = try client.send(
            .post, "/bucket/m", query: "uploads",
            headers: [
                ("x-amz-checksum-algorithm", "CRC32"), ("x-amz-meta-x", "1"),
            ])
        let id = begun.xml?.text(of: "UploadId") ?? ""
        #expect(!id.isEmpty)
        let contents = [pattern(100_000), pattern(5000, seed: 3)]
        var document = "<CompleteMultipartUpload>"
        for (index, content) in contents.enumerated() {
            let part = try client.send(
                .put, "/bucket/m", query: "partNumber=\(index + 1)&uploadId=\(id)", body: content)
            #expect(part.fields["x-amz-checksum-crc32"] != nil)
            document +=
                "<Part><PartNumber>\(index + 1)</PartNumber>"
                + "<ETag>\(part.fields["ETag"] ?? "")</ETag></Part>"
        }
        document += "</CompleteMultipartUpload>"
        let listed = try client.send(.get, "/bucket/m", query: "uploadId=\(id)").xml
        #expect(listed?.all("Part").map { $0.text(of: "Size") } == ["100000", "5000"])
        let uploads = try client.send(.get, "/bucket", query: "uploads").xml
        #expect(uploads?.first("Upload")?.text(of: "UploadId") == id)
        let done = try client.send(
            .post, "/bucket/m", query: "uploadId=\(id)", body: Array(document.utf8))
        #expect(done.xml?.name == "CompleteMultipartUploadResult")
        #expect(done.xml?.text(of: "ETag")?.hasSuffix("-2\"") == true)
        let whole = try client.send(.get, "/bucket/m")
        #expect(whole.body == contents.flatMap { $0 })
        #expect(whole.fields["x-amz-meta-x"] == "1")
        let second = try client.send(.get, "/bucket/m", query: "partNumber=2")
        #expect(second.status == 206)
        #expect(second.body == contents[1])
        #expect(second.fields["x-amz-mp-parts-count"] == "2")
        #expect(try client.send(.get, "/bucket/m", query: "partNumber=3").status == 416)
        let attributes = try client.send(
            .get, "/bucket/m", query: "attributes",
            headers: [
                ("x-amz-object-attributes", "ETag,ObjectParts,ObjectSize,Checksum")
            ]
        ).xml
        #expect(attributes?.text(of: "ObjectSize") == "105000")
        #expect(attributes?.first("ObjectParts")?.text(of: "PartsCount") == "2")
        #expect(attributes?.first("Checksum")?.text(of: "ChecksumType") == "COMPOSITE")
    }

    @Test func partsCanBeCopied() throws {
        _ = try client.send(.put, "/bucket/source", body: pattern(5000))
        let id =
            try client.send(.post, "/bucket/m", query: "uploads").xml?.text(of: "UploadId") ?? ""
        let source = ("x-amz-copy-source", "bucket/source")
        let part = try client.send(
            .put, "/bucket/m", query: "partNumber=1&uploadId=\(id)",
            headers: [source, ("x-amz-copy-source-range", "bytes=10-2009")])
        #expect(
            part.xml?.text(of: "ETag")
                == "\"\(hexText(Digest.md5(Array(pattern(5000)[10..<2010]))))\"")
        for range in ["bytes=0-5000", "bytes=5-", "1-2", "bytes=3-1"] {
            let refused = try client.send(
                .put, "/bucket/m", query: "partNumber=1&uploadId=\(id)",
                headers: [source, ("x-amz-copy-source-range", range)])
            #expect(refused.status == 400 || refused.status == 416)
        }
        #expect(try client.send(.delete, "/bucket/m", query: "uploadId=\(id)").status == 204)
        #expect(try client.send(.get, "/bucket/m", query: "uploadId=\(id)").code == "NoSuchUpload")
    }
}
