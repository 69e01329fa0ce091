import Bytes
import ObjectStorage

/// A split-block bloom filter. Source: Parquet format, BloomFilter.md.
struct BloomFilter {
    private let words: [UInt32]

    /// Eight odd numbers that spread a hash over a block's words.
    static let salts: [UInt32] = [
        0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947,
        0x5c6b_fb31,
    ]

    /// Parses header and bits; nil when the kind is one this reader does not know.
    init?(_ bytes: [UInt8]) {
        var bitBytes = 0
        var isKnown = true
        var offset = 0
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(bytes.count, 1), alignment: 16)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        do throws(ParquetError) {
            var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: memory[0..<bytes.count]))
            try reader.structure { (reader, id, kind) throws(ParquetError) in
                switch id {
                case 1: bitBytes = try reader.count(kind)
                case 2, 3, 4:
                    try reader.structure { (reader, id, kind) throws(ParquetError) in
                        if id != 1 { isKnown = false }
                        try reader.skip(kind)
                    }
                default: try reader.skip(kind)
                }
            }
            offset = reader.offset
        } catch {
            return nil
        }
        guard isKnown, bitBytes >= 32, bitBytes % 32 == 0, bitBytes <= bytes.count - offset else {
            return nil
        }
        var words: [UInt32] = []
        words.reserveCapacity(bitBytes / 4)
        for index in 0..<(bitBytes / 4) {
            words.append(
                UInt32(
                    littleEndian: memory.loadUnaligned(
                        fromByteOffset: offset + index * 4, as: UInt32.self)))
        }
        self.words = words
    }

    /// The block that a hash belongs to: its upper half, scaled to their number. Shifts bind tighter
    /// than products in Swift, hence the parentheses.
    static func block(of hash: UInt64, count: Int) -> Int {
        Int(((hash >> 32) &* UInt64(count)) >> 32)
    }

    /// Whether the value, in PLAIN bytes, may be in the column.
    func mayContain(_ plain: [UInt8]) -> Bool {
        let hash = xxHash64(plain)
        let block = BloomFilter.block(of: hash, count: words.count / 8)
        let key = UInt32(truncatingIfNeeded: hash)
        for lane in 0..<8 {
            let bit = (key &* BloomFilter.salts[lane]) >> 27
            if words[block * 8 + lane] & (1 << bit) == 0 { return false }
        }
        return true
    }

    /// A value in the PLAIN bytes that the column's writer hashed; nil when there is no sure way back.
    static func plainBytes(_ value: ParquetValue, _ leaf: ParquetLeaf, _ conversion: LeafConversion)
        -> [UInt8]?
    {
        switch (conversion, value) {
        case (.strings, .bytes(let bytes)): return bytes
        case (.copy4, .int32(let number)): return littleEndian(UInt32(bitPattern: number), 4)
        case (.copy8, .int64(let number)): return littleEndian(UInt64(bitPattern: number), 8)
        case (.widen(1), .int64(let number)):
            guard let narrow = Int32(exactly: number) else { return nil }
            return littleEndian(UInt32(bitPattern: narrow), 4)
        case (.copyDouble, .double(let number)) where number != 0 && !number.isNaN:
            return littleEndian(number.bitPattern, 8)
        case (.uuid, .int128(let number)):
            let bits = UInt128(truncatingIfNeeded: number) ^ (1 << 127)
            return (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) }
        default: return nil
        }
    }

    private static func littleEndian(_ value: some FixedWidthInteger, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
