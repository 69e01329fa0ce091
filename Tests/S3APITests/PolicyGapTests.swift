import HTTPMessages
import Testing
import XML

/// Ways around a policy that lead through another door of the same thing: copies, versions, tags, many keys at
/// once, the end of a retention.
@Suite struct PolicyGapTests {
    let server: PeopledServer

    init() throws {
        server = try PeopledServer()
        for (key, tags) in [("open", "class=public"), ("closed", "class=private"), ("plain", "")] {
            _ = try server.send(
                "root", .put, "/bucket/\(key)", headers: [("x-amz-tagging", tags)], body: [1])
        }
    }

    private func allow(_ actions: String, _ rest: String = "", effect: String = "Allow") -> String {
        """
        {"Effect":"\(effect)","Principal":"*","Action":[\(actions)],"Resource":"arn:aws:s3:::bucket/*"\(rest)}
        """
    }

    private func tagging(_ value: String) -> [UInt8] {
        Array(
            "<Tagging><TagSet><Tag><Key>class</Key><Value>\(value)</Value></Tag></TagSet></Tagging>"
                .utf8)
    }

    @Test func theTagsOfAnObjectAreConditions() throws {
        let isPublic = #","Condition":{"StringEquals":{"s3:ExistingObjectTag/class":"public"}}"#
        try server.policy(
            allow(#""s3:GetObject","s3:GetObjectTagging","s3:PutObjectTagging""#, isPublic))
        func status(_ key: String, _ query: String = "") throws -> Int {
            try server.send("none", .get, "/bucket/\(key)", query: query).status
        }
        #expect(try status("open") == 200)
        #expect(try status("open", "tagging") == 200)
        #expect(try status("closed") == 403)
        #expect(try status("closed", "tagging") == 403)
        #expect(try status("plain") == 403)
        #expect(try status("absent") == 403)
        // Who may tag what is public may close it, and then tags it no more.
        func tag(_ value: String) throws -> Int {
            try server.send(
                "none", .put, "/bucket/open", query: "tagging", body: tagging(value)
            ).status
        }
        #expect(try tag("private") == 200)
        #expect(try tag("public") == 403)
    }

    @Test func theNameOfATagKeepsItsCase() throws {
        try server.policy(
            allow(
                #""s3:GetObject""#,
                #","Condition":{"StringEquals":{"S3:existingObjectTag/Class":"public"}}"#))
        #expect(try server.send("none", .get, "/bucket/open").status == 403)
        try server.policy(
            allow(
                #""s3:GetObject""#,
                #","Condition":{"StringEquals":{"S3:existingObjectTag/class":"public"}}"#))
        #expect(try server.send("none", .get, "/bucket/open").status == 200)
    }

    @Test func aDenialByATagHoldsForOwnersAndSessions() throws {
        let isPrivate = #","Condition":{"StringEquals":{"s3:ExistingObjectTag/class":"private"}}"#
        try server.policy(allow(#""s3:GetObject""#, isPrivate, effect: "Deny"))
        #expect(try server.send("eng", .get, "/bucket/open").status == 200)
        #expect(try server.send("eng", .get, "/bucket/closed").status == 403)
        #expect(
            try server.send(
                "eng", .put, "/bucket/copy", headers: [("x-amz-copy-source", "bucket/closed")]
            ).status == 403)
        _ = try server.send("root", .delete, "/bucket", query: "policy")
        let narrow =
            #"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"\#(isPrivate)}]}"#
        let made = try server.assume(
            "s", "root",
            [
                ("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::000000000000:role/admin"),
                ("RoleSessionName", "work"), ("Policy", narrow),
            ])
        #expect(made.status == 200)
        #expect(try server.send(session: "s", .get, "/bucket/open").status == 200)
        #expect(try server.send(session: "s", .get, "/bucket/closed").status == 403)
    }

    @Test func theTagsOfARequestAreConditions() throws {
        let isPublic = #","Condition":{"StringEquals":{"s3:RequestObjectTag/class":"public"}}"#
        try server.policy(allow(#""s3:PutObject","s3:PutObjectTagging","s3:GetObject""#, isPublic))
        func put(_ headers: [(String, String)]) throws -> Int {
            try server.send("none", .put, "/bucket/new", headers: headers, body: [1]).status
        }
        #expect(try put([]) == 403)
        #expect(try put([("x-amz-tagging", "class=private")]) == 403)
        #expect(try put([("x-amz-tagging", "class=public")]) == 200)
        // A copy takes over the tags of its source, whatever the header says.
        let copy = [("x-amz-copy-source", "bucket/closed"), ("x-amz-tagging", "class=public")]
        #expect(try put(copy) == 403)
        for (value, status) in [("public", 200), ("private", 403)] {
            #expect(
                try server.send(
                    "none", .put, "/bucket/open", query: "tagging", body: tagging(value)
                ).status == status)
        }
    }

    @Test func versionsHaveRightsOfTheirOwn() throws {
        let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        _ = try server.send("root", .put, "/bucket", query: "versioning", body: Array(on.utf8))
        let put = try server.send("root", .put, "/bucket/v", body: [1])
        let id = try #require(put.fields["x-amz-version-id"])
        try server.policy(
            allow(#""s3:GetObject","s3:PutObject","s3:DeleteObject""#) + ","
                + allow(
                    #""s3:GetObjectVersion","s3:DeleteObjectVersion""#, effect: "Deny"))
        func copy(_ source: String) throws -> Int {
            try server.send(
                "none", .put, "/bucket/copy", headers: [("x-amz-copy-source", source)]
            ).status
        }
        #expect(try copy("bucket/v") == 200)
        #expect(try copy("bucket/v?versionId=\(id)") == 403)
        func delete(_ version: String) throws -> String? {
            let body = "<Delete><Object><Key>v</Key>\(version)</Object></Delete>"
            let answer = try server.send(
                "none", .post, "/bucket", query: "delete", body: Array(body.utf8))
            return answer.xml?.first("Error")?.text(of: "Code")
        }
        #expect(try delete("<VersionId>\(id)</VersionId>") == "AccessDenied")
        #expect(try delete("") == nil)
    }

    @Test func theEndOfARetentionIsARightOfItsOwn() throws {
        _ = try server.send(
            "root", .put, "/vault", headers: [("x-amz-bucket-object-lock-enabled", "true")])
        func put() throws -> String {
            let answer = try server.send(
                "root", .put, "/vault/k",
                headers: [
                    ("x-amz-object-lock-mode", "GOVERNANCE"),
                    ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00Z"),
                ], body: [1])
            return try #require(answer.fields["x-amz-version-id"])
        }
        let id = try put()
        func retain(_ mode: String, _ headers: [(String, String)]) throws -> Int {
            let body =
                "<Retention><Mode>\(mode)</Mode>"
                + "<RetainUntilDate>2099-01-02T00:00:00Z</RetainUntilDate></Retention>"
            return try server.send(
                "root", .put, "/vault/k", query: "retention&versionId=\(id)", headers: headers,
                body: Array(body.utf8)
            ).status
        }
        let bypass = [("x-amz-bypass-governance-retention", "true")]
        // Longer is free; another mode wants the right, even the stronger one.
        #expect(try retain("GOVERNANCE", []) == 200)
        #expect(try retain("COMPLIANCE", []) == 403)
        let text =
            #"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:BypassGovernanceRetention","Resource":"arn:aws:s3:::vault/*"}]}"#
        _ = try server.send("root", .put, "/vault", query: "policy", body: Array(text.utf8))
        #expect(try retain("COMPLIANCE", bypass) == 403)
        let place = "versionId=\(id)"
        #expect(
            try server.send("root", .delete, "/vault/k", query: place, headers: bypass).status
                == 403)
        let body = "<Delete><Object><Key>k</Key><VersionId>\(id)</VersionId></Object></Delete>"
        let many = try server.send(
            "root", .post, "/vault", query: "delete", headers: bypass, body: Array(body.utf8))
        #expect(many.xml?.first("Error")?.text(of: "Code") == "AccessDenied")
        _ = try server.send("root", .delete, "/vault", query: "policy")
        #expect(
            try server.send("root", .delete, "/vault/k", query: place, headers: bypass).status
                == 204)
    }

    @Test func aWriteMayWantAnotherObjectThere() throws {
        let etag = try #require(try server.send("root", .head, "/bucket/plain").fields["ETag"])
        func put(_ key: String, _ tag: String) throws -> Int {
            try server.send(
                "root", .put, "/bucket/\(key)", headers: [("if-none-match", tag)], body: [1]
            ).status
        }
        #expect(try put("plain", etag) == 412)
        #expect(try put("plain", "\"another\"") == 200)
        #expect(try put("fresh", etag) == 200)
    }

    @Test func aPolicyForManyBucketsCountsInThisOne() throws {
        for (resource, status) in [
            ("arn:aws:s3:::*/*", 204), ("arn:aws:s3:::buck*/open", 204),
            ("arn:aws:s3:::other/*", 400), ("arn:aws:s3:::buckets/*", 400),
        ] {
            let text =
                #"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"\#(resource)"}]}"#
            #expect(
                try server.send("root", .put, "/bucket", query: "policy", body: Array(text.utf8))
                    .status == status, "\(resource)")
        }
    }
}
