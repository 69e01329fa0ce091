import Bytes

/// Writes runs of repeated values and of bit-packed ones; the reverse of `HybridReader`.
enum HybridWriter {
    /// Encodes values of `width` bits, 0 to 32. Groups of eight equal values become repeated runs.
    @_specialize(where Value == UInt8)
    @_specialize(where Value == UInt32)
    static func write<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: UnsafePointer<Value>, _ count: Int, width: Int, to buffer: GrowingBuffer<UInt8>
    ) {
        var literalStart = 0
        var index = 0
        while index < count {
            guard index &+ 8 <= count, isRun(values + index) else {
                index &+= 8
                continue
            }
            let value = values[index]
            var end = index &+ 8
            while end < count && values[end] == value { end &+= 1 }
            writePacked(values, literalStart, index, width, buffer)
            writeRun(UInt32(truncatingIfNeeded: value), end &- index, width, buffer)
            literalStart = end
            index = end
        }
        writePacked(values, literalStart, count, width, buffer)
    }

    /// Encodes one value repeated.
    static func writeRun(
        _ value: UInt32, _ count: Int, _ width: Int, _ buffer: GrowingBuffer<UInt8>
    ) {
        buffer.appendULEB128(UInt64(count) << 1)
        for byte in 0..<((width + 7) / 8) {
            buffer.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)))
        }
    }

    @inline(__always)
    private static func isRun<Value: FixedWidthInteger>(_ at: UnsafePointer<Value>) -> Bool {
        let first = at[0]
        var difference: Value = 0
        for lane in 1..<8 { difference |= at[lane] ^ first }
        return difference == 0
    }

    /// Packed runs hold whole groups of eight; only the last one of all may be filled up with zeros.
    @_specialize(where Value == UInt8)
    @_specialize(where Value == UInt32)
    private static func writePacked<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: UnsafePointer<Value>, _ start: Int, _ end: Int, _ width: Int,
        _ buffer: GrowingBuffer<UInt8>
    ) {
        if start >= end { return }
        let groups = (end - start + 7) / 8
        buffer.appendULEB128(UInt64(groups) << 1 | 1)
        let byteCount = groups * width
        // The last word may be stored over the end.
        var at = UnsafeMutableRawPointer(buffer.reserve(byteCount + 8))
        var word: UInt64 = 0
        var filled = 0
        for index in start..<end {
            let value = UInt64(truncatingIfNeeded: values[index])
            word |= value &<< UInt64(filled)
            filled &+= width
            if filled >= 64 {
                at.storeBytes(of: word.littleEndian, as: UInt64.self)
                at += 8
                filled &-= 64
                word = filled == 0 ? 0 : value &>> UInt64(width &- filled)
            }
        }
        at.storeBytes(of: word.littleEndian, as: UInt64.self)
        // Whole bytes of values that only fill the group up.
        let used = ((end - start) * width + 7) / 8
        let last = UnsafeMutableRawPointer(buffer.start + buffer.count)
        if byteCount > used {
            (last + used).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount - used)
        }
        buffer.advance(byteCount)
    }
}

extension GrowingBuffer<UInt8> {
    /// An unsigned varint.
    func appendULEB128(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Writes DELTA_BINARY_PACKED: blocks of 128 in four miniblocks.
enum DeltaWriter {
    /// Encodes integers of `bits` bits, given in PLAIN.
    static func write(_ plain: GrowingBuffer<UInt8>, bits: Int, to buffer: inout ByteBuffer) {
        let raw = UnsafeRawPointer(plain.start)
        let count = plain.count / (bits / 8)
        func value(_ index: Int) -> Int64 {
            bits == 32
                ? Int64(raw.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
                : raw.loadUnaligned(fromByteOffset: index * 8, as: Int64.self)
        }
        buffer.appendULEB128(128)
        buffer.appendULEB128(4)
        buffer.appendULEB128(UInt64(count))
        buffer.appendZigZag(count > 0 ? value(0) : 0)
        var at = 1
        while at < count {
            let end = min(at + 128, count)
            var deltas: [Int64] = []
            deltas.reserveCapacity(128)
            for index in at..<end {
                let delta = value(index) &- value(index - 1)
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
