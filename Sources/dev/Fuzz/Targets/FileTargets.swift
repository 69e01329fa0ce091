import Avro
import Bytes
import Iceberg
import JSON
import ObjectStorage
import Parquet
import TestSupport
import Vectors

extension FuzzTarget {
    /// Object containers in every codec.
    static let avro: FuzzTarget = {
        var target = FuzzTarget(name: "avro", summary: "Avro object containers") {
            try AvroSeeds.containers()
        } prepare: {
            { input in
                _ = try answer {
                    var reader = try AvroFileReader(input)
                    var records = 0
                    let (schema, names) = (reader.schema, reader.names)
                    while let block = try reader.nextBlock() {
                        var decoder = AvroDecoder(block.bytes)
                        for _ in 0..<block.count {
                            _ = try decoder.value(schema, names: names)
                            records += 1
                            // Records of no bytes are legal; their number is bounded by the block's limit.
                            if records > 200_000 { return }
                        }
                    }
                }
            }
        }
        target.tokens = AvroSeeds.tokens
        return target
    }()

    /// Whole Parquet files: footer, pages, levels, dictionaries.
    static let parquet: FuzzTarget = {
        var target = FuzzTarget(name: "parquet", summary: "Parquet files: footers, pages, values") {
            try SourceFiles.contents(
                below: "Tests/ParquetTests/Fixtures", endings: [".parquet"], upTo: 33_000)
        } prepare: {
            { input in try ParquetTrial.scan(input) }
        }
        target.tokens = [
            "PAR1", "PARE", "schema", "\u{0}\u{0}\u{0}\u{0}", "\u{15}\u{2}", "\u{19}\u{1C}",
        ]
        target.sizeLimit = 64 * 1024
        target.shape = { input, random in ParquetTrial.withFooterLength(input, &random) }
        return target
    }()

    /// Footers alone: Thrift's compact protocol, the schema tree, statistics.
    static let thrift: FuzzTarget = {
        var target = FuzzTarget(
            name: "thrift", summary: "Parquet footers: Thrift, schemas, statistics"
        ) {
            try SourceFiles.contents(
                below: "Tests/ParquetTests/Fixtures", endings: [".parquet"], upTo: 33_000
            ).map { ParquetTrial.footer(of: $0) }
        } prepare: {
            { input in try ParquetTrial.openFooter(input) }
        }
        target.tokens = [
            "\u{0}", "\u{15}", "\u{16}", "\u{18}", "\u{19}", "\u{1C}", "\u{2C}", "\u{4C}", "schema",
        ]
        return target
    }()

    /// `metadata.json`, read and written.
    static let tableMetadata: FuzzTarget = {
        var target = FuzzTarget(name: "iceberg", summary: "Iceberg metadata.json, updates, views") {
            try SourceFiles.contents(
                below: "Tests/IcebergTests/Fixtures", endings: ["metadata.json"], upTo: 64 * 1024)
                + IcebergSeeds.updates.map { Array($0.utf8) }
        } prepare: {
            let base = try IcebergTrial.fixture()
            return { input in try IcebergTrial.metadata(input, base) }
        }
        target.tokens = IcebergSeeds.tokens
        return target
    }()

    /// Manifests and manifest lists of every version.
    static let manifest: FuzzTarget = {
        var target = FuzzTarget(name: "manifest", summary: "Iceberg manifests and manifest lists") {
            try SourceFiles.contents(
                below: "Tests/IcebergTests/Fixtures", endings: [".avro"], upTo: 64 * 1024
            )
            .map { try AvroSeeds.unpacked($0) }
        } prepare: {
            let metadata = try IcebergTrial.fixture()
            let usual = try IcebergTrial.firstManifest()
            return { input in try IcebergTrial.manifests(input, metadata, usual) }
        }
        target.tokens = AvroSeeds.tokens
        return target
    }()
}

private enum AvroSeeds {
    static let tokens = [
        "Obj\u{1}", "avro.schema", "avro.codec", "null", "deflate", "snappy", "zstandard",
        "\"type\":", "\"record\"",
        "\"array\"", "\"map\"", "\"union\"", "\"fixed\"", "\"size\":16", "\"enum\"", "\"items\":",
        "\"values\":",
        "\"long\"", "\"bytes\"", "\"string\"", "[\"null\",\"long\"]", "\"field-id\":1",
        "\"logicalType\":\"decimal\"",
        "\u{2}", "\u{0}", "{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}",
    ]

    private static let schema = """
        {"type":"record","name":"r","fields":[
         {"name":"a","type":"long"},{"name":"b","type":["null","string"]},
         {"name":"c","type":{"type":"array","items":"int"}},
         {"name":"d","type":{"type":"map","values":"double"}},
         {"name":"e","type":{"type":"enum","name":"e","symbols":["X","Y"]}},
         {"name":"f","type":{"type":"fixed","name":"f","size":4}},{"name":"g","type":"boolean"},
         {"name":"h","type":"bytes"},{"name":"i","type":["null","r"]}]}
        """

    static func containers() throws -> [[UInt8]] {
        try AvroCodec.allCases.map { codec in
            var writer = AvroFileWriter(
                schemaText: schema, codec: codec, metadata: [("k", "v")],
                syncMarker: Array(0..<16))
            for number in 0..<5 {
                try writer.append { avro throws(AvroError) in
                    avro.long(Int64(number) * 1_000_000_007)
                    avro.long(1)
                    avro.string("text \(number)")
                    avro.elements([1, 2, 3] as [Int32]) { $0.int($1) }
                    avro.elements([("k", 0.5)]) {
                        $0.string($1.0)
                        $0.double($1.1)
                    }
                    avro.int(1)
                    avro.fixed([1, 2, 3, 4])
                    avro.boolean(true)
                    avro.bytes([9, 8])
                    avro.long(0)
                }
            }
            return try writer.finish()
        }
    }

    /// The same container without compression, so that changes reach the records.
    static func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
        var reader = try AvroFileReader(bytes)
        let others = reader.metadata.filter { !$0.key.hasPrefix("avro.") }
            .sorted { $0.key < $1.key }
        var writer = AvroFileWriter(
            schemaText: reader.metadataText("avro.schema") ?? "", codec: .null,
            metadata: others.map { ($0.key, String(decoding: $0.value, as: UTF8.self)) },
            syncMarker: Array(0..<16))
        let (schema, names) = (reader.schema, reader.names)
        var values: [[UInt8]] = []
        try reader.forEachRecord { decoder throws(AvroError) in
            let start = decoder
            _ = try decoder.value(schema, names: names)
            var copy = start
            values.append(try copy.fixed(start.reader.remaining - decoder.reader.remaining))
        }
        for value in values { try writer.append { avro throws(AvroError) in avro.fixed(value) } }
        return try writer.finish()
    }
}

/// Bytes as an object.
private final class BytesReader: ObjectReader {
    private let bytes: [UInt8]
    let description: ObjectDescription

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        description = ObjectDescription(
            location: ObjectLocation(bucket: "fuzz", key: "input"), sizeBytes: Int64(bytes.count),
            etag: "e", version: "v", modifiedMicroseconds: 0)
    }

    func read(
        _ ranges: [RangeRead],
        completion: @escaping @Sendable (Result<Void, ObjectStoreError>) -> Void
    ) {
        do throws(ObjectStoreError) {
            try readNow(ranges)
            completion(.success(()))
        } catch {
            completion(.failure(error))
        }
    }

    func readNow(_ ranges: [RangeRead]) throws(ObjectStoreError) {
        for range in ranges {
            try range.check(against: description)
            let start = Int(range.offset)
            range.destination.copyBytes(from: bytes[start..<(start + range.destination.count)])
        }
    }
}

private enum ParquetTrial {
    static func scan(_ input: [UInt8]) throws {
        _ = try answer {
            let file = try ParquetFile.open(BytesReader(input))
            let columns = file.schema.fields.filter { $0.unsupported == nil }.map {
                ScanColumn.whole($0)
            }
            let budget = MemoryBudget(limitBytes: 256 << 20)
            let memory = ScanMemory(budget: budget)
            let scan = try ParquetScan(file, columns: columns, memory: memory)
            var rows = 0
            for group in 0..<min(file.rowGroupCount, 64) where try scan.begin(rowGroup: group) {
                while let chunk = try scan.next() {
                    try hold(chunk.count > 0 && chunk.count <= Chunk.capacity, "a chunk's count")
                    rows += chunk.count
                    for (index, column) in columns.enumerated() {
                        for row in 0..<chunk.count {
                            _ = try touch(chunk.columns[index], row, column.type)
                        }
                    }
                    if rows > 50_000 { return }
                }
            }
        }
        try openBounds(input)
    }

    /// Reads every value, so that what points outside is seen.
    private static func touch(_ vector: Vector, _ row: Int, _ type: LogicalType) throws -> Int {
        guard vector.isValid(row) else { return 0 }
        switch type {
        case .varchar, .varbinary:
            return vector.string(row).withBytes { bytes in bytes.reduce(0) { $0 &+ Int($1) } }
        case .array(let element):
            guard let children = vector.children else { throw Finding("a list without elements") }
            let entry = vector.value(row, as: ListEntry.self)
            try hold(
                UInt64(entry.offset) + UInt64(entry.count) <= UInt64(vector.entryCount),
                "a list's elements are outside")
            return try (0..<Int(entry.count)).reduce(0) {
                try $0 &+ touch(children[0], Int(entry.offset) + $1, element)
            }
        case .map(let key, let value):
            guard let children = vector.children else { throw Finding("a map without entries") }
            let entry = vector.value(row, as: ListEntry.self)
            return try (0..<Int(entry.count)).reduce(0) {
                let at = Int(entry.offset) + $1
                return try $0 &+ touch(children[0], at, key) &+ touch(children[1], at, value)
            }
        case .row(let fields):
            guard let children = vector.children else { throw Finding("a row without fields") }
            return try fields.enumerated().reduce(0) {
                try $0 &+ touch(children[$1.offset], row, $1.element.type)
            }
        default: return 1
        }
    }

    static func openFooter(_ footer: [UInt8]) throws {
        var file = Array("PAR1".utf8) + [UInt8](repeating: 0, count: 4096) + footer
        appendLength(footer.count, &file)
        try openBounds(file)
    }

    private static func openBounds(_ bytes: [UInt8]) throws {
        _ = try answer {
            let file = try ParquetFile.open(BytesReader(bytes))
            for group in 0..<min(file.rowGroupCount, 16) {
                for field in file.schema.fields {
                    _ = file.bounds(rowGroup: group, of: field, as: field.type)
                }
            }
        }
    }

    /// Where the footer begins and ends, as the last bytes say.
    private static func footerRange(_ bytes: [UInt8]) -> Range<Int>? {
        guard bytes.count >= 12 else { return nil }
        let end = bytes.count - 8
        let length = (0..<4).reduce(0) { $0 | Int(bytes[end + $1]) << (8 * $1) }
        return length <= end - 4 ? (end - length)..<end : nil
    }

    static func footer(of bytes: [UInt8]) -> [UInt8] {
        footerRange(bytes).map { Array(bytes[$0]) } ?? []
    }

    private static func appendLength(_ count: Int, _ bytes: inout [UInt8]) {
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: count >> (8 * shift))) }
        bytes += Array("PAR1".utf8)
    }

    /// Repairs the end of a file whose length changed: the footer is where it was, counted from the front
    /// or from the back.
    static func withFooterLength(_ input: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        guard input.count > 16 else { return input }
        var bytes = input
        if let range = footerRange(input), !range.isEmpty { return bytes }
        bytes.removeLast(min(8, bytes.count))
        appendLength(random.below(bytes.count - 3), &bytes)
        return bytes
    }
}

private enum IcebergTrial {
    static func metadata(_ input: [UInt8], _ base: TableMetadata) throws {
        if let metadata = try answer({ try TableMetadata(parsing: input) }) {
            let text = metadata.json.encoded()
            guard let again = try answer({ try TableMetadata(parsing: text) }) else {
                throw Finding("its own metadata is refused")
            }
            // Not the values: a version 1 file may say what only later versions keep.
            try hold(again.json.encoded() == text, "what was written reads differently")
            for snapshot in metadata.snapshots.prefix(8) {
                _ = metadata.schema(of: snapshot)
                _ = metadata.ancestors(of: snapshot.snapshotID)
            }
            _ = metadata.currentSchema
            _ = metadata.defaultSpec.resultTypes(in: metadata.schemasNewestFirst)
        }
        guard let value = try answer({ try JSONValue(parsing: input) }) else { return }
        _ = try answer { try ViewMetadata(value.cursor) }
        let update = try answer { try TableUpdate(value.cursor) }
        _ = try answer { try TableRequirement(value.cursor).check(nil) }
        if let update {
            _ = try answer { try base.applying([update], nowMilliseconds: 1_767_225_600_000) }
        }
    }

    static func fixture() throws -> TableMetadata {
        let found = try SourceFiles.contents(
            below: "Tests/IcebergTests/Fixtures/v2", endings: ["metadata.json"], upTo: 64 * 1024)
        guard let bytes = found.first else { throw Finding("the fixture is missing") }
        return try TableMetadata(parsing: bytes)
    }

    /// The first manifest of the fixture, for bytes that are no manifest list.
    static func firstManifest() throws -> ManifestFile {
        let lists = try SourceFiles.contents(
            below: "Tests/IcebergTests/Fixtures/v2", endings: ["list.avro"], upTo: 64 * 1024)
        let manifests = try lists.first.map { try ManifestListReader.read($0, path: "list") }
        guard let manifest = manifests?.first else { throw Finding("the fixture is missing") }
        return manifest
    }

    static func manifests(
        _ input: [UInt8], _ metadata: TableMetadata, _ usual: ManifestFile
    ) throws {
        let list = try answer { try ManifestListReader.read(input, path: "list") }
        let manifest = list?.first ?? usual
        let spec = metadata.spec(id: manifest.specID) ?? metadata.defaultSpec
        _ = try answer {
            try ManifestReader.read(
                input, of: manifest, spec: spec,
                partitionTypes: spec.resultTypes(in: metadata.schemasNewestFirst))
        }
    }
}

private enum IcebergSeeds {
    static let updates = [
        #"{"action":"add-schema","schema":{"type":"struct","schema-id":1,"fields":[{"id":1,"name":"a","required":true,"type":"long"},{"id":2,"name":"m","required":false,"type":{"type":"map","key-id":3,"key":"string","value-id":4,"value":"decimal(38, 10)","value-required":false}}]},"last-column-id":4}"#,
        #"{"action":"add-spec","spec":{"spec-id":1,"fields":[{"source-id":1,"field-id":1000,"name":"b","transform":"bucket[16]"}]}}"#,
        #"{"action":"add-sort-order","sort-order":{"order-id":1,"fields":[{"source-id":1,"transform":"identity","direction":"asc","null-order":"nulls-first"}]}}"#,
        #"{"action":"set-properties","updates":{"a":"b"}}"#,
        #"{"action":"add-snapshot","snapshot":{"snapshot-id":1,"sequence-number":1,"timestamp-ms":1,"manifest-list":"s3://a/b","summary":{"operation":"append"},"schema-id":0}}"#,
        #"{"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":1}"#,
        #"{"action":"upgrade-format-version","format-version":3}"#,
        #"{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null}"#,
    ]
    static let tokens = [
        "\"format-version\":", "\"schemas\":", "\"fields\":", "\"type\":", "\"struct\"", "\"list\"",
        "\"map\"",
        "\"decimal(9, 2)\"", "\"decimal(99, 99)\"", "\"fixed[16]\"", "\"fixed[9999999999]\"",
        "\"timestamptz\"",
        "\"bucket[0]\"", "\"truncate[4]\"", "\"void\"", "\"id\":", "\"source-id\":",
        "\"snapshot-id\":",
        "\"parent-snapshot-id\":", "\"refs\":", "\"main\"", "\"required\":true",
        "\"initial-default\":", "null", "[]", "{}",
        "9223372036854775807", "-1", "2147483648", "1.5", "\"\"",
    ]
}
