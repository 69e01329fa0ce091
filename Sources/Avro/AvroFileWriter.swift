import Bytes

/// Writes an object container into memory.
package struct AvroFileWriter: Sendable {
    private let codec: AvroCodec
    private let sync: [UInt8]
    private var file = ByteBuffer()
    private var block = AvroEncoder()
    private var blockCount: Int64 = 0
    /// Records are compressed together up to this many bytes.
    private static let blockBytes = 64 << 10

    /// `metadata` comes beside schema and codec; `syncMarker` are 16 bytes that no file repeats.
    package init(
        schemaText: String, codec: AvroCodec, metadata: [(String, String)] = [], syncMarker: [UInt8]
    ) {
        self.codec = codec
        var marker = Array(syncMarker.prefix(16))
        marker += [UInt8](repeating: 0, count: 16 - marker.count)
        sync = marker
        file.append([0x4F, 0x62, 0x6A, 0x01])
        var header = AvroEncoder()
        let entries = [("avro.schema", schemaText), ("avro.codec", codec.rawValue)] + metadata
        header.elements(entries) { encoder, entry in
            encoder.string(entry.0)
            encoder.string(entry.1)
        }
        file.append(header.buffer.bytes)
        file.append(sync)
    }

    /// Bytes written and waiting so far: what the file will about weigh.
    package var sizeEstimate: Int { file.count + block.buffer.count }

    /// Adds a record, which `body` encodes field by field.
    package mutating func append(_ body: (inout AvroEncoder) throws(AvroError) -> Void)
        throws(AvroError)
    {
        try body(&block)
        blockCount += 1
        if block.buffer.count >= Self.blockBytes { try flush() }
    }

    /// The whole file. The writer is spent.
    package consuming func finish() throws(AvroError) -> [UInt8] {
        try flush()
        return file.bytes
    }

    private mutating func flush() throws(AvroError) {
        guard blockCount > 0 else { return }
        let packed = try codec.compress(block.buffer.bytes)
        file.appendZigZag(blockCount)
        file.appendZigZag(Int64(packed.count))
        file.append(packed)
        file.append(sync)
        block = AvroEncoder()
        blockCount = 0
    }
}
