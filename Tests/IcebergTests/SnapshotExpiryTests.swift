import Iceberg
import Testing

/// Which snapshots go: the specification's retention policy.
struct SnapshotExpiryTests {
    private static let day: Int64 = 86_400_000

    /// Snapshots 1 to `count` in a line on main, one a day; 1 is of day 0.
    private static func table(
        _ count: Int64, references: [String: SnapshotReference] = [:],
        properties: [String: String] = [:]
    ) throws -> TableMetadata {
        var metadata = try UpdateTests.table()
        for id in 1...count {
            let snapshot = Snapshot(
                snapshotID: id, parentID: id > 1 ? id - 1 : nil, sequenceNumber: id,
                timestampMilliseconds: (id - 1) * day, manifestList: "s3://lake/t/\(id).avro",
                operation: "append", summary: [:], schemaID: 0)
            metadata = try metadata.applying(
                [
                    .addSnapshot(snapshot),
                    .setSnapshotReference("main", SnapshotReference(snapshotID: id, kind: .branch)),
                ], nowMilliseconds: (id - 1) * day)
        }
        metadata.properties.merge(properties) { _, new in new }
        for (name, reference) in references { metadata.references[name] = reference }
        return metadata
    }

    struct Case: Sendable, CustomStringConvertible {
        var description: String
        var references: [String: SnapshotReference] = [:]
        var properties: [String: String] = [:]
        /// Of 10 snapshots on the 10th day.
        var olderThanDay: Int64?
        var retainLast: Int?
        var kept: [Int64]
        var gone: [String] = []
    }

    static let cases = [
        Case(description: "by age", olderThanDay: 6, kept: [7, 8, 9, 10]),
        Case(description: "one stays", olderThanDay: 30, kept: [10]),
        Case(description: "the last three", olderThanDay: 30, retainLast: 3, kept: [8, 9, 10]),
        // What is exactly as old as the limit stays.
        Case(description: "five days by default", kept: [5, 6, 7, 8, 9, 10]),
        Case(
            description: "the table's own age",
            properties: ["history.expire.max-snapshot-age-ms": "\(2 * day)"], kept: [8, 9, 10]),
        Case(
            description: "the table's own number",
            properties: ["history.expire.min-snapshots-to-keep": "4"], olderThanDay: 30,
            kept: [7, 8, 9, 10]),
        Case(
            description: "a tag keeps its own",
            references: ["v": SnapshotReference(snapshotID: 3, kind: .tag)], olderThanDay: 30,
            kept: [3, 10]),
        Case(
            description: "a branch keeps its newest",
            references: [
                "b": SnapshotReference(snapshotID: 4, kind: .branch, minimumSnapshotsToKeep: 2)
            ], olderThanDay: 30, kept: [3, 4, 10]),
        Case(
            description: "a branch's age comes before the caller's",
            references: [
                "b": SnapshotReference(
                    snapshotID: 4, kind: .branch, maximumSnapshotAgeMilliseconds: 8 * day)
            ], olderThanDay: 30, kept: [2, 3, 4, 10]),
        Case(
            description: "an old reference goes",
            references: [
                "v": SnapshotReference(
                    snapshotID: 3, kind: .tag, maximumReferenceAgeMilliseconds: 2 * day),
                "w": SnapshotReference(
                    snapshotID: 8, kind: .tag, maximumReferenceAgeMilliseconds: 2 * day),
            ], olderThanDay: 30, kept: [8, 10], gone: ["v"]),
        Case(
            description: "main never goes",
            properties: ["history.expire.max-ref-age-ms": "0"], olderThanDay: 30, kept: [10]),
    ]

    @Test("retention", arguments: cases)
    func retention(_ item: Case) throws {
        let metadata = try Self.table(
            10, references: item.references, properties: item.properties)
        let expiry = metadata.expiry(
            SnapshotRetention(
                nowMilliseconds: 9 * Self.day,
                olderThanMilliseconds: item.olderThanDay.map { $0 * Self.day },
                retainLast: item.retainLast))
        let next = try metadata.applying(expiry.updates, nowMilliseconds: 9 * Self.day)
        #expect(next.snapshots.map(\.snapshotID) == item.kept)
        #expect(expiry.references == item.gone)
        #expect(next.currentSnapshotID == 10)
    }

    @Test func whatNothingRefersToGoesByAge() throws {
        var metadata = try Self.table(4)
        // Rolled back to the second: the third and fourth are nobody's.
        metadata = try metadata.applying(
            [.setSnapshotReference("main", SnapshotReference(snapshotID: 2, kind: .branch))],
            nowMilliseconds: 4 * Self.day)
        let expiry = metadata.expiry(
            SnapshotRetention(nowMilliseconds: 9 * Self.day, olderThanMilliseconds: 3 * Self.day))
        #expect(expiry.snapshotIDs == [1, 3])
    }

    @Test func headsAreWhatReadersSee() throws {
        let metadata = try Self.table(
            5, references: ["v": SnapshotReference(snapshotID: 2, kind: .tag)])
        #expect(metadata.headsOnly.snapshots.map(\.snapshotID) == [2, 5])
    }
}
