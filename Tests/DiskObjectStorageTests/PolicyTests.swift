import Authority
import DiskObjectStorage
import ObjectStorage
import Testing

@Suite struct PolicyTests {
    private func question(
        _ operation: String, _ resource: String, _ who: Principal = .anonymous,
        address: String = "10.1.2.3", isSecure: Bool = false, values: [String: String] = [:],
        role: String? = nil
    ) -> PolicyQuestion {
        PolicyQuestion(
            operation: operation, resource: "arn:aws:s3:::" + resource, principal: who,
            assumedRole: role,
            facts: RequestFacts(
                operation: operation, sourceAddress: address, isSecure: isSecure, values: values),
            nowMicroseconds: 1_767_225_600_000_000)
    }

    private func verdict(_ statement: String, _ question: PolicyQuestion) throws -> String {
        let policy = try PolicyDocument(
            text: #"{"Version":"2012-10-17","Statement":[\#(statement)]}"#, kind: .bucket)
        switch policy.judge(question) {
        case .silent: return "silent"
        case .allows: return "allows"
        case .denies: return "denies"
        }
    }

    private static let ann = Principal(
        id: "u1", name: "ann", kind: .user, groups: ["team"], roles: ["analyst"])

    private func statement(
        _ effect: String = "Allow", principal: String = #""*""#,
        action: String = #""s3:GetObject""#,
        resource: String = #""arn:aws:s3:::b/*""#, rest: String = ""
    ) -> String {
        """
        {"Effect":"\(effect)","Principal":\(principal),"Action":\(action),"Resource":\(resource)\(rest)}
        """
    }

    @Test(
        "actions and resources",
        arguments: [
            (#""s3:GetObject""#, #""arn:aws:s3:::b/*""#, "s3:GetObject", "b/x/y", "allows"),
            (#""s3:Get*""#, #""arn:aws:s3:::b/*""#, "s3:GetObjectTagging", "b/x", "allows"),
            (#""s3:getobject""#, #""arn:aws:s3:::b/*""#, "s3:GetObject", "b/x", "allows"),
            (#""s3:GetObject""#, #""arn:aws:s3:::b/*""#, "s3:PutObject", "b/x", "silent"),
            (#""s3:GetObject""#, #""arn:aws:s3:::b/a?c""#, "s3:GetObject", "b/abc", "allows"),
            (#""s3:GetObject""#, #""arn:aws:s3:::b/a?c""#, "s3:GetObject", "b/abbc", "silent"),
            (#""s3:GetObject""#, #""arn:aws:s3:::b/a""#, "s3:GetObject", "b/ab", "silent"),
            (#""s3:*""#, #""arn:aws:s3:::b""#, "s3:ListBucket", "b", "allows"),
            (#""s3:*""#, #""arn:aws:s3:::b""#, "s3:GetObject", "b/x", "silent"),
            (
                #"["s3:PutObject","s3:GetObject"]"#, #"["arn:aws:s3:::b/x","arn:aws:s3:::b/y"]"#,
                "s3:GetObject", "b/y", "allows"
            ),
        ])
    func matching(
        action: String, resource: String, operation: String, asked: String, expected: String
    ) throws {
        let text = statement(action: action, resource: resource)
        #expect(try verdict(text, question(operation, asked)) == expected)
    }

    @Test func aDenialBeatsEveryAllowance() throws {
        let both = statement() + "," + statement("Deny", resource: #""arn:aws:s3:::b/secret/*""#)
        #expect(try verdict(both, question("s3:GetObject", "b/open")) == "allows")
        #expect(try verdict(both, question("s3:GetObject", "b/secret/x")) == "denies")
    }

    @Test(
        "principals",
        arguments: [
            (#"{"AWS":"*"}"#, true, true), (#""*""#, true, true),
            (#"{"AWS":"arn:aws:iam::000000000000:user/ann"}"#, true, false),
            (#"{"AWS":"arn:aws:iam::000000000000:user/bob"}"#, false, false),
            (#"{"AWS":["x","arn:aws:iam::000000000000:role/analyst"]}"#, true, false),
            (#"{"AWS":"arn:aws:iam::000000000000:group/team"}"#, true, false),
            (#"{"AWS":"arn:aws:iam::000000000000:root"}"#, true, false),
            (#"{"CanonicalUser":"u1"}"#, true, false),
            (#"{"Service":"logging.s3.amazonaws.com"}"#, false, false),
        ])
    func principals(principal: String, ann: Bool, nobody: Bool) throws {
        let text = statement(principal: principal)
        #expect(
            try verdict(text, question("s3:GetObject", "b/x", Self.ann))
                == (ann ? "allows" : "silent"))
        #expect(
            try verdict(text, question("s3:GetObject", "b/x")) == (nobody ? "allows" : "silent"))
    }

    @Test func everybodyButSome() throws {
        let text = #"""
            {"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::000000000000:user/ann"},
             "Action":"s3:*","Resource":"arn:aws:s3:::b/*"}
            """#
        #expect(try verdict(text, question("s3:GetObject", "b/x", Self.ann)) == "silent")
        #expect(try verdict(text, question("s3:GetObject", "b/x")) == "denies")
    }

    @Test(
        "conditions",
        arguments: [
            (#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, true),
            (#""IpAddress":{"aws:SourceIp":["192.168.0.0/16","10.1.2.3"]}"#, true),
            (#""IpAddress":{"aws:SourceIp":"10.1.2.4/31"}"#, false),
            (#""NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#, false),
            (#""Bool":{"aws:SecureTransport":"false"}"#, true),
            (#""Bool":{"aws:SecureTransport":true}"#, false),
            (#""StringEquals":{"s3:prefix":["home/","docs/"]}"#, true),
            (#""StringNotEquals":{"s3:prefix":"docs/"}"#, false),
            (#""StringLike":{"s3:prefix":"d*s/"}"#, true),
            (#""StringEqualsIgnoreCase":{"s3:prefix":"DOCS/"}"#, true),
            (#""NumericLessThanEquals":{"s3:max-keys":"10"}"#, true),
            (#""NumericLessThan":{"s3:max-keys":10}"#, false),
            (#""DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}"#, true),
            (#""DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}"#, false),
            (#""Null":{"s3:delimiter":"true"}"#, true),
            (#""Null":{"s3:prefix":"true"}"#, false),
            (#""Null":{"s3:delimiter":"True"}"#, true),
            (#""Null":{"s3:prefix":"TRUE"}"#, false),
            (#""Null":{"s3:delimiter":"False"}"#, false),
            (#""Null":{"s3:prefix":false}"#, true),
            (#""StringEquals":{"s3:delimiter":"/"}"#, false),
            (#""StringEqualsIfExists":{"s3:delimiter":"/"}"#, true),
            (#""StringNotEquals":{"s3:delimiter":"/"}"#, true),
            (#""StringEquals":{"aws:username":"ann"}"#, true),
            (#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a*"}"#, true),
            (
                #""StringEquals":{"aws:username":"ann"},"Bool":{"aws:SecureTransport":"true"}"#,
                false
            ),
        ])
    func conditions(condition: String, holds: Bool) throws {
        let text = statement(rest: #","Condition":{\#(condition)}"#)
        let asked = question(
            "s3:GetObject", "b/x", Self.ann, values: ["s3:prefix": "docs/", "s3:max-keys": "10"])
        #expect(try verdict(text, asked) == (holds ? "allows" : "silent"))
    }

    @Test func namesAreFilledIn() throws {
        let text = statement(resource: #""arn:aws:s3:::b/home/${aws:username}/*""#)
        #expect(try verdict(text, question("s3:GetObject", "b/home/ann/x", Self.ann)) == "allows")
        #expect(try verdict(text, question("s3:GetObject", "b/home/bob/x", Self.ann)) == "silent")
        #expect(try verdict(text, question("s3:GetObject", "b/home/ann/x")) == "silent")
        // A name with a star opens nobody else's home.
        let star = Principal(id: "u2", name: "*", kind: .user)
        #expect(try verdict(text, question("s3:GetObject", "b/home/ann/x", star)) == "silent")
    }

    @Test(
        "addresses",
        arguments: [
            ("fd00::/8", "fd12:3456::1", true), ("fd00::/8", "fe80::1", false),
            ("::1", "::1", true), ("::1", "0:0:0:0:0:0:0:1", true), ("::/0", "2001:db8::7", true),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("0.0.0.0/0", "::1", false),
            ("10.0.0.0/9", "10.128.0.1", false),
        ])
    func addresses(range: String, address: String, isInside: Bool) throws {
        let text = statement(rest: #","Condition":{"IpAddress":{"aws:SourceIp":"\#(range)"}}"#)
        let asked = question("s3:GetObject", "b/x", Self.ann, address: address)
        #expect(try verdict(text, asked) == (isInside ? "allows" : "silent"))
    }

    @Test(
        "what is not understood is refused",
        arguments: [
            "", "[]", "{}", #"{"Statement":[]}"#, #"{"Version":"2020","Statement":[]}"#,
            #"{"Statement":[{"Effect":"Maybe","Principal":"*","Action":"s3:*","Resource":"*"}]}"#,
            #"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
            #"{"Statement":[{"Effect":"Allow","Principal":"ann","Action":"s3:*","Resource":"*"}]}"#,
            #"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ec2:*","Resource":"*"}]}"#,
            #"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"b"}]}"#,
            #"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","NotAction":"s3:*","Resource":"*"}]}"#,
            #"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Color":1}]}"#,
            #"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/":"b"}}}]}"#,
            #"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:RequestObjectTagKeys":"b"}}}]}"#,
            #"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Sounds":{"s3:prefix":"b"}}}]}"#,
            #"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}}]}"#,
        ])
    func malformed(text: String) {
        #expect(throws: ObjectStoreError.self) {
            _ = try PolicyDocument(text: text, kind: .bucket)
        }
    }

    @Test(
        "what is public",
        arguments: [
            ("", true), (#","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
            (#","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, true),
            (#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#, true),
        ])
    func publicness(rest: String, isPublic: Bool) throws {
        let policy = try PolicyDocument(
            text: #"{"Statement":[\#(statement(rest: rest))]}"#, kind: .bucket)
        #expect(policy.isPublic == isPublic)
    }
}
