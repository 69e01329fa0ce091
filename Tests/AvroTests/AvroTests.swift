import Avro
import JSON
import Testing

struct AvroTests {
    static let schemaText = """
        {"type":"record","name":"row","fields":[
         {"name":"id","type":"long","field-id":1},
         {"name":"name","type":["null","string"],"default":null,"field-id":2},
         {"name":"price","type":{"type":"fixed","name":"d","size":5,"logicalType":"decimal","precision":10,"scale":2},"field-id":3},
         {"name":"tags","type":{"type":"array","items":"string","element-id":5},"field-id":4},
         {"name":"scores","type":{"type":"map","values":"double"},"field-id":6},
         {"name":"kind","type":{"type":"enum","name":"k","symbols":["a","b"]},"field-id":7},
         {"name":"next","type":["null","row"],"default":null,"field-id":8}]}
        """

    static func row(_ id: Int64, depth: Int = 1) -> AvroValue {
        .record([
            .long(id), id % 2 == 0 ? .union(0, .null) : .union(1, .string("größe \(id)")),
            .fixed(decimalBytes(Int128(id) * -7, size: 5)), .array([.string("x"), .string("")]),
            .map([.init(key: "s", value: .double(Double(id) / 3))]), .enumeration(Int(id % 2)),
            depth == 0 ? .union(0, .null) : .union(1, row(id + 1, depth: depth - 1)),
        ])
    }

    static func file(_ codec: AvroCodec, rows: Int64) throws -> [UInt8] {
        let schema = try AvroSchema(parsing: Array(schemaText.utf8))
        let names = AvroNames(schema)
        var writer = AvroFileWriter(
            schemaText: schemaText, codec: codec, metadata: [("who", "test")],
            syncMarker: Array(1...16))
        for id in 0..<rows {
            try writer.append { encoder throws(AvroError) in
                try encoder.value(row(id), schema, names: names)
            }
        }
        return try writer.finish()
    }

    @Test(arguments: AvroCodec.allCases)
    func filesComeBackInEveryCodec(codec: AvroCodec) throws {
        var reader = try AvroFileReader(Self.file(codec, rows: 3000))
        #expect(reader.codec == codec)
        #expect(reader.metadataText("who") == "test")
        #expect(try reader.readAll() == (0..<3000).map { Self.row($0) })
    }

    @Test func schemasKeepTheirProperties() throws {
        let schema = try AvroSchema(parsing: Array(Self.schemaText.utf8))
        guard case .record(_, let fields) = schema.kind else {
            throw AvroError(code: .invalidSchema, message: "")
        }
        #expect(fields.map(\.fieldID) == [1, 2, 3, 4, 6, 7, 8])
        #expect(fields[2].schema.logicalType == "decimal")
        #expect(fields[2].schema.integer("scale") == 2)
        #expect(fields[3].schema.integer("element-id") == 5)
        #expect(try AvroSchema(parsing: schema.json.encoded()) == schema)
    }

    @Test func skippingEndsWhereReadingEnds() throws {
        var reader = try AvroFileReader(Self.file(.null, rows: 10))
        let (schema, names) = (reader.schema, reader.names)
        var count = 0
        try reader.forEachRecord { decoder throws(AvroError) in
            try decoder.skip(schema, names: names)
            count += 1
        }
        #expect(count == 10)
    }

    @Test(arguments: AvroCodec.allCases)
    func everyTruncationIsAnError(codec: AvroCodec) throws {
        let whole = try Self.file(codec, rows: 20)
        for length in 0..<whole.count {
            // A cut right after the header leaves a sound, empty file.
            let result = Result {
                var reader = try AvroFileReader(Array(whole[..<length]))
                return try reader.readAll()
            }
            if case .success(let rows) = result { #expect(rows.isEmpty) }
        }
    }

    @Test(arguments: AvroCodec.allCases)
    func flippedBytesNeverTrap(codec: AvroCodec) throws {
        let whole = try Self.file(codec, rows: 20)
        for at in whole.indices {
            for mask in [UInt8(0xFF), 0x80, 0x01] {
                var bytes = whole
                bytes[at] ^= mask
                _ = try? {
                    var reader = try AvroFileReader(bytes)
                    return try reader.readAll()
                }()
            }
        }
    }

    @Test func otherBytesAndCodecsAreNamed() {
        #expect { try AvroFileReader([1, 2, 3, 4, 5]) } throws: {
            ($0 as? AvroError)?.code == .notAvro
        }
    }

    static let decimals: [(Int128, [UInt8])] = [
        (0, [0]), (1, [1]), (-1, [0xFF]), (127, [0x7F]), (128, [0, 0x80]), (-128, [0x80]),
        (-129, [0xFF, 0x7F]), (Int128(Int64.max) + 1, [0, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ]

    @Test(arguments: decimals)
    func decimalsAreTheShortestTwosComplement(value: Int128, bytes: [UInt8]) {
        #expect(decimalBytes(value) == bytes)
        #expect(decimalUnscaled(bytes) == value)
        #expect(decimalUnscaled(decimalBytes(value, size: 20)) == value)
    }
}
