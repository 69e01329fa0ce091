import HTTPMessages
import JSON
import Testing

/// Requests that are the client's mistake: the specification's status and type, and words that help.
struct RefusedRequestTests {
    private struct Case: Sendable {
        var what: String
        var method = HTTPMessages.Method.post
        var path: String
        var body = ""
        var query = ""
        var status = 400
        var type = "BadRequestException"
        /// What the message has to say.
        var words = ""
    }

    private static let tables = "silver/namespaces/sales%1Feu/tables"
    private static let register = "silver/namespaces/sales%1Feu/register"

    private static func commit(_ what: String, _ update: String, _ words: String) -> Case {
        Case(
            what: what, path: tables + "/t", body: "{\"requirements\":[],\"updates\":[\(update)]}",
            words: words)
    }

    private static func snapshot(
        summary: String = #""summary":{"operation":"append"},"#, sequence: Int = 1
    ) -> String {
        """
        {"action":"add-snapshot","snapshot":{"snapshot-id":1,"timestamp-ms":1,\(summary)
          "sequence-number":\(sequence),"manifest-list":"PLACE/metadata/x.avro"}}
        """
    }

    private static let cases: [Case] = [
        Case(
            what: "a page token of nobody", method: .get, path: tables,
            query: "pageToken=garbage&pageSize=1", words: "pageToken"),
        Case(
            what: "a page token of nobody", method: .get, path: "silver/namespaces",
            query: "pageToken=00000000ab", words: "pageToken"),
        Case(
            what: "a missing metadata file", path: register,
            body: #"{"name":"r","metadata-location":"s3://silver/none.metadata.json"}"#,
            status: 404, type: "NotFoundException", words: "s3://silver/none.metadata.json"),
        Case(
            what: "no place of the store", path: register,
            body: #"{"name":"r","metadata-location":"/tmp/x.metadata.json"}"#,
            words: "/tmp/x.metadata.json"),
        Case(
            what: "a table that is there", path: register,
            body: #"{"name":"r","metadata-location":"METADATA"}"#, status: 409,
            type: "AlreadyExistsException", words: "t"),
        commit("no operation", snapshot(summary: ""), "operation"),
        commit("a sequence number too far", snapshot(sequence: 5), "the next one is 1"),
        commit(
            "a reserved property", #"{"action":"set-properties","updates":{"uuid":"x"}}"#, "uuid"),
        commit(
            "no buckets",
            """
            {"action":"add-spec","spec":{"spec-id":1,"fields":[{"name":"b","source-id":1,
              "transform":"bucket[0]"}]}}
            """, "bucket[16]"),
        Case(
            what: "a literal of another type", path: tables + "/t/plan",
            body: #"{"filter":{"type":"eq","term":"id","value":"text"}}"#, words: "long"),
    ]

    @Test func eachIsToldWhatIsWrong() throws {
        let service = try Service()
        defer { service.close() }
        service.makeNamespaces()
        _ = service.makeTable("t")
        let loaded = try service.json(service.send(.get, Self.tables + "/t"))
        let places = [
            "PLACE": try loaded["metadata"]["location"].string(),
            "METADATA": try loaded["metadata-location"].string(),
        ]
        for item in Self.cases {
            var body = item.body
            for (name, place) in places { body = body.replacing(name, with: place) }
            let response = service.send(item.method, item.path, body, query: item.query)
            #expect(response.status == item.status, "\(item.what)")
            let error = try service.json(response)["error"]
            #expect(try error["type"].string() == item.type, "\(item.what)")
            #expect(try error["message"].string().contains(item.words), "\(item.what)")
        }
    }
}
