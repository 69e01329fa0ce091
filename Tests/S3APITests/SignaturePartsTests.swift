import Cryptography
@testable import S3API
import Testing

/// How the text of a signature is cut: by bytes, and no other way than it was before.
@Suite struct SignaturePartsTests {
    @Test(
        "the header",
        arguments: [
            ("Credential=a/b, SignedHeaders=host;x, Signature=ff", ["a/b", "host;x", "ff"]),
            ("Credential=a,SignedHeaders=b,Signature=c", ["a", "b", "c"]),
            ("  Signature=c ,, SignedHeaders=b , Credential=a ,", ["a", "b", "c"]),
            ("Credential=a==, Signature=", ["a==", nil, ""]),
            ("Credential=a, Credential=b, Other=x", ["b", nil, nil]),
            ("Credential=ä\u{301}/é", ["ä\u{301}/é", nil, nil]),
            ("", [nil, nil, nil]),
        ] as [(String, [String?])])
    func header(text: String, expected: [String?]) throws {
        let parts = try #require(AuthorizationParts("AWS4-HMAC-SHA256 " + text))
        #expect([parts.credential, parts.signedHeaders, parts.signature] == expected)
    }

    @Test(
        "what is no header",
        arguments: ["Credential", "Credential=a, Signature", "Credential=a, b"])
    func malformed(text: String) {
        let isHeader = AuthorizationParts("AWS4-HMAC-SHA256 " + text) != nil
        #expect(!isHeader)
    }

    @Test(
        "the scope of a credential",
        arguments: [
            ("AK/20260101/us-east-1/s3/aws4_request", ["AK", "20260101", "us-east-1", "s3"]),
            ("A/K/20260101/us-east-1/sts/aws4_request", ["A/K", "20260101", "us-east-1", "sts"]),
            ("/20260101//s3/aws4_request", ["", "20260101", "", "s3"]),
            ("20260101/us-east-1/s3/aws4_request", nil),
            ("AK/2026/us-east-1/s3/aws4_request", nil),
            ("AK/20260101/us-east-1/ec2/aws4_request", nil),
            ("AK/20260101/us-east-1/s3/aws4_request/", nil), ("", nil), ("////", nil),
        ] as [(String, [String]?)])
    func credential(text: String, expected: [String]?) {
        let claim = SignatureV4.credential(text)
        #expect(claim.map { [$0.key, $0.date, $0.region, $0.service] } == expected)
        if let claim {
            #expect(claim.scope == "\(claim.date)/\(claim.region)/\(claim.service)/aws4_request")
        }
    }

    @Test func aKeyIsTheSameEachTimeAndAnotherForEachSecretAndScope() {
        let keys = SigningKeys()
        let scope = "20260101/us-east-1/s3/aws4_request"
        let key = keys.key("secret", scope: scope)
        #expect(key.bytes == SignatureV4.signingKey("secret", scope: scope))
        #expect(keys.key("secret", scope: scope).bytes == key.bytes)
        #expect(keys.key("other", scope: scope).bytes != key.bytes)
        #expect(
            keys.key("secret", scope: "20260102/us-east-1/s3/aws4_request").bytes != key.bytes)
        let message = Array("message".utf8)
        // The second as the first: what a message left behind is in no other's code.
        for _ in 0..<2 { #expect(key.code(of: message) == HMAC.sha256(key: key.bytes, message)) }
    }

    @Test func digitsAreAppended() {
        var text = Array("a".utf8)
        appendHex([0x00, 0x0F, 0xA0, 0xFF], to: &text)
        #expect(text == Array("a000fa0ff".utf8))
    }
}
