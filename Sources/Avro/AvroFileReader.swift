import Bytes

/// Reads an object container block by block.
package struct AvroFileReader: Sendable {
    /// The schema that the file was written with.
    package let schema: AvroSchema
    package let names: AvroNames
    package let codec: AvroCodec
    /// The file's metadata: `avro.schema`, and Iceberg's `schema`, `partition-spec`, `format-version`.
    package let metadata: [String: [UInt8]]
    private let sync: [UInt8]
    private var reader: ByteReader

    /// Reads the header. Throws `.notAvro` for bytes that begin otherwise.
    package init(_ bytes: [UInt8]) throws(AvroError) {
        guard bytes.count >= 4, bytes[0..<4].elementsEqual([0x4F, 0x62, 0x6A, 0x01]) else {
            throw AvroError(
                code: .notAvro, message: "no Avro object container: the magic is missing")
        }
        var reader = ByteReader(bytes)
        let metadata: [String: [UInt8]]
        do throws(BytesError) {
            try reader.skip(4)
            metadata = try AvroFileReader.readMetadata(&reader)
            sync = try reader.readBytes(16)
        } catch {
            throw AvroError(error)
        }
        guard let text = metadata["avro.schema"] else {
            throw AvroError(code: .corrupted, message: "the container has no avro.schema")
        }
        schema = try AvroSchema(parsing: text)
        names = AvroNames(schema)
        let name = metadata["avro.codec"].map { String(decoding: $0, as: UTF8.self) } ?? "null"
        guard let codec = AvroCodec(rawValue: name) else {
            throw AvroError(
                code: .unsupportedCodec, message: "unsupported Avro codec: \(name)",
                hint: "rewrite the file with null, deflate, snappy or zstandard")
        }
        self.codec = codec
        self.metadata = metadata
        self.reader = reader
    }

    /// A text of the metadata.
    package func metadataText(_ name: String) -> String? {
        metadata[name].map { String(decoding: $0, as: UTF8.self) }
    }

    /// The next block, decompressed: how many records, and their bytes. Nil at the end.
    package mutating func nextBlock() throws(AvroError) -> (count: Int, bytes: [UInt8])? {
        if reader.isAtEnd { return nil }
        let count: Int64
        let packed: [UInt8]
        let marker: [UInt8]
        do throws(BytesError) {
            count = try reader.readZigZag64()
            let size = try reader.readZigZag64()
            guard size >= 0, size <= Int64(Limits.blockBytes) else {
                throw BytesError(code: .invalidLength, message: "block of \(size) bytes")
            }
            packed = try reader.readBytes(Int(size))
            marker = try reader.readBytes(16)
        } catch {
            throw AvroError(error)
        }
        guard marker == sync else {
            throw AvroError(
                code: .corrupted, message: "the sync marker differs before offset \(reader.offset)")
        }
        let bytes = try codec.decompress(packed)
        guard count >= 0, count <= Int64(max(bytes.count, Limits.emptyElements)) else {
            throw AvroError(
                code: .corrupted, message: "block of \(count) records in \(bytes.count) bytes")
        }
        return (Int(count), bytes)
    }

    /// Calls `body` once a record, with a decoder that stands at its begin and has to end at its end.
    package mutating func forEachRecord(
        _ body: (inout AvroDecoder) throws(AvroError) -> Void
    ) throws(AvroError) {
        while let block = try nextBlock() {
            var decoder = AvroDecoder(block.bytes)
            for _ in 0..<block.count { try body(&decoder) }
            guard decoder.isAtEnd else {
                throw AvroError(code: .corrupted, message: "bytes are left after a block's records")
            }
        }
    }

    /// All records in their generic form.
    package mutating func readAll() throws(AvroError) -> [AvroValue] {
        var values: [AvroValue] = []
        let (schema, names) = (schema, names)
        try forEachRecord { decoder throws(AvroError) in
            values.append(try decoder.value(schema, names: names))
        }
        return values
    }

    private static func readMetadata(
        _ reader: inout ByteReader
    ) throws(BytesError) -> [String: [UInt8]] {
        var metadata: [String: [UInt8]] = [:]
        while true {
            var count = try reader.readZigZag64()
            if count == 0 { return metadata }
            if count < 0 {
                count = count == .min ? .max : -count
                _ = try reader.readZigZag64()
            }
            guard count <= Int64(Limits.metadataEntries - metadata.count) else {
                throw BytesError(code: .invalidLength, message: "metadata of \(count) entries")
            }
            for _ in 0..<count {
                let name = try reader.readUTF8(try length(&reader))
                metadata[name] = try reader.readBytes(try length(&reader))
            }
        }
    }

    private static func length(_ reader: inout ByteReader) throws(BytesError) -> Int {
        let value = try reader.readZigZag64()
        guard value >= 0, value <= Int64(reader.remaining) else {
            throw BytesError(
                code: .invalidLength, message: "length \(value) at offset \(reader.offset)")
        }
        return Int(value)
    }
}
