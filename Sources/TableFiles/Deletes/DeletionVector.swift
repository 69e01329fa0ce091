import Bytes

/// Reads the deleted positions of a version 3 deletion vector.
///
///     length 4, big-endian ─ magic D1 D3 39 64 ─ bitmaps ─ CRC-32 4, big-endian
///                                                  │
///     count 8 ─ (high word 4 ─ Roaring bitmap of the low words) … ─┘     all little-endian
///
/// Source: Puffin specification, "deletion-vector-v1 blob type"; Roaring format specification.
package enum DeletionVector {
    private static let magic: [UInt8] = [0xD1, 0xD3, 0x39, 0x64]
    private static let plainCookie: UInt32 = 12_346
    private static let runCookie: UInt32 = 12_347
    /// A container of more values than this is a bitmap of 2^16 bits.
    private static let arrayLimit = 4096
    /// With runs, offsets are left out where there are fewer containers.
    private static let offsetsFrom = 4

    /// The positions of a blob, ascending. Throws for damaged bytes, and for positions at or behind
    /// `rowCount`, so that a few bytes cannot ask for much memory.
    package static func positions(
        _ blob: [UInt8], rowCount: Int64
    ) throws(TableFileError) -> [Int64] {
        do {
            var reader = ByteReader(blob)
            let length = Int(try reader.readUInt32BE())
            guard length >= 4, length == blob.count - 8 else {
                throw corrupt("it says \(length) of \(blob.count) bytes")
            }
            let body = Array(blob[4..<(4 + length)])
            guard body.starts(with: magic) else { throw corrupt("its magic number is missing") }
            try reader.seek(to: 4 + length)
            guard try reader.readUInt32BE() == crc32(body) else {
                throw corrupt("its checksum is wrong")
            }
            return try bitmaps(ByteReader(body, range: 4..<body.count), rowCount)
        } catch let error as TableFileError {
            throw error
        } catch {
            throw corrupt("\(error)")
        }
    }

    private static func corrupt(_ reason: String) -> TableFileError {
        TableFileError(code: .corrupted, message: "a deletion vector is damaged: \(reason)")
    }

    private static func bitmaps(_ bytes: ByteReader, _ rowCount: Int64) throws -> [Int64] {
        var reader = bytes
        var positions = Positions(rowCount: rowCount)
        let count = try reader.readUInt64LE()
        for _ in 0..<min(count, UInt64(Int32.max)) {
            let high = Int64(try reader.readUInt32LE())
            guard high <= Int64(Int32.max) else { throw corrupt("a position is too large") }
            try bitmap(&reader, base: high << 32, &positions)
        }
        guard reader.isAtEnd else { throw corrupt("bytes are left over") }
        return positions.values
    }

    /// One 32-bit Roaring bitmap.
    private static func bitmap(
        _ reader: inout ByteReader, base: Int64, _ positions: inout Positions
    ) throws {
        let cookie = try reader.readUInt32LE()
        var runs: [UInt8] = []
        let count: Int
        if cookie & 0xFFFF == runCookie {
            count = Int(cookie >> 16) + 1
            runs = try reader.readBytes((count + 7) / 8)
        } else if cookie == plainCookie {
            count = Int(try reader.readUInt32LE())
        } else {
            throw corrupt("a bitmap begins with \(cookie)")
        }
        guard count <= 1 << 16 else { throw corrupt("a bitmap has \(count) containers") }
        var descriptors: [(key: UInt16, count: Int)] = []
        for _ in 0..<count {
            descriptors.append((try reader.readUInt16LE(), Int(try reader.readUInt16LE()) + 1))
        }
        if runs.isEmpty || count >= offsetsFrom { try reader.skip(count * 4) }
        for (index, descriptor) in descriptors.enumerated() {
            let start = base | Int64(descriptor.key) << 16
            if !runs.isEmpty, runs[index / 8] >> UInt8(index % 8) & 1 == 1 {
                for _ in 0..<Int(try reader.readUInt16LE()) {
                    let first = start + Int64(try reader.readUInt16LE())
                    let last = first + Int64(try reader.readUInt16LE())
                    for position in first...last { try positions.append(position) }
                }
            } else if descriptor.count > arrayLimit {
                for word in 0..<1024 {
                    var bits = try reader.readUInt64LE()
                    while bits != 0 {
                        let bit = bits.trailingZeroBitCount
                        try positions.append(start + Int64(word * 64 + bit))
                        bits &= bits - 1
                    }
                }
            } else {
                for _ in 0..<descriptor.count {
                    try positions.append(start + Int64(try reader.readUInt16LE()))
                }
            }
        }
    }

    /// Positions as they are found, which has to be in order and within the file.
    private struct Positions {
        let rowCount: Int64
        private(set) var values: [Int64] = []

        init(rowCount: Int64) { self.rowCount = rowCount }

        mutating func append(_ position: Int64) throws(TableFileError) {
            guard position < rowCount else {
                throw corrupt("position \(position) is behind the file's \(rowCount) rows")
            }
            if let last = values.last, last >= position { throw corrupt("positions do not ascend") }
            values.append(position)
        }
    }
}
