import Bytes

extension DeletionVector {
    /// The blob of positions, which have to ascend. Source: Puffin specification, "deletion-vector-v1
    /// blob type"; Roaring format specification: arrays for sparse containers, bits for dense ones.
    package static func blob(_ positions: [Int64]) -> [UInt8] {
        var body = ByteBuffer()
        body.append([0xD1, 0xD3, 0x39, 0x64])
        let parts = groups(positions[...]) { UInt32(truncatingIfNeeded: $0 >> 32) }
        body.appendUInt64LE(UInt64(parts.count))
        for (high, values) in parts {
            body.appendUInt32LE(high)
            append(values, to: &body)
        }
        var blob = ByteBuffer()
        blob.appendUInt32BE(UInt32(body.bytes.count))
        blob.append(body.bytes)
        blob.appendUInt32BE(crc32(body.bytes))
        return blob.bytes
    }

    /// One 32-bit bitmap: its containers' keys and sizes, where they begin, and they.
    private static func append(_ values: ArraySlice<Int64>, to bytes: inout ByteBuffer) {
        let containers = groups(values) { UInt16(truncatingIfNeeded: $0 >> 16) }
        bytes.appendUInt32LE(12_346)
        bytes.appendUInt32LE(UInt32(containers.count))
        for (key, values) in containers {
            bytes.appendUInt16LE(key)
            bytes.appendUInt16LE(UInt16(values.count - 1))
        }
        // After the cookie, the count, and eight bytes a container.
        var offset = 8 + containers.count * 8
        for (_, values) in containers {
            bytes.appendUInt32LE(UInt32(offset))
            offset += values.count > densest ? 8192 : values.count * 2
        }
        for (_, values) in containers {
            if values.count <= densest {
                for value in values { bytes.appendUInt16LE(UInt16(truncatingIfNeeded: value)) }
                continue
            }
            var words = [UInt64](repeating: 0, count: 1024)
            for value in values {
                let low = Int(value & 0xFFFF)
                words[low / 64] |= 1 << UInt64(low % 64)
            }
            for word in words { bytes.appendUInt64LE(word) }
        }
    }

    /// A container of more values than this is a bitmap.
    private static let densest = 4096

    /// Runs of positions with the same key.
    private static func groups<Key: Equatable>(
        _ positions: ArraySlice<Int64>, _ key: (Int64) -> Key
    ) -> [(Key, ArraySlice<Int64>)] {
        var result: [(Key, ArraySlice<Int64>)] = []
        var start = positions.startIndex
        while start < positions.endIndex {
            let first = key(positions[start])
            var end = start + 1
            while end < positions.endIndex, key(positions[end]) == first { end += 1 }
            result.append((first, positions[start..<end]))
            start = end
        }
        return result
    }
}
