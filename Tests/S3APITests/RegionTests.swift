import Bytes
import Cryptography
import HTTPMessages
import Testing
import XML

/// A signature counts for one region: one that was made for another is refused, with the region that it should be.
@Suite struct RegionTests {
    @Test(
        "in the header",
        arguments: [
            ("us-east-1", "us-east-1", 200), ("us-east-1", "eu-west-1", 400),
            ("us-east-1", "US-EAST-1", 400), ("us-east-1", "", 400),
            ("eu-west-1", "eu-west-1", 200), ("eu-west-1", "us-east-1", 200),
            ("eu-west-1", "eu-west-2", 400),
        ])
    func headers(own: String, signed: String, status: Int) throws {
        let client = try S3TestClient(region: own)
        let bend = S3TestClient.Bend(region: signed)
        let answer = try client.send(.get, "/bucket", query: "list-type=2", bend: bend)
        #expect(answer.status == status)
        if status == 200 { return }
        #expect(answer.code == "AuthorizationHeaderMalformed")
        #expect(answer.xml?.text(of: "Region") == own)
        #expect(answer.fields["x-amz-bucket-region"] == own)
        // An answer without a body names it too.
        let head = try client.send(.head, "/bucket", bend: bend)
        #expect(head.status == 400)
        #expect(head.fields["x-amz-bucket-region"] == own)
        // Whose key it is, is not looked at before.
        let stranger = S3TestClient.Bend(accessKey: "NOBODY", region: signed)
        #expect(
            try client.send(.get, "/bucket", bend: stranger).code == "AuthorizationHeaderMalformed")
    }

    @Test func inURLs() throws {
        let client = try S3TestClient()
        _ = try client.send(.put, "/bucket/k", body: [1])
        #expect(
            try client.sendPresigned(.get, "/bucket/k", client.presigned(.get, "/bucket/k")).status
                == 200)
        let other = client.presigned(.get, "/bucket/k", region: "eu-west-1")
        let answer = try client.sendPresigned(.get, "/bucket/k", other)
        #expect(answer.status == 400)
        #expect(answer.code == "AuthorizationQueryParametersError")
        #expect(answer.xml?.text(of: "Region") == "us-east-1")
    }

    @Test func ofTheTokenService() throws {
        let server = try PeopledServer()
        func status(_ region: String) throws -> (Int, String?) {
            var bend = try #require(server.bends["ann"])
            bend.service = "sts"
            bend.region = region
            let answer = try server.client.send(
                .post, "/", body: Array("Action=GetCallerIdentity".utf8), bend: bend)
            return (answer.status, answer.xml?.first("Error")?.text(of: "Code"))
        }
        #expect(try status("us-east-1") == (200, nil))
        #expect(try status("eu-west-1") == (403, "SignatureDoesNotMatch"))
    }
}
