import Bytes
import Compression
import HTTPMessages
import JSON
import SQLEngine

/// How rows travel when a client asks for encoded data: segments of JSON, compressed or not.
///
/// Source: Trino documentation, "Client protocol", spooling; `reference/trino-protocol.md`, section 6.
enum DataEncoding: String {
    case json
    case zstd = "json+zstd"
    case lz4 = "json+lz4"

    static let header = "Query-Data-Encoding"
    /// Segments of fewer bytes are left as they are.
    static let leastCompressed = 8 << 10
    /// Segments of more bytes, as they travel, are fetched by an address of their own.
    static let mostInline = 128 << 10

    /// The first of a client's encodings that we know; nil: it asked for none.
    static func chosen(_ fields: Fields) -> DataEncoding? {
        RequestSession.list(fields, header).lazy
            .compactMap { DataEncoding(rawValue: $0.lowercased()) }.first
    }

    /// A page as one segment.
    func segment(_ page: ResultPage, rowOffset: Int64) -> Segment {
        let rows = [0x5B] + page.bytes + [0x5D]
        var segment = Segment(
            bytes: rows, rowOffset: rowOffset, rowCount: page.rowCount, uncompressedCount: nil)
        let codec: Codec
        switch self {
        case .json: return segment
        case .zstd: codec = .zstd
        case .lz4: codec = .lz4Block
        }
        if rows.count >= DataEncoding.leastCompressed,
            let packed = try? Compressor().compress(codec, level: 1, rows),
            packed.count < rows.count
        {
            segment.bytes = packed
            segment.uncompressedCount = rows.count
        }
        return segment
    }
}

/// Encoded rows.
struct Segment {
    /// As they travel.
    var bytes: [UInt8]
    var rowOffset: Int64
    var rowCount: Int
    /// Present when the bytes are compressed.
    var uncompressedCount: Int?
    /// Where they are kept for the client; nil: they are in the answer.
    var id: String?

    func write(into json: inout JSONWriter, base: String) {
        json.beginObject()
        json.member("type", id == nil ? "inline" : "spooled")
        if let id {
            json.member("uri", "\(base)/v1/spooled/download/\(id)")
            json.member("ackUri", "\(base)/v1/spooled/ack/\(id)")
            json.member("headers")
            json.beginObject()
            json.endObject()
        } else {
            json.member("data", base64Text(bytes))
        }
        json.member("metadata")
        json.beginObject()
        json.member("rowOffset", rowOffset)
        json.member("rowsCount", Int64(rowCount))
        json.member("segmentSize", Int64(bytes.count))
        if let uncompressedCount {
            json.member("uncompressedSize", Int64(uncompressedCount))
        }
        json.endObject()
        json.endObject()
    }
}
