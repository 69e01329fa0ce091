import Bytes
import JSON

/// Puts blobs into a Puffin file.
///
///     PFA1 ─ blob … ─ PFA1 ─ JSON of the blobs ─ its length 4, little-endian ─ flags 4 ─ PFA1
///
/// Source: Puffin specification, "File structure".
struct PuffinWriter {
    /// Where a blob lies.
    struct Place {
        var offset: Int64
        var length: Int64
    }

    private static let magic: [UInt8] = [0x50, 0x46, 0x41, 0x31]
    private(set) var bytes = PuffinWriter.magic
    private var blobs: [JSONValue] = []

    /// Adds a deletion vector of a data file.
    mutating func append(deletionVector blob: [UInt8], of path: String, count: Int) -> Place {
        let place = Place(offset: Int64(bytes.count), length: Int64(blob.count))
        bytes += blob
        blobs.append([
            "type": "deletion-vector-v1", "fields": [], "snapshot-id": -1, "sequence-number": -1,
            "offset": .int(place.offset), "length": .int(place.length),
            "properties": [
                "referenced-data-file": .string(path), "cardinality": .string(String(count)),
            ],
        ])
        return place
    }

    /// The whole file.
    func finish() -> [UInt8] {
        let payload = JSONValue.object([
            ("blobs", .array(blobs)), ("properties", ["created-by": "lakehouse"]),
        ]).encoded()
        var footer = ByteBuffer()
        footer.append(Self.magic)
        footer.append(payload)
        footer.appendInt32LE(Int32(payload.count))
        footer.append([0, 0, 0, 0])
        footer.append(Self.magic)
        return bytes + footer.bytes
    }
}
