import Testing

@testable import Jobs

@Suite struct ObjectClaimsTests {
    private func claims(_ texts: [String]) throws -> ObjectClaims {
        let parser = PipelineParser(
            handlers: ["ingest": NoHandler(), "sql": NoHandler()], files: [:])
        return ObjectClaims(try texts.map { try parser.parse($0, source: "p.yml") })
    }

    private let landing = """
        name: landing
        triggers: [{on: object_created, bucket: landing, pattern: "*/*/**/*.{csv,json}"}]
        steps:
          - {id: a, kind: ingest, with: {source: {object: "s3://${event.bucket}/${event.key}"}, target: from-key}}
        """
    private let own = """
        name: own
        triggers: [{on: object_created, bucket: landing, prefix: own/}]
        steps: [{id: a, kind: sql, with: {sql: select 1}}]
        """
    private let reader = """
        name: reader
        steps: [{id: a, kind: ingest, with: {source: {objects: "s3://landing/read/**/*.csv"}, target: a.b.c}}]
        """

    @Test(arguments: [
        ("landing", "orders.csv", true), ("landing", "bronze/orders.csv", true),
        ("landing", "bronze/shop/orders.csv", true), ("landing", "notes.txt", true),
        ("landing", "bronze/shop/orders/a.csv", false), ("landing", "own/a.csv", false),
        ("landing", "read/a.csv", false), ("landing", "_SUCCESS", false),
        ("landing", "bronze/.part.csv", false), ("landing", "bronze/", false),
        ("landing", "", false), ("silver", "orders.csv", false),
    ])
    func whatNothingTakesIsTold(_ bucket: String, _ key: String, _ isTold: Bool) throws {
        let found = try claims([landing, own, reader]).unclaimed(bucket, key)
        #expect((found != nil) == isTold)
    }

    @Test func theRemedyIsACommandOrAName() throws {
        let claims = try claims([landing, own])
        #expect(claims.landingBuckets == ["landing"])
        let shallow = try #require(claims.unclaimed("landing", "bronze/orders.csv"))
        #expect(shallow.uri == "s3://landing/bronze/orders.csv")
        #expect(shallow.expected == "WAREHOUSE/NAMESPACE/TABLE/FILE")
        #expect(
            shallow.remedy.hasSuffix(
                "lakehouse s3 mv s3://landing/bronze/orders.csv "
                    + "s3://landing/bronze/NAMESPACE/orders/orders.csv"))
        let strange = try #require(claims.unclaimed("landing", "notes.txt"))
        #expect(strange.expected == "*/*/**/*.{csv,json}, own/**")
        #expect(strange.remedy.contains("landing takes */*/**/*.{csv,json}; own takes own/**"))
    }

    @Test(arguments: [
        ("bronze/", "bronze/NAMESPACE/TABLE/FILE", "bronze/NAMESPACE/orders/orders.csv"),
        ("bronze/shop/", "bronze/shop/TABLE/FILE", "bronze/shop/orders/orders.csv"),
        ("bronze/shop/sales/", "bronze/shop/sales/FILE", "bronze/shop/sales/orders.csv"),
        ("bronze/in-", "bronze/in-NAMESPACE/TABLE/FILE", "bronze/in-NAMESPACE/orders/orders.csv"),
    ])
    func theShapeIsWhatTheKeyReaderTakes(
        _ prefix: String, _ expected: String, _ example: String
    ) throws {
        let text = """
            name: uploads
            triggers: [{on: object_created, bucket: landing, prefix: "\(prefix)"}]
            steps:
              - {id: a, kind: ingest, with: {source: {object: "s3://${event.bucket}/${event.key}"}, target: from-key}}
            """
        let found = try #require(try claims([text]).unclaimed("landing", "orders.csv"))
        #expect(found.expected == expected)
        #expect(found.remedy.contains("put it at \(expected),"))
        #expect(found.remedy.hasSuffix(" s3://landing/\(example)"))
    }
}
