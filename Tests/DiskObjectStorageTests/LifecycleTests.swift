import DiskObjectStorage
import ObjectStorage
import Platform
import Testing

@Suite struct LifecycleTests {
    let fixture: DiskStoreFixture
    private var store: DiskObjectStore { fixture.store }

    init() throws { fixture = try DiskStoreFixture() }

    private func set(_ change: (inout LifecycleRules.Rule) -> Void) throws {
        var rule = LifecycleRules.Rule(id: "r", isEnabled: true)
        change(&rule)
        try store.set(
            fixture.context, bucket: "bucket", .lifecycle, LifecycleRules(rules: [rule]).text)
    }

    private var keys: [String] {
        get throws {
            try store.list(
                fixture.context, bucket: "bucket", prefix: "", delimiter: nil, after: nil,
                limit: 1000
            ).objects.map(\.description.location.key)
        }
    }

    @Test func objectsExpireAtTheMidnightAfterTheirDays() throws {
        for key in ["logs/a", "logs/b", "other"] { try fixture.put(key, [1]) }
        try set {
            $0.prefix = "logs/"
            $0.expiryDays = 2
        }
        fixture.clock.advance(by: .seconds(2 * 86_400 - 1))
        #expect(try store.runLifecycle(fixture.context) == LifecycleReport())
        try fixture.put("logs/b", [2])
        fixture.clock.advance(by: .seconds(86_400))
        #expect(try store.runLifecycle(fixture.context).expiredObjects == 1)
        #expect(try keys == ["logs/b", "other"])
    }

    @Test func tagsAndSizesChoose() throws {
        var tagged = ObjectAttributes()
        tagged.tags = ["keep": "no"]
        try fixture.put("a", [1, 2, 3], attributes: tagged)
        try fixture.put("b", [1, 2, 3])
        try fixture.put("c", [1], attributes: tagged)
        try set {
            $0.tags = ["keep": "no"]
            $0.sizeAbove = 2
            $0.expiryDays = 1
        }
        fixture.clock.advance(by: .seconds(3 * 86_400))
        #expect(try store.runLifecycle(fixture.context).expiredObjects == 1)
        #expect(try keys == ["b", "c"])
    }

    @Test func olderVersionsGoButForTheNewestOnes() throws {
        try store.setVersioning(fixture.context, bucket: "bucket", isEnabled: true)
        for byte in 0..<5 { try fixture.put("k", [UInt8(byte)]) }
        try set {
            $0.noncurrentDays = 1
            $0.noncurrentKept = 2
        }
        #expect(try store.runLifecycle(fixture.context).removedVersions == 0)
        fixture.clock.advance(by: .seconds(2 * 86_400))
        #expect(try store.runLifecycle(fixture.context).removedVersions == 2)
        #expect(try fixture.get("k") == [4])
        let left = try store.listVersions(
            fixture.context, bucket: "bucket", prefix: "", delimiter: nil, afterKey: nil,
            afterVersion: nil, limit: 10)
        #expect(left.versions.count == 3)
    }

    @Test func markersWithNothingBehindThemGo() throws {
        try store.setVersioning(fixture.context, bucket: "bucket", isEnabled: true)
        let id = try fixture.put("k", [1]).versionID
        try store.delete(fixture.context, fixture.at("k"))
        try set { $0.removesLoneMarkers = true }
        #expect(try store.runLifecycle(fixture.context).removedMarkers == 0)
        _ = try store.delete(fixture.context, fixture.at("k"), version: id)
        #expect(try store.runLifecycle(fixture.context).removedMarkers == 1)
    }

    @Test func uploadsThatNobodyFinishesAreGivenUp() throws {
        let upload = try fixture.begin("m")
        try fixture.putPart(upload, 1, pattern(1000))
        try set { $0.uploadDays = 1 }
        fixture.clock.advance(by: .seconds(2 * 86_400))
        #expect(try store.runLifecycle(fixture.context).abortedUploads == 1)
        #expect(fixture.blobFiles == [])
    }

    @Test func lockedVersionsStay() throws {
        try store.createBucket(fixture.context, "vault", hasLock: true)
        var attributes = ObjectAttributes()
        attributes.lock.hasLegalHold = true
        let location = ObjectLocation(bucket: "vault", key: "k")
        _ = try store.beginPut(fixture.context, location, attributes: attributes).finish()
        _ = try store.beginPut(fixture.context, location).finish()
        var rule = LifecycleRules.Rule(id: "r", isEnabled: true)
        rule.noncurrentDays = 1
        try store.set(
            fixture.context, bucket: "vault", .lifecycle, LifecycleRules(rules: [rule]).text)
        fixture.clock.advance(by: .seconds(5 * 86_400))
        #expect(try store.runLifecycle(fixture.context).removedVersions == 0)
    }

    /// Such rules are refused when they are put, but an older release took them.
    @Test func uploadsAreNotGivenUpByTagsOrSizes() throws {
        _ = try fixture.begin("a/k")
        for choose in [
            { (rule: inout LifecycleRules.Rule) in rule.tags = ["t": "v"] },
            { (rule: inout LifecycleRules.Rule) in rule.sizeAbove = 1 },
            { (rule: inout LifecycleRules.Rule) in rule.sizeBelow = 1000 },
        ] {
            try set {
                choose(&$0)
                $0.uploadDays = 1
            }
            fixture.clock.advance(by: .seconds(3 * 86_400))
            #expect(try store.runLifecycle(fixture.context).abortedUploads == 0)
        }
        try set {
            $0.prefix = "a/"
            $0.uploadDays = 1
        }
        #expect(try store.runLifecycle(fixture.context).abortedUploads == 1)
    }

    @Test func noticesWaitUntilTheyWereTaken() throws {
        try store.set(
            fixture.context, bucket: "bucket", .notifications,
            NotificationRules(rules: [
                .init(
                    id: "n", url: "http://127.0.0.1:1/hook", events: ["s3:ObjectCreated:*"],
                    prefix: "in/", suffix: ".csv")
            ]).text)
        try fixture.put("in/a b.csv", [1, 2])
        try fixture.put("in/a.json", [1])
        try fixture.put("out/a.csv", [1])
        try store.delete(fixture.context, fixture.at("in/a b.csv"))
        while try store.queueDeliveries(region: "us-east-1") > 0 {}
        let due = try store.dueDeliveries(limit: 10)
        #expect(due.count == 1)
        let first = try #require(due.first)
        #expect(first.body.contains("\"eventName\":\"ObjectCreated:Put\""))
        #expect(first.body.contains("\"key\":\"in/a+b.csv\""))
        // Not taken: it comes again, later. A restart forgets nothing.
        try store.settle(first, isDelivered: false)
        #expect(try store.dueDeliveries(limit: 10) == [])
        try fixture.reopen()
        fixture.clock.advance(by: .seconds(2))
        let again = try store.dueDeliveries(limit: 10)
        #expect(again.map(\.id) == [first.id])
        #expect(again.first?.attempts == 1)
        try store.settle(first, isDelivered: true)
        fixture.clock.advance(by: .seconds(3600))
        #expect(try store.dueDeliveries(limit: 10) == [])
    }
}
