import Bytes

/// Writes runs of repeated values and of bit-packed ones; the reverse of `HybridReader`.
enum HybridWriter {
    /// Encodes values of `width` bits, 0 to 32. Runs of eight or more equal values are repeated ones.
    static func write(
        _ values: UnsafeBufferPointer<UInt32>, width: Int, to buffer: inout ByteBuffer
    ) {
        var literalStart = 0
        var index = 0
        while index < values.count {
            let value = values[index]
            var end = index + 1
            while end < values.count && values[end] == value { end += 1 }
            // Packed runs hold whole groups of eight: the run lends what the group before lacks.
            let lent = (8 - (index - literalStart) % 8) % 8
            if end - index - lent >= 8 {
                writePacked(values, literalStart..<(index + lent), width, &buffer)
                buffer.appendULEB128(UInt64(end - index - lent) << 1)
                for byte in 0..<((width + 7) / 8) {
                    buffer.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)))
                }
                literalStart = end
            }
            index = end
        }
        writePacked(values, literalStart..<values.count, width, &buffer)
    }

    private static func writePacked(
        _ values: UnsafeBufferPointer<UInt32>, _ range: Range<Int>, _ width: Int,
        _ buffer: inout ByteBuffer
    ) {
        if range.isEmpty { return }
        let groups = (range.count + 7) / 8
        buffer.appendULEB128(UInt64(groups) << 1 | 1)
        var word: UInt64 = 0
        var filled = 0
        for index in 0..<(groups * 8) {
            let at = range.lowerBound + index
            let value = at < range.upperBound ? UInt64(values[at]) : 0
            word |= value &<< UInt64(filled)
            filled &+= width
            while filled >= 8 {
                buffer.append(UInt8(truncatingIfNeeded: word))
                word &>>= 8
                filled &-= 8
            }
        }
    }

    /// Encodes levels with their length in front, as pages of version 1 have them.
    static func writeLevels(
        _ levels: [UInt8], maximum: Int, to buffer: inout ByteBuffer
    ) {
        var runs = ByteBuffer(capacity: 64)
        let wide = levels.map { UInt32($0) }
        wide.withUnsafeBufferPointer {
            write($0, width: Int.bitWidth - maximum.leadingZeroBitCount, to: &runs)
        }
        buffer.appendUInt32LE(UInt32(truncatingIfNeeded: runs.count))
        buffer.append(runs.bytes)
    }
}

/// Writes DELTA_BINARY_PACKED: blocks of 128 in four miniblocks.
enum DeltaWriter {
    static func write(_ values: [Int64], bits: Int, to buffer: inout ByteBuffer) {
        buffer.appendULEB128(128)
        buffer.appendULEB128(4)
        buffer.appendULEB128(UInt64(values.count))
        buffer.appendZigZag(values.first ?? 0)
        var at = 1
        while at < values.count {
            let end = min(at + 128, values.count)
            var deltas: [Int64] = []
            for index in at..<end {
                let delta = values[index] &- values[index - 1]
                // In 32 bits differences wrap as 32 bit integers do.
                deltas.append(bits == 32 ? Int64(Int32(truncatingIfNeeded: delta)) : delta)
            }
            let least = deltas.min() ?? 0
            buffer.appendZigZag(least)
            let mask: UInt64 = bits == 32 ? 0xFFFF_FFFF : ~0
            let packed = deltas.map { UInt64(bitPattern: $0 &- least) & mask }
            var widths: [Int] = []
            for block in 0..<4 {
                let part = packed.dropFirst(block * 32).prefix(32)
                widths.append(64 - (part.max() ?? 0).leadingZeroBitCount)
            }
            for width in widths { buffer.append(UInt8(width)) }
            for block in 0..<4 where block * 32 < packed.count {
                pack(Array(packed.dropFirst(block * 32).prefix(32)), widths[block], &buffer)
            }
            at = end
        }
    }

    private static func pack(_ values: [UInt64], _ width: Int, _ buffer: inout ByteBuffer) {
        if width == 0 { return }
        var word: UInt128 = 0
        var filled = 0
        for index in 0..<32 {
            word |= UInt128(index < values.count ? values[index] : 0) &<< UInt128(filled)
            filled += width
            while filled >= 8 {
                buffer.append(UInt8(truncatingIfNeeded: word))
                word &>>= 8
                filled -= 8
            }
        }
    }
}
