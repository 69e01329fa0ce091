/// Decodes DELTA_BINARY_PACKED: blocks of miniblocks of bit-packed differences.
///
///     header     := block size, miniblocks a block, value count (varints), first value (zigzag)
///     block      := least difference (zigzag), a width byte for each miniblock, the miniblocks
///
/// Source: Parquet format, Encodings.md, "Delta Encoding".
enum DeltaReader {
    /// Decodes exactly `count` integers; `store` gets index and value (in 64 bits, wrapped). Returns the
    /// bytes taken.
    @inline(__always)
    static func read(
        _ bytes: UnsafeRawBufferPointer, count: Int, _ store: (Int, Int64) -> Void
    ) throws(ParquetError) -> Int {
        var cursor = VarintCursor(bytes)
        let blockSize = Int(clamping: try cursor.unsigned())
        let miniblocks = Int(clamping: try cursor.unsigned())
        let total = Int(clamping: try cursor.unsigned())
        var value = try cursor.signed()
        guard total == count else {
            throw .corrupted("a delta-encoded page has \(total) values, its header says \(count)")
        }
        guard miniblocks > 0, blockSize > 0, blockSize % miniblocks == 0,
            blockSize <= ParquetLimits.miniblockValues * miniblocks, miniblocks <= 1 << 16
        else { throw .corrupted("a delta-encoded page has impossible blocks") }
        let miniblockSize = blockSize / miniblocks
        guard miniblockSize % 8 == 0 || count <= 1 else {
            throw .corrupted("a delta-encoded page has impossible miniblocks")
        }
        if count == 0 { return cursor.offset }
        store(0, value)
        var done = 1
        while done < count {
            let least = try cursor.signed()
            let widths = cursor.offset
            try cursor.advance(miniblocks)
            for miniblock in 0..<miniblocks where done < count {
                let width = Int(bytes[widths + miniblock])
                guard width <= 64 else {
                    throw .corrupted("a delta-encoded page has integers of \(width) bits")
                }
                let wanted = min(miniblockSize, count &- done)
                // The last miniblock may lack its padding in some writers' files.
                let size = miniblockSize / 8 &* width
                let needed = (wanted &* width &+ 7) / 8
                guard needed <= bytes.count - cursor.offset, let base = bytes.baseAddress else {
                    throw .truncated("a delta-encoded page ends in a miniblock")
                }
                let source = base + cursor.offset
                if width == 0 {
                    for _ in 0..<wanted {
                        value = value &+ least
                        store(done, value)
                        done &+= 1
                    }
                } else if width <= 56 {
                    for index in 0..<wanted {
                        let delta = unpackOne(source, bit: index &* width, width: width)
                        value = value &+ least &+ Int64(bitPattern: delta)
                        store(done, value)
                        done &+= 1
                    }
                } else {
                    for index in 0..<wanted {
                        let delta = unpackWide(source, bit: index &* width, width: width)
                        value = value &+ least &+ Int64(bitPattern: delta)
                        store(done, value)
                        done &+= 1
                    }
                }
                try cursor.advance(min(size, bytes.count - cursor.offset))
            }
        }
        return cursor.offset
    }

    /// One integer of 57 to 64 bits, from nine bytes.
    private static func unpackWide(_ source: UnsafeRawPointer, bit: Int, width: Int) -> UInt64 {
        let start = source + bit &>> 3
        let shift = UInt64(bit & 7)
        let low = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)) &>> shift
        let high = shift == 0 ? 0 : UInt64((start + 8).load(as: UInt8.self)) &<< (64 &- shift)
        let mask: UInt64 = width == 64 ? ~0 : 1 &<< UInt64(width) &- 1
        return (low | high) & mask
    }
}

/// A bounded cursor for the few varints in front of encoded runs.
struct VarintCursor {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func unsigned() throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70 {
            guard offset < bytes.count else {
                throw .truncated("an encoded page ends in its header")
            }
            let byte = bytes[offset]
            offset += 1
            if shift < 64 { value |= UInt64(byte & 0x7F) &<< shift }
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .corrupted("an encoded page has a number with too many bytes")
    }

    mutating func signed() throws(ParquetError) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func advance(_ count: Int) throws(ParquetError) {
        guard count >= 0, count <= bytes.count - offset else {
            throw .truncated("an encoded page ends too early")
        }
        offset += count
    }
}
