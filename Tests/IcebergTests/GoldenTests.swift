import Avro
import Foundation
import Iceberg
import JSON
import ObjectStorage
import Testing

/// Tables that PyIceberg wrote: what it lists and plans, we list and plan.
struct GoldenTests {
    static func bytes(_ version: Int, _ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return Array(
            try Data(contentsOf: folder.appendingPathComponent("Fixtures/v\(version)/\(name)")))
    }

    static func table(_ version: Int) throws -> (TableMetadata, ManifestSource, JSONCursor) {
        let expected = try JSONValue(parsing: bytes(version, "expected.json")).cursor
        let store = MemoryObjectStore(buckets: ["golden"])
        for (path, name) in try expected["files"].stringMap() {
            guard let location = ObjectLocation(uri: path) else { continue }
            try store.write(try bytes(version, name), to: location)
        }
        let metadata = try TableMetadata(parsing: bytes(version, "table.metadata.json"))
        return (metadata, ManifestSource(store: store), expected)
    }

    @Test(arguments: [1, 2])
    func entriesEqualPyIcebergs(version: Int) throws {
        let (metadata, source, expected) = try Self.table(version)
        let snapshot = try #require(metadata.currentSnapshot)
        var entries: [ManifestEntry] = []
        for manifest in try source.manifests(of: snapshot) {
            entries += try source.entries(of: manifest, in: metadata)
        }
        entries.sort { $0.file.path.utf8.lexicographicallyPrecedes($1.file.path.utf8) }
        let wanted = try expected["entries"].elements()
        #expect(entries.count == wanted.count)
        for (entry, want) in zip(entries, wanted) {
            #expect(entry.file.path == (try want["path"].string()))
            #expect(Int(entry.status.rawValue) == (try want["status"].int()))
            #expect(entry.file.recordCount == (try want["records"].int64()))
            #expect(entry.file.sizeBytes == (try want["size"].int64()))
            #expect(entry.dataSequenceNumber == (try want["sequence"].optionalInt64() ?? 0))
            for (id, count) in try want["nulls"].object().members.map({ ($0.name, $0.value) }) {
                #expect(entry.file.nullCounts[Int32(id) ?? 0] == (try count.cursor.int64()))
            }
            for (id, hex) in try want["lower"].stringMap() {
                let bound = entry.file.lowerBounds[Int32(id) ?? 0] ?? []
                #expect(bound.map { String(format: "%02x", $0) }.joined() == hex)
            }
            let region = try want["partition"]["region"].string()
            #expect(entry.file.partition[0] == (region == "None" ? nil : .string(region)))
        }
    }

    @Test(arguments: [1, 2])
    func plansEqualPyIcebergs(version: Int) throws {
        let (metadata, source, expected) = try Self.table(version)
        let noon = Literal.timestamptz((19_724 * 86_400 + 43_200) * 1_000_000)
        let scans: [(String, ScanPredicate)] = [
            ("all", .always), ("north", .compare(2, .equal, .string("north"))),
            ("id5", .compare(1, .equal, .long(8))), ("early", .compare(3, .less, noon)),
            ("small", .compare(4, .greaterOrEqual, .decimal(unscaled: 500, scale: 2))),
        ]
        for (name, predicate) in scans {
            let plan = try TableScan(
                metadata: metadata, snapshot: metadata.currentSnapshot, predicate: predicate
            ).plan(source)
            let paths = plan.tasks.map(\.file.path).sorted()
            #expect(paths == (try expected["scans"][name].strings().sorted()), "\(name)")
        }
    }

    @Test(arguments: [1, 2])
    func metadataComesBack(version: Int) throws {
        let metadata = try TableMetadata(parsing: Self.bytes(version, "table.metadata.json"))
        #expect(metadata.formatVersion == version)
        #expect(metadata.references["first"]?.kind == .tag)
        #expect(metadata.currentSchema.field(named: "POINTS")?.id == 5)
        #expect(try TableMetadata(metadata.json.cursor) == metadata)
    }

    /// What we write of PyIceberg's entries reads back equal.
    @Test(arguments: [1, 2])
    func manifestsComeBack(version: Int) throws {
        let (metadata, source, _) = try Self.table(version)
        let snapshot = try #require(metadata.currentSnapshot)
        for manifest in try source.manifests(of: snapshot) {
            let entries = try source.entries(of: manifest, in: metadata)
            let spec = try #require(metadata.spec(id: manifest.specID))
            let types = spec.resultTypes(in: metadata.schemasNewestFirst)
            var writer = ManifestWriter(
                version: version, schema: metadata.currentSchema, spec: spec, partitionTypes: types,
                content: manifest.content, snapshotID: manifest.addedSnapshotID, codec: .deflate,
                syncMarker: Array(0..<16))
            for entry in entries { try writer.append(entry) }
            let (bytes, written) = try writer.finish(
                path: manifest.path, sequenceNumber: manifest.sequenceNumber)
            let back = try ManifestReader.read(
                bytes, of: written, spec: spec, partitionTypes: types)
            #expect(back == entries)
            #expect(written.partitions == manifest.partitions)
            #expect(written.addedFilesCount == manifest.addedFilesCount)
            let list = try ManifestListWriter.write(
                [manifest], version: version, snapshotID: 1, parentID: nil, sequenceNumber: 1,
                codec: .null, syncMarker: Array(0..<16))
            #expect(try ManifestListReader.read(list, path: "list") == [manifest])
        }
    }
}
